/**
 * The lab's A64 assembler. It knows no instruction: the instruction table (`table.ts`) gives it every mnemonic and
 * operand form, so what the machine executes and what can be written are one list.
 *
 * Two passes. The first reads the source, fixes every size and with that every address; every instruction is 4 bytes,
 * so nothing has to be iterated. The second makes the bytes. Sections are laid out in the order .text, .rodata, .data,
 * others, .bss, unless a layout is given. The dialect is described in `assemble-lexer.ts`, `assemble-source.ts` and `assemble-directives.ts`.
 */
import { type Data, dataDirective, isIgnoredDirective, splitTokens } from './assemble-directives.ts'
import { type Resolve, type Term, TokenReader, absolute, parseAbsolute, parseExpression } from './assemble-expressions.ts'
import { InstructionAssembler } from './assemble-instruction.ts'
import { type Diagnostic, type Position, SourceError, type Token, tokensOf } from './assemble-lexer.ts'
import { SourceExpander } from './assemble-source.ts'
import type { Feature, Row } from './row.ts'

export interface AssembleOptions {
  /** Name of the source for messages. */
  readonly file?: string
  /** Address of the first section, a multiple of 16. Default 0. */
  readonly origin?: bigint
  /** The instruction table, usually `allRows`. */
  readonly rows: readonly Row[]
  /** Which optional instructions are accepted. Default: all. */
  readonly features?: ReadonlySet<Feature>
  /** Gives the text of `.include "path"`; undefined when there is none. May throw a SourceError that says more. */
  readonly include?: (path: string, from: Position) => string | undefined
  /** Names with values known beforehand, as by `.equ`. */
  readonly defines?: Readonly<Record<string, bigint | number>>
  /** Start .data, .bss and others on pages of this many bytes, so that they can be mapped apart. Default 16. */
  readonly sectionAlignment?: number
  /** Which sections come in which order, as a linker script says it. Others follow before the first without content. */
  readonly layout?: readonly SectionPlacement[]
  /** Lines that the source may expand to, a bound on macros and .rept that do not end. Default 500,000. */
  readonly mostLines?: number
  /** Bytes that all sections may have together. Default 256 MiB for each. */
  readonly mostBytes?: number
}

/** Where a section of a layout goes. */
export interface SectionPlacement {
  readonly name: string
  /** It starts at a multiple of this, a power of two. */
  readonly alignment: number
  /** Names for the address of its first byte. */
  readonly start?: readonly string[]
  /** Names for the first address after it, rounded up to `alignment`. */
  readonly end?: readonly string[]
}

export interface AssembledSection {
  readonly name: string
  readonly address: bigint
  /** Size in memory. `bytes` is as long, or empty for .bss. */
  readonly size: number
  readonly bytes: Uint8Array
}

export interface ListingLine {
  readonly address: bigint
  readonly bytes: Uint8Array
  readonly position: Position
  /** The statement as written, macros expanded. */
  readonly text: string
}

export interface AssembleResult {
  /** No errors. When false, sections hold zeroes in place of what could not be assembled. */
  readonly ok: boolean
  readonly sections: readonly AssembledSection[]
  readonly symbols: ReadonlyMap<string, bigint>
  /** Of the symbols, those that are places: the section each is in. The others are constants. */
  readonly labels: ReadonlyMap<string, string>
  readonly listing: readonly ListingLine[]
  /** Errors. */
  readonly diagnostics: readonly Diagnostic[]
  /** What `.warning` and `.print` said. */
  readonly warnings: readonly Diagnostic[]
}

const ALL_FEATURES: ReadonlySet<Feature> = new Set(['crc32', 'lse', 'fp', 'aes', 'pmull', 'sha1', 'sha256', 'fp16'])
const FIRST_SECTIONS = ['.text', '.rodata', '.data']
const MOST_ERRORS = 100
/** Bytes a section may have. */
const MOST_BYTES = 1 << 28
/** Where `.struct` puts its labels: they are constants, not places. */
const ABSOLUTE = '*ABS*'
/** A section whose content is all zero and takes no room in a file. */
const isZeroed = (name: string): boolean => /(^|\.)bss$/.test(name)
/** What stands in a section that is code is padded with NOPs. */
const isCode = (name: string): boolean => /(^|\.)text(\.|$)/.test(name)

