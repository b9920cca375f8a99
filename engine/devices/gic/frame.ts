/** Accesses of 1, 2, 4 and 8 bytes to register frames made of 32-bit words, and the identification registers. */

/** Peripheral ID registers end a 64 KiB frame: offsets 0xffd0..0xfffc, one byte each (Arm IHI 0069, 12.1.9). */
const ID_REGISTERS = [0x44, 0, 0, 0, 0, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1]

/** @param part the low byte of the part number, in PIDR0. @returns 0 for any other offset. */
export function peripheralId(offset: number, part: number): number {
  if (offset < 0xffd0 || offset > 0xfffc) return 0
  return offset === 0xffe0 ? part : ID_REGISTERS[(offset - 0xffd0) >> 2]!
}

export function readSized(offset: number, bytes: number, word: (offset: number) => number): bigint {
  if (bytes === 8) return BigInt(word(offset)) | (BigInt(word(offset + 4)) << 32n)
  const value = word(offset & ~3) >>> (8 * (offset & 3))
  return BigInt(bytes === 4 ? value : bytes === 2 ? value & 0xffff : value & 0xff)
}

/** Writes narrower than a word are ignored: callers handle the registers that allow them. */
export function writeSized(
  offset: number,
  bytes: number,
  value: bigint,
  word: (offset: number, value: number) => void,
): void {
  if (bytes < 4) return
  word(offset, Number(value & 0xffffffffn))
  if (bytes === 8) word(offset + 4, Number((value >> 32n) & 0xffffffffn))
}
