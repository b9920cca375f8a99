import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Decoder } from '../decode.ts'
import { encode } from '../row.ts'
import { rows } from './index.ts'

const decoder = new Decoder(rows, new Set(['fp'] as const))

function generator(seed: number): (n: number) => number {
  let s = seed
  return (n) => {
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    return (s >>> 0) % n
  }
}

/** The mnemonic that disassembly would print for a word. */
function mnemonic(word: number): string | undefined {
  const d = decoder.decode(word)
  if (d === null) return undefined
  const { row, fields } = d
  const form = typeof row.syntax === 'string' ? row.syntax : row.syntax.find((f) => f.when(fields))?.syntax
  const alias = row.aliases?.find((a) => a.when(fields))?.syntax
  return (alias ?? form)?.split(' ')[0]
}

describe('Advanced SIMD rows', () => {
  it('decode to themselves', () => {
    const random = generator(7)
    for (const row of rows) {
      for (let found = 0, tries = 0; found < 10; tries++) {
        expect(tries, `${row.name} has fields that satisfy its condition`).toBeLessThan(5000)
        const fields: Record<string, number> = {}
        for (const f of row.fields) fields[f.name] = random(2 ** f.width)
        if (row.when !== undefined && !row.when(fields)) continue
        found++
        const decoded = decoder.decode(encode(row, fields))
        expect(decoded?.row === row, row.name).toBe(true)
        expect(decoded?.fields).toEqual(fields)
      }
    }
  })

  it('know instructions as the GNU assembler encodes them', () => {
    expect(mnemonic(0x4ee08400)).toBe('add') // add v0.2d, v0.2d, v0.2d
    expect(mnemonic(0x4e628420)).toBe('add') // add v0.8h, v1.8h, v2.8h
    expect(mnemonic(0x6f03f600)).toBe('fmov') // fmov v0.2d, #1.0
    expect(mnemonic(0x6e22a420)).toBe('umaxp') // umaxp v0.16b, v1.16b, v2.16b
    expect(mnemonic(0x4cdf003c)).toBe('ld4') // ld4 {v28.16b-v31.16b}, [x1], #64
    expect(mnemonic(0x4d40c820)).toBe('ld1r') // ld1r {v0.4s}, [x1]
    expect(mnemonic(0x6e180420)).toBe('mov') // mov v0.d[1], v1.d[0]
    expect(mnemonic(0x0f0c8420)).toBe('shrn') // shrn v0.8b, v1.8h, #4
    expect(mnemonic(0x0e31b820)).toBe('addv') // addv b0, v1.8b
  })

  it('leave unallocated encodings and later extensions undefined', () => {
    expect(mnemonic(0x4e401400)).toBeUndefined() // fadd v0.8h, v0.8h, v0.8h
    expect(mnemonic(0x6e428420)).toBeUndefined() // sqrdmlah v0.8h, v1.8h, v2.8h
    expect(mnemonic(0x0ee0e000)).toBeUndefined() // pmull v0.1q, v0.1d, v0.1d
    expect(mnemonic(0x0ee08400)).toBeUndefined() // ADD of 1d: size 3 with Q = 0
    expect(mnemonic(0x2f00f400)).toBeUndefined() // FMOV of 1d
  })
})

/** Mnemonics of extensions after Armv8.0 and of the cryptographic extension. */
const later = new RegExp(
  '^(sqrdml[as]h|fcmla|fcadd|[su]dot|usdot|sudot|bf|fml[as]l|[su]mmla|usmmla|aes|sha1|sha256|sha512|sm3|sm4|eor3|' +
    'bcax|rax1|xar|frint32|frint64|luti|stl1|ldap1)|^pmull2?\\tv\\d+\\.1q',
)

const objdump = 'aarch64-linux-gnu-objdump'
const available = spawnSync(objdump, ['--version']).status === 0
if (!available) console.warn(`SKIPPED: ${objdump} is not installed, decoding of Advanced SIMD is not compared with it`)

it.skipIf(!available)('agree with objdump on what is allocated, and its mnemonic', { timeout: 60_000 }, () => {
  const random = generator(20260102)
  const words = new Uint32Array(40000)
  for (let i = 0; i < words.length; i++) {
    let w = random(2 ** 32)
    switch (random(4)) {
      case 0: w = (w & 0x60ffffff) | 0x0e000000 | (random(2) << 24); break // vector
      case 1: w = (w & 0x20ffffff) | 0x5e000000 | (random(2) << 24); break // scalar
      case 2: w = (w & 0x41ffffff) | 0x0c000000; break // structures
      default: w = (w & 0x60c0ffff) | 0x0e200000 | (random(2) << 20) | (random(2) << 28); break
    }
    if (random(2)) w &= ~(15 << 16)
    words[i] = w >>> 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'simd-'))
  let text: string
  try {
    const path = join(folder, 'words')
    writeFileSync(path, new Uint8Array(words.buffer))
    const run = spawnSync(objdump, ['-D', '-z', '-b', 'binary', '-m', 'aarch64', path], { maxBuffer: 1 << 28 })
    text = run.stdout.toString()
  } finally {
    rmSync(folder, { recursive: true })
  }
  const wrong: string[] = []
  let compared = 0
  for (const line of text.split('\n')) {
    const match = /^\s*([0-9a-f]+):\t([0-9a-f]{8}) \t(.*)$/.exec(line)
    if (match === null) continue
    compared++
    const shown = match[3]!
    const name = shown.split(/\s/)[0]!
    const half = /^f|^[su]cvtf/.test(name) && /\.[248]?h|\bh\d/.test(shown) && !/^fcvt[ln]2?$/.test(name)
    const theirs = shown.startsWith('.inst') || later.test(shown) || half ? undefined : name
    const ours = mnemonic(Number.parseInt(match[2]!, 16))
    if (ours === theirs) continue
    // Crypto, scalar floating-point and integer words that the masks above let through are other rows' business.
    if (ours === undefined && !/\bv\d/.test(shown)) continue
    wrong.push(`${match[2]}: ours ${ours}, objdump ${shown}`)
  }
  expect(compared).toBe(words.length)
  expect(wrong.slice(0, 20)).toEqual([])
})