/** The mnemonic tables of a set of rows are built once. */
const instructionAssemblers = new WeakMap<readonly Row[], Map<string, InstructionAssembler>>()

function instructionAssembler(rows: readonly Row[], features: ReadonlySet<Feature>): InstructionAssembler {
  let byFeatures = instructionAssemblers.get(rows)
  if (byFeatures === undefined) instructionAssemblers.set(rows, (byFeatures = new Map()))
  const key = [...features].sort().join()
  let found = byFeatures.get(key)
  if (found === undefined) byFeatures.set(key, (found = new InstructionAssembler(rows, features)))
  return found
}

/**
 * Assemble a source text.
 * @returns always a result; every error found is in `diagnostics` with file, line and column.
 */
export function assemble(source: string, options: AssembleOptions): AssembleResult {
  // Candidates of an instruction that do not fit are refused by throwing, thousands of times in a source: V8 need not
  // note the stack each time.
  const engine = Error as { stackTraceLimit?: number }
  const before = engine.stackTraceLimit
  engine.stackTraceLimit = 0
  try {
    const assembly = new Assembly(options)
    assembly.read(source, options.file ?? 'source.s')
    return assembly.finish()
  } finally {
    if (before !== undefined) engine.stackTraceLimit = before
  }
}

interface Section {
  readonly name: string
  size: number
  alignment: number
  address: bigint
  bytes: Uint8Array
  /** Constants of `ldr xN, =expr` that wait for a .ltorg or the section's end. */
  readonly pool: PoolEntry[]
}

interface PoolEntry {
  readonly name: string
  readonly key: string
  readonly size: number
  readonly tokens: readonly Token[]
  readonly position: Position
}

/** One step of the second pass. */
interface Item {
  readonly section: Section
  readonly offset: number
  readonly size: number
  readonly position: Position
  readonly text: string
  readonly write: (out: Uint8Array, resolve: Resolve, address: bigint) => void
}

interface NamedValue {
  term: Term
  /** Section of a place. */
  section?: string
  readonly position?: Position
  /** Labels are defined once; .set may change its own names. */
  readonly label: boolean
}

class Assembly {
  private readonly options: AssembleOptions
  private readonly instructions: InstructionAssembler
  private readonly sections = new Map<string, Section>()
  private readonly values = new Map<string, NamedValue>()
  private readonly items: Item[] = []
  private readonly diagnostics: Diagnostic[] = []
  private readonly warnings: Diagnostic[] = []
  private readonly localCounts = new Map<bigint, number>()
  /** `.equ` of names that stand further down, tried again when all labels are known. */
  private readonly postponed: {
    readonly name: string
    readonly tokens: readonly Token[]
    readonly position: Position
    readonly dot: Term
  }[] = []
  private readonly expander: SourceExpander
  private section: Section
  private readonly sectionStack: Section[] = []
  private previous: Section | undefined
  private poolCount = 0
  private bytes = 0

  constructor(options: AssembleOptions) {
    this.options = options
    this.instructions = instructionAssembler(options.rows, options.features ?? ALL_FEATURES)
    for (const name of options.layout?.map((p) => p.name) ?? FIRST_SECTIONS) this.openSection(name)
    this.section = this.openSection('.text')
    for (const [name, value] of Object.entries(options.defines ?? {})) {
      this.values.set(name, { term: absolute(BigInt(value)), label: false })
    }
    this.expander = new SourceExpander({
      resolve: (name) => this.resolveNow(name),
      isDefined: (name) => this.values.has(name),
      include: (path, from) => this.options.include?.(path, from),
      statement: (text, position) => this.statement(text, position),
      report: (e) => this.report(e),
      ...(options.mostLines === undefined ? {} : { mostLines: options.mostLines }),
    })
  }

  read(source: string, file: string): void {
    this.expander.file(source, file)
    for (const section of this.sections.values()) this.flushPool(section)
  }

  // ---- first pass ---------------------------------------------------------------------------------------------------

