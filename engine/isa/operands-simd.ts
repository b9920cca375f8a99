/**
 * Operand kinds of Advanced SIMD: vectors with arrangements, elements, structure lists and the immediates among them.
 *
 * Some fields mean both an element size and an amount or index (imm5, immh): the first operand leaves the size in the
 * field, the last one puts the whole value there.
 */
import { encodeImmediate, immediateValue } from './fp/immediate.ts'
import {
  type OperandKind,
  type ParseContext,
  type PrintContext,
  fieldValue,
  fieldWidth,
  parseImmediate,
  printNumber,
  refuse,
  setField,
} from './operand-kind.ts'
import { parseRanged } from './operands-immediate.ts'
import { generalName, parseGeneral, scalarRegister } from './operands-register.ts'

const LETTERS = ['b', 'h', 's', 'd'] as const
/** Arrangement by element size and Q. */
const ARRANGEMENTS = [
  ['8b', '16b'],
  ['4h', '8h'],
  ['2s', '4s'],
  ['1d', '2d'],
] as const

const lowestBit = (n: number): number => (n === 0 ? 0 : 31 - Math.clz32(n & -n))
const highestBit = (n: number): number => (n === 0 ? 0 : 31 - Math.clz32(n))

/** Take `v0`..`v31`. */
function parseVector(c: ParseContext): number {
  const m = /^v([0-9]|[12][0-9]|3[01])$/i.exec(c.reader.name() ?? '')
  if (m === null) return c.reader.fail(`expected a vector register but found ${c.reader.describe()}`)
  c.reader.at++
  return Number(m[1])
}

/** Take `.8h` and the like. */
function parseArrangement(c: ParseContext): string {
  const name = c.reader.name()
  if (name === undefined || !name.startsWith('.'))
    return c.reader.fail(`expected an arrangement such as .16b but found ${c.reader.describe()}`)
  c.reader.at++
  return name.slice(1).toLowerCase()
}

/** An arrangement from a list, as [text, value of args[from], value of args[from + 1], ...]. */
type Choice = readonly [text: string, ...values: number[]]

function setChoice(c: ParseContext, choices: readonly Choice[], text: string, from: number): void {
  const choice = choices.find((x) => x[0] === text)
  if (choice === undefined) {
    const possible = choices.map((x) => `.${x[0]}`).join(' ')
    refuse(c, c.reader.at - 1, `'.${text}' does not fit here; possible are ${possible}`)
  }
  for (const [i, v] of choice.slice(1).entries()) {
    const field = c.args[from + i]
    if (field !== undefined) setField(c, field, v as number)
  }
}

function choiceText(c: PrintContext, choices: readonly Choice[], from: number): string {
  const fits = (x: Choice): boolean =>
    x.slice(1).every((v, i) => c.args[from + i] === undefined || fieldValue(c, c.args[from + i]) === v)
  return choices.find(fits)?.[0] ?? '?'
}

/** A vector whose arrangement sets fields. */
function vector(choices: readonly Choice[]): OperandKind {
  return {
    parse(c) {
      setField(c, c.args[0]!, parseVector(c))
      setChoice(c, choices, parseArrangement(c), 1)
    },
    print: (c) => `v${fieldValue(c, c.args[0])}.${choiceText(c, choices, 1)}`,
  }
}

/** The arrangement alone, after a register written literally. */
function arrangement(choices: readonly Choice[]): OperandKind {
  return {
    parse: (c) => setChoice(c, choices, parseArrangement(c), 0),
    print: (c) => choiceText(c, choices, 0),
  }
}

const bySize = (sizes: readonly number[]): Choice[] =>
  sizes.flatMap((s) => [0, 1].map((q): Choice => [ARRANGEMENTS[s]![q]!, s, q]))

/** Scalar register whose letter is the element size in args[1]. `shift`: elements twice as wide. */
function scalarBySize(shift: 0 | 1, letters: readonly string[] = LETTERS): OperandKind {
  return {
    parse(c) {
      const [n, size] = parseScalar(c, letters.slice(shift))
      setField(c, c.args[0]!, n)
      setField(c, c.args[1]!, size)
    },
    print: (c) => `${letters[fieldValue(c, c.args[1]) + shift] ?? '?'}${fieldValue(c, c.args[0])}`,
  }
}

