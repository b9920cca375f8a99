import { create } from 'zustand'
import type { Answer, LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { useInspection } from '../inspection-store.ts'
import { inspection, MachineGoneError, type Resolution } from './inspection-client.ts'

export interface InspectorState {
  /** The event whose particulars are shown. */
  event: LabEvent | null
  /** Its particulars make room when another page is pointed at; its line stays. */
  folded: boolean
  /** The last address asked for, and where it led. */
  answer: { text: string; answer: Answer<Resolution> } | null
  /** Whether the event list stays at its newest end. */
  follow: boolean
  /** Whether the machine pauses when the table of VMs changes. */
  pauseOnVms: boolean
}

export const useInspector = create<InspectorState>(() => ({ event: null, folded: false, answer: null, follow: true, pauseOnVms: false }))

export function setPauseOnVms(on: boolean): void {
  useInspector.setState({ pauseOnVms: on })
  inspection.pauseOnVms(on)
}

/** The event that the next machine is to stop at. What was pointed at then stays. */
let revisited: LabEvent | null = null

inspection.watchStart(() => {
  if (revisited === null) pointAtNothing()
  revisited = null
})

inspection.watchEnd(() => {
  revisited = null
  pointAtNothing()
})

inspection.watchRestore(events => {
  const { event } = useInspector.getState()
  if (event !== null && event.sequence > events) useInspector.setState({ event: null, folded: false, follow: true })
})

function pointAtNothing(): void {
  useInspector.setState({ event: null, folded: false, answer: null, follow: true })
  useInspection.getState().select(null)
}

/** Prepares the next machine, made of the same parts, to pause right after an event of this one. */
export function revisit(event: LabEvent): void {
  revisited = event
  inspection.pauseNextAt(event.instructions + 1)
}

/** Shows an event, and the page it is about. */
export function openEvent(event: LabEvent | null): void {
  useInspector.setState({ event, folded: false, ...(event === null ? {} : { follow: false }) })
  if (event?.physical !== undefined) useInspection.getState().select(event.physical)
}

useInspection.subscribe((now, before) => {
  const about = useInspector.getState().event?.physical
  if (now.selectedPage === before.selectedPage || now.selectedPage === null) return
  if (about === undefined || about - (about % 4096) !== now.selectedPage) useInspector.setState({ folded: true })
})

/** Finds what a text names and selects its page. What was found, or why nothing was, is kept for the inspector to show. */
export async function goTo(text: string): Promise<void> {
  const wanted = text.trim()
  if (wanted === '') return
  try {
    const answer = await inspection.resolve(wanted)
    useInspector.setState({ answer: { text: wanted, answer } })
    if (answer.known) useInspection.getState().select(answer.value.physical)
  } catch (error) {
    if (!(error instanceof MachineGoneError)) throw error
    useInspector.setState({ answer: { text: wanted, answer: { known: false, why: error.message } } })
  }
}
