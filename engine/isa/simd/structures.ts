import type { Builder, Value, Vec } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { esizeOf, lowHalf } from './lanes.ts'

/**
 * Advanced SIMD load/store multiple structures, single structure, and load-and-replicate, each also post-indexed
 * (Arm ARM C4.1.94). Rm = 31 in the post-indexed forms means: advance by the number of bytes transferred.
 */

/** Write-back of a post-indexed form, after the transfer. `base` is the address before. */
function postIndex(t: Builder, Rn: number, Rm: number | undefined, base: Value, bytes: number): void {
  if (Rm === undefined) return
  t.setRegSp(Rn, 1, t.add(base, Rm === 31 ? t.imm(bytes) : t.reg(Rm, 1)))
}

/** Address of what lies `bytes` after the base. */
function after(t: Builder, base: Value, bytes: number): Value {
  return bytes === 0 ? base : t.add(base, t.imm(bytes))
}

/**
 * The vector whose byte k is byte `pick(k)` of the concatenation of `parts`, `partBytes` bytes of each counting:
 * one constant permutation per part beyond the first.
 */
function gather(t: Builder, parts: readonly Vec[], partBytes: number, pick: (k: number) => number): Vec {
  const from = Array.from({ length: 16 }, (_, k) => {
    const source = pick(k)
    return { part: Math.floor(source / partBytes), byte: source % partBytes }
  })
  let v: Vec | undefined
  parts.forEach((part, p) => {
    if (!from.some((x) => x.part === p)) return
    v = t.vecShuffle(v ?? part, part, from.map((x, k) => (x.part === p ? 16 + x.byte : v === undefined ? 0 : k)))
  })
  if (v === undefined) throw new RangeError('gather: no byte comes from any part')
  return v
}

interface Multiple {
  readonly Q: number
  readonly size: number
  readonly Rn: number
  readonly Rt: number
  readonly Rm?: number
}

/** Registers Rt, Rt+1, ... modulo 32. */
const register = (Rt: number, i: number): number => (Rt + i) & 31

/** LD1..LD4 of `count` registers; `interleave` = structure elements (1 for LD1, else `count`). */
function loadMultiple(t: Builder, f: Multiple, count: number, interleave: number): void {
  const base = t.base(f.Rn)
  const bytes = f.Q ? 16 : 8
  const alignment = esizeOf(f.size) / 8
  const memory: Vec[] = []
  for (let i = 0; i < count; i++) memory.push(t.loadVec(after(t, base, i * bytes), bytes, { alignment }))
  let registers = memory
  if (interleave > 1) {
    registers = memory.map((_, r) => {
      const v = gather(t, memory, bytes, (k) => {
        const byte = k % bytes
        const element = Math.floor(byte / alignment)
        return (element * interleave + r) * alignment + (byte % alignment)
      })
      return f.Q ? v : lowHalf(t, v)
    })
  }
  for (const [i, v] of registers.entries()) t.setQ(register(f.Rt, i), v)
  postIndex(t, f.Rn, f.Rm, base, count * bytes)
}

function storeMultiple(t: Builder, f: Multiple, count: number, interleave: number): void {
  const base = t.base(f.Rn)
  const bytes = f.Q ? 16 : 8
  const alignment = esizeOf(f.size) / 8
  const registers: Vec[] = []
  for (let i = 0; i < count; i++) registers.push(t.q(register(f.Rt, i)))
  let memory = registers
  if (interleave > 1) {
    memory = registers.map((_, part) =>
      gather(t, registers, bytes, (k) => {
        const at = part * bytes + (k % bytes)
        const element = Math.floor(at / (alignment * interleave))
        const r = Math.floor(at / alignment) % interleave
        return r * bytes + element * alignment + (at % alignment)
      }),
    )
  }
  for (const [i, v] of memory.entries()) t.storeVec(after(t, base, i * bytes), bytes, v, { alignment })
  postIndex(t, f.Rn, f.Rm, base, count * bytes)
}

/** Number in the mnemonic (1 = no interleaving), registers, opcode. */
const multiples: readonly (readonly [number, number, string])[] = [
  [1, 1, '0111'],
  [1, 2, '1010'],
  [1, 3, '0110'],
  [1, 4, '0010'],
  [2, 2, '1000'],
  [3, 3, '0100'],
  [4, 4, '0000'],
]

