import { aesd, aese, aesimc, aesmc } from './aes.ts'
import {
  type Words, choose, majority, parity, sha1Rotate, sha1Rounds, sha1Schedule0, sha1Schedule1, sha256Rounds,
  sha256Schedule0, sha256Schedule1,
} from './sha.ts'

/**
 * The cryptographic operations by name, on 16-byte vectors, byte 0 the least significant.
 *
 * | name | operands |
 * | --- | --- |
 * | `aese` `aesd` | state, key |
 * | `aesmc` `aesimc` | state |
 * | `pmull` | polynomial product (128 bits) of the low 64 bits of a and b |
 * | `sha1c` `sha1p` `sha1m` | state, e in the low word, scheduled words |
 * | `sha1h` | word |
 * | `sha1su0` | d, n, m |
 * | `sha1su1` | d, n |
 * | `sha256h` `sha256h2` | Vd, Vn, Vm of the instruction |
 * | `sha256su0` | d, n |
 * | `sha256su1` | d, n, m |
 *
 * @throws RangeError for an unknown name.
 */
export function cryptoOperation(op: string, a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
  switch (op) {
    case 'aese':
      return aese(a, b)
    case 'aesd':
      return aesd(a, b)
    case 'aesmc':
      return aesmc(a)
    case 'aesimc':
      return aesimc(a)
    case 'pmull':
      return polynomialProduct(a, b)
    case 'sha1c':
      return bytes(sha1Rounds(words(a), words(b)[0], words(c), choose))
    case 'sha1p':
      return bytes(sha1Rounds(words(a), words(b)[0], words(c), parity))
    case 'sha1m':
      return bytes(sha1Rounds(words(a), words(b)[0], words(c), majority))
    case 'sha1h':
      return bytes([sha1Rotate(words(a)[0]), 0, 0, 0])
    case 'sha1su0':
      return bytes(sha1Schedule0(words(a), words(b), words(c)))
    case 'sha1su1':
      return bytes(sha1Schedule1(words(a), words(b)))
    case 'sha256h':
      return bytes(sha256Rounds(words(a), words(b), words(c), true))
    case 'sha256h2':
      return bytes(sha256Rounds(words(b), words(a), words(c), false))
    case 'sha256su0':
      return bytes(sha256Schedule0(words(a), words(b)))
    case 'sha256su1':
      return bytes(sha256Schedule1(words(a), words(b), words(c)))
    default:
      throw new RangeError(`no cryptographic operation ${op}`)
  }
}

function words(v: Uint8Array): Words {
  const word = (i: number): number => v[i]! | (v[i + 1]! << 8) | (v[i + 2]! << 16) | (v[i + 3]! << 24)
  return [word(0), word(4), word(8), word(12)]
}

function bytes(w: Words): Uint8Array {
  const out = new Uint8Array(16)
  for (let i = 0; i < 16; i++) out[i] = w[i >> 2]! >>> (8 * (i & 3))
  return out
}

/** PolynomialMult of 64 by 64 bits. */
function polynomialProduct(a: Uint8Array, b: Uint8Array): Uint8Array {
  let multiplicand = 0n
  for (let i = 7; i >= 0; i--) multiplicand = (multiplicand << 8n) | BigInt(a[i]!)
  let product = 0n
  for (let bit = 0; bit < 64; bit++, multiplicand <<= 1n) if ((b[bit >> 3]! >> (bit & 7)) & 1) product ^= multiplicand
  const out = new Uint8Array(16)
  for (let i = 0; i < 16; i++, product >>= 8n) out[i] = Number(product & 0xffn)
  return out
}
