import { Op, ValType } from './wasm-encoder.ts'

/**
 * The intermediate form of one guest block: pure nodes (a graph) and effects (a list, in program order).
 *
 * A node is an index into parallel arrays. It is evaluated where it is first needed; what nobody needs is never
 * emitted, so a register or flag write that is overwritten before anything could observe it costs nothing.
 */
export const Kind = {
  /** 64-bit constant. */
  const64: 0,
  /** 32-bit constant in imm. */
  const32: 1,
  /** 128-bit constant, 16 bytes in `vectors`. */
  constV: 2,
  /** Page-aligned virtual address of the block plus a constant. */
  pcRelative: 3,
  /** Load of CPU state at offset imm with opcode op; c is the hazard slot. */
  state: 4,
  /** WebAssembly operation op on a, b, c; imm is a lane where the operation has one. */
  op: 5,
  /** Call of imported function imm on a, b, c: pure, or (op = hazard slot) a function of CPU state. */
  call: 6,
  /** Result of an effect, always in a local. */
  result: 7,
} as const

export const Effect = {
  /** state[x] = node y with store opcode z; w = hazard slot or -1, extra = number of nodes made before. */
  storeState: 0,
  /** result y = load opcode z of state[x]. */
  loadState: 1,
  /** result w = linear address of va x; y = bytes, z = ProbeFlag. */
  probe: 2,
  /** result w = load opcode z at linear address x + y. */
  load: 3,
  /** store node w with opcode z at linear address x + y. */
  store: 4,
  /** Leave before this instruction when x (i32) is not zero. */
  align: 5,
  /** If x; y = number of nodes made before. */
  ifBegin: 6,
  ifEnd: 7,
  /** result w = fp helper id x on the values y, z and `extra`. */
  fp: 8,
  crypto: 9,
  /** Leave before this instruction. */
  bail: 10,
  /** Go to page offset x (may be outside the page). */
  branch: 11,
  /** Condition x: to y, else to z. */
  branchIf: 12,
  /** To address x. */
  branchReg: 13,
  /** Leave after this instruction when an interrupt is pending. */
  testInterrupt: 14,
  /** Zero 64 bytes at linear address x. */
  zero64: 15,
  /** FPSR.QC |= x. */
  saturated: 16,
} as const
export const EFFECT_WORDS = 8

export const ProbeFlag = { write: 1, unprivileged: 2 } as const

/** Hazard slots: 0..31 X and SP, 32..63 V, 64 NZCV. */
export const FLAG_SLOT = 64
export const SLOT_COUNT = 65

const MASK64 = (1n << 64n) - 1n

export class Ir {
  count = 0
  kind = new Uint8Array(1024)
  type = new Uint8Array(1024)
  op = new Uint16Array(1024)
  a = new Int32Array(1024)
  b = new Int32Array(1024)
  c = new Int32Array(1024)
  imm = new Int32Array(1024)
  /** Bits 63:32 are known to be zero. */
  upperZero = new Uint8Array(1024)
  uses = new Int32Array(1024)
  /** Local that holds the node, or -1. */
  local = new Int32Array(1024)
  /** Constants of const64 and offsets of pcRelative, by node. */
  readonly big: bigint[] = []
  readonly vectors: Uint8Array[] = []

  effectCount = 0
  effects = new Int32Array(256 * EFFECT_WORDS)

  reset(): void {
    this.count = 0
    this.effectCount = 0
    this.vectors.length = 0
  }

  private grow(): void {
    const size = this.kind.length * 2
    const widen = <T extends Uint8Array | Uint16Array | Int32Array>(old: T, fresh: T): T => {
      fresh.set(old)
      return fresh
    }
    this.kind = widen(this.kind, new Uint8Array(size))
    this.type = widen(this.type, new Uint8Array(size))
    this.op = widen(this.op, new Uint16Array(size))
    this.a = widen(this.a, new Int32Array(size))
    this.b = widen(this.b, new Int32Array(size))
    this.c = widen(this.c, new Int32Array(size))
    this.imm = widen(this.imm, new Int32Array(size))
    this.upperZero = widen(this.upperZero, new Uint8Array(size))
    this.uses = widen(this.uses, new Int32Array(size))
    this.local = widen(this.local, new Int32Array(size))
  }

