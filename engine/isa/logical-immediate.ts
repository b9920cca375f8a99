import { decodeBitmask, isBitmask } from './bitmask.ts'
import type { Builder, Value } from './builder.ts'
import { type Row, row } from './row.ts'

interface BitmaskFields {
  readonly sf: number
  readonly N: number
  readonly immr: number
  readonly imms: number
}

/** Logical (immediate). AND, ORR, EOR write SP for register 31; ANDS does not. */
const when = (f: BitmaskFields) => isBitmask(f.N, f.imms, f.sf)
const immediate = (t: Builder, f: BitmaskFields): Value => t.imm64(decodeBitmask(f.N, f.immr, f.imms, f.sf) ?? 0n)

/** Arm ARM MoveWidePreferred(): would MOVZ or MOVN give this immediate as well? Then MOV is not printed for ORR. */
function moveWidePreferred(f: BitmaskFields): boolean {
  const width = f.sf ? 64 : 32
  if (f.sf ? f.N === 0 : f.N !== 0 || (f.imms & 0x20) !== 0) return false
  if (f.imms < 16) return (-f.immr & 15) <= 15 - f.imms
  if (f.imms >= width - 15) return (f.immr & 15) <= f.imms - (width - 15)
  return false
}

export const rows: readonly Row[] = [
  row({
    name: 'AND (immediate)',
    pattern: 'sf:1 00 100100 N:1 immr:6 imms:6 Rn:5 Rd:5',
    syntax: 'and {RSP:Rd,sf}, {R:Rn,sf}, {bitmask:N,immr,imms,sf}',
    when,
    meaning: (t, f) => t.setRegSp(f.Rd, f.sf, t.and(t.reg(f.Rn, f.sf), immediate(t, f))),
  }),
  row({
    name: 'ORR (immediate)',
    pattern: 'sf:1 01 100100 N:1 immr:6 imms:6 Rn:5 Rd:5',
    syntax: 'orr {RSP:Rd,sf}, {R:Rn,sf}, {bitmask:N,immr,imms,sf}',
    aliases: [
      {
        syntax: 'mov {RSP:Rd,sf}, {bitmask:N,immr,imms,sf}',
        when: (f) => f.Rn === 31 && !moveWidePreferred(f),
        fill: () => ({ Rn: 31 }),
      },
    ],
    when,
    meaning: (t, f) => t.setRegSp(f.Rd, f.sf, t.or(t.reg(f.Rn, f.sf), immediate(t, f))),
  }),
  row({
    name: 'EOR (immediate)',
    pattern: 'sf:1 10 100100 N:1 immr:6 imms:6 Rn:5 Rd:5',
    syntax: 'eor {RSP:Rd,sf}, {R:Rn,sf}, {bitmask:N,immr,imms,sf}',
    when,
    meaning: (t, f) => t.setRegSp(f.Rd, f.sf, t.xor(t.reg(f.Rn, f.sf), immediate(t, f))),
  }),
  row({
    name: 'ANDS (immediate)',
    pattern: 'sf:1 11 100100 N:1 immr:6 imms:6 Rn:5 Rd:5',
    syntax: 'ands {R:Rd,sf}, {R:Rn,sf}, {bitmask:N,immr,imms,sf}',
    aliases: [
      { syntax: 'tst {R:Rn,sf}, {bitmask:N,immr,imms,sf}', when: (f) => f.Rd === 31, fill: () => ({ Rd: 31 }) },
    ],
    when,
    meaning: (t, f) => {
      const result = t.and(t.reg(f.Rn, f.sf), immediate(t, f))
      t.logicFlags(result, f.sf)
      t.setReg(f.Rd, f.sf, result)
    },
  }),
]
