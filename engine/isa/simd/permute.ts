import { type Row, row } from '../row.ts'
import { Lanes, bitsOf, esizeOf, permuteElements } from './lanes.ts'

/** Advanced SIMD permute, extract and table lookup (Arm ARM C4.1.96). */
type Permute = '0 Q:1 001110 size:2 0 Rm:5 0 000 10 Rn:5 Rd:5'

/** Mnemonic, opcode, and which element of the pair of registers of n elements each becomes element i. */
const permutes: readonly (readonly [string, string, (i: number, n: number) => number])[] = [
  ['uzp1', '001', (i) => 2 * i],
  ['uzp2', '101', (i) => 2 * i + 1],
  ['trn1', '010', (i, n) => (i & 1 ? n + i - 1 : i)],
  ['trn2', '110', (i, n) => (i & 1 ? n + i : i + 1)],
  ['zip1', '011', (i, n) => (i >> 1) + (i & 1 ? n : 0)],
  ['zip2', '111', (i, n) => (i >> 1) + n / 2 + (i & 1 ? n : 0)],
]

function permuteRow(mnemonic: string, opcode: string, pick: (i: number, n: number) => number): Row {
  return row<Permute>({
    name: mnemonic.toUpperCase(),
    pattern: `0 Q:1 001110 size:2 0 Rm:5 0 ${opcode} 10 Rn:5 Rd:5` as Permute,
    syntax: `${mnemonic} {V:Rd,size,Q}, {V:Rn,size,Q}, {V:Rm,size,Q}`,
    feature: 'fp',
    when: (f) => !(f.size === 3 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), bitsOf(f.Q))
      const n = l.count
      // Elements n and up are the second register's, which starts at element 128/esize of the pair whatever Q is.
      const inPair = (i: number): number => {
        const p = pick(i % n, n)
        return p < n ? p : p - n + 128 / l.esize
      }
      l.write(f.Rd, permuteElements(t, l.esize, t.q(f.Rn), t.q(f.Rm), inPair))
    },
  })
}

const ext = row({
  name: 'EXT',
  pattern: '0 Q:1 101110 00 0 Rm:5 0 imm4:4 0 Rn:5 Rd:5',
  syntax: 'ext {Vq:Rd,Q}, {Vq:Rn,Q}, {Vq:Rm,Q}, {uimm:imm4}',
  feature: 'fp',
  when: (f) => f.Q === 1 || f.imm4 < 8,
  meaning: (t, f) => {
    const n = bitsOf(f.Q) / 8
    const inPair = (i: number): number => {
      const p = (i % n) + f.imm4
      return p < n ? p : p - n + 16
    }
    new Lanes(t, 8, bitsOf(f.Q)).write(f.Rd, permuteElements(t, 8, t.q(f.Rn), t.q(f.Rm), inPair))
  },
})

/** TBL and TBX: each register of the table answers the indices in its range, the others give 0 there. */
function tableRow(mnemonic: string, op: 0 | 1): Row {
  type Table = '0 Q:1 001110 00 0 Rm:5 0 len:2 0 00 Rn:5 Rd:5'
  return row<Table>({
    name: mnemonic.toUpperCase(),
    pattern: `0 Q:1 001110 00 0 Rm:5 0 len:2 ${op} 00 Rn:5 Rd:5` as Table,
    syntax: `${mnemonic} {Vq:Rd,Q}, {listlen:Rn,len}, {Vq:Rm,Q}`,
    feature: 'fp',
    meaning: (t, f) => {
      const l = new Lanes(t, 8, bitsOf(f.Q))
      const index = t.q(f.Rm)
      let v = t.vecLookup(t.q(f.Rn), index)
      for (let i = 1; i <= f.len; i++) {
        const local = l.sub(index, t.splat(t.imm(16 * i), 8))
        v = l.or(v, t.vecLookup(t.q((f.Rn + i) & 31), local))
      }
      if (op === 1) {
        const outside = l.op('gtU', index, t.splat(t.imm(16 * f.len + 15), 8))
        v = l.select(outside, t.q(f.Rd), v)
      }
      l.write(f.Rd, v)
    },
  })
}

export const rows: readonly Row[] = [
  ...permutes.map(([m, opcode, pick]) => permuteRow(m, opcode, pick)),
  ext,
  tableRow('tbl', 0),
  tableRow('tbx', 1),
]
