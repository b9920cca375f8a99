import { EventLog, type LoggedMachine } from '../inspect/events/event-log.ts'
import type { KernelData } from '../inspect/kernel-data.ts'
import type { EventSource } from './inspection.ts'
import type { GateState } from './inspection-protocol.ts'

/** A log as the page's questions need it, and what the gate has to tell it. */
export interface LoggedEvents extends EventSource {
  /** The learner has flipped the option. */
  gateSet(gate: GateState): void
  /** A protected VM was refused, at the present instruction. */
  gateRefused(): void
  /** To go with a checkpoint of the machine. @returns makes the log what it is now */
  save(): () => void
}

/** Starts a log of this machine; before its first instruction, so that nothing is missed. */
export function logEvents(machine: LoggedMachine, kernel: KernelData): LoggedEvents {
  const log = new EventLog(machine, kernel)
  return {
    after: (sequence, limit) => log.after(sequence, limit),
    ofPage: physical => log.history(physical),
    get total() {
      return log.total
    },
    get dropped() {
      return log.dropped
    },
    gateSet: ({ option }) => log.gateSet(option),
    gateRefused: () => log.gateRefused(),
    save() {
      const saved = log.save()
      return () => log.restore(saved)
    },
  }
}
