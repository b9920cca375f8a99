import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { facts, kernelOf, lab, labInitrd, skipLoudly } from './oracle.ts'

const APPEND = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'
const directory = mkdtempSync(join(tmpdir(), 'pkvm-lab-gate-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The probe's facts of one boot, by key. */
async function probe(kernel: string, ...options: string[]): Promise<{ known: Record<string, string>; console: string; status: number | null; stderr: string }> {
  const run = await lab('run', '-kernel', kernel, '-initrd', await labInitrd(), '-append', APPEND, ...options)
  const known = Object.fromEntries(facts(run.stdout).map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]))
  return { known, console: run.stdout, status: run.status, stderr: run.stderr }
}

for (const series of ['7.2', '7.3']) {
  const kernel = kernelOf(series)
  describe.skipIf(skipLoudly(kernel === undefined, `no ${series} kernel in .cache/kernels (npx pkvm-lab kernel fetch ${series})`))(`Linux ${series} in protected mode`, () => {
    it('with PROTECTED_VM_UAPI=n refuses protected VMs, without taint, and makes normal ones', async () => {
      const { known, console, status, stderr } = await probe(kernel!, '-gate', 'n')
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(known).toMatchObject({ 'kvm.open': 'fd', 'vm.normal.create': 'fd', 'vm.protected.create': 'EINVAL', 'vm.protected.taint': '0' })
      expect(known['vm.normal.mmio.data']).toBeDefined()
      expect(known['vm.protected.mmio.data']).toBeUndefined()
      // pKVM itself is up: only the creation is refused.
      expect(console).toMatch(/Protected nVHE mode initialized/)
      expect(console).not.toMatch(/protected VMs are experimental/)
    })

    it('with PROTECTED_VM_UAPI=y is the kernel as it is', async () => {
      const { known } = await probe(kernel!, '-gate', 'y', '-until', '^vm.protected.taint=')
      expect(known).toMatchObject({ 'vm.normal.create': 'fd', 'vm.protected.create': 'fd', 'vm.protected.taint': '64' })
    })
  })
}

const any = kernelOf('7.3') ?? kernelOf('7.2')
describe.skipIf(skipLoudly(any === undefined, 'no kernel in .cache/kernels'))('a kernel without symbols', () => {
  it('is named as the reason why the option cannot be reproduced', async () => {
    const image = new Uint8Array(readFileSync(any!)).fill(0, 4 << 20)
    const path = join(directory, 'Image')
    writeFileSync(path, image)
    const run = await lab('run', '-kernel', path, '-gate', 'n', '-max-instructions', '1000')
    expect(run.status).toBe(2)
    expect(run.stderr).toMatch(/PROTECTED_VM_UAPI=n cannot be reproduced: .*kallsyms/)
    expect(run.stderr.trim().split('\n').length).toBe(1)
  })
})

it('-gate knows y and n', async () => {
  const run = await lab('run', '-kernel', 'x', '-gate', 'm')
  expect(run.status).toBe(2)
  expect(run.stderr).toMatch(/y or n, not "m"/)
})
