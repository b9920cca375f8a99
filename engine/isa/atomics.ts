import type { AccessBytes, Builder, Value } from './builder.ts'
import { type Form, type Row, row } from './row.ts'

/**
 * FEAT_LSE: atomic memory operations, swap, compare and swap. A and R ask for acquire and release, which cost nothing
 * here; every access must be aligned. The first access is made for writing, so that the store cannot fault.
 */

type Size = '00' | '01' | '10' | '11'
type Opc = '000' | '001' | '010' | '011' | '100' | '101' | '110' | '111'
const sizes: readonly Size[] = ['00', '01', '10', '11']
const log2 = (size: Size) => Number.parseInt(size, 2)
const bytesOf = (size: Size) => (1 << log2(size)) as AccessBytes
const bitsOf = (size: Size) => 8 << log2(size)
const kindOf = (size: Size) => (size === '11' ? 'X' : 'W')
const sfOf = (size: Size) => (size === '11' ? 1 : 0)
const suffixOf = (size: Size) => ['b', 'h', '', ''][log2(size)] as string
const forWrite = { aligned: true, forWrite: true } as const
const aligned = { aligned: true } as const

/** The four orderings: text after the operation's name, A, R. */
const orders = [
  ['', 0, 0],
  ['a', 1, 0],
  ['l', 0, 1],
  ['al', 1, 1],
] as const

/** One form per ordering. */
function orderedForms(syntaxOf: (order: string) => string): Form<'A:1 R:1'>[] {
  return orders.map(([order, A, R]) => ({
    syntax: syntaxOf(order),
    when: (f) => f.A === A && f.R === R,
    fill: () => ({ A, R }),
  }))
}

/** The new memory value from the old one and Rs; only its low bits are stored. `old` is zero-extended. */
type Combine = (t: Builder, old: Value, operand: Value, bits: number) => Value

const operations: readonly (readonly [string, Opc, Combine])[] = [
  ['add', '000', (t, old, operand) => t.add(old, operand)],
  ['clr', '001', (t, old, operand) => t.and(old, t.not(operand))],
  ['eor', '010', (t, old, operand) => t.xor(old, operand)],
  ['set', '011', (t, old, operand) => t.or(old, operand)],
  ['smax', '100', (t, old, operand, bits) => signedPick(t, old, operand, bits, true)],
  ['smin', '101', (t, old, operand, bits) => signedPick(t, old, operand, bits, false)],
  ['umax', '110', (t, old, operand, bits) => unsignedPick(t, old, operand, bits, true)],
  ['umin', '111', (t, old, operand, bits) => unsignedPick(t, old, operand, bits, false)],
]

function signedPick(t: Builder, old: Value, operand: Value, bits: number, larger: boolean): Value {
  const a = t.sext(old, bits)
  const b = t.sext(operand, bits)
  return larger ? t.select(t.ltS(a, b), b, a) : t.select(t.ltS(b, a), b, a)
}

function unsignedPick(t: Builder, old: Value, operand: Value, bits: number, larger: boolean): Value {
  const b = t.zext(operand, bits)
  return larger ? t.select(t.ltU(old, b), b, old) : t.select(t.ltU(b, old), b, old)
}

function atomic(name: string, opc: Opc, combine: Combine, size: Size): Row {
  const kind = kindOf(size)
  const suffix = suffixOf(size)
  const bytes = bytesOf(size)
  return row({
    name: `LD${name.toUpperCase()}${suffix.toUpperCase()} (${kind})`,
    pattern: `${size} 111 0 00 A:1 R:1 1 Rs:5 0 ${opc} 00 Rn:5 Rt:5`,
    syntax: orderedForms((order) => `ld${name}${order}${suffix} {${kind}:Rs}, {${kind}:Rt}, [{XSP:Rn}]`),
    aliases: [
      {
        syntax: `st${name}${suffix} {${kind}:Rs}, [{XSP:Rn}]`,
        when: (f) => f.Rt === 31 && f.A === 0 && f.R === 0,
        fill: () => ({ Rt: 31 }),
      },
      {
        syntax: `st${name}l${suffix} {${kind}:Rs}, [{XSP:Rn}]`,
        when: (f) => f.Rt === 31 && f.A === 0 && f.R === 1,
        fill: () => ({ Rt: 31, R: 1 }),
      },
    ],
    feature: 'lse',
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      const operand = t.reg(f.Rs, sfOf(size))
      const old = t.load(address, bytes, forWrite)
      t.store(address, bytes, combine(t, old, operand, bitsOf(size)), aligned)
      t.setReg(f.Rt, sfOf(size), old)
    },
  })
}

