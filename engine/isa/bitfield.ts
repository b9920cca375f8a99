import type { Builder, Value } from './builder.ts'
import { type Row, row } from './row.ts'

interface BitfieldFields {
  readonly sf: number
  readonly N: number
  readonly immr: number
  readonly imms: number
  readonly Rn: number
}

/** Bitfield. N repeats sf; rotations and bit numbers stay below the register size. */
const when = (f: BitfieldFields) => f.N === f.sf && (f.sf === 1 || (f.immr < 32 && f.imms < 32))
const size = (f: BitfieldFields) => (f.sf ? 64 : 32)
const fillN = (f: Record<string, number>) => ({ N: f.sf ?? 0 })

/** Bits that the field occupies in the result: its lowest bit and its width. */
function placement(f: BitfieldFields): { readonly lsb: number; readonly width: number } {
  if (f.imms >= f.immr) return { lsb: 0, width: f.imms - f.immr + 1 }
  return { lsb: size(f) - f.immr, width: f.imms + 1 }
}

/** The source field moved to its place, zeros around it. */
function unsignedField(t: Builder, f: BitfieldFields): Value {
  const source = t.reg(f.Rn, f.sf)
  if (f.imms >= f.immr) {
    const down = f.immr === 0 ? source : t.lsr(source, t.imm(f.immr), f.sf)
    return f.imms === size(f) - 1 ? down : t.zext(down, f.imms - f.immr + 1)
  }
  const lsb = size(f) - f.immr
  // The shift itself drops what the field does not hold when the field ends at the top of the register.
  if (f.imms + 1 === f.immr) return t.shl(source, t.imm(lsb), f.sf)
  return t.shl(t.zext(source, f.imms + 1), t.imm(lsb), f.sf)
}

export const rows: readonly Row[] = [
  row({
    name: 'SBFM',
    pattern: 'sf:1 00 100110 N:1 immr:6 imms:6 Rn:5 Rd:5',
    syntax: [{ syntax: 'sbfm {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}, {uimm:imms}', when: () => true, fill: fillN }],
    aliases: [
      {
        syntax: 'asr {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}',
        when: (f) => f.imms === (f.sf ? 63 : 31),
        fill: (f) => ({ N: f.sf ?? 0, imms: f.sf ? 63 : 31 }),
      },
      {
        syntax: 'sxtb {R:Rd,sf}, {W:Rn}',
        when: (f) => f.immr === 0 && f.imms === 7,
        fill: (f) => ({ N: f.sf ?? 0, immr: 0, imms: 7 }),
      },
      {
        syntax: 'sxth {R:Rd,sf}, {W:Rn}',
        when: (f) => f.immr === 0 && f.imms === 15,
        fill: (f) => ({ N: f.sf ?? 0, immr: 0, imms: 15 }),
      },
      {
        syntax: 'sxtw {X:Rd}, {W:Rn}',
        when: (f) => f.sf === 1 && f.immr === 0 && f.imms === 31,
        fill: () => ({ sf: 1, N: 1, immr: 0, imms: 31 }),
      },
      {
        syntax: 'sbfiz {R:Rd,sf}, {R:Rn,sf}, {bflsb:immr,sf}, {bfwidth:imms}',
        when: (f) => f.imms < f.immr,
        fill: fillN,
      },
      {
        syntax: 'sbfx {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}, {bfxwidth:immr,imms}',
        when: (f) => f.imms >= f.immr,
        fill: fillN,
      },
    ],
    when,
    meaning: (t, f) => {
      const source = t.reg(f.Rn, f.sf)
      if (f.imms >= f.immr) {
        if (f.imms === size(f) - 1) return t.setReg(f.Rd, f.sf, t.asr(source, t.imm(f.immr), f.sf))
        const down = f.immr === 0 ? source : t.lsr(source, t.imm(f.immr), f.sf)
        return t.setReg(f.Rd, f.sf, t.sext(down, f.imms - f.immr + 1))
      }
      t.setReg(f.Rd, f.sf, t.shl(t.sext(source, f.imms + 1), t.imm(size(f) - f.immr), f.sf))
    },
  }),
  row({
    name: 'BFM',
    pattern: 'sf:1 01 100110 N:1 immr:6 imms:6 Rn:5 Rd:5',
    syntax: [{ syntax: 'bfm {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}, {uimm:imms}', when: () => true, fill: fillN }],
    aliases: [
      {
        syntax: 'bfi {R:Rd,sf}, {R:Rn,sf}, {bflsb:immr,sf}, {bfwidth:imms}',
        when: (f) => f.imms < f.immr,
        fill: fillN,
      },
      {
        syntax: 'bfxil {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}, {bfxwidth:immr,imms}',
        when: (f) => f.imms >= f.immr,
        fill: fillN,
      },
    ],
    when,
    meaning: (t, f) => {
      const { lsb, width } = placement(f)
      const hole = BigInt.asUintN(size(f), ~(((1n << BigInt(width)) - 1n) << BigInt(lsb)))
      t.setReg(f.Rd, f.sf, t.or(t.and(t.reg(f.Rd, f.sf), t.imm64(hole)), unsignedField(t, f)))
    },
  }),
  row({
    name: 'UBFM',
    pattern: 'sf:1 10 100110 N:1 immr:6 imms:6 Rn:5 Rd:5',
    syntax: [{ syntax: 'ubfm {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}, {uimm:imms}', when: () => true, fill: fillN }],
    aliases: [
      {
        syntax: 'lsr {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}',
        when: (f) => f.imms === (f.sf ? 63 : 31),
        fill: (f) => ({ N: f.sf ?? 0, imms: f.sf ? 63 : 31 }),
      },
      {
        syntax: 'lsl {R:Rd,sf}, {R:Rn,sf}, {lslimm:immr,imms,sf}',
        when: (f) => f.imms + 1 === f.immr,
        fill: fillN,
      },
      {
        syntax: 'uxtb {W:Rd}, {W:Rn}',
        when: (f) => f.sf === 0 && f.immr === 0 && f.imms === 7,
        fill: () => ({ sf: 0, N: 0, immr: 0, imms: 7 }),
      },
      {
        syntax: 'uxth {W:Rd}, {W:Rn}',
        when: (f) => f.sf === 0 && f.immr === 0 && f.imms === 15,
        fill: () => ({ sf: 0, N: 0, immr: 0, imms: 15 }),
      },
      {
        syntax: 'ubfiz {R:Rd,sf}, {R:Rn,sf}, {bflsb:immr,sf}, {bfwidth:imms}',
        when: (f) => f.imms < f.immr,
        fill: fillN,
      },
      {
        syntax: 'ubfx {R:Rd,sf}, {R:Rn,sf}, {uimm:immr}, {bfxwidth:immr,imms}',
        when: (f) => f.imms >= f.immr,
        fill: fillN,
      },
    ],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, unsignedField(t, f)),
  }),
]
