/** An invariant fell: the machine stands where it fell, the page says so, and the event and its page are pointed at. */
import { create } from 'zustand'
import { notify } from '../machine-control.ts'
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

/** Begins to listen; once for the page's life. */
export function watchViolations(): void {
  inspection.watchViolations(events => {
    const [first] = events
    if (first === undefined) return
    openEvent(first)
    const more = events.length > 1 ? ` ${events.length - 1} more fell with it.` : ''
    const where = first.symbol === '' ? '' : ` Stored by ${first.symbol}${first.details.cause === undefined ? '' : `, ${first.details.cause}`}.`
    notify({
      message: `An invariant fell: ${first.text}.${where}`,
      hint: `${more} ${useViolations.getState().pause ? 'The machine is paused right there; its page is shown in the map.' : ''}`.trim(),
    })
  })
}
