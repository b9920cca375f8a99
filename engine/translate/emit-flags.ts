import { FlagKind } from '../cpu/state.ts'
import { type Ir, Kind } from './ir.ts'
import { RuntimeFunction } from './runtime-module.ts'
import { Op, ValType } from './wasm-encoder.ts'

/**
 * What the translator knows of NZCV at a point of a block: nothing (`unknown`: it is in CPU state), the operands of
 * the operation that set it, or a choice between two such (CCMP). Conditions become direct comparisons of operands.
 */
export type Flags =
  | { readonly form: 'unknown' }
  /** kind: a FlagKind; a, b: value nodes (b unused for logic and packed). */
  | { readonly form: 'known'; readonly kind: number; readonly a: number; readonly b: number }
  | { readonly form: 'choice'; readonly condition: number; readonly yes: Flags & { form: 'known' }; readonly no: number }

const N = 8
const Z = 4
const C = 2
const V = 1

/** ConditionHolds(cond) as an i32 node, 0 or 1. `packed` gives NZCV from CPU state as an i32 node. */
export function conditionNode(ir: Ir, flags: Flags, cond: number, packed: () => number): number {
  if (cond >= 14) return ir.const32(1)
  const base = baseCondition(ir, flags, cond >> 1, packed)
  return cond & 1 ? ir.not32(base) : base
}

function baseCondition(ir: Ir, flags: Flags, which: number, packed: () => number): number {
  if (flags.form === 'unknown') return onPacked(ir, packed(), which)
  if (flags.form === 'choice') {
    const yes = baseCondition(ir, flags.yes, which, packed)
    const no = holds(flags.no, which)
    // c ? yes : constant
    return no
      ? ir.i32(Op.i32Or, ir.not32(flags.condition), yes)
      : ir.i32(Op.i32And, flags.condition, yes)
  }
  const { kind, a, b } = flags
  switch (kind) {
    case FlagKind.packed:
      return onPacked(ir, ir.wrap(a), which)
    case FlagKind.sub64:
      return onSub(ir, a, b, which, true)
    case FlagKind.sub32:
      return onSub(ir, ir.wrap(a), ir.wrap(b), which, false)
    case FlagKind.add64:
      return onAdd(ir, a, b, which, true)
    case FlagKind.add32:
      return onAdd(ir, ir.wrap(a), ir.wrap(b), which, false)
    case FlagKind.logic64:
      return onLogic(ir, a, which, true)
    default:
      return onLogic(ir, ir.wrap(a), which, false)
  }
}

/** The even condition 2*which on constant flags. */
function holds(nzcv: number, which: number): boolean {
  const n = (nzcv & N) !== 0
  const v = (nzcv & V) !== 0
  switch (which) {
    case 0: return (nzcv & Z) !== 0
    case 1: return (nzcv & C) !== 0
    case 2: return n
    case 3: return v
    case 4: return (nzcv & C) !== 0 && (nzcv & Z) === 0
    case 5: return n === v
    default: return n === v && (nzcv & Z) === 0
  }
}

function onPacked(ir: Ir, p: number, which: number): number {
  if (ir.kind[p] === Kind.const32) return ir.const32(holds(ir.imm[p]!, which) ? 1 : 0)
  const bit = (shift: number): number => ir.i32(Op.i32And, ir.i32(Op.i32ShrU, p, ir.const32(shift)), ir.const32(1))
  const is = (mask: number, value: number): number =>
    ir.compare(Op.i32Eq, ir.i32(Op.i32And, p, ir.const32(mask)), ir.const32(value))
  // N == V: bit 3 equals bit 0.
  const ge = (): number => ir.not32(ir.i32(Op.i32And, ir.i32(Op.i32Xor, ir.i32(Op.i32ShrU, p, ir.const32(3)), p), ir.const32(1)))
  switch (which) {
    case 0: return bit(2)
    case 1: return bit(1)
    case 2: return bit(3)
    case 3: return bit(0)
    case 4: return is(C | Z, C)
    case 5: return ge()
    default: return ir.i32(Op.i32And, ge(), is(Z, 0))
  }
}

