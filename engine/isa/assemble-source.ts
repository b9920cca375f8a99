/**
 * From source text to single statements: `.include`, macros, `.rept`, `.irp` and conditionals are dealt with here.
 */
import { type Resolve, TokenReader, parseAbsolute } from './assemble-expressions.ts'
import { type Position, SourceError, stripComments, tokenize } from './assemble-lexer.ts'

/** What the expander needs of the assembler. */
export interface SourceHost {
  readonly resolve: Resolve
  isDefined(name: string): boolean
  /** Text of an included file; undefined when there is none. */
  include(path: string, from: Position): string | undefined
  /** One statement without control directives; labels stand in front of it. */
  statement(text: string, position: Position): void
  report(e: SourceError): void
  /** Lines the source may expand to. */
  readonly mostLines?: number
}

interface Line {
  readonly text: string
  readonly position: Position
}

interface Macro {
  readonly name: string
  readonly parameters: readonly {
    readonly name: string
    readonly fallback: string
    readonly mode: 'optional' | 'req' | 'vararg'
  }[]
  readonly body: readonly Line[]
}

const LABELS = /^\s*(?:[A-Za-z0-9_.$]+:\s*)*/
const OPENS: Readonly<Record<string, string>> = { '.macro': '.endm', '.rept': '.endr', '.irp': '.endr' }
const DEEPEST = 100
/** Lines one source may expand to: a bound on macros and .rept that do not end. */
const MOST_STATEMENTS = 500_000
/** Characters that a line may have after its macro's arguments were put in: arguments can double at each call. */
const LONGEST_LINE = 10_000

/** First words of lines met before. */
const firstWords = new Map<string, string>()
const MOST_KNOWN = 30_000

/** The first word after labels, lower case. */
function firstWord(text: string): string {
  let word = firstWords.get(text)
  if (word === undefined) {
    word = readFirstWord(text)
    if (firstWords.size >= MOST_KNOWN) firstWords.clear()
    firstWords.set(text, word)
  }
  return word
}

function readFirstWord(text: string): string {
  return /^[A-Za-z_.$][A-Za-z0-9_.$]*/.exec(text.replace(LABELS, ''))?.[0].toLowerCase() ?? ''
}

export class SourceExpander {
  private readonly host: SourceHost
  private readonly macros = new Map<string, Macro>()
  private calls = 0
  private statements = 0
  private readonly mostStatements: number
  private depth = 0

  constructor(host: SourceHost) {
    this.host = host
    this.mostStatements = host.mostLines ?? MOST_STATEMENTS
  }

  /** Read a file's text. Errors go to the host. */
  file(text: string, file: string): void {
    try {
      this.lines(linesOf(text, file).map((t, i) => ({ text: t, position: { file, line: i + 1, column: 1 } })))
    } catch (e) {
      this.caught(e)
    }
  }

  private caught(e: unknown): void {
    if (!(e instanceof SourceError)) throw e
    this.host.report(e)
  }

  private lines(lines: readonly Line[]): void {
    if (++this.depth > DEEPEST)
      throw new SourceError(
        'macros or includes nested too deeply',
        lines[0]?.position ?? { file: '', line: 0, column: 0 },
      )
    // Conditionals around the current line: is this branch taken, has any branch been.
    const conditions: { active: boolean; done: boolean; readonly outer: boolean; readonly position: Position }[] = []
    const active = (): boolean => conditions.every((c) => c.active)
    const statements = lines.flatMap((l) => splitStatements(l))
    let left = false
    for (let i = 0; i < statements.length; i++) {
      const line = statements[i]!
      if (!this.goOn(line.position)) break
      const word = firstWord(line.text)
      try {
        const top = conditions[conditions.length - 1]
        if (word.startsWith('.if')) {
          const outer = active()
          // One that cannot be evaluated is reported once: neither branch is read, and its .endif is no error.
          const opened = { active: false, done: true, outer, position: line.position }
          conditions.push(opened)
          opened.active = outer && this.condition(word, line)
          opened.done = opened.active
        } else if (word === '.else' || word === '.elseif') {
          if (top === undefined) throw new SourceError(`${word} without .if`, line.position)
          top.active = top.outer && !top.done && (word === '.else' || this.condition('.if', line))
          top.done ||= top.active
        } else if (word === '.endif') {
          if (conditions.pop() === undefined) throw new SourceError('.endif without .if', line.position)
        } else if (!active()) {
          // Not assembled.
        } else if (OPENS[word] !== undefined) {
          const end = this.blockEnd(statements, i)
          this.labels(line)
          this.block(word, line, statements.slice(i + 1, end))
          i = end
        } else if (word === '.endm' || word === '.endr') {
          throw new SourceError(`${word} without its beginning`, line.position)
        } else if (word === '.include') {
          this.include(line)
        } else if (word === '.exitm') {
          left = true
          break
        } else if (word === '.purgem') {
          this.purge(line)
        } else {
          this.plain(word, line)
        }
      } catch (e) {
        this.caught(e)
      }
    }
    if (this.statements < this.mostStatements && !left) {
      for (const c of conditions) this.host.report(new SourceError('.if without .endif', c.position))
    }
    this.depth--
  }

