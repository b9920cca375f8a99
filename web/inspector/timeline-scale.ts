import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'

/** The stretch of retired instructions that the timeline shows. */
export interface Span {
  from: number
  to: number
}

/** A span shorter than this shows single instructions apart already. */
const SHORTEST = 200

/** Index of the first event at or after an instruction count. Events are in order of time. */
export function firstAt(events: readonly LabEvent[], instructions: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (events[middle]!.instructions < instructions) low = middle + 1
    else high = middle
  }
  return low
}

/** How many events fall on each of `width` columns of equal length. */
export function countColumns(events: readonly LabEvent[], span: Span, width: number): Uint32Array {
  const columns = new Uint32Array(Math.max(0, width))
  const scale = width / (span.to - span.from)
  for (let i = firstAt(events, span.from); i < events.length; i++) {
    const at = events[i]!.instructions
    if (at > span.to) break
    const column = Math.min(width - 1, Math.floor((at - span.from) * scale))
    columns[column] = (columns[column] ?? 0) + 1
  }
  return columns
}

/** The event nearest to an instruction count, or undefined when there is none within `reach` instructions. */
export function nearest(events: readonly LabEvent[], instructions: number, reach: number): LabEvent | undefined {
  const at = firstAt(events, instructions)
  const candidates = [events[at - 1], events[at]].filter(event => event !== undefined)
  const distance = (event: LabEvent) => Math.abs(event.instructions - instructions)
  const best = candidates.sort((a, b) => distance(a) - distance(b))[0]
  return best !== undefined && distance(best) <= reach ? best : undefined
}

/** Zooms about a point that stays where it is. @param factor above 1 shows less. @returns null for the whole run */
export function zoom(span: Span, about: number, factor: number, end: number): Span | null {
  const length = Math.max(SHORTEST, (span.to - span.from) / factor)
  if (length >= end) return null
  const share = (about - span.from) / (span.to - span.from)
  const from = Math.min(Math.max(0, about - share * length), end - length)
  return { from, to: from + length }
}

/** Moves a span, no further than the run reaches. */
export function pan(span: Span, by: number, end: number): Span {
  const length = span.to - span.from
  const from = Math.min(Math.max(0, span.from + by), Math.max(0, end - length))
  return { from, to: from + length }
}
