/**
 * Lines of A64 assembly to tokens.
 *
 * The dialect is GNU's as far as it goes: `//` and block comments, a `#` in the first column for a comment, `;` between
 * statements, numbers in decimal, 0x, 0b and 0 (octal) notation, `1b`/`1f` for local labels, C escapes in strings.
 */

/** Where a piece of source stands; lines and columns count from 1. `within` is the macro call or .rept it came from. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly within?: Position
}

/** An error of the source, with its place. The message does not repeat the place. */
export interface Diagnostic {
  readonly message: string
  readonly position: Position
}

/** Thrown inside the assembler for one bad statement; `assemble` collects them and goes on. */
export class SourceError extends Error {
  constructor(
    message: string,
    readonly position: Position,
  ) {
    super(message)
  }
}

export type TokenKind = 'name' | 'number' | 'float' | 'local' | 'string' | 'punctuation'

export interface Token {
  readonly kind: TokenKind
  /** As written; a string's text is its decoded content, one char per byte of UTF-8. */
  readonly text: string
  /** Value of a number; number of a local label reference such as 1b. */
  readonly value: bigint
  readonly float: number
  /** First column, from 1. */
  readonly column: number
  /** White space stands before it. */
  readonly spaced: boolean
}

/** `file:line:column`, with the macro calls around it. */
export function formatPosition(p: Position): string {
  const own = `${p.file}:${p.line}:${p.column}`
  return p.within === undefined ? own : `${own} (in the expansion at ${formatPosition(p.within)})`
}

/** `file:line:column: message`. */
export function formatDiagnostic(d: Diagnostic): string {
  return `${formatPosition(d.position)}: ${d.message}`
}

/**
 * Blank out comments, keeping every other character in its line and column.
 * @throws SourceError when a block comment has no end.
 */
export function stripComments(source: string, file: string): string {
  let out = ''
  let line = 1
  let lineStart = 0
  for (let i = 0; i < source.length; ) {
    const c = source[i]!
    if (c === '"') {
      const end = endOfString(source, i)
      out += source.slice(i, end)
      i = end
    } else if (c === '/' && source[i + 1] === '/') {
      while (i < source.length && source[i] !== '\n') i++
    } else if (c === '/' && source[i + 1] === '*') {
      const end = source.indexOf('*/', i + 2)
      if (end < 0) throw new SourceError('block comment without end', { file, line, column: i - lineStart + 1 })
      for (; i < end + 2; i++) {
        if (source[i] === '\n') {
          line++
          lineStart = i + 1
        }
        out += source[i] === '\n' ? '\n' : ' '
      }
    } else {
      if (c === '\n') {
        line++
        lineStart = i + 1
      }
      out += c
      i++
    }
  }
  return out
}

/** Index after a string that starts at `start`; strings end at the line's end at the latest. */
function endOfString(source: string, start: number): number {
  let i = start + 1
  for (; i < source.length && source[i] !== '\n'; i++) {
    if (source[i] === '\\') i++
    else if (source[i] === '"') return i + 1
  }
  return i
}

