import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CpuPort } from '../../cpu/port.ts'
import { CpuState, Off, RAM_BASE } from '../../cpu/state.ts'
import { Evaluator } from '../../translate/evaluate.ts'
import { rows as cryptoRows } from '../crypto/index.ts'
import { Decoder } from '../decode.ts'
import { type Row, encode } from '../row.ts'
import { rows } from './index.ts'

/**
 * Every row of the two tables on random and corner operands, tier 0 against QEMU's user mode. A test is one instruction
 * with Rn = 0, Rm = 1, Ra = 2, Rd = 3; a straight line of them becomes an ELF file that writes all results to stdout.
 */
const QEMU = 'qemu-aarch64'
const present = spawnSync(QEMU, ['--version']).status === 0
if (!present) console.warn(`SKIPPED: floating-point rows against ${QEMU}, which is not installed`)

const TESTS_PER_ROW = 150
const INPUT_WORDS = 12
const OUTPUT_WORDS = 6
const BASE = 0x400000

let seed = 20240229
function random(n: number): number {
  seed ^= seed << 13
  seed ^= seed >>> 17
  seed ^= seed << 5
  return (seed >>> 0) % n
}
const random64 = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32))

/** A 64-bit word that is worth trying as a double, or in its lower half as a single or a half. */
function operand(): bigint {
  const bits = [16, 32, 32, 64, 64][random(5)]!
  const fraction = BigInt(bits === 16 ? 10 : bits === 32 ? 23 : 52)
  const top = 2 ** (bits - 1 - Number(fraction)) - 1
  const middle = top >> 1
  const field = [0, top, 1, top - 1, middle + random(40), middle - random(12), random(top), random(top)][random(8)]!
  const mask = (1n << fraction) - 1n
  const low = [0n, 1n, mask, 1n << BigInt(random(Number(fraction))), random64() & mask, random64() & mask][random(6)]!
  const number = (BigInt(random(2)) << BigInt(bits - 1)) | (BigInt(Math.min(field, top)) << fraction) | low
  if (bits === 64) return number
  return number | ((random64() >> BigInt(bits)) << BigInt(bits))
}

interface Trial {
  readonly row: Row
  readonly word: number
  /** Q0..Q3 as pairs, X0, NZCV in place, FPCR, X3. */
  readonly input: BigUint64Array
}

function trial(row: Row): Trial {
  const fields: Record<string, number> = {}
  do {
    for (const f of row.fields) fields[f.name] = random(2 ** f.width)
    Object.assign(fields, { Rn: 0, Rm: 1, Ra: 2, Rd: 3 })
  } while (row.when !== undefined && !row.when(fields))
  const input = new BigUint64Array(INPUT_WORDS)
  for (let i = 0; i < 8; i++) input[i] = operand()
  if (random(4) === 0) input[2] = input[0]! ^ (BigInt(random(4)) << 62n)
  input[8] = random(2) ? random64() >> BigInt(random(64)) : operand()
  input[9] = BigInt(random(16)) << 28n
  input[10] = random(2) ? 0n : (BigInt(random(8)) << 24n) | (BigInt(random(4)) << 22n)
  input[11] = random64()
  const own = Object.fromEntries(row.fields.map((f) => [f.name, fields[f.name]!]))
  return { row, word: encode(row, own), input }
}

/** MOVZ and MOVK of a 32-bit constant to Xn. */
function constant(n: number, value: number): number[] {
  return [0xd2800000 | ((value & 0xffff) << 5) | n, 0xf2a00000 | ((value >>> 16) << 5) | n]
}

