/** The SHA-1 and SHA-256 steps of the Cryptographic Extension (FIPS 180-4; Arm ARM SHAhash...). */

/** Four 32-bit words, element 0 first. */
export type Words = readonly [number, number, number, number]

const rol = (x: number, n: number): number => (x << n) | (x >>> (32 - n))
const ror = (x: number, n: number): number => (x >>> n) | (x << (32 - n))

export const choose = (x: number, y: number, z: number): number => ((y ^ z) & x) ^ z
export const parity = (x: number, y: number, z: number): number => x ^ y ^ z
export const majority = (x: number, y: number, z: number): number => (x & y) | ((x | y) & z)

/** SHA1C, SHA1P, SHA1M: four rounds on the state x (a to d) and y (e) with the scheduled words w. */
export function sha1Rounds(x: Words, y: number, w: Words, mix: (x: number, y: number, z: number) => number): Words {
  let [a, b, c, d] = x
  let e = y
  for (const word of w) {
    const next = (e + rol(a, 5) + mix(b, c, d) + word) | 0
    e = d
    d = c
    c = rol(b, 30)
    b = a
    a = next
  }
  return [a, b, c, d]
}

/** SHA1SU0: first half of the schedule update. */
export function sha1Schedule0(d: Words, n: Words, m: Words): Words {
  return [d[2] ^ d[0] ^ m[0], d[3] ^ d[1] ^ m[1], n[0] ^ d[2] ^ m[2], n[1] ^ d[3] ^ m[3]]
}

/** SHA1SU1: second half. */
export function sha1Schedule1(d: Words, n: Words): Words {
  const t0 = d[0] ^ n[1]
  return [rol(t0, 1), rol(d[1] ^ n[2], 1), rol(d[2] ^ n[3], 1), rol(d[3], 1) ^ rol(t0, 2)]
}

/** SHA256H (`first`) and SHA256H2: four rounds on x (a to d) and y (e to h); one half of the new state. */
export function sha256Rounds(x: Words, y: Words, w: Words, first: boolean): Words {
  let [a, b, c, d] = x
  let [e, f, g, h] = y
  for (const word of w) {
    const t = (h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + choose(e, f, g) + word) | 0
    const next = (t + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + majority(a, b, c)) | 0
    h = g
    g = f
    f = e
    e = (d + t) | 0
    d = c
    c = b
    b = a
    a = next
  }
  return first ? [a, b, c, d] : [e, f, g, h]
}

/** SHA256SU0: first half of the schedule update. */
export function sha256Schedule0(d: Words, n: Words): Words {
  const sigma = (x: number): number => ror(x, 7) ^ ror(x, 18) ^ (x >>> 3)
  return [d[0] + sigma(d[1]), d[1] + sigma(d[2]), d[2] + sigma(d[3]), d[3] + sigma(n[0])]
}

/** SHA256SU1: second half; the upper two words need the lower two. */
export function sha256Schedule1(d: Words, n: Words, m: Words): Words {
  const sigma = (x: number): number => ror(x, 17) ^ ror(x, 19) ^ (x >>> 10)
  const r0 = (d[0] + n[1] + sigma(m[2])) | 0
  const r1 = (d[1] + n[2] + sigma(m[3])) | 0
  return [r0, r1, d[2] + n[3] + sigma(r0), d[3] + m[0] + sigma(r1)]
}

/** SHA1H. */
export function sha1Rotate(x: number): number {
  return rol(x, 30)
}
