import { crc32 } from '../isa/crc32.ts'
import type { Decoded } from '../isa/decode.ts'
import type {
  AccessBytes, AccessOptions, Builder, Cond, ESize, FpOp, Sf, SystemEvent, Value, Vec, VecBytes, VecOp1, VecOp2, VecShift,
} from '../isa/builder.ts'
import { cryptoOperation } from '../isa/crypto/operations.ts'
import { fpOperation } from '../isa/fp/operations.ts'
import type { CpuPort } from '../cpu/port.ts'
import { type CpuState, FlagKind, ModeBit, Off } from '../cpu/state.ts'
import { EvaluatedMemory } from './evaluate-memory.ts'
import { vec1, vec2, vecShift } from './evaluate-vector.ts'

const MASK32 = 0xffffffffn
/** Encoding of DC ZVA: op0 = 1, op1 = 3, CRn = 7, CRm = 4, op2 = 1. */
export const DC_ZVA = (1 << 14) | (3 << 11) | (7 << 7) | (4 << 3) | 1
const NONE: AccessOptions = {}
const SLOTS = 16384

/** i32 indices of state words. */
const I = {
  pc: Off.pc >> 2,
  flagKind: Off.flagKind >> 2,
  codeKey: Off.codeKey >> 2,
  exclusiveBytes: Off.exclusiveBytes >> 2,
  fpcr: Off.fpcr >> 2,
  fpsr: Off.fpsr >> 2,
}
/** u64 indices. */
const L = { flagA: Off.flagA >> 3, flagB: Off.flagB >> 3, v: Off.v >> 3, pc: Off.pc >> 3, exclusiveAddress: Off.exclusiveAddress >> 3 }

/**
 * Tier 0: the builder that performs each operation at once.
 *
 * A handle is an index into `slots`, an array of 64-bit words that starts over with each instruction; a vector takes
 * two words. Values stay in typed arrays, so in optimised code no BigInt object is ever made.
 */
export class Evaluator implements Builder {
  private readonly slots = new BigUint64Array(SLOTS)
  private readonly half = new Int32Array(this.slots.buffer)
  private readonly bytes = new Uint8Array(this.slots.buffer)
  private readonly state: CpuState
  private readonly memory: EvaluatedMemory
  private used = 0
  private branched = false
  private word = 0

  constructor(private readonly cpu: CpuPort) {
    this.state = cpu.state
    this.memory = new EvaluatedMemory(cpu)
  }

  /**
   * Execute the instruction at Off.pc and move Off.pc to the next one.
   * @throws GuestException, with Off.pc and the registers as before the instruction.
   */
  step(d: Decoded): void {
    this.used = 0
    this.branched = false
    this.word = d.word
    const { state } = this
    const feature = d.row.feature
    if (feature !== undefined && state.i32[I.codeKey]! & ModeBit.fpTrap && feature !== 'crc32' && feature !== 'lse') {
      this.cpu.checkFp()
    }
    d.row.meaning(this, d.fields)
    if (!this.branched) advance(state.i32, 4)
  }

  private put(v: bigint): Value {
    const d = this.used++
    this.slots[d] = v
    return d as Value
  }

  private putHalves(low: number, high: number): Value {
    const d = this.used++
    this.half[2 * d] = low
    this.half[2 * d + 1] = high
    return d as Value
  }

  private truth(c: boolean): Cond {
    const d = this.used++
    this.half[2 * d] = c ? 1 : 0
    this.half[2 * d + 1] = 0
    return d as unknown as Cond
  }

  private isTrue(c: Cond): boolean {
    return this.half[2 * c] !== 0
  }

  private get(v: Value): bigint {
    return this.slots[v]!
  }

  private signed(v: Value, sf: Sf): bigint {
    return sf ? BigInt.asIntN(64, this.slots[v]!) : BigInt.asIntN(32, this.slots[v]!)
  }

  private sized(v: Value, sf: Sf): bigint {
    return sf ? this.slots[v]! : this.slots[v]! & MASK32
  }

