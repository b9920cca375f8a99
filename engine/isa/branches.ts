import { type Row, row } from './row.ts'

/** Branches: immediate, conditional, compare-and-branch, test-and-branch, register. */
const offset26 = (imm26: number) => (imm26 << 6) >> 4
const offset19 = (imm19: number) => (imm19 << 13) >> 11
const offset14 = (imm14: number) => (imm14 << 18) >> 16

export const rows: readonly Row[] = [
  row({
    name: 'B',
    pattern: '0 00101 imm26:26',
    syntax: 'b {rel:imm26}',
    ends: true,
    meaning: (t, f) => t.branch(offset26(f.imm26)),
  }),
  row({
    name: 'BL',
    pattern: '1 00101 imm26:26',
    syntax: 'bl {rel:imm26}',
    ends: true,
    meaning: (t, f) => {
      t.setReg(30, 1, t.pc(4))
      t.branch(offset26(f.imm26))
    },
  }),
  row({
    name: 'B.cond',
    pattern: '0101010 0 imm19:19 0 cond:4',
    syntax: 'b.{cond:cond} {rel:imm19}',
    ends: true,
    meaning: (t, f) => (f.cond >= 14 ? t.branch(offset19(f.imm19)) : t.branchIf(t.cond(f.cond), offset19(f.imm19))),
  }),
  row({
    name: 'CBZ',
    pattern: 'sf:1 011010 0 imm19:19 Rt:5',
    syntax: 'cbz {R:Rt,sf}, {rel:imm19}',
    ends: true,
    meaning: (t, f) => t.branchIf(t.eq(t.reg(f.Rt, f.sf), t.imm(0)), offset19(f.imm19)),
  }),
  row({
    name: 'CBNZ',
    pattern: 'sf:1 011010 1 imm19:19 Rt:5',
    syntax: 'cbnz {R:Rt,sf}, {rel:imm19}',
    ends: true,
    meaning: (t, f) => t.branchIf(t.ne(t.reg(f.Rt, f.sf), t.imm(0)), offset19(f.imm19)),
  }),
  row({
    name: 'TBZ',
    pattern: 'b5:1 011011 0 b40:5 imm14:14 Rt:5',
    syntax: 'tbz {R:Rt,b5}, {tb:b5,b40}, {rel:imm14}',
    ends: true,
    meaning: (t, f) => {
      const bit = t.and(t.reg(f.Rt, f.b5), t.imm64(1n << BigInt(f.b5 * 32 + f.b40)))
      t.branchIf(t.eq(bit, t.imm(0)), offset14(f.imm14))
    },
  }),
  row({
    name: 'TBNZ',
    pattern: 'b5:1 011011 1 b40:5 imm14:14 Rt:5',
    syntax: 'tbnz {R:Rt,b5}, {tb:b5,b40}, {rel:imm14}',
    ends: true,
    meaning: (t, f) => {
      const bit = t.and(t.reg(f.Rt, f.b5), t.imm64(1n << BigInt(f.b5 * 32 + f.b40)))
      t.branchIf(t.ne(bit, t.imm(0)), offset14(f.imm14))
    },
  }),
  row({
    name: 'BR',
    pattern: '1101011 0000 11111 000000 Rn:5 00000',
    syntax: 'br {X:Rn}',
    ends: true,
    meaning: (t, f) => t.branchReg(t.reg(f.Rn, 1)),
  }),
  row({
    name: 'BLR',
    pattern: '1101011 0001 11111 000000 Rn:5 00000',
    syntax: 'blr {X:Rn}',
    ends: true,
    meaning: (t, f) => {
      const target = t.reg(f.Rn, 1)
      t.setReg(30, 1, t.pc(4))
      t.branchReg(target)
    },
  }),
  row({
    name: 'RET',
    pattern: '1101011 0010 11111 000000 Rn:5 00000',
    syntax: 'ret {X:Rn}',
    aliases: [{ syntax: 'ret', when: (f) => f.Rn === 30, fill: () => ({ Rn: 30 }) }],
    ends: true,
    meaning: (t, f) => t.branchReg(t.reg(f.Rn, 1)),
  }),
]
