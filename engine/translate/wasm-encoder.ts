/**
 * WebAssembly's binary format: a growing byte writer with LEB128, the opcodes the translator uses, and sections.
 * Source: WebAssembly Core Specification 2.0, chapter 5 (binary format), including fixed-width SIMD.
 */

export const ValType = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const
export type ValTypeCode = 0x7f | 0x7e | 0x7b

/** Control, variables, memory and arithmetic; vector instructions are `0x100 | second byte`, see `Simd`. */
export const Op = {
  block: 0x02, loop: 0x03, if: 0x04, else: 0x05, end: 0x0b, br: 0x0c, brIf: 0x0d, brTable: 0x0e, return: 0x0f,
  call: 0x10, callIndirect: 0x11, drop: 0x1a, select: 0x1b, localGet: 0x20, localSet: 0x21, localTee: 0x22,
  i32Load: 0x28, i64Load: 0x29, i64Load8U: 0x31, i64Load16U: 0x33, i64Load32U: 0x35,
  i32Store: 0x36, i64Store: 0x37, i64Store8: 0x3c, i64Store16: 0x3d, i64Store32: 0x3e,
  i32Const: 0x41, i64Const: 0x42,
  i32Eqz: 0x45, i32Eq: 0x46, i32Ne: 0x47, i32LtS: 0x48, i32LtU: 0x49, i32GtS: 0x4a, i32GtU: 0x4b,
  i32LeS: 0x4c, i32LeU: 0x4d, i32GeS: 0x4e, i32GeU: 0x4f,
  i64Eqz: 0x50, i64Eq: 0x51, i64Ne: 0x52, i64LtS: 0x53, i64LtU: 0x54, i64GtS: 0x55, i64GtU: 0x56,
  i64LeS: 0x57, i64LeU: 0x58, i64GeS: 0x59, i64GeU: 0x5a,
  i32Clz: 0x67, i32Add: 0x6a, i32Sub: 0x6b, i32Mul: 0x6c, i32DivS: 0x6d, i32DivU: 0x6e,
  i32And: 0x71, i32Or: 0x72, i32Xor: 0x73, i32Shl: 0x74, i32ShrS: 0x75, i32ShrU: 0x76, i32Rotl: 0x77, i32Rotr: 0x78,
  i64Clz: 0x79, i64Add: 0x7c, i64Sub: 0x7d, i64Mul: 0x7e, i64DivS: 0x7f, i64DivU: 0x80,
  i64And: 0x83, i64Or: 0x84, i64Xor: 0x85, i64Shl: 0x86, i64ShrS: 0x87, i64ShrU: 0x88, i64Rotl: 0x89, i64Rotr: 0x8a,
  i32WrapI64: 0xa7, i64ExtendI32S: 0xac, i64ExtendI32U: 0xad,
  i64Extend8S: 0xc2, i64Extend16S: 0xc3, i64Extend32S: 0xc4,
} as const

const V = 0x100
export const Simd = {
  load: V | 0x00, store: V | 0x0b, const: V | 0x0c, shuffle: V | 0x0d, swizzle: V | 0x0e,
  splat8: V | 0x0f, splat16: V | 0x10, splat32: V | 0x11, splat64: V | 0x12,
  extract8U: V | 0x16, replace8: V | 0x17, extract16U: V | 0x19, replace16: V | 0x1a,
  extract32: V | 0x1b, replace32: V | 0x1c, extract64: V | 0x1d, replace64: V | 0x1e,
  not: V | 0x4d, and: V | 0x4e, andnot: V | 0x4f, or: V | 0x50, xor: V | 0x51, bitselect: V | 0x52, anyTrue: V | 0x53,
  store8Lane: V | 0x58, store16Lane: V | 0x59, store32Lane: V | 0x5a, store64Lane: V | 0x5b,
  load32Zero: V | 0x5c, load64Zero: V | 0x5d, popcnt8: V | 0x62,
} as const

