/** Which events of the log belong to a call of a script: those between its request and its answer. */
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import type { TraceEntry } from '../../lessons/kvm/trace.ts'
import { firstAt } from '../inspector/timeline-scale.ts'

/** Smaller is told first: what befell a VM, who was refused; then pages; hypercalls and switches are counted only. */
function weight(event: LabEvent): number {
  switch (event.kind) {
    case 'vm':
    case 'taint':
    case 'gate':
    case 'violation':
    case 'guest-hypercall':
      return 0
    case 'abort':
      return /denied|refused|EPERM|injected/.test(event.text) ? 0 : UNTOLD
    case 'ownership':
      // A VM's page tells more than what the hypervisor needs for its own books.
      return /\bVM\b/.test(event.text) ? 1 : 2
    default:
      return UNTOLD
  }
}
const UNTOLD = 9

export interface CallEvents {
  /** Those that tell most, oldest first. */
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
  let at = firstAt(events, before)
  // What was entered late stands before.
  while (at > 0 && (events[at - 1]?.instructions ?? 0) > before) at--
  const told: LabEvent[] = []
  const found: CallEvents = { telling: [], tellingCount: 0, count: 0 }
  for (let late = 0; at < events.length; at++) {
    const event = events[at] as LabEvent
    if (event.instructions > after) {
      if (++late > 64) break
      continue
    }
    if (event.instructions <= before) continue
    found.count++
    if (weight(event) !== UNTOLD) told.push(event)
  }
  found.tellingCount = told.length
  const chosen = new Set(told.toSorted((a, b) => weight(a) - weight(b) || a.sequence - b.sequence).slice(0, most))
  found.telling = told.filter(event => chosen.has(event))
  return found
}
