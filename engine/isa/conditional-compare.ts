import type { Builder, Value } from './builder.ts'
import { type Row, row } from './row.ts'

/** Conditional compare: the comparison's flags when `cond` holds, else the constant `nzcv`. */
function conditionalFlags(t: Builder, f: { cond: number; nzcv: number }, flags: Value): void {
  t.setNzcv(f.cond >= 14 ? flags : t.select(t.cond(f.cond), flags, t.imm(f.nzcv)))
}

export const rows: readonly Row[] = [
  row({
    name: 'CCMN (register)',
    pattern: 'sf:1 0 1 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4',
    syntax: 'ccmn {R:Rn,sf}, {R:Rm,sf}, {nzcv:nzcv}, {cond:cond}',
    meaning: (t, f) => conditionalFlags(t, f, t.addNzcv(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'CCMP (register)',
    pattern: 'sf:1 1 1 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4',
    syntax: 'ccmp {R:Rn,sf}, {R:Rm,sf}, {nzcv:nzcv}, {cond:cond}',
    meaning: (t, f) => conditionalFlags(t, f, t.subNzcv(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'CCMN (immediate)',
    pattern: 'sf:1 0 1 11010010 imm5:5 cond:4 1 0 Rn:5 0 nzcv:4',
    syntax: 'ccmn {R:Rn,sf}, {uimm:imm5}, {nzcv:nzcv}, {cond:cond}',
    meaning: (t, f) => conditionalFlags(t, f, t.addNzcv(t.reg(f.Rn, f.sf), t.imm(f.imm5), f.sf)),
  }),
  row({
    name: 'CCMP (immediate)',
    pattern: 'sf:1 1 1 11010010 imm5:5 cond:4 1 0 Rn:5 0 nzcv:4',
    syntax: 'ccmp {R:Rn,sf}, {uimm:imm5}, {nzcv:nzcv}, {cond:cond}',
    meaning: (t, f) => conditionalFlags(t, f, t.subNzcv(t.reg(f.Rn, f.sf), t.imm(f.imm5), f.sf)),
  }),
]
