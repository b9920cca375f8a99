import type { Builder, Vec } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { Lanes, bitsOf } from './lanes.ts'

/** Advanced SIMD modified immediate (Arm ARM C4.1.96): MOVI, MVNI, ORR, BIC, FMOV (vector, immediate). */
interface Imm8 {
  readonly abc: number
  readonly defgh: number
}
const imm8 = (f: Imm8): number => (f.abc << 5) | f.defgh

/** VFPExpandImm for 32 bits: sign, exponent NOT(b):bbbbb:cd, fraction efgh. */
export function expandImm32(imm: number): number {
  const b = (imm >> 6) & 1
  return ((((imm >> 7) << 31) | ((b ^ 1) << 30) | (b ? 0x1f << 25 : 0) | ((imm & 0x3f) << 19)) >>> 0)
}
/** The upper 32 bits of VFPExpandImm for 64 bits; the lower are zero. */
export function expandImm64High(imm: number): number {
  const b = (imm >> 6) & 1
  return ((((imm >> 7) << 31) | ((b ^ 1) << 30) | (b ? 0xff << 22 : 0) | ((imm & 0x3f) << 16)) >>> 0)
}

type Combine = (l: Lanes, d: () => Vec, imm: Vec) => Vec
const move: Combine = (_l, _d, imm) => imm
const moveNot: Combine = (l, _d, imm) => l.not(imm)
const orr: Combine = (l, d, imm) => l.or(d(), imm)
const bic: Combine = (l, d, imm) => l.andnot(d(), imm)

function apply(t: Builder, f: { Q: number; Rd: number }, esize: 8 | 16 | 32, imm: number, combine: Combine): void {
  const l = new Lanes(t, esize, bitsOf(f.Q))
  l.write(f.Rd, combine(l, () => t.q(f.Rd), t.splat(t.imm(imm >>> 0), esize)))
}

/** Heading in the Arm ARM: ORR and BIC have pages for registers, too. */
const heading = (mnemonic: string): string =>
  mnemonic.startsWith('m') ? mnemonic.toUpperCase() : `${mnemonic.toUpperCase()} (vector, immediate)`

type Shifted32 = '0 Q:1 0 0111100000 abc:3 0 sh:2 0 01 defgh:5 Rd:5'
type Shifted16 = '0 Q:1 0 0111100000 abc:3 10 sh:1 0 01 defgh:5 Rd:5'

function shifted32(mnemonic: string, op: number, last: number, combine: Combine): Row {
  return row<Shifted32>({
    name: heading(mnemonic),
    pattern: `0 Q:1 ${op} 0111100000 abc:3 0 sh:2 ${last} 01 defgh:5 Rd:5` as Shifted32,
    syntax: `${mnemonic} {Vr:Rd}.{arr32:Q}, {imm8:abc,defgh}{lsl8:sh}`,
    feature: 'fp',
    meaning: (t, f) => apply(t, f, 32, imm8(f) << (8 * f.sh), combine),
  })
}
function shifted16(mnemonic: string, op: number, last: number, combine: Combine): Row {
  return row<Shifted16>({
    name: heading(mnemonic),
    pattern: `0 Q:1 ${op} 0111100000 abc:3 10 sh:1 ${last} 01 defgh:5 Rd:5` as Shifted16,
    syntax: `${mnemonic} {Vr:Rd}.{arr16:Q}, {imm8:abc,defgh}{lsl8:sh}`,
    feature: 'fp',
    meaning: (t, f) => apply(t, f, 16, imm8(f) << (8 * f.sh), combine),
  })
}
type ShiftingOnes = '0 Q:1 0 0111100000 abc:3 110 sh:1 01 defgh:5 Rd:5'
function shiftingOnes(mnemonic: string, op: number, combine: Combine): Row {
  return row<ShiftingOnes>({
    name: heading(mnemonic),
    pattern: `0 Q:1 ${op} 0111100000 abc:3 110 sh:1 01 defgh:5 Rd:5` as ShiftingOnes,
    syntax: `${mnemonic} {Vr:Rd}.{arr32:Q}, {imm8:abc,defgh}, {msl:sh}`,
    feature: 'fp',
    meaning: (t, f) => apply(t, f, 32, f.sh ? (imm8(f) << 16) | 0xffff : (imm8(f) << 8) | 0xff, combine),
  })
}

/** Each bit of imm8 becomes a byte of zeroes or ones. */
function expandBits(imm: number): { lo: number; hi: number } {
  let lo = 0
  let hi = 0
  for (let i = 0; i < 4; i++) {
    if ((imm >> i) & 1) lo |= 0xff << (8 * i)
    if ((imm >> (i + 4)) & 1) hi |= 0xff << (8 * i)
  }
  return { lo: lo >>> 0, hi: hi >>> 0 }
}
function imm64(t: Builder, hi: number, lo: number): ReturnType<Builder['imm']> {
  return t.imm64((BigInt(hi) << 32n) | BigInt(lo))
}

export const rows: readonly Row[] = [
  shifted32('movi', 0, 0, move),
  shifted32('mvni', 1, 0, moveNot),
  shifted32('orr', 0, 1, orr),
  shifted32('bic', 1, 1, bic),
  shifted16('movi', 0, 0, move),
  shifted16('mvni', 1, 0, moveNot),
  shifted16('orr', 0, 1, orr),
  shifted16('bic', 1, 1, bic),
  shiftingOnes('movi', 0, move),
  shiftingOnes('mvni', 1, moveNot),
  row({
    name: 'MOVI',
    pattern: '0 Q:1 0 0111100000 abc:3 1110 01 defgh:5 Rd:5',
    syntax: 'movi {Vq:Rd,Q}, {imm8:abc,defgh}',
    feature: 'fp',
    meaning: (t, f) => apply(t, f, 8, imm8(f), move),
  }),
  row({
    name: 'MOVI',
    pattern: '0 0 1 0111100000 abc:3 1110 01 defgh:5 Rd:5',
    syntax: 'movi {D:Rd}, {immbytes:abc,defgh}',
    feature: 'fp',
    meaning: (t, f) => {
      const { lo, hi } = expandBits(imm8(f))
      t.setQ(f.Rd, t.vec(imm64(t, hi, lo), t.imm(0)))
    },
  }),
  row({
    name: 'MOVI',
    pattern: '0 1 1 0111100000 abc:3 1110 01 defgh:5 Rd:5',
    syntax: 'movi {Vr:Rd}.2d, {immbytes:abc,defgh}',
    feature: 'fp',
    meaning: (t, f) => {
      const { lo, hi } = expandBits(imm8(f))
      t.setQ(f.Rd, t.splat(imm64(t, hi, lo), 64))
    },
  }),
  row({
    name: 'FMOV (vector, immediate)',
    pattern: '0 Q:1 0 0111100000 abc:3 1111 01 defgh:5 Rd:5',
    syntax: 'fmov {Vr:Rd}.{arr32:Q}, {fimm8:abc,defgh}',
    feature: 'fp',
    meaning: (t, f) => apply(t, f, 32, expandImm32(imm8(f)), move),
  }),
  row({
    name: 'FMOV (vector, immediate)',
    pattern: '0 1 1 0111100000 abc:3 1111 01 defgh:5 Rd:5',
    syntax: 'fmov {Vr:Rd}.2d, {fimm8:abc,defgh}',
    feature: 'fp',
    meaning: (t, f) => t.setQ(f.Rd, t.splat(imm64(t, expandImm64High(imm8(f)), 0), 64)),
  }),
]