  private node(kind: number, type: number, op: number, a: number, b: number, c: number, imm: number): number {
    const n = this.count++
    if (n >= this.kind.length) this.grow()
    this.kind[n] = kind
    this.type[n] = type
    this.op[n] = op
    this.a[n] = a
    this.b[n] = b
    this.c[n] = c
    this.imm[n] = imm
    this.upperZero[n] = 0
    this.uses[n] = 0
    this.local[n] = -1
    return n
  }

  effect(code: number, instruction: number, x: number, y = 0, z = 0, w = 0, extra = 0): void {
    const at = this.effectCount++ * EFFECT_WORDS
    if (at >= this.effects.length) {
      const bigger = new Int32Array(this.effects.length * 2)
      bigger.set(this.effects)
      this.effects = bigger
    }
    const e = this.effects
    e[at] = code
    e[at + 1] = instruction
    e[at + 2] = x
    e[at + 3] = y
    e[at + 4] = z
    e[at + 5] = w
    e[at + 6] = extra
  }

  // ---- leaves -------------------------------------------------------------------------------------------------------
  const64(v: bigint): number {
    const n = this.node(Kind.const64, ValType.i64, 0, -1, -1, -1, 0)
    const u = v & MASK64
    this.big[n] = u
    this.upperZero[n] = u <= 0xffffffffn ? 1 : 0
    return n
  }
  const32(v: number): number {
    return this.node(Kind.const32, ValType.i32, 0, -1, -1, -1, v | 0)
  }
  constV(bytes: Uint8Array): number {
    this.vectors.push(bytes)
    return this.node(Kind.constV, ValType.v128, 0, -1, -1, -1, this.vectors.length - 1)
  }
  pcRelative(offset: bigint): number {
    const n = this.node(Kind.pcRelative, ValType.i64, 0, -1, -1, -1, 0)
    this.big[n] = offset
    return n
  }
  state(op: number, type: number, offset: number, slot: number): number {
    return this.node(Kind.state, type, op, -1, -1, slot, offset)
  }
  result(type: number): number {
    return this.node(Kind.result, type, 0, -1, -1, -1, 0)
  }
  call(index: number, type: number, a = -1, b = -1, c = -1): number {
    return this.node(Kind.call, type, 0, a, b, c, index)
  }
  /** Call of a function whose result depends on the flags in CPU state. */
  callOnFlags(index: number, type: number): number {
    return this.node(Kind.call, type, FLAG_SLOT, -1, -1, -1, index)
  }

  isConst(n: number): boolean {
    return this.kind[n] === Kind.const64 || this.kind[n] === Kind.const32
  }
  isConst64(n: number, v: bigint): boolean {
    return this.kind[n] === Kind.const64 && this.big[n] === v
  }
  isConst32(n: number, v: number): boolean {
    return this.kind[n] === Kind.const32 && this.imm[n] === v
  }

  // ---- operations, folded where all is known ------------------------------------------------------------------------
  op1(op: number, type: number, a: number, imm = 0): number {
    return this.node(Kind.op, type, op, a, -1, -1, imm)
  }
  opV(op: number, type: number, a: number, b = -1, c = -1, imm = 0): number {
    return this.node(Kind.op, type, op, a, b, c, imm)
  }

