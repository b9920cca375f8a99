import { FlagKind, ModeBit, Off } from '../cpu/state.ts'
import type {
  AccessBytes, AccessOptions, Builder, Cond, ESize, FpOp, Sf, SystemEvent, Value, Vec, VecBytes, VecOp1, VecOp2, VecShift,
} from '../isa/builder.ts'
import type { Decoded } from '../isa/decode.ts'
import { conditionNode, type Flags, packedNode } from './emit-flags.ts'
import * as integer from './emit-integer.ts'
import * as system from './emit-system.ts'
import * as vector from './emit-vector.ts'
import type { HelperIds } from './helper-ids.ts'
import { Effect, FLAG_SLOT, Ir, Kind, ProbeFlag } from './ir.ts'
import { RuntimeFunction } from './runtime-module.ts'
import { Op, Simd, ValType } from './wasm-encoder.ts'

const UNKNOWN: Flags = { form: 'unknown' }
const NONE: AccessOptions = {}
/** Bytes that accesses of one instruction may span under one TLB probe. */
const MERGED_PROBE_BYTES = 64

const LOADS: Record<number, number> = { 1: Op.i64Load8U, 2: Op.i64Load16U, 4: Op.i64Load32U, 8: Op.i64Load }
const STORES: Record<number, number> = { 1: Op.i64Store8, 2: Op.i64Store16, 4: Op.i64Store32, 8: Op.i64Store }
const VECTOR_STORES: Record<number, number> = {
  1: Simd.store8Lane, 2: Simd.store16Lane, 4: Simd.store32Lane, 8: Simd.store64Lane, 16: Simd.store,
}

interface Probe {
  instruction: number
  base: number
  offset: bigint
  bytes: number
  flags: number
  effect: number
  address: number
}

/**
 * The builder of tier 1: records one block of guest instructions as `Ir`.
 *
 * Registers are in static single assignment form within the block: a read gives the node last written, a write only
 * changes that mapping. Before every point that may leave the block, `sync` stores the registers and flags that
 * changed since the last such point, so whoever takes over finds the CPU state as of the instruction's start.
 */
export class Emitter implements Builder {
  readonly ir = new Ir()
  private readonly xNodes = new Int32Array(32)
  private readonly vNodes = new Int32Array(32)
  private dirtyX = 0
  private dirtyV = 0
  private flags: Flags = UNKNOWN
  private flagsDirty = false
  /** Recording the body of an ifThen. */
  private inIf = false
  private instruction = 0
  private pageOffset = 0
  private clearExclusiveAfter = false
  private probe: Probe | undefined
  /** SP is known to be 16-byte aligned at this base node and offset. */
  private alignedBase = -1
  private alignedOffset = 0n
  /** Set once the block has its last effect; what follows is unreachable and dropped. */
  private finished = false
  /** ModeBit set the block is translated for. */
  mode = 0

  constructor(private readonly helpers: HelperIds) {}

  get el(): number {
    return this.mode & ModeBit.elMask
  }

  /**
   * Record a block.
   * @param decoded the instructions; recording stops early at one that tier 0 must execute
   * @param pageOffset byte offset of the first one in its page
   * @returns how many instructions the block retires when nothing leaves it early (0: it is not worth translating)
   */
  record(decoded: readonly Decoded[], pageOffset: number, mode: number): number {
    this.ir.reset()
    this.xNodes.fill(-1)
    this.vNodes.fill(-1)
    this.dirtyX = this.dirtyV = 0
    this.flags = UNKNOWN
    this.flagsDirty = false
    this.inIf = false
    this.probe = undefined
    this.alignedBase = -1
    this.finished = false
    this.bailed = false
    this.mode = mode
    this.clearExclusiveAfter = false
    this.control = undefined
    this.lazyPacked.clear()
    for (let i = 0; i < decoded.length; i++) {
      const d = decoded[i]!
      this.instruction = i
      this.pageOffset = pageOffset + 4 * i
      const feature = d.row.feature
      if (mode & ModeBit.fpTrap && feature !== undefined && feature !== 'crc32' && feature !== 'lse') {
        this.bail()
        return i
      }
      d.row.meaning(this, d.fields)
      if (this.bailed) {
        this.bailed = false
        return i
      }
      if (this.clearExclusiveAfter) {
        this.clearExclusiveAfter = false
        this.storeState(Off.exclusiveBytes, this.ir.const32(0), Op.i32Store, -1)
      }
      if (this.control !== undefined && !this.finished) {
        const { effect, x, target } = this.control
        this.sync()
        this.effect(effect, x, target, this.pageOffset + 4)
        this.finished = true
      }
      if (this.finished) return i + 1
    }
    this.goto(pageOffset + 4 * decoded.length)
    return decoded.length
  }