  // ---- constants and registers --------------------------------------------------------------------------------------
  imm(n: number): Value {
    return this.putHalves(n | 0, Math.floor(n / 4294967296))
  }
  imm64(n: bigint): Value {
    return this.put(n)
  }
  pc(offset: number): Value {
    return this.put(BigInt.asUintN(64, this.state.u64[L.pc]! + BigInt(offset)))
  }
  reg(n: number, sf: Sf): Value {
    return n === 31 ? this.putHalves(0, 0) : this.regSp(n, sf)
  }
  regSp(n: number, sf: Sf): Value {
    const i32 = this.state.i32
    return this.putHalves(i32[2 * n]!, sf ? i32[2 * n + 1]! : 0)
  }
  setReg(n: number, sf: Sf, v: Value): void {
    if (n !== 31) this.setRegSp(n, sf, v)
  }
  setRegSp(n: number, sf: Sf, v: Value): void {
    const i32 = this.state.i32
    i32[2 * n] = this.half[2 * v]!
    i32[2 * n + 1] = sf ? this.half[2 * v + 1]! : 0
  }
  base(n: number): Value {
    const v = this.regSp(n, 1)
    if (n === 31 && this.half[2 * v]! & 15 && this.state.i32[I.codeKey]! & ModeBit.spAlignCheck) this.cpu.spAlignmentFault()
    return v
  }