  private report(e: SourceError): void {
    if (this.diagnostics.length < MOST_ERRORS) this.diagnostics.push({ message: e.message, position: e.position })
  }

  private openSection(name: string): Section {
    let section = this.sections.get(name)
    if (section === undefined) {
      section = { name, size: 0, alignment: 1, address: 0n, bytes: new Uint8Array(0), pool: [] }
      this.sections.set(name, section)
    }
    return section
  }

  private get dot(): Term {
    const { name, size } = this.section
    return { value: BigInt(size), section: name === ABSOLUTE ? undefined : name }
  }

  private resolveNow(name: string): Term | undefined {
    return name === '.' ? this.dot : this.values.get(name)?.term
  }

  private statement(text: string, position: Position): void {
    let tokens = tokensOf(text, position)
    for (;;) {
      const [first, second] = tokens
      if (second?.text !== ':' || second.kind !== 'punctuation') break
      if (first!.kind === 'number' && first!.value < 1_000_000n) this.localLabel(first!.value)
      else if (first!.kind === 'name') this.label(first!.text, { ...position, column: first!.column })
      else break
      tokens = tokens.slice(2)
    }
    // After the labels, so that `1: b 1b` branches to itself.
    if (tokens.some((t) => t.kind === 'local')) tokens = tokens.map((t) => this.renamed(t))
    const first = tokens[0]
    if (first === undefined) return
    const rest = tokens.slice(1)
    const place = { ...position, column: first.column }
    if (first.kind !== 'name')
      throw new SourceError(`expected an instruction or directive but found '${first.text}'`, place)
    if (rest[0]?.text === '=' && rest[0].kind === 'punctuation') this.assign(first.text, rest.slice(1), place)
    else if (first.text.startsWith('.')) this.directive(first.text.toLowerCase(), rest, place, text)
    else this.instruction(first.text, rest, place, text)
  }

  /** Local label references get the name of the definition they mean. */
  private renamed(t: Token): Token {
    if (t.kind !== 'local') return t
    const count = this.localCounts.get(t.value) ?? 0
    const forward = t.text.endsWith('f')
    return { ...t, text: `${t.value}${forward ? 'f' : 'b'}#${forward ? count + 1 : count}` }
  }

  private localLabel(number: bigint): void {
    const count = (this.localCounts.get(number) ?? 0) + 1
    this.localCounts.set(number, count)
    const value: NamedValue = { term: this.dot, label: true }
    this.values.set(`${number}b#${count}`, value)
    this.values.set(`${number}f#${count}`, value)
  }

  private label(name: string, position: Position): void {
    const old = this.values.get(name)
    if (old !== undefined) {
      const where = old.position === undefined ? '' : `, at ${old.position.file}:${old.position.line}`
      throw new SourceError(`'${name}' is already defined${where}`, position)
    }
    if (name === '.') throw new SourceError("'.' cannot be a label", position)
    const term = this.dot
    this.values.set(name, { term, label: true, position, ...(term.section === undefined ? {} : { section: term.section }) })
  }

  private assign(name: string, tokens: readonly Token[], position: Position): void {
    if (this.values.get(name)?.label === true) throw new SourceError(`'${name}' is already a label`, position)
    const { dot } = this
    try {
      const value = this.evaluate(tokens, position, (n) => this.resolveNow(n))
      this.values.set(name, { term: value, label: false, position })
    } catch (e) {
      if (!(e instanceof SourceError)) throw e
      this.postponed.push({ name, tokens, position, dot })
      return
    }
    // The second pass sees names that .set changes with the values they had here.
    const term = this.values.get(name)!.term
    this.push(0, position, '', () => void this.values.set(name, { term: this.located(term), label: false }))
  }

  private evaluate(tokens: readonly Token[], position: Position, resolve: Resolve): Term {
    const reader = new TokenReader(tokens, position)
    const term = parseExpression(reader, resolve)
    reader.end()
    return term
  }

