import { type Row, row } from './row.ts'

/** Data processing (1 source). */
export const rows: readonly Row[] = [
  row({
    name: 'RBIT',
    pattern: 'sf:1 1 0 11010110 00000 000000 Rn:5 Rd:5',
    syntax: 'rbit {R:Rd,sf}, {R:Rn,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.rbit(t.reg(f.Rn, f.sf), f.sf)),
  }),
  row({
    name: 'REV16',
    pattern: 'sf:1 1 0 11010110 00000 000001 Rn:5 Rd:5',
    syntax: 'rev16 {R:Rd,sf}, {R:Rn,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.rev(t.reg(f.Rn, f.sf), 2, f.sf)),
  }),
  row({
    name: 'REV (32-bit)',
    pattern: '0 1 0 11010110 00000 000010 Rn:5 Rd:5',
    syntax: 'rev {W:Rd}, {W:Rn}',
    meaning: (t, f) => t.setReg(f.Rd, 0, t.rev(t.reg(f.Rn, 0), 4, 0)),
  }),
  row({
    name: 'REV32',
    pattern: '1 1 0 11010110 00000 000010 Rn:5 Rd:5',
    syntax: 'rev32 {X:Rd}, {X:Rn}',
    meaning: (t, f) => t.setReg(f.Rd, 1, t.rev(t.reg(f.Rn, 1), 4, 1)),
  }),
  row({
    name: 'REV (64-bit)',
    pattern: '1 1 0 11010110 00000 000011 Rn:5 Rd:5',
    syntax: 'rev {X:Rd}, {X:Rn}',
    meaning: (t, f) => t.setReg(f.Rd, 1, t.rev(t.reg(f.Rn, 1), 8, 1)),
  }),
  row({
    name: 'CLZ',
    pattern: 'sf:1 1 0 11010110 00000 000100 Rn:5 Rd:5',
    syntax: 'clz {R:Rd,sf}, {R:Rn,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.clz(t.reg(f.Rn, f.sf), f.sf)),
  }),
  row({
    name: 'CLS',
    pattern: 'sf:1 1 0 11010110 00000 000101 Rn:5 Rd:5',
    syntax: 'cls {R:Rd,sf}, {R:Rn,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.cls(t.reg(f.Rn, f.sf), f.sf)),
  }),
]