  // ---- leaving ------------------------------------------------------------------------------------------------------
  private bailed = false

  /** Leave before this instruction, for tier 0 to execute it. */
  bail(): void {
    if (this.finished) return
    if (this.inIf) throw new Error('an instruction left to tier 0 inside ifThen')
    this.sync()
    this.ir.effect(Effect.bail, this.instruction, 0)
    this.finished = true
    this.bailed = true
  }

  effect(code: number, x: number, y = 0, z = 0, w = 0, extra = 0): void {
    if (!this.finished) this.ir.effect(code, this.instruction, x, y, z, w, extra)
  }

  private storeState(offset: number, node: number, op: number, slot: number): void {
    this.effect(Effect.storeState, offset, node, op, slot, this.ir.count)
  }

  /** Store to CPU state at once (system registers). */
  writeState(offset: number, node: number, op: number): void {
    this.storeState(offset, node, op, -1)
  }

  /** Value of a word of CPU state at this point. */
  readState(offset: number, op: number, type: number): number {
    const r = this.ir.result(type)
    this.effect(Effect.loadState, offset, r, op)
    return r
  }

  /** Leave before this instruction unless (state word & mask) == wanted. */
  guardState(offset: number, mask: number, wanted: number): void {
    this.sync()
    const word = this.readState(offset, Op.i32Load, ValType.i32)
    const { ir } = this
    const wrong = ir.compare(Op.i32Ne, ir.i32(Op.i32And, word, ir.const32(mask)), ir.const32(wanted))
    this.effect(Effect.align, wrong, 0)
  }

  /** Leave after this instruction when an interrupt is pending. It is the block's last. */
  endTestingInterrupt(): void {
    this.sync()
    this.effect(Effect.testInterrupt, this.pageOffset + 4)
    this.goto(this.pageOffset + 4)
  }

  private goto(target: number): void {
    this.sync()
    this.effect(Effect.branch, target)
    this.finished = true
  }

  /** Store what changed since the last sync. */
  private sync(): void {
    if (this.finished) return
    const { ir } = this
    for (let n = 0, d = this.dirtyX; d !== 0; n++, d >>>= 1) {
      if (d & 1) this.storeState(Off.x + 8 * n, this.xNodes[n]!, Op.i64Store, n)
    }
    for (let n = 0, d = this.dirtyV; d !== 0; n++, d >>>= 1) {
      if (d & 1) this.storeState(Off.v + 16 * n, this.vNodes[n]!, Simd.store, 32 + n)
    }
    this.dirtyX = this.dirtyV = 0
    if (!this.flagsDirty) return
    this.flagsDirty = false
    const f = this.flags
    if (f.form === 'known') {
      this.storeState(Off.flagKind, ir.const32(f.kind), Op.i32Store, FLAG_SLOT)
      this.storeState(Off.flagA, f.a, Op.i64Store, -1)
      if (f.b >= 0) this.storeState(Off.flagB, f.b, Op.i64Store, -1)
    } else if (f.form === 'choice') {
      const { condition: c, yes } = f
      this.storeState(Off.flagKind, ir.select(ValType.i32, c, ir.const32(yes.kind), ir.const32(0)), Op.i32Store, FLAG_SLOT)
      this.storeState(Off.flagA, ir.select(ValType.i64, c, yes.a, ir.const64(BigInt(f.no))), Op.i64Store, -1)
      if (yes.b >= 0) this.storeState(Off.flagB, yes.b, Op.i64Store, -1)
    }
  }