/** Vector opcodes by element size: index 0 = 8, 1 = 16, 2 = 32, 3 = 64 bits; 0 where WebAssembly has none. */
export const SimdBySize: Readonly<Record<string, readonly [number, number, number, number]>> = {
  abs: [V | 0x60, V | 0x80, V | 0xa0, V | 0xc0],
  neg: [V | 0x61, V | 0x81, V | 0xa1, V | 0xc1],
  shl: [V | 0x6b, V | 0x8b, V | 0xab, V | 0xcb],
  sshr: [V | 0x6c, V | 0x8c, V | 0xac, V | 0xcc],
  ushr: [V | 0x6d, V | 0x8d, V | 0xad, V | 0xcd],
  add: [V | 0x6e, V | 0x8e, V | 0xae, V | 0xce],
  sub: [V | 0x71, V | 0x91, V | 0xb1, V | 0xd1],
  mul: [0, V | 0x95, V | 0xb5, V | 0xd5],
  addSatS: [V | 0x6f, V | 0x8f, 0, 0],
  addSatU: [V | 0x70, V | 0x90, 0, 0],
  subSatS: [V | 0x72, V | 0x92, 0, 0],
  subSatU: [V | 0x73, V | 0x93, 0, 0],
  minS: [V | 0x76, V | 0x96, V | 0xb6, 0],
  minU: [V | 0x77, V | 0x97, V | 0xb7, 0],
  maxS: [V | 0x78, V | 0x98, V | 0xb8, 0],
  maxU: [V | 0x79, V | 0x99, V | 0xb9, 0],
  eq: [V | 0x23, V | 0x2d, V | 0x37, V | 0xd6],
  gtS: [V | 0x27, V | 0x31, V | 0x3b, V | 0xd9],
  geS: [V | 0x2b, V | 0x35, V | 0x3f, V | 0xdb],
  gtU: [V | 0x28, V | 0x32, V | 0x3c, 0],
  geU: [V | 0x2c, V | 0x36, V | 0x40, 0],
}

/** A growing byte array with the encodings of the binary format. */
export class ByteWriter {
  bytes: Uint8Array
  length = 0

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity)
  }

  clear(): void {
    this.length = 0
  }

  private grow(more: number): void {
    let size = this.bytes.length * 2
    while (size < this.length + more) size *= 2
    const bigger = new Uint8Array(size)
    bigger.set(this.bytes.subarray(0, this.length))
    this.bytes = bigger
  }

  u8(v: number): void {
    if (this.length >= this.bytes.length) this.grow(1)
    this.bytes[this.length++] = v
  }

  /** Unsigned LEB128 of a 32-bit number. */
  u32(v: number): void {
    v >>>= 0
    while (v > 0x7f) {
      this.u8((v & 0x7f) | 0x80)
      v >>>= 7
    }
    this.u8(v)
  }

  /** Signed LEB128 of a 32-bit number. */
  s32(v: number): void {
    v |= 0
    for (;;) {
      const low = v & 0x7f
      v >>= 7
      if ((v === 0 && (low & 0x40) === 0) || (v === -1 && (low & 0x40) !== 0)) {
        this.u8(low)
        return
      }
      this.u8(low | 0x80)
    }
  }

  /** Signed LEB128 of a 64-bit constant, given signed or unsigned. */
  s64(value: bigint): void {
    let v = BigInt.asIntN(64, value)
    if (v >= -0x80000000n && v <= 0x7fffffffn) {
      this.s32(Number(v))
      return
    }
    for (;;) {
      const low = Number(v & 0x7fn)
      v >>= 7n
      if ((v === 0n && (low & 0x40) === 0) || (v === -1n && (low & 0x40) !== 0)) {
        this.u8(low)
        return
      }
      this.u8(low | 0x80)
    }
  }

  /** An opcode, with the 0xfd prefix for vector instructions. */
  op(code: number): void {
    if (code < 0x100) this.u8(code)
    else {
      this.u8(0xfd)
      this.u32(code & 0xff)
    }
  }

  /** A memory instruction with its alignment hint (log2, here always 0: a hint only) and offset. */
  memory(code: number, offset: number): void {
    this.op(code)
    this.u8(0)
    this.u32(offset)
  }

  i32Const(v: number): void {
    this.u8(Op.i32Const)
    this.s32(v)
  }

  i64Const(v: bigint): void {
    this.u8(Op.i64Const)
    this.s64(v)
  }

  local(code: number, index: number): void {
    this.u8(code)
    this.u32(index)
  }

  append(other: ByteWriter): void {
    if (this.length + other.length > this.bytes.length) this.grow(other.length)
    this.bytes.set(other.bytes.subarray(0, other.length), this.length)
    this.length += other.length
  }

  name(text: string): void {
    this.u32(text.length)
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i))
  }

  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }
}