  // ---- integer arithmetic -------------------------------------------------------------------------------------------
  add(a: Value, b: Value, sf: Sf = 1): Value {
    if (sf) return this.put(BigInt.asUintN(64, this.slots[a]! + this.slots[b]!))
    return this.putHalves((this.half[2 * a]! + this.half[2 * b]!) | 0, 0)
  }
  sub(a: Value, b: Value, sf: Sf = 1): Value {
    if (sf) return this.put(BigInt.asUintN(64, this.slots[a]! - this.slots[b]!))
    return this.putHalves((this.half[2 * a]! - this.half[2 * b]!) | 0, 0)
  }
  mul(a: Value, b: Value, sf: Sf = 1): Value {
    if (sf) return this.put(BigInt.asUintN(64, this.slots[a]! * this.slots[b]!))
    return this.putHalves(Math.imul(this.half[2 * a]!, this.half[2 * b]!), 0)
  }
  umulh(a: Value, b: Value): Value {
    return this.put((this.get(a) * this.get(b)) >> 64n)
  }
  smulh(a: Value, b: Value): Value {
    return this.put(BigInt.asUintN(64, (this.signed(a, 1) * this.signed(b, 1)) >> 64n))
  }
  udiv(a: Value, b: Value, sf: Sf): Value {
    const d = this.sized(b, sf)
    return this.put(d === 0n ? 0n : this.sized(a, sf) / d)
  }
  sdiv(a: Value, b: Value, sf: Sf): Value {
    const d = this.signed(b, sf)
    return this.put(d === 0n ? 0n : BigInt.asUintN(sf ? 64 : 32, this.signed(a, sf) / d))
  }
  and(a: Value, b: Value): Value {
    return this.putHalves(this.half[2 * a]! & this.half[2 * b]!, this.half[2 * a + 1]! & this.half[2 * b + 1]!)
  }
  or(a: Value, b: Value): Value {
    return this.putHalves(this.half[2 * a]! | this.half[2 * b]!, this.half[2 * a + 1]! | this.half[2 * b + 1]!)
  }
  xor(a: Value, b: Value): Value {
    return this.putHalves(this.half[2 * a]! ^ this.half[2 * b]!, this.half[2 * a + 1]! ^ this.half[2 * b + 1]!)
  }
  not(a: Value, sf: Sf = 1): Value {
    return this.putHalves(~this.half[2 * a]!, sf ? ~this.half[2 * a + 1]! : 0)
  }
  shl(a: Value, amount: Value, sf: Sf = 1): Value {
    const n = this.half[2 * amount]! & (sf ? 63 : 31)
    if (!sf) return this.putHalves(this.half[2 * a]! << n, 0)
    const low = this.half[2 * a]!
    if (n === 0) return this.putHalves(low, this.half[2 * a + 1]!)
    if (n >= 32) return this.putHalves(0, low << (n - 32))
    return this.putHalves(low << n, (this.half[2 * a + 1]! << n) | (low >>> (32 - n)))
  }
  lsr(a: Value, amount: Value, sf: Sf = 1): Value {
    const n = this.half[2 * amount]! & (sf ? 63 : 31)
    if (!sf) return this.putHalves(this.half[2 * a]! >>> n, 0)
    const high = this.half[2 * a + 1]!
    if (n === 0) return this.putHalves(this.half[2 * a]!, high)
    if (n >= 32) return this.putHalves(high >>> (n - 32), 0)
    return this.putHalves((this.half[2 * a]! >>> n) | (high << (32 - n)), high >>> n)
  }
  asr(a: Value, amount: Value, sf: Sf = 1): Value {
    const n = this.half[2 * amount]! & (sf ? 63 : 31)
    if (!sf) return this.putHalves(this.half[2 * a]! >> n, 0)
    const high = this.half[2 * a + 1]!
    if (n === 0) return this.putHalves(this.half[2 * a]!, high)
    if (n >= 32) return this.putHalves(high >> (n - 32), high >> 31)
    return this.putHalves((this.half[2 * a]! >>> n) | (high << (32 - n)), high >> n)
  }
  ror(a: Value, amount: Value, sf: Sf = 1): Value {
    const bits = sf ? 64 : 32
    const n = this.half[2 * amount]! & (bits - 1)
    const v = this.sized(a, sf)
    return this.put(BigInt.asUintN(bits, (v >> BigInt(n)) | (v << BigInt(bits - n))))
  }
  clz(a: Value, sf: Sf): Value {
    const low = this.half[2 * a]!
    if (!sf) return this.putHalves(Math.clz32(low), 0)
    const high = this.half[2 * a + 1]!
    return this.putHalves(high !== 0 ? Math.clz32(high) : 32 + Math.clz32(low), 0)
  }
  cls(a: Value, sf: Sf): Value {
    const low = this.half[2 * a]!
    if (!sf) return this.putHalves(Math.clz32(low ^ (low >> 31)) - 1, 0)
    const high = this.half[2 * a + 1]!
    const sign = high >> 31
    const h = high ^ sign
    return this.putHalves((h !== 0 ? Math.clz32(h) : 32 + Math.clz32(low ^ sign)) - 1, 0)
  }
  rbit(a: Value, sf: Sf): Value {
    const low = reverseBits(this.half[2 * a]!)
    return sf ? this.putHalves(reverseBits(this.half[2 * a + 1]!), low) : this.putHalves(low, 0)
  }
  rev(a: Value, containerBytes: 2 | 4 | 8, sf: Sf): Value {
    const low = swapBytes(this.half[2 * a]!)
    const high = swapBytes(this.half[2 * a + 1]!)
    if (containerBytes === 8) return this.putHalves(high, low)
    const rotate = containerBytes === 2
    return this.putHalves(rotate ? swapHalves(low) : low, sf ? (rotate ? swapHalves(high) : high) : 0)
  }
  crc32(acc: Value, data: Value, bytes: AccessBytes, castagnoli: boolean): Value {
    return this.putHalves(crc32(this.half[2 * acc]!, this.half[2 * data]!, this.half[2 * data + 1]!, bytes, castagnoli), 0)
  }
  sext(a: Value, bits: number): Value {
    const low = this.half[2 * a]!
    const high = this.half[2 * a + 1]!
    if (bits > 32) return this.putHalves(low, (high << (64 - bits)) >> (64 - bits))
    const l = (low << (32 - bits)) >> (32 - bits)
    return this.putHalves(l, l >> 31)
  }
  zext(a: Value, bits: number): Value {
    const low = this.half[2 * a]!
    const high = this.half[2 * a + 1]!
    if (bits > 32) return this.putHalves(low, (high << (64 - bits)) >>> (64 - bits))
    return this.putHalves((low << (32 - bits)) >>> (32 - bits), 0)
  }
  select(c: Cond, ifTrue: Value, ifFalse: Value): Value {
    return this.isTrue(c) ? ifTrue : ifFalse
  }

  // ---- truth values -------------------------------------------------------------------------------------------------
  eq(a: Value, b: Value): Cond {
    return this.truth(this.same(a, b))
  }
  ne(a: Value, b: Value): Cond {
    return this.truth(!this.same(a, b))
  }
  private same(a: Value, b: Value): boolean {
    return this.half[2 * a] === this.half[2 * b] && this.half[2 * a + 1] === this.half[2 * b + 1]
  }
  ltS(a: Value, b: Value): Cond {
    const ha = this.half[2 * a + 1]!
    const hb = this.half[2 * b + 1]!
    return this.truth(ha < hb || (ha === hb && this.half[2 * a]! >>> 0 < this.half[2 * b]! >>> 0))
  }
  ltU(a: Value, b: Value): Cond {
    const ha = this.half[2 * a + 1]! >>> 0
    const hb = this.half[2 * b + 1]! >>> 0
    return this.truth(ha < hb || (ha === hb && this.half[2 * a]! >>> 0 < this.half[2 * b]! >>> 0))
  }
  notC(c: Cond): Cond {
    return this.truth(!this.isTrue(c))
  }
  andC(a: Cond, b: Cond): Cond {
    return this.truth(this.isTrue(a) && this.isTrue(b))
  }
  orC(a: Cond, b: Cond): Cond {
    return this.truth(this.isTrue(a) || this.isTrue(b))
  }
  bool(c: Cond): Value {
    return this.putHalves(this.isTrue(c) ? 1 : 0, 0)
  }