function onSub(ir: Ir, a: number, b: number, which: number, wide: boolean): number {
  const compare = (op64: number, op32: number): number => ir.compare(wide ? op64 : op32, a, b)
  switch (which) {
    case 0: return compare(Op.i64Eq, Op.i32Eq)
    case 1: return compare(Op.i64GeU, Op.i32GeU)
    case 2: return negative(ir, difference(ir, a, b, wide), wide)
    case 3: {
      const r = difference(ir, a, b, wide)
      return negative(ir, logic(ir, Op.i64And, logic(ir, Op.i64Xor, a, b, wide), logic(ir, Op.i64Xor, a, r, wide), wide), wide)
    }
    case 4: return compare(Op.i64GtU, Op.i32GtU)
    case 5: return compare(Op.i64GeS, Op.i32GeS)
    default: return compare(Op.i64GtS, Op.i32GtS)
  }
}

function onAdd(ir: Ir, a: number, b: number, which: number, wide: boolean): number {
  const sum = wide ? ir.i64(Op.i64Add, a, b) : ir.i32(Op.i32Add, a, b)
  const overflow = (): number =>
    logic(ir, Op.i64And, logic(ir, Op.i64Xor, a, sum, wide), logic(ir, Op.i64Xor, b, sum, wide), wide)
  const carry = (): number => ir.compare(wide ? Op.i64LtU : Op.i32LtU, sum, a)
  const ge = (): number => ir.not32(negative(ir, logic(ir, Op.i64Xor, sum, overflow(), wide), wide))
  switch (which) {
    case 0: return isZero(ir, sum, wide)
    case 1: return carry()
    case 2: return negative(ir, sum, wide)
    case 3: return negative(ir, overflow(), wide)
    case 4: return ir.i32(Op.i32And, carry(), ir.not32(isZero(ir, sum, wide)))
    case 5: return ge()
    default: return ir.i32(Op.i32And, ge(), ir.not32(isZero(ir, sum, wide)))
  }
}

function onLogic(ir: Ir, a: number, which: number, wide: boolean): number {
  switch (which) {
    case 0: return isZero(ir, a, wide)
    case 1: case 3: case 4: return ir.const32(0)
    case 2: return negative(ir, a, wide)
    case 5: return ir.not32(negative(ir, a, wide))
    default: return wide ? ir.compare(Op.i64GtS, a, ir.const64(0n)) : ir.compare(Op.i32GtS, a, ir.const32(0))
  }
}

const NARROW: Record<number, number> = { [Op.i64And]: Op.i32And, [Op.i64Or]: Op.i32Or, [Op.i64Xor]: Op.i32Xor }

function logic(ir: Ir, op64: number, a: number, b: number, wide: boolean): number {
  return wide ? ir.i64(op64, a, b) : ir.i32(NARROW[op64]!, a, b)
}
function difference(ir: Ir, a: number, b: number, wide: boolean): number {
  return wide ? ir.i64(Op.i64Sub, a, b) : ir.i32(Op.i32Sub, a, b)
}
function negative(ir: Ir, a: number, wide: boolean): number {
  return wide ? ir.compare(Op.i64LtS, a, ir.const64(0n)) : ir.compare(Op.i32LtS, a, ir.const32(0))
}
function isZero(ir: Ir, a: number, wide: boolean): number {
  return wide ? ir.compare(Op.i64Eq, a, ir.const64(0n)) : ir.compare(Op.i32Eq, a, ir.const32(0))
}

/** NZCV of known flags as an i64 node, N=8 Z=4 C=2 V=1. */
export function packedNode(ir: Ir, flags: Flags): number {
  if (flags.form === 'unknown') return ir.extendU(ir.callOnFlags(RuntimeFunction.nzcv, ValType.i32))
  if (flags.form === 'choice') {
    return ir.select(ValType.i64, flags.condition, packedNode(ir, flags.yes), ir.const64(BigInt(flags.no)))
  }
  if (flags.kind === FlagKind.packed) return flags.a
  const none = (): number => 0
  const bit = (which: number, shift: number): number =>
    ir.i32(Op.i32Shl, baseCondition(ir, flags, which, none), ir.const32(shift))
  const nz = ir.i32(Op.i32Or, bit(2, 3), bit(0, 2))
  return ir.extendU(ir.i32(Op.i32Or, ir.i32(Op.i32Or, nz, bit(1, 1)), bit(3, 0)))
}