function multipleRows(L: 0 | 1, interleave: number, count: number, opcode: string): Row[] {
  const mnemonic = `${L ? 'ld' : 'st'}${interleave}`
  const name = `${mnemonic.toUpperCase()} (multiple structures)`
  const list = `{list${count}:Rt,size,Q}`
  const when = (f: { Q: number; size: number }): boolean => interleave === 1 || f.size < 3 || f.Q === 1
  const transfer = L ? loadMultiple : storeMultiple
  type Plain = '0 Q:1 0011000 0 000000 0000 size:2 Rn:5 Rt:5'
  type Post = '0 Q:1 0011001 0 0 Rm:5 0000 size:2 Rn:5 Rt:5'
  return [
    row<Plain>({
      name,
      pattern: `0 Q:1 0011000 ${L} 000000 ${opcode} size:2 Rn:5 Rt:5` as Plain,
      syntax: `${mnemonic} ${list}, [{XSP:Rn}]`,
      feature: 'fp',
      when,
      meaning: (t, f) => transfer(t, f, count, interleave),
    }),
    row<Post>({
      name,
      pattern: `0 Q:1 0011001 ${L} 0 Rm:5 ${opcode} size:2 Rn:5 Rt:5` as Post,
      syntax: [
        {
          syntax: `${mnemonic} ${list}, [{XSP:Rn}], {bytes*${count}:Q}`,
          when: (f) => f.Rm === 31,
          fill: () => ({ Rm: 31 }),
        },
        { syntax: `${mnemonic} ${list}, [{XSP:Rn}], {X:Rm}`, when: (f) => f.Rm !== 31 },
      ],
      feature: 'fp',
      when,
      meaning: (t, f) => transfer(t, f, count, interleave),
    }),
  ]
}

// ---- single structure

/** Element sizes: letter, opcode<2:1>, what S and size hold (the index field), its name in the syntax. */
interface ElementCode {
  readonly letter: string
  readonly scale: number
  readonly opcode: string
  /** The pattern's bits 12:10. */
  readonly bits: string
}
const elements: readonly ElementCode[] = [
  { letter: 'b', scale: 0, opcode: '00', bits: 'index:3' },
  { letter: 'h', scale: 1, opcode: '01', bits: 'index:2 0' },
  { letter: 's', scale: 2, opcode: '10', bits: 'index:1 00' },
  { letter: 'd', scale: 3, opcode: '10', bits: '001' },
]

interface Single {
  readonly Q: number
  readonly index?: number
  readonly Rn: number
  readonly Rt: number
  readonly Rm?: number
}

function loadSingle(t: Builder, f: Single, count: number, scale: number): void {
  const base = t.base(f.Rn)
  const esize = esizeOf(scale)
  const bytes = (1 << scale) as 1 | 2 | 4 | 8
  const i = (f.Q << (3 - scale)) | (f.index ?? 0)
  const loaded: Value[] = []
  for (let r = 0; r < count; r++) loaded.push(t.load(after(t, base, r * bytes), bytes))
  for (const [r, x] of loaded.entries()) {
    const n = register(f.Rt, r)
    t.setQ(n, t.withLane(t.q(n), i, esize, x))
  }
  postIndex(t, f.Rn, f.Rm, base, count * bytes)
}

function storeSingle(t: Builder, f: Single, count: number, scale: number): void {
  const base = t.base(f.Rn)
  const bytes = (1 << scale) as 1 | 2 | 4 | 8
  const i = (f.Q << (3 - scale)) | (f.index ?? 0)
  for (let r = 0; r < count; r++) {
    t.store(after(t, base, r * bytes), bytes, t.lane(t.q(register(f.Rt, r)), i, esizeOf(scale)))
  }
  postIndex(t, f.Rn, f.Rm, base, count * bytes)
}