  // ---- PSTATE.NZCV --------------------------------------------------------------------------------------------------
  private lazyFlags(kind: number, a: Value, b: Value, sf: Sf): void {
    this.state.i32[I.flagKind] = kind
    this.state.u64[L.flagA] = this.sized(a, sf)
    this.state.u64[L.flagB] = this.sized(b, sf)
  }
  addFlags(a: Value, b: Value, sf: Sf): Value {
    this.lazyFlags(sf ? FlagKind.add64 : FlagKind.add32, a, b, sf)
    return this.add(a, b, sf)
  }
  subFlags(a: Value, b: Value, sf: Sf): Value {
    this.lazyFlags(sf ? FlagKind.sub64 : FlagKind.sub32, a, b, sf)
    return this.sub(a, b, sf)
  }
  adcFlags(a: Value, b: Value, sf: Sf): Value {
    const [result, nzcv] = addWithCarry(this.sized(a, sf), this.sized(b, sf), this.carry(), sf ? 64 : 32)
    this.state.setNzcv(nzcv)
    return this.put(result)
  }
  adc(a: Value, b: Value, sf: Sf): Value {
    return this.put(addWithCarry(this.sized(a, sf), this.sized(b, sf), this.carry(), sf ? 64 : 32)[0])
  }
  private carry(): bigint {
    return this.state.nzcv() & 2 ? 1n : 0n
  }
  logicFlags(result: Value, sf: Sf): void {
    this.lazyFlags(sf ? FlagKind.logic64 : FlagKind.logic32, result, result, sf)
  }
  addNzcv(a: Value, b: Value, sf: Sf): Value {
    return this.imm(addWithCarry(this.sized(a, sf), this.sized(b, sf), 0n, sf ? 64 : 32)[1])
  }
  subNzcv(a: Value, b: Value, sf: Sf): Value {
    const bits = sf ? 64 : 32
    return this.imm(addWithCarry(this.sized(a, sf), BigInt.asUintN(bits, ~this.get(b)), 1n, bits)[1])
  }
  nzcv(): Value {
    return this.imm(this.state.nzcv())
  }
  setNzcv(packed: Value): void {
    this.state.setNzcv(this.half[2 * packed]! & 15)
  }
  cond(cond: number): Cond {
    return this.truth(conditionHolds(this.state.nzcv(), cond))
  }

  // ---- memory -------------------------------------------------------------------------------------------------------
  load(address: Value, bytes: AccessBytes, options: AccessOptions = NONE): Value {
    const d = this.used++
    this.memory.load(this.half[2 * address]!, this.half[2 * address + 1]!, bytes, options, this.bytes, d * 8)
    if (bytes < 8) this.clearAbove(d * 8, bytes, 8)
    return d as Value
  }
  store(address: Value, bytes: AccessBytes, v: Value, options: AccessOptions = NONE): void {
    this.memory.store(this.half[2 * address]!, this.half[2 * address + 1]!, bytes, options, this.bytes, v * 8)
  }
  loadVec(address: Value, bytes: VecBytes, options: AccessOptions = NONE): Vec {
    const d = this.used
    this.used += 2
    this.memory.load(this.half[2 * address]!, this.half[2 * address + 1]!, bytes, options, this.bytes, d * 8)
    this.clearAbove(d * 8, bytes, 16)
    return d as unknown as Vec
  }
  storeVec(address: Value, bytes: VecBytes, v: Vec, options: AccessOptions = NONE): void {
    this.memory.store(this.half[2 * address]!, this.half[2 * address + 1]!, bytes, options, this.bytes, v * 8)
  }
  private clearAbove(at: number, from: number, to: number): void {
    for (let i = from; i < to; i++) this.bytes[at + i] = 0
  }
  zeroBlock(address: Value): void {
    this.cpu.checkZva()
    this.memory.zeroBlock(this.half[2 * address]! & ~63, this.half[2 * address + 1]!)
  }
  setExclusive(address: Value, bytes: number): void {
    this.state.u64[L.exclusiveAddress] = this.get(address)
    this.state.i32[I.exclusiveBytes] = bytes
  }
  takeExclusive(address: Value, bytes: number): Cond {
    const open = this.state.i32[I.exclusiveBytes] === bytes && this.state.u64[L.exclusiveAddress] === this.get(address)
    this.state.i32[I.exclusiveBytes] = 0
    return this.truth(open)
  }
  clearExclusive(): void {
    this.state.i32[I.exclusiveBytes] = 0
  }

