import { type CpuState, JUMP_BASE, JUMP_ENTRIES, JUMP_ENTRY_BYTES, Off } from '../cpu/state.ts'
import type { FunctionBody } from './wasm-encoder.ts'
import { encodeModule } from './wasm-encoder.ts'
import { encodeRuntimeModule, jumpIndex, RUNTIME_IMPORTS, TYPES, writeCrcTables } from './runtime-module.ts'

const TABLE_STEP = 4096
const EPOCH = Off.lookupEpoch >> 2
const CODE_KEY = Off.codeKey >> 2

/** What translated code calls in TypeScript. */
export interface HostFunctions {
  /** TLB miss: @returns linear address or 0. Code: access | bytes << 4 | unprivileged << 12. */
  readonly miss: (code: number) => number
  readonly fp: (id: number) => void
  readonly crypto: (id: number) => void
}

let compiled: WebAssembly.Module | undefined

/** The same for every machine: compiled once. */
function runtimeModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(encodeRuntimeModule())
  return compiled
}

/**
 * The dispatcher: the runtime module, the table of translated functions, and the jump cache in linear memory.
 *
 * Jump-cache entry (16 bytes): u64 pc, i32 codeKey | lookupEpoch, i32 table index << 8 | entry. An entry is valid only
 * under the lookup epoch it was written in, so forgetting all of them is an increment.
 */
export class Dispatcher {
  /** Run translated code from Off.pc until it cannot go on. @returns an Exit code. */
  readonly run: () => number
  private readonly table: WebAssembly.Table
  private readonly imports: Record<string, unknown>
  private readonly freeSlots: number[] = []
  private usedSlots = 1
  private epoch = 0

  constructor(private readonly state: CpuState, memory: WebAssembly.Memory, host: HostFunctions) {
    writeCrcTables(state.u32)
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: TABLE_STEP })
    const runtime = new WebAssembly.Instance(runtimeModule(), {
      e: { m: memory, t: this.table, miss: host.miss, hostFp: host.fp, hostCrypto: host.crypto },
    })
    this.run = runtime.exports['run'] as () => number
    // Only functions of the runtime module: importing one of JavaScript's costs a wrapper in each module.
    this.imports = { m: memory }
    for (const { name } of RUNTIME_IMPORTS) this.imports[name] = runtime.exports[name]
    this.clearJumpCache()
  }

  /** Compile functions as one module. @returns their table slots, in order. */
  install(bodies: readonly FunctionBody[]): number[] {
    const bytes = encodeModule(TYPES, RUNTIME_IMPORTS, bodies)
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: this.imports })
    // Not by an element segment: V8 keeps a copy of the table for each module that imports it, and updates them all.
    return bodies.map((b) => {
      const slot = this.freeSlots.pop() ?? this.newSlot()
      this.table.set(slot, instance.exports[b.name])
      return slot
    })
  }

  private newSlot(): number {
    if (this.usedSlots >= this.table.length) this.table.grow(TABLE_STEP)
    return this.usedSlots++
  }

  /** Give table slots back. The caller forgets lookups. */
  release(slots: readonly number[]): void {
    for (const slot of slots) {
      this.table.set(slot, null)
      this.freeSlots.push(slot)
    }
  }

  /** Key under which lookups are valid now. */
  get key(): number {
    return this.state.i32[CODE_KEY]! | this.state.i32[EPOCH]!
  }

  /** Let the dispatcher find `target` at a program counter under the current key. */
  enter(pcLow: number, pcHigh: number, target: number): void {
    const at = (JUMP_BASE + jumpIndex(pcLow) * JUMP_ENTRY_BYTES) >> 2
    const { i32 } = this.state
    i32[at] = pcLow
    i32[at + 1] = pcHigh
    i32[at + 2] = this.key
    i32[at + 3] = target
  }

  /** Make all jump-cache entries invalid. @returns true when epochs start anew, so that older keys may repeat. */
  forget(): boolean {
    // Counted here, not in memory: a reset of the CPU clears its state, and a snapshot brings back an old one.
    this.epoch = (this.epoch + 1) & 0xfff
    this.state.i32[EPOCH] = this.epoch << 20
    if (this.epoch === 0) this.clearJumpCache()
    return this.epoch === 0
  }

  private clearJumpCache(): void {
    const { i32 } = this.state
    const from = JUMP_BASE >> 2
    i32.fill(0, from, from + JUMP_ENTRIES * 4)
    // No key has this value: contexts start at 1.
    for (let i = 0; i < JUMP_ENTRIES; i++) i32[from + 4 * i + 2] = -1
  }
}
