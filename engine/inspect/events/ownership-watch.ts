import { RAM_BASE } from '../../cpu/state.ts'
import { descriptorKind, levelShift, outputAddress } from '../descriptor.ts'
import { StateCode } from '../hyp-page.ts'
import type { KernelData } from '../kernel-data.ts'
import { attempt } from '../known.ts'
import { OwnershipReader } from '../ownership.ts'
import type { TranslationTables } from '../page-table-walk.ts'
import { readVmTable, type VmView } from '../vm-table.ts'
import type { PageOwnership, VmPage } from './log-event.ts'

const PAGE = 4096
const ENTRY = 8
const NO_PAGES: readonly never[] = []

/** Puts a page of RAM under watch or takes it away. @param page physical page number. */
export interface PageWatcher {
  watch(page: number): void
  unwatch(page: number): void
}

/** What a watched page holds. */
type Watched =
  | { readonly kind: 'records'; readonly firstPage: number }
  | { readonly kind: 'vm-table' }
  | {
      readonly kind: 'table'
      /** null: the host's stage 2. */
      readonly vm: number | null
      readonly level: number
      /** Input address of its first entry. */
      readonly base: number
      readonly lpa2: boolean
    }

/** A page whose ownership differs from what it was when the changes were last taken. */
export interface PageChange<Moment> {
  /** Index from the start of RAM. */
  readonly page: number
  readonly before: PageOwnership
  after: PageOwnership
  /** The host took it from a VM by force: the VM's entry was poisoned. */
  forced: boolean
  /** When its first store was made. */
  readonly moment: Moment
}

export interface SlotChange<Moment> {
  readonly slot: number
  readonly old: bigint
  readonly value: bigint
  readonly moment: Moment
}

/** A leaf of the host's or a VM's stage 2 that was written. */
export interface LeafWrite {
  readonly vm: number | null
  readonly input: number
  readonly level: number
  readonly low: number
  readonly high: number
}

/**
 * Ownership of every page, kept up to date from the stores to pKVM's page records, its table of VMs and the stage-2
 * tables. Changes collect until they are taken, so that a page that is changed in several places, or changed and changed
 * back, during one stay at EL2 is told once.
 */
export class OwnershipWatch<Moment> {
  /** The last leaf written since the changes were taken: what an abort was answered with. */
  lastLeaf: LeafWrite | null = null
  private readonly reader: OwnershipReader
  private readonly watched = new Map<number, Watched>()
  private readonly host: Uint8Array
  private readonly hyp: Uint8Array
  /** By page index. */
  private readonly donated = new Map<number, VmPage>()
  private readonly mapped = new Map<number, (VmPage & { state: number })[]>()
  private readonly pending = new Map<number, PageChange<Moment>>()
  private slots: SlotChange<Moment>[] = []
  private readonly slotHandles = new Map<number, number>()
  private readonly softwareState: (high: number) => number

  /**
   * @param now called at the first store to a page.
   * @throws UnknownError, BtfError when this kernel keeps ownership in a way this lab does not know.
   */
  constructor(
    private readonly kernel: KernelData,
    private readonly watcher: PageWatcher,
    private readonly now: () => Moment,
  ) {
    this.reader = new OwnershipReader(kernel)
    const pages = kernel.memory.ram.length / PAGE
    this.host = new Uint8Array(pages).fill(StateCode.unknown)
    this.hyp = new Uint8Array(pages).fill(StateCode.unknown)
    this.softwareState = softwareState(kernel)
  }

  /** Number of watched pages. */
  get watchedPages(): number {
    return this.watched.size
  }

