import { Off, RAM_BASE } from '../../cpu/state.ts'
import { ExecutionEngine } from '../engine.ts'
import { Evaluator } from '../evaluate.ts'
import { FlatMachine, linearBytes } from './flat-machine.ts'
import { IMAGE_BASE, type Layout, word } from './program.ts'

/** Instructions a run may retire: the words under test and a few rounds of the loop after them. */
const BUDGET = 24

/** A flat machine that runs sequences through the execution engine, everything being hot at once. */
export class TranslatedMachine extends FlatMachine {
  private readonly engine: ExecutionEngine
  private readonly layout: Layout

  constructor(image: Uint8Array, layout: Layout) {
    const memory = new WebAssembly.Memory({ initial: linearBytes(image) / 65536 })
    super(image, (cpu) => new Evaluator(cpu), memory.buffer as ArrayBuffer)
    this.layout = layout
    this.engine = new ExecutionEngine(this, memory, { tier1: true, hotThreshold: 1 })
    // After each sequence a branch to itself, in which the rest of the budget is spent.
    const loop = word('B', { imm26: 0 })
    for (let i = 0; i < layout.count; i++) this.state.u32[(RAM_BASE + layout.testEnd(i) - IMAGE_BASE) >> 2] = loop
  }

  get blocksTranslated(): number {
    return this.engine.statistics().blocksTranslated
  }
  /** Instructions that tier 0 executed so far. */
  get evaluated(): number {
    return this.engine.statistics().evaluated ?? 0
  }

  /** Run sequence `i` from the loaded registers. @throws Error when it does not reach its end. */
  runTranslated(i: number): void {
    const { state, layout } = this
    state.pc = BigInt(layout.test(i))
    state.i32[Off.budget >> 2] = BUDGET
    this.engine.run()
    if (state.pc !== BigInt(layout.testEnd(i))) throw new Error(`stopped at 0x${state.pc.toString(16)}`)
  }
}
