import { spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Batch, compare, type Difference, evaluated, makeBatch, translated } from './compare.ts'

/**
 * Every row of the table, evaluated and translated, against qemu-aarch64: registers, flags, FPSR and memory after random sequences.
 * PKVM_DIFF_SEQUENCES sets the number of sequences, PKVM_DIFF_SEED the seed (printed).
 */
const total = Number(process.env.PKVM_DIFF_SEQUENCES ?? 3000)
const seed = Number(process.env.PKVM_DIFF_SEED ?? 20260)
const BATCH = 4000
const qemu = spawnSync('qemu-aarch64', ['--version']).status === 0
if (!qemu) console.warn('SKIPPED: qemu-aarch64 is not installed (Debian package qemu-user), nothing was compared')

/** Run the program under qemu-aarch64. @returns what it wrote. */
function reference(batch: Batch, folder: string): Uint8Array {
  const program = join(folder, 'program')
  const output = join(folder, 'output')
  writeFileSync(program, batch.image, { mode: 0o755 })
  const out = openSync(output, 'w')
  const run = spawnSync('qemu-aarch64', ['-cpu', 'max', program], { stdio: ['ignore', out, 'pipe'] })
  closeSync(out)
  if (run.status !== 0) throw new Error(`qemu-aarch64: ${run.signal ?? run.status} ${run.stderr.toString()}`)
  return new Uint8Array(readFileSync(output))
}

it.skipIf(!qemu)(`agrees with qemu-aarch64 on ${total} sequences (seed ${seed})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pkvm-lab-differential-'))
  const differences: Difference[] = []
  let blocks = 0
  let leftToTier0 = 0
  const tag = (tier: string) => (d: Difference) => ({ ...d, row: `${tier}: ${d.row}` })
  try {
    for (let done = 0; done < total; done += BATCH) {
      const batch = makeBatch(seed + done, Math.min(BATCH, total - done), done)
      const theirs = reference(batch, folder)
      differences.push(...compare(batch, evaluated(batch), theirs).map(tag('tier 0')))
      const outcomes = translated(batch, (count, left) => {
        blocks += count
        leftToTier0 += left
      })
      differences.push(...compare(batch, outcomes, theirs).map(tag('tier 1')))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  console.log(
    `differential: ${total} sequences, seed ${seed}, ${differences.length} differences; tier 1: ${blocks} blocks, ` +
      `${leftToTier0} instructions left to tier 0`,
  )
  expect(differences.slice(0, 20).map((d) => `${d.row}: ${d.words}: ${d.what}`)).toEqual([])
})