  /** Read everything as it is now and begin to watch. @throws UnknownError, BtfError before pKVM has made its tables. */
  attach(): void {
    const { kernel, reader } = this
    const { memory } = kernel
    const perPage = PAGE / reader.pageLayout.bytes
    for (const block of reader.trackedMemory()) {
      const end = Math.min(block.base + block.size, memory.end)
      for (let pa = Math.max(block.base, memory.base); pa < end; ) {
        const page = pa / PAGE
        const record = reader.recordAddress(page)
        const inPage = (record % PAGE) / reader.pageLayout.bytes
        this.add(record, { kind: 'records', firstPage: page - inPage - memory.base / PAGE })
        const count = Math.min(perPage - inPage, (end - pa) / PAGE)
        for (let i = 0; i < count; i++) this.readRecord(page - memory.base / PAGE + i, record + i * reader.pageLayout.bytes)
        pa += count * PAGE
      }
    }
    const table = memory.u64(kernel.hypAddress('vm_table'))
    this.add(kernel.hypPhysical(table), { kind: 'vm-table' })
    this.adoptTables(reader.hostTables(), null)
    for (const vm of readVmTable(kernel)) if (vm.address !== null) this.adoptVm(vm)
    this.pending.clear()
    this.slots = []
    this.lastLeaf = null
  }

  /** Stop watching everything. */
  detach(): void {
    for (const page of [...this.watched.keys()]) this.remove(page)
  }

  /** Runs of pages of equal ownership that are not simply the host's, in order. */
  *runs(): Generator<{ readonly page: number; readonly pages: number; readonly ownership: PageOwnership }> {
    let start = 0
    for (let i = 1; i <= this.host.length; i++) {
      if (i < this.host.length && this.sameRun(start, i)) continue
      if (this.host[start] !== StateCode.unknown && !this.plainHost(start)) {
        yield { page: start, pages: i - start, ownership: this.ownership(start) }
      }
      start = i
    }
  }

  /** @param page index from the start of RAM. */
  ownership(page: number): PageOwnership {
    const maps = this.mapped.get(page)
    return {
      host: this.host[page] ?? StateCode.unknown,
      hyp: this.hyp[page] ?? StateCode.unknown,
      donatedTo: this.donated.get(page) ?? null,
      mappedBy: maps === undefined ? NO_PAGES : maps.map((m) => ({ ...m })),
    }
  }

  /**
   * A store to a watched page was done.
   * @param linear linear-memory address; @param old what was there.
   * @returns false when the page is none of those watched here.
   */
  stored(linear: number, old: Uint8Array): boolean {
    const physical = linear - RAM_BASE + this.kernel.memory.base
    const it = this.watched.get(Math.floor(physical / PAGE))
    if (it === undefined) return false
    if (it.kind === 'records') this.recordsStored(it.firstPage, physical, old.length)
    else {
      // Entries are 64-bit words; a store may cover several or a part of one.
      const end = physical + old.length
      for (let at = physical - (physical % ENTRY); at < end; at += ENTRY) {
        if (it.kind === 'vm-table') {
          const before = this.oldWord(at, physical, old)
          const value = this.kernel.memory.u64(at)
          if (before !== value) this.slotStored((at % PAGE) / ENTRY, before, value)
        } else this.entryStored(it, at, this.oldWord(at, physical, old))
      }
    }
    return true
  }

  /** Pages whose ownership is not what it was when this was last called, in the order of their first stores. */
  takeChanges(): PageChange<Moment>[] {
    this.lastLeaf = null
    if (this.pending.size === 0) return []
    const changes: PageChange<Moment>[] = []
    for (const change of this.pending.values()) {
      change.after = this.ownership(change.page)
      if (!sameOwnership(change.before, change.after)) changes.push(change)
    }
    this.pending.clear()
    return changes
  }

  takeSlotChanges(): SlotChange<Moment>[] {
    const taken = this.slots
    if (taken.length !== 0) this.slots = []
    return taken
  }

  /** The VM has been put into its slot: follow its tables from now on. */
  adoptVm(vm: VmView): void {
    this.slotHandles.set(vm.slot, vm.handle)
    if (vm.stage2.known) this.adoptTables(vm.stage2.value, vm.handle)
  }