  // ---- constants ----------------------------------------------------------------------------------------------------
  imm(n: number): Value {
    return this.ir.const64(BigInt(n)) as Value
  }
  imm64(n: bigint): Value {
    return this.ir.const64(n) as Value
  }
  pc(offset: number): Value {
    return this.ir.pcRelative(BigInt(this.pageOffset + offset)) as Value
  }

  // ---- general-purpose registers ------------------------------------------------------------------------------------
  reg(n: number, sf: Sf): Value {
    return n === 31 ? this.imm(0) : this.regSp(n, sf)
  }
  regSp(n: number, sf: Sf): Value {
    let node = this.xNodes[n]!
    if (node < 0) node = this.xNodes[n] = this.ir.state(Op.i64Load, ValType.i64, Off.x + 8 * n, n)
    return (sf ? node : this.ir.zeroUpper(node)) as Value
  }
  setReg(n: number, sf: Sf, v: Value): void {
    if (n !== 31) this.setRegSp(n, sf, v)
  }
  setRegSp(n: number, sf: Sf, v: Value): void {
    if (this.finished) return
    this.xNodes[n] = sf ? v : this.ir.zeroUpper(v)
    this.dirtyX |= 1 << n
  }
  base(n: number): Value {
    const v = this.regSp(n, 1)
    if (n === 31 && this.mode & ModeBit.spAlignCheck) {
      const [base, offset] = this.split(v)
      if (base !== this.alignedBase || (offset - this.alignedOffset) & 15n) {
        this.leaveUnlessAligned(v, 15)
        this.alignedBase = base
        this.alignedOffset = offset
      }
    }
    return v
  }

  private leaveUnlessAligned(v: number, mask: number): void {
    const { ir } = this
    this.sync()
    this.effect(Effect.align, ir.i32(Op.i32And, ir.wrap(v), ir.const32(mask)), 0)
  }

  /** An address as base node and constant. */
  private split(v: number): [number, bigint] {
    const { ir } = this
    if (ir.kind[v] === Kind.op && ir.op[v] === Op.i64Add && ir.kind[ir.b[v]!] === Kind.const64) {
      return [ir.a[v]!, BigInt.asIntN(64, ir.big[ir.b[v]!]!)]
    }
    return [v, 0n]
  }

