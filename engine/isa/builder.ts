/**
 * The builder: the vocabulary in which every A64 instruction's meaning is written, once.
 *
 * Two implementations exist. `translate/evaluate.ts` performs each operation at once on the CPU state (tier 0);
 * `translate/emit.ts` records each operation and emits WebAssembly (tier 1). A meaning cannot tell them apart, so it
 * must never look at a value: a `Value` is a handle, decisions on values go through `select`, `ifThen` and `branchIf`.
 * Decisions on *fields* of the instruction word are ordinary TypeScript.
 *
 * Conventions
 * - `Value` is 64 bits. The value of a W register, of a 32-bit operation or of a narrow load is zero-extended.
 * - `Sf` is the instruction's `sf` bit: 1 = 64-bit, 0 = 32-bit. Operations that take it compute on the low 32 bits when
 *   it is 0 (ignoring the upper half of their operands) and return a zero-extended result.
 * - A meaning reads everything it needs and performs every access that may fault before its first register write,
 *   so that a fault leaves the registers as they were.
 */

declare const valueBrand: unique symbol
declare const condBrand: unique symbol
declare const vecBrand: unique symbol
/** Handle of a 64-bit value. */
export type Value = number & { readonly [valueBrand]: true }
/** Handle of a truth value. */
export type Cond = number & { readonly [condBrand]: true }
/** Handle of a 128-bit vector. */
export type Vec = number & { readonly [vecBrand]: true }

/** 1 = 64-bit, 0 = 32-bit. A plain number because it comes straight from a field. */
export type Sf = number
export type AccessBytes = 1 | 2 | 4 | 8
export type VecBytes = 1 | 2 | 4 | 8 | 16
/** Element size of a vector operation in bits. */
export type ESize = 8 | 16 | 32 | 64

export interface AccessOptions {
  /** Fault unless the address is a multiple of the access size (exclusives, atomics, load-acquire, store-release). */
  readonly aligned?: boolean
  /** LDTR/STTR: with EL0's permissions when executed at EL1. */
  readonly unprivileged?: boolean
  /** With `aligned`: the alignment in bytes when it is not the access size (pairs: 16). */
  readonly alignment?: number
  /** First access of a read-modify-write: a fault is reported as a write, and the page must be writable. */
  readonly forWrite?: boolean
}

/** System instructions that need the whole machine; tier 1 leaves them to tier 0. */
export type SystemEvent =
  | 'svc' | 'hvc' | 'smc' | 'brk' | 'hlt' | 'dcps1' | 'dcps2' | 'dcps3' | 'drps'
  | 'eret' | 'wfi' | 'wfe' | 'sev' | 'sevl' | 'yield' | 'undefined'

/** Lane-wise vector operations of one operand. Integer, per element of `esize` bits, over all 128 bits. */
export type VecOp1 = 'not' | 'neg' | 'abs' | 'popcount'
/**
 * Lane-wise vector operations of two operands. Comparisons give all-ones or zero per lane.
 * `and or xor andnot` ignore the element size (`andnot` is a & ~b). `shlV/ushrV/sshrV`: not here, see `vecShift`.
 * `addSat*`/`subSat*` saturate without touching FPSR.QC (compose QC with a comparison against the wrapped result).
 */
export type VecOp2 =
  | 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'andnot'
  | 'eq' | 'gtS' | 'geS' | 'gtU' | 'geU'
  | 'minS' | 'maxS' | 'minU' | 'maxU'
  | 'addSatS' | 'addSatU' | 'subSatS' | 'subSatU'
/** Shift every lane by one constant, 0 <= amount < esize. */
export type VecShift = 'shl' | 'ushr' | 'sshr'

export interface Builder {
  // ---- constants --------------------------------------------------------------------------------------------------
  /** A signed integer within +/-2^53, as 64-bit two's complement. */
  imm(n: number): Value
  /** Any 64-bit constant, 0 <= n < 2^64. */
  imm64(n: bigint): Value
  /** Address of this instruction plus `offset` bytes. */
  pc(offset: number): Value

