/**
 * Operand kinds of system instructions: registers by name, operations, barriers, hints, prefetches.
 */
import { type OperandKind, fieldValue, parseImmediate, printNumber, refuse, setField } from './operand-kind.ts'
import { parseRanged } from './operands-immediate.ts'
import { systemOperation, systemOperations } from './system-operations.ts'
import { systemEncoding, systemRegisterEncoding, systemRegisterName } from './system-register-names.ts'

const sysreg: OperandKind = {
  parse(c) {
    const [o0, op1, crn, crm, op2] = c.args
    const name = c.reader.name()
    const e = name === undefined ? undefined : systemRegisterEncoding(name)
    if (e === undefined) c.reader.fail(`expected a system register but found ${c.reader.describe()}`)
    const encoding = e as number
    c.reader.at++
    setField(c, o0!, (encoding >> 14) - 2)
    setField(c, op1!, (encoding >> 11) & 7)
    setField(c, crn!, (encoding >> 7) & 15)
    setField(c, crm!, (encoding >> 3) & 15)
    setField(c, op2!, encoding & 7)
  },
  print(c) {
    const [o0, op1, crn, crm, op2] = c.args.map((a) => fieldValue(c, a))
    const encoding = systemEncoding(2 + o0!, op1!, crn!, crm!, op2!)
    // The transfer register of the debug channel has one name for reading and one for writing.
    if (encoding === systemEncoding(2, 3, 0, 5, 0)) return c.mnemonic === 'mrs' ? 'dbgdtrrx_el0' : 'dbgdtrtx_el0'
    return systemRegisterName(encoding)
  },
}

const sysop: OperandKind = {
  parse(c) {
    const name = c.reader.name()?.toLowerCase()
    const o = systemOperations.find((s) => s.name === name && s.mnemonic === c.mnemonic)
    if (o === undefined) return c.reader.fail(`expected an operation of ${c.mnemonic} but found ${c.reader.describe()}`)
    c.reader.at++
    if (o.register && c.reader.atEnd) c.reader.fail(`'${c.mnemonic} ${o.name}' needs a register`)
    if (!o.register && !c.reader.atEnd) c.reader.fail(`'${c.mnemonic} ${o.name}' takes no register`)
    const values = [o.op1, o.CRn, o.CRm, o.op2]
    for (const [i, field] of c.args.entries()) setField(c, field, values[i]!)
  },
  print(c) {
    const [op1, crn, crm, op2] = c.args
    // Rows whose CRn is fixed are those of CRn = 7.
    const CRn = c.fields[crn!] ?? 7
    return systemOperation(fieldValue(c, op1), CRn, fieldValue(c, crm), fieldValue(c, op2))?.name ?? ''
  },
}

const PSTATE_FIELDS: Readonly<Record<string, readonly [op1: number, op2: number]>> = {
  spsel: [0, 5],
  daifset: [3, 6],
  daifclr: [3, 7],
}

const pstate: OperandKind = {
  parse(c) {
    const f = PSTATE_FIELDS[c.reader.name()?.toLowerCase() ?? '']
    if (f === undefined) return c.reader.fail(`expected a PSTATE field but found ${c.reader.describe()}`)
    c.reader.at++
    setField(c, c.args[0]!, f[0])
    setField(c, c.args[1]!, f[1])
  },
  print(c) {
    const op1 = fieldValue(c, c.args[0])
    const op2 = fieldValue(c, c.args[1])
    return Object.entries(PSTATE_FIELDS).find(([, f]) => f[0] === op1 && f[1] === op2)?.[0] ?? ''
  },
}

const cr: OperandKind = {
  parse(c) {
    const m = /^c(\d|1[0-5])$/i.exec(c.reader.name() ?? '')
    if (m === null) return c.reader.fail(`expected c0 to c15 but found ${c.reader.describe()}`)
    c.reader.at++
    setField(c, c.args[0]!, Number(m[1]))
  },
  print: (c) => `c${fieldValue(c, c.args[0])}`,
}

const BARRIERS: Readonly<Record<string, number>> = {
  oshld: 1,
  oshst: 2,
  osh: 3,
  nshld: 5,
  nshst: 6,
  nsh: 7,
  ishld: 9,
  ishst: 10,
  ish: 11,
  ld: 13,
  st: 14,
  sy: 15,
}

const barrier: OperandKind = {
  parse(c) {
    const named = BARRIERS[c.reader.name()?.toLowerCase() ?? '']
    if (named === undefined) return setField(c, c.args[0]!, parseRanged(c, 0n, 15n))
    c.reader.at++
    setField(c, c.args[0]!, named)
  },
  print(c) {
    const n = fieldValue(c, c.args[0])
    return Object.keys(BARRIERS).find((k) => BARRIERS[k] === n) ?? `#${n}`
  },
}

/** ISB and CLREX: 15 when left out. */
function optionalField(name: string | undefined): OperandKind {
  return {
    parse(c) {
      if (c.reader.atEnd) return setField(c, c.args[0]!, 15)
      if (name === undefined || c.reader.name()?.toLowerCase() !== name)
        return setField(c, c.args[0]!, parseRanged(c, 0n, 15n))
      c.reader.at++
      setField(c, c.args[0]!, 15)
    },
    print: (c) => (fieldValue(c, c.args[0]) === 15 ? '' : `#${fieldValue(c, c.args[0])}`),
  }
}

const hint: OperandKind = {
  parse(c) {
    const n = parseRanged(c, 0n, 127n)
    setField(c, c.args[0]!, n >> 3)
    setField(c, c.args[1]!, n & 7)
  },
  print: (c) => `#${fieldValue(c, c.args[0]) * 8 + fieldValue(c, c.args[1])}`,
}

const PREFETCH_TYPES = ['pld', 'pli', 'pst']

const prfop: OperandKind = {
  parse(c) {
    const from = c.reader.at
    const m = /^(pld|pli|pst)l([1-3])(keep|strm)$/i.exec(c.reader.name() ?? '')
    if (m !== null) {
      c.reader.at++
      const type = PREFETCH_TYPES.indexOf(m[1]!.toLowerCase())
      return setField(c, c.args[0]!, type * 8 + (Number(m[2]) - 1) * 2 + (m[3]!.toLowerCase() === 'strm' ? 1 : 0))
    }
    const n = parseImmediate(c)
    if (n < 0n || n > 31n) refuse(c, from, 'a prefetch operation is a name such as pldl1keep, or 0 to 31')
    setField(c, c.args[0]!, Number(n))
  },
  print(c) {
    const n = fieldValue(c, c.args[0])
    const type = PREFETCH_TYPES[n >> 3]
    const level = (n >> 1) & 3
    if (type === undefined || level === 3) return printNumber(n)
    return `${type}l${level + 1}${n & 1 ? 'strm' : 'keep'}`
  },
}

export const systemKinds: Readonly<Record<string, OperandKind>> = {
  sysreg,
  sysop,
  pstate,
  cr,
  barrier,
  hint,
  prfop,
  isb: optionalField('sy'),
  clrex: optionalField(undefined),
}