function swap(size: Size): Row {
  const kind = kindOf(size)
  const suffix = suffixOf(size)
  const bytes = bytesOf(size)
  return row({
    name: `SWP${suffix.toUpperCase()} (${kind})`,
    pattern: `${size} 111 0 00 A:1 R:1 1 Rs:5 1 000 00 Rn:5 Rt:5`,
    syntax: orderedForms((order) => `swp${order}${suffix} {${kind}:Rs}, {${kind}:Rt}, [{XSP:Rn}]`),
    feature: 'lse',
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      const operand = t.reg(f.Rs, sfOf(size))
      const old = t.load(address, bytes, forWrite)
      t.store(address, bytes, operand, aligned)
      t.setReg(f.Rt, sfOf(size), old)
    },
  })
}

function compareAndSwap(size: Size): Row {
  const kind = kindOf(size)
  const suffix = suffixOf(size)
  const bytes = bytesOf(size)
  return row({
    name: `CAS${suffix.toUpperCase()} (${kind})`,
    pattern: `${size} 001000 1 A:1 1 Rs:5 R:1 11111 Rn:5 Rt:5`,
    syntax: orderedForms((order) => `cas${order}${suffix} {${kind}:Rs}, {${kind}:Rt}, [{XSP:Rn}]`),
    feature: 'lse',
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      const expected = t.zext(t.reg(f.Rs, sfOf(size)), bitsOf(size))
      const desired = t.reg(f.Rt, sfOf(size))
      const old = t.load(address, bytes, forWrite)
      t.ifThen(t.eq(old, expected), () => t.store(address, bytes, desired, aligned))
      t.setReg(f.Rs, sfOf(size), old)
    },
  })
}

function compareAndSwapPair(sz: '0' | '1'): Row {
  const kind = sz === '1' ? 'X' : 'W'
  return row({
    name: `CASP (${kind})`,
    pattern: `0 ${sz} 001000 0 A:1 1 Rs:5 R:1 11111 Rn:5 Rt:5`,
    syntax: orderedForms(
      (order) => `casp${order} {${kind}:Rs}, {${kind}+1:Rs}, {${kind}:Rt}, {${kind}+1:Rt}, [{XSP:Rn}]`,
    ),
    feature: 'lse',
    when: (f) => (f.Rs & 1) === 0 && (f.Rt & 1) === 0,
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      if (sz === '0') {
        const both = (n: number) => t.or(t.reg(n, 0), t.shl(t.reg(n + 1, 0), t.imm(32)))
        const expected = both(f.Rs)
        const desired = both(f.Rt)
        const old = t.load(address, 8, forWrite)
        t.ifThen(t.eq(old, expected), () => t.store(address, 8, desired, aligned))
        t.setReg(f.Rs, 0, old)
        t.setReg(f.Rs + 1, 0, t.lsr(old, t.imm(32)))
        return
      }
      const second = t.add(address, t.imm(8))
      const expectedLow = t.reg(f.Rs, 1)
      const expectedHigh = t.reg(f.Rs + 1, 1)
      const desiredLow = t.reg(f.Rt, 1)
      const desiredHigh = t.reg(f.Rt + 1, 1)
      const low = t.load(address, 8, { aligned: true, alignment: 16, forWrite: true })
      const high = t.load(second, 8, { forWrite: true })
      t.ifThen(t.andC(t.eq(low, expectedLow), t.eq(high, expectedHigh)), () => {
        t.store(address, 8, desiredLow)
        t.store(second, 8, desiredHigh)
      })
      t.setReg(f.Rs, 1, low)
      t.setReg(f.Rs + 1, 1, high)
    },
  })
}

export const rows: readonly Row[] = [
  ...operations.flatMap(([name, opc, combine]) => sizes.map((size) => atomic(name, opc, combine, size))),
  ...sizes.map(swap),
  ...sizes.map(compareAndSwap),
  compareAndSwapPair('0'),
  compareAndSwapPair('1'),
]
