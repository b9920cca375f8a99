import type { Builder, Value } from './builder.ts'

/**
 * ShiftReg() of the Arm ARM: register `Rm` shifted by the constant `imm6`; `shift` 0 LSL, 1 LSR, 2 ASR, 3 ROR.
 */
export function shiftedRegister(
  t: Builder,
  f: { readonly sf: number; readonly shift: number; readonly Rm: number; readonly imm6: number },
): Value {
  const v = t.reg(f.Rm, f.sf)
  if (f.imm6 === 0) return v
  const amount = t.imm(f.imm6)
  switch (f.shift) {
    case 0:
      return t.shl(v, amount, f.sf)
    case 1:
      return t.lsr(v, amount, f.sf)
    case 2:
      return t.asr(v, amount, f.sf)
    default:
      return t.ror(v, amount, f.sf)
  }
}

/** A 32-bit instruction shifts by at most 31. */
export function shiftFits(f: { readonly sf: number; readonly imm6: number }): boolean {
  return f.sf === 1 || f.imm6 < 32
}
