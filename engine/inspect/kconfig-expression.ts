/**
 * Expressions of the Kconfig language (Documentation/kbuild/kconfig-language.rst, "Menu dependencies"): symbols and
 * quoted constants, comparisons, `!`, `&&`, `||`, parentheses, over n < m < y.
 */

export type Tristate = 'n' | 'm' | 'y'

export type Comparison = '=' | '!=' | '<' | '>' | '<=' | '>='

export type Expression =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'constant'; readonly text: string }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Operand; readonly right: Operand }

type Operand = Extract<Expression, { kind: 'symbol' | 'constant' }>

/** The text of a symbol as in `.config` without quotes, or undefined for one that is not set or does not exist. */
export type Lookup = (name: string) => string | undefined

/** The text is no Kconfig expression; the message says where it stops being one. */
export class KconfigSyntaxError extends Error {
  override name = 'KconfigSyntaxError'
}

/** Parentheses inside one another; real expressions have a handful. */
const DEEPEST = 100
const TOKEN = /\s*(?:(&&|\|\||!=|<=|>=|[()!=<>])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\w./-]+))/y

interface Token {
  readonly kind: 'operator' | 'constant' | 'name' | 'end'
  readonly text: string
  readonly at: number
}

/** @throws KconfigSyntaxError */
export function parseExpression(text: string): Expression {
  const parser = new Parser(tokens(text))
  return parser.whole()
}

function tokens(text: string): Token[] {
  const found: Token[] = []
  let at = 0
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at
    const m = TOKEN.exec(text)
    if (m === null) throw new KconfigSyntaxError(`cannot read "${text.slice(at).trim()}" in a Kconfig expression`)
    const [, operator, double, single, name] = m
    const quoted = double ?? single
    if (operator !== undefined) found.push({ kind: 'operator', text: operator, at })
    else if (quoted !== undefined) found.push({ kind: 'constant', text: quoted.replace(/\\(.)/g, '$1'), at })
    else found.push({ kind: 'name', text: name!, at })
    at = TOKEN.lastIndex
  }
  found.push({ kind: 'end', text: 'the end', at: text.length })
  return found
}

class Parser {
  private next = 0
  private depth = 0

  constructor(private readonly list: readonly Token[]) {}

  whole(): Expression {
    const e = this.or()
    if (this.token.kind !== 'end') this.fail('an operator')
    return e
  }

  private get token(): Token {
    return this.list[this.next]!
  }

  private take(operator: string): boolean {
    if (this.token.kind !== 'operator' || this.token.text !== operator) return false
    this.next++
    return true
  }

  private fail(wanted: string): never {
    throw new KconfigSyntaxError(`a Kconfig expression has ${this.token.text} where ${wanted} should be (character ${this.token.at + 1})`)
  }

  private or(): Expression {
    let left = this.and()
    while (this.take('||')) left = { kind: 'or', left, right: this.and() }
    return left
  }

  private and(): Expression {
    let left = this.unary()
    while (this.take('&&')) left = { kind: 'and', left, right: this.unary() }
    return left
  }

  private unary(): Expression {
    if (++this.depth > DEEPEST) this.fail('less nesting')
    try {
      if (this.take('!')) return { kind: 'not', of: this.unary() }
      if (this.take('(')) {
        const inner = this.or()
        if (!this.take(')')) this.fail('")"')
        return inner
      }
      return this.comparison()
    } finally {
      this.depth--
    }
  }

  private comparison(): Expression {
    const left = this.operand()
    const { kind, text } = this.token
    if (kind !== 'operator' || !isComparison(text)) return left
    this.next++
    return { kind: 'compare', operator: text, left, right: this.operand() }
  }

  private operand(): Operand {
    const { kind, text } = this.token
    if (kind === 'constant') {
      this.next++
      return { kind, text }
    }
    if (kind !== 'name') this.fail('a symbol')
    this.next++
    // Bare y, m, n and numbers are constants.
    return isTristate(text) || /^(0x[0-9a-fA-F]+|-?\d+)$/.test(text) ? { kind: 'constant', text } : { kind: 'symbol', name: text }
  }
}

