import { type Row, row } from '../row.ts'
import { readScalar, singleOrDouble, sizeOf, writeScalar } from './registers.ts'

/** FCMP and FCMPE, with a register or with zero. */
function compare(name: string, op: 'cmp' | 'cmpe', bit: 0 | 1): Row[] {
  const mnemonic = `f${op}`
  return [
    row({
      name,
      pattern: `00011110 ftype:2 1 Rm:5 001000 Rn:5 ${bit}0000` as '00011110 ftype:2 1 Rm:5 001000 Rn:5 00000',
      syntax: `${mnemonic} {F:Rn,ftype}, {F:Rm,ftype}`,
      feature: 'fp',
      when: singleOrDouble,
      meaning: (t, f) => {
        const size = sizeOf(f.ftype)
        t.setNzcv(t.fp(op, size, readScalar(t, f.Rn, size), readScalar(t, f.Rm, size)))
      },
    }),
    row({
      name: `${name} (zero)`,
      pattern: `00011110 ftype:2 1 xxxxx 001000 Rn:5 ${bit}1000` as '00011110 ftype:2 1 xxxxx 001000 Rn:5 01000',
      syntax: `${mnemonic} {F:Rn,ftype}, #0.0`,
      feature: 'fp',
      when: singleOrDouble,
      meaning: (t, f) => {
        const size = sizeOf(f.ftype)
        t.setNzcv(t.fp(op, size, readScalar(t, f.Rn, size), t.imm(0)))
      },
    }),
  ]
}

/** FCCMP and FCCMPE: the comparison, and its exceptions, happen only when the condition holds. */
function conditionalCompare(name: string, op: 'cmp' | 'cmpe', bit: 0 | 1): Row {
  return row({
    name,
    pattern:
      `00011110 ftype:2 1 Rm:5 cond:4 01 Rn:5 ${bit} nzcv:4` as '00011110 ftype:2 1 Rm:5 cond:4 01 Rn:5 0 nzcv:4',
    syntax: `fc${op} {F:Rn,ftype}, {F:Rm,ftype}, {nzcv:nzcv}, {cond:cond}`,
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => {
      const size = sizeOf(f.ftype)
      const a = readScalar(t, f.Rn, size)
      const b = readScalar(t, f.Rm, size)
      const holds = t.cond(f.cond)
      const fails = t.notC(holds)
      t.ifThen(holds, () => t.setNzcv(t.fp(op, size, a, b)))
      t.ifThen(fails, () => t.setNzcv(t.imm(f.nzcv)))
    },
  })
}

export const compareRows: readonly Row[] = [
  ...compare('FCMP', 'cmp', 0),
  ...compare('FCMPE', 'cmpe', 1),
  conditionalCompare('FCCMP', 'cmp', 0),
  conditionalCompare('FCCMPE', 'cmpe', 1),
  row({
    name: 'FCSEL',
    pattern: '00011110 ftype:2 1 Rm:5 cond:4 11 Rn:5 Rd:5',
    syntax: 'fcsel {F:Rd,ftype}, {F:Rn,ftype}, {F:Rm,ftype}, {cond:cond}',
    feature: 'fp',
    when: singleOrDouble,
    meaning: (t, f) => {
      const size = sizeOf(f.ftype)
      writeScalar(t, f.Rd, t.select(t.cond(f.cond), readScalar(t, f.Rn, size), readScalar(t, f.Rm, size)))
    },
  }),
]