  private directive(name: string, tokens: readonly Token[], position: Position, text: string): void {
    const data = dataDirective(name, tokens, position, {
      offset: this.section.size,
      code: isCode(this.section.name),
      resolve: (n) => this.resolveNow(n),
      align: (bytes) => {
        this.section.alignment = Math.max(this.section.alignment, bytes)
      },
    })
    if (data !== undefined) this.data(data, position, text)
    else if (['.text', '.rodata', '.data', '.bss'].includes(name)) this.enter(this.openSection(name))
    else if (name === '.section') this.namedSection(tokens, position)
    else if (name === '.pushsection') {
      this.sectionStack.push(this.section)
      this.namedSection(tokens, position)
    } else if (name === '.popsection') {
      const back = this.sectionStack.pop()
      if (back === undefined) throw new SourceError('.popsection without .pushsection', position)
      this.enter(back)
    } else if (name === '.previous') {
      if (this.previous === undefined) throw new SourceError('.previous: there was no section before', position)
      this.enter(this.previous)
    } else if (name === '.struct') this.structure(tokens, position)
    else if (name === '.equ' || name === '.set' || name === '.equiv') {
      const [target, value] = splitTokens(tokens)
      if (target?.length !== 1 || target[0]!.kind !== 'name' || value === undefined)
        throw new SourceError(`${name} needs a name and a value`, position)
      this.assign(target[0]!.text, value, position)
    } else if (name === '.ltorg' || name === '.pool') this.flushPool(this.section)
    else if (name === '.error' || name === '.err') throw new SourceError(tokens[0]?.text ?? name, position)
    else if (name === '.warning' || name === '.print') {
      if (this.warnings.length < MOST_ERRORS) this.warnings.push({ message: tokens[0]?.text ?? name, position })
    }
    else if (!isIgnoredDirective(name)) throw new SourceError(`unknown directive '${name}'`, position)
  }

  private namedSection(tokens: readonly Token[], position: Position): void {
    const name = tokens[0]
    if (name === undefined || (name.kind !== 'name' && name.kind !== 'string'))
      throw new SourceError('.section needs a name', position)
    // .rodata.str and the like belong to their family.
    const family = /^\.(text|rodata|data|bss)(?=\.|$)/.exec(name.text)
    this.enter(this.openSection(family?.[0] ?? name.text))
  }

  private enter(section: Section): void {
    if (section === this.section) return
    this.previous = this.section
    this.section = section
  }

  /** `.struct N`: labels from here to the next section are constants that count from N, as in GNU as. */
  private structure(tokens: readonly Token[], position: Position): void {
    const reader = new TokenReader(tokens, position)
    const start = reader.atEnd ? 0n : parseAbsolute(reader, (n) => this.resolveNow(n), 'the start of .struct')
    reader.end()
    if (start < 0n || start > BigInt(MOST_BYTES)) throw new SourceError('.struct starts between 0 and 256 MiB', position)
    const offsets: Section = { name: ABSOLUTE, size: Number(start), alignment: 1, address: 0n, bytes: new Uint8Array(0), pool: [] }
    this.enter(offsets)
  }

  private data(data: Data, position: Position, text: string): void {
    const { name } = this.section
    const zeroes = isZeroed(name) || name === ABSOLUTE
    this.push(data.size, position, text, (out, resolve) => {
      data.fill(out, resolve)
      if (zeroes && out.some((b) => b !== 0))
        throw new SourceError(`${name === ABSOLUTE ? '.struct' : name} can hold only zeroes`, position)
    })
  }

  private push(size: number, position: Position, text: string, write: Item['write']): void {
    if (this.section.size + size > MOST_BYTES) {
      throw new SourceError(`section ${this.section.name} grows beyond 256 MiB`, position)
    }
    if (this.section.name !== ABSOLUTE) {
      this.bytes += size
      const most = this.options.mostBytes
      if (most !== undefined && this.bytes > most) {
        this.bytes -= size
        throw new SourceError(`this makes the program larger than ${most / 0x10_0000} MiB`, position)
      }
    }
    this.items.push({ section: this.section, offset: this.section.size, size, position, text, write })
    this.section.size += size
  }

