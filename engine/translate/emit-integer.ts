import type { Ir } from './ir.ts'
import { Op, ValType } from './wasm-encoder.ts'

/** Integer operations that WebAssembly lacks, composed from those it has. All are pure. */

/**
 * x / 0 = 0 without a trap, without control flow:
 *
 *     q = a / (b == 0 ? 1 : b);  b == 0 ? 0 : q
 */
export function unsignedDivide(ir: Ir, a: number, b: number, wide: boolean): number {
  if (wide) {
    const isZero = ir.compare(Op.i64Eq, b, ir.const64(0n))
    const q = ir.i64(Op.i64DivU, a, ir.select(ValType.i64, isZero, ir.const64(1n), b))
    return ir.select(ValType.i64, isZero, ir.const64(0n), q)
  }
  const x = ir.wrap(a)
  const y = ir.wrap(b)
  const isZero = ir.compare(Op.i32Eq, y, ir.const32(0))
  const q = ir.i32(Op.i32DivU, x, ir.select(ValType.i32, isZero, ir.const32(1), y))
  return ir.extendU(ir.select(ValType.i32, isZero, ir.const32(0), q))
}

/** As unsignedDivide; a divisor of -1 is a negation, because WebAssembly traps on INT_MIN / -1. */
export function signedDivide(ir: Ir, a: number, b: number, wide: boolean): number {
  if (wide) {
    const special = ir.compare(Op.i64LeU, ir.i64(Op.i64Add, b, ir.const64(1n)), ir.const64(1n))
    const q = ir.i64(Op.i64DivS, a, ir.select(ValType.i64, special, ir.const64(1n), b))
    // b is 0 or -1: a * b is 0 or -a.
    return ir.select(ValType.i64, special, ir.i64(Op.i64Mul, a, b), q)
  }
  const x = ir.wrap(a)
  const y = ir.wrap(b)
  const special = ir.compare(Op.i32LeU, ir.i32(Op.i32Add, y, ir.const32(1)), ir.const32(1))
  const q = ir.i32(Op.i32DivS, x, ir.select(ValType.i32, special, ir.const32(1), y))
  return ir.extendU(ir.select(ValType.i32, special, ir.i32(Op.i32Mul, x, y), q))
}

/** ((x >> n) & mask) | ((x & mask) << n) */
function swapFields64(ir: Ir, x: number, n: number, mask: bigint): number {
  const m = ir.const64(mask)
  const by = ir.const64(BigInt(n))
  return ir.i64(Op.i64Or, ir.i64(Op.i64And, ir.i64(Op.i64ShrU, x, by), m), ir.i64(Op.i64Shl, ir.i64(Op.i64And, x, m), by))
}
function swapFields32(ir: Ir, x: number, n: number, mask: number): number {
  const m = ir.const32(mask)
  const by = ir.const32(n)
  return ir.i32(Op.i32Or, ir.i32(Op.i32And, ir.i32(Op.i32ShrU, x, by), m), ir.i32(Op.i32Shl, ir.i32(Op.i32And, x, m), by))
}

function reverseBytes32(ir: Ir, x: number): number {
  // rotl(x, 8) & 0x00ff00ff | rotr(x, 8) & 0xff00ff00
  const left = ir.i32(Op.i32And, ir.i32(Op.i32Rotl, x, ir.const32(8)), ir.const32(0x00ff00ff))
  const right = ir.i32(Op.i32And, ir.i32(Op.i32Rotr, x, ir.const32(8)), ir.const32(0xff00ff00))
  return ir.i32(Op.i32Or, left, right)
}

export function reverseBytes(ir: Ir, a: number, containerBytes: 2 | 4 | 8, wide: boolean): number {
  if (!wide) {
    const x = ir.wrap(a)
    return ir.extendU(containerBytes === 2 ? swapFields32(ir, x, 8, 0x00ff00ff) : reverseBytes32(ir, x))
  }
  let x = swapFields64(ir, a, 8, 0x00ff00ff00ff00ffn)
  if (containerBytes >= 4) x = swapFields64(ir, x, 16, 0x0000ffff0000ffffn)
  if (containerBytes === 8) x = ir.i64(Op.i64Rotr, x, ir.const64(32n))
  return x
}