/** Take a scalar register; gives its number and the index of its letter. */
function parseScalar(c: ParseContext, letters: readonly string[]): [number: number, size: number] {
  const name = c.reader.name() ?? ''
  const size = letters.findIndex((l) => scalarRegister(name, l) !== undefined)
  if (size < 0) c.reader.fail(`expected one of the registers ${letters.join(' ')} but found ${c.reader.describe()}`)
  c.reader.at++
  return [scalarRegister(name, letters[size]!)!, size]
}

/** Take `[n]`, 0 <= n <= max. */
function parseIndex(c: ParseContext, max: number): number {
  c.reader.expect('[')
  const from = c.reader.at
  const n = parseImmediate(c)
  if (n < 0n || n > BigInt(max)) refuse(c, from, `element ${n} is not there; the last is ${max}`)
  c.reader.expect(']')
  return Number(n)
}

/** Take `.b` `.h` `.s` or `.d`; gives the size. `known`: the size an operand before fixed. */
function parseElementSize(c: ParseContext, known: number | undefined): number {
  const size = (LETTERS as readonly string[]).indexOf(parseArrangement(c))
  if (size < 0 || (known !== undefined && size !== known)) refuse(c, c.reader.at - 1, 'the element sizes do not agree')
  return size
}

// ---- imm5: lowest set bit = size, bits above = index --------------------------------------------------------------

const vectorByImm5: OperandKind = {
  parse(c) {
    setField(c, c.args[0]!, parseVector(c))
    const text = parseArrangement(c)
    const choice = bySize([0, 1, 2, 3]).find((x) => x[0] === text)
    if (choice === undefined) return refuse(c, c.reader.at - 1, `'.${text}' is no arrangement`)
    c.fields[c.args[1]!] = 1 << choice[1]!
    setField(c, c.args[2]!, choice[2]!)
  },
  print(c) {
    const [n, imm5, q] = c.args.map((a) => fieldValue(c, a)) as [number, number, number]
    return `v${n}.${ARRANGEMENTS[lowestBit(imm5)]?.[q] ?? '?'}`
  },
}

const element: OperandKind = {
  parse(c) {
    const [register, imm5] = c.args
    setField(c, register!, parseVector(c))
    const before = c.fields[imm5!]
    const size = parseElementSize(c, before === undefined ? undefined : lowestBit(before))
    const index = parseIndex(c, (16 >> size) - 1)
    c.fields[imm5!] = (index << (size + 1)) | (1 << size)
  },
  print(c) {
    const imm5 = fieldValue(c, c.args[1])
    const size = lowestBit(imm5)
    return `v${fieldValue(c, c.args[0])}.${LETTERS[size] ?? '?'}[${imm5 >> (size + 1)}]`
  },
}

const elementByImm4: OperandKind = {
  parse(c) {
    const [register, imm5, imm4] = c.args
    setField(c, register!, parseVector(c))
    const size = parseElementSize(c, lowestBit(fieldValue(c, imm5)))
    setField(c, imm4!, parseIndex(c, (16 >> size) - 1) << size)
  },
  print(c) {
    const size = lowestBit(fieldValue(c, c.args[1]))
    return `v${fieldValue(c, c.args[0])}.${LETTERS[size] ?? '?'}[${fieldValue(c, c.args[2]) >> size}]`
  },
}

const scalarByImm5: OperandKind = {
  parse(c) {
    const [n, size] = parseScalar(c, LETTERS)
    setField(c, c.args[0]!, n)
    c.fields[c.args[1]!] = 1 << size
  },
  print: (c) => `${LETTERS[lowestBit(fieldValue(c, c.args[1]))] ?? '?'}${fieldValue(c, c.args[0])}`,
}

const generalByImm5: OperandKind = {
  parse(c) {
    const size = lowestBit(fieldValue(c, c.args[1]))
    setField(c, c.args[0]!, parseGeneral(c, size === 3 ? 64 : 32, false).number)
  },
  print: (c) => generalName(fieldValue(c, c.args[0]), lowestBit(fieldValue(c, c.args[1])) === 3 ? 64 : 32, false),
}

// ---- immh:immb: highest set bit of immh = size, the whole = size and amount ---------------------------------------