  /** The VM is gone: its tables are ordinary memory again. */
  private forgetVm(handle: number): void {
    for (const [page, it] of [...this.watched]) if (it.kind === 'table' && it.vm === handle) this.remove(page)
    for (const [page, maps] of [...this.mapped]) {
      if (maps.some((m) => m.handle === handle)) {
        this.touch(page)
        this.setMaps(page, maps.filter((m) => m.handle !== handle))
      }
    }
  }

  /** The physical page (index from the start of RAM) that a VM maps at a gfn, as far as the log has seen. */
  pageOfGfn(handle: number, gfn: number): number | undefined {
    for (const [page, maps] of this.mapped) if (maps.some((m) => m.handle === handle && m.gfn === gfn)) return page
    return undefined
  }

  // ---- page records -------------------------------------------------------------------------------------------------

  private recordsStored(firstPage: number, physical: number, bytes: number): void {
    const size = this.reader.pageLayout.bytes
    const start = physical - (physical % PAGE)
    const first = Math.floor((physical % PAGE) / size)
    const last = Math.floor(((physical % PAGE) + bytes - 1) / size)
    for (let i = first; i <= last; i++) {
      const page = firstPage + i
      if (page < 0 || page >= this.host.length) continue
      const at = start + i * size
      if (this.hostCode(at) === this.host[page] && this.hypCode(at) === this.hyp[page]) continue
      this.touch(page)
      this.readRecord(page, at)
    }
  }

  private readRecord(page: number, at: number): void {
    this.host[page] = this.hostCode(at)
    this.hyp[page] = this.hypCode(at)
  }

  private hostCode(at: number): number {
    const { hostState, hostCodes } = this.reader.pageLayout
    return hostCodes[(this.kernel.memory.u32(at + 4 * hostState.word) >>> hostState.shift) & hostState.mask]!
  }

  private hypCode(at: number): number {
    const { hypState, hypCodes } = this.reader.pageLayout
    return hypCodes[(this.kernel.memory.u32(at + 4 * hypState.word) >>> hypState.shift) & hypState.mask]!
  }

  // ---- table of VMs -------------------------------------------------------------------------------------------------

  private slotStored(slot: number, old: bigint, value: bigint): void {
    // At once: what were its tables is about to be reused.
    const handle = this.slotHandles.get(slot)
    if (value === 0n && handle !== undefined) {
      this.slotHandles.delete(slot)
      this.forgetVm(handle)
    }
    this.slots.push({ slot, old, value, moment: this.now() })
  }

  // ---- stage-2 tables -----------------------------------------------------------------------------------------------

  private adoptTables(tables: TranslationTables, vm: number | null): void {
    const shift = levelShift(tables.startLevel)
    const entries = 2 ** (tables.inputBits - shift)
    for (let i = 0; i * 512 < entries; i++) {
      this.adopt(tables.root + i * PAGE, vm, tables.startLevel, i * 512 * 2 ** shift, tables.lpa2, Math.min(512, entries - i * 512))
    }
  }

  private adopt(table: number, vm: number | null, level: number, base: number, lpa2: boolean, entries = 512): void {
    const { memory } = this.kernel
    if (level > 3 || !memory.has(table, PAGE) || this.watched.has(table / PAGE)) return
    const it = { kind: 'table', vm, level, base, lpa2 } as const
    this.add(table, it)
    for (let i = 0; i < entries; i++) {
      const low = memory.u32(table + i * ENTRY)
      const high = memory.u32(table + i * ENTRY + 4)
      if (low !== 0 || high !== 0) this.entryIs(it, base + i * 2 ** levelShift(level), low, high)
    }
  }

  /** A table is no longer reachable from this entry. */
  private abandon(table: number, vm: number | null, level: number, base: number): void {
    const { memory } = this.kernel
    const it = this.watched.get(table / PAGE)
    if (it?.kind !== 'table' || it.vm !== vm || it.level !== level || it.base !== base) return
    this.remove(table / PAGE)
    for (let i = 0; i < 512; i++) {
      const low = memory.u32(table + i * ENTRY)
      const high = memory.u32(table + i * ENTRY + 4)
      if (low !== 0 || high !== 0) this.entryWas(it, base + i * 2 ** levelShift(level), low, high)
    }
  }

