import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { CpuPort } from '../../cpu/port.ts'
import { CpuState, Off } from '../../cpu/state.ts'
import { Evaluator } from '../../translate/evaluate.ts'
import { Decoder } from '../decode.ts'
import { type AnyFields, type Row, encode } from '../row.ts'
import { rows } from './index.ts'

/**
 * Every row, with random fields, on random and on telling register contents, against qemu-aarch64. One program runs all
 * cases: load V0..V31, FPCR and 64 bytes of scratch memory; execute; write V0..V31, FPSR, X1, X3 and the scratch.
 */
const ROUNDS = Number(process.env.PKVM_LAB_ROUNDS ?? 4)
const INPUT = 608
const OUTPUT = 608
const BASE = 0x400000
const SCRATCH = 0x7f0000
const INPUTS = 0x800000

/**
 * ldp q0, q1, [x20], #32 ... ldp q30, q31; scratch <- 64 bytes; x4, x5, FPCR; x1 = scratch, x2 = 24, x3 = 0; FPSR = 0.
 */
const LOAD = words(`
  acc10680 acc10e82 acc11684 acc11e86 acc12688 acc12e8a acc1368c acc13e8e acc14690 acc14e92 acc15694 acc15e96 acc16698
  acc16e9a acc1769c acc17e9e a8c12e8a a9002e6a a8c12e8a a9012e6a a8c12e8a a9022e6a a8c12e8a a9032e6a a8c11684 a8c12e8a
  d51b440a aa1303e1 d2800302 d2800003 d51b443f d65f03c0`)
/** mrs x10, fpsr; msr fpcr, xzr; stp q0, q1, [x21], #32 ...; x10, x1, x3, 0; the scratch. */
const STORE = words(`
  d53b442a d51b441f ac8106a0 ac810ea2 ac8116a4 ac811ea6 ac8126a8 ac812eaa ac8136ac ac813eae ac8146b0 ac814eb2 ac8156b4
  ac815eb6 ac8166b8 ac816eba ac8176bc ac817ebe a88106aa a8817ea3 a9402e6a a8812eaa a9412e6a a8812eaa a9422e6a a8812eaa
  a9432e6a a8812eaa d65f03c0`)
/** ldr x19, x20, x21 from the three quads that follow; b past them. */
const BEGIN = words('58000093 580000b4 580000d5 14000007')
/** write(1, quad 1, quad 2); exit(0). */
const FINAL = words('d2800020 580000e1 58000102 d2800808 d4000001 d2800000 d2800ba8 d4000001')

function words(text: string): number[] {
  return text.trim().split(/\s+/).map((w) => Number.parseInt(w, 16))
}

let seed = Number(process.env.PKVM_LAB_SEED ?? 20260101)
function random(n: number): number {
  seed ^= seed << 13
  seed ^= seed >>> 17
  seed ^= seed << 5
  return (seed >>> 0) % n
}

function randomFields(r: Row): AnyFields | null {
  const memory = r.pattern.includes('Rt:5')
  for (let attempt = 0; attempt < 300; attempt++) {
    const f: Record<string, number> = {}
    for (const { name, width } of r.fields) f[name] = random(2 ** width)
    if (memory) {
      f.Rn = 1
      if ('Rm' in f) f.Rm = random(2) ? 31 : 2
    } else if (/UMOV|SMOV/.test(r.name)) f.Rd = 3
    else if (r.name.includes('(general)')) f.Rn = [4, 5, 31][random(3)]!
    if (r.when === undefined || r.when(f)) return f
  }
  return null
}

const telling32 = [
  0, 0x80000000, 0xffffffff, 0x7fffffff, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
  0x1, 0x80800000, 0x007fffff, 0x4f000000, 0x80808080, 0x7f7f7f7f, 0x00ff00ff, 0x80008000, 0x7fff8000, 0x01020304,
  0x3c00fc01,
]
const telling64 = [
  0n, 1n << 63n, (1n << 64n) - 1n, (1n << 63n) - 1n, 0x3ff0000000000000n, 0xbff8000000000000n, 0x7ff0000000000000n,
  0xfff0000000000000n, 0x7ff8000000000000n, 0x7ff0000000000001n, 1n, 0x000fffffffffffffn, 0x43e0000000000000n,
  0x47efffffe0000001n, 0x3800000000000001n, 0x41f0000000000000n,
]

