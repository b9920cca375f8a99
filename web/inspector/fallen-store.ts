import { create } from 'zustand'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'

export interface FallenState {
  /** Events of kind `violation` of this machine, oldest first. */
  events: readonly LabEvent[]
  /** The same by the physical address of the page they are about. */
  byPage: ReadonlyMap<number, readonly LabEvent[]>
}

const NONE: FallenState = { events: [], byPage: new Map() }

/** Invariants that fell while this machine ran, for everything that shows its pages. */
export const useFallen = create<FallenState>(() => NONE)

const PAGE = 4096

export function addFallen(events: readonly LabEvent[]): void {
  set([...useFallen.getState().events, ...events])
}

/** The machine went back: what came after that many events has not happened. */
export function keepFallen(count: number): void {
  set(useFallen.getState().events.filter(event => event.sequence <= count))
}

export function forgetFallen(): void {
  if (useFallen.getState().events.length > 0) useFallen.setState(NONE)
}

function set(events: readonly LabEvent[]): void {
  const byPage = new Map<number, LabEvent[]>()
  for (const event of events) {
    if (event.physical === undefined) continue
    const page = event.physical - (event.physical % PAGE)
    byPage.set(page, [...(byPage.get(page) ?? []), event])
  }
  useFallen.setState({ events, byPage })
}

/** What fell for a page, as a sentence: the rule, and what is so. */
export function fallenWords(events: readonly LabEvent[]): string {
  return [...new Set(events.map(event => event.details.means ?? event.text))].join(' ')
}