function isComparison(text: string): text is Comparison {
  return text === '=' || text === '!=' || text === '<' || text === '>' || text === '<=' || text === '>='
}

export function isTristate(text: string | undefined): text is Tristate {
  return text === 'n' || text === 'm' || text === 'y'
}

const RANK: Readonly<Record<Tristate, number>> = { n: 0, m: 1, y: 2 }
const BY_RANK: readonly Tristate[] = ['n', 'm', 'y']

/** The lower of two values: what `&&` gives. */
export function least(a: Tristate, b: Tristate): Tristate {
  return RANK[a] < RANK[b] ? a : b
}

/** Value of an expression. Symbols that are unset, unknown, or no tristate count as n, except in comparisons. */
export function evaluate(e: Expression, lookup: Lookup): Tristate {
  switch (e.kind) {
    case 'symbol': {
      const value = lookup(e.name)
      return isTristate(value) ? value : 'n'
    }
    case 'constant':
      return isTristate(e.text) ? e.text : 'n'
    case 'not':
      return BY_RANK[2 - RANK[evaluate(e.of, lookup)]]!
    case 'and':
      return least(evaluate(e.left, lookup), evaluate(e.right, lookup))
    case 'or':
      return BY_RANK[Math.max(RANK[evaluate(e.left, lookup)], RANK[evaluate(e.right, lookup)])]!
    case 'compare':
      return holds(textOf(e.left, lookup), e.operator, textOf(e.right, lookup)) ? 'y' : 'n'
  }
}

/** An unset symbol compares as n. */
function textOf(o: Operand, lookup: Lookup): string {
  return o.kind === 'constant' ? o.text : (lookup(o.name) ?? 'n')
}

function holds(a: string, operator: Comparison, b: string): boolean {
  const order = compare(a, b)
  switch (operator) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '>':
      return order > 0
    case '<=':
      return order <= 0
    case '>=':
      return order >= 0
  }
}

/** As numbers when both are (decimal or 0x), by n < m < y when both are tristates, else as texts. */
function compare(a: string, b: string): number {
  if (isTristate(a) && isTristate(b)) return RANK[a] - RANK[b]
  const [x, y] = [number(a), number(b)]
  if (x !== undefined && y !== undefined) return x - y
  return a < b ? -1 : a > b ? 1 : 0
}

function number(text: string): number | undefined {
  return /^(0x[0-9a-fA-F]+|-?\d+)$/.test(text) ? Number(text) : undefined
}

/** Names of the symbols an expression depends on, each once, in order of appearance. */
export function symbolsIn(e: Expression): string[] {
  const names: string[] = []
  const visit = (x: Expression): void => {
    switch (x.kind) {
      case 'symbol':
        if (!names.includes(x.name)) names.push(x.name)
        break
      case 'constant':
        break
      case 'not':
        visit(x.of)
        break
      default:
        visit(x.left)
        visit(x.right)
    }
  }
  visit(e)
  return names
}

/** An expression with the value of each symbol behind it, the way menuconfig's help screen prints it: `KVM [=y] && EXPERT [=n]`. */
export function annotate(e: Expression, lookup: Lookup): string {
  const inner = (x: Expression): string => (x.kind === 'and' || x.kind === 'or' ? `(${annotate(x, lookup)})` : annotate(x, lookup))
  switch (e.kind) {
    case 'symbol':
      return `${e.name} [=${lookup(e.name) ?? 'n'}]`
    case 'constant':
      return isTristate(e.text) ? e.text : `"${e.text}"`
    case 'not':
      return `!${inner(e.of)}`
    case 'and':
      return [e.left, e.right].map((x) => (x.kind === 'or' ? inner(x) : annotate(x, lookup))).join(' && ')
    case 'or':
      return [e.left, e.right].map((x) => (x.kind === 'and' ? inner(x) : annotate(x, lookup))).join(' || ')
    case 'compare':
      return `${annotate(e.left, lookup)} ${e.operator} ${annotate(e.right, lookup)}`
  }
}
