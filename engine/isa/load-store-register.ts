import type { AccessOptions, Builder, Value } from './builder.ts'
import { extendedRegister } from './extended-register.ts'
import { type Feature, type Row, row } from './row.ts'

/**
 * Load/store register: one factory per addressing mode of Arm ARM C4.1.4, used for the general-purpose registers here
 * and for the SIMD&FP registers in load-store-simd-fp.ts.
 */

type Size = '00' | '01' | '10' | '11'

/** What is loaded or stored, whatever the address. */
export interface RegisterAccess {
  readonly size: Size
  readonly V: '0' | '1'
  readonly opc: Size
  /** 'ld' or 'st'. */
  readonly verb: 'ld' | 'st'
  /** What follows the addressing letter: '', 'b', 'sb', 'h', 'sh', 'sw'. */
  readonly suffix: string
  /** Operand kind of Rt. */
  readonly kind: 'W' | 'X' | 'B' | 'H' | 'S' | 'D' | 'Q'
  /** log2 of the bytes accessed. */
  readonly scale: number
  readonly feature?: Feature
  /** Load or store register Rt. A load writes its register after the access. */
  readonly perform: (t: Builder, address: Value, Rt: number, options?: AccessOptions) => void
}

const named = (a: RegisterAccess, letter: string, mode: string) =>
  `${`${a.verb}${letter}${a.suffix}`.toUpperCase()} (${mode}, ${a.kind})`
const feature = (a: RegisterAccess): { feature?: Feature } => (a.feature === undefined ? {} : { feature: a.feature })
const signed9 = (imm9: number) => (imm9 << 23) >> 23

function unsignedOffset(a: RegisterAccess): Row {
  const scaled = a.scale === 0 ? 'uimm' : `uimm*${1 << a.scale}`
  return row({
    name: named(a, 'r', 'unsigned offset'),
    pattern: `${a.size} 111 ${a.V} 01 ${a.opc} imm12:12 Rn:5 Rt:5`,
    syntax: `${a.verb}r${a.suffix} {${a.kind}:Rt}, [{XSP:Rn}, {${scaled}:imm12}]`,
    ...feature(a),
    meaning: (t, f) => a.perform(t, t.add(t.base(f.Rn), t.imm(f.imm12 << a.scale)), f.Rt),
  })
}

function unscaled(a: RegisterAccess): Row {
  return row({
    name: named(a, 'ur', 'unscaled'),
    pattern: `${a.size} 111 ${a.V} 00 ${a.opc} 0 imm9:9 00 Rn:5 Rt:5`,
    syntax: `${a.verb}ur${a.suffix} {${a.kind}:Rt}, [{XSP:Rn}, {simm:imm9}]`,
    // The assembler takes LDR with an offset that only LDUR can hold.
    aliases: [{ syntax: `${a.verb}r${a.suffix} {${a.kind}:Rt}, [{XSP:Rn}, {simm:imm9}]`, when: () => false }],
    ...feature(a),
    meaning: (t, f) => a.perform(t, t.add(t.base(f.Rn), t.imm(signed9(f.imm9))), f.Rt),
  })
}

function postIndex(a: RegisterAccess): Row {
  return row({
    name: named(a, 'r', 'post-index'),
    pattern: `${a.size} 111 ${a.V} 00 ${a.opc} 0 imm9:9 01 Rn:5 Rt:5`,
    syntax: `${a.verb}r${a.suffix} {${a.kind}:Rt}, [{XSP:Rn}], {simm:imm9}`,
    ...feature(a),
    meaning: (t, f) => {
      const address = t.base(f.Rn)
      a.perform(t, address, f.Rt)
      t.setRegSp(f.Rn, 1, t.add(address, t.imm(signed9(f.imm9))))
    },
  })
}