function fillRegister(view: DataView, at: number): void {
  const kind = random(6)
  for (let i = 0; i < 16; i += 4) view.setUint32(at + i, random(0x100000000), true)
  if (kind === 1) for (let i = 0; i < 16; i += 4) view.setUint32(at + i, telling32[random(telling32.length)]!, true)
  if (kind === 2) for (let i = 0; i < 16; i += 8) view.setBigUint64(at + i, telling64[random(telling64.length)]!, true)
  const number = (): number => (random(2000001) - 1000000) / 2 ** random(20)
  if (kind === 3) for (let i = 0; i < 16; i += 4) view.setFloat32(at + i, number(), true)
  if (kind === 4) for (let i = 0; i < 16; i += 8) view.setFloat64(at + i, number(), true)
  if (kind === 5) for (let i = 0; i < 16; i++) view.setInt8(at + i, random(24) - 12)
}

interface Case {
  readonly row: Row
  readonly word: number
}

function makeInputs(count: number): DataView {
  const view = new DataView(new ArrayBuffer(count * INPUT))
  for (let c = 0; c < count; c++) {
    for (let r = 0; r < 32; r++) fillRegister(view, c * INPUT + 16 * r)
    for (let i = 512; i < 592; i += 4) view.setUint32(c * INPUT + i, random(0x100000000), true)
    // FPCR: DN, FZ, RMode.
    view.setUint32(c * INPUT + 592, random(3) ? 0 : random(16) << 22, true)
  }
  return view
}

/** A static executable of one segment: code, then inputs, then outputs as zero-filled memory. */
function makeElf(cases: readonly Case[], inputs: DataView): Uint8Array {
  const outputs = INPUTS + inputs.byteLength
  const code: number[] = []
  const quad = (n: number): void => void code.push(n >>> 0, 0)
  code.push(...BEGIN)
  for (const q of [SCRATCH, INPUTS, outputs]) quad(q)
  code.push(0x14000000 | (1 + LOAD.length + STORE.length))
  const load = code.length
  code.push(...LOAD)
  const store = code.length
  code.push(...STORE)
  const call = (target: number): void => void code.push((0x94000000 | ((target - code.length) & 0x3ffffff)) >>> 0)
  for (const c of cases) {
    call(load)
    code.push(c.word)
    call(store)
  }
  code.push(...FINAL)
  quad(outputs)
  quad(cases.length * OUTPUT)
  if (BASE + 0x1000 + code.length * 4 > SCRATCH) throw new RangeError('too many cases for the memory map')

  const file = new DataView(new ArrayBuffer(INPUTS - BASE + inputs.byteLength))
  const halves: [number, number][] = [
    [16, 2], [18, 183], [52, 64], [54, 56], [56, 1], [58, 64],
  ]
  for (const [at, v] of halves) file.setUint16(at, v, true)
  const ints: [number, number][] = [[0, 0x464c457f], [4, 0x00010102], [20, 1], [64, 1], [68, 7]]
  for (const [at, v] of ints) file.setUint32(at, v, true)
  const longs: [number, number][] = [
    [24, BASE + 0x1000], [32, 64],
    [72, 0], [80, BASE], [88, BASE], [96, file.byteLength], [104, outputs - BASE + cases.length * OUTPUT],
    [112, 0x1000],
  ]
  for (const [at, v] of longs) file.setBigUint64(at, BigInt(v), true)
  for (const [i, w] of code.entries()) file.setUint32(0x1000 + 4 * i, w, true)
  const bytes = new Uint8Array(file.buffer)
  bytes.set(new Uint8Array(inputs.buffer), INPUTS - BASE)
  return bytes
}

