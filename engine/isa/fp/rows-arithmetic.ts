import { type Row, row } from '../row.ts'
import { negated, readScalar, singleOrDouble, sizeOf, writeScalar } from './registers.ts'

/** Floating-point data-processing (1 source): the opcode goes in bits 20:15. */
function oneSource(name: string, mnemonic: string, opcode: string, op: string): Row {
  return row({
    name,
    pattern: `00011110 ftype:2 1 ${opcode} 10000 Rn:5 Rd:5` as '00011110 ftype:2 1 000000 10000 Rn:5 Rd:5',
    syntax: `${mnemonic} {F:Rd,ftype}, {F:Rn,ftype}`,
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => {
      const size = sizeOf(f.ftype)
      const a = readScalar(t, f.Rn, size)
      const sign = t.imm64(1n << BigInt(size - 1))
      writeScalar(t, f.Rd, op === 'abs' ? t.and(a, t.not(sign)) : op === 'neg' ? t.xor(a, sign) : t.fp(op, size, a))
    },
  })
}

/** Floating-point data-processing (2 source): the opcode goes in bits 15:12. */
function twoSource(name: string, mnemonic: string, opcode: string, op: string): Row {
  return row({
    name,
    pattern: `00011110 ftype:2 1 Rm:5 ${opcode} 10 Rn:5 Rd:5` as '00011110 ftype:2 1 Rm:5 0000 10 Rn:5 Rd:5',
    syntax: `${mnemonic} {F:Rd,ftype}, {F:Rn,ftype}, {F:Rm,ftype}`,
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => {
      const size = sizeOf(f.ftype)
      writeScalar(t, f.Rd, t.fp(op, size, readScalar(t, f.Rn, size), readScalar(t, f.Rm, size)))
    },
  })
}

/** Floating-point data-processing (3 source). FPMulAdd negates operands, not the result, so NaNs turn as well. */
function threeSource(mnemonic: string, o1: 0 | 1, o0: 0 | 1): Row {
  return row({
    name: mnemonic.toUpperCase(),
    pattern: `00011111 ftype:2 ${o1} Rm:5 ${o0} Ra:5 Rn:5 Rd:5` as '00011111 ftype:2 0 Rm:5 0 Ra:5 Rn:5 Rd:5',
    syntax: `${mnemonic} {F:Rd,ftype}, {F:Rn,ftype}, {F:Rm,ftype}, {F:Ra,ftype}`,
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => {
      const size = sizeOf(f.ftype)
      const addend = readScalar(t, f.Ra, size)
      const a = readScalar(t, f.Rn, size)
      const b = readScalar(t, f.Rm, size)
      const left = o1 ? negated(t, addend, size) : addend
      writeScalar(t, f.Rd, t.fp('fma', size, left, o0 !== o1 ? negated(t, a, size) : a, b))
    },
  })
}

export const arithmeticRows: readonly Row[] = [
  oneSource('FABS (scalar)', 'fabs', '000001', 'abs'),
  oneSource('FNEG (scalar)', 'fneg', '000010', 'neg'),
  oneSource('FSQRT (scalar)', 'fsqrt', '000011', 'sqrt'),
  oneSource('FRINTN (scalar)', 'frintn', '001000', 'frintn'),
  oneSource('FRINTP (scalar)', 'frintp', '001001', 'frintp'),
  oneSource('FRINTM (scalar)', 'frintm', '001010', 'frintm'),
  oneSource('FRINTZ (scalar)', 'frintz', '001011', 'frintz'),
  oneSource('FRINTA (scalar)', 'frinta', '001100', 'frinta'),
  oneSource('FRINTX (scalar)', 'frintx', '001110', 'frintx'),
  oneSource('FRINTI (scalar)', 'frinti', '001111', 'frinti'),
  twoSource('FMUL (scalar)', 'fmul', '0000', 'mul'),
  twoSource('FDIV (scalar)', 'fdiv', '0001', 'div'),
  twoSource('FADD (scalar)', 'fadd', '0010', 'add'),
  twoSource('FSUB (scalar)', 'fsub', '0011', 'sub'),
  twoSource('FMAX (scalar)', 'fmax', '0100', 'max'),
  twoSource('FMIN (scalar)', 'fmin', '0101', 'min'),
  twoSource('FMAXNM (scalar)', 'fmaxnm', '0110', 'maxnm'),
  twoSource('FMINNM (scalar)', 'fminnm', '0111', 'minnm'),
  twoSource('FNMUL (scalar)', 'fnmul', '1000', 'nmul'),
  threeSource('fmadd', 0, 0),
  threeSource('fmsub', 0, 1),
  threeSource('fnmadd', 1, 0),
  threeSource('fnmsub', 1, 1),
]
