import { EC } from '../cpu/syndrome.ts'
import { GuestException, Target } from '../cpu/exception.ts'
import { Access, type AccessKind, type CodeCachePort, type CpuPort } from '../cpu/port.ts'
import { type CpuState, ModeBit, Off, TLB_BASE, TLB_ENTRIES } from '../cpu/state.ts'
import type { Decoded } from '../isa/decode.ts'
import { type Block, type CodePage, CodePages } from './blocks.ts'
import { Dispatcher } from './dispatch.ts'
import { Evaluator } from './evaluate.ts'
import { intercepted, type Interceptor } from './interception.ts'
import { Exit } from './runtime-module.ts'
import { Translator } from './translator.ts'

const PC = Off.pc >> 2
const BUDGET = Off.budget >> 2
const IRQ_PENDING = Off.irqPending >> 2
const CODE_KEY = Off.codeKey >> 2
const CONTEXT = Off.context >> 2
const EPOCH = Off.lookupEpoch >> 2
const MISS_ADDRESS = Off.missAddress >> 2
const LOOKUPS = 16384
/** The fixed cost of a module is shared, yet hot code does not wait long. */
const DEFAULT_BATCH = 128

/** The CPU as the engine sees it: besides CpuPort, what a full CPU has for waiting and for debug modes. */
export interface EngineCpu extends CpuPort {
  /** WFI found nothing to wake it: the run loop gets control. */
  readonly waiting?: boolean
  /** In ModeBit.tier0Only, around each instruction. */
  checkBeforeInstruction?(): void
  afterInstruction?(): void
}

export interface EngineOptions {
  /** Translate hot code to WebAssembly. Without it everything runs in tier 0; the guest cannot tell. */
  readonly tier1: boolean
  /** Tier-0 runs after which a block is translated. */
  readonly hotThreshold?: number
  /** Instructions that tier 0 evaluates before anything is translated: what ends sooner never repays a module. Default 0. */
  readonly patience?: number
  /** Regions translated as one module. */
  readonly batch?: number
}

/**
 * A vector that cannot be fetched raises exceptions for ever and retires nothing. After so many in a row each takes the
 * time of so many instructions: the guest's clock goes on, slices and limits end, and nothing else is any different.
 */
const FRUITLESS = 1000
const FRUITLESS_COST = 10_000

/**
 * Executes guest code: tier 0 block by block, translated functions for what is hot, and keeps both honest about stale
 * code. All policy depends on counts only, never on time.
 */
export class ExecutionEngine implements CodeCachePort {
  private readonly state: CpuState
  private readonly evaluator: Evaluator
  private readonly pages: CodePages
  private readonly dispatcher: Dispatcher
  private readonly translator: Translator | undefined
  private readonly hotThreshold: number
  private readonly patience: number
  private stopping = false
  /** Exceptions in a row with one instruction at most between them; what they have still to pay; whether something retired since. */
  private fruitless = 0
  private owed = 0
  private retired = true
  /** Changes whenever blocks may have been dropped or lookups forgotten. */
  private generation = 0

  /** Direct-mapped by pc: blocks found lately, valid under `lookupKey`. */
  private readonly lookupLow = new Int32Array(LOOKUPS)
  private readonly lookupHigh = new Int32Array(LOOKUPS)
  private readonly lookupKey = new Int32Array(LOOKUPS).fill(-1)
  private readonly lookupBlock: (Block | undefined)[] = new Array(LOOKUPS)

  private evaluated = 0
  private steps = 0
  private misses = 0
  private blocksDecoded = 0
  private blocksEvaluated = 0
  private lookups = 0
  private fetches = 0
  private forgets = 0
  private budgetExits = 0

  constructor(private readonly cpu: EngineCpu, memory: WebAssembly.Memory, options: EngineOptions) {
    this.state = cpu.state
    this.evaluator = new Evaluator(cpu)
    this.hotThreshold = options.hotThreshold ?? 8
    this.patience = options.patience ?? 0
    this.pages = new CodePages(cpu.state, cpu.decoder, (page) => this.dropped(page))
    this.translator = options.tier1 ? new Translator(this.hotThreshold, options.batch ?? DEFAULT_BATCH) : undefined
    this.dispatcher = new Dispatcher(cpu.state, memory, {
      miss: (code) => this.miss(code),
      fp: (id) => this.translator?.helpers.runFp(this.state, id),
      crypto: (id) => this.translator?.helpers.runCrypto(this.state, id),
    })
  }

