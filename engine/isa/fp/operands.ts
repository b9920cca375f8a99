/**
 * Operand kinds of the scalar floating-point rows: registers sized by `ftype`, immediates, fraction bits, and a vector
 * register by its bare name (its arrangement stands literally behind it in the syntax).
 */
import {
  type OperandKind, type ParseContext, fieldValue, parseImmediate, printBare, refuse, setField,
} from '../operand-kind.ts'
import { scalarRegister } from '../operands-register.ts'
import { encodeImmediate, immediateValue } from './immediate.ts'

const FTYPE_LETTERS = ['s', 'd', '', 'h'] as const

/** `{F:Rd,ftype}`: S, D or H register. */
const sizedByType: OperandKind = {
  parse(c) {
    const name = c.reader.name() ?? ''
    for (const [ftype, letter] of FTYPE_LETTERS.entries()) {
      const n = letter === '' ? undefined : scalarRegister(name, letter)
      if (n === undefined) continue
      c.reader.at++
      setField(c, c.args[0]!, n)
      setField(c, c.args[1]!, ftype)
      return
    }
    c.reader.fail(`expected an S, D or H register but found ${c.reader.describe()}`)
  },
  print: (c) => `${FTYPE_LETTERS[fieldValue(c, c.args[1])] ?? '?'}${fieldValue(c, c.args[0])}`,
}

/** A number with optional `#` and sign, with or without a decimal point. */
function parseNumber(c: ParseContext): number {
  const at = c.reader.at
  c.reader.accept('#')
  const negative = c.reader.accept('-')
  if (!negative) c.reader.accept('+')
  const token = c.reader.peek()
  if (token?.kind === 'float') {
    c.reader.at++
    return negative ? -token.float : token.float
  }
  c.reader.at = at
  return Number(parseImmediate(c))
}

/** `{fpimm:imm8}`: the 256 numbers +/- n/16 * 2^r of FMOV (immediate). */
const floatImmediate: OperandKind = {
  parse(c) {
    const from = c.reader.at
    const value = parseNumber(c)
    const imm8 = encodeImmediate(value)
    if (imm8 < 0) refuse(c, from, `${value} is not one of the numbers n/16 * 2^r, 16 <= n <= 31, -3 <= r <= 4`)
    setField(c, c.args[0]!, imm8)
  },
  // As GNU binutils print it: 18 decimals and at least two digits of exponent.
  print(c) {
    const text = immediateValue(fieldValue(c, c.args[0])).toExponential(18)
    return `#${text.replace(/e([+-])(\d)$/, 'e$10$2')}`
  },
}

/** `{fbits:scale}`: fraction bits 1..64, the field holds 64 minus them. */
const fractionBits: OperandKind = {
  parse(c) {
    const from = c.reader.at
    const n = Number(parseImmediate(c))
    const most = c.fields['sf'] === 0 ? 32 : 64
    if (n < 1 || n > most) refuse(c, from, `${printBare(n)} does not fit: allowed are 1 to ${most}`)
    setField(c, c.args[0]!, 64 - n)
  },
  print: (c) => `#${64 - fieldValue(c, c.args[0])}`,
}

/** `{Vreg:Rd}`: `v5`. */
const vectorRegister: OperandKind = {
  parse(c) {
    const m = /^v([0-9]|[12][0-9]|3[01])$/i.exec(c.reader.name() ?? '')
    if (m === null) return c.reader.fail(`expected a vector register but found ${c.reader.describe()}`)
    c.reader.at++
    setField(c, c.args[0]!, Number(m[1]))
  },
  print: (c) => `v${fieldValue(c, c.args[0])}`,
}

export const fpKinds: Readonly<Record<string, OperandKind>> = {
  F: sizedByType,
  fpimm: floatImmediate,
  fbits: fractionBits,
  Vreg: vectorRegister,
}
