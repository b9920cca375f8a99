import { type Row, row } from '../row.ts'
import { expandImmediate } from './immediate.ts'
import { readScalar, singleOrDouble, sizeOf, writeScalar } from './registers.ts'

export const moveRows: readonly Row[] = [
  row({
    name: 'FMOV (register)',
    pattern: '00011110 ftype:2 1 000000 10000 Rn:5 Rd:5',
    syntax: 'fmov {F:Rd,ftype}, {F:Rn,ftype}',
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => writeScalar(t, f.Rd, readScalar(t, f.Rn, sizeOf(f.ftype))),
  }),
  row({
    name: 'FMOV (scalar, immediate)',
    pattern: '00011110 ftype:2 1 imm8:8 100 00000 Rd:5',
    syntax: 'fmov {F:Rd,ftype}, {fpimm:imm8}',
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => writeScalar(t, f.Rd, t.imm64(expandImmediate(f.imm8, sizeOf(f.ftype)))),
  }),
  row({
    name: 'FMOV (general)',
    pattern: '0 0011110 00 1 00 110 000000 Rn:5 Rd:5',
    syntax: 'fmov {W:Rd}, {S:Rn}',
    feature: 'fp',
    meaning: (t, f) => t.setReg(f.Rd, 0, readScalar(t, f.Rn, 32)),
  }),
  row({
    name: 'FMOV (general)',
    pattern: '0 0011110 00 1 00 111 000000 Rn:5 Rd:5',
    syntax: 'fmov {S:Rd}, {W:Rn}',
    feature: 'fp',
    meaning: (t, f) => writeScalar(t, f.Rd, t.reg(f.Rn, 0)),
  }),
  row({
    name: 'FMOV (general)',
    pattern: '1 0011110 01 1 00 110 000000 Rn:5 Rd:5',
    syntax: 'fmov {X:Rd}, {D:Rn}',
    feature: 'fp',
    meaning: (t, f) => t.setReg(f.Rd, 1, readScalar(t, f.Rn, 64)),
  }),
  row({
    name: 'FMOV (general)',
    pattern: '1 0011110 01 1 00 111 000000 Rn:5 Rd:5',
    syntax: 'fmov {D:Rd}, {X:Rn}',
    feature: 'fp',
    meaning: (t, f) => writeScalar(t, f.Rd, t.reg(f.Rn, 1)),
  }),
  // The top halves: the low 64 bits stay.
  row({
    name: 'FMOV (general)',
    pattern: '1 0011110 10 1 01 110 000000 Rn:5 Rd:5',
    syntax: 'fmov {X:Rd}, {Vreg:Rn}.d[1]',
    feature: 'fp',
    meaning: (t, f) => t.setReg(f.Rd, 1, t.lane(t.q(f.Rn), 1, 64)),
  }),
  row({
    name: 'FMOV (general)',
    pattern: '1 0011110 10 1 01 111 000000 Rn:5 Rd:5',
    syntax: 'fmov {Vreg:Rd}.d[1], {X:Rn}',
    feature: 'fp',
    meaning: (t, f) => t.setQ(f.Rd, t.withLane(t.q(f.Rd), 1, 64, t.reg(f.Rn, 1))),
  }),
]
