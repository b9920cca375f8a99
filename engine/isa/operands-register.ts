/**
 * Operand kinds that are general-purpose or scalar SIMD&FP registers.
 */
import { type OperandKind, type ParseContext, fieldValue, refuse, setField } from './operand-kind.ts'

/** A general-purpose register as written; `stack`: SP or WSP, `zero`: XZR or WZR (both number 31). */
interface GeneralRegister {
  readonly bits: 32 | 64
  readonly number: number
  readonly stack: boolean
  readonly zero: boolean
}

const OTHER_NAMES: Readonly<Record<string, string>> = { fp: 'x29', lr: 'x30', ip0: 'x16', ip1: 'x17' }

/** The register of that name, or undefined. Case does not matter. */
export function generalRegister(name: string): GeneralRegister | undefined {
  const lower = name.toLowerCase()
  const n = OTHER_NAMES[lower] ?? lower
  if (n === 'sp' || n === 'wsp') return { bits: n === 'sp' ? 64 : 32, number: 31, stack: true, zero: false }
  if (n === 'xzr' || n === 'wzr') return { bits: n === 'xzr' ? 64 : 32, number: 31, stack: false, zero: true }
  const m = /^([xw])(0|[1-9][0-9]?)$/.exec(n)
  if (m === null || Number(m[2]) > 30) return undefined
  return { bits: m[1] === 'x' ? 64 : 32, number: Number(m[2]), stack: false, zero: false }
}

/** Name of register n; 31 is the stack pointer or the zero register. */
export function generalName(n: number, bits: number, stack: boolean): string {
  if (n < 31) return `${bits === 64 ? 'x' : 'w'}${n}`
  if (stack) return bits === 64 ? 'sp' : 'wsp'
  return bits === 64 ? 'xzr' : 'wzr'
}

/** Take a general-purpose register. `bits` 0: either width. @throws SourceError when something else is next. */
export function parseGeneral(c: ParseContext, bits: 0 | 32 | 64, stack: boolean): GeneralRegister {
  const name = c.reader.name()
  const r = name === undefined ? undefined : generalRegister(name)
  const what = bits === 0 ? 'a W or X register' : bits === 64 ? 'an X register' : 'a W register'
  if (r === undefined) return c.reader.fail(`expected ${what} but found ${c.reader.describe()}`)
  if (bits !== 0 && r.bits !== bits) refuse(c, c.reader.at, `expected ${what} but found '${name}'`)
  if (r.stack && !stack) refuse(c, c.reader.at, `'${name}' cannot be used here; number 31 is the zero register`)
  if (r.zero && stack) refuse(c, c.reader.at, `'${name}' cannot be used here; number 31 is the stack pointer`)
  c.reader.at++
  return r
}

/** Width in its `sf`-like second field. */
function sized(stack: boolean): OperandKind {
  return {
    parse(c) {
      const r = parseGeneral(c, 0, stack)
      setField(c, c.args[0]!, r.number)
      if (c.args[1] !== undefined) setField(c, c.args[1], r.bits === 64 ? 1 : 0)
    },
    print(c) {
      return generalName(fieldValue(c, c.args[0]), fieldValue(c, c.args[1]) === 1 ? 64 : 32, stack)
    },
  }
}

function fixed(bits: 32 | 64, stack: boolean): OperandKind {
  return {
    parse(c) {
      setField(c, c.args[0]!, parseGeneral(c, bits, stack).number)
    },
    print(c) {
      return generalName(fieldValue(c, c.args[0]), bits, stack)
    },
  }
}

/** The odd register of a CASP pair, one above the field. */
function nextRegister(bits: 32 | 64): OperandKind {
  return {
    parse(c) {
      const first = fieldValue(c, c.args[0])
      const from = c.reader.at
      const r = parseGeneral(c, bits, false)
      if (r.number !== first + 1)
        refuse(c, from, `the pair's second register must be ${generalName(first + 1, bits, false)}`)
    },
    print(c) {
      return generalName(fieldValue(c, c.args[0]) + 1, bits, false)
    },
  }
}

/** Number of the scalar SIMD&FP register `letter`n, or undefined. */
export function scalarRegister(name: string, letter: string): number | undefined {
  const m = /^([bhsdq])(0|[1-9][0-9]?)$/i.exec(name)
  if (m === null || m[1]!.toLowerCase() !== letter || Number(m[2]) > 31) return undefined
  return Number(m[2])
}

function scalar(letter: string): OperandKind {
  return {
    parse(c) {
      const name = c.reader.name()
      const n = name === undefined ? undefined : scalarRegister(name, letter)
      if (n === undefined) c.reader.fail(`expected a ${letter.toUpperCase()} register but found ${c.reader.describe()}`)
      c.reader.at++
      setField(c, c.args[0]!, n as number)
    },
    print(c) {
      return `${letter}${fieldValue(c, c.args[0])}`
    },
  }
}

export const registerKinds: Readonly<Record<string, OperandKind>> = {
  R: sized(false),
  RSP: sized(true),
  X: fixed(64, false),
  W: fixed(32, false),
  XSP: fixed(64, true),
  WSP: fixed(32, true),
  'X+1': nextRegister(64),
  'W+1': nextRegister(32),
  B: scalar('b'),
  H: scalar('h'),
  S: scalar('s'),
  D: scalar('d'),
  Q: scalar('q'),
}