export function reverseBits(ir: Ir, a: number, wide: boolean): number {
  if (!wide) {
    let x = swapFields32(ir, ir.wrap(a), 1, 0x55555555)
    x = swapFields32(ir, x, 2, 0x33333333)
    x = swapFields32(ir, x, 4, 0x0f0f0f0f)
    return ir.extendU(reverseBytes32(ir, x))
  }
  let x = swapFields64(ir, a, 1, 0x5555555555555555n)
  x = swapFields64(ir, x, 2, 0x3333333333333333n)
  x = swapFields64(ir, x, 4, 0x0f0f0f0f0f0f0f0fn)
  return reverseBytes(ir, x, 8, true)
}

export function countLeadingZeros(ir: Ir, a: number, wide: boolean): number {
  if (!wide) return ir.extendU(ir.op1(Op.i32Clz, ValType.i32, ir.wrap(a)))
  const n = ir.op1(Op.i64Clz, ValType.i64, a)
  ir.upperZero[n] = 1
  return n
}

/** Leading bits equal to the sign, without it: clz(x ^ (x >> all)) - 1. */
export function countLeadingSigns(ir: Ir, a: number, wide: boolean): number {
  if (!wide) {
    const x = ir.wrap(a)
    const y = ir.i32(Op.i32Xor, x, ir.i32(Op.i32ShrS, x, ir.const32(31)))
    return ir.extendU(ir.i32(Op.i32Sub, ir.op1(Op.i32Clz, ValType.i32, y), ir.const32(1)))
  }
  const y = ir.i64(Op.i64Xor, a, ir.i64(Op.i64ShrS, a, ir.const64(63n)))
  return ir.i64(Op.i64Sub, ir.op1(Op.i64Clz, ValType.i64, y), ir.const64(1n))
}

export function signExtend(ir: Ir, a: number, bits: number): number {
  switch (bits) {
    case 64: return a
    case 32: return ir.op1(Op.i64Extend32S, ValType.i64, a)
    case 16: return ir.op1(Op.i64Extend16S, ValType.i64, a)
    case 8: return ir.op1(Op.i64Extend8S, ValType.i64, a)
  }
  const by = ir.const64(BigInt(64 - bits))
  return ir.i64(Op.i64ShrS, ir.i64(Op.i64Shl, a, by), by)
}

/** a + b + carry (carry an i64 0 or 1) with packed NZCV, for ADC/SBC. */
export function addWithCarry(ir: Ir, a: number, b: number, carry: number, wide: boolean): { result: number; nzcv: number } {
  // On 32 bits: shifted into the top half with the low half of b filled with ones times the carry, the 64-bit rules hold;
  // done plainly instead: the 33-bit sum is exact in 64 bits.
  if (!wide) {
    const x = ir.zeroUpper(a)
    const y = ir.zeroUpper(b)
    const sum = ir.i64(Op.i64Add, ir.i64(Op.i64Add, x, y), carry)
    const result = ir.zeroUpper(sum)
    const overflow = ir.i64(Op.i64And, ir.i64(Op.i64Xor, x, result), ir.i64(Op.i64Xor, y, result))
    const n = ir.i64(Op.i64Shl, ir.i64(Op.i64ShrU, result, ir.const64(31n)), ir.const64(3n))
    const z = ir.i64(Op.i64Shl, ir.extendU(ir.compare(Op.i64Eq, result, ir.const64(0n))), ir.const64(2n))
    const c = ir.i64(Op.i64Shl, ir.i64(Op.i64ShrU, sum, ir.const64(32n)), ir.const64(1n))
    const v = ir.i64(Op.i64ShrU, overflow, ir.const64(31n))
    return { result, nzcv: ir.i64(Op.i64Or, ir.i64(Op.i64Or, n, z), ir.i64(Op.i64Or, c, v)) }
  }
  const partial = ir.i64(Op.i64Add, a, b)
  const result = ir.i64(Op.i64Add, partial, carry)
  const overflow = ir.i64(Op.i64And, ir.i64(Op.i64Xor, a, result), ir.i64(Op.i64Xor, b, result))
  const carried = ir.i32(Op.i32Or, ir.compare(Op.i64LtU, partial, a), ir.compare(Op.i64LtU, result, partial))
  const n = ir.i64(Op.i64Shl, ir.i64(Op.i64ShrU, result, ir.const64(63n)), ir.const64(3n))
  const z = ir.i64(Op.i64Shl, ir.extendU(ir.compare(Op.i64Eq, result, ir.const64(0n))), ir.const64(2n))
  const c = ir.i64(Op.i64Shl, ir.extendU(carried), ir.const64(1n))
  const v = ir.i64(Op.i64ShrU, overflow, ir.const64(63n))
  return { result, nzcv: ir.i64(Op.i64Or, ir.i64(Op.i64Or, n, z), ir.i64(Op.i64Or, c, v)) }
}