  /** 64-bit arithmetic, logic and shifts. */
  i64(op: number, a: number, b: number): number {
    const ka = this.kind[a]
    const kb = this.kind[b]
    if (kb === Kind.const64) {
      const y = this.big[b]!
      if (ka === Kind.const64) {
        const folded = fold64(op, this.big[a]!, y)
        if (folded !== undefined) return this.const64(folded)
      }
      switch (op) {
        case Op.i64Add:
          if (y === 0n) return a
          if (ka === Kind.pcRelative) return this.pcRelative(this.big[a]! + BigInt.asIntN(64, y))
          // (x + c1) + c2: chains of address arithmetic collapse.
          if (ka === Kind.op && this.op[a] === Op.i64Add && this.kind[this.b[a]!] === Kind.const64) {
            return this.i64(Op.i64Add, this.a[a]!, this.const64(this.big[this.b[a]!]! + y))
          }
          break
        case Op.i64Sub:
          if (y === 0n) return a
          return this.i64(Op.i64Add, a, this.const64(-y))
        case Op.i64Or: case Op.i64Xor:
          if (y === 0n) return a
          break
        case Op.i64Shl: case Op.i64ShrU: case Op.i64ShrS: case Op.i64Rotr:
          if ((y & 63n) === 0n) return a
          break
        case Op.i64And:
          if (y === MASK64) return a
          if (y === 0n) return b
          if (y === 0xffffffffn) return this.zeroUpper(a)
          if (ka === Kind.pcRelative && (y & 0xfffn) === 0n && y >> 12n === MASK64 >> 12n) {
            return this.pcRelative((this.big[a]! >> 12n) << 12n)
          }
          break
      }
    } else if (ka === Kind.const64) {
      switch (op) {
        case Op.i64Add: case Op.i64And: case Op.i64Or: case Op.i64Xor:
          return this.i64(op, b, a)
      }
    }
    const n = this.node(Kind.op, ValType.i64, op, a, b, -1, 0)
    const za = this.upperZero[a]!
    const zb = this.upperZero[b]!
    if (op === Op.i64And) this.upperZero[n] = za | zb
    else if (op === Op.i64Or || op === Op.i64Xor) this.upperZero[n] = za & zb
    else if (op === Op.i64ShrU && (za || (kb === Kind.const64 && (this.big[b]! & 63n) >= 32n))) this.upperZero[n] = 1
    else if (op === Op.i64DivU) this.upperZero[n] = za
    return n
  }

  /** 32-bit arithmetic, logic and shifts. */
  i32(op: number, a: number, b: number): number {
    if (this.kind[b] === Kind.const32) {
      const y = this.imm[b]!
      if (this.kind[a] === Kind.const32) {
        const folded = fold32(op, this.imm[a]!, y)
        if (folded !== undefined) return this.const32(folded)
      }
      if (y === 0) {
        switch (op) {
          case Op.i32Add: case Op.i32Sub: case Op.i32Or: case Op.i32Xor: case Op.i32Shl: case Op.i32ShrS: case Op.i32ShrU:
          case Op.i32Rotr:
            return a
          case Op.i32And:
            return b
        }
      }
      if (y === -1 && op === Op.i32And) return a
    } else if (this.kind[a] === Kind.const32) {
      switch (op) {
        case Op.i32Add: case Op.i32And: case Op.i32Or: case Op.i32Xor: case Op.i32Mul:
          return this.i32(op, b, a)
      }
    }
    return this.node(Kind.op, ValType.i32, op, a, b, -1, 0)
  }

  /** Comparison of two values of one type, giving an i32. */
  compare(op: number, a: number, b: number): number {
    if (this.kind[a] === Kind.const64 && this.kind[b] === Kind.const64) {
      const folded = foldCompare64(op, this.big[a]!, this.big[b]!)
      if (folded !== undefined) return this.const32(folded ? 1 : 0)
    }
    if (op === Op.i64Eq && this.isConst64(b, 0n)) return this.op1(Op.i64Eqz, ValType.i32, a)
    if (op === Op.i32Eq && this.isConst32(b, 0)) return this.op1(Op.i32Eqz, ValType.i32, a)
    return this.node(Kind.op, ValType.i32, op, a, b, -1, 0)
  }

  not32(c: number): number {
    if (this.kind[c] === Kind.const32) return this.const32(this.imm[c] === 0 ? 1 : 0)
    if (this.kind[c] === Kind.op) {
      const op = this.op[c]!
      const flipped = NEGATED[op]
      if (flipped !== undefined && flipped !== 0) return this.node(Kind.op, ValType.i32, flipped, this.a[c]!, this.b[c]!, -1, 0)
    }
    return this.op1(Op.i32Eqz, ValType.i32, c)
  }