  private instruction(mnemonic: string, operands: readonly Token[], position: Position, text: string): void {
    if (!this.instructions.has(mnemonic)) throw new SourceError(`unknown instruction '${mnemonic}'`, position)
    if (this.section.name === ABSOLUTE)
      throw new SourceError(`'${mnemonic}' stands after .struct; put .text or another section before it`, position)
    if (this.section.size % 4 !== 0)
      throw new SourceError('instructions stand at multiples of 4; put .balign 4 before', position)
    this.section.alignment = Math.max(this.section.alignment, 4)
    const tokens = this.withPool(mnemonic, operands, position)
    // What local labels and constants of the pool are called depends on where the line stands.
    const source = tokens === operands && !tokens.some((t) => t.kind === 'local') ? text : undefined
    this.push(4, position, text, (out, resolve, address) => {
      const word = this.instructions.assemble(mnemonic, tokens, position, address, resolve, source)
      new DataView(out.buffer, out.byteOffset).setUint32(0, word, true)
    })
  }

  /** `ldr xN, =expr` becomes a load of a constant in the pool. */
  private withPool(mnemonic: string, operands: readonly Token[], position: Position): readonly Token[] {
    const [register, comma, equals, ...tokens] = operands
    if (mnemonic.toLowerCase() !== 'ldr' || comma?.text !== ',' || equals?.text !== '=') return operands
    const size = /^w/i.test(register!.text) ? 4 : 8
    const key = `${size} ${tokens.map((t) => t.text).join(' ')}`
    // The place `.` means is another one each time.
    let entry = tokens.some((t) => t.text === '.') ? undefined : this.section.pool.find((e) => e.key === key)
    if (entry === undefined) {
      entry = { name: `literal#${++this.poolCount}`, key, size, tokens, position }
      this.section.pool.push(entry)
    }
    return [register!, comma, { ...equals, kind: 'name', text: entry.name }]
  }

  private flushPool(section: Section): void {
    const before = this.section
    this.section = section
    const entries = section.pool.splice(0).sort((a, b) => b.size - a.size)
    if (entries.length > 0) {
      const alignment = entries[0]!.size
      section.alignment = Math.max(section.alignment, alignment)
      this.push(
        (alignment - (section.size % alignment)) % alignment,
        entries[0]!.position,
        `.balign ${alignment}`,
        () => {},
      )
    }
    for (const e of entries) {
      this.values.set(e.name, { term: this.dot, label: true })
      this.push(e.size, e.position, `=${e.tokens.map((t) => t.text).join(' ')}`, (out, resolve) => {
        const { value } = this.evaluate(e.tokens, e.position, resolve)
        if (e.size === 4 && (value >= 1n << 32n || value < -(1n << 31n)))
          throw new SourceError('the value does not fit 32 bits', e.position)
        const view = new DataView(out.buffer, out.byteOffset)
        view.setUint32(0, Number(BigInt.asUintN(32, value)), true)
        if (e.size === 8) view.setUint32(4, Number(BigInt.asUintN(32, value >> 32n)), true)
      })
    }
    this.section = before
  }

  // ---- second pass --------------------------------------------------------------------------------------------------

  /** Give every section its address; turn places in sections into addresses. */
  private layOut(): void {
    const first = this.options.origin ?? 0n
    let address = first
    const placements = this.placements()
    for (const { name, alignment, start } of placements) {
      const section = this.sections.get(name)!
      address = roundUp(address, BigInt(Math.max(section.alignment, alignment)))
      section.address = address
      section.bytes = new Uint8Array(section.size)
      for (const symbol of start ?? []) this.boundary(symbol, 0, name)
      address += BigInt(section.size)
    }
    for (const { name, alignment, end } of placements) {
      const section = this.sections.get(name)!
      const past = roundUp(section.address + BigInt(section.size), BigInt(alignment)) - section.address
      for (const symbol of end ?? []) this.boundary(symbol, Number(past), name)
    }
    for (const v of this.values.values()) v.term = this.located(v.term)
    const order = placements.map((p) => this.sections.get(p.name)!)
    this.sections.clear()
    for (const section of order) this.sections.set(section.name, section)
  }

  /** A name of the layout; one that the source defines itself keeps its own meaning. */
  private boundary(name: string, offset: number, section: string): void {
    if (!this.values.has(name)) this.values.set(name, { term: { value: BigInt(offset), section }, label: true, section })
  }

