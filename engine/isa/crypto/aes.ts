/** The AES round steps of the Cryptographic Extension (FIPS 197; Arm ARM AESSubBytes, AESShiftRows, AESMixColumns). */

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function double(a: number): number {
  return ((a << 1) ^ (a & 0x80 ? 0x11b : 0)) & 0xff
}

function multiply(a: number, b: number): number {
  let product = 0
  for (; b !== 0; b >>= 1, a = double(a)) if (b & 1) product ^= a
  return product
}

const forward = new Uint8Array(256)
const inverse = new Uint8Array(256)
/** Products with the constants of (Inv)MixColumns, 256 entries for each constant. */
const times = (constant: number): Uint8Array => Uint8Array.from({ length: 256 }, (_, a) => multiply(a, constant))
const by2 = times(2)
const by3 = times(3)
const by9 = times(9)
const by11 = times(11)
const by13 = times(13)
const by14 = times(14)

{
  // p runs through the powers of 3, a generator, and q through their inverses.
  let p = 1
  let q = 1
  do {
    p = multiply(p, 3)
    q = multiply(q, 0xf6)
    const s = q | (q << 8)
    forward[p] = (s ^ (s >> 4) ^ (s >> 5) ^ (s >> 6) ^ (s >> 7) ^ 0x63) & 0xff
  } while (p !== 1)
  forward[0] = 0x63
  for (let i = 0; i < 256; i++) inverse[forward[i]!] = i
}

/** AESE: AddRoundKey, ShiftRows, SubBytes of a 16-byte state. */
export function aese(state: Uint8Array, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(16)
  for (let i = 0; i < 16; i++) {
    const from = (i + 4 * (i & 3)) & 15
    out[i] = forward[state[from]! ^ key[from]!]!
  }
  return out
}

/** AESD: AddRoundKey, InvShiftRows, InvSubBytes. */
export function aesd(state: Uint8Array, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(16)
  for (let i = 0; i < 16; i++) {
    const from = (i - 4 * (i & 3)) & 15
    out[i] = inverse[state[from]! ^ key[from]!]!
  }
  return out
}

/** AESMC: MixColumns. */
export function aesmc(state: Uint8Array): Uint8Array {
  const out = new Uint8Array(16)
  for (let column = 0; column < 16; column += 4) {
    for (let row = 0; row < 4; row++) {
      const at = (k: number): number => state[column + ((row + k) & 3)]!
      out[column + row] = by2[at(0)]! ^ by3[at(1)]! ^ at(2) ^ at(3)
    }
  }
  return out
}

/** AESIMC: InvMixColumns. */
export function aesimc(state: Uint8Array): Uint8Array {
  const out = new Uint8Array(16)
  for (let column = 0; column < 16; column += 4) {
    for (let row = 0; row < 4; row++) {
      const at = (k: number): number => state[column + ((row + k) & 3)]!
      out[column + row] = by14[at(0)]! ^ by11[at(1)]! ^ by13[at(2)]! ^ by9[at(3)]!
    }
  }
  return out
}