  /** Count a line or a repetition; false, and one report, when there were too many. */
  private goOn(position: Position): boolean {
    this.statements++
    if (this.statements === this.mostStatements) {
      this.host.report(new SourceError(`the source expands to more than ${this.mostStatements} lines; does a macro or .rept repeat without end?`, position))
    }
    return this.statements < this.mostStatements
  }

  private plain(word: string, line: Line): void {
    const macro = this.macros.get(word)
    if (macro === undefined) {
      if (line.text.trim() !== '') this.host.statement(line.text, line.position)
      return
    }
    this.call(macro, line, line.text.slice(this.labels(line) + word.length))
  }

  /** Define the labels that stand in front of a macro or a block. @returns their length. */
  private labels(line: Line): number {
    const labels = LABELS.exec(line.text)![0]
    if (labels.trim() !== '') this.host.statement(labels, line.position)
    return labels.length
  }

  /** Index of the line that ends the block opened at `start`. */
  private blockEnd(lines: readonly Line[], start: number): number {
    const open: string[] = []
    for (let i = start; i < lines.length; i++) {
      const word = firstWord(lines[i]!.text)
      if (OPENS[word] !== undefined) open.push(OPENS[word])
      else if (word === open[open.length - 1]) open.pop()
      if (open.length === 0) return i
    }
    this.host.report(
      new SourceError(`no ${open[open.length - 1]} for this ${firstWord(lines[start]!.text)}`, lines[start]!.position),
    )
    return lines.length
  }

  private block(word: string, line: Line, body: readonly Line[]): void {
    const rest = line.text.slice(line.text.toLowerCase().indexOf(word) + word.length)
    const column = line.position.column + line.text.length - rest.length
    const place = { ...line.position, column }
    if (word === '.macro') {
      this.define(rest, body, line.position)
      return
    }
    if (word === '.rept') {
      const reader = new TokenReader(tokenize(rest, place), place)
      const count = parseAbsolute(reader, this.host.resolve, 'the count of .rept')
      reader.end()
      if (count < 0n || count > 100_000n) throw new SourceError('.rept count out of range 0 to 100000', place)
      const lines = body.map((l) => within(l, l.text, line.position))
      for (let n = 0n; n < count && this.goOn(line.position); n++) this.lines(lines)
      return
    }
    const [variable, ...values] = splitArguments(rest)
    if (variable === undefined || !/^[\w$.]+$/.test(variable))
      throw new SourceError('.irp needs a name and values', place)
    for (const value of values) {
      const scope = new Map([[variable, value]])
      this.lines(body.map((l) => within(l, this.substitute(l.text, scope, line.position), line.position)))
    }
  }

  private define(text: string, body: readonly Line[], position: Position): void {
    const m = /^\s*([A-Za-z_.$][\w.$]*)\s*,?(.*)$/.exec(text)
    if (m === null) throw new SourceError('.macro needs a name', position)
    const separated = m[2]!.includes(',') ? splitArguments(m[2]!) : m[2]!.split(/\s+/).filter((p) => p !== '')
    const parameters = separated.map((p) => {
      const parts = /^([A-Za-z_$][\w$]*)(?::(req|vararg))?(?:=(.*))?$/.exec(p)
      if (parts === null) throw new SourceError(`bad macro parameter '${p}'`, position)
      return {
        name: parts[1]!,
        mode: (parts[2] ?? 'optional') as 'optional' | 'req' | 'vararg',
        fallback: parts[3] ?? '',
      }
    })
    const name = m[1]!.toLowerCase()
    if (this.macros.has(name)) throw new SourceError(`macro '${name}' is already defined`, position)
    this.macros.set(name, { name, parameters, body })
  }

  private purge(line: Line): void {
    const name = line.text.replace(LABELS, '').replace(/^\.\w+/, '').trim().toLowerCase()
    if (!this.macros.delete(name)) throw new SourceError(`there is no macro '${name}'`, line.position)
  }

