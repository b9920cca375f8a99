import { type Row, row } from './row.ts'

/** PC-relative addressing. */
const offset = (f: { immhi: number; immlo: number }) => ((f.immhi << 13) >> 11) | f.immlo

export const rows: readonly Row[] = [
  row({
    name: 'ADR',
    pattern: '0 immlo:2 10000 immhi:19 Rd:5',
    syntax: 'adr {X:Rd}, {adr:immhi,immlo}',
    meaning: (t, f) => t.setReg(f.Rd, 1, t.pc(offset(f))),
  }),
  row({
    name: 'ADRP',
    pattern: '1 immlo:2 10000 immhi:19 Rd:5',
    syntax: 'adrp {X:Rd}, {adrp:immhi,immlo}',
    meaning: (t, f) => t.setReg(f.Rd, 1, t.and(t.pc(offset(f) * 4096), t.imm(-4096))),
  }),
]
