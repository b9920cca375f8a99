import type { Vec } from '../builder.ts'
import { type Feature, type Row, row } from '../row.ts'

/** The Cryptographic Extension of Armv8.0 (Arm ARM C7.2): AES, polynomial multiply to 128 bits, SHA-1, SHA-256. */

/** AESE and AESD transform Vd with the key in Vn; AESMC and AESIMC transform Vn. */
function aes(op: string, opcode: string, keyed: boolean): Row {
  return row({
    name: op.toUpperCase(),
    pattern: `01001110 00 10100 ${opcode} 10 Rn:5 Rd:5` as '01001110 00 10100 00100 10 Rn:5 Rd:5',
    syntax: `${op} {Vreg:Rd}.16b, {Vreg:Rn}.16b`,
    feature: 'aes',
    meaning: (t, f) => {
      const n = t.q(f.Rn)
      t.setQ(f.Rd, keyed ? t.crypto(op, t.q(f.Rd), n) : t.crypto(op, n))
    },
  })
}

function sha(op: string, feature: Feature, opcode: string, operands: string): Row {
  return row({
    name: op.toUpperCase(),
    pattern: `01011110 000 Rm:5 0 ${opcode} 00 Rn:5 Rd:5` as '01011110 000 Rm:5 0 000 00 Rn:5 Rd:5',
    syntax: `${op} ${operands}`,
    feature,
    meaning: (t, f) => t.setQ(f.Rd, t.crypto(op, t.q(f.Rd), t.q(f.Rn), t.q(f.Rm))),
  })
}

function shaTwo(op: string, feature: Feature, opcode: string, operands: string, updates: boolean): Row {
  return row({
    name: op.toUpperCase(),
    pattern: `01011110 00 10100 ${opcode} 10 Rn:5 Rd:5` as '01011110 00 10100 00000 10 Rn:5 Rd:5',
    syntax: `${op} ${operands}`,
    feature,
    meaning: (t, f) => {
      const n = t.q(f.Rn)
      t.setQ(f.Rd, updates ? t.crypto(op, t.q(f.Rd), n) : t.crypto(op, n))
    },
  })
}

const THREE_VECTORS = '{Vreg:Rd}.4s, {Vreg:Rn}.4s, {Vreg:Rm}.4s'
const TWO_VECTORS = '{Vreg:Rd}.4s, {Vreg:Rn}.4s'

/** PMULL and PMULL2 of 64-bit elements; the 8-bit form is Advanced SIMD's own. */
function pmull(Q: 0 | 1): Row {
  const arrangement = Q ? '2d' : '1d'
  return row({
    name: Q ? 'PMULL2' : 'PMULL',
    pattern: `0 ${Q} 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5` as '0 0 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5',
    syntax: `pmull${Q ? '2' : ''} {Vreg:Rd}.1q, {Vreg:Rn}.${arrangement}, {Vreg:Rm}.${arrangement}`,
    feature: 'pmull',
    meaning: (t, f) => {
      const half = (v: Vec): Vec => (Q ? t.vec(t.lane(v, 1, 64), t.imm(0)) : v)
      t.setQ(f.Rd, t.crypto('pmull', half(t.q(f.Rn)), half(t.q(f.Rm))))
    },
  })
}

export const rows: readonly Row[] = [
  aes('aese', '00100', true),
  aes('aesd', '00101', true),
  aes('aesmc', '00110', false),
  aes('aesimc', '00111', false),
  pmull(0),
  pmull(1),
  sha('sha1c', 'sha1', '000', '{Q:Rd}, {S:Rn}, {Vreg:Rm}.4s'),
  sha('sha1p', 'sha1', '001', '{Q:Rd}, {S:Rn}, {Vreg:Rm}.4s'),
  sha('sha1m', 'sha1', '010', '{Q:Rd}, {S:Rn}, {Vreg:Rm}.4s'),
  sha('sha1su0', 'sha1', '011', THREE_VECTORS),
  sha('sha256h', 'sha256', '100', '{Q:Rd}, {Q:Rn}, {Vreg:Rm}.4s'),
  sha('sha256h2', 'sha256', '101', '{Q:Rd}, {Q:Rn}, {Vreg:Rm}.4s'),
  sha('sha256su1', 'sha256', '110', THREE_VECTORS),
  shaTwo('sha1h', 'sha1', '00000', '{S:Rd}, {S:Rn}', false),
  shaTwo('sha1su1', 'sha1', '00001', TWO_VECTORS, true),
  shaTwo('sha256su0', 'sha256', '00010', TWO_VECTORS, true),
]
