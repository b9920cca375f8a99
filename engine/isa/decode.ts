import { type AnyFields, type Feature, type Row, fieldsOf } from './row.ts'

/** A word matched against the table. */
export interface Decoded {
  readonly word: number
  readonly row: Row
  readonly fields: AnyFields
}

/**
 * Finds the row of an instruction word. Rows may overlap: the one with more fixed bits wins, `when` decides the rest.
 * Rows whose feature is absent do not take part.
 */
export class Decoder {
  /** Candidate rows by bits 31:21, most specific first; filled on first use. */
  private readonly buckets: (Row[] | undefined)[] = new Array(2048)
  private readonly rows: Row[]
  private readonly cache = new Map<number, Decoded | null>()

  constructor(rows: readonly Row[], features: ReadonlySet<Feature>) {
    this.rows = rows
      .filter((r) => r.feature === undefined || features.has(r.feature))
      .sort((a, b) => fixedBits(b) - fixedBits(a))
  }

  /** The row and fields of `word` (unsigned 32-bit), or null when it is unallocated. */
  decode(word: number): Decoded | null {
    const known = this.cache.get(word)
    if (known !== undefined) return known
    const found = this.match(word)
    this.cache.set(word, found)
    return found
  }

  private match(word: number): Decoded | null {
    const key = word >>> 21
    const bucket = (this.buckets[key] ??= this.rows.filter((r) => ((r.value ^ word) & r.mask) >>> 21 === 0))
    for (const r of bucket) {
      if (((word & r.mask) ^ r.value) | 0) continue
      const fields = fieldsOf(r, word)
      if (r.when !== undefined && !r.when(fields)) continue
      return { word, row: r, fields }
    }
    return null
  }
}

function fixedBits(r: Row): number {
  let n = 0
  for (let m = r.mask; m !== 0; m &= m - 1) n++
  return n
}
