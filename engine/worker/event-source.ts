import { EventLog, type LoggedMachine } from '../inspect/events/event-log.ts'
import { InvariantChecker } from '../inspect/invariants/checker.ts'
import type { KernelData } from '../inspect/kernel-data.ts'
import type { EventSource } from './inspection.ts'
import type { GateState, LabEvent } from './inspection-protocol.ts'

/** A log as the page's questions need it, and what the gate has to tell it. */
export interface LoggedEvents extends EventSource {
  /** The learner has flipped the option. */
  gateSet(gate: GateState): void
  /** A protected VM was refused, at the present instruction. */
  gateRefused(): void
  /** Rules that fell since this was last asked (`inspect/invariants`); the machine's slice ended with the first. */
  takeViolations(): LabEvent[]
  /** To go with a checkpoint of the machine. @returns makes the log what it is now */
  save(): () => void
}

/** Starts a log of this machine; before its first instruction, so that nothing is missed. */
export function logEvents(machine: LoggedMachine & { stop(): void }, kernel: KernelData): LoggedEvents {
  const log = new EventLog(machine, kernel)
  const checker = new InvariantChecker(machine, kernel)
  let told = 0
  let fallen = 0
  log.checker = {
    stayEnded(report) {
      const found = checker.stayEnded(report)
      fallen += found.length
      if (found.length > 0) machine.stop()
      return found
    },
  }
  return {
    after: (sequence, limit) => log.after(sequence, limit),
    ofPage: physical => log.history(physical),
    get total() {
      return log.total
    },
    get dropped() {
      return log.dropped
    },
    takeViolations() {
      if (fallen === 0) return []
      fallen = 0
      const events = log.after(told).filter(event => event.kind === 'violation')
      told = log.total
      return events
    },
    gateSet: ({ option }) => log.gateSet(option),
    gateRefused: () => log.gateRefused(),
    save() {
      const saved = log.save()
      return () => {
        log.restore(saved)
        checker.clear()
        told = Math.min(told, log.total)
        fallen = 0
      }
    },
  }
}
