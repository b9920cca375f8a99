import type { Builder, Value } from './builder.ts'

/**
 * ExtendReg() of the Arm ARM: register `Rm` cut to 8 << (option & 3) bits, zero-extended (option < 4) or sign-extended,
 * shifted left by `shift` (0..4), 64 bits wide.
 */
export function extendedRegister(t: Builder, Rm: number, option: number, shift: number): Value {
  const bits = 8 << (option & 3)
  const full = t.reg(Rm, 1)
  const extended = bits === 64 ? full : option & 4 ? t.sext(full, bits) : t.zext(full, bits)
  return shift === 0 ? extended : t.shl(extended, t.imm(shift))
}
