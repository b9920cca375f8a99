/** An invariant fell: the machine stands where it fell, the page says so, and the event and its page are pointed at. */
import { create } from 'zustand'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { notify } from '../machine-control.ts'
import { addFallen, forgetFallen, keepFallen, useFallen } from './fallen-store.ts'
import { inspection } from './inspection-client.ts'
import { openEvent } from './inspector-store.ts'

export interface ViolationState {
  /** Whether machines pause where an invariant falls. */
  pause: boolean
}

export const useViolations = create<ViolationState>(() => ({ pause: true }))

export function setPauseOnViolation(on: boolean): void {
  useViolations.setState({ pause: on })
  inspection.pauseOnViolation(on)
}

/** While `work` is done machines pause where an invariant falls, or do not; afterwards it is as the learner has it. */
export async function withPauseOnViolation<T>(on: boolean, work: () => Promise<T>): Promise<T> {
  const wanted = useViolations.getState().pause
  setPauseOnViolation(on)
  try {
    return await work()
  } finally {
    setPauseOnViolation(wanted)
  }
}

/** Begins to listen; once for the page's life. */
export function watchViolations(): void {
  inspection.watchStart(forgetFallen)
  inspection.watchEnd(forgetFallen)
  inspection.watchRestore(keepFallen)
  inspection.watchViolations(events => {
    const [first] = events
    if (first === undefined) return
    const { pause } = useViolations.getState()
    const before = useFallen.getState().events
    addFallen(events)
    if (pause) {
      openEvent(first)
      notify({
        message: `An invariant fell: ${rule(first)}`,
        hint: `${particulars(first, events.length - 1)} The machine is paused right there; Resume lets it go on.`,
      })
      return
    }
    // Whoever lets the machine go on is not carried from page to page: the first is pointed at, and the others counted.
    const [oldest] = useFallen.getState().events
    if (oldest === undefined) return
    if (before.length === 0) openEvent(oldest)
    notify({
      message: `An invariant fell: ${rule(oldest)}`,
      hint: `${particulars(oldest, before.length + events.length - 1)} The machine goes on.`,
    })
  })
}

function rule({ details, text }: LabEvent): string {
  return details.means ?? text
}

/** Which page, what is so, which instruction stored, and for whom. @param others how many fell besides */
function particulars({ details, text, pc, symbol }: LabEvent, others: number): string {
  const what = text.slice(details.means === undefined ? 0 : details.means.length).trim()
  const cause = details.cause === undefined ? '' : `, on behalf of ${details.cause}`
  const more =
    others === 0
      ? ''
      : others === 1
        ? ' Another rule or page fell after it: see the events.'
        : ` ${others} more fell after it: see the events.`
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}. Stored at ${pc}${symbol === '' ? '' : ` by ${symbol}`}${cause}.${more}`
}
