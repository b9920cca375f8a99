import { Cpu } from '../cpu/cpu.ts'
import { CpuState, RAM_BASE } from '../cpu/state.ts'
import { ExecutionEngine } from '../translate/engine.ts'
import { Board } from './board.ts'
import { ByteSink } from './byte-sink.ts'
import { type Checkpoint, restoreCpu, restoreRam, saveCpu, saveRam } from './checkpoint.ts'
import { InputLog } from './input-log.ts'
import { giveBackLinearMemory, takeLinearMemory } from './linear-memory.ts'
import { type BootState, checkRamSize, loadBootFiles } from './loader.ts'
import { MemoryMap } from './memory-map.ts'
import { stateHash } from './state-hash.ts'
import { type GateOption, type GateSite, type GateView, V3Gate } from './v3-gate.ts'
import { VirtualClock } from './virtual-clock.ts'

const MIB = 1024 * 1024
const PAGE = 4096
/** Longest slice without a look at timers: the budget is a signed 32-bit number. */
const MAX_SLICE = 0x3fff_ffff
/** Tier 0 alone boots mini-pKVM, some 100,000 instructions, before a translator that nobody has run yet is warm. */
const PATIENCE = 200_000
/** 2026-01-01 00:00:00 UTC: what the real-time clock shows at reset unless told otherwise, so that runs repeat. */
const DEFAULT_RTC_SECONDS = 1_767_225_600

export interface MachineOptions {
  /** An arm64 Linux Image, or anything with the same 64-byte header. */
  readonly image: Uint8Array
  readonly initrd?: Uint8Array
  /** Kernel command line. */
  readonly append: string
  /** 128 to 2048. */
  readonly ramMiB: number
  readonly cpu?: { readonly crypto?: boolean }
  /** What the guest writes to its first UART, in batches. */
  readonly console: (bytes: Uint8Array) => void
  /** The same for its second UART. */
  readonly console2?: (bytes: Uint8Array) => void
  /** Places in the Image (offsets from its start) whose first execution is reported. */
  readonly milestones?: readonly { readonly name: string; readonly offset: number }[]
  readonly onMilestone?: (name: string) => void
  /** Instruction counts at which `onHash` gets a hash of all architectural state. */
  readonly hashAt?: readonly number[]
  readonly onHash?: (instructions: number, hash: string) => void
  /** Seconds since 1970 that the PL031 shows at reset. */
  readonly rtcStartSeconds?: number
  /** Where the reconstructed CONFIG_PROTECTED_VM_UAPI can sit, or a sentence why there is no place (machine/v3-gate.ts). */
  readonly gateSite?: GateSite | string
  /** The gate refused a protected VM, at the present instruction. */
  readonly onGateRefusal?: () => void
  /** /chosen/kaslr-seed, 8 bytes: the kernel moves itself to a random virtual address. Without it, it does not. */
  readonly kaslrSeed?: Uint8Array
  /** false: evaluate every instruction, translate nothing. */
  readonly tier1?: boolean
}

export type RunStop =
  /** The instructions asked for have retired. */
  | { readonly kind: 'budget' }
  /** WFI with nothing pending. `wakeAt`: virtual nanoseconds of the next timer deadline, Infinity when none is armed. */
  | { readonly kind: 'idle'; readonly wakeAt: number }
  /** PSCI SYSTEM_OFF. */
  | { readonly kind: 'off' }
  /** PSCI SYSTEM_RESET. */
  | { readonly kind: 'reset' }

/**
 * The whole computer: CPU, board and execution engine around one linear memory. Same options and same inputs at the
 * same instruction counts give the same run.
 */
export class Machine {
  readonly cpu: Cpu
  readonly board: Board
  readonly boot: BootState
  /** What came in from outside since reset. */
  readonly inputLog = new InputLog()
  private readonly v3Gate: V3Gate
  private readonly engine: ExecutionEngine
  private readonly clock: VirtualClock
  private readonly memory: WebAssembly.Memory
  private readonly state: CpuState
  private readonly ramBytes: number
  private readonly uart: readonly [ByteSink, ByteSink]
  private hashAt: number[]
  private ended: RunStop | undefined
  private stopped = false
  /** Names of milestones that were reached. */
  private reached = new Set<string>()

  /**
   * Build a machine and load it.
   * @throws BootError (its message is for the user) when the pieces do not make a machine.
   */
  static create(options: MachineOptions): Machine {
    return new Machine(options)
  }