  // ---- integer arithmetic -------------------------------------------------------------------------------------------
  private sized(op64: number, op32: number, a: number, b: number, sf: Sf): Value {
    const { ir } = this
    return (sf ? ir.i64(op64, a, b) : ir.extendU(ir.i32(op32, ir.wrap(a), ir.wrap(b)))) as Value
  }
  add(a: Value, b: Value, sf: Sf = 1): Value {
    return this.sized(Op.i64Add, Op.i32Add, a, b, sf)
  }
  sub(a: Value, b: Value, sf: Sf = 1): Value {
    return this.sized(Op.i64Sub, Op.i32Sub, a, b, sf)
  }
  mul(a: Value, b: Value, sf: Sf = 1): Value {
    return this.sized(Op.i64Mul, Op.i32Mul, a, b, sf)
  }
  umulh(a: Value, b: Value): Value {
    return this.ir.call(RuntimeFunction.umulh, ValType.i64, a, b) as Value
  }
  smulh(a: Value, b: Value): Value {
    return this.ir.call(RuntimeFunction.smulh, ValType.i64, a, b) as Value
  }
  udiv(a: Value, b: Value, sf: Sf): Value {
    return integer.unsignedDivide(this.ir, a, b, sf === 1) as Value
  }
  sdiv(a: Value, b: Value, sf: Sf): Value {
    return integer.signedDivide(this.ir, a, b, sf === 1) as Value
  }
  and(a: Value, b: Value): Value {
    return this.ir.i64(Op.i64And, a, b) as Value
  }
  or(a: Value, b: Value): Value {
    return this.ir.i64(Op.i64Or, a, b) as Value
  }
  xor(a: Value, b: Value): Value {
    return this.ir.i64(Op.i64Xor, a, b) as Value
  }
  not(a: Value, sf: Sf = 1): Value {
    const { ir } = this
    return (sf ? ir.i64(Op.i64Xor, a, ir.const64(-1n)) : ir.extendU(ir.i32(Op.i32Xor, ir.wrap(a), ir.const32(-1)))) as Value
  }
  shl(a: Value, amount: Value, sf: Sf = 1): Value {
    return this.sized(Op.i64Shl, Op.i32Shl, a, amount, sf)
  }
  lsr(a: Value, amount: Value, sf: Sf = 1): Value {
    return this.sized(Op.i64ShrU, Op.i32ShrU, a, amount, sf)
  }
  asr(a: Value, amount: Value, sf: Sf = 1): Value {
    return this.sized(Op.i64ShrS, Op.i32ShrS, a, amount, sf)
  }
  ror(a: Value, amount: Value, sf: Sf = 1): Value {
    return this.sized(Op.i64Rotr, Op.i32Rotr, a, amount, sf)
  }
  clz(a: Value, sf: Sf): Value {
    return integer.countLeadingZeros(this.ir, a, sf === 1) as Value
  }
  cls(a: Value, sf: Sf): Value {
    return integer.countLeadingSigns(this.ir, a, sf === 1) as Value
  }
  rbit(a: Value, sf: Sf): Value {
    return integer.reverseBits(this.ir, a, sf === 1) as Value
  }
  rev(a: Value, containerBytes: 2 | 4 | 8, sf: Sf): Value {
    return integer.reverseBytes(this.ir, a, containerBytes, sf === 1) as Value
  }
  crc32(acc: Value, data: Value, bytes: AccessBytes, castagnoli: boolean): Value {
    const { ir } = this
    const how = ir.const32(bytes | (castagnoli ? 16 : 0))
    return ir.extendU(ir.call(RuntimeFunction.crc32, ValType.i32, ir.wrap(acc), data, how)) as Value
  }
  sext(a: Value, bits: number): Value {
    return integer.signExtend(this.ir, a, bits) as Value
  }
  zext(a: Value, bits: number): Value {
    if (bits === 64) return a
    if (bits === 32) return this.ir.zeroUpper(a) as Value
    return this.ir.i64(Op.i64And, a, this.ir.const64((1n << BigInt(bits)) - 1n)) as Value
  }
  select(c: Cond, ifTrue: Value, ifFalse: Value): Value {
    return this.ir.select(ValType.i64, c, ifTrue, ifFalse) as Value
  }

  // ---- truth values -------------------------------------------------------------------------------------------------
  eq(a: Value, b: Value): Cond {
    return this.ir.compare(Op.i64Eq, a, b) as Cond
  }
  ne(a: Value, b: Value): Cond {
    return this.ir.compare(Op.i64Ne, a, b) as Cond
  }
  ltS(a: Value, b: Value): Cond {
    return this.ir.compare(Op.i64LtS, a, b) as Cond
  }
  ltU(a: Value, b: Value): Cond {
    return this.ir.compare(Op.i64LtU, a, b) as Cond
  }
  notC(c: Cond): Cond {
    return this.ir.not32(c) as Cond
  }
  andC(a: Cond, b: Cond): Cond {
    return this.ir.i32(Op.i32And, a, b) as Cond
  }
  orC(a: Cond, b: Cond): Cond {
    return this.ir.i32(Op.i32Or, a, b) as Cond
  }
  bool(c: Cond): Value {
    return this.ir.extendU(c) as Value
  }

