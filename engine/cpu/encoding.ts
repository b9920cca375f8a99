/** The 16-bit encoding of a system register or instruction: op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2. */
export function sys(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2
}

/** The assembler's generic name of an encoding, such as S3_0_C1_C0_0. */
export function genericName(encoding: number): string {
  const op0 = encoding >>> 14
  return `S${op0}_${(encoding >>> 11) & 7}_C${(encoding >>> 7) & 15}_C${(encoding >>> 3) & 15}_${encoding & 7}`
}
