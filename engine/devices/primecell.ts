/**
 * The identification registers that end a 4 KiB PrimeCell frame: PeriphID0-3 and PCellID0-3 at 0xfe0..0xffc.
 * @param periph the four PeriphID bytes. @returns 0 outside that range.
 */
export function primeCellId(offset: number, periph: readonly [number, number, number, number]): number {
  if (offset < 0xfe0 || offset > 0xffc) return 0
  const n = (offset - 0xfe0) >> 2
  return n < 4 ? periph[n]! : PRIMECELL[n - 4]!
}

const PRIMECELL = [0x0d, 0xf0, 0x05, 0xb1]
