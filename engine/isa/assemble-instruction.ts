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

const MOST_WORDS = 20_000

/** Where an instruction stands, and whether its encoding came to depend on that. */
class Place {
  asked = false
  readonly resolve: Resolve

  constructor(
    readonly pc: bigint,
    resolve: Resolve,
  ) {
    this.resolve = (name) => {
      this.asked = true
      return resolve(name)
    }
  }
}

/** The mnemonics of a set of rows. Built once for each set of rows and features. */
export class InstructionAssembler {
  private readonly candidates = new Map<string, Candidate[]>()
  /** Words of instructions whose text alone decides them: no name in it, nothing relative to the PC. */
  private readonly words = new Map<string, number>()

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
   * @throws SourceError with the message of the candidate that matched furthest.
   */
  assemble(mnemonic: string, operands: readonly Token[], position: Position, pc: bigint, resolve: Resolve): number {
    const list = this.candidates.get(mnemonic.toLowerCase())
    if (list === undefined) throw new SourceError(`unknown instruction or directive '${mnemonic}'`, position)
    let text = mnemonic
    for (const t of operands) text += ` ${t.text}`
    const known = this.words.get(text)
    if (known !== undefined) return known
    let best: SourceError | undefined
    const place = new Place(pc, resolve)
    for (const candidate of list) {
      try {
        const word = this.attempt(candidate, operands, position, place)
        if (!place.asked) {
          if (this.words.size >= MOST_WORDS) this.words.clear()
          this.words.set(text, word)
        }
        return word
      } catch (e) {
        if (!(e instanceof SourceError)) throw e
        if (best === undefined || rank(e) > rank(best)) best = e
      }
    }
    throw best!
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
