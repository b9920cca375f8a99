import { describe, expect, it } from 'vitest'
import { decodeBitmask, encodeBitmask } from './bitmask.ts'
import { Decoder } from './decode.ts'
import { encode, type Feature, fieldsOf, type Row } from './row.ts'
import { allRows } from './table.ts'

const every = new Set<Feature>(['crc32', 'lse', 'fp', 'aes', 'pmull', 'sha1', 'sha256', 'fp16'])

/** A small deterministic generator (xorshift32). */
function generator(seed: number): () => number {
  let s = seed | 0
  return () => {
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    return s >>> 0
  }
}

function randomFields(r: Row, next: () => number): Record<string, number> | null {
  for (let attempt = 0; attempt < 20000; attempt++) {
    const fields: Record<string, number> = {}
    for (const f of r.fields) fields[f.name] = next() % 2 ** f.width
    if (r.when === undefined || r.when(fields)) return fields
  }
  return null
}

const ones = (mask: number) => {
  let n = 0
  for (let m = mask; m !== 0; m &= m - 1) n++
  return n
}

describe('the instruction table', () => {
  it('has no row twice', () => {
    const names = allRows.map((r) => `${r.name}: ${r.pattern}`)
    expect(names.filter((n, i) => names.indexOf(n) !== i)).toEqual([])
  })

  it('decodes what it encodes to the same row and fields', () => {
    const decoder = new Decoder(allRows, every)
    const next = generator(0x2545f491)
    const wrong: string[] = []
    for (const r of allRows) {
      for (let i = 0; i < 30; i++) {
        const fields = randomFields(r, next)
        if (fields === null) {
          wrong.push(`${r.name}: no fields satisfy its condition`)
          break
        }
        const word = encode(r, fields)
        expect(fieldsOf(r, word)).toEqual(fields)
        const found = decoder.decode(word)
        // A more specific row may own a part of a general row's space (HINT and WFI).
        if (found?.row !== r && (found === null || ones(found.row.mask) <= ones(r.mask))) {
          wrong.push(`${r.name}: ${word.toString(16)} decodes as ${found?.row.name}`)
          break
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('gives no word to two rows of equal specificity', () => {
    const next = generator(0x9e3779b9)
    const wrong: string[] = []
    for (let i = 0; i < allRows.length; i++) {
      const a = allRows[i]!
      for (let j = i + 1; j < allRows.length; j++) {
        const b = allRows[j]!
        const shared = a.mask & b.mask
        if (((a.value ^ b.value) & shared) !== 0 || ones(a.mask) !== ones(b.mask)) continue
        for (let n = 0; n < 2000; n++) {
          const word = ((next() & ~a.mask & ~b.mask) | a.value | b.value) >>> 0
          if (a.when !== undefined && !a.when(fieldsOf(a, word))) continue
          if (b.when !== undefined && !b.when(fieldsOf(b, word))) continue
          wrong.push(`${a.name} and ${b.name} both claim ${word.toString(16)}`)
          break
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('names only fields of the pattern in its syntax', () => {
    const wrong: string[] = []
    for (const r of allRows) {
      const syntaxes = [...(typeof r.syntax === 'string' ? [r.syntax] : r.syntax.map((f) => f.syntax))]
      for (const a of r.aliases ?? []) syntaxes.push(a.syntax)
      for (const s of syntaxes) {
        for (const m of s.matchAll(/\{[^:}]*:([^}]*)\}/g)) {
          for (const name of m[1]!.split(',')) {
            if (!/^\d+$/.test(name) && !r.fields.some((f) => f.name === name)) wrong.push(`${r.name}: ${name} in "${s}"`)
          }
        }
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('logical immediates', () => {
  it('are 5334 for 64 bits and 1302 for 32 bits, and encode back', () => {
    for (const [sf, width, count] of [[1, 64, 5334], [0, 32, 1302]] as const) {
      const seen = new Set<bigint>()
      for (let n = 0; n < 8192; n++) {
        const v = decodeBitmask(n >> 12, (n >> 6) & 63, n & 63, sf)
        if (v !== null) seen.add(v)
      }
      expect(seen.size).toBe(count)
      for (const v of seen) {
        const e = encodeBitmask(v, width)
        expect(e && decodeBitmask(e.N, e.immr, e.imms, sf)).toBe(v)
      }
    }
  })

  it('refuse what is no rotated run of ones', () => {
    expect(encodeBitmask(0n, 64)).toBeNull()
    expect(encodeBitmask(0xffffffffffffffffn, 64)).toBeNull()
    expect(encodeBitmask(0xffffffffn, 32)).toBeNull()
    expect(encodeBitmask(5n, 64)).toBeNull()
    expect(encodeBitmask(0xffffffffn, 64)).toEqual({ N: 1, immr: 0, imms: 31 })
  })
})