  private call(macro: Macro, line: Line, text: string): void {
    // An argument that is one string stands for what is between its quotes.
    const values = splitArguments(text).map((v) => /^"((?:[^"\\]|\\.)*)"$/.exec(v)?.[1] ?? v)
    const scope = new Map<string, string>()
    macro.parameters.forEach((p, i) => {
      const value = p.mode === 'vararg' ? values.slice(i).join(', ') : values[i]
      if (p.mode === 'req' && (value === undefined || value === '')) {
        throw new SourceError(`macro '${macro.name}' needs a value for '${p.name}'`, line.position)
      }
      scope.set(p.name, value === undefined || value === '' ? p.fallback : value)
    })
    const open = macro.parameters.some((p) => p.mode === 'vararg')
    if (!open && values.length > macro.parameters.length) {
      throw new SourceError(
        `macro '${macro.name}' takes ${macro.parameters.length} arguments, not ${values.length}`,
        line.position,
      )
    }
    scope.set('@', String(this.calls++))
    this.lines(macro.body.map((l) => within(l, this.substitute(l.text, scope, line.position), line.position)))
  }

  /** `\name`, `\@` and the separator `\()`. */
  private substitute(text: string, scope: ReadonlyMap<string, string>, position: Position): string {
    if (!text.includes('\\')) return text
    const done = text.replace(/\\(\(\)|@|[A-Za-z_$][\w$]*)/g, (whole, name: string) =>
      name === '()' ? '' : (scope.get(name) ?? whole),
    )
    if (done.length > LONGEST_LINE)
      throw new SourceError(`a line grows beyond ${LONGEST_LINE} characters in this expansion`, position)
    return done
  }

  private include(line: Line): void {
    const place = line.position
    const tokens = tokenize(line.text, place)
    const name = tokens[1]
    if (name === undefined || name.kind !== 'string' || tokens.length !== 2)
      throw new SourceError('.include needs one name in quotes', place)
    const text = this.host.include(name.text, place)
    if (text === undefined) throw new SourceError(`there is no file '${name.text}'`, { ...place, column: name.column })
    if (++this.depth > DEEPEST) throw new SourceError('includes nested too deeply', place)
    this.file(text, name.text)
    this.depth--
  }

  private condition(word: string, line: Line): boolean {
    const rest = line.text.replace(LABELS, '').replace(/^\.\w+/, '')
    const place = { ...line.position, column: line.position.column + line.text.length - rest.length }
    const name = rest.trim()
    switch (word) {
      case '.ifdef':
        return this.host.isDefined(name)
      case '.ifndef':
        return !this.host.isDefined(name)
      case '.ifb':
        return name === ''
      case '.ifnb':
        return name !== ''
      case '.ifc':
      case '.ifnc': {
        const [a, b] = splitArguments(rest)
        return ((a ?? '') === (b ?? '')) === (word === '.ifc')
      }
    }
    const reader = new TokenReader(tokenize(rest, place), place)
    const value = parseAbsolute(reader, this.host.resolve, 'the condition')
    reader.end()
    switch (word) {
      case '.if':
      case '.ifne':
        return value !== 0n
      case '.ifeq':
        return value === 0n
      case '.ifgt':
        return value > 0n
      case '.ifge':
        return value >= 0n
      case '.iflt':
        return value < 0n
      case '.ifle':
        return value <= 0n
      default:
        throw new SourceError(`unknown directive ${word}`, line.position)
    }
  }
}

/** Lines without comments of files met before. */
const files = new Map<string, readonly string[]>()
const MOST_FILES = 300

/** @throws SourceError when a comment has no end. */
function linesOf(text: string, file: string): readonly string[] {
  let lines = files.get(text)
  if (lines === undefined) {
    lines = stripComments(text, file)
      .split('\n')
      .map((t) => (/^\s*#/.test(t) ? '' : t.trimEnd()))
    if (files.size >= MOST_FILES) files.clear()
    files.set(text, lines)
  }
  return lines
}

/** The line with another text, marked as an expansion. Lines that are within something keep the whole chain. */
function within(line: Line, text: string, call: Position): Line {
  return { text, position: { ...line.position, within: call } }
}

/** Split at `;` outside of strings. */
function splitStatements(line: Line): Line[] {
  if (!line.text.includes(';')) return [line]
  const out: Line[] = []
  let start = 0
  let quoted = false
  for (let i = 0; i <= line.text.length; i++) {
    const c = line.text[i]
    if (quoted && c === '\\') i++
    else if (c === '"') quoted = !quoted
    else if (c === undefined || (c === ';' && !quoted)) {
      out.push({
        text: line.text.slice(start, i),
        position: { ...line.position, column: line.position.column + start },
      })
      start = i + 1
    }
  }
  return out
}

/** Split at commas outside of strings, parentheses, brackets and braces; trimmed. Nothing at all is no argument. */
function splitArguments(text: string): string[] {
  if (text.trim() === '') return []
  const out: string[] = []
  let depth = 0
  let quoted = false
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (quoted && c === '\\') i++
    else if (c === '"') quoted = !quoted
    else if (quoted) continue
    else if ('([{'.includes(c)) depth++
    else if (')]}'.includes(c)) depth--
    else if (c === ',' && depth === 0) {
      out.push(text.slice(start, i).trim())
      start = i + 1
    }
  }
  out.push(text.slice(start).trim())
  return out
}
