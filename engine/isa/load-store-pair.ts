import type { Builder, Value } from './builder.ts'
import { type Feature, type Row, row } from './row.ts'

/**
 * Load/store pair and no-allocate pair: one factory per addressing mode, used for the general-purpose registers here and
 * for the SIMD&FP registers in load-store-simd-fp.ts. Offsets are signed and scaled by the size of one register.
 */
export interface PairAccess {
  readonly opc: '00' | '01' | '10'
  readonly V: '0' | '1'
  readonly L: '0' | '1'
  readonly mnemonic: string
  readonly kind: 'W' | 'X' | 'S' | 'D' | 'Q'
  /** log2 of the bytes of one register. */
  readonly scale: number
  readonly feature?: Feature
  /** Load or store both registers. A load writes its registers after both accesses. */
  readonly perform: (t: Builder, address: Value, Rt: number, Rt2: number) => void
}

const named = (a: PairAccess, mode: string) => `${a.mnemonic.toUpperCase()} (${mode}, ${a.kind})`
const feature = (a: PairAccess): { feature?: Feature } => (a.feature === undefined ? {} : { feature: a.feature })
const offset = (a: PairAccess, imm7: number) => ((imm7 << 25) >> 25) * (1 << a.scale)

function signedOffset(a: PairAccess): Row {
  return row({
    name: named(a, 'signed offset'),
    pattern: `${a.opc} 101 ${a.V} 010 ${a.L} imm7:7 Rt2:5 Rn:5 Rt:5`,
    syntax: `${a.mnemonic} {${a.kind}:Rt}, {${a.kind}:Rt2}, [{XSP:Rn}, {simm*${1 << a.scale}:imm7}]`,
    ...feature(a),
    meaning: (t, f) => a.perform(t, t.add(t.base(f.Rn), t.imm(offset(a, f.imm7))), f.Rt, f.Rt2),
  })
}

function noAllocate(a: PairAccess): Row {
  const mnemonic = a.mnemonic.replace('p', 'np')
  return row({
    name: named({ ...a, mnemonic }, 'signed offset'),
    pattern: `${a.opc} 101 ${a.V} 000 ${a.L} imm7:7 Rt2:5 Rn:5 Rt:5`,
    syntax: `${mnemonic} {${a.kind}:Rt}, {${a.kind}:Rt2}, [{XSP:Rn}, {simm*${1 << a.scale}:imm7}]`,
    ...feature(a),
    meaning: (t, f) => a.perform(t, t.add(t.base(f.Rn), t.imm(offset(a, f.imm7))), f.Rt, f.Rt2),
  })
}

function postIndex(a: PairAccess): Row {
  return row({
    name: named(a, 'post-index'),
    pattern: `${a.opc} 101 ${a.V} 001 ${a.L} imm7:7 Rt2:5 Rn:5 Rt:5`,
    syntax: `${a.mnemonic} {${a.kind}:Rt}, {${a.kind}:Rt2}, [{XSP:Rn}], {simm*${1 << a.scale}:imm7}`,
    ...feature(a),
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      a.perform(t, address, f.Rt, f.Rt2)
      t.setRegSp(f.Rn, 1, t.add(address, t.imm(offset(a, f.imm7))))
    },
  })
}

function preIndex(a: PairAccess): Row {
  return row({
    name: named(a, 'pre-index'),
    pattern: `${a.opc} 101 ${a.V} 011 ${a.L} imm7:7 Rt2:5 Rn:5 Rt:5`,
    syntax: `${a.mnemonic} {${a.kind}:Rt}, {${a.kind}:Rt2}, [{XSP:Rn}, {simm*${1 << a.scale}:imm7}]!`,
    ...feature(a),
    meaning: (t, f) => {
      const address = t.add(t.base(f.Rn), t.imm(offset(a, f.imm7)))
      a.perform(t, address, f.Rt, f.Rt2)
      t.setRegSp(f.Rn, 1, address)
    },
  })
}

/** Rows of the three ordinary addressing modes. */
export function pairRows(accesses: readonly PairAccess[]): Row[] {
  return [signedOffset, postIndex, preIndex].flatMap((mode) => accesses.map(mode))
}

/** LDNP and STNP. */
export function noAllocateRows(accesses: readonly PairAccess[]): Row[] {
  return accesses.map(noAllocate)
}

function integerPair(opc: '00' | '10', L: '0' | '1', kind: 'W' | 'X'): PairAccess {
  const sf = kind === 'X' ? 1 : 0
  const bytes = sf ? 8 : 4
  return {
    opc,
    V: '0',
    L,
    mnemonic: L === '1' ? 'ldp' : 'stp',
    kind,
    scale: sf ? 3 : 2,
    perform: (t, address, Rt, Rt2) => {
      const second = t.add(address, t.imm(bytes))
      if (L === '0') {
        t.store(address, bytes, t.reg(Rt, sf))
        t.store(second, bytes, t.reg(Rt2, sf))
        return
      }
      const a = t.load(address, bytes)
      const b = t.load(second, bytes)
      t.setReg(Rt, sf, a)
      t.setReg(Rt2, sf, b)
    },
  }
}

const ldpsw: PairAccess = {
  opc: '01',
  V: '0',
  L: '1',
  mnemonic: 'ldpsw',
  kind: 'X',
  scale: 2,
  perform: (t, address, Rt, Rt2) => {
    const a = t.sext(t.load(address, 4), 32)
    const b = t.sext(t.load(t.add(address, t.imm(4)), 4), 32)
    t.setReg(Rt, 1, a)
    t.setReg(Rt2, 1, b)
  },
}

const ordinary: readonly PairAccess[] = [
  integerPair('00', '0', 'W'),
  integerPair('00', '1', 'W'),
  integerPair('10', '0', 'X'),
  integerPair('10', '1', 'X'),
]

export const rows: readonly Row[] = [...pairRows([...ordinary, ldpsw]), ...noAllocateRows(ordinary)]
