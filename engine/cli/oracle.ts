/** Running things from tests: kernels at hand, the lab's command, QEMU as the oracle. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { compareVersions } from './kernel-supply.ts'
import { factIn, withoutInterruptions } from '../../lessons/init/facts.ts'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))
const kernels = join(projectRoot, '.cache', 'kernels')

/** Path of the newest Image of a series such as `7.2`, or undefined when none was fetched. */
export function kernelOf(series: string): string | undefined {
  if (!existsSync(kernels)) return undefined
  const version = readdirSync(kernels)
    .filter((v) => v.startsWith(`${series}.`))
    .sort((a, b) => compareVersions(b, a))[0]
  return version === undefined ? undefined : join(kernels, version, 'Image')
}

export const haveQemu = spawnSync('which', ['qemu-system-aarch64']).status === 0

/** Say loudly why tests are skipped. @returns `missing`, for `describe.skipIf`. */
export function skipLoudly(missing: boolean, what: string): boolean {
  if (missing) console.warn(`SKIPPED: ${what}`)
  return missing
}

export interface Run {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function collect(program: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: projectRoot })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (d: Buffer) => (stdout += d.toString('latin1')))
    child.stderr.on('data', (d: Buffer) => (stderr += d.toString('latin1')))
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

/** `pkvm-lab` with these arguments. */
export function lab(...args: string[]): Promise<Run> {
  return collect(process.execPath, [join(projectRoot, 'engine/cli/pkvm-lab.mjs'), ...args])
}

/** QEMU's `virt` machine with EL2 and a CPU without VHE. */
export function qemu(kernel: string, initrd: string, append: string): Promise<Run> {
  return collect('qemu-system-aarch64', [
    '-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'cortex-a72', '-m', '512', '-nic', 'none', '-nographic', '-no-reboot',
    '-kernel', kernel, '-initrd', initrd, '-append', append,
  ])
}

let directory: string | undefined
let initrd: Promise<string> | undefined
afterAll(() => {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
})

/** The lab's initrd, built once for a test file and gone after its last test. */
export function labInitrd(): Promise<string> {
  initrd ??= buildLabInitrd()
  return initrd
}

async function buildLabInitrd(): Promise<string> {
  directory = mkdtempSync(join(tmpdir(), 'pkvm-lab-initrd-'))
  const path = join(directory, 'initrd.cpio')
  const built = await lab('initrd', path)
  if (built.status !== 0) throw new Error(`pkvm-lab initrd: ${built.stderr}`)
  return path
}

/** The probe's `key=value` lines, in order. */
export function facts(console: string): string[] {
  return withoutInterruptions(console).split('\n').flatMap((line) => {
    const fact = factIn(line)
    return fact === null ? [] : [`${fact.key}=${fact.value}`]
  })
}
