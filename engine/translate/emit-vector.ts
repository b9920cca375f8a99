import type { ESize, VecOp1, VecOp2, VecShift } from '../isa/builder.ts'
import type { Ir } from './ir.ts'
import { Simd, SimdBySize, ValType } from './wasm-encoder.ts'

/** Vector operations on WebAssembly's 128-bit SIMD; what it lacks for an element size is composed. */

const V = ValType.v128
const sizeIndex = (esize: ESize): 0 | 1 | 2 | 3 => (esize === 8 ? 0 : esize === 16 ? 1 : esize === 32 ? 2 : 3)

function opcode(name: string, esize: ESize): number {
  return SimdBySize[name]![sizeIndex(esize)]
}

/** The same `value` in every lane, as a constant. */
function everyLane(ir: Ir, esize: ESize, value: bigint): number {
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 16; i++) bytes[i] = Number((value >> BigInt((i * 8) % esize)) & 0xffn)
  return ir.constV(bytes)
}

export function vec1(ir: Ir, op: VecOp1, esize: ESize, a: number): number {
  switch (op) {
    case 'not': return ir.opV(Simd.not, V, a)
    case 'neg': return ir.opV(opcode('neg', esize), V, a)
    case 'abs': return ir.opV(opcode('abs', esize), V, a)
    case 'popcount': {
      let n = ir.opV(Simd.popcnt8, V, a)
      // Sum neighbouring fields until they are as wide as the element.
      for (let width = 8; width < esize; width *= 2) {
        const mask = everyLane(ir, (width * 2) as ESize, (1n << BigInt(width)) - 1n)
        const high = vecShift(ir, 'ushr', (width * 2) as ESize, n, width)
        n = ir.opV(opcode('add', (width * 2) as ESize), V, ir.opV(Simd.and, V, n, mask), high)
      }
      return n
    }
  }
}

export function vec2(ir: Ir, op: VecOp2, esize: ESize, a: number, b: number): number {
  switch (op) {
    case 'and': return ir.opV(Simd.and, V, a, b)
    case 'or': return ir.opV(Simd.or, V, a, b)
    case 'xor': return ir.opV(Simd.xor, V, a, b)
    case 'andnot': return ir.opV(Simd.andnot, V, a, b)
  }
  const direct = opcode(op, esize)
  if (direct !== 0) return ir.opV(direct, V, a, b)
  const top = BigInt(esize - 1)
  switch (op) {
    case 'mul': {
      // Bytes: products of the even and the odd ones in 16-bit lanes.
      const even = ir.opV(Simd.and, V, ir.opV(opcode('mul', 16), V, a, b), everyLane(ir, 16, 0xffn))
      const odd = ir.opV(opcode('mul', 16), V, vecShift(ir, 'ushr', 16, a, 8), vecShift(ir, 'ushr', 16, b, 8))
      return ir.opV(Simd.or, V, even, vecShift(ir, 'shl', 16, odd, 8))
    }
    case 'gtU': case 'geU': {
      const bias = everyLane(ir, esize, 1n << top)
      return vec2(ir, op === 'gtU' ? 'gtS' : 'geS', esize, ir.opV(Simd.xor, V, a, bias), ir.opV(Simd.xor, V, b, bias))
    }
    case 'minS': return vecSelect(ir, vec2(ir, 'gtS', esize, a, b), b, a)
    case 'maxS': return vecSelect(ir, vec2(ir, 'gtS', esize, a, b), a, b)
    case 'minU': return vecSelect(ir, vec2(ir, 'gtU', esize, a, b), b, a)
    case 'maxU': return vecSelect(ir, vec2(ir, 'gtU', esize, a, b), a, b)
    case 'addSatU': {
      const sum = vec2(ir, 'add', esize, a, b)
      return ir.opV(Simd.or, V, sum, vec2(ir, 'gtU', esize, a, sum))
    }
    case 'subSatU':
      return ir.opV(Simd.and, V, vec2(ir, 'sub', esize, a, b), vec2(ir, 'geU', esize, a, b))
    case 'addSatS': case 'subSatS': {
      const r = vec2(ir, op === 'addSatS' ? 'add' : 'sub', esize, a, b)
      const ab = op === 'addSatS' ? ir.opV(Simd.xor, V, b, r) : ir.opV(Simd.xor, V, a, b)
      const overflow = vecShift(ir, 'sshr', esize, ir.opV(Simd.and, V, ir.opV(Simd.xor, V, a, r), ab), esize - 1)
      // Towards the sign of a: 0x7f.. for positive, 0x80.. for negative.
      const limit = ir.opV(Simd.xor, V, vecShift(ir, 'sshr', esize, a, esize - 1), everyLane(ir, esize, (1n << top) - 1n))
      return vecSelect(ir, overflow, limit, r)
    }
    default:
      throw new Error(`no vector operation ${op} on ${esize} bits`)
  }
}

export function vecShift(ir: Ir, op: VecShift, esize: ESize, a: number, amount: number): number {
  return amount === 0 ? a : ir.opV(opcode(op, esize), V, a, ir.const32(amount))
}

export function vecSelect(ir: Ir, mask: number, a: number, b: number): number {
  return ir.opV(Simd.bitselect, V, a, b, mask)
}

export function lane(ir: Ir, v: number, i: number, esize: ESize): number {
  if (esize === 64) return ir.op1(Simd.extract64, ValType.i64, v, i)
  const op = esize === 8 ? Simd.extract8U : esize === 16 ? Simd.extract16U : Simd.extract32
  return ir.extendU(ir.op1(op, ValType.i32, v, i))
}

export function withLane(ir: Ir, v: number, i: number, esize: ESize, x: number): number {
  if (esize === 64) return ir.opV(Simd.replace64, V, v, x, -1, i)
  const op = esize === 8 ? Simd.replace8 : esize === 16 ? Simd.replace16 : Simd.replace32
  return ir.opV(op, V, v, ir.wrap(x), -1, i)
}

export function splat(ir: Ir, x: number, esize: ESize): number {
  if (esize === 64) return ir.opV(Simd.splat64, V, x)
  const op = esize === 8 ? Simd.splat8 : esize === 16 ? Simd.splat16 : Simd.splat32
  return ir.opV(op, V, ir.wrap(x))
}

export function zeroVector(ir: Ir): number {
  return ir.constV(new Uint8Array(16))
}
