import { useSyncExternalStore } from 'react'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { type EventBatch, type InspectionClient, inspection } from './inspection-client.ts'

export type EventKind = LabEvent['kind']

/** The lanes of the timeline, top to bottom. Every kind of event is in exactly one. */
export const LANES = [
  { key: 'hypercalls', title: 'hypercalls', color: '--hyp', kinds: ['hypercall', 'guest-hypercall', 'smc'] },
  { key: 'aborts', title: 'aborts', color: '--host', kinds: ['abort'] },
  { key: 'ownership', title: 'ownership', color: '--vm', kinds: ['ownership'] },
  { key: 'guests', title: 'guest runs', color: '--nvm', kinds: ['world-switch', 'vcpu'] },
  { key: 'lifecycle', title: 'lifecycle', color: '--bad', kinds: ['vm', 'taint', 'gate', 'violation'] },
] as const satisfies readonly { key: string; title: string; color: string; kinds: readonly EventKind[] }[]

const LANE_OF = new Map<EventKind, number>(LANES.flatMap((lane, index) => lane.kinds.map(kind => [kind, index] as const)))

/** What the page keeps. The Worker's own ring buffer has its own size. */
const CAPACITY = 200_000

/** The page's copy of the event log: oldest first, sequences ascending. */
export class EventLog {
  private readonly listeners = new Set<() => void>()
  events: LabEvent[] = []
  /** The same events, by index in LANES and in order of instructions. */
  lanes: LabEvent[][] = LANES.map(() => [])
  /** Grows with every change. */
  version = 0
  /** Lost by the Worker's ring buffer before the page got them. */
  dropped = 0
  /** How often events were taken back. */
  restarts = 0
  /** Old ones that the page let go for want of room. */
  forgotten = 0

  constructor(private readonly capacity = CAPACITY) {}

  get last(): LabEvent | undefined {
    return this.events[this.events.length - 1]
  }

  append(batch: EventBatch): void {
    const { dropped } = batch
    const after = this.last?.sequence ?? -1
    const fresh = batch.events.filter(event => event.sequence > after)
    if (fresh.length === 0 && dropped === this.dropped) return
    this.dropped = dropped
    for (const event of fresh) {
      this.events.push(event)
      insertByTime(this.lanes[LANE_OF.get(event.kind) ?? 0]!, event)
    }
    this.trim()
    this.changed()
  }

  /** The machine went back: events with a greater sequence have not happened. */
  cutAfter(sequence: number): void {
    if ((this.last?.sequence ?? -1) <= sequence) return
    this.events = this.events.filter(event => event.sequence <= sequence)
    this.lanes = this.lanes.map(lane => lane.filter(event => event.sequence <= sequence))
    this.restarts++
    this.changed()
  }

  clear(): void {
    this.events = []
    this.lanes = LANES.map(() => [])
    this.dropped = 0
    this.forgotten = 0
    this.changed()
  }

  first(kind: EventKind): LabEvent | undefined {
    return this.lanes[LANE_OF.get(kind) ?? 0]?.find(event => event.kind === kind)
  }

  /** Events of a kind that is rare enough to be listed, oldest first. */
  all(kind: EventKind): LabEvent[] {
    return this.lanes[LANE_OF.get(kind) ?? 0]?.filter(event => event.kind === kind) ?? []
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Cuts a tenth at a time, so that the cost is spread over many events. */
  private trim(): void {
    if (this.events.length <= this.capacity) return
    const cut = this.events.length - Math.floor(this.capacity * 0.9)
    this.forgotten += cut
    const kept = this.events[cut]?.sequence ?? Number.POSITIVE_INFINITY
    this.events = this.events.slice(cut)
    this.lanes = this.lanes.map(lane => lane.filter(event => event.sequence >= kept))
  }

  private changed(): void {
    this.version++
    for (const listener of this.listeners) listener()
  }
}

/** A call is entered when it returns, so what happened meanwhile may precede it in the log. */
function insertByTime(lane: LabEvent[], event: LabEvent): void {
  let at = lane.length
  while (at > 0 && lane[at - 1]!.instructions > event.instructions) at--
  if (at === lane.length) lane.push(event)
  else lane.splice(at, 0, event)
}

/** Keeps a log filled from the machine; a new machine starts it anew. @returns ends it */
export function feed(log: EventLog, client: InspectionClient): () => void {
  const ends = [
    client.watchStart(() => log.clear()),
    client.watchEnd(() => log.clear()),
    client.watchRestore(events => log.cutAfter(events)),
    client.watchEvents(batch => log.append(batch)),
  ]
  return () => {
    for (const end of ends) end()
  }
}

export const eventLog = new EventLog()
feed(eventLog, inspection)

/** Renders again whenever the log changes. @returns the log's version */
export function useEventLog(log: EventLog = eventLog): number {
  return useSyncExternalStore(
    log.subscribe,
    () => log.version,
    () => log.version,
  )
}

export interface EventFilter {
  kinds: ReadonlySet<EventKind>
  /** Found in the line, the symbol or the call chain, whatever the case. */
  text: string
}

/** The events that pass a filter, kept up to date by looking only at new ones. */
export class FilteredEvents {
  matching: LabEvent[] = []
  private filter: EventFilter | null = null
  private seen = -1
  private restarts = 0

  /** @returns the matching events, oldest first; the array is new when anything changed */
  update(log: EventLog, filter: EventFilter): LabEvent[] {
    const restarted = (log.last?.sequence ?? -1) < this.seen || log.restarts !== this.restarts
    this.restarts = log.restarts
    if (restarted || filter !== this.filter) {
      this.filter = filter
      this.seen = -1
      this.matching = []
    }
    const needle = filter.text.trim().toLowerCase()
    const fresh: LabEvent[] = []
    for (let i = log.events.length - 1; i >= 0; i--) {
      const event = log.events[i]!
      if (event.sequence <= this.seen) break
      if (passes(event, filter.kinds, needle)) fresh.push(event)
    }
    this.seen = log.last?.sequence ?? -1
    const oldest = log.events[0]?.sequence ?? 0
    const gone = (this.matching[0]?.sequence ?? oldest) < oldest
    if (gone) this.matching = this.matching.filter(event => event.sequence >= oldest)
    if (fresh.length > 0) this.matching = this.matching.concat(fresh.reverse())
    return this.matching
  }
}

function passes(event: LabEvent, kinds: ReadonlySet<EventKind>, needle: string): boolean {
  if (!kinds.has(event.kind)) return false
  if (needle === '') return true
  return (
    event.text.toLowerCase().includes(needle) ||
    event.symbol.toLowerCase().includes(needle) ||
    event.callChain.some(frame => frame.toLowerCase().includes(needle))
  )
}
