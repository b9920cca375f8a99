/** CRC-32 (polynomial 0x04c11db7) and CRC-32C (0x1edc6f41), bit-reflected, as the CRC32 instructions define them. */
function table(reflectedPolynomial: number): Int32Array {
  const t = new Int32Array(256)
  for (let i = 0; i < 256; i++) {
    let c = i
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ reflectedPolynomial : c >>> 1
    t[i] = c
  }
  return t
}

export const crc32Table = table(0xedb88320)
export const crc32cTable = table(0x82f63b78)

/** Accumulate `bytes` (1..8) bytes of the 64-bit value (low, high), least significant first. @returns a signed 32-bit number. */
export function crc32(acc: number, low: number, high: number, bytes: number, castagnoli: boolean): number {
  const t = castagnoli ? crc32cTable : crc32Table
  for (let i = 0; i < bytes; i++) {
    const byte = (i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4))) & 0xff
    acc = t[(acc ^ byte) & 0xff]! ^ (acc >>> 8)
  }
  return acc
}
