import { create } from 'zustand'

/** What the learner points at. The map, the event list, the timeline and the inspector share it. */
export interface InspectionState {
  /** Physical address of the first byte of the selected page. */
  selectedPage: number | null
  /** Selects the page that holds a physical address; null selects nothing. */
  select(physical: number | null): void
}

const PAGE = 4096

export const useInspection = create<InspectionState>(set => ({
  selectedPage: null,
  select: physical => set({ selectedPage: physical === null ? null : physical - (physical % PAGE) }),
}))