function vectorByImmh(wide: boolean): OperandKind {
  const shift = wide ? 1 : 0
  return {
    parse(c) {
      setField(c, c.args[0]!, parseVector(c))
      const text = parseArrangement(c)
      const choice = bySize(wide ? [1, 2, 3] : [0, 1, 2, 3]).find((x) => x[0] === text && (!wide || x[2] === 1))
      if (choice === undefined) return refuse(c, c.reader.at - 1, `'.${text}' does not fit here`)
      setField(c, c.args[1]!, 1 << (choice[1]! - shift))
      if (!wide) setField(c, c.args[2]!, choice[2]!)
    },
    print(c) {
      const size = highestBit(fieldValue(c, c.args[1])) + shift
      return `v${fieldValue(c, c.args[0])}.${ARRANGEMENTS[size]?.[wide ? 1 : fieldValue(c, c.args[2])] ?? '?'}`
    },
  }
}

function scalarByImmh(shift: 0 | 1): OperandKind {
  return {
    parse(c) {
      const [n, size] = parseScalar(c, LETTERS.slice(shift))
      setField(c, c.args[0]!, n)
      setField(c, c.args[1]!, 1 << size)
    },
    print: (c) => `${LETTERS[highestBit(fieldValue(c, c.args[1])) + shift] ?? '?'}${fieldValue(c, c.args[0])}`,
  }
}

function shiftAmount(left: boolean): OperandKind {
  return {
    parse(c) {
      const [immh, immb] = c.args
      const esize = 8 << highestBit(fieldValue(c, immh))
      const n = left ? parseRanged(c, 0n, BigInt(esize - 1)) : parseRanged(c, 1n, BigInt(esize))
      const value = left ? esize + n : 2 * esize - n
      c.fields[immh!] = value >> 3
      setField(c, immb!, value & 7)
    },
    print(c) {
      const immh = fieldValue(c, c.args[0])
      const value = immh * 8 + fieldValue(c, c.args[1])
      const esize = 8 << highestBit(immh)
      return `#${left ? value - esize : 2 * esize - value}`
    },
  }
}

/** SHLL's amount is the element size and nothing else. */
const elementBits: OperandKind = {
  parse(c) {
    const bits = BigInt(8 << fieldValue(c, c.args[0]))
    const from = c.reader.at
    if (parseImmediate(c) !== bits) refuse(c, from, `the amount must be #${bits}`)
  },
  print: (c) => `#${8 << fieldValue(c, c.args[0])}`,
}

// ---- modified immediates ------------------------------------------------------------------------------------------

function setImm8(c: ParseContext, value: number): void {
  setField(c, c.args[0]!, value >> 5)
  setField(c, c.args[1]!, value & 31)
}

const imm8Of = (c: PrintContext): number => fieldValue(c, c.args[0]) * 32 + fieldValue(c, c.args[1])

const imm8: OperandKind = {
  parse: (c) => setImm8(c, parseRanged(c, 0n, 255n)),
  print: (c) => `#0x${imm8Of(c).toString(16)}`,
}

const byteMask: OperandKind = {
  parse(c) {
    const from = c.reader.at
    const value = BigInt.asUintN(64, parseImmediate(c))
    let bits = 0
    for (let i = 0; i < 8; i++) {
      const byte = (value >> BigInt(8 * i)) & 0xffn
      if (byte !== 0n && byte !== 0xffn) refuse(c, from, 'each byte must be 0x00 or 0xff')
      if (byte !== 0n) bits |= 1 << i
    }
    setImm8(c, bits)
  },
  print(c) {
    let value = 0n
    for (let i = 0; i < 8; i++) if ((imm8Of(c) >> i) & 1) value |= 0xffn << BigInt(8 * i)
    return `#0x${value.toString(16)}`
  },
}

const floatImm8: OperandKind = {
  parse(c) {
    const from = c.reader.at
    c.reader.accept('#')
    const negative = c.reader.accept('-')
    const t = c.reader.peek()
    if (t?.kind !== 'float' && t?.kind !== 'number') return c.reader.fail('expected a number')
    c.reader.at++
    const magnitude = t.kind === 'float' ? t.float : Number(t.value)
    const encoded = encodeImmediate(negative ? -magnitude : magnitude)
    if (encoded < 0) return refuse(c, from, 'not one of the numbers n/16 * 2^r, 16 <= n <= 31, -3 <= r <= 4')
    setImm8(c, encoded)
  },
  print: (c) =>
    `#${immediateValue(imm8Of(c))
      .toExponential(18)
      .replace(/e([+-])(\d)$/, 'e$10$2')}`,
}

