/**
 * Operand kinds that are immediates, shifts, addresses and conditions.
 */
import { decodeBitmask, encodeBitmask } from './bitmask.ts'
import {
  type OperandKind,
  type ParseContext,
  type PrintContext,
  fieldValue,
  fieldWidth,
  parseImmediate,
  printBare,
  printNumber,
  refuse,
  setField,
} from './operand-kind.ts'
import { generalName, generalRegister, parseGeneral } from './operands-register.ts'

const SHIFTS = ['lsl', 'lsr', 'asr', 'ror'] as const
const EXTENDS = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx'] as const
export const CONDITIONS = [
  'eq',
  'ne',
  'cs',
  'cc',
  'mi',
  'pl',
  'vs',
  'vc',
  'hi',
  'ls',
  'ge',
  'lt',
  'gt',
  'le',
  'al',
  'nv',
] as const

/** An immediate between two bounds that is a multiple of `scale`; gives it divided. */
export function parseRanged(c: ParseContext, min: bigint, max: bigint, scale = 1n): number {
  const from = c.reader.at
  const value = parseImmediate(c)
  if (value < min * scale || value > max * scale || value % scale !== 0n) {
    const multiple = scale === 1n ? '' : ` in steps of ${scale}`
    refuse(
      c,
      from,
      `${printBare(value)} does not fit: allowed are ${printBare(min * scale)} to ${printBare(max * scale)}${multiple}`,
    )
  }
  return Number(value / scale)
}

/** The next token after a comma when it is one of the names, taken with the comma; else nothing is taken. */
function acceptCommaName(c: ParseContext, names: readonly string[]): number {
  const t = c.reader.peek(1)
  if (!c.reader.is(',') || t === undefined || t.kind !== 'name') return -1
  const i = names.indexOf(t.text.toLowerCase())
  if (i >= 0) c.reader.at += 2
  return i
}

/** Sign-extended field of `bits` bits. */
function signed(value: number, bits: number): number {
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value
}

const is64 = (c: ParseContext | PrintContext, name: string | undefined): boolean => fieldValue(c, name) === 1

/** Operand size in bits by the `sf` field that is argument `i`; 64 where the kind has no such argument. */
function sizeOf(c: ParseContext | PrintContext, i: number): number {
  return c.args[i] === undefined || is64(c, c.args[i]) ? 64 : 32
}

/** Size for kinds without an `sf` argument: the row's `sf` field where there is one. */
function rowSize(c: ParseContext | PrintContext): number {
  return c.fields['sf'] === 0 ? 32 : 64
}

/** `value` modulo 2^bits. @returns undefined when it fits neither signed nor unsigned. */
function wrap(value: bigint, bits: number): bigint | undefined {
  if (value >= 1n << BigInt(bits) || value < -(1n << BigInt(bits - 1))) return undefined
  return BigInt.asUintN(bits, value)
}

const uimm: OperandKind = {
  parse(c) {
    const max = 2n ** BigInt(fieldWidth(c.row, c.args[0]!)) - 1n
    setField(c, c.args[0]!, parseRanged(c, 0n, max, BigInt(c.scale)))
  },
  print: (c) => printNumber(fieldValue(c, c.args[0]) * c.scale),
  zero: (c) => setField(c, c.args[0]!, 0),
  isZero: (c) => fieldValue(c, c.args[0]) === 0,
}

const simm: OperandKind = {
  parse(c) {
    const width = fieldWidth(c.row, c.args[0]!)
    const half = 2n ** BigInt(width - 1)
    const n = parseRanged(c, -half, half - 1n, BigInt(c.scale))
    setField(c, c.args[0]!, n < 0 ? n + 2 ** width : n)
  },
  print: (c) => printNumber(signed(fieldValue(c, c.args[0]), fieldWidth(c.row, c.args[0]!)) * c.scale),
  zero: (c) => setField(c, c.args[0]!, 0),
  isZero: (c) => fieldValue(c, c.args[0]) === 0,
}

/** ADD/SUB (immediate): `#n`, or `#n, lsl #12` (or `#0`). */
const addimm: OperandKind = {
  parse(c) {
    const from = c.reader.at
    const value = parseImmediate(c)
    let shift = 0
    if (acceptCommaName(c, ['lsl']) === 0) {
      const at = c.reader.at
      const amount = parseImmediate(c)
      if (amount !== 0n && amount !== 12n) refuse(c, at, 'the shift of an immediate is #0 or #12')
      shift = amount === 12n ? 1 : 0
      if (value < 0n || value > 0xfffn) refuse(c, from, `${printBare(value)} does not fit 12 bits`)
      setField(c, c.args[0]!, Number(value))
    } else if (value >= 0n && value <= 0xfffn) {
      setField(c, c.args[0]!, Number(value))
    } else if (value >= 0n && value < 1n << 24n && value % 4096n === 0n) {
      shift = 1
      setField(c, c.args[0]!, Number(value >> 12n))
    } else {
      refuse(c, from, `${printBare(value)} does not fit: allowed are 0 to 4095, and multiples of 4096 below 0x1000000`)
    }
    setField(c, c.args[1]!, shift)
  },
  print(c) {
    const n = printNumber(fieldValue(c, c.args[0]))
    return fieldValue(c, c.args[1]) === 1 ? `${n}, lsl #12` : n
  },
}

