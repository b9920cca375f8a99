import type { Vec } from '../builder.ts'
import type { Operation1, Operation2 } from './integer.ts'
import type { Lanes } from './lanes.ts'

/**
 * Floating-point operations on the elements of vectors, 32 or 64 bits. Sign changes are bit operations on the whole
 * vector; everything else goes element by element through `Builder.fp`.
 */
export const sizeOfLanes = (l: Lanes): 32 | 64 => l.esize as 32 | 64

export const fneg = (l: Lanes, a: Vec): Vec => l.xor(a, l.minimum())
export const fabs = (l: Lanes, a: Vec): Vec => l.andnot(a, l.minimum())

/** An operation of one operand by its name in `isa/fp/operations.ts`. */
export const fp1 = (op: string): Operation1 => (l, a) => l.map((i) => l.t.fp(op, sizeOfLanes(l), l.u(a, i)))
/** The same for names that depend on the element size. */
export const fp1Sized = (op: (esize: number) => string): Operation1 => (l, a) => fp1(op(l.esize))(l, a, () => a)
export const fp2 = (op: string): Operation2 => (l, a, b) =>
  l.map((i) => l.t.fp(op, sizeOfLanes(l), l.u(a, i), l.u(b, i)))

export const fmla: Operation2 = (l, a, b, d) => {
  const addend = d()
  return l.map((i) => l.t.fp('fma', sizeOfLanes(l), l.u(addend, i), l.u(a, i), l.u(b, i)))
}
export const fmls: Operation2 = (l, a, b, d) => fmla(l, fneg(l, a), b, d)
export const fabd: Operation2 = (l, a, b, d) => fabs(l, fp2('sub')(l, a, b, d))
/** FACGE, FACGT: compare absolute values. */
export const absoluteCompare = (op: 'ge' | 'gt'): Operation2 => (l, a, b, d) => fp2(op)(l, fabs(l, a), fabs(l, b), d)
/** Comparisons against zero; `le` and `lt` exchange the operands. */
export const compareZero = (op: 'eq' | 'ge' | 'gt' | 'le' | 'lt'): Operation1 => (l, a, d) => {
  switch (op) {
    case 'le': return fp2('ge')(l, l.zero(), a, d)
    case 'lt': return fp2('gt')(l, l.zero(), a, d)
    default: return fp2(op)(l, a, l.zero(), d)
  }
}
