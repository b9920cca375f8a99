import { type Row, row } from '../row.ts'
import { readScalar, singleOrDouble, sizeOf, writeScalar } from './registers.ts'

/** FCVT between the formats; `opc` (bits 16:15) names the destination as `ftype` names the source. */
function precision(to: 'H' | 'S' | 'D', from: 'H' | 'S' | 'D'): Row {
  const ftype = { S: '00', D: '01', H: '11' }
  const bits = { S: 32, D: 64, H: 16 } as const
  return row({
    name: 'FCVT',
    pattern:
      `00011110 ${ftype[from]} 1 0001 ${ftype[to]} 10000 Rn:5 Rd:5` as '00011110 00 1 0001 01 10000 Rn:5 Rd:5',
    syntax: `fcvt {${to}:Rd}, {${from}:Rn}`,
    feature: 'fp',
    meaning: (t, f) => writeScalar(t, f.Rd, t.fp(`toF${bits[to]}`, bits[from], readScalar(t, f.Rn, bits[from]))),
  })
}

/** Floating-point to general-purpose integer with a rounding direction of its own. */
function toInteger(mnemonic: string, rmode: string, opcode: string, signed: boolean, direction: string): Row {
  return row({
    name: `${mnemonic.toUpperCase()} (scalar${direction === 'rz' ? ', integer' : ''})`,
    pattern:
      `sf:1 0011110 ftype:2 1 ${rmode} ${opcode} 000000 Rn:5 Rd:5` as 'sf:1 0011110 ftype:2 1 00 000 000000 Rn:5 Rd:5',
    syntax: `${mnemonic} {R:Rd,sf}, {F:Rn,ftype}`,
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => {
      const size = sizeOf(f.ftype)
      const op = `to${signed ? 'S' : 'U'}${f.sf ? 64 : 32}:${direction}`
      t.setReg(f.Rd, f.sf, t.fp(op, size, readScalar(t, f.Rn, size)))
    },
  })
}

/** The fixed-point forms have 64 - scale fraction bits, at most 32 for a W register. */
function scaleFits(f: { readonly sf: number; readonly ftype: number; readonly scale: number }): boolean {
  return f.ftype < 2 && (f.sf === 1 || f.scale >= 32)
}

function toFixedPoint(mnemonic: string, opcode: string, signed: boolean): Row {
  return row({
    name: `${mnemonic.toUpperCase()} (scalar, fixed-point)`,
    pattern:
      `sf:1 0011110 ftype:2 0 11 ${opcode} scale:6 Rn:5 Rd:5` as 'sf:1 0011110 ftype:2 0 11 000 scale:6 Rn:5 Rd:5',
    syntax: `${mnemonic} {R:Rd,sf}, {F:Rn,ftype}, {fbits:scale}`,
    feature: 'fp',
    when: scaleFits,
    meaning: (t, f) => {
      const size = sizeOf(f.ftype)
      const op = `to${signed ? 'S' : 'U'}${f.sf ? 64 : 32}:rz:${64 - f.scale}`
      t.setReg(f.Rd, f.sf, t.fp(op, size, readScalar(t, f.Rn, size)))
    },
  })
}

function fromInteger(mnemonic: string, opcode: string, signed: boolean): Row {
  return row({
    name: `${mnemonic.toUpperCase()} (scalar, integer)`,
    pattern:
      `sf:1 0011110 ftype:2 1 00 ${opcode} 000000 Rn:5 Rd:5` as 'sf:1 0011110 ftype:2 1 00 010 000000 Rn:5 Rd:5',
    syntax: `${mnemonic} {F:Rd,ftype}, {R:Rn,sf}`,
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => {
      const op = `from${signed ? 'S' : 'U'}${f.sf ? 64 : 32}`
      writeScalar(t, f.Rd, t.fp(op, sizeOf(f.ftype), t.reg(f.Rn, f.sf)))
    },
  })
}

function fromFixedPoint(mnemonic: string, opcode: string, signed: boolean): Row {
  return row({
    name: `${mnemonic.toUpperCase()} (scalar, fixed-point)`,
    pattern:
      `sf:1 0011110 ftype:2 0 00 ${opcode} scale:6 Rn:5 Rd:5` as 'sf:1 0011110 ftype:2 0 00 010 scale:6 Rn:5 Rd:5',
    syntax: `${mnemonic} {F:Rd,ftype}, {R:Rn,sf}, {fbits:scale}`,
    feature: 'fp',
    when: scaleFits,
    meaning: (t, f) => {
      const op = `from${signed ? 'S' : 'U'}${f.sf ? 64 : 32}:${64 - f.scale}`
      writeScalar(t, f.Rd, t.fp(op, sizeOf(f.ftype), t.reg(f.Rn, f.sf)))
    },
  })
}

export const convertRows: readonly Row[] = [
  precision('D', 'S'),
  precision('H', 'S'),
  precision('S', 'D'),
  precision('H', 'D'),
  precision('S', 'H'),
  precision('D', 'H'),
  toInteger('fcvtns', '00', '000', true, 'rn'),
  toInteger('fcvtnu', '00', '001', false, 'rn'),
  toInteger('fcvtas', '00', '100', true, 'ra'),
  toInteger('fcvtau', '00', '101', false, 'ra'),
  toInteger('fcvtps', '01', '000', true, 'rp'),
  toInteger('fcvtpu', '01', '001', false, 'rp'),
  toInteger('fcvtms', '10', '000', true, 'rm'),
  toInteger('fcvtmu', '10', '001', false, 'rm'),
  toInteger('fcvtzs', '11', '000', true, 'rz'),
  toInteger('fcvtzu', '11', '001', false, 'rz'),
  toFixedPoint('fcvtzs', '000', true),
  toFixedPoint('fcvtzu', '001', false),
  fromInteger('scvtf', '010', true),
  fromInteger('ucvtf', '011', false),
  fromFixedPoint('scvtf', '010', true),
  fromFixedPoint('ucvtf', '011', false),
]
