import { create } from 'zustand'
import type { FactsFrame, OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import { useFallen } from '../inspector/fallen-store.ts'
import { inspection } from '../inspector/inspection-client.ts'
import { type Move, movesBetween } from './lanes.ts'
import { apart, guestRuns, PAGE_BYTES, type Run, runsOf } from './runs.ts'

/** `lanes` over physical memory, the table of the same runs, or one guest's space. */
export type MapView = 'lanes' | 'table' | number

export interface MapState {
  frame: OwnershipFrame | null
  facts: FactsFrame | null
  runs: readonly Run[]
  view: MapView
  /** `all`, `state:host`, `vm:0x1001`, `region:hyp text`. */
  filter: string
  open: ReadonlySet<string>
  /** Page under the keyboard cursor, in the view's own numbers. */
  cursor: number
  /** Pages that changed hands in the last seconds, oldest first. */
  moves: readonly SeenMove[]
}

/** A move, and when the page saw it (performance.now()). */
export interface SeenMove extends Move {
  at: number
}

/** How long a page that changed hands stays marked, in milliseconds. */
export const MARK_MS = 6000
const MOST_MARKS = 4000

export const useMap = create<MapState>(() => ({
  frame: null,
  facts: null,
  runs: [],
  view: 'lanes',
  filter: 'all',
  open: new Set(),
  cursor: 0,
  moves: [],
}))

/** Frames a second that the map asks for: each changed one is laid out and drawn anew. */
const HERTZ = 10
const FACTS_HERTZ = 5

function show(frame: OwnershipFrame): void {
  useMap.setState(now => {
    const gone = typeof now.view === 'number' && !frame.vms.some(vm => vm.handle === now.view)
    const view = gone ? 'lanes' : now.view
    const at = performance.now()
    const fresh = movesBetween(now.frame, frame).map((move): SeenMove => ({ ...move, at }))
    return {
      frame,
      view,
      runs: runsFor(frame, view),
      ...(fresh.length > 0 ? { moves: [...now.moves.filter(move => at - move.at < MARK_MS), ...fresh].slice(-MOST_MARKS) } : {}),
      ...(gone ? { cursor: 0, open: new Set<string>() } : {}),
    }
  })
}

function runsFor(frame: OwnershipFrame, view: MapView): Run[] {
  const fallen = [...useFallen.getState().byPage.keys()].map(physical => (physical - frame.ramBase) / PAGE_BYTES)
  return apart(typeof view === 'number' ? guestRuns(frame, view) : runsOf(frame), fallen)
}

export function setView(view: MapView): void {
  useMap.setState(now => {
    if (now.frame === null) return { view }
    const runs = runsFor(now.frame, view)
    const keep = typeof view !== 'number' && typeof now.view !== 'number'
    return { view, runs, ...(keep ? {} : { open: new Set<string>(), cursor: runs[0]?.start ?? 0 }) }
  })
}

/** Begins listening to the machine. @returns ends it */
export function followMachine(): () => void {
  const ends = [
    useFallen.subscribe(() => useMap.setState(({ frame, view }) => (frame === null ? {} : { runs: runsFor(frame, view) }))),
    inspection.watchOwnership(HERTZ, show),
    inspection.watchFacts(FACTS_HERTZ, facts => useMap.setState({ facts })),
    inspection.watchStart(() => {
      useMap.setState(now => ({
        frame: null,
        facts: null,
        runs: [],
        open: new Set(),
        cursor: 0,
        moves: [],
        view: typeof now.view === 'number' ? 'lanes' : now.view,
      }))
    }),
  ]
  return () => {
    for (const end of ends) end()
  }
}

export function toggleFold(key: string): void {
  useMap.setState(now => {
    const open = new Set(now.open)
    if (!open.delete(key)) open.add(key)
    return { open }
  })
}

export function foldAll(): void {
  useMap.setState({ open: new Set() })
}

/** Closes the smallest opened fold that holds a page. @returns whether there was one */
export function closeFoldAround(page: number): boolean {
  const { open } = useMap.getState()
  const around = [...open]
    .map(key => ({ key, range: key.split(':').map(Number) as [number, number] }))
    .filter(({ range: [start, count] }) => start <= page && page < start + count)
    .sort((a, b) => a.range[1] - b.range[1])[0]
  if (around === undefined) return false
  toggleFold(around.key)
  useMap.setState({ cursor: around.range[0] })
  return true
}
