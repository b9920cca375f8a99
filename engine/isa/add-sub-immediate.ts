import { type Row, row } from './row.ts'

/** Add/subtract (immediate), Arm ARM C4.1.2 "Data Processing -- Immediate". */
const amount = (f: { imm12: number; sh: number }) => (f.sh ? f.imm12 * 4096 : f.imm12)

export const rows: readonly Row[] = [
  row({
    name: 'ADD (immediate)',
    pattern: 'sf:1 0 0 100010 sh:1 imm12:12 Rn:5 Rd:5',
    syntax: 'add {RSP:Rd,sf}, {RSP:Rn,sf}, {addimm:imm12,sh}',
    aliases: [
      {
        syntax: 'mov {RSP:Rd,sf}, {RSP:Rn,sf}',
        when: (f) => f.sh === 0 && f.imm12 === 0 && (f.Rd === 31 || f.Rn === 31),
      },
    ],
    meaning: (t, f) => t.setRegSp(f.Rd, f.sf, t.add(t.regSp(f.Rn, f.sf), t.imm(amount(f)), f.sf)),
  }),
  row({
    name: 'ADDS (immediate)',
    pattern: 'sf:1 0 1 100010 sh:1 imm12:12 Rn:5 Rd:5',
    syntax: 'adds {R:Rd,sf}, {RSP:Rn,sf}, {addimm:imm12,sh}',
    aliases: [{ syntax: 'cmn {RSP:Rn,sf}, {addimm:imm12,sh}', when: (f) => f.Rd === 31, fill: () => ({ Rd: 31 }) }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.addFlags(t.regSp(f.Rn, f.sf), t.imm(amount(f)), f.sf)),
  }),
  row({
    name: 'SUB (immediate)',
    pattern: 'sf:1 1 0 100010 sh:1 imm12:12 Rn:5 Rd:5',
    syntax: 'sub {RSP:Rd,sf}, {RSP:Rn,sf}, {addimm:imm12,sh}',
    meaning: (t, f) => t.setRegSp(f.Rd, f.sf, t.sub(t.regSp(f.Rn, f.sf), t.imm(amount(f)), f.sf)),
  }),
  row({
    name: 'SUBS (immediate)',
    pattern: 'sf:1 1 1 100010 sh:1 imm12:12 Rn:5 Rd:5',
    syntax: 'subs {R:Rd,sf}, {RSP:Rn,sf}, {addimm:imm12,sh}',
    aliases: [{ syntax: 'cmp {RSP:Rn,sf}, {addimm:imm12,sh}', when: (f) => f.Rd === 31, fill: () => ({ Rd: 31 }) }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.subFlags(t.regSp(f.Rn, f.sf), t.imm(amount(f)), f.sf)),
  }),
]
