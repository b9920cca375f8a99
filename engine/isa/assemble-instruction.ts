/**
 * One instruction statement to its word, by the instruction table alone: the candidates of its mnemonic are tried in
 * the table's order, and the first whose text, operands and conditions fit wins (SYNTAX.md, "Assembling").
 */
import type { Resolve } from './assemble-expressions.ts'
import { TokenReader } from './assemble-expressions.ts'
import { type Position, SourceError, type Token } from './assemble-lexer.ts'
import { RefusedValue } from './operand-kind.ts'
import { type AnyFields, type Feature, type Row, encode, fieldsOf } from './row.ts'
import { type Syntax, compileSyntax, matchOperands, mnemonicsOf } from './syntax.ts'

interface Candidate {
  readonly row: Row
  readonly syntax: Syntax
  /** Fields that the mnemonic itself sets. */
  readonly fields: AnyFields
  readonly fill: ((f: Record<string, number>) => object) | undefined
  /** A form's condition; aliases have none when assembling. */
  readonly when: ((f: AnyFields) => boolean) | undefined
}

const MOST_WORDS = 60_000

interface KnownWord {
  readonly word: number
  /** The word depends on the address: it is kept with that. */
  readonly relative: boolean
  /** Names in it, and the values that they had. */
  readonly names: readonly string[]
  readonly values: readonly (bigint | undefined)[]
}

const RELATIVE: KnownWord = { word: 0, relative: true, names: [], values: [] }

function stillHolds({ names, values }: KnownWord, resolve: Resolve): boolean {
  return names.every((name, i) => resolve(name)?.value === values[i])
}

/** Where an instruction stands, and what its encoding came to depend on. */
class Place {
  /** The address was asked for. */
  asked = false
  readonly names: string[] = []
  readonly values: (bigint | undefined)[] = []
  readonly resolve: Resolve

  constructor(
    readonly pc: bigint,
    resolve: Resolve,
  ) {
    this.resolve = (name) => {
      const term = resolve(name)
      this.names.push(name)
      this.values.push(term?.value)
      return term
    }
  }
}

/** The mnemonics of a set of rows. Built once for each set of rows and features. */
export class InstructionAssembler {
  private readonly candidates = new Map<string, Candidate[]>()
  /**
   * Words of instructions met before, by text, and by text and address where the address counts: sources are assembled
   * again and again with little changed.
   */
  private readonly words = new Map<string, KnownWord>()

  constructor(rows: readonly Row[], features: ReadonlySet<Feature>) {
    for (const row of rows) {
      if (row.feature !== undefined && !features.has(row.feature)) continue
      if (typeof row.syntax === 'string') this.add(row, row.syntax, undefined, undefined)
      else for (const form of row.syntax) this.add(row, form.syntax, form.fill, form.when)
      for (const alias of row.aliases ?? []) this.add(row, alias.syntax, alias.fill, undefined)
    }
  }

  private add(row: Row, source: string, fill: Candidate['fill'], when: Candidate['when']): void {
    const syntax = compileSyntax(source)
    for (const { text, fields } of mnemonicsOf(syntax)) {
      const key = text.toLowerCase()
      let list = this.candidates.get(key)
      if (list === undefined) this.candidates.set(key, (list = []))
      list.push({ row, syntax, fields, fill, when })
    }
  }

  /** Is there an instruction of that name (any case)? */
  has(mnemonic: string): boolean {
    return this.candidates.has(mnemonic.toLowerCase())
  }

  /**
   * The word of `mnemonic operands` at address `pc`.
   * @param source a text that always means these operands, where there is one: it saves making it
   * @throws SourceError with the message of the candidate that matched furthest.
   */
  assemble(
    mnemonic: string,
    operands: readonly Token[],
    position: Position,
    pc: bigint,
    resolve: Resolve,
    source?: string,
  ): number {
    const list = this.candidates.get(mnemonic.toLowerCase())
    if (list === undefined) throw new SourceError(`unknown instruction or directive '${mnemonic}'`, position)
    const text = source ?? [mnemonic, ...operands.map((t) => t.text)].join(' ')
    let known = this.words.get(text)
    if (known?.relative === true) known = this.words.get(`${text} @${pc}`)
    if (known !== undefined && stillHolds(known, resolve)) return known.word
    let best: SourceError | undefined
    const place = new Place(pc, resolve)
    for (const candidate of list) {
      try {
        const word = this.attempt(candidate, operands, position, place)
        this.keep(text, pc, { word, relative: false, names: place.names, values: place.values }, place.asked)
        return word
      } catch (e) {
        if (!(e instanceof SourceError)) throw e
        if (best === undefined || rank(e) > rank(best)) best = e
      }
    }
    throw best!
  }

  private keep(text: string, pc: bigint, known: KnownWord, relative: boolean): void {
    if (this.words.size >= MOST_WORDS) this.words.clear()
    if (relative) this.words.set(text, RELATIVE)
    this.words.set(relative ? `${text} @${pc}` : text, known)
  }

  private attempt(c: Candidate, operands: readonly Token[], position: Position, place: Place): number {
    const reader = new TokenReader(operands, position)
    const fields: Record<string, number> = { ...c.fields }
    const context = {
      reader,
      resolve: place.resolve,
      get pc() {
        place.asked = true
        return place.pc
      },
      row: c.row,
      mnemonic: c.syntax.name,
      fields,
      scale: 1,
      args: [],
    }
    matchOperands(c.syntax, context)
    if (c.fill !== undefined) Object.assign(fields, c.fill(fields))
    const all: Record<string, number> = {}
    for (const f of c.row.fields) all[f.name] = fields[f.name] ?? 0
    let word: number
    try {
      word = encode(c.row, all)
    } catch (e) {
      if (e instanceof RangeError) throw new RefusedValue('an operand does not fit this instruction', position)
      throw e
    }
    const final = fieldsOf(c.row, word)
    if (c.when?.(final) === false || c.row.when?.(final) === false) {
      throw new RefusedValue('these operands do not go together in this instruction', position)
    }
    return word
  }
}

/** How far a candidate came: the furthest column tells best, and a value out of range more than a wrong shape. */
function rank(e: SourceError): number {
  return e.position.column * 2 + (e instanceof RefusedValue ? 1 : 0)
}
