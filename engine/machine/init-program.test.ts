import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { assemble } from '../isa/assemble.ts'
import { allRows } from '../isa/table.ts'
import { InitSourceError, buildInitProgram, buildInitrd } from './init-program.ts'

const directory = fileURLToPath(new URL('../../lessons/init/', import.meta.url))
const sources = Object.fromEntries(
  readdirSync(directory)
    .filter((f) => f.endsWith('.s'))
    .map((f) => [f, readFileSync(join(directory, f), 'utf8')]),
)

describe('the init program', () => {
  it('is a static executable of two segments, no page with both W and X', () => {
    const elf = buildInitProgram(sources)
    const view = new DataView(elf.buffer)
    expect([...elf.subarray(0, 6)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1])
    expect(view.getUint16(16, true)).toBe(2)
    expect(view.getUint16(18, true)).toBe(183)
    const headers = Array.from({ length: view.getUint16(56, true) }, (_, i) => {
      const at = 64 + 56 * i
      const number = (offset: number): number => Number(view.getBigUint64(at + offset, true))
      return {
        type: view.getUint32(at, true),
        flags: view.getUint32(at + 4, true),
        offset: number(8),
        address: number(16),
        file: number(32),
        memory: number(40),
      }
    })
    expect(headers.map((h) => [h.type, h.flags])).toEqual([
      [1, 5],
      [1, 6],
    ])
    for (const h of headers) {
      expect(h.offset % 4096).toBe(h.address % 4096)
      expect(h.offset + h.file).toBeLessThanOrEqual(elf.length)
      expect(h.memory).toBeGreaterThanOrEqual(h.file)
    }
    const entry = Number(view.getBigUint64(24, true))
    expect(entry).toBeGreaterThanOrEqual(headers[0]!.address)
    expect(entry).toBeLessThan(headers[0]!.address + headers[0]!.file)
  })

  it('comes out the same each time', () => {
    expect(buildInitrd({ sources })).toEqual(buildInitrd({ sources }))
  })

  it('says where a source is wrong', () => {
    const broken = { ...sources, 'probe.s': `${sources['probe.s']}\n  frob x0\n` }
    expect(() => buildInitProgram(broken)).toThrow(InitSourceError)
    expect(() => buildInitProgram(broken)).toThrow(/probe\.s:\d+:3: unknown instruction 'frob'/)
    expect(() => buildInitProgram({})).toThrow('init.s is missing')
  })
})

const binutils = spawnSync('aarch64-linux-gnu-as', ['--version']).status === 0
if (!binutils) console.warn('SKIPPED: comparison with GNU binutils, aarch64-linux-gnu-as is not installed')

it.skipIf(!binutils)('has the instructions that GNU as makes of the same sources', () => {
  const work = mkdtempSync(join(tmpdir(), 'pkvm-lab-'))
  try {
    const object = join(work, 'init.o')
    const program = join(work, 'init')
    const binary = join(work, 'text.bin')
    for (const command of [
      ['aarch64-linux-gnu-as', '-o', object, 'init.s'],
      ['aarch64-linux-gnu-ld', '-static', '-Ttext=0x400000', '-o', program, object],
      ['aarch64-linux-gnu-objcopy', '-O', 'binary', '-j', '.text', program, binary],
    ]) {
      const { status, stderr } = spawnSync(command[0]!, command.slice(1), { cwd: directory, encoding: 'utf8' })
      expect(stderr).toBe('')
      expect(status).toBe(0)
    }
    const theirs = readFileSync(binary)
    const ours = assemble(sources['init.s']!, {
      file: 'init.s',
      origin: 0x400000n,
      rows: allRows,
      include: (f) => sources[f],
    })
    let compared = 0
    for (const line of ours.listing) {
      const at = Number(line.address) - 0x400000
      if (at >= ours.sections[0]!.size || /^[=.]/.test(line.text) || line.bytes.length !== 4) continue
      // Data lies elsewhere, and GNU as makes a MOV of `ldr xN, =small`.
      if (/\b(adr|ldr\s+[wx]\d+, =)|:lo12:/.test(line.text)) continue
      const word = new DataView(line.bytes.buffer, line.bytes.byteOffset).getUint32(0, true)
      expect(theirs.readUInt32LE(at).toString(16), `${line.position.file}:${line.position.line} ${line.text}`).toBe(
        word.toString(16),
      )
      compared++
    }
    expect(compared).toBeGreaterThan(500)
  } finally {
    rmSync(work, { recursive: true })
  }
})
