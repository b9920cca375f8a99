import { CTR_LAB } from '../cpu/id-registers.ts'
import { Access, type AccessKind, type CodeCachePort, type CpuPort } from '../cpu/port.ts'
import { lowWord, Slot } from '../cpu/register-slots.ts'
import { CpuState, ModeBit, Off, RAM_BASE, TLB_BASE, TLB_ENTRIES } from '../cpu/state.ts'
import type { SystemEvent } from '../isa/builder.ts'
import { Decoder } from '../isa/decode.ts'
import type { Feature } from '../isa/row.ts'
import { allRows } from '../isa/table.ts'

const FEATURES: ReadonlySet<Feature> = new Set<Feature>(['crc32', 'lse', 'fp', 'aes', 'pmull', 'sha1', 'sha256', 'fp16'])
const CONTEXT = 1
/** TPIDR_EL1 and SP_EL0. */
const STORAGE = new Map<number, number>([
  [0xc684, Slot.TPIDR_EL1],
  [0xc208, Slot.SP_EL0],
])

/**
 * A CPU for testing the tiers against each other: RAM at one virtual address, mapped flat through the TLB, no devices.
 * Any exception or event halts it.
 */
export class FlatCpu implements CpuPort {
  readonly memory: WebAssembly.Memory
  readonly state: CpuState
  readonly decoder = new Decoder(allRows, FEATURES)
  readonly bus = { read: (): bigint => 0n, write: (): void => {} }
  readonly mmu
  /** What halted it. */
  halted: unknown
  /** Program counter at which each interrupt was taken. */
  readonly interrupts: bigint[] = []
  codeCache: CodeCachePort | undefined

  constructor(base: number, ramBytes: number, mode = 0) {
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((RAM_BASE + ramBytes) / 65536) })
    const state = new CpuState(this.memory.buffer)
    this.state = state
    state.i32[Off.context >> 2] = CONTEXT
    state.i32[Off.contextUnprivileged >> 2] = CONTEXT
    state.i32[Off.codeKey >> 2] = (CONTEXT << 8) | mode
    state.i32[Off.el >> 2] = mode & 3
    state.i32[Off.spSel >> 2] = mode & ModeBit.spSel ? 1 : 0
    const mmu = {
      physical: 0,
      device: false,
      translate: (low: number, high: number, access: AccessKind): number => {
        const linear = mmu.tryTranslate(low, high, access)
        if (linear === 0) throw new Error(`no memory at ${(high >>> 0).toString(16)}:${(low >>> 0).toString(16)}`)
        return linear
      },
      tryTranslate: (low: number, high: number, _access: AccessKind): number => {
        const offset = (low >>> 0) - base
        if (high !== 0 || offset < 0 || offset >= ramBytes) return 0
        mmu.physical = low >>> 0
        const entry = (TLB_BASE >> 2) + ((low >>> 12) & (TLB_ENTRIES - 1)) * 8
        const tag = (low & ~0xfff) | CONTEXT
        for (const kind of [Access.read, Access.write, Access.fetch]) {
          state.i32[entry + 2 * kind] = tag
          state.i32[entry + 2 * kind + 1] = high
        }
        state.i32[entry + 6] = RAM_BASE - base
        state.u32[entry + 7] = low >>> 12
        return RAM_BASE + offset
      },
    }
    this.mmu = mmu
  }

  get waiting(): boolean {
    return this.halted !== undefined
  }

  sysRead(encoding: number): bigint {
    const slot = STORAGE.get(encoding)
    if (slot !== undefined) return this.state.u64[lowWord(slot) >> 1]!
    switch (encoding) {
      case 0xda10: return BigInt(this.state.nzcv() << 28 >>> 0)
      case 0xda11: return BigInt(this.state.daif)
      case 0xc212: return BigInt(this.state.el << 2)
      case 0xd801: return CTR_LAB
      case 0xd807: return 4n
      default: return 0n
    }
  }
  sysWrite(encoding: number, value: bigint): void {
    const slot = STORAGE.get(encoding)
    if (slot !== undefined) this.state.u64[lowWord(slot) >> 1] = value
    else if (encoding === 0xda11) this.state.daif = Number(value & 0x3c0n)
  }
  sysOp(encoding: number, value: bigint): void {
    const IC_IVAU = 0x5ba9
    const IC_IALLU = 0x43a8
    if (encoding === IC_IVAU) this.codeCache?.invalidateLine(Number(value))
    else if (encoding === IC_IALLU) this.codeCache?.invalidateAll()
  }
  checkZva(): void {}
  branchAddress(va: bigint): bigint {
    return va
  }
  msrImm(_op1: number, op2: number, imm: number): void {
    if (op2 === 7) this.state.daif &= ~(imm << 6)
    else this.state.daif |= imm << 6
  }
  event(kind: SystemEvent): void {
    throw new Error(kind)
  }
  checkFp(): void {}
  alignmentFault(): never {
    throw new Error('alignment')
  }
  spAlignmentFault(): never {
    throw new Error('SP alignment')
  }
  undefined(): never {
    throw new Error('undefined')
  }
  takeException(e: unknown): void {
    this.halted = e
  }
  /** Notes the interrupt and acknowledges it, without going anywhere. */
  takeInterrupt(): boolean {
    if (this.state.i32[Off.irqPending >> 2] === 0 || this.state.daif & 0x80) return false
    this.state.i32[Off.irqPending >> 2] = 0
    this.interrupts.push(this.state.pc)
    return true
  }
  updateMode(): void {}
}