  private entryStored(it: Watched & { kind: 'table' }, at: number, old: bigint): void {
    const { memory } = this.kernel
    const low = memory.u32(at)
    const high = memory.u32(at + 4)
    const oldLow = Number(old & 0xffff_ffffn)
    const oldHigh = Number(old >> 32n)
    if (low === oldLow && high === oldHigh) return
    const input = it.base + ((at % PAGE) / ENTRY) * 2 ** levelShift(it.level)
    // Only the table's place matters to what lies below it.
    if (oldLow !== 0 || oldHigh !== 0) this.entryWas(it, input, oldLow, oldHigh)
    if (low !== 0 || high !== 0) this.entryIs(it, input, low, high)
    if (it.vm !== null && (low & 1) === 0 && this.reader.annotationFormat.decode(low, high).kind === 'poisoned') this.poisoned(it.vm, input / PAGE)
    if (descriptorKind(low, it.level, it.lpa2) !== 'table') this.lastLeaf = { vm: it.vm, input, level: it.level, low, high }
  }

  /** The entry was cleared before (break-before-make), so the page is found by where the VM had it. */
  private poisoned(handle: number, gfn: number): void {
    for (const change of this.pending.values()) {
      if (change.before.mappedBy.some((m) => m.handle === handle && m.gfn === gfn)) change.forced = true
    }
  }

  private entryIs(it: Watched & { kind: 'table' }, input: number, low: number, high: number): void {
    const kind = descriptorKind(low, it.level, it.lpa2)
    if (kind === 'table') {
      this.adopt(outputAddress(low, high, it.lpa2), it.vm, it.level + 1, input, it.lpa2)
    } else if (it.vm !== null) {
      if (kind !== 'invalid') this.forLeafPages(it, low, high, input, (page, gfn) => this.mapPage(page, it.vm!, gfn, this.softwareState(high)))
    } else if (kind === 'invalid') this.donation(it, input, low, high, true)
  }

  private entryWas(it: Watched & { kind: 'table' }, input: number, low: number, high: number): void {
    const kind = descriptorKind(low, it.level, it.lpa2)
    if (kind === 'table') this.abandon(outputAddress(low, high, it.lpa2), it.vm, it.level + 1, input)
    else if (it.vm !== null) {
      if (kind !== 'invalid') this.forLeafPages(it, low, high, input, (page, gfn) => this.unmapPage(page, it.vm!, gfn))
    } else if (kind === 'invalid') this.donation(it, input, low, high, false)
  }

  private forLeafPages(it: Watched & { kind: 'table' }, low: number, high: number, input: number, each: (page: number, gfn: number) => void): void {
    const { memory } = this.kernel
    const bytes = 2 ** levelShift(it.level)
    const output = outputAddress(low, high, it.lpa2)
    const base = output - (output % bytes)
    for (let at = 0; at < bytes; at += PAGE) if (memory.has(base + at, PAGE)) each((base + at - memory.base) / PAGE, (input + at) / PAGE)
  }

  private mapPage(page: number, handle: number, gfn: number, state: number): void {
    this.touch(page)
    this.setMaps(page, [...(this.mapped.get(page) ?? []), { handle, gfn, state }])
  }

  private unmapPage(page: number, handle: number, gfn: number): void {
    const maps = this.mapped.get(page)
    if (maps === undefined) return
    this.touch(page)
    this.setMaps(page, maps.filter((m) => m.handle !== handle || m.gfn !== gfn))
  }

  private setMaps(page: number, maps: (VmPage & { state: number })[]): void {
    if (maps.length === 0) this.mapped.delete(page)
    else this.mapped.set(page, maps)
  }

