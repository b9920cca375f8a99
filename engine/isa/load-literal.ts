import { type Row, row } from './row.ts'

/** Load register (literal), at a PC-relative address. */
const offset19 = (imm19: number) => (imm19 << 13) >> 11

export const rows: readonly Row[] = [
  row({
    name: 'LDR (literal, W)',
    pattern: '00 011 0 00 imm19:19 Rt:5',
    syntax: 'ldr {W:Rt}, {rel:imm19}',
    meaning: (t, f) => t.setReg(f.Rt, 0, t.load(t.pc(offset19(f.imm19)), 4)),
  }),
  row({
    name: 'LDR (literal, X)',
    pattern: '01 011 0 00 imm19:19 Rt:5',
    syntax: 'ldr {X:Rt}, {rel:imm19}',
    meaning: (t, f) => t.setReg(f.Rt, 1, t.load(t.pc(offset19(f.imm19)), 8)),
  }),
  row({
    name: 'LDRSW (literal)',
    pattern: '10 011 0 00 imm19:19 Rt:5',
    syntax: 'ldrsw {X:Rt}, {rel:imm19}',
    meaning: (t, f) => t.setReg(f.Rt, 1, t.sext(t.load(t.pc(offset19(f.imm19)), 4), 32)),
  }),
]
