/**
 * All operand kinds of syntax strings by name. SYNTAX.md says what each of them is.
 */
import { fpKinds } from './fp/operands.ts'
import type { OperandKind } from './operand-kind.ts'
import { immediateKinds } from './operands-immediate.ts'
import { registerKinds } from './operands-register.ts'
import { simdKinds } from './operands-simd.ts'
import { systemKinds } from './operands-system.ts'

export const operandKinds: Readonly<Record<string, OperandKind>> = {
  ...registerKinds,
  ...immediateKinds,
  ...systemKinds,
  ...fpKinds,
  ...simdKinds,
}