  // ---- general-purpose registers ----------------------------------------------------------------------------------
  /** Register n, 31 = zero register; the low 32 bits when sf = 0. */
  reg(n: number, sf: Sf): Value
  /** Register n, 31 = the current stack pointer. */
  regSp(n: number, sf: Sf): Value
  /** Write register n (31: discard); sf = 0 truncates to 32 bits and zero-extends. */
  setReg(n: number, sf: Sf, v: Value): void
  /** Write register n, 31 = the current stack pointer. */
  setRegSp(n: number, sf: Sf, v: Value): void
  /** 64-bit base register of a load or store, 31 = SP, with the SP alignment check that SCTLR_ELx.SA/SA0 ask for. */
  base(n: number): Value

  // ---- integer arithmetic -----------------------------------------------------------------------------------------
  add(a: Value, b: Value, sf?: Sf): Value
  sub(a: Value, b: Value, sf?: Sf): Value
  mul(a: Value, b: Value, sf?: Sf): Value
  /** High 64 bits of the 128-bit product. */
  umulh(a: Value, b: Value): Value
  smulh(a: Value, b: Value): Value
  /** Division as the Arm ARM has it: x / 0 = 0, INT_MIN / -1 = INT_MIN. */
  udiv(a: Value, b: Value, sf: Sf): Value
  sdiv(a: Value, b: Value, sf: Sf): Value
  and(a: Value, b: Value): Value
  or(a: Value, b: Value): Value
  xor(a: Value, b: Value): Value
  /** Bitwise NOT (zero-extended low 32 bits when sf = 0). */
  not(a: Value, sf?: Sf): Value
  /** Shifts take the amount modulo the register size. */
  shl(a: Value, amount: Value, sf?: Sf): Value
  lsr(a: Value, amount: Value, sf?: Sf): Value
  asr(a: Value, amount: Value, sf?: Sf): Value
  ror(a: Value, amount: Value, sf?: Sf): Value
  clz(a: Value, sf: Sf): Value
  cls(a: Value, sf: Sf): Value
  rbit(a: Value, sf: Sf): Value
  /** Reverse bytes within each container of 2, 4 or 8 bytes; result zero-extended from 32 bits when sf = 0. */
  rev(a: Value, containerBytes: 2 | 4 | 8, sf: Sf): Value
  /** CRC-32 (or CRC-32C) of `bytes` bytes of `data` on accumulator `acc`. */
  crc32(acc: Value, data: Value, bytes: AccessBytes, castagnoli: boolean): Value
  /** Sign-extend the low `bits` bits (1..64) to 64. */
  sext(a: Value, bits: number): Value
  /** Keep the low `bits` bits (1..64). */
  zext(a: Value, bits: number): Value
  select(c: Cond, ifTrue: Value, ifFalse: Value): Value

  // ---- truth values -----------------------------------------------------------------------------------------------
  eq(a: Value, b: Value): Cond
  ne(a: Value, b: Value): Cond
  /** Signed less-than on all 64 bits. */
  ltS(a: Value, b: Value): Cond
  /** Unsigned less-than on all 64 bits. */
  ltU(a: Value, b: Value): Cond
  notC(c: Cond): Cond
  andC(a: Cond, b: Cond): Cond
  orC(a: Cond, b: Cond): Cond
  /** 1 or 0. */
  bool(c: Cond): Value

  // ---- PSTATE.NZCV ------------------------------------------------------------------------------------------------
  /** a + b, setting NZCV. */
  addFlags(a: Value, b: Value, sf: Sf): Value
  /** a - b, setting NZCV. */
  subFlags(a: Value, b: Value, sf: Sf): Value
  /** AddWithCarry(a, b, PSTATE.C), setting NZCV. SBCS passes not(b). */
  adcFlags(a: Value, b: Value, sf: Sf): Value
  /** AddWithCarry(a, b, PSTATE.C) without flags. */
  adc(a: Value, b: Value, sf: Sf): Value
  /** N and Z from the result, C = V = 0. */
  logicFlags(result: Value, sf: Sf): void
  /** NZCV that addFlags/subFlags would set, packed N=8 Z=4 C=2 V=1, without setting it. */
  addNzcv(a: Value, b: Value, sf: Sf): Value
  subNzcv(a: Value, b: Value, sf: Sf): Value
  /** PSTATE.NZCV packed N=8 Z=4 C=2 V=1. */
  nzcv(): Value
  setNzcv(packed: Value): void
  /** ConditionHolds(cond), cond 0..15 as encoded. */
  cond(cond: number): Cond

