/**
 * Syntax strings (SYNTAX.md) compiled to pieces that the assembler matches and the disassembler prints.
 */
import type { OperandKind, OperandShape, ParseContext, PrintContext } from './operand-kind.ts'
import { operandKinds } from './operands.ts'
import type { AnyFields, Row } from './row.ts'
import { type Token, tokenize } from './assemble-lexer.ts'

interface LiteralPiece {
  readonly text: string
  readonly tokens: readonly Token[]
}

interface OperandPiece extends OperandShape {
  readonly kind: OperandKind
  /** Stands as `, {..}]`: may be left out when it is zero, with its comma. */
  readonly optionalZero: boolean
}

type Piece = LiteralPiece | OperandPiece

export interface Syntax {
  readonly source: string
  /** The mnemonic's literal part. */
  readonly name: string
  readonly mnemonic: readonly Piece[]
  readonly operands: readonly Piece[]
}

const isOperand = (p: Piece): p is OperandPiece => 'kind' in p

const cache = new Map<string, Syntax>()

/** Kinds that syntax strings name and `operands.ts` lacks; a test asserts that there are none. */
export const unknownOperandKinds = new Set<string>()

/** Refuses every text, prints as itself. */
function unknownKind(name: string): OperandKind {
  return { parse: (c) => c.reader.fail(`operand kind '${name}' is unknown`), print: () => `<${name}>` }
}

/** Compile a syntax string. */
export function compileSyntax(source: string): Syntax {
  let compiled = cache.get(source)
  if (compiled === undefined) {
    const space = endOfMnemonic(source)
    compiled = {
      source,
      name: source.slice(0, space).replace(/\{.*/, ''),
      mnemonic: compilePieces(source.slice(0, space), source),
      operands: compilePieces(source.slice(space).trim(), source),
    }
    cache.set(source, compiled)
  }
  return compiled
}

/** The mnemonic ends at the first space outside braces, or at an operand that cannot be part of it (`isb{isb:CRm}`). */
function endOfMnemonic(source: string): number {
  let depth = 0
  for (let i = 0; i < source.length; i++) {
    if (source[i] === '{') {
      const kind = /^\{([^:*}]+)/.exec(source.slice(i))![1]!
      if (operandKinds[kind]?.mnemonicForms === undefined) return i
      depth++
    } else if (source[i] === '}') depth--
    else if (source[i] === ' ' && depth === 0) return i
  }
  return source.length
}

function compilePieces(text: string, source: string): Piece[] {
  const parts = text.split(/(\{[^{}:]+:[^{}]*\})/).filter((p) => p !== '')
  return parts.map((part, i): Piece => {
    const m = /^\{([^:*]+)(?:\*(\d+))?:(.*)\}$/.exec(part)
    if (m === null) {
      const tokens = tokenize(part, { file: `syntax '${source}'`, line: 1, column: 1 })
      // A dot before an operand is the first character of that operand's token: v0.{arr32:Q}
      if (part.endsWith('.') && i + 1 < parts.length) tokens.pop()
      return { text: part, tokens }
    }
    const kind = operandKinds[m[1]!]
    if (kind === undefined) {
      unknownOperandKinds.add(m[1]!)
      return { kind: unknownKind(m[1]!), scale: 1, args: [], optionalZero: false }
    }
    const after = parts[i + 1]
    const closes = after?.startsWith(']') === true && !after.startsWith(']!')
    const optionalZero = kind.zero !== undefined && closes && /,\s*$/.test(parts[i - 1] ?? '')
    return {
      kind,
      scale: Number(m[2] ?? 1),
      args: m[3] === '' ? [] : m[3]!.split(',').map((a) => a.trim()),
      optionalZero,
    }
  })
}

/** The mnemonics of a syntax with the fields each of them sets: `b.eq` of `b.{cond:cond}` and so on. */
export function mnemonicsOf(syntax: Syntax): { readonly text: string; readonly fields: AnyFields }[] {
  let out: { text: string; fields: AnyFields }[] = [{ text: '', fields: {} }]
  for (const piece of syntax.mnemonic) {
    if (!isOperand(piece)) {
      out = out.map((o) => ({ ...o, text: o.text + piece.text }))
      continue
    }
    const forms = piece.kind.mnemonicForms?.(piece)
    if (forms === undefined) throw new Error(`operand in the mnemonic of '${syntax.source}' cannot stand there`)
    out = out.flatMap((o) => forms.map((f) => ({ text: o.text + f.text, fields: { ...o.fields, ...f.fields } })))
  }
  return out
}

/** One context serves all operands of a statement: `scale` and `args` are set for each. */
export type MatchContext = Omit<ParseContext, 'scale' | 'args'> & { scale: number; args: readonly string[] }

/** Match the operands of a statement, setting `base.fields`. @throws SourceError where text and syntax part. */
export function matchOperands(syntax: Syntax, base: MatchContext): void {
  const { reader } = base
  for (let i = 0; i < syntax.operands.length; i++) {
    const piece = syntax.operands[i]!
    if (isOperand(piece)) {
      base.scale = piece.scale
      base.args = piece.args
      piece.kind.parse(base)
      continue
    }
    const next = syntax.operands[i + 1]
    for (let k = 0; k < piece.tokens.length; k++) {
      const token = piece.tokens[k]!
      const last = k === piece.tokens.length - 1
      if (last && next !== undefined && isOperand(next) && next.optionalZero && reader.is(']')) {
        base.scale = next.scale
        base.args = next.args
        next.kind.zero!(base)
        i++
      } else if (token.text === '#' && token.kind === 'punctuation') {
        reader.accept('#')
      } else {
        matchLiteral(token, base)
      }
    }
  }
  reader.end()
}

function matchLiteral(token: Token, { reader }: Omit<ParseContext, 'scale' | 'args'>): void {
  const t = reader.peek()
  const same =
    t !== undefined &&
    t.kind === token.kind &&
    (token.kind === 'number'
      ? t.value === token.value
      : token.kind === 'float'
        ? t.float === token.float
        : t.text.toLowerCase() === token.text.toLowerCase())
  // `#0.0` may be written as an integer.
  const zero = token.kind === 'float' && t?.kind === 'number' && Number(t.value) === token.float
  if (!same && !zero) reader.fail(`expected '${token.text}' but found ${reader.describe()}`)
  reader.at++
}

/** The text of a syntax for the fields of a word at `pc`. */
export function printSyntax(syntax: Syntax, row: Row, fields: AnyFields, pc: bigint): string {
  const mnemonic = printPieces(syntax.mnemonic, syntax, row, fields, pc)
  return `${mnemonic} ${printPieces(syntax.operands, syntax, row, fields, pc)}`.trimEnd()
}

function printPieces(pieces: readonly Piece[], syntax: Syntax, row: Row, fields: AnyFields, pc: bigint): string {
  let out = ''
  for (const piece of pieces) {
    if (!isOperand(piece)) {
      out += piece.text
      continue
    }
    const c: PrintContext = { row, fields, pc, mnemonic: syntax.name, scale: piece.scale, args: piece.args }
    if (piece.optionalZero && piece.kind.isZero?.(c)) out = out.replace(/,\s*$/, '')
    else out += piece.kind.print(c)
  }
  return out
}
