/** A machine that gets the memory of one before it is the same machine as one with a memory of its own. */
import { expect, it } from 'vitest'
import { initSources } from '../../engine/cli/initrd-command.ts'
import { miniDirectory, miniFiles } from '../../engine/cli/mini-command.ts'
import { projectRoot } from '../../engine/cli/oracle.ts'
import { buildSystem } from '../../engine/machine/assembled-system.ts'
import { buildInitrd } from '../../engine/machine/init-program.ts'
import { Machine } from '../../engine/machine/machine.ts'
import { configureSystem } from './system.ts'

const built = buildSystem(configureSystem(await miniFiles(miniDirectory(projectRoot))).system)
const initrd = buildInitrd({ sources: initSources(projectRoot) })
const MOMENTS = [50_000, 200_000, 1_000_000]

function boot(mode: string): { readonly machine: Machine; readonly hashes: string[] } {
  if (!built.ok) throw new Error('mini-pKVM does not assemble')
  const machine = Machine.create({ image: built.image, initrd, append: `console=ttyAMA0 kvm-arm.mode=${mode}`, ramMiB: 128, console: () => {} })
  const hashes = MOMENTS.map(moment => {
    while (machine.instructions < moment) {
      const stop = machine.run(moment - machine.instructions)
      if (stop.kind === 'off') break
      machine.skipIdle()
    }
    return machine.hash()
  })
  return { machine, hashes }
}

it.each(['protected', 'nvhe'])('boots after another as it does alone, %s', mode => {
  const alone = boot(mode)
  const { buffer } = alone.machine.ram()
  for (const before of ['protected', 'nvhe', 'none']) {
    const other = boot(before).machine
    other.release()
    const again = boot(mode)
    expect(again.machine.ram().buffer).toBe(other.ram().buffer)
    expect(again.machine.ram().buffer).not.toBe(buffer)
    expect(again.hashes).toEqual(alone.hashes)
  }
})

it('leaves nothing of the machine that was there', () => {
  const { machine } = boot('protected')
  const ram = machine.ram()
  expect(ram.some(byte => byte !== 0)).toBe(true)
  machine.release()
  expect(ram.some(byte => byte !== 0)).toBe(false)
  expect(machine.run(1000)).toEqual({ kind: 'off' })
})