  // ---- memory -----------------------------------------------------------------------------------------------------
  /** Zero-extended load. */
  load(address: Value, bytes: AccessBytes, options?: AccessOptions): Value
  store(address: Value, bytes: AccessBytes, v: Value, options?: AccessOptions): void
  /** Load 1..16 bytes into the bottom of a vector whose rest is zero. */
  loadVec(address: Value, bytes: VecBytes, options?: AccessOptions): Vec
  /** Store the bottom 1..16 bytes of a vector. */
  storeVec(address: Value, bytes: VecBytes, v: Vec, options?: AccessOptions): void
  /** Zero the 64-byte block that holds `address` (DC ZVA). */
  zeroBlock(address: Value): void
  /** Local exclusive monitor: mark [address, address+bytes) */
  setExclusive(address: Value, bytes: number): void
  /** Is the monitor open for just this address and size? Clears the monitor either way. */
  takeExclusive(address: Value, bytes: number): Cond
  clearExclusive(): void

  // ---- control ----------------------------------------------------------------------------------------------------
  /** Run `body` when c holds. Values made inside may not be used outside. */
  ifThen(c: Cond, body: () => void): void
  /** Branch to this instruction's address plus `offset`. */
  branch(offset: number): void
  /** Branch to this instruction's address plus `offset` when c holds, else fall through. */
  branchIf(c: Cond, offset: number): void
  /** Branch to an address in a register. `link`: write the return address to X30 (after reading the target). */
  branchReg(target: Value): void

  // ---- system -----------------------------------------------------------------------------------------------------
  /** An exception-generating or waiting instruction; `imm` is its immediate where it has one. Ends the block. */
  event(kind: SystemEvent, imm?: number): void
  /**
   * MRS/MSR (register) by encoding: op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2 (16 bits, as in the instruction's bits
   * 20:5 with o0 already turned into op0 = 2 + o0).
   */
  sysRead(encoding: number): Value
  sysWrite(encoding: number, v: Value): void
  /** SYS (IC, DC, AT, TLBI) by encoding (op0 = 1). DC ZVA also comes here; implementations may use zeroBlock. */
  sysOp(encoding: number, v: Value): void
  /** MSR (immediate): PSTATE field by op1, op2; imm is CRm. */
  msrImm(op1: number, op2: number, imm: number): void
  /** DMB, DSB, ISB. An ISB ends the block. */
  barrier(kind: 'dmb' | 'dsb' | 'isb'): void

  // ---- floating point and vectors ---------------------------------------------------------------------------------
  /** Vector register n, all 128 bits. */
  q(n: number): Vec
  setQ(n: number, v: Vec): void
  /** Lane i of `esize` bits, zero-extended. */
  lane(v: Vec, i: number, esize: ESize): Value
  /** v with lane i replaced by the low bits of x. */
  withLane(v: Vec, i: number, esize: ESize, x: Value): Vec
  /** x in every lane. */
  splat(x: Value, esize: ESize): Vec
  /** A vector from its low and high 64 bits. */
  vec(lo: Value, hi: Value): Vec
  vec1(op: VecOp1, esize: ESize, a: Vec): Vec
  vec2(op: VecOp2, esize: ESize, a: Vec, b: Vec): Vec
  vecShift(op: VecShift, esize: ESize, a: Vec, amount: number): Vec
  /** mask ? a : b, bit by bit. */
  vecSelect(mask: Vec, a: Vec, b: Vec): Vec
  /** Bytes of table a picked by the bytes of `index`; an index above 15 gives 0. */
  vecLookup(a: Vec, index: Vec): Vec
  /** 16 constant byte indices (0..15 from a, 16..31 from b). */
  vecShuffle(a: Vec, b: Vec, indices: readonly number[]): Vec
  /** Any lane non-zero over all 128 bits? */
  vecAny(a: Vec): Cond
  /**
   * A floating-point operation by name (see `isa/fp/operations.ts`), on raw bits, under FPCR, accumulating FPSR flags.
   * `size` is the operand size in bits; the operation says how the result is sized (zero-extended).
   */
  fp(op: FpOp, size: 16 | 32 | 64, a: Value, b?: Value, c?: Value): Value
  /** Set FPSR.QC when c holds. */
  saturated(c: Cond): void
  /** AES, SHA, PMULL steps by name (see `isa/crypto/operations.ts`) on whole vectors. */
  crypto(op: string, a: Vec, b?: Vec, c?: Vec): Vec
}

/** Names of the floating-point operations; `isa/fp/operations.ts` holds their meaning and is the list's authority. */
export type FpOp = string