  /** Run until the budget is spent, `stop` was called or the CPU waits. */
  run(): void {
    const { i32 } = this.state
    const { cpu } = this
    this.stopping = false
    let before = this.retired ? Number.NaN : i32[BUDGET]!
    while (i32[BUDGET]! > 0 && !this.stopping && cpu.waiting !== true) {
      if (this.owed > 0) {
        const paid = Math.min(this.owed, i32[BUDGET]!)
        this.owed -= paid
        i32[BUDGET]! -= paid
        before = i32[BUDGET]!
        continue
      }
      try {
        if (i32[IRQ_PENDING] !== 0) cpu.takeInterrupt()
        this.advance()
      } catch (e) {
        cpu.takeException(e)
        // A fetch that faults has cost one instruction, and so has one that is undefined.
        this.fruitless = before - i32[BUDGET]! <= 1 ? this.fruitless + 1 : 0
        before = i32[BUDGET]!
        if (this.fruitless >= FRUITLESS) this.owed = FRUITLESS_COST
      }
    }
    this.retired = i32[BUDGET] !== before
  }

  /** Make `run` return after the current instruction. */
  stop(): void {
    this.stopping = true
  }

  /** Call back once, when code at this physical address is first about to run. */
  onFirstExecution(physical: number, callback: () => void): void {
    this.pages.watch(physical, callback)
  }

  /**
   * Ask `interceptor` each time the instruction at this physical address is about to execute; undefined ends that. May be
   * called between slices or from an interceptor. The guest's run is the same in both tiers; code elsewhere loses no speed.
   */
  interceptAt(physical: number, interceptor: Interceptor | undefined): void {
    this.pages.replace(physical, interceptor && ((d) => intercepted(d, this.evaluator, interceptor)))
  }

  statistics(): { blocksTranslated: number } & Record<string, number> {
    return {
      blocksTranslated: this.translator?.blocksTranslated ?? 0,
      regions: this.translator?.regions ?? 0,
      modules: this.translator?.modules ?? 0,
      wasmBytes: this.translator?.wasmBytes ?? 0,
      blocksDecoded: this.blocksDecoded,
      evaluated: this.evaluated,
      singleSteps: this.steps,
      tlbMisses: this.misses,
      blocksEvaluated: this.blocksEvaluated,
      lookups: this.lookups,
      fetches: this.fetches,
      forgets: this.forgets,
      budgetExits: this.budgetExits,
    }
  }

  // ---- CodeCachePort ------------------------------------------------------------------------------------------------
  // Whoever replaces RAM or CPU state as a whole (reset, snapshot) calls invalidateAll before the next run.
  invalidateLine(physical: number): void {
    this.pages.invalidateLine(physical)
  }
  invalidateAll(): void {
    this.pages.invalidateAll()
    this.forgetLookups()
  }
  forgetLookups(): void {
    this.generation++
    this.forgets++
    if (this.dispatcher.forget()) this.lookupKey.fill(-1)
  }
  private dropped(page: CodePage): void {
    this.dispatcher.release(page.tableSlots)
    this.forgetLookups()
  }

  // ---- running ------------------------------------------------------------------------------------------------------
  /** Translated code as far as it goes, then what tier 0 must do. */
  private advance(): void {
    if (this.translator === undefined) {
      this.runBlocks()
      return
    }
    const exit = this.dispatcher.run()
    // Translated code may have spent the last instruction of the budget just before it left.
    if (this.state.i32[BUDGET]! <= 0) return
    switch (exit) {
      case Exit.step:
        this.steps++
        this.stepOne()
        break
      case Exit.lookup:
        this.lookups++
        this.normalisePc()
        this.runBlocks()
        break
      case Exit.budget:
        this.budgetExits++
        this.evaluateBlock(this.findBlock())
        break
      case Exit.interrupt:
        // `run` takes it before the next instruction.
        break
    }
  }

  /** Evaluate blocks until one is translated, something needs `run`'s attention, or the budget is spent. */
  private runBlocks(): void {
    const { i32 } = this.state
    for (;;) {
      const block = this.findBlock()
      if (block.target !== 0 && this.translator !== undefined) {
        this.dispatcher.enter(i32[PC]!, i32[PC + 1]!, block.target)
        return
      }
      if (!this.evaluateBlock(block)) return
    }
  }

  /** Translated code leaves BranchAddr() to us: a tagged address is never in the jump cache. */
  private normalisePc(): void {
    const top = this.state.i32[PC + 1]! >> 24
    if (top !== 0 && top !== -1) this.state.pc = this.cpu.branchAddress(this.state.pc)
  }