  private constructor(private readonly options: MachineOptions) {
    this.ramBytes = options.ramMiB * MIB
    checkRamSize(this.ramBytes)
    this.memory = takeLinearMemory(RAM_BASE + this.ramBytes)
    this.state = new CpuState(this.memory.buffer)
    this.boot = loadBootFiles(this.state.bytes.subarray(RAM_BASE, RAM_BASE + this.ramBytes), {
      image: options.image,
      initrd: options.initrd,
      bootargs: options.append,
      kaslrSeed: options.kaslrSeed,
    })
    this.clock = new VirtualClock(this.state)
    this.uart = [new ByteSink(options.console), new ByteSink(options.console2 ?? (() => {}))]
    this.hashAt = [...(options.hashAt ?? [])].sort((a, b) => a - b)
    this.board = new Board({
      clock: this.clock,
      routing: cpuRouting(() => this.cpu),
      onLines: (irq, fiq, virq, vfiq) => this.cpu.setInterrupts(irq, fiq, virq, vfiq),
      firmware: {
        shutdown: () => this.end({ kind: 'off' }),
        reset: () => this.end({ kind: 'reset' }),
        cpuOff: () => this.end({ kind: 'idle', wakeAt: Number.POSITIVE_INFINITY }),
        standby: () => this.cpu.standby(),
      },
      uart0: (byte) => this.uart[0].put(byte),
      uart1: (byte) => this.uart[1].put(byte),
      rtcStartSeconds: options.rtcStartSeconds ?? DEFAULT_RTC_SECONDS,
    })
    this.cpu = new Cpu({
      state: this.state,
      crypto: options.cpu?.crypto === true,
      bus: this.board.bus,
      ramBase: MemoryMap.ramBase,
      ramBytes: this.ramBytes,
      devices: this.board.systemRegisterDevices,
      firmware: this.board.firmware,
      resetAddress: this.boot.entry,
    })
    this.engine = new ExecutionEngine(this.cpu, this.memory, { tier1: options.tier1 !== false, patience: PATIENCE })
    this.cpu.codeCache = this.engine
    for (const m of options.milestones ?? []) this.awaitMilestone(m)
    const noSite = 'nobody looked for a place in this kernel'
    this.v3Gate = new V3Gate(this.engine, this.state, this.boot.kernelStart, options.gateSite ?? noSite, () => options.onGateRefusal?.())
    this.state.x[0] = BigInt(this.boot.dtb)
  }

  /** Instructions retired since reset. */
  get instructions(): number {
    return this.clock.instructions
  }

  /** The guest's clock: instructions plus idle time skipped, one nanosecond each. */
  get virtualNanoseconds(): number {
    return this.clock.now()
  }

  get exceptionLevel(): number {
    return this.state.el
  }

  /** Guest RAM itself, not a copy. */
  ram(): Uint8Array {
    return this.state.bytes.subarray(RAM_BASE, RAM_BASE + this.ramBytes)
  }

  /** Hash of registers and RAM as they are now. */
  hash(): string {
    return stateHash(this.state, this.ramBytes)
  }

  /** Counters of the execution engine. */
  statistics(): { blocksTranslated: number } & Record<string, number> {
    return this.engine.statistics()
  }

  /** Bytes typed at UART 0 or 1. They arrive at the current instruction count. */
  receive(uart: 0 | 1, bytes: Uint8Array): void {
    this.inputLog.add({ instructions: this.instructions, kind: 'serial', uart, bytes: bytes.slice() })
    ;(uart === 0 ? this.board.uart0 : this.board.uart1).receive(bytes)
  }

  /** CONFIG_PROTECTED_VM_UAPI as the lab reproduces it: whether it can, what is set, how often it refused. */
  get gate(): GateView {
    return this.v3Gate.view()
  }

  /**
   * Set CONFIG_PROTECTED_VM_UAPI. An input like any other: takes effect, and is logged, at the current instruction count.
   * @throws GateError (its message is for the user) for `n` when this kernel has no place for it.
   */
  setGate(option: GateOption): void {
    if (option === this.gate.option) return
    this.v3Gate.set(option)
    this.inputLog.add({ instructions: this.instructions, kind: 'gate', option })
  }

  /** Retire up to so many instructions. Console output of the slice is handed over before it returns. */
  run(instructions: number): RunStop {
    this.stopped = false
    const stop = this.runSlices(this.instructions + instructions)
    this.uart[0].flush()
    this.uart[1].flush()
    return stop
  }

  /** From within a run, called by an observer: let it return after the current instruction, with `budget`. */
  stop(): void {
    this.stopped = true
    this.engine.stop()
  }

