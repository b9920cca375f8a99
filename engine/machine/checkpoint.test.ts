import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { initSources } from '../cli/initrd-command.ts'
import { kernelOf, projectRoot, skipLoudly } from '../cli/oracle.ts'
import { EventLog } from '../inspect/events/event-log.ts'
import { buildInitrd } from './init-program.ts'
import { Machine } from './machine.ts'

const kernel = kernelOf('7.2') ?? kernelOf('7.3')
const APPEND = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'

/** Instructions from the checkpoint to where runs are compared. */
const FURTHER = 50_000_000

function start(tier1: boolean) {
  const text: string[] = []
  const image = readFileSync(kernel!)
  const machine = Machine.create({
    image,
    initrd: buildInitrd({ sources: initSources(projectRoot) }),
    append: APPEND,
    ramMiB: 256,
    tier1,
    console: (bytes) => text.push(...Array.from(bytes, (b) => String.fromCharCode(b))),
  })
  const log = new EventLog(machine, image)
  return { machine, log, text }
}

function runTo(machine: Machine, target: number): void {
  while (machine.instructions < target) {
    const { kind } = machine.run(target - machine.instructions)
    if (kind === 'idle') machine.skipIdle()
    else if (kind !== 'budget') return
  }
}

describe.skipIf(skipLoudly(kernel === undefined, 'no kernel in .cache/kernels (npx pkvm-lab kernel fetch)'))('a checkpoint', () => {
  it.each([
    // The second is amid the teardown of one VM and before the next is made; without translation less is run.
    { tier1: true, at: 100_000_000, further: FURTHER },
    { tier1: true, at: 508_150_001, further: 1_300_000 },
    { tier1: false, at: 12_000_000, further: 6_000_000 },
  ])('restores a run that goes on bit for bit: $at, translated: $tier1', ({ tier1, at, further }) => {
    const { machine, log, text } = start(tier1)
    runTo(machine, at)
    const kept = { machine: machine.checkpoint(), log: log.save(), console: text.length, hash: machine.hash() }

    /** From the checkpoint on, with this done on the way. */
    const goOn = (onTheWay: () => void = () => {}) => {
      runTo(machine, at + Math.floor(further / 2))
      onTheWay()
      runTo(machine, at + further)
      return {
        hash: machine.hash(),
        nanoseconds: machine.virtualNanoseconds,
        console: text.splice(kept.console).join(''),
        inputs: machine.inputLog.inputs.length,
        events: log.after(0),
        dropped: log.dropped,
        faults: [...log.faults],
        watched: [...machine.cpu.mmu.watchedPages].sort((a, b) => a - b),
      }
    }
    const back = () => {
      machine.restore(kept.machine)
      log.restore(kept.log)
      // What the console was given on the way is the reader's to forget.
      text.length = kept.console
      expect(machine.hash()).toBe(kept.hash)
      expect(machine.instructions).toBe(at)
    }
    const typed = () => {
      machine.receive(0, new TextEncoder().encode('typed while it boots\n'))
      machine.receive(1, Uint8Array.of(1, 2, 3))
    }

    const first = goOn()
    back()
    expect(goOn()).toEqual(first)
    back()
    const withInput = goOn(typed)
    expect(withInput.inputs).toBe(first.inputs + 2)
    back()
    // Another path: less far, other slices, a flipped switch, rubbish over RAM and registers.
    runTo(machine, at + 1_234_567)
    if (machine.gate.available) machine.setGate('n')
    machine.ram().fill(0xa5, 0, 0x300000)
    machine.cpu.state.x[7] = 77n
    back()
    expect(goOn()).toEqual(first)
    back()
    expect(goOn(typed)).toEqual(withInput)
  })

  it('is of a moment between slices, and brings milestones back', () => {
    const image = readFileSync(kernel!)
    const seen: string[] = []
    const machine = Machine.create({
      image,
      append: APPEND,
      ramMiB: 128,
      console: () => {},
      milestones: [{ name: 'entry', offset: 0 }],
      onMilestone: (name) => {
        seen.push(name)
        if (seen.length === 1) expect(() => machine.checkpoint()).toThrow(/between slices/)
      },
    })
    const start = machine.checkpoint()
    machine.run(1000)
    const later = machine.checkpoint()
    machine.restore(later)
    machine.run(1000)
    expect(seen).toEqual(['entry'])
    machine.restore(start)
    expect(machine.instructions).toBe(0)
    machine.run(1000)
    expect(seen).toEqual(['entry', 'entry'])
  })
})
