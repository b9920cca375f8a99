/**
 * A system that was just built is booted, and built again, where nobody sees it. The browser compiles the lab's own code
 * only as it is used: without a rehearsal the first boot of a small system takes twice as long as the second.
 */
import { buildSystem, type SystemSources } from '../machine/assembled-system.ts'
import type { MachineFactory, RunnableMachine } from './session.ts'

/** What runs three times the browser has compiled well. */
const BOOTS = 3
/** mini-pKVM comes to its first program, which it does not find, after about 90,000 instructions. */
const INSTRUCTIONS = 150_000
/** About two milliseconds, so that a message hardly waits. */
const SLICE = 5_000
/** What the page offers first, so that the first boot may get this machine's memory. */
const SETTINGS = { append: 'console=ttyAMA0 kvm-arm.mode=protected', ramMiB: 512, crypto: false }

const UNSEEN = { console: () => {}, agent: () => {}, hash: () => {}, milestone: () => {} }

export class Rehearsal {
  private machine: RunnableMachine | null = null
  private left = BOOTS

  /** @param system one that assembles */
  constructor(
    private readonly factory: MachineFactory,
    private readonly system: SystemSources,
  ) {}

  /** Goes on for a moment. @returns whether there is more to do */
  step(): boolean {
    try {
      this.machine ??= this.boot()
      const { stop } = this.machine.run(SLICE)
      if (stop !== 'budget' || this.machine.instructions >= INSTRUCTIONS) this.end()
    } catch {
      // Too large for this browser, or wrong in itself: whoever boots it in earnest is told.
      this.left = 0
      this.end()
    }
    const more = this.machine !== null || this.left > 0
    // Last, what the next change of a line takes.
    if (!more) buildSystem(this.system)
    return more
  }

  private boot(): RunnableMachine {
    this.left--
    return this.factory.create({ type: 'load', image: this.system, initrd: null, settings: SETTINGS, milestones: [], hashAt: [] }, UNSEEN)
  }

  end(): void {
    this.machine?.release?.()
    this.machine = null
  }
}
