import { descriptorKind, levelShift, outputAddress } from '../descriptor.ts'
import type { GuestMemory } from '../guest-memory.ts'
import type { GuestPage } from '../guest-leaves.ts'
import type { AnnotationFormat } from '../invalid-annotation.ts'
import type { TranslationTables } from '../page-table-walk.ts'

const PAGE = 4096
const ENTRY = 8
const ENTRIES = PAGE / ENTRY

/** Puts pages of RAM under watch or takes one away. @param page physical page number. */
export interface PageWatcher {
  watch(...pages: readonly number[]): void
  unwatch(page: number): void
}

/** What the tables come to say. `page` counts from the start of RAM. */
export interface TableSink {
  /** A VM maps a page. @param high upper half of the leaf, which has the VM's state of the page. */
  mapped(page: number, handle: number, gfn: number, high: number): void
  unmapped(page: number, handle: number, gfn: number): void
  /** The host's tables name the VM that a page was donated to, or no longer do. */
  donated(page: number, to: GuestPage | null): void
  /** A VM's entry was poisoned: the host took the page back by force. */
  poisoned(handle: number, gfn: number): void
}

/** A leaf of the host's or a VM's stage 2 that was written. */
export interface LeafWrite {
  /** null: the host's. */
  readonly vm: number | null
  readonly input: number
  readonly level: number
  readonly low: number
  readonly high: number
}

/** A page that holds a table. */
interface Table {
  readonly vm: number | null
  readonly level: number
  /** Input address of its first entry. */
  readonly base: number
  readonly lpa2: boolean
}

/** Follows the stage-2 tables of the host and of VMs as entries are written and tables are linked and unlinked. */
export class TableFollower {
  /** The last leaf that was written; for whoever reads it to clear. */
  lastLeaf: LeafWrite | null = null
  /** By physical page number. */
  private readonly tables = new Map<number, Table>()

  constructor(
    private readonly memory: GuestMemory,
    private readonly annotations: AnnotationFormat,
    private readonly watcher: PageWatcher,
    private readonly sink: TableSink,
  ) {}

  /** Begin to follow. @param vm handle, or null for the host. */
  follow(tables: TranslationTables, vm: number | null): void {
    const shift = levelShift(tables.startLevel)
    const entries = 2 ** (tables.inputBits - shift)
    // Concatenated first tables lie one behind the other.
    for (let first = 0; first < entries; first += ENTRIES) {
      const table = { vm, level: tables.startLevel, base: first * 2 ** shift, lpa2: tables.lpa2 }
      this.adopt(tables.root + first * ENTRY, table, Math.min(ENTRIES, entries - first))
    }
  }

  /** Stop following a VM's tables, without a word about what they held. */
  forget(vm: number): void {
    for (const [page, table] of [...this.tables]) if (table.vm === vm) this.remove(page)
  }

  detach(): void {
    for (const page of [...this.tables.keys()]) this.remove(page)
  }

  save(): { readonly tables: readonly (readonly [number, Table])[]; readonly lastLeaf: LeafWrite | null } {
    return { tables: [...this.tables], lastLeaf: this.lastLeaf }
  }

  /** Back to what was followed then; memory is already as it was. */
  restore({ tables, lastLeaf }: ReturnType<TableFollower['save']>): void {
    this.detach()
    for (const [page, table] of tables) this.tables.set(page, table)
    this.watcher.watch(...this.tables.keys())
    this.lastLeaf = lastLeaf
  }

  /** Does a page hold a table that is followed? */
  has(page: number): boolean {
    return this.tables.has(page)
  }

  /** The entry at a physical address was written. @param old what it was. */
  stored(at: number, old: bigint): void {
    const it = this.tables.get(Math.floor(at / PAGE))
    if (it === undefined) return
    const low = this.memory.u32(at)
    const high = this.memory.u32(at + 4)
    const oldLow = Number(old & 0xffff_ffffn)
    const oldHigh = Number(old >> 32n)
    if (low === oldLow && high === oldHigh) return
    const input = it.base + ((at % PAGE) / ENTRY) * 2 ** levelShift(it.level)
    if (oldLow !== 0 || oldHigh !== 0) this.entryWas(it, input, oldLow, oldHigh)
    if (low !== 0 || high !== 0) this.entryIs(it, input, low, high)
    const kind = descriptorKind(low, it.level, it.lpa2)
    if (kind === 'table') return
    this.lastLeaf = { vm: it.vm, input, level: it.level, low, high }
    if (it.vm !== null && kind === 'invalid' && this.annotations.decode(low, high).kind === 'poisoned') {
      this.sink.poisoned(it.vm, input / PAGE)
    }
  }

