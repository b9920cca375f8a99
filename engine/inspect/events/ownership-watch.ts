import { RAM_BASE } from '../../cpu/state.ts'
import { type GuestLeaf, type GuestPage, leafState } from '../guest-leaves.ts'
import { StateCode } from '../hyp-page.ts'
import type { KernelData } from '../kernel-data.ts'
import { OwnershipReader, type PageStates } from '../ownership.ts'
import { readVmTable, type VmView } from '../vm-table.ts'
import type { PageOwnership } from './log-event.ts'
import { type LeafWrite, type PageWatcher, TableFollower, type TableSink } from './table-follower.ts'

const PAGE = 4096
const ENTRY = 8
const NO_PAGES: readonly never[] = []

/** What a watched page holds; pages with tables are the follower's. */
type Watched = { readonly kind: 'records'; readonly firstPage: number } | { readonly kind: 'vm-table' }

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

/**
 * Ownership of every page, kept up to date from the stores to pKVM's page records, its table of VMs and the stage-2
 * tables. Changes collect until they are taken, so that a page that is changed in several places, or changed and
 * changed back, during one stay at EL2 is told once.
 */
export class OwnershipWatch<Moment> implements TableSink {
  private readonly reader: OwnershipReader
  private readonly tables: TableFollower
  private readonly watched = new Map<number, Watched>()
  private readonly host: Uint8Array
  private readonly hyp: Uint8Array
  /** By page index. */
  private readonly donations = new Map<number, GuestPage>()
  private readonly maps = new Map<number, GuestLeaf[]>()
  private readonly pending = new Map<number, PageChange<Moment>>()
  private slots: SlotChange<Moment>[] = []
  private readonly slotHandles = new Map<number, number>()
  private readonly leafState: (high: number) => number

  /**
   * @param now called at the first store to a page.
   * @throws UnknownError, UnknownType when this kernel keeps ownership in a way this lab does not know.
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
    this.leafState = leafState(kernel.btf, this.reader.pageLayout)
    this.tables = new TableFollower(kernel.memory, this.reader.annotationFormat, watcher, this)
  }

  /** The pair of every page, as it is kept up to date; not a copy. */
  get states(): PageStates {
    return { host: this.host, hyp: this.hyp }
  }

  /** The last leaf written since the changes were taken: what an abort was answered with. */
  get lastLeaf(): LeafWrite | null {
    return this.tables.lastLeaf
  }

  /** Read everything as it is now and begin to watch. @throws UnknownError before pKVM has made its tables. */
  attach(): void {
    const { kernel, reader } = this
    const { memory } = kernel
    const { bytes } = reader.pageLayout
    const states = reader.states()
    this.host.set(states.host)
    this.hyp.set(states.hyp)
    const tables = kernel.hypTables()
    for (const block of reader.trackedMemory()) {
      const end = Math.min(block.base + block.size, memory.end) / PAGE
      for (let page = Math.max(block.base, memory.base) / PAGE; page < end; ) {
        const record = reader.recordAddress(page, tables)
        const inPage = (record % PAGE) / bytes
        const firstPage = page - inPage - memory.base / PAGE
        this.watched.set(Math.floor(record / PAGE), { kind: 'records', firstPage })
        page += PAGE / bytes - inPage
      }
    }
    const table = memory.u64(kernel.hypAddress('vm_table'))
    this.watched.set(Math.floor(kernel.hypPhysical(table) / PAGE), { kind: 'vm-table' })
    this.watcher.watch(...this.watched.keys())
    this.tables.follow(reader.hostTables(), null)
    for (const vm of readVmTable(kernel)) if (vm.address !== null) this.adoptVm(vm)
    this.pending.clear()
    this.slots = []
    this.tables.lastLeaf = null
  }

  /** Stop watching everything. */
  detach(): void {
    this.tables.detach()
    for (const page of this.watched.keys()) this.watcher.unwatch(page)
    this.watched.clear()
  }

  /** Everything known of every page, for `restore`. */
  save() {
    return {
      tables: this.tables.save(),
      watched: [...this.watched],
      host: this.host.slice(),
      hyp: this.hyp.slice(),
      donations: [...this.donations],
      maps: [...this.maps],
      pending: [...this.pending].map(([page, change]) => [page, { ...change }] as const),
      slots: [...this.slots],
      slotHandles: [...this.slotHandles],
    }
  }

  /** Back to what was known then; memory is already as it was. */
  restore(saved: ReturnType<OwnershipWatch<Moment>['save']>): void {
    this.detach()
    this.tables.restore(saved.tables)
    for (const [page, it] of saved.watched) this.watched.set(page, it)
    this.watcher.watch(...this.watched.keys())
    this.host.set(saved.host)
    this.hyp.set(saved.hyp)
    refill(this.donations, saved.donations)
    refill(this.maps, saved.maps)
    refill(this.pending, saved.pending.map(([page, change]) => [page, { ...change }] as const))
    this.slots = [...saved.slots]
    refill(this.slotHandles, saved.slotHandles)
  }