  // ---- PSTATE.NZCV --------------------------------------------------------------------------------------------------
  private setFlags(flags: Flags): void {
    if (this.finished) return
    this.flags = flags
    this.flagsDirty = true
  }
  private known(kind: number, a: number, b: number): Flags & { form: 'known' } {
    return { form: 'known', kind, a, b }
  }
  addFlags(a: Value, b: Value, sf: Sf): Value {
    const { ir } = this
    this.setFlags(sf ? this.known(FlagKind.add64, a, b) : this.known(FlagKind.add32, ir.zeroUpper(a), ir.zeroUpper(b)))
    return this.add(a, b, sf)
  }
  subFlags(a: Value, b: Value, sf: Sf): Value {
    const { ir } = this
    this.setFlags(sf ? this.known(FlagKind.sub64, a, b) : this.known(FlagKind.sub32, ir.zeroUpper(a), ir.zeroUpper(b)))
    return this.sub(a, b, sf)
  }
  private carry(): number {
    return this.ir.extendU(this.cond(2))
  }
  adcFlags(a: Value, b: Value, sf: Sf): Value {
    const { result, nzcv } = integer.addWithCarry(this.ir, a, b, this.carry(), sf === 1)
    this.setFlags(this.known(FlagKind.packed, nzcv, -1))
    return result as Value
  }
  adc(a: Value, b: Value, sf: Sf): Value {
    const sum = this.ir.i64(Op.i64Add, this.ir.i64(Op.i64Add, a, b), this.carry())
    return (sf ? sum : this.ir.zeroUpper(sum)) as Value
  }
  logicFlags(result: Value, sf: Sf): void {
    const a = sf ? result : this.ir.zeroUpper(result)
    this.setFlags(this.known(sf ? FlagKind.logic64 : FlagKind.logic32, a, -1))
  }
  /** Operands behind the values that addNzcv and subNzcv made, so that setNzcv can stay lazy. */
  private readonly lazyPacked = new Map<number, Flags & { form: 'known' }>()

  private lazy(flags: Flags & { form: 'known' }): Value {
    const node = packedNode(this.ir, flags)
    this.lazyPacked.clear()
    this.lazyPacked.set(node, flags)
    return node as Value
  }
  addNzcv(a: Value, b: Value, sf: Sf): Value {
    const { ir } = this
    return this.lazy(sf ? this.known(FlagKind.add64, a, b) : this.known(FlagKind.add32, ir.zeroUpper(a), ir.zeroUpper(b)))
  }
  subNzcv(a: Value, b: Value, sf: Sf): Value {
    const { ir } = this
    return this.lazy(sf ? this.known(FlagKind.sub64, a, b) : this.known(FlagKind.sub32, ir.zeroUpper(a), ir.zeroUpper(b)))
  }
  nzcv(): Value {
    return packedNode(this.ir, this.flags) as Value
  }
  setNzcv(packed: Value): void {
    const { ir } = this
    const direct = this.lazyPacked.get(packed)
    if (direct !== undefined) {
      this.setFlags(direct)
      return
    }
    if (ir.kind[packed] === Kind.op && ir.op[packed] === Op.select && ir.kind[ir.b[packed]!] === Kind.const64) {
      const yes = this.lazyPacked.get(ir.a[packed]!)
      if (yes !== undefined) {
        this.setFlags({ form: 'choice', condition: ir.c[packed]!, yes, no: Number(ir.big[ir.b[packed]!]! & 15n) })
        return
      }
    }
    this.setFlags(this.known(FlagKind.packed, ir.i64(Op.i64And, packed, ir.const64(15n)), -1))
  }
  cond(cond: number): Cond {
    const { ir } = this
    return conditionNode(ir, this.flags, cond, () => ir.callOnFlags(RuntimeFunction.nzcv, ValType.i32)) as Cond
  }