const bitmask: OperandKind = {
  parse(c) {
    const from = c.reader.at
    const [n, immr, imms] = c.args
    const bits = sizeOf(c, 3)
    const value = wrap(parseImmediate(c), bits)
    const encoded = value === undefined ? null : encodeBitmask(value, bits)
    if (encoded === null || encoded === undefined) {
      return refuse(c, from, 'not a logical immediate (a rotated run of ones, repeated)')
    }
    setField(c, n!, encoded.N)
    setField(c, immr!, encoded.immr)
    setField(c, imms!, encoded.imms)
  },
  print(c) {
    const [n, immr, imms, sf] = c.args
    const wide = sf === undefined ? 1 : fieldValue(c, sf)
    const value = decodeBitmask(fieldValue(c, n), fieldValue(c, immr), fieldValue(c, imms), wide)
    return `#0x${(value ?? 0n).toString(16)}`
  },
}

/** `, lsl #n` and the like after a register; nothing for `lsl #0`. */
const shift: OperandKind = {
  parse(c) {
    const type = acceptCommaName(c, SHIFTS)
    setField(c, c.args[0]!, Math.max(0, type))
    const max = 2n ** BigInt(fieldWidth(c.row, c.args[1]!)) - 1n
    const limit = rowSize(c) === 32 && max > 31n ? 31n : max
    setField(c, c.args[1]!, type < 0 ? 0 : parseRanged(c, 0n, limit))
  },
  print(c) {
    const type = fieldValue(c, c.args[0])
    const amount = fieldValue(c, c.args[1])
    return type === 0 && amount === 0 ? '' : `, ${SHIFTS[type]} #${amount}`
  },
}

/** Does the row write (Rd) or read (Rn) the stack pointer here? Then UXTX/UXTW is spelt LSL. */
function usesStackPointer(c: ParseContext | PrintContext): boolean {
  const forms = typeof c.row.syntax === 'string' ? c.row.syntax : c.row.syntax.map((f) => f.syntax).join()
  return fieldValue(c, 'Rn') === 31 || (fieldValue(c, 'Rd') === 31 && forms.includes('RSP:Rd'))
}

/** The register and extension of ADD/SUB (extended register). */
const extend: OperandKind = {
  parse(c) {
    const [option, imm3, rm, sf] = c.args
    const from = c.reader.at
    const r = parseGeneral(c, 0, false)
    setField(c, rm!, r.number)
    const wide = is64(c, sf)
    const plain = wide ? 3 : 2
    if (!wide && r.bits === 64) refuse(c, from, 'expected a W register')
    let type = acceptCommaName(c, EXTENDS)
    if (type < 0 && (acceptCommaName(c, ['lsl']) === 0 || r.bits === (wide ? 64 : 32))) type = plain
    if (type < 0) refuse(c, from, 'a W register here needs an extension such as uxtw')
    if (wide && ((type & 3) === 3) !== (r.bits === 64)) {
      refuse(c, from, `${EXTENDS[type]} needs ${(type & 3) === 3 ? 'an X' : 'a W'} register`)
    }
    setField(c, option!, type)
    const more = c.reader.is('#') || c.reader.peek()?.kind === 'number'
    setField(c, imm3!, more ? parseRanged(c, 0n, 4n) : 0)
  },
  print(c) {
    const [option, imm3, rm, sf] = c.args
    const type = fieldValue(c, option)
    const wide = is64(c, sf)
    const amount = fieldValue(c, imm3)
    const register = generalName(fieldValue(c, rm), wide && (type & 3) === 3 ? 64 : 32, false)
    const tail = amount === 0 ? '' : ` #${amount}`
    if (type === (wide ? 3 : 2) && usesStackPointer(c)) return amount === 0 ? register : `${register}, lsl${tail}`
    return `${register}, ${EXTENDS[type]}${tail}`
  },
}

const hw: OperandKind = {
  parse(c) {
    const amount = acceptCommaName(c, ['lsl']) < 0 ? 0 : parseRanged(c, 0n, BigInt(rowSize(c) / 16 - 1), 16n)
    setField(c, c.args[0]!, amount)
  },
  print(c) {
    const n = fieldValue(c, c.args[0])
    return n === 0 ? '' : `, lsl #${16 * n}`
  },
}

