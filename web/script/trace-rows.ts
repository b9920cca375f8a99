/** Collects what a script tells into the rows of the trace. */
import type { TraceEntry } from '../../lessons/kvm/trace.ts'
import type { Output } from './sandbox-protocol.ts'
import type { TraceRow } from './script-store.ts'

/** Rows kept; a tenth goes at a time. */
const MOST_ROWS = 10_000
/** Parts kept of one call. */
const MOST_PARTS = 200

type CallRow = Extract<TraceRow, { kind: 'call' }>

export class TraceRows {
  rows: TraceRow[] = []
  forgotten = 0
  calls = 0
  private key = 0
  /** Row index by the entry's id, less `forgotten`. */
  private readonly at = new Map<number, number>()
  /** The script's own call that an entry was made for, by the entry's id. */
  private readonly rootOf = new Map<number, number>()

  /** @returns the rows anew, for whoever compares by identity */
  take(items: readonly Output[]): TraceRow[] {
    this.rows = this.rows.slice()
    for (const item of items) this.takeOne(item)
    if (this.rows.length > MOST_ROWS) this.trim()
    return this.rows
  }

  private takeOne(item: Output): void {
    switch (item.kind) {
      case 'print':
        this.rows.push({ kind: 'print', key: ++this.key, text: item.text })
        break
      case 'answer':
        this.rows.push({ kind: 'answer', key: ++this.key, name: item.name, value: item.value })
        break
      case 'bound':
        this.rows.push({
          kind: 'note',
          key: ++this.key,
          text:
            item.of === 'print'
              ? 'The script prints too much: further lines are left out.'
              : 'The script makes too many calls: further ones are not listed.',
        })
        break
      case 'trace':
        this.takeEntry(item.entry)
    }
  }

  private takeEntry(entry: TraceEntry): void {
    if (entry.parent === null) {
      const index = this.at.get(entry.id)
      if (index === undefined) {
        this.calls++
        this.rootOf.set(entry.id, entry.id)
        this.at.set(entry.id, this.rows.length + this.forgotten)
        this.rows.push({ kind: 'call', key: ++this.key, entry, parts: [] })
      } else this.replace(index, row => ({ ...row, entry }))
      return
    }
    const root = this.rootOf.get(entry.id) ?? this.rootOf.get(entry.parent)
    if (root === undefined) return
    this.rootOf.set(entry.id, root)
    const index = this.at.get(root)
    if (index !== undefined) this.replace(index, row => ({ ...row, parts: withPart(row.parts, entry) }))
  }

  private replace(index: number, change: (row: CallRow) => CallRow): void {
    const row = this.rows[index - this.forgotten]
    if (row?.kind === 'call') this.rows[index - this.forgotten] = change(row)
  }

  private trim(): void {
    const cut = this.rows.length - Math.floor(MOST_ROWS * 0.9)
    this.rows = this.rows.slice(cut)
    this.forgotten += cut
  }
}

function withPart(parts: readonly TraceEntry[], entry: TraceEntry): readonly TraceEntry[] {
  const at = parts.findLastIndex(part => part.id === entry.id)
  if (at >= 0) return parts.with(at, entry)
  return parts.length < MOST_PARTS ? [...parts, entry] : parts
}