  /** After `idle`: let time jump to the next deadline. Does nothing when none is armed. */
  skipIdle(): void {
    const deadline = this.board.nextDeadline()
    if (deadline === Number.POSITIVE_INFINITY) return
    this.clock.skipTo(deadline)
    this.board.update()
  }

  /**
   * Keep this moment. Between slices only. Also empties the TLB, so that this run and one that is restored to here go on
   * from the same processor.
   */
  checkpoint(): Checkpoint {
    const { option, refused } = this.v3Gate.view()
    const checkpoint: Checkpoint = {
      clock: this.clock.save(),
      cpu: saveCpu(this.cpu),
      ram: saveRam(this.state, this.ramBytes),
      board: this.board.save(),
      inputs: [...this.inputLog.inputs],
      gate: { option, refused },
      uart: [this.uart[0].waiting(), this.uart[1].waiting()],
      hashAt: [...this.hashAt],
      milestones: new Set(this.reached),
      ended: this.ended,
    }
    restoreCpu(this.cpu, checkpoint.cpu)
    return checkpoint
  }

  /**
   * Go back to a moment that this machine has kept. Between slices only. From there it runs bit for bit as it did, given
   * the same inputs; what the console was given is not taken back. Whoever derives something from RAM must look again.
   */
  restore(checkpoint: Checkpoint): void {
    this.clock.restore(checkpoint.clock)
    restoreRam(this.state, this.ramBytes, checkpoint.ram)
    restoreCpu(this.cpu, checkpoint.cpu)
    this.board.restore(checkpoint.board)
    this.inputLog.restore(checkpoint.inputs)
    this.v3Gate.restore(checkpoint.gate.option, checkpoint.gate.refused)
    this.uart[0].restore(checkpoint.uart[0])
    this.uart[1].restore(checkpoint.uart[1])
    this.hashAt = [...checkpoint.hashAt]
    this.ended = checkpoint.ended
    for (const m of this.options.milestones ?? []) {
      if (this.reached.has(m.name) && !checkpoint.milestones.has(m.name)) this.awaitMilestone(m)
    }
    this.reached = new Set(checkpoint.milestones)
  }

  /**
   * This machine is over, and nobody will look at it again: its memory may become the next one's. Between slices only.
   */
  release(): void {
    this.ended = { kind: 'off' }
    const { written } = this.cpu.mmu
    const { kernelStart, dtb, dtbBytes, initrd } = this.boot
    const loaded = [[kernelStart, kernelStart + this.options.image.length], [dtb, dtb + dtbBytes], [initrd?.start ?? 0, initrd?.end ?? 0]] as const
    for (const [start, end] of loaded) {
      for (let at = start - (start % PAGE); at < end; at += PAGE) written[(at - MemoryMap.ramBase) / PAGE] = 1
    }
    giveBackLinearMemory(this.memory, written)
  }

  private awaitMilestone({ name, offset }: { readonly name: string; readonly offset: number }): void {
    this.engine.onFirstExecution(this.boot.kernelStart + offset, () => {
      this.reached.add(name)
      this.options.onMilestone?.(name)
    })
  }

  private runSlices(target: number): RunStop {
    for (;;) {
      if (this.ended !== undefined) return this.ended
      this.board.update()
      this.reportHash()
      if (this.cpu.isWaiting()) return { kind: 'idle', wakeAt: this.board.nextDeadline() }
      const left = this.horizon(target) - this.instructions
      if (left <= 0 || this.stopped) return { kind: 'budget' }
      this.clock.startSlice(left, () => this.horizon(target) - this.instructions)
      this.engine.run()
      this.clock.endSlice()
    }
  }

  /** The instruction count at which the run loop must next do something itself. */
  private horizon(target: number): number {
    const timer = this.board.nextDeadline() - this.clock.now() + this.instructions
    return Math.min(target, Math.max(timer, this.instructions + 1), this.hashAt[0] ?? Number.POSITIVE_INFINITY, this.instructions + MAX_SLICE)
  }

  private reportHash(): void {
    while (this.hashAt.length > 0 && this.hashAt[0]! <= this.instructions) {
      this.hashAt.shift()
      this.options.onHash?.(this.instructions, this.hash())
    }
  }

  private end(stop: RunStop): void {
    this.ended = stop
    this.engine.stop()
  }
}

function cpuRouting(cpu: () => Cpu): { readonly imo: boolean; readonly fmo: boolean } {
  return {
    get imo() {
      return cpu().routesIrqToEl2
    },
    get fmo() {
      return cpu().routesFiqToEl2
    },
  }
}