/** A target as an absolute address; `distance` in bytes is what the instruction holds. */
function parseTarget(c: ParseContext, base: bigint, bits: number, scale: bigint, what: string): number {
  const from = c.reader.at
  const target = parseImmediate(c)
  const distance = BigInt.asIntN(64, target - base)
  if (distance % scale !== 0n) refuse(c, from, `${what} must be a multiple of ${scale} bytes away, not ${distance}`)
  const n = distance / scale
  const half = 1n << BigInt(bits - 1)
  if (n < -half || n >= half)
    refuse(
      c,
      from,
      `${what} is too far away: ${distance} bytes, the reach is ${-half * scale} to ${(half - 1n) * scale}`,
    )
  return Number(BigInt.asUintN(bits, n))
}

function printTarget(address: bigint): string {
  return `0x${BigInt.asUintN(64, address).toString(16)}`
}

const rel: OperandKind = {
  parse(c) {
    setField(c, c.args[0]!, parseTarget(c, c.pc, fieldWidth(c.row, c.args[0]!), 4n, 'the target'))
  },
  print(c) {
    return printTarget(c.pc + 4n * BigInt(signed(fieldValue(c, c.args[0]), fieldWidth(c.row, c.args[0]!))))
  },
}

function address(page: boolean): OperandKind {
  const base = (pc: bigint): bigint => (page ? pc & ~0xfffn : pc)
  const unit = page ? 4096n : 1n
  return {
    parse(c) {
      // ADRP takes any address of the page.
      const inner = page ? { ...c, resolve: pageOf(c) } : c
      const n = parseTarget(inner, base(c.pc), 21, unit, 'the address')
      setField(c, c.args[0]!, n >>> 2)
      setField(c, c.args[1]!, n & 3)
    },
    print(c) {
      const n = signed(fieldValue(c, c.args[0]) * 4 + fieldValue(c, c.args[1]), 21)
      return printTarget(base(c.pc) + unit * BigInt(n))
    },
  }
}

/** Names give their page, so that `adrp x0, message` means the page that holds it. */
function pageOf(c: ParseContext): ParseContext['resolve'] {
  return (name) => {
    const term = c.resolve(name)
    return term === undefined ? undefined : { ...term, value: BigInt.asUintN(64, term.value) & ~0xfffn }
  }
}

/** Bit number of TBZ/TBNZ. The register before it set b5 by its width; bits below 32 have b5 = 0 either way. */
const tb: OperandKind = {
  parse(c) {
    const from = c.reader.at
    const bit = parseRanged(c, 0n, 63n)
    if (bit >= 32 && fieldValue(c, c.args[0]) === 0) refuse(c, from, `bit ${bit} needs an X register`)
    c.fields[c.args[0]!] = bit >>> 5
    setField(c, c.args[1]!, bit & 31)
  },
  print: (c) => `#${fieldValue(c, c.args[0]) * 32 + fieldValue(c, c.args[1])}`,
}

/** The encoding of a condition name, or -1. `hs` and `lo` are other names of `cs` and `cc`. */
function conditionNumber(name: string): number {
  const n = name.toLowerCase()
  return (CONDITIONS as readonly string[]).indexOf(n === 'hs' ? 'cs' : n === 'lo' ? 'cc' : n)
}

function condition(invert: 0 | 1): OperandKind {
  return {
    parse(c) {
      const n = conditionNumber(c.reader.name() ?? '')
      if (n < 0) c.reader.fail(`expected a condition but found ${c.reader.describe()}`)
      // The inverse of AL and NV means nothing to CSET and its kin.
      if (invert === 1 && n >= 14) refuse(c, c.reader.at, `'${CONDITIONS[n]}' cannot be inverted`)
      c.reader.at++
      setField(c, c.args[0]!, n ^ invert)
    },
    print: (c) => CONDITIONS[fieldValue(c, c.args[0]) ^ invert]!,
    mnemonicForms: ({ args }) =>
      [...CONDITIONS, 'hs', 'lo'].map((text) => ({ text, fields: { [args[0]!]: conditionNumber(text) ^ invert } })),
  }
}

