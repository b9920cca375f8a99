/**
 * Operand kinds of floating point and Advanced SIMD.
 */
import { type OperandKind } from './operand-kind.ts'
export const simdKinds: Readonly<Record<string, OperandKind>> = {}