  // ---- control ------------------------------------------------------------------------------------------------------
  ifThen(c: Cond, body: () => void): void {
    if (this.isTrue(c)) body()
  }
  branch(offset: number): void {
    this.branched = true
    advance(this.state.i32, offset)
  }
  branchIf(c: Cond, offset: number): void {
    if (this.isTrue(c)) this.branch(offset)
  }
  branchReg(target: Value): void {
    this.branched = true
    const top = this.half[2 * target + 1]! >> 24
    if (top !== 0 && top !== -1) {
      this.state.pc = this.cpu.branchAddress(this.get(target))
      return
    }
    this.state.i32[I.pc] = this.half[2 * target]!
    this.state.i32[I.pc + 1] = this.half[2 * target + 1]!
  }

  // ---- system -------------------------------------------------------------------------------------------------------
  event(kind: SystemEvent, imm = 0): void {
    this.branched = true
    this.cpu.event(kind, imm, this.word)
  }
  sysRead(encoding: number): Value {
    return this.put(this.cpu.sysRead(encoding))
  }
  sysWrite(encoding: number, v: Value): void {
    this.cpu.sysWrite(encoding, this.get(v))
  }
  sysOp(encoding: number, v: Value): void {
    if (encoding === DC_ZVA) this.zeroBlock(v)
    else this.cpu.sysOp(encoding, this.get(v))
  }
  msrImm(op1: number, op2: number, imm: number): void {
    this.cpu.msrImm(op1, op2, imm)
  }
  barrier(): void {
    // One processor, sequential execution: memory order is program order.
  }

