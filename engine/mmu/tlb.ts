import { type CpuState, TLB_BASE, TLB_ENTRIES, TLB_ENTRY_BYTES } from '../cpu/state.ts'

const WORD_BASE = TLB_BASE >> 2
const ENTRY_WORDS = TLB_ENTRY_BYTES >> 2
const INDEX_MASK = TLB_ENTRIES - 1
/** Beyond this many remembered 2 MB ranges it is cheaper to start over. */
const MAX_BLOCK_RANGES = 4096

/**
 * The TLB in linear memory, laid out as engine/README.md says. It holds 4 KB pieces only; a translation that comes
 * from a larger block leaves its pieces one by one, and its 2 MB ranges are remembered so that invalidating one
 * address of the block finds all of them.
 */
export class Tlb {
  private readonly u32: Uint32Array
  /** VA[55:21] of ranges that hold pieces of blocks. */
  private readonly blockRanges = new Set<number>()
  /** VA[55:12] of pages that instructions were fetched from since the last clear. */
  private readonly fetched = new Set<number>()
  /** A block of 1 GB or more was cached: invalidation by address clears everything. */
  private huge = false
  /** Counts invalidations, so that what is cached beside the table can be told to be out of date. */
  generation = 0

  constructor(state: CpuState) {
    this.u32 = state.u32
  }

  /**
   * Install one page. `linear` is the address in linear memory of the page's first byte.
   *
   * The fetch tag is set only on pages that a fetch has asked for, now or before, because a hit on it is not seen here
   * and invalidation must know which pages the jump cache may hold.
   * @param fetch permission to execute.
   * @param fetching the access that missed is an instruction fetch.
   * @param blockShift log2 of the size of the translation this page is a piece of: 12, 21, 30 or more.
   */
  fill(
    vaLow: number,
    vaHigh: number,
    context: number,
    linear: number,
    physicalPage: number,
    read: boolean,
    write: boolean,
    fetch: boolean,
    fetching: boolean,
    blockShift: number,
  ): void {
    const u32 = this.u32
    let runs = false
    if (fetch) {
      const page = pageOf(vaLow, vaHigh)
      runs = fetching || this.fetched.has(page)
      if (fetching) this.fetched.add(page)
    }
    const w = WORD_BASE + ((vaLow >>> 12) & INDEX_MASK) * ENTRY_WORDS
    const tag = (vaLow & 0xfffff000) | context
    const high = vaHigh
    u32[w] = read ? tag : 0
    u32[w + 1] = read ? high : 0
    u32[w + 2] = write ? tag : 0
    u32[w + 3] = write ? high : 0
    u32[w + 4] = runs ? tag : 0
    u32[w + 5] = runs ? high : 0
    u32[w + 6] = (linear - (vaLow & 0xfffff000)) | 0
    u32[w + 7] = physicalPage
    if (blockShift > 12) {
      if (blockShift >= 30) this.huge = true
      else {
        if (this.blockRanges.size >= MAX_BLOCK_RANGES) this.huge = true
        else this.blockRanges.add(rangeOf(vaLow, vaHigh))
      }
    }
  }

  /**
   * Look for an entry whose tag of `access` (0 read, 1 write, 2 fetch) hits.
   * @returns its index into a u32 view of the linear memory, or -1.
   */
  probe(vaLow: number, vaHigh: number, context: number, access: number): number {
    const w = WORD_BASE + ((vaLow >>> 12) & INDEX_MASK) * ENTRY_WORDS
    const t = w + access * 2
    return this.u32[t] === ((vaLow & 0xfffff000) | context) >>> 0 && this.u32[t + 1] === vaHigh ? w : -1
  }

  /**
   * Drop what may translate the page of this address, in every context (dropping too much is allowed).
   * Address bits 63:56 are ignored.
   * @returns whether instructions may have been fetched through what was dropped.
   */
  invalidateAddress(vaLow: number, vaHigh: number): boolean {
    this.generation++
    if (this.huge) {
      this.clear()
      return true
    }
    if (this.blockRanges.size !== 0 && this.blockRanges.delete(rangeOf(vaLow, vaHigh))) {
      const first = (vaLow >>> 12) & INDEX_MASK & ~511
      for (let i = 0; i < 512; i++) this.dropIfSame(first + i, vaLow, vaHigh, 0xffe00000)
      return true
    }
    this.dropIfSame((vaLow >>> 12) & INDEX_MASK, vaLow, vaHigh, 0xfffff000)
    // No entry for this page is left in any context: the next fetch will be seen again.
    return this.fetched.size !== 0 && this.fetched.delete(pageOf(vaLow, vaHigh))
  }

  private dropIfSame(index: number, vaLow: number, vaHigh: number, mask: number): void {
    const u32 = this.u32
    const w = WORD_BASE + index * ENTRY_WORDS
    for (let t = w; t < w + 6; t += 2) {
      if ((((u32[t]! ^ vaLow) & mask) | ((u32[t + 1]! ^ vaHigh) & 0x00ffffff)) === 0) {
        u32[t] = 0
        u32[t + 1] = 0
      }
    }
  }

  /** Take the write tag from every entry of these physical pages, which have come under watch. */
  dropWriters(physicalPages: ReadonlySet<number>): void {
    const u32 = this.u32
    for (let w = WORD_BASE; w < WORD_BASE + TLB_ENTRIES * ENTRY_WORDS; w += ENTRY_WORDS) {
      if ((u32[w + 2]! | u32[w + 3]!) !== 0 && physicalPages.has(u32[w + 7]!)) {
        u32[w + 2] = 0
        u32[w + 3] = 0
      }
    }
  }

  /** Visit every entry that has a tag: its physical page, the context of the tag, and what it allows. */
  forEachEntry(visit: (physicalPage: number, context: number, read: boolean, write: boolean) => void): void {
    const u32 = this.u32
    for (let w = WORD_BASE; w < WORD_BASE + TLB_ENTRIES * ENTRY_WORDS; w += ENTRY_WORDS) {
      const tag = (u32[w]! | u32[w + 2]! | u32[w + 4]!) & 0xfff
      if (tag !== 0) visit(u32[w + 7]!, tag, u32[w]! !== 0, u32[w + 2]! !== 0)
    }
  }

  clear(): void {
    this.generation++
    this.u32.fill(0, WORD_BASE, WORD_BASE + TLB_ENTRIES * ENTRY_WORDS)
    this.blockRanges.clear()
    this.fetched.clear()
    this.huge = false
  }
}

function pageOf(vaLow: number, vaHigh: number): number {
  return (vaHigh & 0x00ffffff) * 0x100000 + (vaLow >>> 12)
}

function rangeOf(vaLow: number, vaHigh: number): number {
  return (vaHigh & 0x00ffffff) * 0x800 + (vaLow >>> 21)
}