/** The index of a load or store (register offset): inside brackets, after the comma. */
const memx: OperandKind = {
  parse(c) {
    const [option, s, rm, log2] = c.args
    const from = c.reader.at
    const size = Number(log2)
    const name = c.reader.name()
    if (name === undefined || generalRegister(name) === undefined)
      c.reader.fail(`expected an index register but found ${c.reader.describe()}`)
    const r = parseGeneral(c, 0, false)
    setField(c, rm!, r.number)
    let type = acceptCommaName(c, EXTENDS)
    const shifted = type < 0 && acceptCommaName(c, ['lsl']) === 0
    if (type < 0) type = 3
    if ((type & 2) === 0) refuse(c, from, `${EXTENDS[type]} is no address extension`)
    if (((type & 1) === 1) !== (r.bits === 64)) {
      refuse(c, from, r.bits === 64 ? 'an X register takes lsl or sxtx' : 'a W register takes uxtw or sxtw')
    }
    setField(c, option!, type)
    const more = c.reader.is('#') || c.reader.peek()?.kind === 'number'
    if (shifted && !more) c.reader.fail('expected the amount of the shift')
    if (!more) return setField(c, s!, 0)
    const at = c.reader.at
    const amount = parseImmediate(c)
    if (amount !== 0n && amount !== BigInt(size))
      refuse(c, at, `the amount must be #0${size === 0 ? '' : ` or #${size}`}`)
    setField(c, s!, amount === BigInt(size) ? 1 : 0)
  },
  print(c) {
    const [option, s, rm, log2] = c.args
    const type = fieldValue(c, option)
    const register = generalName(fieldValue(c, rm), (type & 1) === 1 ? 64 : 32, false)
    const scaled = fieldValue(c, s) === 1
    const amount = scaled ? ` #${log2}` : ''
    if (type === 3) return scaled ? `${register}, lsl${amount}` : register
    return `${register}, ${EXTENDS[type]}${amount}`
  },
}

/** MOV (wide immediate) and MOV (inverted wide immediate). */
function wideImmediate(inverted: boolean): OperandKind {
  return {
    parse(c) {
      const [imm16, hwField, sf] = c.args
      const from = c.reader.at
      const bits = sizeOf(c, 2)
      const written = wrap(parseImmediate(c), bits)
      if (written === undefined) return refuse(c, from, `the value does not fit ${bits} bits`)
      const value = inverted ? BigInt.asUintN(bits, ~written) : written
      for (let n = 0; n < bits / 16; n++) {
        if ((value & ~(0xffffn << BigInt(16 * n))) !== 0n) continue
        setField(c, imm16!, Number(value >> BigInt(16 * n)))
        setField(c, hwField!, n)
        if (sf !== undefined) setField(c, sf, bits === 64 ? 1 : 0)
        return
      }
      refuse(c, from, 'the value needs more than one instruction; use movz and movk, or ldr with =')
    },
    print(c) {
      const [imm16, hwField] = c.args
      const bits = sizeOf(c, 2)
      const shifted = BigInt(fieldValue(c, imm16)) << BigInt(16 * fieldValue(c, hwField))
      if (!inverted) return printNumber(shifted)
      return printNumber(BigInt.asIntN(bits, ~shifted))
    },
  }
}

/** LSL (immediate) as UBFM: immr = -n mod size, imms = size - 1 - n. */
const lslimm: OperandKind = {
  parse(c) {
    const bits = rowSize(c)
    const n = parseRanged(c, 0n, BigInt(bits - 1))
    setField(c, c.args[0]!, (bits - n) % bits)
    setField(c, c.args[1]!, bits - 1 - n)
  },
  print: (c) => `#${rowSize(c) - 1 - fieldValue(c, c.args[1])}`,
}

const bflsb: OperandKind = {
  parse(c) {
    const bits = sizeOf(c, 1)
    setField(c, c.args[0]!, (bits - parseRanged(c, 0n, BigInt(bits - 1))) % bits)
  },
  print(c) {
    const bits = sizeOf(c, 1)
    return `#${(bits - fieldValue(c, c.args[0])) % bits}`
  },
}

/** Width of BFI and its kin; lsb + width must stay within the register (immr holds -lsb). */
const bfwidth: OperandKind = {
  parse(c) {
    const bits = rowSize(c)
    const lsb = (bits - fieldValue(c, 'immr')) % bits
    setField(c, c.args[0]!, parseRanged(c, 1n, BigInt(bits - lsb)) - 1)
  },
  print: (c) => `#${fieldValue(c, c.args[0]) + 1}`,
}

const bfxwidth: OperandKind = {
  parse(c) {
    const lsb = fieldValue(c, c.args[0])
    setField(c, c.args[1]!, lsb + parseRanged(c, 1n, BigInt(rowSize(c) - lsb)) - 1)
  },
  print: (c) => `#${fieldValue(c, c.args[1]) - fieldValue(c, c.args[0]) + 1}`,
}

export const immediateKinds: Readonly<Record<string, OperandKind>> = {
  uimm,
  simm,
  addimm,
  bitmask,
  shift,
  extend,
  hw,
  rel,
  tb,
  memx,
  lslimm,
  bflsb,
  bfwidth,
  bfxwidth,
  adr: address(false),
  adrp: address(true),
  cond: condition(0),
  condinv: condition(1),
  nzcv: uimm,
  movz: wideImmediate(false),
  movn: wideImmediate(true),
}