const shiftBytes: OperandKind = {
  parse(c) {
    const next = c.reader.peek(1)
    if (!c.reader.is(',') || next?.text.toLowerCase() !== 'lsl') return setField(c, c.args[0]!, 0)
    c.reader.at += 2
    setField(c, c.args[0]!, parseRanged(c, 0n, 2n ** BigInt(fieldWidth(c.row, c.args[0]!)) - 1n, 8n))
  },
  print(c) {
    const n = fieldValue(c, c.args[0])
    return n === 0 ? '' : `, lsl #${8 * n}`
  },
}

const shiftOnes: OperandKind = {
  parse(c) {
    if (c.reader.name()?.toLowerCase() !== 'msl') c.reader.fail(`expected msl but found ${c.reader.describe()}`)
    c.reader.at++
    setField(c, c.args[0]!, parseRanged(c, 1n, 2n, 8n) - 1)
  },
  print: (c) => `msl #${8 * (fieldValue(c, c.args[0]) + 1)}`,
}

// ---- one element of the second operand ----------------------------------------------------------------------------

/** `sizes`: element size for each value of the size field. Halfwords leave M to the index, so Rm has 4 bits. */
function indexed(sizes: readonly (number | undefined)[]): OperandKind {
  return {
    parse(c) {
      const [rm, sizeField, h, l, m] = c.args
      const from = c.reader.at
      const n = parseVector(c)
      const size = parseElementSize(c, undefined)
      const value = sizes.indexOf(size)
      if (value < 0) refuse(c, c.reader.at - 1, `'.${LETTERS[size]}' does not fit here`)
      setField(c, sizeField!, value)
      const index = parseIndex(c, (16 >> size) - 1)
      if (size === 1 && n > 15) refuse(c, from, 'an element of 16 bits must be in v0 to v15')
      setField(c, rm!, n & 15)
      setField(c, h!, (index << size) >> 3)
      setField(c, l!, size === 3 ? 0 : ((index << size) >> 2) & 1)
      setField(c, m!, size === 1 ? index & 1 : n >> 4)
    },
    print(c) {
      const [rm, sizeField, h, l, m] = c.args.map((a) => fieldValue(c, a)) as [number, number, number, number, number]
      const size = sizes[sizeField]
      if (size === 1) return `v${rm}.h[${h * 4 + l * 2 + m}]`
      return `v${m * 16 + rm}.${LETTERS[size ?? 0] ?? '?'}[${size === 3 ? h : h * 2 + l}]`
    },
  }
}

// ---- lists --------------------------------------------------------------------------------------------------------

/** Take `{v0.x, v1.x}` or `{v0.x-v3.x}`; gives the first register and what follows each, which must be the same. */
function parseList(c: ParseContext, count: number): { first: number; suffix: string } {
  const from = c.reader.at
  c.reader.expect('{')
  const first = parseVector(c)
  const suffix = parseArrangement(c)
  let found = 1
  const one = (): number => {
    const n = parseVector(c)
    if (parseArrangement(c) !== suffix) refuse(c, c.reader.at - 1, 'the registers of a list have one arrangement')
    return n
  }
  if (c.reader.accept('-')) {
    found = ((one() - first + 32) & 31) + 1
  } else {
    while (c.reader.accept(',')) {
      const at = c.reader.at
      if (one() !== ((first + found) & 31)) refuse(c, at, 'the registers of a list follow one another')
      found++
    }
  }
  c.reader.expect('}')
  if (found !== count) refuse(c, from, `a list of ${count} register${count > 1 ? 's' : ''} is needed`)
  return { first, suffix }
}

function printList(first: number, count: number, suffix: string): string {
  const name = (i: number): string => `v${(first + i) & 31}.${suffix}`
  // A range that runs past v31 is written out.
  if (count > 2 && first + count <= 32) return `{${name(0)}-${name(count - 1)}}`
  return `{${Array.from({ length: count }, (_, i) => name(i)).join(', ')}}`
}

function list(count: number): OperandKind {
  const choices = bySize([0, 1, 2, 3])
  return {
    parse(c) {
      const { first, suffix } = parseList(c, count)
      setField(c, c.args[0]!, first)
      setChoice(c, choices, suffix, 1)
    },
    print: (c) => printList(fieldValue(c, c.args[0]), count, choiceText(c, choices, 1)),
  }
}

