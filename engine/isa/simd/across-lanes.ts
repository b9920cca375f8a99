import { type Row, row } from '../row.ts'
import { type Operation2, add, maximum, minimum } from './integer.ts'
import { Lanes, bitsOf, esizeOf, permuteElements } from './lanes.ts'
import { pairwiseLong } from './two-register.ts'
import type { Vec } from '../builder.ts'

/** Advanced SIMD across lanes (Arm ARM C4.1.96), integer part, and ADDP (scalar). */
type Across = '0 Q:1 0 01110 size:2 11000 00000 10 Rn:5 Rd:5'

/** Fold the `count` lowest elements into element 0 by halves; `count` is a power of two. */
function fold(l: Lanes, v: Vec, count: number, f2: Operation2): Vec {
  let r = v
  for (let n = count / 2; n >= 1; n /= 2) {
    const other = permuteElements(l.t, l.esize, r, r, (i) => (i % n) + n)
    r = f2(l, r, other, () => r)
  }
  return r
}

function acrossRow(mnemonic: string, U: number, opcode: string, long: boolean, f2: Operation2): Row {
  return row<Across>({
    name: mnemonic.toUpperCase(),
    pattern: `0 Q:1 ${U} 01110 size:2 11000 ${opcode} 10 Rn:5 Rd:5` as Across,
    syntax: `${mnemonic} ${long ? '{scW:Rd,size}' : '{sc:Rd,size}'}, {V:Rn,size,Q}`,
    feature: 'fp',
    when: (f) => f.size < 2 || (f.size === 2 && f.Q === 1),
    meaning: (t, f) => {
      const esize = esizeOf(f.size)
      const count = bitsOf(f.Q) / esize
      if (!long) {
        const l = new Lanes(t, esize, esize)
        l.write(f.Rd, fold(l, t.q(f.Rn), count, f2))
        return
      }
      // Sums of pairs first: they have the width of the result.
      const l = new Lanes(t, esizeOf(f.size + 1), esizeOf(f.size + 1))
      const pairs = pairwiseLong(new Lanes(t, esize, 128), t.q(f.Rn), U === 1)
      l.write(f.Rd, fold(l, pairs, count / 2, f2))
    },
  })
}

const addpScalar = row({
  name: 'ADDP (scalar)',
  pattern: '01 0 11110 11 11000 11011 10 Rn:5 Rd:5',
  syntax: 'addp {D:Rd}, {Vr:Rn}.2d',
  feature: 'fp',
  meaning: (t, f) => {
    const v = t.q(f.Rn)
    t.setQ(f.Rd, t.vec(t.add(t.lane(v, 0, 64), t.lane(v, 1, 64)), t.imm(0)))
  },
})

export const rows: readonly Row[] = [
  acrossRow('saddlv', 0, '00011', true, add),
  acrossRow('uaddlv', 1, '00011', true, add),
  acrossRow('smaxv', 0, '01010', false, maximum(false)),
  acrossRow('umaxv', 1, '01010', false, maximum(true)),
  acrossRow('sminv', 0, '11010', false, minimum(false)),
  acrossRow('uminv', 1, '11010', false, minimum(true)),
  acrossRow('addv', 0, '11011', false, add),
  addpScalar,
]