  // ---- memory -------------------------------------------------------------------------------------------------------
  /** Linear address of an access as [address node, displacement]. */
  private locate(va: number, bytes: number, options: AccessOptions, write: boolean): [number, number] {
    const alignment = options.alignment ?? bytes
    if (alignment > 1 && (options.aligned === true || this.mode & ModeBit.alignCheck)) this.leaveUnlessAligned(va, alignment - 1)
    const flags = (write || options.forWrite === true ? ProbeFlag.write : 0) | (options.unprivileged === true ? ProbeFlag.unprivileged : 0)
    const [base, offset] = this.split(va)
    const p = this.probe
    if (p !== undefined && p.instruction === this.instruction && p.base === base && p.flags === flags && !this.inIf) {
      const from = Number(offset - p.offset)
      if (from === p.bytes && from + bytes <= MERGED_PROBE_BYTES) {
        p.bytes += bytes
        this.ir.effects[p.effect * 8 + 3] = p.bytes
        return [p.address, from]
      }
    }
    this.sync()
    const address = this.ir.result(ValType.i32)
    if (!this.finished) {
      this.probe = { instruction: this.instruction, base, offset, bytes, flags, effect: this.ir.effectCount, address }
      if (this.inIf) this.probe = undefined
    }
    this.effect(Effect.probe, va, bytes, flags, address)
    return [address, 0]
  }
  load(va: Value, bytes: AccessBytes, options: AccessOptions = NONE): Value {
    const [address, displacement] = this.locate(va, bytes, options, false)
    const r = this.ir.result(ValType.i64)
    if (bytes < 8) this.ir.upperZero[r] = 1
    this.effect(Effect.load, address, displacement, LOADS[bytes]!, r)
    return r as Value
  }
  store(va: Value, bytes: AccessBytes, v: Value, options: AccessOptions = NONE): void {
    const [address, displacement] = this.locate(va, bytes, options, true)
    this.effect(Effect.store, address, displacement, STORES[bytes]!, v)
  }
  loadVec(va: Value, bytes: VecBytes, options: AccessOptions = NONE): Vec {
    const { ir } = this
    const [address, displacement] = this.locate(va, bytes, options, false)
    if (bytes <= 2) {
      const scalar = ir.result(ValType.i64)
      this.effect(Effect.load, address, displacement, LOADS[bytes]!, scalar)
      return vector.withLane(ir, vector.zeroVector(ir), 0, 64, scalar) as Vec
    }
    const r = ir.result(ValType.v128)
    this.effect(Effect.load, address, displacement, bytes === 16 ? Simd.load : bytes === 8 ? Simd.load64Zero : Simd.load32Zero, r)
    return r as Vec
  }
  storeVec(va: Value, bytes: VecBytes, v: Vec, options: AccessOptions = NONE): void {
    const [address, displacement] = this.locate(va, bytes, options, true)
    this.effect(Effect.store, address, displacement, VECTOR_STORES[bytes]!, v)
  }
  /** Leave before this instruction unless the byte at va can be read. */
  probeByte(va: number): void {
    this.sync()
    this.effect(Effect.probe, va, 1, 0, this.ir.result(ValType.i32))
  }
  zeroBlock(va: Value): void {
    if (!system.guardZva(this)) return
    this.sync()
    const address = this.ir.result(ValType.i32)
    this.effect(Effect.probe, this.ir.i64(Op.i64And, va, this.ir.const64(-64n)), 64, ProbeFlag.write, address)
    this.effect(Effect.zero64, address)
  }
  setExclusive(va: Value, bytes: number): void {
    this.storeState(Off.exclusiveAddress, va, Op.i64Store, -1)
    this.storeState(Off.exclusiveBytes, this.ir.const32(bytes), Op.i32Store, -1)
  }
  takeExclusive(va: Value, bytes: number): Cond {
    const { ir } = this
    const open = this.readState(Off.exclusiveBytes, Op.i32Load, ValType.i32)
    const at = this.readState(Off.exclusiveAddress, Op.i64Load, ValType.i64)
    // Cleared at the end of the instruction: if its store leaves, tier 0 must find the monitor as it was.
    this.clearExclusiveAfter = true
    return ir.i32(Op.i32And, ir.compare(Op.i32Eq, open, ir.const32(bytes)), ir.compare(Op.i64Eq, at, va)) as Cond
  }
  clearExclusive(): void {
    this.clearExclusiveAfter = true
  }

  // ---- control ------------------------------------------------------------------------------------------------------
  ifThen(c: Cond, body: () => void): void {
    if (this.finished) return
    if (this.ir.isConst32(c, 0)) return
    this.sync()
    const x = this.xNodes.slice()
    const v = this.vNodes.slice()
    const flags = this.flags
    const outer = this.inIf
    this.effect(Effect.ifBegin, c, this.ir.count)
    this.inIf = true
    body()
    if (this.finished) return
    this.sync()
    this.effect(Effect.ifEnd, 0)
    this.inIf = outer
    this.probe = undefined
    // What the body wrote is in CPU state now, on either path; what it read for itself is not valid outside.
    for (let n = 0; n < 32; n++) {
      this.xNodes[n] = x[n] === this.xNodes[n] ? x[n]! : -1
      this.vNodes[n] = v[n] === this.vNodes[n] ? v[n]! : -1
    }
    if (this.flags !== flags) this.flags = UNKNOWN
  }
  branch(offset: number): void {
    this.control = { effect: Effect.branch, x: this.pageOffset + offset, target: 0 }
  }
  branchIf(c: Cond, offset: number): void {
    this.control = { effect: Effect.branchIf, x: c, target: this.pageOffset + offset }
  }
  branchReg(target: Value): void {
    this.control = { effect: Effect.branchReg, x: target, target: 0 }
  }
  /** Where the instruction goes; takes effect at its end, after its register writes. */
  private control: { effect: number; x: number; target: number } | undefined

