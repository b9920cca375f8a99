/**
 * Assembler expressions: 64-bit integers, or a place in a section while section addresses are not known yet.
 *
 * Operators, loosest first, as in C: `||`, `&&`, `|`, `^`, `&`, `== !=`, `< <= > >=`, `<< >>`, `+ -`, `* / %`, then
 * unary `- + ~ !`. Division truncates. Comparisons give -1 or 0, as GNU as does.
 */
import { type Position, SourceError, type Token } from './assemble-lexer.ts'

/** A value: absolute when `section` is undefined, else an offset from the start of that section. */
export interface Term {
  readonly value: bigint
  readonly section: string | undefined
}

export const absolute = (value: bigint): Term => ({ value, section: undefined })

/** Gives the value of a name, or undefined when it is not (yet) defined; `.` is the current place. */
export type Resolve = (name: string) => Term | undefined

/** Reads tokens one after the other, with the errors placed. */
export class TokenReader {
  at = 0
  /** How many parentheses and signs are open around the expression being read. */
  nesting = 0
  constructor(
    readonly tokens: readonly Token[],
    readonly position: Position,
  ) {}

  /** The next token, or undefined at the end. */
  peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead]
  }
  get atEnd(): boolean {
    return this.at >= this.tokens.length
  }
  /** Is the next token this punctuation? */
  is(text: string): boolean {
    const t = this.peek()
    return t !== undefined && t.kind === 'punctuation' && t.text === text
  }
  /** Take the punctuation if it is next. */
  accept(text: string): boolean {
    if (!this.is(text)) return false
    this.at++
    return true
  }
  /** @throws SourceError unless the punctuation is next. */
  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected '${text}' but found ${this.describe()}`)
  }
  /** The next token when it is a name; not taken. */
  name(): string | undefined {
    const t = this.peek()
    return t !== undefined && t.kind === 'name' ? t.text : undefined
  }
  /** What stands next, for messages. */
  describe(): string {
    const t = this.peek()
    return t === undefined ? 'the end of the line' : `'${t.text}'`
  }
  /** @throws SourceError at the next token. */
  fail(message: string): never {
    const last = this.tokens[this.tokens.length - 1]
    const column = this.peek()?.column ?? (last === undefined ? this.position.column : last.column + last.text.length)
    throw new SourceError(message, { ...this.position, column })
  }
  /** @throws SourceError unless everything is read. */
  end(): void {
    if (!this.atEnd) this.fail(`unexpected ${this.describe()}`)
  }
}

const DEEPEST = 100

const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]

/** Read and evaluate an expression. @throws SourceError on a syntax error, an undefined name or a division by zero. */
export function parseExpression(reader: TokenReader, resolve: Resolve, level = 0): Term {
  if (level === LEVELS.length) return parseUnary(reader, resolve)
  let left = parseExpression(reader, resolve, level + 1)
  for (;;) {
    const operator = LEVELS[level]!.find((o) => reader.is(o))
    if (operator === undefined) return left
    const start = reader.at
    reader.at++
    const right = parseExpression(reader, resolve, level + 1)
    const result = apply(operator, left, right)
    if (typeof result === 'string') {
      reader.at = start
      reader.fail(result)
    }
    left = result
  }
}

/** Read an expression that must not depend on where sections end up. */
export function parseAbsolute(reader: TokenReader, resolve: Resolve, what: string): bigint {
  const start = reader.at
  const term = parseExpression(reader, resolve)
  if (term.section !== undefined) {
    reader.at = start
    reader.fail(`${what} must be a constant`)
  }
  return term.value
}

function parseUnary(reader: TokenReader, resolve: Resolve): Term {
  if (++reader.nesting > DEEPEST) return reader.fail('the expression is nested too deeply')
  const term = parseOperand(reader, resolve)
  reader.nesting--
  return term
}

function parseOperand(reader: TokenReader, resolve: Resolve): Term {
  const t = reader.peek()
  if (t === undefined) return reader.fail('expected an expression but found the end of the line')
  if (t.kind === 'number') {
    reader.at++
    return absolute(t.value)
  }
  if (t.kind === 'name' || t.kind === 'local') {
    const term = resolve(t.text)
    if (term === undefined) {
      return reader.fail(
        t.kind === 'local' ? `no local label for '${printable(t.text)}'` : `'${printable(t.text)}' is not defined`,
      )
    }
    reader.at++
    return term
  }
  if (reader.accept('(')) {
    const inner = parseExpression(reader, resolve)
    reader.expect(')')
    return inner
  }
  for (const operator of ['-', '+', '~', '!']) {
    if (!reader.is(operator)) continue
    const start = reader.at
    reader.at++
    const operand = parseUnary(reader, resolve)
    if (operator === '+') return operand
    if (operand.section !== undefined) {
      reader.at = start
      return reader.fail(`'${operator}' needs a constant, not an address`)
    }
    if (operator === '-') return absolute(-operand.value)
    return absolute(operator === '~' ? ~operand.value : operand.value === 0n ? -1n : 0n)
  }
  return reader.fail(`expected an expression but found ${reader.describe()}`)
}

/** A local label as the source wrote it. */
function printable(name: string): string {
  return name.replace(/#\d+$/, '')
}

function apply(operator: string, a: Term, b: Term): Term | string {
  const x = a.value
  const y = b.value
  if (operator === '+') {
    if (a.section !== undefined && b.section !== undefined) return 'two addresses cannot be added'
    return { value: x + y, section: a.section ?? b.section }
  }
  if (operator === '-' && a.section !== undefined && b.section === undefined)
    return { value: x - y, section: a.section }
  if (a.section !== b.section) return `'${operator}' needs constants or two places of the same section`
  const truth = (b: boolean): Term => absolute(b ? -1n : 0n)
  switch (operator) {
    case '-':
      return absolute(x - y)
    case '==':
      return truth(x === y)
    case '!=':
      return truth(x !== y)
    case '<':
      return truth(x < y)
    case '<=':
      return truth(x <= y)
    case '>':
      return truth(x > y)
    case '>=':
      return truth(x >= y)
  }
  if (a.section !== undefined) return `'${operator}' needs constants, not addresses`
  switch (operator) {
    case '*':
      return bounded(x * y)
    case '/':
      return y === 0n ? 'division by zero' : absolute(x / y)
    case '%':
      return y === 0n ? 'division by zero' : absolute(x % y)
    case '&':
      return absolute(x & y)
    case '|':
      return absolute(x | y)
    case '^':
      return absolute(x ^ y)
    case '&&':
      return truth(x !== 0n && y !== 0n)
    case '||':
      return truth(x !== 0n || y !== 0n)
    default:
      if (y < 0n || y > 127n) return 'shift amount out of range 0 to 127'
      return operator === '<<' ? bounded(x << y) : absolute(BigInt.asUintN(64, x) >> y)
  }
}

/** Products of products grow without end; nothing needs more than twice 64 bits. */
function bounded(value: bigint): Term | string {
  return BigInt.asIntN(256, value) === value ? absolute(value) : 'the value is far beyond 64 bits'
}
