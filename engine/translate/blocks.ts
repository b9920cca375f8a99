import type { Decoded, Decoder } from '../isa/decode.ts'
import { type Row, row } from '../isa/row.ts'
import type { CpuState } from '../cpu/state.ts'

/** Longest block in instructions. */
export const MAX_BLOCK = 32
const PAGE_WORDS = 1024

/** Stands for a word that no row matches: executing it is UNDEFINED. */
const UNALLOCATED: Row = row({
  name: 'UNALLOCATED',
  pattern: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  syntax: 'unallocated',
  ends: true,
  meaning: (t) => t.event('undefined', 0),
})

/** A straight run of instructions within one page, for one translation mode. */
export class Block {
  /** How often tier 0 ran it. */
  count = 0
  /** Where it was seen to go within its page, as byte offsets; -1 = not seen. */
  successor0 = -1
  successor1 = -1
  /** What the jump cache holds for it: table index << 8 | entry; 0 = not translated. */
  target = 0
  /** Translation was asked for: it waits, is translated, or was found not worth it. */
  settled = false
  /** In the queue for translation. */
  waiting = false
  /** Its first instruction is tier 0's: only what follows can be translated, as a block of its own. */
  startsInTier0 = false

  constructor(
    readonly page: CodePage,
    /** Byte offset of the first instruction in the page. */
    readonly offset: number,
    readonly mode: number,
    readonly decoded: readonly Decoded[],
  ) {}

  noteSuccessor(offset: number): void {
    if (offset === this.successor0 || offset === this.successor1) return
    if (this.successor0 < 0) this.successor0 = offset
    else if (this.successor1 < 0) this.successor1 = offset
  }
}

/** What is known of one physical page of code: its decoded words and the blocks made of them. */
export class CodePage {
  readonly decoded: (Decoded | undefined)[] = new Array(PAGE_WORDS)
  /** Blocks by word index, for each mode seen. */
  private readonly byMode = new Map<number, (Block | undefined)[]>()
  private lastMode = -1
  private lastBlocks: (Block | undefined)[] = []
  /** Value of the cache's epoch when the words were last compared with memory. */
  epoch: number
  /** Table slots of its translated functions. */
  readonly tableSlots: number[] = []
  /** Word indices between which there are decoded words. */
  private from = PAGE_WORDS
  private to = 0
  /** Dropped: its blocks must not be used or translated any more. */
  dropped = false

  constructor(
    /** Physical page number. */
    readonly number: number,
    /** Linear-memory address of the page. */
    readonly linear: number,
    epoch: number,
  ) {
    this.epoch = epoch
  }

  blocks(mode: number): (Block | undefined)[] {
    if (mode === this.lastMode) return this.lastBlocks
    let blocks = this.byMode.get(mode)
    if (blocks === undefined) {
      blocks = new Array(PAGE_WORDS)
      this.byMode.set(mode, blocks)
    }
    this.lastMode = mode
    this.lastBlocks = blocks
    return blocks
  }

  instruction(index: number, state: CpuState, decoder: Decoder): Decoded {
    const known = this.decoded[index]
    if (known !== undefined) return known
    if (index < this.from) this.from = index
    if (index >= this.to) this.to = index + 1
    const d = decode(state.u32[(this.linear >>> 2) + index]!, decoder)
    this.decoded[index] = d
    return d
  }

  /** Do the decoded words from index `from` up to `to` still agree with memory? */
  agrees(u32: Uint32Array, from: number, to: number): boolean {
    const end = Math.min(to, this.to)
    for (let i = Math.max(from, this.from); i < end; i++) {
      const d = this.decoded[i]
      if (d !== undefined && d.word !== u32[(this.linear >>> 2) + i]) return false
    }
    return true
  }
}

function decode(word: number, decoder: Decoder): Decoded {
  return decoder.decode(word) ?? { word, row: UNALLOCATED, fields: {} }
}