  // ---- floating point and vectors -----------------------------------------------------------------------------------
  private putVec(lo: bigint, hi: bigint): Vec {
    const d = this.used
    this.used += 2
    this.slots[d] = lo
    this.slots[d + 1] = hi
    return d as unknown as Vec
  }
  private freshVec(): Vec {
    const d = this.used
    this.used += 2
    return d as unknown as Vec
  }
  q(n: number): Vec {
    return this.putVec(this.state.u64[L.v + 2 * n]!, this.state.u64[L.v + 2 * n + 1]!)
  }
  setQ(n: number, v: Vec): void {
    this.state.u64[L.v + 2 * n] = this.slots[v]!
    this.state.u64[L.v + 2 * n + 1] = this.slots[v + 1]!
  }
  lane(v: Vec, i: number, esize: ESize): Value {
    const perWord = 64 / esize
    const shift = BigInt((i % perWord) * esize)
    return this.put(BigInt.asUintN(esize, this.slots[v + Math.floor(i / perWord)]! >> shift))
  }
  withLane(v: Vec, i: number, esize: ESize, x: Value): Vec {
    const d = this.putVec(this.slots[v]!, this.slots[v + 1]!)
    const size = esize >> 3
    for (let k = 0; k < size; k++) this.bytes[d * 8 + i * size + k] = this.bytes[x * 8 + k]!
    return d
  }
  splat(x: Value, esize: ESize): Vec {
    const d = this.freshVec()
    const size = esize >> 3
    for (let k = 0; k < 16; k++) this.bytes[d * 8 + k] = this.bytes[x * 8 + (k % size)]!
    return d
  }
  vec(lo: Value, hi: Value): Vec {
    return this.putVec(this.get(lo), this.get(hi))
  }
  vec1(op: VecOp1, esize: ESize, a: Vec): Vec {
    const d = this.freshVec()
    vec1(this.slots, op, esize, d, a)
    return d
  }
  vec2(op: VecOp2, esize: ESize, a: Vec, b: Vec): Vec {
    const d = this.freshVec()
    vec2(this.slots, op, esize, d, a, b)
    return d
  }
  vecShift(op: VecShift, esize: ESize, a: Vec, amount: number): Vec {
    const d = this.freshVec()
    vecShift(this.slots, op, esize, d, a, amount)
    return d
  }
  vecSelect(mask: Vec, a: Vec, b: Vec): Vec {
    const pick = (i: number) => (this.slots[mask + i]! & this.slots[a + i]!) | (~this.slots[mask + i]! & this.slots[b + i]!)
    return this.putVec(BigInt.asUintN(64, pick(0)), BigInt.asUintN(64, pick(1)))
  }
  vecLookup(a: Vec, index: Vec): Vec {
    const d = this.freshVec()
    for (let k = 0; k < 16; k++) {
      const i = this.bytes[index * 8 + k]!
      this.bytes[d * 8 + k] = i < 16 ? this.bytes[a * 8 + i]! : 0
    }
    return d
  }
  vecShuffle(a: Vec, b: Vec, indices: readonly number[]): Vec {
    const d = this.freshVec()
    for (let k = 0; k < 16; k++) {
      const i = indices[k]!
      this.bytes[d * 8 + k] = i < 16 ? this.bytes[a * 8 + i]! : this.bytes[b * 8 + i - 16]!
    }
    return d
  }
  vecAny(a: Vec): Cond {
    return this.truth((this.slots[a]! | this.slots[a + 1]!) !== 0n)
  }
  fp(op: FpOp, size: 16 | 32 | 64, a: Value, b?: Value, c?: Value): Value {
    const { i32 } = this.state
    const env = { fpcr: i32[I.fpcr]!, fpsr: i32[I.fpsr]! }
    const result = fpOperation(op, size, this.get(a), b === undefined ? 0n : this.get(b), c === undefined ? 0n : this.get(c), env)
    i32[I.fpsr] = env.fpsr
    return this.put(result)
  }
  saturated(c: Cond): void {
    if (this.isTrue(c)) this.state.i32[I.fpsr]! |= 1 << 27
  }
  crypto(op: string, a: Vec, b?: Vec, c?: Vec): Vec {
    const bytesOf = (v: Vec | undefined) => (v === undefined ? new Uint8Array(16) : this.bytes.slice(v * 8, v * 8 + 16))
    const d = this.freshVec()
    this.bytes.set(cryptoOperation(op, bytesOf(a), bytesOf(b), bytesOf(c)), d * 8)
    return d
  }
}

/** Off.pc += offset, |offset| < 2^31. */
function advance(i32: Int32Array, offset: number): void {
  const low = i32[I.pc]! >>> 0
  const sum = low + offset
  i32[I.pc] = sum | 0
  if (sum < 0 || sum > 0xffffffff) i32[I.pc + 1]! += sum < 0 ? -1 : 1
}

/** AddWithCarry of the Arm ARM on `bits`-wide unsigned operands: result and packed NZCV. */
function addWithCarry(a: bigint, b: bigint, carry: bigint, bits: 32 | 64): [bigint, number] {
  const sum = a + b + carry
  const r = BigInt.asUintN(bits, sum)
  const top = BigInt(bits - 1)
  const n = Number(r >> top) << 3
  const z = r === 0n ? 4 : 0
  const c = sum !== r ? 2 : 0
  const v = Number(((~(a ^ b) & (a ^ r)) >> top) & 1n)
  return [r, n | z | c | v]
}

/** ConditionHolds of the Arm ARM, on packed NZCV. */
export function conditionHolds(nzcv: number, cond: number): boolean {
  const n = (nzcv & 8) !== 0
  const z = (nzcv & 4) !== 0
  const c = (nzcv & 2) !== 0
  const v = (nzcv & 1) !== 0
  let holds: boolean
  switch (cond >> 1) {
    case 0: holds = z; break
    case 1: holds = c; break
    case 2: holds = n; break
    case 3: holds = v; break
    case 4: holds = c && !z; break
    case 5: holds = n === v; break
    case 6: holds = n === v && !z; break
    default: return true
  }
  return cond & 1 ? !holds : holds
}

function swapBytes(v: number): number {
  return ((v & 0xff) << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24)
}

function swapHalves(v: number): number {
  return (v << 16) | (v >>> 16)
}

function reverseBits(v: number): number {
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1)
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2)
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4)
  return swapBytes(v)
}

