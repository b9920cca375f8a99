import type { Block, CodePage } from './blocks.ts'
import type { Emitter } from './emit.ts'
import { FunctionWriter, Local } from './function-writer.ts'
import { type Jumps, Lowering } from './lower.ts'
import { Exit } from './runtime-module.ts'
import { Op } from './wasm-encoder.ts'

/**
 * Most blocks and instructions in one function. Measured on a kernel boot: 8, 20 and 48 blocks cost the same in the main
 * thread, but V8's optimising compiler works 15 % less on 20 than on 48; loops want them large.
 */
const MAX_REGION_BLOCKS = 24
const MAX_REGION_INSTRUCTIONS = 192

/** A block, or its beginning up to where another block of the region starts. */
interface Piece {
  readonly block: Block
  readonly offset: number
  readonly length: number
}

/**
 * The blocks to translate together with a hot one: what it was seen to reach within its page and mode, and the code
 * behind its calls, as long as tier 0 has run it often enough and it is not translated yet.
 */
export function collectRegion(start: Block, minimumCount: number): Block[] {
  const { page, mode } = start
  const blocks = page.blocks(mode)
  const found: Block[] = [start]
  const seen = new Set<Block>(found)
  let instructions = start.decoded.length
  const visit = (offset: number): void => {
    if (offset < 0 || offset > 4092 || found.length >= MAX_REGION_BLOCKS) return
    const b = blocks[offset >> 2]
    if (b === undefined || seen.has(b) || b.target !== 0 || b.count < minimumCount) return
    if (instructions + b.decoded.length > MAX_REGION_INSTRUCTIONS) return
    instructions += b.decoded.length
    seen.add(b)
    found.push(b)
  }
  for (let i = 0; i < found.length; i++) {
    const b = found[i]!
    visit(b.successor0)
    visit(b.successor1)
    visit(b.offset + 4 * b.decoded.length)
  }
  return found.sort((a, b) => a.offset - b.offset)
}

/**
 * Translate the blocks of a region into one function:
 *
 *     loop $dispatch
 *       block $B(n-1) ... block $B0
 *         br_table entry
 *       end  code of B0   ; forward jumps leave enclosing blocks
 *       end  code of B1   ; backward jumps set entry and continue $dispatch
 *       ...
 *
 * Each block begins: `budget -= n; if budget < 0: give n back, leave`. A block that jumps to itself gets its own loop.
 */
export class RegionCompiler implements Jumps {
  readonly out = new FunctionWriter()
  private readonly lowering: Lowering
  private pieces: Piece[] = []
  private labels: number[] = []
  private indexAt = new Map<number, number>()
  private current = 0
  private dispatchLabel = 0
  private selfLabel = -1

  constructor(private readonly emitter: Emitter) {
    this.lowering = new Lowering(emitter.ir, this.out)
  }

  /**
   * @param blocks of one page and mode, by ascending offset
   * @returns the blocks that got an entry, in order of entry; the function is in `out`
   */
  compile(page: CodePage, blocks: readonly Block[], mode: number): Block[] {
    this.pieces = split(blocks)
    // A block whose first instruction is tier 0's has nothing to run here.
    this.pieces = this.pieces.filter((p) => {
      p.block.startsInTier0 = this.emitter.record(p.block.decoded.slice(0, 1), p.offset, mode) === 0
      return !p.block.startsInTier0
    })
    const n = this.pieces.length
    if (n === 0 || page.dropped) return []
    this.indexAt = new Map(this.pieces.map((p, i) => [p.offset, i]))
    const { out } = this
    const c = out.code
    out.begin(this.loops())
    this.dispatchLabel = out.open(Op.loop)
    this.labels = new Array(n).fill(-1)
    if (n > 1) {
      for (let i = n - 1; i >= 0; i--) this.labels[i] = out.open(Op.block)
      c.local(Op.localGet, Local.entry)
      c.u8(Op.brTable)
      c.u32(n - 1)
      for (let i = 0; i < n; i++) c.u32(out.labelIndex(this.labels[i]!))
    }
    for (let i = 0; i < n; i++) {
      this.current = i
      if (n > 1) out.close()
      this.piece(this.pieces[i]!, mode)
    }
    out.close()
    out.finish()
    return this.pieces.map((p) => p.block)
  }

  /** Was a jump back within the region seen? */
  private loops(): boolean {
    const back = (p: Piece, to: number): boolean => to >= 0 && to <= p.offset && this.indexAt.has(to)
    return this.pieces.some((p) => back(p, p.block.successor0) || back(p, p.block.successor1))
  }

  private piece(p: Piece, mode: number): void {
    const { out } = this
    const c = out.code
    const count = this.emitter.record(p.block.decoded.slice(0, p.length), p.offset, mode)
    const own = p.block.successor0 === p.offset || p.block.successor1 === p.offset
    this.selfLabel = own ? out.open(Op.loop) : -1
    c.local(Op.localGet, Local.budget)
    c.i32Const(count)
    c.u8(Op.i32Sub)
    c.local(Op.localTee, Local.budget)
    c.i32Const(0)
    c.u8(Op.i32LtS)
    out.open(Op.if)
    out.bail(FunctionWriter.info(p.offset, count, Exit.budget))
    out.close()
    this.lowering.block(p.offset, count, this)
    if (own) out.close()
  }

  jump(offset: number): void {
    const { out, current } = this
    const j = this.indexAt.get(offset)
    if (j === undefined) out.leaveTo(offset)
    else if (j === current + 1) {
      // Next in the code. Inside the block's own loop falling out of it does the same.
    } else if (j > current) out.branch(Op.br, this.labels[j]!)
    else this.jumpBack(j)
  }

  private jumpBack(j: number): void {
    const { out } = this
    if (j === this.current && this.selfLabel >= 0) {
      out.branch(Op.br, this.selfLabel)
      return
    }
    if (this.pieces.length > 1) {
      out.code.i32Const(j)
      out.code.local(Op.localSet, Local.entry)
    }
    out.branch(Op.br, this.dispatchLabel)
  }

  jumpIf(offset: number, otherwise: number): void {
    const { out, current } = this
    const j = this.indexAt.get(offset)
    if (j !== undefined && j === current + 1) {
      // Taken goes on below: jump away when not taken.
      out.code.u8(Op.i32Eqz)
      this.conditionally(otherwise)
      return
    }
    this.conditionally(offset)
    this.jump(otherwise)
  }

  /** Condition on the stack: jump when it holds. */
  private conditionally(offset: number): void {
    const { out, current } = this
    const j = this.indexAt.get(offset)
    if (j !== undefined && j > current) {
      out.branch(Op.brIf, this.labels[j]!)
      return
    }
    if (j === current && this.selfLabel >= 0) {
      out.branch(Op.brIf, this.selfLabel)
      return
    }
    out.open(Op.if)
    if (j === undefined) out.leaveTo(offset)
    else this.jumpBack(j)
    out.close()
  }
}

/** Cut blocks where another one starts, so that no instruction is translated twice. */
function split(blocks: readonly Block[]): Piece[] {
  return blocks.map((block, i) => {
    const next = blocks[i + 1]
    const room = next === undefined ? block.decoded.length : (next.offset - block.offset) >> 2
    return { block, offset: block.offset, length: Math.min(block.decoded.length, room) }
  })
}
