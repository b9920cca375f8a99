import type { CpuPort } from '../../cpu/port.ts'
import { CpuState, Off, RAM_BASE, TLB_BASE, TLB_ENTRIES } from '../../cpu/state.ts'
import { Evaluator } from '../evaluate.ts'
import { Decoder } from '../../isa/decode.ts'
import type { Feature } from '../../isa/row.ts'
import { allRows } from '../../isa/table.ts'
import { IMAGE_BASE } from './program.ts'
import { Part, RECORD_BYTES } from './record.ts'

/** Every feature a row may ask for. */
export const everyFeature: ReadonlySet<Feature> = new Set<Feature>([
  'crc32', 'lse', 'fp', 'aes', 'pmull', 'sha1', 'sha256', 'fp16',
])

/** Thrown where the test program would have faulted. */
export class Fault extends Error {
  constructor(
    readonly kind: string,
    readonly address: bigint,
  ) {
    super(`${kind} at 0x${address.toString(16)}`)
  }
}

/** Size of the linear memory of a machine with this image: whole wasm pages. */
export function linearBytes(image: Uint8Array): number {
  return RAM_BASE + ((image.length + 0xffff) & ~0xffff)
}

/** TLB entry for reading, writing and fetching from a page of the image (layout: engine/README.md). */
function fillTlb(state: CpuState, low: number, offset: number): void {
  const entry = (TLB_BASE >> 2) + ((low >>> 12) & (TLB_ENTRIES - 1)) * 8
  const { i32 } = state
  for (const access of [0, 2, 4]) {
    i32[entry + access] = (low & ~0xfff) | i32[Off.context >> 2]!
    i32[entry + access + 1] = 0
  }
  i32[entry + 6] = RAM_BASE + offset - (low >>> 0)
  i32[entry + 7] = offset >>> 12
}

/** A CPU without translation, devices or exceptions: virtual address IMAGE_BASE is the start of RAM. */
export class FlatMachine implements CpuPort {
  readonly state: CpuState
  readonly decoder = new Decoder(allRows, everyFeature)
  readonly mmu
  readonly bus = { read: (): bigint => 0n, write: (): void => {} }
  readonly evaluator: Evaluator

  /**
   * @param evaluatorOf replaces the evaluator by one that watches.
   * @param buffer `linearBytes(image)` long.
   */
  constructor(
    image: Uint8Array,
    evaluatorOf: (cpu: CpuPort) => Evaluator = (cpu) => new Evaluator(cpu),
    buffer: ArrayBuffer = new ArrayBuffer(linearBytes(image)),
  ) {
    const state = new CpuState(buffer)
    this.state = state
    state.bytes.set(image, RAM_BASE)
    state.i32[Off.context >> 2] = 1
    state.i32[Off.contextUnprivileged >> 2] = 1
    state.i32[Off.codeKey >> 2] = 1 << 8
    const translate = (low: number, high: number): number => {
      const offset = (low >>> 0) - IMAGE_BASE
      if (high !== 0 || offset < 0 || offset >= image.length) {
        throw new Fault('no memory', (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
      }
      mmu.physical = offset
      fillTlb(state, low, offset)
      return RAM_BASE + offset
    }
    const mmu = { translate, tryTranslate: translate, physical: 0, device: false }
    this.mmu = mmu
    this.evaluator = evaluatorOf(this)
  }

  /** The scratch memory of the record at `address` as it was in `record`. */
  restore(address: number, record: Uint8Array): void {
    this.state.bytes.set(record.subarray(Part.scratch), RAM_BASE + address - IMAGE_BASE + Part.scratch)
  }

  /** Registers from a record. */
  load(record: Uint8Array): void {
    const { state } = this
    const view = new DataView(record.buffer, record.byteOffset)
    for (let n = 0; n < 32; n++) state.x[n] = view.getBigUint64(Part.x + 8 * n, true)
    for (let n = 0; n < 64; n++) state.u64[(Off.v >> 3) + n] = view.getBigUint64(Part.v + 8 * n, true)
    state.setNzcv(view.getUint32(Part.nzcv, true) >>> 28)
    state.u32[Off.fpcr >> 2] = view.getUint32(Part.fpcr, true)
    state.u32[Off.fpsr >> 2] = view.getUint32(Part.fpsr, true)
    state.i32[Off.exclusiveBytes >> 2] = 0
  }

  /** Registers, and the scratch memory of the record at `address`, as a record. */
  save(address: number, fpcr: number): Uint8Array {
    const { state } = this
    const record = new Uint8Array(RECORD_BYTES)
    const view = new DataView(record.buffer)
    for (let n = 0; n < 32; n++) view.setBigUint64(Part.x + 8 * n, state.x[n]!, true)
    for (let n = 0; n < 64; n++) view.setBigUint64(Part.v + 8 * n, state.u64[(Off.v >> 3) + n]!, true)
    view.setUint32(Part.nzcv, (state.nzcv() << 28) >>> 0, true)
    view.setUint32(Part.fpcr, fpcr, true)
    view.setUint32(Part.fpsr, state.u32[Off.fpsr >> 2]!, true)
    const from = RAM_BASE + address - IMAGE_BASE
    record.set(state.bytes.subarray(from + Part.scratch, from + RECORD_BYTES), Part.scratch)
    return record
  }

  /** Execute from `start` until the program counter is `end`. @throws Fault */
  run(start: number, end: number): void {
    const { state } = this
    state.pc = BigInt(start)
    for (let steps = 0; state.pc !== BigInt(end); steps++) {
      const pc = Number(state.pc)
      if (steps === 100 || pc < start || pc > end) throw new Fault('lost control', state.pc)
      const word = state.u32[(RAM_BASE + pc - IMAGE_BASE) >> 2]!
      const decoded = this.decoder.decode(word)
      if (decoded === null) throw new Fault(`undefined word ${word.toString(16)}`, state.pc)
      this.evaluator.step(decoded)
    }
  }

  sysRead(): bigint {
    return 0n
  }
  sysWrite(): void {}
  sysOp(): void {}
  checkZva(): void {}
  branchAddress(va: bigint): bigint {
    return va
  }
  msrImm(): void {}
  event(kind: string): void {
    throw new Fault(kind, this.state.pc)
  }
  checkFp(): void {}
  alignmentFault(va: bigint): never {
    throw new Fault('alignment', va)
  }
  spAlignmentFault(): never {
    throw new Fault('SP alignment', this.state.x[31]!)
  }
  undefined(word: number): never {
    throw new Fault(`undefined ${word.toString(16)}`, this.state.pc)
  }
  takeException(e: unknown): void {
    throw e
  }
  takeInterrupt(): boolean {
    return false
  }
  updateMode(): void {}
}
