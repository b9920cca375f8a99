/** Which events of the log belong to a call of a script: those between its request and its answer. */
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import type { TraceEntry } from '../../lessons/kvm/trace.ts'

/** Events that say that something changed, or that somebody was refused: told beside a call. Others are counted. */
const TELLING: ReadonlySet<LabEvent['kind']> = new Set(['ownership', 'vm', 'taint', 'gate', 'guest-hypercall'])

export interface CallEvents {
  /** The first of those that tell something. */
  telling: LabEvent[]
  /** How many there are of these. */
  tellingCount: number
  /** All, with hypercalls, aborts and world switches. */
  count: number
}

const NONE: CallEvents = { telling: [], tellingCount: 0, count: 0 }

/**
 * @param events oldest first by sequence; a call to EL2 is entered when it returns, so instructions may step back a little
 * @param most events listed
 */
export function eventsOf(entry: TraceEntry, events: readonly LabEvent[], most: number): CallEvents {
  const { before, after } = entry
  if (before === null || after === null) return NONE
  let at = firstAtOrAfter(events, before)
  // What was entered late stands before.
  while (at > 0 && (events[at - 1]?.instructions ?? 0) > before) at--
  const found: CallEvents = { telling: [], tellingCount: 0, count: 0 }
  for (let late = 0; at < events.length; at++) {
    const event = events[at] as LabEvent
    if (event.instructions > after) {
      if (++late > 64) break
      continue
    }
    if (event.instructions <= before) continue
    found.count++
    if (!TELLING.has(event.kind)) continue
    found.tellingCount++
    if (found.telling.length < most) found.telling.push(event)
  }
  return found
}

function firstAtOrAfter(events: readonly LabEvent[], instructions: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (events[middle]!.instructions < instructions) low = middle + 1
    else high = middle
  }
  return low
}