  /** An annotation of the host's tables that names a VM. */
  private donation(it: Watched & { kind: 'table' }, input: number, low: number, high: number, there: boolean): void {
    const note = this.reader.annotationFormat.decode(low, high)
    if (note.kind !== 'donated' || note.owner !== 'vm') return
    const { memory } = this.kernel
    const count = 2 ** (levelShift(it.level) - 12)
    for (let i = 0; i < count; i++) {
      if (!memory.has(input + i * PAGE, PAGE)) continue
      const page = (input - memory.base) / PAGE + i
      this.touch(page)
      if (there) this.donated.set(page, { handle: note.handle, gfn: note.gfn + i })
      else this.donated.delete(page)
    }
  }

  // ---- bookkeeping --------------------------------------------------------------------------------------------------

  /** Keep what a page was before its first change. */
  private touch(page: number): void {
    if (this.pending.has(page)) return
    const before = this.ownership(page)
    this.pending.set(page, { page, before, after: before, forced: false, moment: this.now() })
  }

  /** The 64-bit word at `at` before a store of `old.length` bytes to `physical`. */
  private oldWord(at: number, physical: number, old: Uint8Array): bigint {
    let value = 0n
    for (let i = 7; i >= 0; i--) {
      const k = at + i - physical
      value = (value << 8n) | BigInt(k >= 0 && k < old.length ? old[k]! : this.kernel.memory.ram[at + i - this.kernel.memory.base]!)
    }
    return value
  }

  private add(physical: number, it: Watched): void {
    const page = Math.floor(physical / PAGE)
    if (this.watched.has(page)) return
    this.watched.set(page, it)
    this.watcher.watch(page)
  }

  private remove(page: number): void {
    this.watched.delete(page)
    this.watcher.unwatch(page)
  }

  private plainHost(page: number): boolean {
    return this.host[page] === StateCode.owned && this.hyp[page] === StateCode.noPage && !this.mapped.has(page)
  }

  /** Does page b continue the run that starts at a? Pages of VMs are told one by one. */
  private sameRun(a: number, b: number): boolean {
    if (this.host[a] !== this.host[b] || this.hyp[a] !== this.hyp[b]) return false
    return !this.mapped.has(a) && !this.mapped.has(b) && !this.donated.has(a) && !this.donated.has(b)
  }
}

export function sameOwnership(a: PageOwnership, b: PageOwnership): boolean {
  return (
    a.host === b.host &&
    a.hyp === b.hyp &&
    a.donatedTo?.handle === b.donatedTo?.handle &&
    a.donatedTo?.gfn === b.donatedTo?.gfn &&
    a.mappedBy.length === b.mappedBy.length &&
    a.mappedBy.every((m) => b.mappedBy.some((n) => n.handle === m.handle && n.gfn === m.gfn && n.state === m.state))
  )
}

/** The page state in the software bits of a guest's leaf, as the lab's StateCode. */
function softwareState(kernel: KernelData): (high: number) => number {
  const read = attempt(() => {
    const { btf } = kernel
    const prot = btf.enumValues('kvm_pgtable_prot')
    const mask = (label: string) => Number((prot.get(label) ?? 0n) >> 32n)
    const states = btf.enumValues('pkvm_page_state')
    const value = (label: string) => Number(states.get(label) ?? -1n)
    return {
      bit0: mask('KVM_PGTABLE_PROT_SW0'),
      bit1: mask('KVM_PGTABLE_PROT_SW1'),
      codes: new Map([
        [value('PKVM_PAGE_OWNED'), StateCode.owned],
        [value('PKVM_PAGE_SHARED_OWNED'), StateCode.sharedOwned],
        [value('PKVM_PAGE_SHARED_BORROWED'), StateCode.sharedBorrowed],
      ] as [number, number][]),
    }
  })
  if (!read.known) return () => StateCode.unknown
  const { bit0, bit1, codes } = read.value
  return (high) => codes.get(((high & bit0) !== 0 ? 1 : 0) | ((high & bit1) !== 0 ? 2 : 0)) ?? StateCode.unknown
}
