import { type Row, row } from './row.ts'

/** Add/subtract (with carry). Subtraction adds the complement, so the carry is "no borrow". */
export const rows: readonly Row[] = [
  row({
    name: 'ADC',
    pattern: 'sf:1 0 0 11010000 Rm:5 000000 Rn:5 Rd:5',
    syntax: 'adc {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.adc(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'ADCS',
    pattern: 'sf:1 0 1 11010000 Rm:5 000000 Rn:5 Rd:5',
    syntax: 'adcs {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.adcFlags(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'SBC',
    pattern: 'sf:1 1 0 11010000 Rm:5 000000 Rn:5 Rd:5',
    syntax: 'sbc {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    aliases: [{ syntax: 'ngc {R:Rd,sf}, {R:Rm,sf}', when: (f) => f.Rn === 31, fill: () => ({ Rn: 31 }) }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.adc(t.reg(f.Rn, f.sf), t.not(t.reg(f.Rm, f.sf), f.sf), f.sf)),
  }),
  row({
    name: 'SBCS',
    pattern: 'sf:1 1 1 11010000 Rm:5 000000 Rn:5 Rd:5',
    syntax: 'sbcs {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    aliases: [{ syntax: 'ngcs {R:Rd,sf}, {R:Rm,sf}', when: (f) => f.Rn === 31, fill: () => ({ Rn: 31 }) }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.adcFlags(t.reg(f.Rn, f.sf), t.not(t.reg(f.Rm, f.sf), f.sf), f.sf)),
  }),
]