  /** Runs of pages of equal ownership that are not simply the host's, in order. */
  *runs(): Generator<{ readonly page: number; readonly pages: number; readonly ownership: PageOwnership }> {
    const { host, hyp } = this
    const pages = host.length
    const someOfVms = this.maps.size > 0 || this.donations.size > 0
    for (let start = 0, end = 0; start < pages; start = end) {
      const [ofHost, ofHyp] = [host[start], hyp[start]]
      end = start + 1
      // Mostly there are no VMs yet, and this is asked of every page: plain numbers, as far as they go.
      if (someOfVms) while (end < pages && this.sameRun(start, end)) end++
      else while (end < pages && host[end] === ofHost && hyp[end] === ofHyp) end++
      if (ofHost !== StateCode.unknown && !this.plainHost(start)) {
        yield { page: start, pages: end - start, ownership: this.ownership(start) }
      }
    }
  }

  /** @param page index from the start of RAM. */
  ownership(page: number): PageOwnership {
    const maps = this.maps.get(page)
    return {
      host: this.host[page] ?? StateCode.unknown,
      hyp: this.hyp[page] ?? StateCode.unknown,
      donatedTo: this.donations.get(page) ?? null,
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
    const page = Math.floor(physical / PAGE)
    const it = this.watched.get(page)
    if (it?.kind === 'records') {
      this.recordsStored(it.firstPage, physical, old.length)
      return true
    }
    if (it === undefined && !this.tables.has(page)) return false
    // Entries are 64-bit words; a store may cover several or a part of one.
    for (let at = physical - (physical % ENTRY); at < physical + old.length; at += ENTRY) {
      const before = this.kernel.memory.u64Before(at, physical, old)
      if (it === undefined) this.tables.stored(at, before)
      else this.slotStored((at % PAGE) / ENTRY, before, this.kernel.memory.u64(at))
    }
    return true
  }

  /** Pages whose ownership is not what it was when this was last called, in the order of their first stores. */
  takeChanges(): PageChange<Moment>[] {
    this.tables.lastLeaf = null
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
    if (vm.stage2.known) this.tables.follow(vm.stage2.value, vm.handle)
  }

  /** The VM is gone: its tables are ordinary memory again. */
  private forgetVm(handle: number): void {
    this.tables.forget(handle)
    for (const [page, maps] of [...this.maps]) {
      if (maps.some((m) => m.handle === handle)) {
        this.touch(page)
        this.setMaps(
          page,
          maps.filter((m) => m.handle !== handle),
        )
      }
    }
  }

  /** The physical page (index from the start of RAM) that a VM maps at a gfn, as far as the log has seen. */
  pageOfGfn(handle: number, gfn: number): number | undefined {
    for (const [page, maps] of this.maps) if (maps.some((m) => m.handle === handle && m.gfn === gfn)) return page
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
    if (value === old) return
    // At once: what were its tables is about to be reused.
    const handle = this.slotHandles.get(slot)
    if (value === 0n && handle !== undefined) {
      this.slotHandles.delete(slot)
      this.forgetVm(handle)
    }
    this.slots.push({ slot, old, value, moment: this.now() })
  }

  // ---- what the stage-2 tables say (TableSink) ----------------------------------------------------------------------

  mapped(page: number, handle: number, gfn: number, high: number): void {
    this.touch(page)
    this.setMaps(page, [...(this.maps.get(page) ?? []), { handle, gfn, state: this.leafState(high) }])
  }

  unmapped(page: number, handle: number, gfn: number): void {
    const maps = this.maps.get(page)
    if (maps === undefined) return
    this.touch(page)
    const others = maps.filter((m) => m.handle !== handle || m.gfn !== gfn)
    this.setMaps(page, others)
  }

  donated(page: number, to: GuestPage | null): void {
    this.touch(page)
    if (to === null) this.donations.delete(page)
    else this.donations.set(page, to)
  }

  /** The entry was cleared before (break-before-make), so the page is found by where the VM had it. */
  poisoned(handle: number, gfn: number): void {
    for (const change of this.pending.values()) {
      if (change.before.mappedBy.some((m) => m.handle === handle && m.gfn === gfn)) change.forced = true
    }
  }

  private setMaps(page: number, maps: GuestLeaf[]): void {
    if (maps.length === 0) this.maps.delete(page)
    else this.maps.set(page, maps)
  }

  // ---- bookkeeping --------------------------------------------------------------------------------------------------

  /** Keep what a page was before its first change. */
  private touch(page: number): void {
    if (this.pending.has(page)) return
    const before = this.ownership(page)
    this.pending.set(page, { page, before, after: before, forced: false, moment: this.now() })
  }

  private plainHost(page: number): boolean {
    return this.host[page] === StateCode.owned && this.hyp[page] === StateCode.noPage && !this.maps.has(page)
  }

  /** Does page b continue the run that starts at a? Pages of VMs are told one by one. */
  private sameRun(a: number, b: number): boolean {
    if (this.host[a] !== this.host[b] || this.hyp[a] !== this.hyp[b]) return false
    return !this.maps.has(a) && !this.maps.has(b) && !this.donations.has(a) && !this.donations.has(b)
  }
}

function refill<K, V>(map: Map<K, V>, entries: Iterable<readonly [K, V]>): void {
  map.clear()
  for (const [key, value] of entries) map.set(key, value)
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