  wrap(a: number): number {
    if (this.kind[a] === Kind.const64) return this.const32(Number(BigInt.asIntN(32, this.big[a]!)))
    if (this.kind[a] === Kind.op) {
      const op = this.op[a]!
      if (op === Op.i64ExtendI32U || op === Op.i64ExtendI32S) return this.a[a]!
    }
    return this.op1(Op.i32WrapI64, ValType.i32, a)
  }

  extendU(a: number): number {
    if (this.kind[a] === Kind.const32) return this.const64(BigInt(this.imm[a]! >>> 0))
    // Narrowing what is already zero-extended changes nothing.
    if (this.kind[a] === Kind.op && this.op[a] === Op.i32WrapI64 && this.upperZero[this.a[a]!]) return this.a[a]!
    const n = this.op1(Op.i64ExtendI32U, ValType.i64, a)
    this.upperZero[n] = 1
    return n
  }

  zeroUpper(a: number): number {
    return this.upperZero[a] ? a : this.extendU(this.wrap(a))
  }

  select(type: number, c: number, x: number, y: number): number {
    if (this.kind[c] === Kind.const32) return this.imm[c] !== 0 ? x : y
    if (x === y) return x
    const n = this.node(Kind.op, type, Op.select, x, y, c, 0)
    this.upperZero[n] = this.upperZero[x]! & this.upperZero[y]!
    return n
  }
}

function fold64(op: number, x: bigint, y: bigint): bigint | undefined {
  switch (op) {
    case Op.i64Add: return x + y
    case Op.i64Sub: return x - y
    case Op.i64Mul: return x * y
    case Op.i64And: return x & y
    case Op.i64Or: return x | y
    case Op.i64Xor: return x ^ y
    case Op.i64Shl: return x << (y & 63n)
    case Op.i64ShrU: return x >> (y & 63n)
    case Op.i64ShrS: return BigInt.asIntN(64, x) >> (y & 63n)
    default: return undefined
  }
}

function fold32(op: number, x: number, y: number): number | undefined {
  switch (op) {
    case Op.i32Add: return x + y
    case Op.i32Sub: return x - y
    case Op.i32And: return x & y
    case Op.i32Or: return x | y
    case Op.i32Xor: return x ^ y
    case Op.i32Shl: return x << y
    case Op.i32ShrU: return x >>> y
    case Op.i32ShrS: return x >> y
    default: return undefined
  }
}

function foldCompare64(op: number, x: bigint, y: bigint): boolean | undefined {
  const sx = BigInt.asIntN(64, x)
  const sy = BigInt.asIntN(64, y)
  switch (op) {
    case Op.i64Eq: return x === y
    case Op.i64Ne: return x !== y
    case Op.i64LtU: return x < y
    case Op.i64LtS: return sx < sy
    case Op.i64GeU: return x >= y
    case Op.i64GeS: return sx >= sy
    default: return undefined
  }
}

/** The comparison that holds exactly when the given one does not. */
const NEGATED: Record<number, number> = {
  [Op.i32Eq]: Op.i32Ne, [Op.i32Ne]: Op.i32Eq, [Op.i64Eq]: Op.i64Ne, [Op.i64Ne]: Op.i64Eq,
  [Op.i32LtS]: Op.i32GeS, [Op.i32GeS]: Op.i32LtS, [Op.i32LtU]: Op.i32GeU, [Op.i32GeU]: Op.i32LtU,
  [Op.i32GtS]: Op.i32LeS, [Op.i32LeS]: Op.i32GtS, [Op.i32GtU]: Op.i32LeU, [Op.i32LeU]: Op.i32GtU,
  [Op.i64LtS]: Op.i64GeS, [Op.i64GeS]: Op.i64LtS, [Op.i64LtU]: Op.i64GeU, [Op.i64GeU]: Op.i64LtU,
  [Op.i64GtS]: Op.i64LeS, [Op.i64LeS]: Op.i64GtS, [Op.i64GtU]: Op.i64LeU, [Op.i64LeU]: Op.i64GtU,
}
