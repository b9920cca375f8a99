import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { InstructionAssembler } from './assemble-instruction.ts'
import { SourceError, tokenize } from './assemble-lexer.ts'
import { Decoder } from './decode.ts'
import { disassemble } from './disassemble.ts'
import type { Feature, Row } from './row.ts'
import { unknownOperandKinds } from './syntax.ts'
import { allRows } from './table.ts'

/**
 * Every row in random encodings: disassembled, assembled again, and compared with GNU binutils in both directions. The
 * same ones each time; PKVM_LAB_SEED and PKVM_LAB_ROUNDS choose others.
 */
const SEED = Number(process.env.PKVM_LAB_SEED ?? 20260104) || 1
const WORDS_PER_ROW = Number(process.env.PKVM_LAB_ROUNDS ?? 4)
const FEATURES: ReadonlySet<Feature> = new Set(['crc32', 'lse', 'fp', 'aes', 'pmull', 'sha1', 'sha256'])
const ORIGIN = 0x1000000

const decoder = new Decoder(allRows, FEATURES)
const assembler = new InstructionAssembler(allRows, FEATURES)
const samples = sampleWords()

function sampleWords(): { word: number; row: Row }[] {
  let state = SEED
  const random = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const out: { word: number; row: Row }[] = []
  for (const row of allRows) {
    let found = 0
    for (let tries = 0; tries < WORDS_PER_ROW * 50 && found < WORDS_PER_ROW; tries++) {
      let word = (random() & ~row.mask) | row.value
      for (const f of row.fields) {
        const mask = f.width === 32 ? -1 : ((1 << f.width) - 1) << f.lsb
        const choice = random() % 6
        if (choice === 0) word &= ~mask
        else if (choice === 1) word |= mask
      }
      word >>>= 0
      if (decoder.decode(word)?.row !== row) continue
      out.push({ word, row })
      found++
    }
  }
  return out
}

function assembleLine(text: string, pc: bigint): number {
  const position = { file: 'line', line: 1, column: 1 }
  const mnemonic = /^\S+/.exec(text)![0]
  return assembler.assemble(mnemonic, tokenize(text.slice(mnemonic.length), position), position, pc, () => undefined)
}

const addressOf = (i: number): bigint => BigInt(ORIGIN + 4 * i)

/**
 * Assembling gives another word than the one the text came from. That is right when the first has a redundant encoding:
 * then both print alike, and the new word is a fixed point.
 */
function mismatch(text: string, word: number, pc: bigint): string | undefined {
  try {
    const again = assembleLine(text, pc)
    if (
      again === word ||
      (disassemble(decoder, again, pc) === disassemble(decoder, word, pc) && isRedundant(word, again))
    )
      return undefined
    return `${word.toString(16)} ${text} -> ${again.toString(16)}`
  } catch (e) {
    if (e instanceof SourceError) return `${word.toString(16)} ${text}: ${e.message}`
    throw e
  }
}

/** Encodings with bits that do not matter: SBO/SBZ bits, rotations of repeated elements, low bits of imm4, imm5. */
function isRedundant(a: number, b: number): boolean {
  const row = decoder.decode(a)!.row
  const named = row.fields.reduce((m, f) => m | (((1 << f.width) - 1) << f.lsb), row.mask)
  if (((a ^ b) & named) === 0) return true
  return /\((immediate|general|element)\)$/.test(row.name) && decoder.decode(b)!.row === row
}

it(`round trip, seed ${SEED}`, () => {
  const wrong = samples.map(({ word }, i) => mismatch(disassemble(decoder, word, addressOf(i)), word, addressOf(i)))
  expect(wrong.filter((w) => w !== undefined)).toEqual([])
  expect([...unknownOperandKinds]).toEqual([])
})

const binutils = spawnSync('aarch64-linux-gnu-objdump', ['--version']).status === 0
if (!binutils)
  console.warn('SKIPPED: comparison with GNU binutils, aarch64-linux-gnu-objdump and -as are not installed')

function inTemporaryDirectory<T>(body: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'pkvm-lab-'))
  try {
    return body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

it.skipIf(!binutils)(`assembles what objdump prints, seed ${SEED}`, () => {
  const listing = inTemporaryDirectory((directory) => {
    const file = join(directory, 'words.bin')
    writeFileSync(file, Uint32Array.from(samples.map((s) => s.word)))
    const options = ['-D', '-b', 'binary', '-maarch64', `--adjust-vma=${ORIGIN}`, file]
    return spawnSync('aarch64-linux-gnu-objdump', options, { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout
  })
  const wrong: string[] = []
  let compared = 0
  for (const line of listing.split('\n')) {
    const m = /^\s*([0-9a-f]+):\s+([0-9a-f]{8})\s+(.*)$/.exec(line)
    if (m === null || m[3]!.startsWith('.inst')) continue
    const i = (Number.parseInt(m[1]!, 16) - ORIGIN) / 4
    const text = m[3]!
      .replaceAll('\t', ' ')
      .replace(/\s*\/\/.*$/, '')
      .trim()
    // What binutils names after later extensions: hints, PSTATE values, system registers, and BFC.
    const { word, row } = samples[i]!
    if (/^(HINT|MSR \(immediate\))$/.test(row.name) || text.startsWith('bfc ')) continue
    if (/\bs[23]_\d_c/.test(disassemble(decoder, word, 0n))) continue
    compared++
    const bad = mismatch(text, word, addressOf(i))
    if (bad !== undefined) wrong.push(bad)
  }
  expect(wrong).toEqual([])
  expect(compared).toBeGreaterThan(samples.length * 0.9)
})

it.skipIf(!binutils)(`prints what GNU as assembles, seed ${SEED}`, () => {
  // Targets are absolute addresses, which GNU as turns into relocations: those rows are covered by the round trip.
  const relative = (row: Row): boolean => /\{(rel|adr|adrp):/.test(JSON.stringify(row.syntax))
  const taken = samples.filter(({ word, row }) => !relative(row) && !/spsel/.test(disassemble(decoder, word, 0n)))
  const lines = taken.map(({ word }) => disassemble(decoder, word, 0n))
  const words = inTemporaryDirectory((directory) => {
    const source = join(directory, 'lines.s')
    const object = join(directory, 'lines.o')
    const binary = join(directory, 'lines.bin')
    writeFileSync(source, `.arch armv8.5-a+crypto+fp16\n${lines.join('\n')}\n`)
    const as = spawnSync('aarch64-linux-gnu-as', ['-o', object, source], { encoding: 'utf8' })
    const messages = as.stderr.split('\n').filter((l) => l.includes('Error'))
    expect(messages.map((l) => `${lines[Number(/:(\d+):/.exec(l)?.[1]) - 2]}: ${l.replace(/.*Error: /, '')}`)).toEqual(
      [],
    )
    spawnSync('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', object, binary])
    const dump = spawnSync('cat', [binary]).stdout
    return Array.from({ length: dump.length >> 2 }, (_, i) => dump.readUInt32LE(4 * i))
  })
  const wrong = taken.flatMap(({ word }, i) => {
    const other = words[i]!
    return other === word || isRedundant(word, other)
      ? []
      : [`${lines[i]}: ${word.toString(16)}, GNU as ${other.toString(16)}`]
  })
  expect(words.length).toBe(taken.length)
  expect(wrong).toEqual([])
})
