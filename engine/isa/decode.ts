import { type AnyFields, type Feature, type Row, fieldsOf } from './row.ts'

/** A word matched against the table. */
export interface Decoded {
  readonly word: number
  readonly row: Row
  readonly fields: AnyFields
}

const CACHE_BITS = 16
const CACHE_SIZE = 1 << CACHE_BITS

/**
 * Finds the row of an instruction word. Rows may overlap: the one with more fixed bits wins, `when` decides the rest.
 * Rows whose feature is absent do not take part.
 */
export class Decoder {
  /** Candidate rows by bits 31:21, most specific first; filled on first use. */
  private readonly buckets: (Row[] | undefined)[] = new Array(2048)
  private readonly rows: Row[]
  /** Words decoded lately, direct-mapped: a kernel has some 100,000 distinct ones, and a hash map of that size is slow. */
  private readonly cache: (Decoded | undefined)[] = new Array<Decoded | undefined>(CACHE_SIZE).fill(undefined)

  constructor(rows: readonly Row[], features: ReadonlySet<Feature>) {
    this.rows = rows
      .filter((r) => r.feature === undefined || features.has(r.feature))
      .sort((a, b) => fixedBits(b) - fixedBits(a))
  }

  /** The row and fields of `word` (unsigned 32-bit), or null when it is unallocated. */
  decode(word: number): Decoded | null {
    const at = Math.imul(word, 0x9e3779b1) >>> (32 - CACHE_BITS)
    const known = this.cache[at]
    if (known !== undefined && known.word === word) return known
    const found = this.match(word)
    if (found !== null) this.cache[at] = found
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
