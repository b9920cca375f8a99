import { FlagKind, JUMP_BASE, JUMP_ENTRIES, Off } from '../cpu/state.ts'
import { ByteWriter, encodeModule, type FunctionBody, Op, ValType } from './wasm-encoder.ts'

/** Indices of the functions that every module of translated code imports, in this order. */
export const RuntimeFunction = { slow: 0, nzcv: 1, umulh: 2, smulh: 3, crc32: 4, fp: 5, crypto: 6 } as const

/** Types shared by the runtime module and the translated ones. */
export const TYPES = [
  { params: [ValType.i32], results: [ValType.i32] },
  { params: [ValType.i64, ValType.i32], results: [ValType.i32] },
  { params: [], results: [ValType.i32] },
  { params: [ValType.i64, ValType.i64], results: [ValType.i64] },
  { params: [ValType.i32, ValType.i64, ValType.i32], results: [ValType.i32] },
  { params: [ValType.i32], results: [] },
] as const
const REGION_TYPE = 0

export const RUNTIME_IMPORTS = [
  { name: 'slow', type: 1 },
  { name: 'nzcv', type: 2 },
  { name: 'umulh', type: 3 },
  { name: 'smulh', type: 3 },
  { name: 'crc32', type: 4 },
  { name: 'fp', type: 5 },
  { name: 'crypto', type: 5 },
]

/** Why translated code returned; 0 goes on at Off.pc. */
export const Exit = {
  next: 0,
  /** Tier 0 must execute the instruction at Off.pc. */
  step: 1,
  /** The budget does not cover the block at Off.pc. */
  budget: 2,
  /** Interrupts were unmasked while one is pending. */
  interrupt: 3,
  /** The jump cache does not know Off.pc. */
  lookup: 4,
} as const

/** CRC tables (CRC-32, then CRC-32C), 256 words each, in the free space below RAM_BASE. */
export const CRC_TABLES = 0x80000

/** Fill the CRC tables in linear memory. */
export function writeCrcTables(u32: Uint32Array): void {
  ;[0xedb88320, 0x82f63b78].forEach((polynomial, which) => {
    for (let i = 0; i < 256; i++) {
      let v = i
      for (let bit = 0; bit < 8; bit++) v = v & 1 ? (v >>> 1) ^ polynomial : v >>> 1
      u32[(CRC_TABLES >> 2) + which * 256 + i] = v >>> 0
    }
  })
}

/** The jump cache's slot for a program counter's low 32 bits; the dispatcher computes the same. */
export function jumpIndex(pcLow: number): number {
  return ((pcLow >>> 2) ^ (pcLow >>> 16)) & (JUMP_ENTRIES - 1)
}

/**
 * The one module that owns the table: the dispatcher and what translated code calls.
 * Imports e.m, e.t, e.miss(code) -> linear address or 0, and
 * e.hostFp(id) and e.hostCrypto(id), which it passes on.
 */
export function encodeRuntimeModule(): Uint8Array {
  const imports = [{ name: 'miss', type: 0 }, { name: 'hostFp', type: 5 }, { name: 'hostCrypto', type: 5 }]
  const bodies = [run(), slow(), nzcv(), umulh(), smulh(), crc32(), passOn('fp', 1), passOn('crypto', 2)]
  return encodeModule(TYPES, imports, bodies, 1)
}

/** A function of the runtime module that calls the import at `index`. */
function passOn(name: string, index: number): FunctionBody {
  const c = new ByteWriter(8)
  c.local(Op.localGet, 0)
  c.u8(Op.call)
  c.u32(index)
  return { type: 5, name, locals: [], code: c }
}

/**
 *     loop:
 *       e = JUMP_BASE + 16 * hash(pc)
 *       if e.pc != pc or e.key != (codeKey | lookupEpoch): return Exit.lookup
 *       code = table[e.target >>> 8](e.target & 0xff)
 *       if code != 0: return code
 */