  /** The sections in their order. */
  private placements(): SectionPlacement[] {
    const { layout, sectionAlignment = 16 } = this.options
    const named = new Map(layout?.map((p) => [p.name, p]))
    // .rodata shares the pages of .text, .bss those of what is before it.
    const plain = (name: string): SectionPlacement =>
      named.get(name) ?? { name, alignment: name === '.data' ? sectionAlignment : 16 }
    const given = [...(layout?.map((p) => p.name) ?? FIRST_SECTIONS)]
    const others = [...this.sections.keys()].filter((name) => !given.includes(name))
    const at = given.findIndex(isZeroed)
    given.splice(at < 0 ? given.length : at, 0, ...others.filter((name) => !isZeroed(name)))
    return [...given, ...others.filter(isZeroed)].map(plain)
  }

  private located(term: Term): Term {
    return term.section === undefined ? term : absolute(term.value + this.sections.get(term.section)!.address)
  }

  finish(): AssembleResult {
    this.layOut()
    for (const p of this.postponed) {
      const dot = this.located(p.dot)
      this.guarded(() => {
        const term = this.evaluate(p.tokens, p.position, (n) => (n === '.' ? dot : this.values.get(n)?.term))
        this.values.set(p.name, { term, label: false })
      })
    }
    const listing: ListingLine[] = []
    for (const item of this.items) {
      const address = item.section.address + BigInt(item.offset)
      const out =
        item.section.name === ABSOLUTE
          ? new Uint8Array(Math.min(item.size, 256))
          : item.section.bytes.subarray(item.offset, item.offset + item.size)
      // A large gap between members has no content to check.
      if (item.section.name === ABSOLUTE && item.size > 256) continue
      const resolve: Resolve = (n) => (n === '.' ? absolute(address) : this.values.get(n)?.term)
      try {
        item.write(out, resolve, address)
      } catch (e) {
        if (!(e instanceof SourceError)) throw e
        this.report(e)
      }
      if (item.size > 0 && item.section.name !== ABSOLUTE) listing.push({ address, bytes: out, position: item.position, text: item.text })
    }
    const sections: AssembledSection[] = []
    for (const { name, address, size, bytes } of this.sections.values()) {
      if (size > 0) sections.push({ name, address, size, bytes: isZeroed(name) ? new Uint8Array(0) : bytes })
    }
    const symbols = new Map<string, bigint>()
    const labels = new Map<string, string>()
    for (const [name, v] of this.values) {
      if (name.includes('#')) continue
      symbols.set(name, v.term.value)
      if (v.section !== undefined) labels.set(name, v.section)
    }
    const { diagnostics, warnings } = this
    return { ok: diagnostics.length === 0, sections, symbols, labels, listing, diagnostics, warnings }
  }

  private guarded(step: () => void): void {
    try {
      step()
    } catch (e) {
      if (!(e instanceof SourceError)) throw e
      this.report(e)
    }
  }
}

function roundUp(address: bigint, to: bigint): bigint {
  return ((address + to - 1n) / to) * to
}

/**
 * One flat image of all sections, from the first one's address on, sections of zeroes at the end left out.
 * @returns the address of its first byte with it.
 */
export function flatImage(result: AssembleResult): { readonly address: bigint; readonly bytes: Uint8Array } {
  const held = result.sections.filter((s) => s.bytes.length > 0)
  const first = held[0]
  const last = held[held.length - 1]
  if (first === undefined || last === undefined) return { address: 0n, bytes: new Uint8Array(0) }
  const bytes = new Uint8Array(Number(last.address - first.address) + last.size)
  for (const s of held) bytes.set(s.bytes, Number(s.address - first.address))
  return { address: first.address, bytes }
}

/** The listing as text: address, bytes in memory order, source. */
export function formatListing(listing: readonly ListingLine[]): string {
  const hex = (b: Uint8Array): string => Array.from(b.subarray(0, 8), (x) => x.toString(16).padStart(2, '0')).join('')
  return listing
    .map((l) => {
      const held = hex(l.bytes) + (l.bytes.length > 8 ? '..' : '')
      return `${l.address.toString(16).padStart(8, '0')}  ${held.padEnd(18)}  ${l.text}`
    })
    .join('\n')
}
