import { type Row, row } from './row.ts'

/** Move wide (immediate). A 32-bit register has two halfwords. */
const when = (f: { sf: number; hw: number }) => f.sf === 1 || f.hw < 2
const shifted = (f: { imm16: number; hw: number }) => BigInt(f.imm16) << BigInt(16 * f.hw)

export const rows: readonly Row[] = [
  row({
    name: 'MOVZ',
    pattern: 'sf:1 10 100101 hw:2 imm16:16 Rd:5',
    syntax: 'movz {R:Rd,sf}, {uimm:imm16}{hw:hw}',
    aliases: [{ syntax: 'mov {R:Rd,sf}, {movz:imm16,hw,sf}', when: (f) => f.imm16 !== 0 || f.hw === 0 }],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.imm64(shifted(f))),
  }),
  row({
    name: 'MOVN',
    pattern: 'sf:1 00 100101 hw:2 imm16:16 Rd:5',
    syntax: 'movn {R:Rd,sf}, {uimm:imm16}{hw:hw}',
    aliases: [
      {
        syntax: 'mov {R:Rd,sf}, {movn:imm16,hw,sf}',
        when: (f) => (f.imm16 !== 0 || f.hw === 0) && (f.sf === 1 || f.imm16 !== 0xffff),
      },
    ],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.imm64(BigInt.asUintN(f.sf ? 64 : 32, ~shifted(f)))),
  }),
  row({
    name: 'MOVK',
    pattern: 'sf:1 11 100101 hw:2 imm16:16 Rd:5',
    syntax: 'movk {R:Rd,sf}, {uimm:imm16}{hw:hw}',
    when,
    meaning: (t, f) => {
      const keep = BigInt.asUintN(f.sf ? 64 : 32, ~(0xffffn << BigInt(16 * f.hw)))
      t.setReg(f.Rd, f.sf, t.or(t.and(t.reg(f.Rd, f.sf), t.imm64(keep)), t.imm64(shifted(f))))
    },
  }),
]