function run(): FunctionBody {
  const c = new ByteWriter(256)
  const pc = 0
  const e = 1
  const target = 2
  c.u8(Op.loop)
  c.u8(0x40)
  c.i32Const(0)
  c.memory(Op.i64Load, Off.pc)
  c.local(Op.localTee, pc)
  c.u8(Op.i32WrapI64)
  c.local(Op.localTee, e)
  c.i32Const(2)
  c.u8(Op.i32ShrU)
  c.local(Op.localGet, e)
  c.i32Const(16)
  c.u8(Op.i32ShrU)
  c.u8(Op.i32Xor)
  c.i32Const(JUMP_ENTRIES - 1)
  c.u8(Op.i32And)
  c.i32Const(4)
  c.u8(Op.i32Shl)
  c.local(Op.localTee, e)
  c.memory(Op.i64Load, JUMP_BASE)
  c.local(Op.localGet, pc)
  c.u8(Op.i64Eq)
  c.local(Op.localGet, e)
  c.memory(Op.i32Load, JUMP_BASE + 8)
  c.i32Const(0)
  c.memory(Op.i32Load, Off.codeKey)
  c.i32Const(0)
  c.memory(Op.i32Load, Off.lookupEpoch)
  c.u8(Op.i32Or)
  c.u8(Op.i32Eq)
  c.u8(Op.i32And)
  c.u8(Op.i32Eqz)
  c.u8(Op.if)
  c.u8(0x40)
  c.i32Const(Exit.lookup)
  c.u8(Op.return)
  c.u8(Op.end)
  c.local(Op.localGet, e)
  c.memory(Op.i32Load, JUMP_BASE + 12)
  c.local(Op.localTee, target)
  c.i32Const(0xff)
  c.u8(Op.i32And)
  c.local(Op.localGet, target)
  c.i32Const(8)
  c.u8(Op.i32ShrU)
  c.u8(Op.callIndirect)
  c.u32(REGION_TYPE)
  c.u32(0)
  c.local(Op.localTee, e)
  c.u8(Op.i32Eqz)
  c.u8(Op.brIf)
  c.u32(0)
  c.u8(Op.end)
  c.local(Op.localGet, e)
  return { type: 2, name: 'run', locals: [ValType.i64, ValType.i32, ValType.i32], code: c }
}

/** slow(va, code): the TLB probe failed; ask the MMU. */
function slow(): FunctionBody {
  const c = new ByteWriter(32)
  c.i32Const(0)
  c.local(Op.localGet, 0)
  c.memory(Op.i64Store, Off.missAddress)
  c.local(Op.localGet, 1)
  c.u8(Op.call)
  c.u32(0)
  return { type: 1, name: 'slow', locals: [], code: c }
}

/**
 * NZCV from the lazy flags. The 32-bit kinds become 64-bit ones by shifting their operands to the top:
 *
 *     if kind is add32, sub32 or logic32: a <<= 32, b <<= 32
 *     r = add: a + b, sub: a - b, logic: a
 *     N = r < 0, Z = r == 0, C and V by kind
 */
function nzcv(): FunctionBody {
  const c = new ByteWriter(256)
  const kind = 0
  const a = 1
  const b = 2
  const r = 3
  const get = (n: number): void => c.local(Op.localGet, n)
  const kindIs = (...kinds: number[]): void => {
    kinds.forEach((k, i) => {
      get(kind)
      c.i32Const(k)
      c.u8(Op.i32Eq)
      if (i > 0) c.u8(Op.i32Or)
    })
  }
  const top = (): void => {
    c.i64Const(63n)
    c.u8(Op.i64ShrU)
    c.u8(Op.i32WrapI64)
  }
  const begin = (type: number): void => {
    c.u8(Op.if)
    c.u8(type)
  }
  c.i32Const(0)
  c.memory(Op.i32Load, Off.flagKind)
  c.local(Op.localSet, kind)
  c.i32Const(0)
  c.memory(Op.i64Load, Off.flagA)
  c.local(Op.localSet, a)
  get(kind)
  c.u8(Op.i32Eqz)
  begin(0x40)
  get(a)
  c.u8(Op.i32WrapI64)
  c.i32Const(15)
  c.u8(Op.i32And)
  c.u8(Op.return)
  c.u8(Op.end)
  c.i32Const(0)
  c.memory(Op.i64Load, Off.flagB)
  c.local(Op.localSet, b)
  kindIs(FlagKind.add32, FlagKind.sub32, FlagKind.logic32)
  begin(0x40)
  for (const n of [a, b]) {
    get(n)
    c.i64Const(32n)
    c.u8(Op.i64Shl)
    c.local(Op.localSet, n)
  }
  c.u8(Op.end)
  const isAdd = (): void => kindIs(FlagKind.add64, FlagKind.add32)
  const isSub = (): void => kindIs(FlagKind.sub64, FlagKind.sub32)
  const choose = (type: number, add: () => void, sub: () => void, logic: () => void): void => {
    isAdd()
    begin(type)
    add()
    c.u8(Op.else)
    isSub()
    begin(type)
    sub()
    c.u8(Op.else)
    logic()
    c.u8(Op.end)
    c.u8(Op.end)
  }
  const binary = (op: number, x: number, y: number): void => {
    get(x)
    get(y)
    c.u8(op)
  }
  choose(ValType.i64, () => binary(Op.i64Add, a, b), () => binary(Op.i64Sub, a, b), () => get(a))
  c.local(Op.localTee, r)
  top()
  c.i32Const(3)
  c.u8(Op.i32Shl)
  get(r)
  c.u8(Op.i64Eqz)
  c.i32Const(2)
  c.u8(Op.i32Shl)
  c.u8(Op.i32Or)
  choose(ValType.i32, () => binary(Op.i64LtU, r, a), () => binary(Op.i64GeU, a, b), () => c.i32Const(0))
  c.i32Const(1)
  c.u8(Op.i32Shl)
  c.u8(Op.i32Or)
  const overflow = (x: number, y: number, z: number, w: number): void => {
    binary(Op.i64Xor, x, y)
    binary(Op.i64Xor, z, w)
    c.u8(Op.i64And)
    top()
  }
  choose(ValType.i32, () => overflow(a, r, b, r), () => overflow(a, b, a, r), () => c.i32Const(0))
  c.u8(Op.i32Or)
  return { type: 2, name: 'nzcv', locals: [ValType.i32, ValType.i64, ValType.i64, ValType.i64], code: c }
}