function preIndex(a: RegisterAccess): Row {
  return row({
    name: named(a, 'r', 'pre-index'),
    pattern: `${a.size} 111 ${a.V} 00 ${a.opc} 0 imm9:9 11 Rn:5 Rt:5`,
    syntax: `${a.verb}r${a.suffix} {${a.kind}:Rt}, [{XSP:Rn}, {simm:imm9}]!`,
    ...feature(a),
    meaning: (t, f) => {
      const address = t.add(t.base(f.Rn), t.imm(signed9(f.imm9)))
      a.perform(t, address, f.Rt)
      t.setRegSp(f.Rn, 1, address)
    },
  })
}

function unprivileged(a: RegisterAccess): Row {
  return row({
    name: named(a, 'tr', 'unprivileged'),
    pattern: `${a.size} 111 0 00 ${a.opc} 0 imm9:9 10 Rn:5 Rt:5`,
    syntax: `${a.verb}tr${a.suffix} {${a.kind}:Rt}, [{XSP:Rn}, {simm:imm9}]`,
    meaning: (t, f) => a.perform(t, t.add(t.base(f.Rn), t.imm(signed9(f.imm9))), f.Rt, { unprivileged: true }),
  })
}

function registerOffset(a: RegisterAccess): Row {
  return row({
    name: named(a, 'r', 'register offset'),
    pattern: `${a.size} 111 ${a.V} 00 ${a.opc} 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5`,
    syntax: `${a.verb}r${a.suffix} {${a.kind}:Rt}, [{XSP:Rn}, {memx:option,S,Rm,${a.scale}}]`,
    ...feature(a),
    // Byte and halfword indices are unallocated.
    when: (f) => (f.option & 2) !== 0,
    meaning: (t, f) => {
      const index = extendedRegister(t, f.Rm, f.option, f.S ? a.scale : 0)
      a.perform(t, t.add(t.base(f.Rn), index), f.Rt)
    },
  })
}

/** Rows of every addressing mode but unprivileged, of these accesses. */
export function registerRows(accesses: readonly RegisterAccess[]): Row[] {
  return [unsignedOffset, unscaled, postIndex, preIndex, registerOffset].flatMap((mode) => accesses.map(mode))
}

function load(
  size: Size,
  opc: Size,
  suffix: string,
  kind: 'W' | 'X',
  scale: 0 | 1 | 2 | 3,
  signed: boolean,
): RegisterAccess {
  const bytes = (1 << scale) as 1 | 2 | 4 | 8
  const sf = kind === 'X' ? 1 : 0
  return {
    size,
    V: '0',
    opc,
    verb: 'ld',
    suffix,
    kind,
    scale,
    perform: (t, address, Rt, options) => {
      const v = t.load(address, bytes, options)
      t.setReg(Rt, sf, signed ? t.sext(v, 8 * bytes) : v)
    },
  }
}

function store(size: Size, suffix: string, kind: 'W' | 'X', scale: 0 | 1 | 2 | 3): RegisterAccess {
  const sf = kind === 'X' ? 1 : 0
  return {
    size,
    V: '0',
    opc: '00',
    verb: 'st',
    suffix,
    kind,
    scale,
    perform: (t, address, Rt, options) => t.store(address, (1 << scale) as 1 | 2 | 4 | 8, t.reg(Rt, sf), options),
  }
}

const accesses: readonly RegisterAccess[] = [
  store('00', 'b', 'W', 0),
  load('00', '01', 'b', 'W', 0, false),
  load('00', '10', 'sb', 'X', 0, true),
  load('00', '11', 'sb', 'W', 0, true),
  store('01', 'h', 'W', 1),
  load('01', '01', 'h', 'W', 1, false),
  load('01', '10', 'sh', 'X', 1, true),
  load('01', '11', 'sh', 'W', 1, true),
  store('10', '', 'W', 2),
  load('10', '01', '', 'W', 2, false),
  load('10', '10', 'sw', 'X', 2, true),
  store('11', '', 'X', 3),
  load('11', '01', '', 'X', 3, false),
]

export const rows: readonly Row[] = [...registerRows(accesses), ...accesses.map(unprivileged)]
