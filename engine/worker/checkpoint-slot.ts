import type { Checkpoint } from '../machine/checkpoint.ts'

/** What of a Machine the slot needs. */
export interface CheckpointedMachine {
  readonly instructions: number
  checkpoint(): Checkpoint
  restore(checkpoint: Checkpoint): void
}

/** The event log that goes with it. */
export interface CheckpointedLog {
  readonly total: number
  /** @returns makes the log what it is now */
  save(): () => void
}

/** Where a restored machine is. */
export interface Restored {
  readonly instructions: number
  /** Sequence number of the newest event; those above it have not happened. */
  readonly events: number
}

/** One kept moment of a machine and of its event log: the start state of a lesson. */
export class CheckpointSlot {
  private kept: { readonly machine: Checkpoint; readonly log: () => void; readonly at: Restored } | null = null
  private readonly listeners: (() => void)[] = []

  constructor(
    private readonly machine: CheckpointedMachine,
    private readonly log: CheckpointedLog,
  ) {}

  /** Calls back after each `restore`: whoever derived something from the machine looks again, or forgets it. */
  onRestore(listener: () => void): void {
    this.listeners.push(listener)
  }

  /** Keep the present moment, instead of the one kept before. Between slices only. @returns its instruction count */
  keep(): number {
    const { instructions } = this.machine
    this.kept = null
    const events = this.log.total
    this.kept = { machine: this.machine.checkpoint(), log: this.log.save(), at: { instructions, events } }
    return instructions
  }

  /** Go back to the kept moment; it stays kept. Between slices only. @returns null when none is kept */
  restore(): Restored | null {
    const { kept } = this
    if (kept === null) return null
    this.machine.restore(kept.machine)
    kept.log()
    for (const listener of this.listeners) listener()
    return kept.at
  }
}