  // ---- system -------------------------------------------------------------------------------------------------------
  event(_kind: SystemEvent, _imm = 0): void {
    this.bail()
  }
  sysRead(encoding: number): Value {
    return system.sysRead(this, encoding) as Value
  }
  sysWrite(encoding: number, v: Value): void {
    system.sysWrite(this, encoding, v)
  }
  sysOp(encoding: number, v: Value): void {
    system.sysOp(this, encoding, v)
  }
  msrImm(op1: number, op2: number, imm: number): void {
    system.msrImm(this, op1, op2, imm)
  }
  barrier(kind: 'dmb' | 'dsb' | 'isb'): void {
    if (kind === 'isb') this.goto(this.pageOffset + 4)
  }

  // ---- floating point and vectors -----------------------------------------------------------------------------------
  q(n: number): Vec {
    let node = this.vNodes[n]!
    if (node < 0) node = this.vNodes[n] = this.ir.state(Simd.load, ValType.v128, Off.v + 16 * n, 32 + n)
    return node as Vec
  }
  setQ(n: number, v: Vec): void {
    if (this.finished) return
    this.vNodes[n] = v
    this.dirtyV |= 1 << n
  }
  lane(v: Vec, i: number, esize: ESize): Value {
    return vector.lane(this.ir, v, i, esize) as Value
  }
  withLane(v: Vec, i: number, esize: ESize, x: Value): Vec {
    return vector.withLane(this.ir, v, i, esize, x) as Vec
  }
  splat(x: Value, esize: ESize): Vec {
    return vector.splat(this.ir, x, esize) as Vec
  }
  vec(lo: Value, hi: Value): Vec {
    return vector.withLane(this.ir, vector.splat(this.ir, lo, 64), 1, 64, hi) as Vec
  }
  vec1(op: VecOp1, esize: ESize, a: Vec): Vec {
    return vector.vec1(this.ir, op, esize, a) as Vec
  }
  vec2(op: VecOp2, esize: ESize, a: Vec, b: Vec): Vec {
    return vector.vec2(this.ir, op, esize, a, b) as Vec
  }
  vecShift(op: VecShift, esize: ESize, a: Vec, amount: number): Vec {
    return vector.vecShift(this.ir, op, esize, a, amount) as Vec
  }
  vecSelect(mask: Vec, a: Vec, b: Vec): Vec {
    return vector.vecSelect(this.ir, mask, a, b) as Vec
  }
  vecLookup(a: Vec, index: Vec): Vec {
    return this.ir.opV(Simd.swizzle, ValType.v128, a, index) as Vec
  }
  vecShuffle(a: Vec, b: Vec, indices: readonly number[]): Vec {
    this.ir.vectors.push(Uint8Array.from(indices))
    return this.ir.opV(Simd.shuffle, ValType.v128, a, b, -1, this.ir.vectors.length - 1) as Vec
  }
  vecAny(a: Vec): Cond {
    return this.ir.op1(Simd.anyTrue, ValType.i32, a) as Cond
  }
  fp(op: FpOp, size: 16 | 32 | 64, a: Value, b?: Value, c?: Value): Value {
    const r = this.ir.result(ValType.i64)
    this.effect(Effect.fp, this.helpers.fp(op, size), a, b ?? -1, r, c ?? -1)
    return r as Value
  }
  saturated(c: Cond): void {
    this.effect(Effect.saturated, c)
  }
  crypto(op: string, a: Vec, b?: Vec, c?: Vec): Vec {
    const r = this.ir.result(ValType.v128)
    this.effect(Effect.crypto, this.helpers.crypto(op), a, b ?? -1, r, c ?? -1)
    return r as Vec
  }
}