  /** The block at Off.pc. @throws GuestException when it cannot be fetched. */
  private findBlock(): Block {
    const { i32 } = this.state
    const low = i32[PC]!
    const high = i32[PC + 1]!
    const key = i32[CODE_KEY]! | i32[EPOCH]!
    const at = ((low >>> 2) ^ (low >>> 15)) & (LOOKUPS - 1)
    if (this.lookupLow[at] === low && this.lookupKey[at] === key && this.lookupHigh[at] === high) return this.lookupBlock[at]!
    this.fetches++
    const page = this.fetchPage(low, high)
    const mode = i32[CODE_KEY]! & 0xff
    const offset = low & 0xffc
    if (page.blocks(mode)[offset >> 2] === undefined) this.blocksDecoded++
    const block = this.pages.block(page, offset, mode)
    this.lookupLow[at] = low
    this.lookupHigh[at] = high
    // Fetching may have changed the epoch.
    this.lookupKey[at] = i32[CODE_KEY]! | i32[EPOCH]!
    this.lookupBlock[at] = block
    return block
  }

  private fetchPage(low: number, high: number): CodePage {
    const { i32, u32 } = this.state
    // A fetch that faults counts as an instruction: a guest that faults for ever still comes to the end of its budget.
    i32[BUDGET]!--
    if (low & 3) throw new GuestException(EC.pcAlignment, 0, Target.usual, this.state.pc)
    const entry = (TLB_BASE >> 2) + ((low >>> 12) & (TLB_ENTRIES - 1)) * 8
    if (i32[entry + 4] === ((low & ~0xfff) | i32[CONTEXT]!) && i32[entry + 5] === high) {
      i32[BUDGET]!++
      return this.pages.page(u32[entry + 7]!, ((low & ~0xfff) + i32[entry + 6]!) >>> 0)
    }
    const linear = this.cpu.mmu.translate(low, high, Access.fetch, false)
    i32[BUDGET]!++
    return this.pages.page(Math.floor(this.cpu.mmu.physical / 4096), linear - (linear & 0xfff))
  }

  /** @returns false when `run` must look at something before the next block. */
  private evaluateBlock(block: Block): boolean {
    const { i32 } = this.state
    const { cpu, evaluator } = this
    if (block.mode & ModeBit.tier0Only) {
      this.evaluateOne(block.decoded[0]!, block.mode)
      return false
    }
    this.heat(block)
    this.blocksEvaluated++
    const { decoded } = block
    const key = i32[CODE_KEY]!
    const generation = this.generation
    let pc = i32[PC]!
    const count = block.startsInTier0 ? 1 : decoded.length
    for (let i = 0; i < count; i++) {
      i32[BUDGET]!--
      this.evaluated++
      evaluator.step(decoded[i]!)
      // Before the interrupt: inputs that arrive between two runs come first, whichever tier executed this instruction.
      if (i32[BUDGET]! <= 0 || cpu.waiting === true || this.stopping) return false
      if (i32[IRQ_PENDING] !== 0 && cpu.takeInterrupt()) return true
      pc = (pc + 4) | 0
      // A branch, a change of translation, or code that is not what was decoded.
      if (i32[PC] !== pc || i32[CODE_KEY] !== key || this.generation !== generation) break
    }
    const next = i32[PC]!
    if (((next ^ pc) & ~0xfff) === 0) block.noteSuccessor(next & 0xfff)
    if (this.translator?.due === true) this.translate()
    return true
  }

  private heat(block: Block): void {
    const { translator } = this
    if (++block.count < this.hotThreshold || translator === undefined || this.evaluated < this.patience) return
    if (!block.settled) translator.request(block)
    else if (block.waiting) translator.ranWaiting()
  }

  private translate(): void {
    this.translator!.translate(this.dispatcher)
    this.generation++
  }

  private stepOne(): void {
    const { i32 } = this.state
    const page = this.fetchPage(i32[PC]!, i32[PC + 1]!)
    this.evaluateOne(this.pages.instruction(page, i32[PC]! & 0xffc), i32[CODE_KEY]! & 0xff)
  }

  private evaluateOne(d: Decoded, mode: number): void {
    this.state.i32[BUDGET]!--
    this.evaluated++
    if (mode & ModeBit.tier0Only) {
      this.cpu.checkBeforeInstruction?.()
      this.evaluator.step(d)
      this.cpu.afterInstruction?.()
    } else {
      this.evaluator.step(d)
    }
  }

  /** TLB miss of translated code. Code: access | bytes << 4 | unprivileged << 12. */
  private miss(code: number): number {
    this.misses++
    const { u32 } = this.state
    const low = u32[MISS_ADDRESS]!
    const bytes = (code >>> 4) & 0xff
    if ((low & 0xfff) + bytes > 4096) return 0
    return this.cpu.mmu.tryTranslate(low, u32[MISS_ADDRESS + 1]!, (code & 1) as AccessKind, (code & 0x1000) !== 0)
  }
}
