import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { cryptoOperation } from './operations.ts'

const none: Uint8Array = new Uint8Array(16)
const crypto = (op: string, a: Uint8Array, b = none, c = none): Uint8Array => cryptoOperation(op, a, b, c)
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (v: Uint8Array): string => Buffer.from(v).toString('hex')
const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((x, i) => x ^ b[i]!)

/** The 11 round keys of FIPS 197, appendix A.1. */
const ROUND_KEYS = [
  '2b7e151628aed2a6abf7158809cf4f3c', 'a0fafe1788542cb123a339392a6c7605', 'f2c295f27a96b9435935807a7359f67f',
  '3d80477d4716fe3e1e237e446d7a883b', 'ef44a541a8525b7fb671253bdb0bad00', 'd4d1c6f87c839d87caf2b8bc11f915bc',
  '6d88a37a110b3efddbf98641ca0093fd', '4e54f70e5f5fc9f384a64fb24ea6dc4f', 'ead27321b58dbad2312bf5607f8d292f',
  'ac7766f319fadc2128d12941575c006e', 'd014f9a8c9ee2589e13f0cc8b6630ca6',
].map(bytes)

describe('AES', () => {
  const plain = bytes('3243f6a8885a308d313198a2e0370734')
  const reference = createCipheriv('aes-128-ecb', ROUND_KEYS[0]!, null).setAutoPadding(false).update(plain)

  it('encrypts as FIPS 197, appendix B', () => {
    let state = plain
    for (let round = 0; round < 10; round++) {
      state = crypto('aese', state, ROUND_KEYS[round])
      if (round < 9) state = crypto('aesmc', state)
    }
    expect(hex(xor(state, ROUND_KEYS[10]!))).toBe('3925841d02dc09fbdc118597196a0b32')
    expect(hex(reference)).toBe('3925841d02dc09fbdc118597196a0b32')
  })
  it('decrypts with the equivalent inverse cipher', () => {
    let state: Uint8Array = Uint8Array.from(reference)
    for (let round = 10; round > 0; round--) {
      const key = ROUND_KEYS[round]!
      state = crypto('aesd', state, round === 10 ? key : crypto('aesimc', key))
      if (round > 1) state = crypto('aesimc', state)
    }
    const decipher = createDecipheriv('aes-128-ecb', ROUND_KEYS[0]!, null).setAutoPadding(false)
    expect(hex(xor(state, ROUND_KEYS[0]!))).toBe(hex(decipher.update(reference)))
  })
})

/** Four little-endian words from a 64-byte block whose words are big-endian, padded for the message 'abc'. */
function messageWords(): Uint8Array[] {
  const block = new Uint8Array(64)
  block.set([0x61, 0x62, 0x63, 0x80])
  block[63] = 24
  return [0, 16, 32, 48].map((at) => reversed(block.slice(at, at + 16)))
}
/** The bytes of each 32-bit word turned round. */
const reversed = (v: Uint8Array): Uint8Array => v.map((_, i) => v[i ^ 3]!)
const vector = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer)
const sum = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const [x, y] = [new Uint32Array(a.slice().buffer), new Uint32Array(b.slice().buffer)]
  return vector(...x.map((v, i) => v + y[i]!))
}

/** Step and constant of each twenty rounds of SHA-1. */
const SHA1_PHASES = [
  ['sha1c', 0x5a827999],
  ['sha1p', 0x6ed9eba1],
  ['sha1m', 0x8f1bbcdc],
  ['sha1p', 0xca62c1d6],
] as const

describe('SHA', () => {
  it('hashes abc with SHA-1', () => {
    const initial = vector(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
    let abcd = initial
    let e = vector(0xc3d2e1f0, 0, 0, 0)
    const w = messageWords()
    for (let i = 0; i < 20; i++) {
      const [op, k] = SHA1_PHASES[Math.floor(i / 5)]!
      if (i >= 4) w.push(crypto('sha1su1', crypto('sha1su0', w[i - 4]!, w[i - 3], w[i - 2]), w[i - 1]))
      const next = crypto('sha1h', abcd)
      abcd = crypto(op, abcd, e, sum(w[i]!, vector(k, k, k, k)))
      e = next
    }
    const digest = [...reversed(sum(abcd, initial)), ...reversed(sum(e, vector(0xc3d2e1f0, 0, 0, 0))).slice(0, 4)]
    expect(Buffer.from(digest).toString('hex')).toBe(createHash('sha1').update('abc').digest('hex'))
  })
  it('hashes abc with SHA-256', () => {
    // The constants are the first 32 bits of the fractional parts of roots of primes.
    const primes: number[] = []
    for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n)
    const k = primes.map((p) => Number(BigInt.asUintN(32, cubeRoot(BigInt(p) << 96n))))
    const x0 = vector(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a)
    const y0 = vector(0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19)
    let x = x0
    let y = y0
    const w = messageWords()
    for (let i = 0; i < 16; i++) {
      if (i >= 4) w.push(crypto('sha256su1', crypto('sha256su0', w[i - 4]!, w[i - 3]), w[i - 2], w[i - 1]))
      const words = sum(w[i]!, vector(...k.slice(4 * i, 4 * i + 4)))
      const next = crypto('sha256h', x, y, words)
      y = crypto('sha256h2', y, x, words)
      x = next
    }
    const digest = [...reversed(sum(x, x0)), ...reversed(sum(y, y0))]
    expect(Buffer.from(digest).toString('hex')).toBe(createHash('sha256').update('abc').digest('hex'))
  })
})

/** Largest r with r^3 <= n. */
function cubeRoot(n: bigint): bigint {
  let low = 0n
  let high = 1n << 40n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle ** 3n <= n) low = middle
    else high = middle
  }
  return low
}

describe('PMULL', () => {
  it('multiplies polynomials over GF(2)', () => {
    const a = bytes('ffffffffffffffff0000000000000000')
    // Squaring moves the coefficient of x^n to x^2n.
    expect(hex(crypto('pmull', a, a))).toBe('55'.repeat(16))
    expect(hex(crypto('pmull', a, bytes('0200000000000000ffffffffffffffff')))).toBe('feffffffffffffff0100000000000000')
  })
  it('refuses names it does not know', () => {
    expect(() => crypto('rot13', none)).toThrow(RangeError)
  })
})