/** All code pages, by physical page number. Keeps stale words out as `IC` instructions ask (engine/README.md). */
export class CodePages {
  /** By linear page number: the same order as physical ones, without a hash. */
  private readonly pages: (CodePage | undefined)[] = []
  /** Linear minus physical page number, the same for all of RAM. */
  private linearOffset = 0
  private epoch = 0
  private readonly watched = new Map<number, () => void>()
  /** By physical address: what stands for the decoded instruction there. */
  private readonly replaced = new Map<number, (d: Decoded) => Decoded>()

  constructor(
    private readonly state: CpuState,
    private readonly decoder: Decoder,
    /** A page was dropped: forget everything that points into it. */
    private readonly onDrop: (page: CodePage) => void,
  ) {}

  /** The page with a physical page number, checked against memory if the epoch changed. */
  page(number: number, linear: number): CodePage {
    const at = linear >>> 12
    let p = this.pages[at]
    if (p !== undefined && p.epoch !== this.epoch) {
      if (p.agrees(this.state.u32, 0, PAGE_WORDS)) p.epoch = this.epoch
      else {
        this.drop(p)
        p = undefined
      }
    }
    if (p === undefined) {
      p = new CodePage(number, linear, this.epoch)
      this.linearOffset = at - number
      while (this.pages.length < at) this.pages.push(undefined)
      this.pages[at] = p
      if (this.replaced.size > 0) this.replaceIn(p)
    }
    return p
  }

  instruction(page: CodePage, offset: number): Decoded {
    return page.instruction(offset >> 2, this.state, this.decoder)
  }

  /** The block that starts at a byte offset of the page, decoded on first use. */
  block(page: CodePage, offset: number, mode: number): Block {
    const blocks = page.blocks(mode)
    const at = offset >> 2
    return (blocks[at] ??= this.make(page, offset, mode))
  }

  private make(page: CodePage, offset: number, mode: number): Block {
    const decoded: Decoded[] = []
    for (let i = offset >> 2; i < PAGE_WORDS && decoded.length < MAX_BLOCK; i++) {
      const d = page.instruction(i, this.state, this.decoder)
      decoded.push(d)
      if (d.row.ends === true) break
    }
    if (this.watched.size > 0) this.reportWatched(page.number * 4096 + offset, decoded.length)
    return new Block(page, offset, mode, decoded)
  }

  /** Call back once, when a block that holds this physical address is first decoded. */
  watch(physical: number, callback: () => void): void {
    this.watched.set(physical, callback)
    // What was decoded already would not be seen again.
    const p = this.pages[Math.floor(physical / 4096) + this.linearOffset]
    if (p !== undefined) this.drop(p)
  }

  private reportWatched(physical: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const callback = this.watched.get(physical + 4 * i)
      if (callback === undefined) continue
      this.watched.delete(physical + 4 * i)
      callback()
    }
  }

  /**
   * Let something else stand for the decoded instruction at a physical address, from the next instruction on, whatever
   * word is there now or later; undefined ends that.
   */
  replace(physical: number, replacement: ((d: Decoded) => Decoded) | undefined): void {
    if (replacement === undefined) this.replaced.delete(physical)
    else this.replaced.set(physical, replacement)
    const p = this.pages[Math.floor(physical / 4096) + this.linearOffset]
    if (p !== undefined) this.drop(p)
  }

  private replaceIn(p: CodePage): void {
    for (const [physical, replacement] of this.replaced) {
      if (Math.floor(physical / 4096) !== p.number) continue
      const index = (physical % 4096) >> 2
      p.decoded[index] = replacement(p.instruction(index, this.state, this.decoder))
    }
  }

  invalidateLine(physical: number): void {
    const p = this.pages[Math.floor(physical / 4096) + this.linearOffset]
    if (p === undefined) return
    const first = (physical % 4096) >> 2
    if (!p.agrees(this.state.u32, first & ~15, (first & ~15) + 16)) this.drop(p)
  }

  invalidateAll(): void {
    this.epoch++
  }

  private drop(p: CodePage): void {
    this.pages[p.linear >>> 12] = undefined
    p.dropped = true
    this.onDrop(p)
  }
}
