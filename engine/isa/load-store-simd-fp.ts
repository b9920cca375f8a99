import { noAllocateRows, type PairAccess, pairRows } from './load-store-pair.ts'
import { type RegisterAccess, registerRows } from './load-store-register.ts'
import { type Row, row } from './row.ts'

/** Loads and stores of one or two SIMD&FP registers. A load clears the rest of the vector register. */

type Kind = RegisterAccess['kind'] & ('B' | 'H' | 'S' | 'D' | 'Q')
type VecBytes = 1 | 2 | 4 | 8 | 16
const scales: Readonly<Record<Kind, number>> = { B: 0, H: 1, S: 2, D: 3, Q: 4 }
const bytesOf = (kind: Kind) => (1 << scales[kind]) as VecBytes

function single(kind: Kind, verb: 'ld' | 'st'): RegisterAccess {
  const bytes = bytesOf(kind)
  const size = ({ B: '00', H: '01', S: '10', D: '11', Q: '00' } as const)[kind]
  const opc = kind === 'Q' ? (verb === 'ld' ? '11' : '10') : verb === 'ld' ? '01' : '00'
  return {
    size,
    V: '1',
    opc,
    verb,
    suffix: '',
    kind,
    scale: scales[kind],
    feature: 'fp',
    perform: (t, address, Rt, options) => {
      if (verb === 'ld') t.setQ(Rt, t.loadVec(address, bytes, options))
      else t.storeVec(address, bytes, t.q(Rt), options)
    },
  }
}

function pair(kind: 'S' | 'D' | 'Q', L: '0' | '1'): PairAccess {
  const bytes = bytesOf(kind)
  return {
    opc: ({ S: '00', D: '01', Q: '10' } as const)[kind],
    V: '1',
    L,
    mnemonic: L === '1' ? 'ldp' : 'stp',
    kind,
    scale: scales[kind],
    feature: 'fp',
    perform: (t, address, Rt, Rt2) => {
      const second = t.add(address, t.imm(bytes))
      if (L === '0') {
        t.storeVec(address, bytes, t.q(Rt))
        t.storeVec(second, bytes, t.q(Rt2))
        return
      }
      const a = t.loadVec(address, bytes)
      const b = t.loadVec(second, bytes)
      t.setQ(Rt, a)
      t.setQ(Rt2, b)
    },
  }
}

function literal(kind: 'S' | 'D' | 'Q'): Row {
  const opc = ({ S: '00', D: '01', Q: '10' } as const)[kind]
  return row({
    name: `LDR (literal, ${kind})`,
    pattern: `${opc} 011 1 00 imm19:19 Rt:5`,
    syntax: `ldr {${kind}:Rt}, {rel:imm19}`,
    feature: 'fp',
    meaning: (t, f) => t.setQ(f.Rt, t.loadVec(t.pc((f.imm19 << 13) >> 11), bytesOf(kind))),
  })
}

const singles = (['B', 'H', 'S', 'D', 'Q'] as const).flatMap((kind) => [single(kind, 'st'), single(kind, 'ld')])
const pairs = (['S', 'D', 'Q'] as const).flatMap((kind) => [pair(kind, '0'), pair(kind, '1')])

export const rows: readonly Row[] = [
  ...registerRows(singles),
  ...(['S', 'D', 'Q'] as const).map(literal),
  ...pairRows(pairs),
  ...noAllocateRows(pairs),
]