function program(trials: readonly Trial[]): Uint8Array {
  const code: number[] = []
  const length = trials.length * 16 + 16
  const inputAt = 0x1000 + length * 4
  const outputAt = inputAt + trials.length * INPUT_WORDS * 8
  const outputBytes = trials.length * OUTPUT_WORDS * 8
  code.push(...constant(20, BASE + inputAt), ...constant(21, BASE + outputAt))
  for (const t of trials) {
    code.push(
      0xacc10680, // ldp q0, q1, [x20], #32
      0xacc10e82, // ldp q2, q3, [x20], #32
      0xa8c11280, // ldp x0, x4, [x20], #16
      0xa8c10e82, // ldp x2, x3, [x20], #16
      0xd51b4402, // msr fpcr, x2
      0xd51b443f, // msr fpsr, xzr
      0xd51b4204, // msr nzcv, x4
      t.word,
      0xd53b4425, // mrs x5, fpsr
      0xd53b4206, // mrs x6, nzcv
      0x3c8106a3, // str q3, [x21], #16
      0xa88116a3, // stp x3, x5, [x21], #16
      0xf80106a6, // str x6, [x21], #16
    )
  }
  // write(1, output, bytes), exit_group(bytes - written)
  code.push(...constant(2, outputBytes), ...constant(1, BASE + outputAt), 0xd2800020, 0xd2800808, 0xd4000001)
  code.push(0xcb000040, 0xd2800bc8, 0xd4000001)
  const file = new Uint8Array(outputAt)
  const view = new DataView(file.buffer)
  // ELF64 little-endian, ET_EXEC, EM_AARCH64, one PT_LOAD with all permissions.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 2, true)
  view.setUint16(18, 183, true)
  view.setUint32(20, 1, true)
  view.setUint32(24, BASE + 0x1000, true)
  view.setUint32(32, 64, true)
  view.setUint16(52, 64, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, 1, true)
  view.setUint32(64, 1, true)
  view.setUint32(68, 7, true)
  view.setUint32(80, BASE, true)
  view.setUint32(88, BASE, true)
  view.setUint32(96, file.length, true)
  view.setUint32(104, file.length + outputBytes, true)
  view.setUint32(112, 0x1000, true)
  for (const [i, word] of code.entries()) view.setUint32(0x1000 + 4 * i, word, true)
  for (const [i, t] of trials.entries()) {
    for (const [k, v] of t.input.entries()) view.setBigUint64(inputAt + 8 * (i * INPUT_WORDS + k), v, true)
  }
  return file
}

function underQemu(trials: readonly Trial[]): BigUint64Array {
  const folder = mkdtempSync(join(tmpdir(), 'fp-rows-'))
  try {
    const path = join(folder, 'trials')
    writeFileSync(path, program(trials))
    chmodSync(path, 0o755)
    const r = spawnSync(QEMU, ['-cpu', 'cortex-a53', path], { maxBuffer: 2 ** 28 })
    if (r.status !== 0) throw new Error(`${QEMU} ended with ${r.status ?? r.signal}: ${r.stderr.toString()}`)
    return new BigUint64Array(Uint8Array.from(r.stdout).buffer)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function underTier0(trials: readonly Trial[], decoder: Decoder): BigUint64Array {
  const state = new CpuState(new ArrayBuffer(RAM_BASE))
  const evaluator = new Evaluator({ state, decoder, checkFp: () => {} } as unknown as CpuPort)
  const out = new BigUint64Array(trials.length * OUTPUT_WORDS)
  trials.forEach(({ word, input, row }, i) => {
    for (let k = 0; k < 8; k++) state.u64[(Off.v >> 3) + k] = input[k]!
    state.x[0] = input[8]!
    state.x[2] = input[10]!
    state.x[3] = input[11]!
    state.setNzcv(Number(input[9]! >> 28n))
    state.u32[Off.fpcr >> 2] = Number(input[10]!)
    state.u32[Off.fpsr >> 2] = 0
    const decoded = decoder.decode(word)
    expect(decoded?.row, row.name).toBe(row)
    evaluator.step(decoded!)
    out[i * OUTPUT_WORDS] = state.u64[(Off.v >> 3) + 6]!
    out[i * OUTPUT_WORDS + 1] = state.u64[(Off.v >> 3) + 7]!
    out[i * OUTPUT_WORDS + 2] = state.x[3]!
    out[i * OUTPUT_WORDS + 3] = BigInt(state.u32[Off.fpsr >> 2]!)
    out[i * OUTPUT_WORDS + 4] = BigInt(state.nzcv()) << 28n
  })
  return out
}

describe('floating-point and cryptographic rows', () => {
  const table = [...rows, ...cryptoRows]
  const decoder = new Decoder(table, new Set(['fp', 'aes', 'pmull', 'sha1', 'sha256'] as const))

  it('do not overlap', () => {
    for (const [i, a] of table.entries()) {
      for (const b of table.slice(0, i)) {
        expect((a.value ^ b.value) & a.mask & b.mask, `${a.name}, ${b.name}`).not.toBe(0)
      }
    }
  })

  it.skipIf(!present)('do what QEMU does', () => {
    const trials = table.flatMap((row) => Array.from({ length: TESTS_PER_ROW }, () => trial(row)))
    const want = underQemu(trials)
    const got = underTier0(trials, decoder)
    expect(want.length).toBe(got.length)
    const hex = (v: ArrayLike<bigint>): string => Array.from(v, (x) => x.toString(16)).join(' ')
    const differences: string[] = []
    trials.forEach(({ row, word, input }, i) => {
      const w = want.subarray(i * OUTPUT_WORDS, i * OUTPUT_WORDS + 5)
      const g = got.subarray(i * OUTPUT_WORDS, i * OUTPUT_WORDS + 5)
      if (w.every((x, k) => x === g[k])) return
      differences.push(`${row.name} ${word.toString(16)}: in ${hex(input)}, QEMU ${hex(w)}, here ${hex(g)}`)
    })
    expect(differences.slice(0, 20)).toEqual([])
  })
})
