import type { Builder } from './builder.ts'

/**
 * A row of the instruction table: one A64 encoding with its bit pattern, its assembly syntax and its meaning.
 *
 * `pattern` is written most significant bit first, tokens separated by spaces: a run of 0 and 1 is fixed, a run of
 * x is ignored (SBZ bits), a run of o is ignored but assembled as ones (SBO bits), `name:width` is a field. All tokens
 * together are 32 bits wide; `row()` throws if not.
 *
 * `syntax` is the assembly form: mnemonic, a space, then operands. Text in braces is an operand `{kind:field,field}`,
 * its kind looked up in `operands.ts`; everything else is literal. See operands.ts for the kinds.
 */
type TokenName<T extends string> = T extends `${infer N}:${string}` ? N : never
type Names<P extends string> = P extends `${infer H} ${infer R}` ? TokenName<H> | Names<R> : TokenName<P>
/** The named fields of a pattern, as unsigned numbers. A meaning that names a field the pattern lacks does not compile. */
export type Fields<P extends string> = { readonly [K in Names<P>]: number }
export type AnyFields = Readonly<Record<string, number>>

/** Features a row may depend on; a CPU model that lacks it leaves the encoding UNDEFINED. */
export type Feature = 'crc32' | 'lse' | 'fp' | 'aes' | 'pmull' | 'sha1' | 'sha256' | 'fp16'

export interface Alias<P extends string> {
  readonly syntax: string
  /** Preferred disassembly when this holds. */
  readonly when: (f: Fields<P>) => boolean
  /** How the assembler fills the fields that the syntax does not name. May compute from the parsed ones. */
  readonly fill?: (f: Record<string, number>) => Partial<Fields<P>>
}

export interface RowSpec<P extends string> {
  /** Heading in the Arm ARM, section C6.2 or C7.2: `ADD (immediate)`. */
  readonly name: string
  readonly pattern: P
  /** One syntax, or several in order of preference when the form depends on fields (see `forms`). */
  readonly syntax: string | readonly Form<P>[]
  readonly aliases?: readonly Alias<P>[]
  readonly feature?: Feature
  /** Extra condition on the fields; where it is false the word is not this row (another row, or unallocated). */
  readonly when?: (f: Fields<P>) => boolean
  readonly meaning: (t: Builder, f: Fields<P>) => void
  /** True when the instruction always or possibly changes control flow or translation: last of its block. */
  readonly ends?: boolean
}

/** One of several syntaxes of a row, used where `when` holds; the assembler merges `fill` into the fields. */
export interface Form<P extends string> {
  readonly syntax: string
  readonly when: (f: Fields<P>) => boolean
  readonly fill?: (f: Record<string, number>) => Partial<Fields<P>>
}

export interface Field {
  readonly name: string
  /** Bit number of the least significant bit. */
  readonly lsb: number
  readonly width: number
}

export interface Row extends Omit<RowSpec<string>, 'meaning' | 'when' | 'aliases' | 'syntax'> {
  readonly mask: number
  readonly value: number
  /** Bits outside `mask` that the assembler sets (should be one). */
  readonly ones: number
  readonly fields: readonly Field[]
  readonly syntax: string | readonly Form<string>[]
  readonly aliases?: readonly Alias<string>[]
  readonly when?: (f: AnyFields) => boolean
  readonly meaning: (t: Builder, f: AnyFields) => void
}

/** Define a row. @throws Error when the pattern is not 32 bits wide or names a field twice. */
export function row<P extends string>(spec: RowSpec<P>): Row {
  let mask = 0
  let value = 0
  let ones = 0
  let bit = 32
  const fields: Field[] = []
  for (const token of spec.pattern.split(' ')) {
    const colon = token.indexOf(':')
    if (colon < 0) {
      for (const c of token) {
        bit--
        if (c === 'x') continue
        if (c === 'o') {
          ones |= 1 << bit
          continue
        }
        if (c !== '0' && c !== '1') throw new Error(`${spec.name}: bad token ${token} in pattern`)
        mask |= 1 << bit
        if (c === '1') value |= 1 << bit
      }
    } else {
      const name = token.slice(0, colon)
      const width = Number(token.slice(colon + 1))
      bit -= width
      if (fields.some((f) => f.name === name)) throw new Error(`${spec.name}: field ${name} twice`)
      fields.push({ name, lsb: bit, width })
    }
  }
  if (bit !== 0) throw new Error(`${spec.name}: pattern is ${32 - bit} bits wide`)
  // Every row has the same properties in the same order, so that loads from rows stay fast in the engine's loops.
  return {
    name: spec.name,
    pattern: spec.pattern,
    syntax: spec.syntax,
    aliases: spec.aliases,
    feature: spec.feature,
    when: spec.when,
    meaning: spec.meaning,
    ends: spec.ends,
    mask: mask >>> 0,
    value: value >>> 0,
    ones: ones >>> 0,
    fields,
  } as unknown as Row
}

/** The fields of `word` under `row`'s pattern. */
export function fieldsOf(r: Row, word: number): AnyFields {
  const out: Record<string, number> = {}
  for (const f of r.fields) out[f.name] = f.width === 32 ? word >>> 0 : (word >>> f.lsb) & ((1 << f.width) - 1)
  return out
}

/** The word that has `fields` under `row`'s pattern; missing fields are 0. @throws RangeError on a field too large. */
export function encode(r: Row, fields: Readonly<Record<string, number>>): number {
  let word = r.value | r.ones
  for (const f of r.fields) {
    const v = fields[f.name] ?? 0
    if (v < 0 || v >= 2 ** f.width || !Number.isInteger(v)) throw new RangeError(`${r.name}: ${f.name}=${v} does not fit ${f.width} bits`)
    word |= v << f.lsb
  }
  return word >>> 0
}