  private adopt(address: number, table: Table, entries = ENTRIES): void {
    const page = Math.floor(address / PAGE)
    if (table.level > 3 || !this.memory.has(address, PAGE) || this.tables.has(page)) return
    this.tables.set(page, table)
    this.watcher.watch(page)
    this.forEntries(address, table, entries, (input, low, high) => this.entryIs(table, input, low, high))
  }

  /** A table can no longer be reached from this entry. */
  private abandon(address: number, { vm, level, base }: Table): void {
    const page = Math.floor(address / PAGE)
    const table = this.tables.get(page)
    if (table === undefined || table.vm !== vm || table.level !== level || table.base !== base) return
    this.remove(page)
    this.forEntries(address, table, ENTRIES, (input, low, high) => this.entryWas(table, input, low, high))
  }

  private forEntries(
    address: number,
    { base, level }: Table,
    entries: number,
    visit: (input: number, low: number, high: number) => void,
  ): void {
    for (let i = 0; i < entries; i++) {
      const low = this.memory.u32(address + i * ENTRY)
      const high = this.memory.u32(address + i * ENTRY + 4)
      if (low !== 0 || high !== 0) visit(base + i * 2 ** levelShift(level), low, high)
    }
  }

  private entryIs(it: Table, input: number, low: number, high: number): void {
    const kind = descriptorKind(low, it.level, it.lpa2)
    if (kind === 'table') this.adopt(outputAddress(low, high, it.lpa2), below(it, input))
    else if (it.vm === null) {
      if (kind === 'invalid') this.annotation(it, input, low, high, true)
    } else if (kind !== 'invalid') {
      this.leafPages(it, low, high, input, (page, gfn) => this.sink.mapped(page, it.vm!, gfn, high))
    }
  }

  private entryWas(it: Table, input: number, low: number, high: number): void {
    const kind = descriptorKind(low, it.level, it.lpa2)
    if (kind === 'table') this.abandon(outputAddress(low, high, it.lpa2), below(it, input))
    else if (it.vm === null) {
      if (kind === 'invalid') this.annotation(it, input, low, high, false)
    } else if (kind !== 'invalid') {
      this.leafPages(it, low, high, input, (page, gfn) => this.sink.unmapped(page, it.vm!, gfn))
    }
  }

  private leafPages(
    it: Table,
    low: number,
    high: number,
    input: number,
    each: (page: number, gfn: number) => void,
  ): void {
    const bytes = 2 ** levelShift(it.level)
    const output = outputAddress(low, high, it.lpa2)
    const base = output - (output % bytes)
    this.inRam(base, bytes, (page, distance) => each(page, input / PAGE + distance))
  }

  /** An invalid entry of the host's: it may name the VM that has the pages. */
  private annotation(it: Table, input: number, low: number, high: number, there: boolean): void {
    const note = this.annotations.decode(low, high)
    if (note.kind !== 'donated' || note.owner !== 'vm') return
    this.inRam(input, 2 ** levelShift(it.level), (page, distance) =>
      this.sink.donated(page, there ? { handle: note.handle, gfn: note.gfn + distance } : null),
    )
  }

  /** The pages of RAM in a range. @param each gets the index in RAM, and pages from the start of the range. */
  private inRam(start: number, bytes: number, each: (page: number, distance: number) => void): void {
    const { base, end } = this.memory
    const last = Math.min(start + bytes, end)
    for (let at = Math.max(start, base); at < last; at += PAGE) each((at - base) / PAGE, (at - start) / PAGE)
  }

  private remove(page: number): void {
    this.tables.delete(page)
    this.watcher.unwatch(page)
  }
}

function below(it: Table, input: number): Table {
  return { vm: it.vm, level: it.level + 1, base: input, lpa2: it.lpa2 }
}
