/**
 * What an operand kind of a syntax string is (SYNTAX.md), and what it gets to work with.
 */
import type { AnyFields, Row } from './row.ts'
import { type Resolve, type TokenReader, parseExpression } from './assemble-expressions.ts'
import { SourceError } from './assemble-lexer.ts'

/** The part of `{kind*scale:args}` after the kind's name. */
export interface OperandShape {
  /** As in `{uimm*8:imm12}`; 1 when absent. */
  readonly scale: number
  /** Field names, and constants for some kinds. */
  readonly args: readonly string[]
}

/** Everything a kind needs to read its text. Fields are set with `setField`. */
export interface ParseContext extends OperandShape {
  readonly reader: TokenReader
  readonly resolve: Resolve
  /** Address of the instruction. */
  readonly pc: bigint
  readonly row: Row
  /** The mnemonic of the syntax, without what operands add to it. */
  readonly mnemonic: string
  readonly fields: Record<string, number>
}

/** Everything a kind needs to write its text. */
export interface PrintContext extends OperandShape {
  readonly fields: AnyFields
  readonly pc: bigint
  readonly row: Row
  readonly mnemonic: string
}

export interface OperandKind {
  /** Read the operand and set its fields. @throws SourceError when the text or the value does not fit. */
  parse(c: ParseContext): void
  /** The operand's text; '' for one that is optional and absent. */
  print(c: PrintContext): string
  /** Set the fields as `#0` would: kinds that may be left out of `[Xn, #0]` have it. */
  zero?(c: ParseContext): void
  /** Does `print` stand for zero, so that `[Xn]` is enough? */
  isZero?(c: PrintContext): boolean
  /** The texts the operand can have inside a mnemonic, with their fields. */
  readonly mnemonicForms?: (shape: OperandShape) => readonly { readonly text: string; readonly fields: AnyFields }[]
}

/** A text of the right shape whose value does not fit: a better message than "expected a register". */
export class RefusedValue extends SourceError {}

/** Refuse a value that was read from token `from` on. @throws RefusedValue always. */
export function refuse(c: ParseContext, from: number, message: string): never {
  const column = c.reader.tokens[from]?.column ?? c.reader.position.column
  throw new RefusedValue(message, { ...c.reader.position, column })
}

/** Set a field; a field that two operands set must agree. */
export function setField(c: ParseContext, name: string, value: number, from = c.reader.at - 1): void {
  const old = c.fields[name]
  if (old !== undefined && old !== value) refuse(c, from, 'operands do not agree in size')
  c.fields[name] = value
}

/** Width of a field in bits; names that the row lacks (set for `fill`) count as 32. */
export function fieldWidth(row: Row, name: string): number {
  return row.fields.find((f) => f.name === name)?.width ?? 32
}

/** The field's value, 0 when the row has none of that name. */
export function fieldValue(c: { readonly fields: AnyFields }, name: string | undefined): number {
  return (name === undefined ? undefined : c.fields[name]) ?? 0
}

const REGISTER = /^(?:[xwbhsdqv]([0-9]|[12][0-9]|3[01])|xzr|wzr|sp|wsp|fp|lr|ip0|ip1)(?:\..*)?$/i

/** Is the text the name of a general-purpose or SIMD&FP register? */
export function isRegisterName(text: string): boolean {
  return REGISTER.test(text) && !/^[xw]31/i.test(text)
}

/** `#` (optional) and an expression, as an absolute value. */
export function parseImmediate(c: ParseContext): bigint {
  c.reader.accept('#')
  const relocation = c.reader.is(':') ? parseRelocation(c) : undefined
  const name = c.reader.name()
  if (name !== undefined && isRegisterName(name)) c.reader.fail(`expected an immediate but found register '${name}'`)
  const { value } = parseExpression(c.reader, c.resolve)
  return relocation === undefined ? value : relocation(value)
}

/** `:lo12:` and its relatives: a part of an address. */
function parseRelocation(c: ParseContext): (address: bigint) => bigint {
  c.reader.expect(':')
  const name = c.reader.name()
  const groups: Readonly<Record<string, (a: bigint) => bigint>> = {
    lo12: (a) => a & 0xfffn,
    abs_g0: (a) => a & 0xffffn,
    abs_g0_nc: (a) => a & 0xffffn,
    abs_g1: (a) => (a >> 16n) & 0xffffn,
    abs_g1_nc: (a) => (a >> 16n) & 0xffffn,
    abs_g2: (a) => (a >> 32n) & 0xffffn,
    abs_g2_nc: (a) => (a >> 32n) & 0xffffn,
    abs_g3: (a) => (a >> 48n) & 0xffffn,
  }
  const group = name === undefined ? undefined : groups[name.toLowerCase()]
  if (group === undefined)
    return c.reader.fail(`unknown relocation :${name ?? ''}:; known are ${Object.keys(groups).join(' ')}`)
  c.reader.at++
  c.reader.expect(':')
  return group
}

/** Hexadecimal with sign, decimal when small: the way immediates are printed. */
export function printNumber(n: number | bigint): string {
  return `#${printBare(n)}`
}

/** As `printNumber` without the `#`. */
export function printBare(n: number | bigint): string {
  const v = BigInt(n)
  const magnitude = v < 0n ? -v : v
  if (magnitude < 0x1000n) return v.toString()
  return `${v < 0n ? '-' : ''}0x${magnitude.toString(16)}`
}