/** Table of TBL and TBX: one to four registers, all .16b. */
const table: OperandKind = {
  parse(c) {
    const start = c.reader.at
    for (let count = 1; count <= 4; count++) {
      try {
        c.reader.at = start
        const { first, suffix } = parseList(c, count)
        if (suffix !== '16b') refuse(c, start, 'a table is made of .16b registers')
        setField(c, c.args[0]!, first)
        return setField(c, c.args[1]!, count - 1)
      } catch (e) {
        if (count === 4) throw e
      }
    }
  },
  print: (c) => printList(fieldValue(c, c.args[0]), fieldValue(c, c.args[1]) + 1, '16b'),
}

/** One element of each register of a list: its number is Q:index, index 3 - size bits wide. */
function elementList(count: number, size: number): OperandKind {
  return {
    parse(c) {
      const [register, q, index] = c.args
      const { first, suffix } = parseList(c, count)
      if (suffix !== LETTERS[size]) refuse(c, c.reader.at - 1, `elements of size .${LETTERS[size]} are needed`)
      const lane = parseIndex(c, (16 >> size) - 1)
      setField(c, register!, first)
      setField(c, q!, lane >> (3 - size))
      if (index !== undefined) setField(c, index, lane & ((8 >> size) - 1))
    },
    print(c) {
      const [register, q, index] = c.args
      const lane = (fieldValue(c, q) << (3 - size)) | fieldValue(c, index)
      return `${printList(fieldValue(c, register), count, LETTERS[size]!)}[${lane}]`
    },
  }
}

/** A post-index amount that the other operands fix already. */
function fixedAmount(amount: (c: ParseContext | PrintContext) => number): OperandKind {
  return {
    parse(c) {
      const from = c.reader.at
      if (parseImmediate(c) !== BigInt(amount(c)))
        refuse(c, from, `the amount must be #${amount(c)}, the bytes transferred`)
    },
    print: (c) => printNumber(amount(c)),
  }
}

const elementLists = [1, 2, 3, 4].flatMap((count) =>
  LETTERS.map((l, size) => [`elem${count}${l}`, elementList(count, size)] as const),
)

export const simdKinds: Readonly<Record<string, OperandKind>> = {
  V: vector(bySize([0, 1, 2, 3])),
  VW: vector([
    ['8h', 0],
    ['4s', 1],
    ['2d', 2],
  ]),
  VL: vector([1, 2, 3].flatMap((s) => [0, 1].map((q): Choice => [ARRANGEMENTS[s]![q]!, s - 1, q]))),
  Vq: vector([
    ['8b', 0],
    ['16b', 1],
  ]),
  V2: vector([
    ['2s', 0, 0],
    ['4s', 0, 1],
    ['2d', 1, 1],
  ]),
  VcN: vector([
    ['4h', 0, 0],
    ['8h', 0, 1],
    ['2s', 1, 0],
    ['4s', 1, 1],
  ]),
  VcW: vector([
    ['4s', 0],
    ['2d', 1],
  ]),
  Vr: { parse: (c) => setField(c, c.args[0]!, parseVector(c)), print: (c) => `v${fieldValue(c, c.args[0])}` },
  arr16: arrangement([
    ['4h', 0],
    ['8h', 1],
  ]),
  arr32: arrangement([
    ['2s', 0],
    ['4s', 1],
  ]),
  pair: arrangement([
    ['2s', 0],
    ['2d', 1],
  ]),
  V5: vectorByImm5,
  Velem: element,
  Velem4: elementByImm4,
  sc5: scalarByImm5,
  R5: generalByImm5,
  sc: scalarBySize(0),
  scW: scalarBySize(1),
  sc2: scalarBySize(0, ['s', 'd']),
  Vs: vectorByImmh(false),
  VsW: vectorByImmh(true),
  scs: scalarByImmh(0),
  scsW: scalarByImmh(1),
  shl: shiftAmount(true),
  shr: shiftAmount(false),
  esize: elementBits,
  imm8,
  immbytes: byteMask,
  fimm8: floatImm8,
  lsl8: shiftBytes,
  msl: shiftOnes,
  Vx: indexed([undefined, 1, 2]),
  Vx2: indexed([2, 3]),
  list1: list(1),
  list2: list(2),
  list3: list(3),
  list4: list(4),
  listlen: table,
  ...Object.fromEntries(elementLists),
  bytes: fixedAmount((c) => c.scale * (fieldValue(c, c.args[0]) === 1 ? 16 : 8)),
  elembytes: fixedAmount((c) => c.scale * (1 << fieldValue(c, c.args[0]))),
}
