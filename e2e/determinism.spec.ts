import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { button, consoleText, fetchedKernels, needKernel, openLab, waitForState } from './lab-page.ts'

const COUNTS = [1_000_000, 100_000_000, 400_000_000]
const APPEND = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'

interface Run {
  console: string
  hashes: { instructions: number; hash: string }[]
}

/** The same kernel, initrd and command line under the headless command. */
function runInNode(version: string): Run {
  const directory = mkdtempSync(join(tmpdir(), 'pkvm-lab-'))
  const initrd = join(directory, 'initrd')
  const kernel = join(process.env.PKVM_LAB_CACHE ?? '.cache', 'kernels', version, 'Image')
  const lab = (...args: string[]) =>
    spawnSync(process.execPath, ['engine/cli/pkvm-lab.mjs', ...args], { encoding: 'utf8', maxBuffer: 64 << 20 })
  try {
    const built = lab('initrd', initrd)
    expect(built.status, built.stderr).toBe(0)
    const run = lab('run', '-kernel', kernel, '-initrd', initrd, '-append', APPEND, '-hash-at', COUNTS.join(','))
    expect(run.status, run.stderr).toBe(0)
    const hashes = [...run.stderr.matchAll(/^hash (\d+) (\S+)$/gm)].map(([, count, hash]) => ({
      instructions: Number(count),
      hash: hash ?? '',
    }))
    return { console: run.stdout, hashes }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('Chromium and Node give the same console bytes and the same registers and RAM, and so does a second run', async ({
  page,
}) => {
  needKernel()
  test.setTimeout(600_000)
  const version = fetchedKernels()[0] ?? ''
  const node = runInNode(version)
  expect(node.hashes.map(entry => entry.instructions)).toEqual(COUNTS)
  await openLab(page, `?hash-at=${COUNTS.join(',')}`)
  for (const time of ['first', 'second']) {
    await button(page, 'Boot').click()
    await waitForState(page, 'Running', 60_000)
    if (time === 'second') {
      // When the outside world looks in must not matter.
      await button(page, 'Pause').click()
      await waitForState(page, 'Paused', 30_000)
      await button(page, 'Resume').click()
    }
    await waitForState(page, 'Powered off')
    expect(await page.evaluate(() => window.pkvmLab.hashes())).toEqual(node.hashes)
    expect(await consoleText(page)).toBe(node.console)
  }
})