const NAME = /[A-Za-z_.$][A-Za-z0-9_.$]*/y
/** A vector register with an arrangement: the register is a token of its own. */
const VECTOR = /[vV][0-9]+(?=\.)/y
const LOCAL = /([0-9]+)([bf])(?![A-Za-z0-9_.$])/y
const FLOAT = /[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+/y
const NUMBER = /0[xX][0-9A-Fa-f]+|0[bB][01]+|[0-9]+/y
const OPERATORS = ['<<', '>>', '==', '!=', '<=', '>=', '&&', '||']
const SPACE = /[ \t\r\f]*/y

/**
 * The tokens of one line whose comments are gone.
 * @throws SourceError on a character or string that is not assembly.
 */
export function tokenize(text: string, position: Position): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (re: RegExp): RegExpExecArray | null => {
    re.lastIndex = at
    return re.exec(text)
  }
  const fail = (message: string): never => {
    throw new SourceError(message, { ...position, column: position.column + at })
  }
  for (;;) {
    const spaceFrom = at
    at += match(SPACE)![0].length
    if (at >= text.length) return tokens
    const spaced = at > spaceFrom
    const push = (kind: TokenKind, length: number, value = 0n, float = 0, content?: string): void => {
      const written = content ?? text.slice(at, at + length)
      tokens.push({ kind, text: written, value, float, column: position.column + at, spaced })
      at += length
    }
    let m: RegExpExecArray | null
    if ((m = match(VECTOR) ?? match(NAME))) push('name', m[0].length)
    else if ((m = match(LOCAL)) && !/^0b$/.test(m[0] + (text[at + 2] ?? ''))) push('local', m[0].length, BigInt(m[1]!))
    else if ((m = match(FLOAT))) push('float', m[0].length, 0n, Number(m[0]))
    else if ((m = match(NUMBER))) {
      if (/[A-Za-z0-9_]/.test(text[at + m[0].length] ?? ' ')) fail(`bad number '${/^\w+/.exec(text.slice(at))![0]}'`)
      push('number', m[0].length, numberValue(m[0]))
    } else if (text[at] === '"') {
      const end = endOfString(text, at)
      if (text[end - 1] !== '"' || end - at < 2) fail('string without end')
      push('string', end - at, 0n, 0, decodeString(text.slice(at + 1, end - 1), fail))
    } else if (text[at] === "'") {
      const c = /^'(\\.|[^\\'])'/.exec(text.slice(at))
      if (c === null) return fail("bad character constant; write 'a' or '\\n'")
      push('number', c[0].length, BigInt(decodeString(c[1]!, fail).charCodeAt(0)))
    } else {
      const operator = OPERATORS.find((o) => text.startsWith(o, at))
      if (operator !== undefined) push('punctuation', 2)
      else if ('+-*/%&|^~!<>()[]{},:#=@?;'.includes(text[at]!)) push('punctuation', 1)
      else fail(`character '${text[at]}' does not belong here`)
    }
  }
}

/** Tokens of lines met before: sources are assembled again and again with few lines changed, and macros repeat theirs. */
const known = new Map<string, readonly Token[]>()
const MOST_KNOWN = 30_000

/** The tokens of a line, as `tokenize` gives them. The array is shared: it must not be changed. @throws SourceError */
export function tokensOf(text: string, position: Position): readonly Token[] {
  if (position.column !== 1) return tokenize(text, position)
  let tokens = known.get(text)
  if (tokens === undefined) {
    tokens = tokenize(text, position)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(text, tokens)
  }
  return tokens
}

function numberValue(text: string): bigint {
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`)
  return BigInt(text)
}

const ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  b: 8,
  f: 12,
  a: 7,
  v: 11,
  e: 27,
  '\\': 92,
  '"': 34,
  "'": 39,
}

/** String content to bytes, one char each: UTF-8 of the text, with C escapes (octal and \x included). */
function decodeString(text: string, fail: (message: string) => never): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      const code = text.codePointAt(i)!
      if (code > 0xffff) i++
      for (const byte of new TextEncoder().encode(String.fromCodePoint(code))) out += String.fromCharCode(byte)
      continue
    }
    const octal = /^[0-7]{1,3}/.exec(text.slice(i + 1))
    const hex = /^[xX]([0-9A-Fa-f]{1,2})/.exec(text.slice(i + 1))
    if (octal) {
      out += String.fromCharCode(Number.parseInt(octal[0], 8) & 0xff)
      i += octal[0].length
    } else if (hex) {
      out += String.fromCharCode(Number.parseInt(hex[1]!, 16))
      i += hex[0].length
    } else {
      const code = ESCAPES[text[i + 1] ?? '']
      if (code === undefined) return fail(`unknown escape '\\${text[i + 1] ?? ''}'`)
      out += String.fromCharCode(code)
      i++
    }
  }
  return out
}
