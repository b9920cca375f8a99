/**
 * A system that was just built is booted once where nobody sees it. The browser compiles the lab's own code only as it
 * is used: without a rehearsal the first boot of a small system takes twice as long as the second.
 */
import type { SystemSources } from '../machine/assembled-system.ts'
import type { MachineFactory, RunnableMachine } from './session.ts'

/** mini-pKVM and its first program are there after about 100,000 instructions. */
const INSTRUCTIONS = 150_000
/** About two milliseconds, so that a message hardly waits. */
const SLICE = 5_000
/** What the page offers first, so that the first boot may get this machine's memory. */
const SETTINGS = { append: 'console=ttyAMA0 kvm-arm.mode=protected', ramMiB: 512, crypto: false }

const UNSEEN = { console: () => {}, agent: () => {}, hash: () => {}, milestone: () => {} }

export class Rehearsal {
  private machine: RunnableMachine | null = null

  /** @param system one that assembles */
  constructor(factory: MachineFactory, system: SystemSources) {
    try {
      const settings = SETTINGS
      this.machine = factory.create({ type: 'load', image: system, initrd: null, settings, milestones: [], hashAt: [] }, UNSEEN)
    } catch {
      // Too large for the memory there is, or for this browser: whoever boots it is told.
    }
  }

  /** Goes on for a moment. @returns whether there is more to do */
  step(): boolean {
    const { machine } = this
    if (machine === null) return false
    try {
      const { stop } = machine.run(SLICE)
      if (stop === 'budget' && machine.instructions < INSTRUCTIONS) return true
    } catch {
      // What is wrong with this system its boot will tell.
    }
    this.end()
    return false
  }

  end(): void {
    this.machine?.release?.()
    this.machine = null
  }
}
