/**
 * A record holds everything that one test sequence starts from and leaves behind:
 *
 * ```
 * 0x000  X0..X30
 * 0x0f8  SP
 * 0x100  NZCV in bits 31:28
 * 0x108  FPCR
 * 0x110  FPSR
 * 0x200  V0..V31
 * 0x400  1 KiB that loads and stores act on
 * ```
 */
export const RECORD_BYTES = 0x800

export const Part = {
  x: 0x000,
  sp: 0x0f8,
  nzcv: 0x100,
  fpcr: 0x108,
  fpsr: 0x110,
  v: 0x200,
  scratch: 0x400,
} as const

/** Name of the part that holds the byte at `offset`. */
export function partName(offset: number): string {
  if (offset < Part.sp) return `x${offset >> 3}`
  if (offset < Part.nzcv) return 'sp'
  if (offset < Part.fpcr) return 'nzcv'
  if (offset < Part.fpsr) return 'fpcr'
  if (offset < Part.v) return 'fpsr'
  if (offset < Part.scratch) return `v${(offset - Part.v) >> 4}${offset & 8 ? '.hi' : '.lo'}`
  return `memory+0x${((offset - Part.scratch) & ~7).toString(16)}`
}
