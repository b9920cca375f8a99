/** Every lesson of the curriculum on every kernel at hand: `pkvm-lab lesson test`, one test for each row of its table. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lab } from '../../engine/cli/oracle.ts'

interface Report {
  readonly trials: readonly { lesson: string; kernel: string; attempt: string; ok: boolean; faults: readonly string[] }[]
  readonly malformed: readonly { lesson: string; problems: readonly string[] }[]
  readonly missing: readonly string[]
}

const directory = mkdtempSync(join(tmpdir(), 'pkvm-lab-lessons-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const run = await lab('lesson', 'test', '-json', join(directory, 'report.json'))
const report = (): Report => JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')) as Report

describe('the curriculum', () => {
  it('was tested', () => {
    expect(run.stderr).toBe('')
    expect(run.stdout).toMatch(/proven/)
    for (const sentence of report().missing) console.warn(`SKIPPED: ${sentence}`)
    expect(report().malformed).toEqual([])
  })

  if (run.status === 0 || run.status === 1) {
    for (const { lesson, kernel, attempt, faults } of report().trials) {
      it(`${lesson} on ${kernel}: ${attempt}`, () => expect(faults).toEqual([]))
    }
  }
})