export interface FunctionType {
  readonly params: readonly ValTypeCode[]
  readonly results: readonly ValTypeCode[]
}
export interface FunctionImport {
  readonly name: string
  /** Index into the module's types. */
  readonly type: number
}
export interface FunctionBody {
  readonly type: number
  /** Exported under this name. */
  readonly name: string
  /** Types of the locals after the parameters, in order. */
  readonly locals: readonly number[]
  /** Instructions without the closing `end`. */
  readonly code: ByteWriter
}

/** Reused from module to module. */
const out = new ByteWriter(1 << 16)
const section = new ByteWriter(1 << 16)
const locals = new ByteWriter(64)

/**
 * A whole module that imports memory `e.m` and functions `e.<name>`, optionally a table `e.t`, and exports its functions.
 * Function indices: imports first, then bodies.
 */
export function encodeModule(
  types: readonly FunctionType[],
  imports: readonly FunctionImport[],
  bodies: readonly FunctionBody[],
  tableMinimum = -1,
): Uint8Array {
  out.clear()
  section.clear()
  const finish = (id: number): void => {
    out.u8(id)
    out.u32(section.length)
    out.append(section)
    section.clear()
  }
  for (const b of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.u8(b)

  section.u32(types.length)
  for (const t of types) {
    section.u8(0x60)
    section.u32(t.params.length)
    for (const p of t.params) section.u8(p)
    section.u32(t.results.length)
    for (const r of t.results) section.u8(r)
  }
  finish(1)

  section.u32(1 + imports.length + (tableMinimum >= 0 ? 1 : 0))
  section.name('e')
  section.name('m')
  section.u8(0x02)
  section.u8(0x00)
  section.u32(1)
  for (const i of imports) {
    section.name('e')
    section.name(i.name)
    section.u8(0x00)
    section.u32(i.type)
  }
  if (tableMinimum >= 0) {
    section.name('e')
    section.name('t')
    section.u8(0x01)
    section.u8(0x70)
    section.u8(0x00)
    section.u32(tableMinimum)
  }
  finish(2)

  section.u32(bodies.length)
  for (const b of bodies) section.u32(b.type)
  finish(3)

  section.u32(bodies.length)
  bodies.forEach((b, i) => {
    section.name(b.name)
    section.u8(0x00)
    section.u32(imports.length + i)
  })
  finish(7)

  section.u32(bodies.length)
  for (const b of bodies) {
    locals.clear()
    encodeLocals(locals, b.locals)
    section.u32(locals.length + b.code.length + 1)
    section.append(locals)
    section.append(b.code)
    section.u8(Op.end)
  }
  finish(10)
  return out.toBytes()
}

function encodeLocals(out: ByteWriter, types: readonly number[]): void {
  let runs = 0
  for (let i = 0; i < types.length; i++) if (i === 0 || types[i] !== types[i - 1]) runs++
  out.u32(runs)
  for (let i = 0; i < types.length; ) {
    let j = i
    while (j < types.length && types[j] === types[i]) j++
    out.u32(j - i)
    out.u8(types[i]!)
    i = j
  }
}
