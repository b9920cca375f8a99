import type { EventKind, RawEvent } from './log-event.ts'

/** Entries kept of each of the two classes below. */
export const RING_ENTRIES = 65_536

/** What a history is made of. Kept apart, so that a flood of aborts and hypercalls does not push it out. */
const CHANGES: ReadonlySet<EventKind> = new Set<EventKind>(['ownership', 'vm', 'taint', 'gate', 'violation'])

/** The last events, in order of their sequence numbers. What no longer fits is counted. */
export class EventRing {
  /** Events that were forgotten because newer ones came. */
  dropped = 0
  /** Sequence number of the newest event; 0 before the first. */
  last = 0
  private readonly changes: Ring
  private readonly traffic: Ring

  constructor(entries = RING_ENTRIES) {
    this.changes = new Ring(entries)
    this.traffic = new Ring(entries)
  }

  get count(): number {
    return this.changes.count + this.traffic.count
  }

  /** Gives the event its number. */
  push(event: RawEvent): void {
    event.sequence = ++this.last
    if ((CHANGES.has(event.kind) ? this.changes : this.traffic).push(event)) this.dropped++
  }

  /** Events with a greater sequence number, oldest first, at most `limit`. */
  after(sequence: number, limit = Number.POSITIVE_INFINITY): RawEvent[] {
    const found: RawEvent[] = []
    let a = this.changes.firstAfter(sequence)
    let b = this.traffic.firstAfter(sequence)
    while (found.length < limit) {
      const x = this.changes.at(a)
      const y = this.traffic.at(b)
      if (x === undefined && y === undefined) break
      if (y === undefined || (x !== undefined && x.sequence < y.sequence)) {
        found.push(x!)
        a++
      } else {
        found.push(y)
        b++
      }
    }
    return found
  }

  /** What it holds, for `restore`; events do not change once they are here. */
  save() {
    return { dropped: this.dropped, last: this.last, changes: this.changes.save(), traffic: this.traffic.save() }
  }

  restore(saved: ReturnType<EventRing['save']>): void {
    this.dropped = saved.dropped
    this.last = saved.last
    this.changes.restore(saved.changes)
    this.traffic.restore(saved.traffic)
  }

  clear(): void {
    this.changes.clear()
    this.traffic.clear()
  }
}

class Ring {
  count = 0
  private start = 0
  private readonly entries: (RawEvent | undefined)[] = []

  constructor(private readonly size: number) {}

  /** @returns true when an old event had to go. */
  push(event: RawEvent): boolean {
    if (this.count < this.size) {
      this.entries[(this.start + this.count++) % this.size] = event
      return false
    }
    this.entries[this.start] = event
    this.start = (this.start + 1) % this.size
    return true
  }

  save(): { readonly start: number; readonly entries: readonly (RawEvent | undefined)[] } {
    return { start: this.start, entries: [...this.entries] }
  }

  restore({ start, entries }: ReturnType<Ring['save']>): void {
    this.entries.splice(0, this.entries.length)
    for (const entry of entries) this.entries.push(entry)
    this.count = entries.length
    this.start = start
  }

  /** @param index 0 = oldest. */
  at(index: number): RawEvent | undefined {
    return index < this.count ? this.entries[(this.start + index) % this.size] : undefined
  }

  firstAfter(sequence: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.at(middle)!.sequence <= sequence) low = middle + 1
      else high = middle
    }
    return low
  }

  clear(): void {
    this.count = 0
    this.start = 0
    this.entries.length = 0
  }
}
