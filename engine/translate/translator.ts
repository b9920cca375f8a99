import type { Block } from './blocks.ts'
import type { Dispatcher } from './dispatch.ts'
import { Emitter } from './emit.ts'
import { HelperIds } from './helper-ids.ts'
import { collectRegion, RegionCompiler } from './region.ts'
import { ByteWriter, type FunctionBody } from './wasm-encoder.ts'

/** Tier-0 runs of waiting blocks that cost as much as a module does. */
const PATIENCE = 200
/** Function type of a region in `TYPES`. */
const REGION_TYPE = 0

/** Collects hot blocks and turns them, a batch at a time, into translated functions. */
export class Translator {
  readonly helpers = new HelperIds()
  private readonly compiler = new RegionCompiler(new Emitter(this.helpers))
  private readonly waiting: Block[] = []
  /** Code of the batch's functions, reused from batch to batch. */
  private readonly code: ByteWriter[] = []
  private readonly minimumCount: number
  blocksTranslated = 0
  regions = 0
  modules = 0
  wasmBytes = 0
  /** A batch is ready, or a waiting block cannot wait longer. */
  due = false
  private waited = 0

  /** @param batch regions per module */
  constructor(
    hotThreshold: number,
    private readonly batch: number,
  ) {
    this.minimumCount = Math.max(1, hotThreshold >> 2)
  }

  /** A block became hot. */
  request(block: Block): void {
    block.settled = true
    block.waiting = true
    this.waiting.push(block)
    if (this.waiting.length >= this.batch) this.due = true
  }

  /**
   * A waiting block ran in tier 0 again. A module has a fixed cost, worth about PATIENCE such runs: when they have been
   * paid for in waiting, waiting longer for a fuller batch cannot gain any more.
   */
  ranWaiting(): void {
    if (++this.waited >= PATIENCE) this.due = true
  }

  translate(dispatcher: Dispatcher): void {
    this.due = false
    this.waited = 0
    const bodies: FunctionBody[] = []
    const entries: Block[][] = []
    for (const start of this.waiting) {
      start.waiting = false
      if (start.target !== 0 || start.page.dropped) continue
      const region = collectRegion(start, this.minimumCount)
      const done = this.compiler.compile(start.page, region, start.mode)
      for (const b of region) b.settled = true
      if (done.length === 0) continue
      const code = (this.code[bodies.length] ??= new ByteWriter())
      code.clear()
      this.compiler.out.appendTo(code)
      bodies.push({ type: REGION_TYPE, name: `r${bodies.length}`, locals: this.compiler.out.locals.slice(), code })
      entries.push(done)
      this.wasmBytes += code.length
      // Reserved, so that later regions of this batch do not take them too.
      for (const b of done) b.target = -1
    }
    this.waiting.length = 0
    if (bodies.length === 0) return
    const slots = dispatcher.install(bodies)
    this.modules++
    this.regions += bodies.length
    entries.forEach((blocks, r) => {
      const slot = slots[r]!
      blocks[0]!.page.tableSlots.push(slot)
      blocks.forEach((b, i) => {
        b.target = (slot << 8) | i
      })
      this.blocksTranslated += blocks.length
    })
  }
}