/**
 * High half of a 64 x 64 product from 32-bit halves:
 *
 *     t = ah*bl + (al*bl >>> 32);  u = al*bh + (t & 0xffffffff);  ah*bh + (t >>> 32) + (u >>> 32)
 */
function umulhBody(c: ByteWriter, a: number, b: number, t: number, u: number): void {
  const half = (n: number, high: boolean): void => {
    c.local(Op.localGet, n)
    if (high) {
      c.i64Const(32n)
      c.u8(Op.i64ShrU)
    } else {
      c.i64Const(0xffffffffn)
      c.u8(Op.i64And)
    }
  }
  const product = (ah: boolean, bh: boolean): void => {
    half(a, ah)
    half(b, bh)
    c.u8(Op.i64Mul)
  }
  const shiftDown = (): void => {
    c.i64Const(32n)
    c.u8(Op.i64ShrU)
  }
  product(true, false)
  product(false, false)
  shiftDown()
  c.u8(Op.i64Add)
  c.local(Op.localSet, t)
  product(false, true)
  half(t, false)
  c.u8(Op.i64Add)
  c.local(Op.localSet, u)
  product(true, true)
  half(t, true)
  c.u8(Op.i64Add)
  half(u, true)
  c.u8(Op.i64Add)
}

function umulh(): FunctionBody {
  const c = new ByteWriter(128)
  umulhBody(c, 0, 1, 2, 3)
  return { type: 3, name: 'umulh', locals: [ValType.i64, ValType.i64], code: c }
}

/** smulh = umulh - (a < 0 ? b : 0) - (b < 0 ? a : 0) */
function smulh(): FunctionBody {
  const c = new ByteWriter(128)
  umulhBody(c, 0, 1, 2, 3)
  for (const [sign, other] of [[0, 1], [1, 0]] as const) {
    c.local(Op.localGet, sign)
    c.i64Const(63n)
    c.u8(Op.i64ShrS)
    c.local(Op.localGet, other)
    c.u8(Op.i64And)
    c.u8(Op.i64Sub)
  }
  return { type: 3, name: 'smulh', locals: [ValType.i64, ValType.i64], code: c }
}

/** crc32(acc, data, bytes | castagnoli << 4): a table step per byte. */
function crc32(): FunctionBody {
  const c = new ByteWriter(128)
  const acc = 0
  const data = 1
  const how = 2
  const table = 3
  c.local(Op.localGet, how)
  c.i32Const(4)
  c.u8(Op.i32ShrU)
  c.i32Const(10)
  c.u8(Op.i32Shl)
  c.local(Op.localSet, table)
  c.local(Op.localGet, how)
  c.i32Const(15)
  c.u8(Op.i32And)
  c.local(Op.localSet, how)
  c.u8(Op.loop)
  c.u8(0x40)
  c.local(Op.localGet, acc)
  c.local(Op.localGet, data)
  c.u8(Op.i32WrapI64)
  c.u8(Op.i32Xor)
  c.i32Const(0xff)
  c.u8(Op.i32And)
  c.i32Const(2)
  c.u8(Op.i32Shl)
  c.local(Op.localGet, table)
  c.u8(Op.i32Add)
  c.memory(Op.i32Load, CRC_TABLES)
  c.local(Op.localGet, acc)
  c.i32Const(8)
  c.u8(Op.i32ShrU)
  c.u8(Op.i32Xor)
  c.local(Op.localSet, acc)
  c.local(Op.localGet, data)
  c.i64Const(8n)
  c.u8(Op.i64ShrU)
  c.local(Op.localSet, data)
  c.local(Op.localGet, how)
  c.i32Const(1)
  c.u8(Op.i32Sub)
  c.local(Op.localTee, how)
  c.u8(Op.brIf)
  c.u32(0)
  c.u8(Op.end)
  c.local(Op.localGet, acc)
  return { type: 4, name: 'crc32', locals: [ValType.i32], code: c }
}
