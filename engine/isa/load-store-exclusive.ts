import type { AccessBytes, Builder, Value } from './builder.ts'
import { type Row, row } from './row.ts'

/**
 * Exclusives and ordered accesses. With one CPU that runs in program order, acquire and release ask nothing but alignment.
 *
 * A store-exclusive first probes its address for writing: a fault must be found, and a translation be made present, before
 * the monitor is taken, because taking it cannot be undone when the instruction is started again.
 */

type Size = '00' | '01' | '10' | '11'
const sizes: readonly Size[] = ['00', '01', '10', '11']
const log2 = (size: Size) => Number.parseInt(size, 2)
const bytesOf = (size: Size) => (1 << log2(size)) as AccessBytes
const kindOf = (size: Size) => (size === '11' ? 'X' : 'W')
const sfOf = (size: Size) => (size === '11' ? 1 : 0)
const suffixOf = (size: Size) => ['b', 'h', '', ''][log2(size)]
const aligned = { aligned: true } as const
const alignedPair = { aligned: true, alignment: 16 } as const

function loadExclusive(size: Size, o0: '0' | '1'): Row {
  const mnemonic = `${o0 === '1' ? 'ldaxr' : 'ldxr'}${suffixOf(size)}`
  const bytes = bytesOf(size)
  return row({
    name: `${mnemonic.toUpperCase()} (${kindOf(size)})`,
    pattern: `${size} 001000 0 1 0 ooooo ${o0} ooooo Rn:5 Rt:5`,
    syntax: `${mnemonic} {${kindOf(size)}:Rt}, [{XSP:Rn}]`,
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      const v = t.load(address, bytes, aligned)
      t.setExclusive(address, bytes)
      t.setReg(f.Rt, sfOf(size), v)
    },
  })
}

/** Store with `store` if the monitor is open for this address; 0 in Rs when it was. */
function storeIfExclusive(t: Builder, address: Value, bytes: number, Rs: number, store: () => void): void {
  const open = t.takeExclusive(address, bytes)
  t.ifThen(open, store)
  t.setReg(Rs, 0, t.bool(t.notC(open)))
}

function storeExclusive(size: Size, o0: '0' | '1'): Row {
  const mnemonic = `${o0 === '1' ? 'stlxr' : 'stxr'}${suffixOf(size)}`
  const bytes = bytesOf(size)
  return row({
    name: `${mnemonic.toUpperCase()} (${kindOf(size)})`,
    pattern: `${size} 001000 0 0 0 Rs:5 ${o0} ooooo Rn:5 Rt:5`,
    syntax: `${mnemonic} {W:Rs}, {${kindOf(size)}:Rt}, [{XSP:Rn}]`,
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      const v = t.reg(f.Rt, sfOf(size))
      t.load(address, bytes, { aligned: true, forWrite: true })
      storeIfExclusive(t, address, bytes, f.Rs, () => t.store(address, bytes, v, aligned))
    },
  })
}

function loadExclusivePair(sz: '0' | '1', o0: '0' | '1'): Row {
  const mnemonic = o0 === '1' ? 'ldaxp' : 'ldxp'
  const kind = sz === '1' ? 'X' : 'W'
  return row({
    name: `${mnemonic.toUpperCase()} (${kind})`,
    pattern: `1 ${sz} 001000 0 1 1 ooooo ${o0} Rt2:5 Rn:5 Rt:5`,
    syntax: `${mnemonic} {${kind}:Rt}, {${kind}:Rt2}, [{XSP:Rn}]`,
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      if (sz === '0') {
        const both = t.load(address, 8, aligned)
        t.setExclusive(address, 8)
        t.setReg(f.Rt, 0, both)
        t.setReg(f.Rt2, 0, t.lsr(both, t.imm(32)))
        return
      }
      const low = t.load(address, 8, alignedPair)
      const high = t.load(t.add(address, t.imm(8)), 8)
      t.setExclusive(address, 16)
      t.setReg(f.Rt, 1, low)
      t.setReg(f.Rt2, 1, high)
    },
  })
}

function storeExclusivePair(sz: '0' | '1', o0: '0' | '1'): Row {
  const mnemonic = o0 === '1' ? 'stlxp' : 'stxp'
  const kind = sz === '1' ? 'X' : 'W'
  return row({
    name: `${mnemonic.toUpperCase()} (${kind})`,
    pattern: `1 ${sz} 001000 0 0 1 Rs:5 ${o0} Rt2:5 Rn:5 Rt:5`,
    syntax: `${mnemonic} {W:Rs}, {${kind}:Rt}, {${kind}:Rt2}, [{XSP:Rn}]`,
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      if (sz === '0') {
        const both = t.or(t.reg(f.Rt, 0), t.shl(t.reg(f.Rt2, 0), t.imm(32)))
        t.load(address, 8, { aligned: true, forWrite: true })
        storeIfExclusive(t, address, 8, f.Rs, () => t.store(address, 8, both, aligned))
        return
      }
      const low = t.reg(f.Rt, 1)
      const high = t.reg(f.Rt2, 1)
      const second = t.add(address, t.imm(8))
      t.load(address, 8, { aligned: true, alignment: 16, forWrite: true })
      storeIfExclusive(t, address, 16, f.Rs, () => {
        t.store(address, 8, low)
        t.store(second, 8, high)
      })
    },
  })
}

function loadAcquire(size: Size): Row {
  const mnemonic = `ldar${suffixOf(size)}`
  return row({
    name: `${mnemonic.toUpperCase()} (${kindOf(size)})`,
    pattern: `${size} 001000 1 1 0 ooooo 1 ooooo Rn:5 Rt:5`,
    syntax: `${mnemonic} {${kindOf(size)}:Rt}, [{XSP:Rn}]`,
    meaning: (t, f) => t.setReg(f.Rt, sfOf(size), t.load(t.base(f.Rn), bytesOf(size), aligned)),
  })
}

function storeRelease(size: Size): Row {
  const mnemonic = `stlr${suffixOf(size)}`
  return row({
    name: `${mnemonic.toUpperCase()} (${kindOf(size)})`,
    pattern: `${size} 001000 1 0 0 ooooo 1 ooooo Rn:5 Rt:5`,
    syntax: `${mnemonic} {${kindOf(size)}:Rt}, [{XSP:Rn}]`,
    meaning: (t, f) => t.store(t.base(f.Rn), bytesOf(size), t.reg(f.Rt, sfOf(size)), aligned),
  })
}

const o0s = ['0', '1'] as const

export const rows: readonly Row[] = [
  ...sizes.flatMap((size) => o0s.map((o0) => storeExclusive(size, o0))),
  ...sizes.flatMap((size) => o0s.map((o0) => loadExclusive(size, o0))),
  ...o0s.flatMap((sz) => o0s.flatMap((o0) => [storeExclusivePair(sz, o0), loadExclusivePair(sz, o0)])),
  ...sizes.map(storeRelease),
  ...sizes.map(loadAcquire),
]