function evaluate(
  c: Case, input: DataView, at: number, decoder: Decoder, state: CpuState, evaluator: Evaluator,
): Uint8Array {
  const bytes = new Uint8Array(input.buffer, at, INPUT)
  state.bytes.set(bytes.subarray(0, 512), Off.v)
  state.bytes.set(bytes.subarray(512, 576), SCRATCH)
  state.x.fill(0n)
  state.x[1] = BigInt(SCRATCH)
  state.x[2] = 24n
  state.x[4] = input.getBigUint64(at + 576, true)
  state.x[5] = input.getBigUint64(at + 584, true)
  state.u32[Off.fpcr >> 2] = input.getUint32(at + 592, true)
  state.u32[Off.fpsr >> 2] = 0
  const decoded = decoder.decode(c.word)
  if (decoded?.row !== c.row) throw new Error(`${c.word.toString(16)} does not decode to ${c.row.name}`)
  evaluator.step(decoded)
  const out = new DataView(new ArrayBuffer(OUTPUT))
  const result = new Uint8Array(out.buffer)
  result.set(state.bytes.subarray(Off.v, Off.v + 512))
  out.setUint32(512, state.u32[Off.fpsr >> 2]!, true)
  out.setBigUint64(520, state.x[1]!, true)
  out.setBigUint64(528, state.x[3]!, true)
  result.set(state.bytes.subarray(SCRATCH, SCRATCH + 64), 544)
  return result
}

const hex = (b: Uint8Array): string => Buffer.from(b).reverse().toString('hex')

/** What differs, with the operands, for a person to read. */
function explain(c: Case, input: Uint8Array, ours: Uint8Array, theirs: Uint8Array): string {
  const lines = [`${c.row.name} ${c.word.toString(16)} fpcr=${hex(input.subarray(592, 596))}`]
  for (const [name, lsb] of [['d', 0], ['n', 5], ['m', 16]] as const) {
    const r = (c.word >>> lsb) & 31
    lines.push(`  R${name} v${r} before ${hex(input.subarray(16 * r, 16 * r + 16))}`)
  }
  for (let at = 0; at < OUTPUT; at += 16) {
    const [o, t] = [hex(ours.subarray(at, at + 16)), hex(theirs.subarray(at, at + 16))]
    const name = at < 512 ? `v${at / 16}` : at < 544 ? ['x1:fpsr', 'x3'][(at - 512) / 16] : `scratch+${at - 544}`
    if (o !== t) lines.push(`  ${name}: ours ${o}, qemu ${t}`)
  }
  return lines.join('\n')
}

const available = spawnSync('qemu-aarch64', ['--version']).status === 0
if (!available) console.warn('SKIPPED: qemu-aarch64 is not installed, Advanced SIMD is not compared with it')

it.skipIf(!available)('agrees with qemu-aarch64', { timeout: 300_000 }, () => {
  const cases: Case[] = []
  for (const row of rows) {
    for (let i = 0; i < ROUNDS; i++) {
      const fields = randomFields(row)
      if (fields !== null) cases.push({ row, word: encode(row, fields) })
    }
  }
  const inputs = makeInputs(cases.length)
  const folder = mkdtempSync(join(tmpdir(), 'simd-'))
  let output: Uint8Array
  try {
    const path = join(folder, 'cases')
    writeFileSync(path, makeElf(cases, inputs), { mode: 0o755 })
    const run = spawnSync('qemu-aarch64', ['-cpu', 'cortex-a72', path], { maxBuffer: 1 << 30 })
    expect(run.stderr.toString()).toBe('')
    expect(run.status).toBe(0)
    output = run.stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
  expect(output.length).toBe(cases.length * OUTPUT)

  const state = new CpuState(new ArrayBuffer(INPUTS))
  const decoder = new Decoder(rows, new Set(['fp'] as const))
  const mmu = { translate: (low: number) => low, tryTranslate: (low: number) => low, physical: 0, device: false }
  const evaluator = new Evaluator({ state, decoder, mmu } as unknown as CpuPort)
  const differences = new Map<string, string>()
  let count = 0
  cases.forEach((c, i) => {
    const theirs = output.subarray(i * OUTPUT, (i + 1) * OUTPUT)
    const ours = evaluate(c, inputs, i * INPUT, decoder, state, evaluator)
    if (Buffer.compare(ours, theirs) === 0) return
    count++
    if (!differences.has(c.row.name)) {
      differences.set(c.row.name, explain(c, new Uint8Array(inputs.buffer, i * INPUT, INPUT), ours, theirs))
    }
  })
  expect([...differences.values()].join('\n'), `${count} of ${cases.length} cases`).toBe('')
})