function singleRows(L: 0 | 1, count: number, e: ElementCode): Row[] {
  const mnemonic = `${L ? 'ld' : 'st'}${count}`
  const name = `${mnemonic.toUpperCase()} (single structure)`
  const list = `{elem${count}${e.letter}:Rt,Q${e.scale < 3 ? ',index' : ''}}`
  // The number of registers less one is opcode<0>:R.
  const R = (count - 1) & 1
  const opcode = `${e.opcode}${(count - 1) >> 1}`
  const transfer = L ? loadSingle : storeSingle
  type Plain = '0 Q:1 0011010 0 0 00000 000 index:3 Rn:5 Rt:5'
  type Post = '0 Q:1 0011011 0 0 Rm:5 000 index:3 Rn:5 Rt:5'
  return [
    row<Plain>({
      name,
      pattern: `0 Q:1 0011010 ${L} ${R} 00000 ${opcode} ${e.bits} Rn:5 Rt:5` as Plain,
      syntax: `${mnemonic} ${list}, [{XSP:Rn}]`,
      feature: 'fp',
      meaning: (t, f) => transfer(t, f, count, e.scale),
    }),
    row<Post>({
      name,
      pattern: `0 Q:1 0011011 ${L} ${R} Rm:5 ${opcode} ${e.bits} Rn:5 Rt:5` as Post,
      syntax: [
        {
          syntax: `${mnemonic} ${list}, [{XSP:Rn}], #${count << e.scale}`,
          when: (f) => f.Rm === 31,
          fill: () => ({ Rm: 31 }),
        },
        { syntax: `${mnemonic} ${list}, [{XSP:Rn}], {X:Rm}`, when: (f) => f.Rm !== 31 },
      ],
      feature: 'fp',
      meaning: (t, f) => transfer(t, f, count, e.scale),
    }),
  ]
}

// ---- load and replicate

function loadReplicate(t: Builder, f: Multiple, count: number): void {
  const base = t.base(f.Rn)
  const bytes = (1 << f.size) as 1 | 2 | 4 | 8
  const loaded: Value[] = []
  for (let r = 0; r < count; r++) loaded.push(t.load(after(t, base, r * bytes), bytes))
  for (const [r, x] of loaded.entries()) {
    const v = t.splat(x, esizeOf(f.size))
    t.setQ(register(f.Rt, r), f.Q ? v : lowHalf(t, v))
  }
  postIndex(t, f.Rn, f.Rm, base, count * bytes)
}

function replicateRows(count: number): Row[] {
  const mnemonic = `ld${count}r`
  const R = (count - 1) & 1
  const opcode = `11${(count - 1) >> 1}`
  const list = `{list${count}:Rt,size,Q}`
  type Plain = '0 Q:1 0011010 1 0 00000 110 0 size:2 Rn:5 Rt:5'
  type Post = '0 Q:1 0011011 1 0 Rm:5 110 0 size:2 Rn:5 Rt:5'
  return [
    row<Plain>({
      name: mnemonic.toUpperCase(),
      pattern: `0 Q:1 0011010 1 ${R} 00000 ${opcode} 0 size:2 Rn:5 Rt:5` as Plain,
      syntax: `${mnemonic} ${list}, [{XSP:Rn}]`,
      feature: 'fp',
      meaning: (t, f) => loadReplicate(t, f, count),
    }),
    row<Post>({
      name: mnemonic.toUpperCase(),
      pattern: `0 Q:1 0011011 1 ${R} Rm:5 ${opcode} 0 size:2 Rn:5 Rt:5` as Post,
      syntax: [
        {
          syntax: `${mnemonic} ${list}, [{XSP:Rn}], {elembytes*${count}:size}`,
          when: (f) => f.Rm === 31,
          fill: () => ({ Rm: 31 }),
        },
        { syntax: `${mnemonic} ${list}, [{XSP:Rn}], {X:Rm}`, when: (f) => f.Rm !== 31 },
      ],
      feature: 'fp',
      meaning: (t, f) => loadReplicate(t, f, count),
    }),
  ]
}

const both = [0, 1] as const
const counts = [1, 2, 3, 4] as const

export const rows: readonly Row[] = [
  ...both.flatMap((L) =>
    multiples.flatMap(([interleave, count, opcode]) => multipleRows(L, interleave, count, opcode)),
  ),
  ...both.flatMap((L) => counts.flatMap((count) => elements.flatMap((e) => singleRows(L, count, e)))),
  ...counts.flatMap(replicateRows),
]
