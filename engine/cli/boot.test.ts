import { describe, expect, it } from 'vitest'
import { type Run, facts, haveQemu, kernelOf, lab, labInitrd, qemu, skipLoudly } from './oracle.ts'

const BASE = 'console=ttyAMA0 cryptomgr.notests'
const MODES = { absent: BASE, none: `${BASE} kvm-arm.mode=none`, nvhe: `${BASE} kvm-arm.mode=nvhe`, protected: `${BASE} kvm-arm.mode=protected` }

async function boot(kernel: string, append: string): Promise<Run> {
  return lab('run', '-kernel', kernel, '-initrd', await labInitrd(), '-append', append)
}

for (const series of ['7.2', '7.3']) {
  const kernel = kernelOf(series)
  describe.skipIf(skipLoudly(kernel === undefined, `no ${series} kernel in .cache/kernels (npx pkvm-lab kernel fetch ${series})`))(`Linux ${series}`, () => {
    it('comes up protected, makes a protected VM, and the host is refused its memory', async () => {
      const run = await boot(kernel!, MODES.protected)
      expect(run.stderr).toBe('')
      expect(run.stdout).toContain('Protected nVHE mode initialized successfully')
      expect(run.stdout).toContain('protected VMs are experimental')
      const f = Object.fromEntries(facts(run.stdout).map((l) => l.split(/=(.*)/s) as [string, string]))
      expect(f).toMatchObject({ 'vm.normal.create': 'fd', 'vm.normal.taint': '0', 'vm.protected.create': 'fd', 'vm.protected.taint': '64' })
      expect(f['vm.protected.host_read']).toMatch(/^SIGSEGV/)
      expect(run.status).toBe(0)
    })

    describe.skipIf(skipLoudly(!haveQemu, 'no qemu-system-aarch64 to compare with (Debian: qemu-system-arm)'))('agrees with QEMU', () => {
      for (const [mode, append] of Object.entries(MODES)) {
        it(`mode ${mode}`, async () => {
          const ours = facts((await boot(kernel!, append)).stdout)
          const theirs = facts((await qemu(kernel!, await labInitrd(), append)).stdout)
          expect(ours.at(-1)).toBe('probe=done')
          expect(ours).toEqual(theirs)
        })
      }
    })
  })
}
