import { describe, expect, it } from 'vitest'
import { kernelOf, lab, labInitrd, skipLoudly } from '../cli/oracle.ts'

const COUNTS = '1000000,25000000,60000000'

const kernel = kernelOf('7.2') ?? kernelOf('7.3')

describe.skipIf(skipLoudly(kernel === undefined, 'no kernel in .cache/kernels (npx pkvm-lab kernel fetch)'))('one machine, one run', () => {
  async function run(...more: string[]) {
    const { stdout, stderr } = await lab(
      'run', '-kernel', kernel!, '-initrd', await labInitrd(), '-append', 'console=ttyAMA0 earlycon=pl011,0x9000000 kvm-arm.mode=protected',
      '-hash-at', COUNTS, '-max-instructions', '60000000', ...more,
    )
    return { stdout, hashes: stderr.split('\n').filter((l) => l.startsWith('hash ')) }
  }

  it('repeats bit for bit, whatever is translated', async () => {
    const first = await run()
    expect(first.hashes).toHaveLength(3)
    expect(first.stdout).toContain('Booting Linux')
    expect(await run()).toEqual(first)
    expect(await run('-tier0')).toEqual(first)
  })
})
