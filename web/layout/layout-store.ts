import { create } from 'zustand'

export const DOCK_TABS = ['timeline', 'events', 'vms', 'truth', 'probe', 'boot', 'kconfig'] as const
export type DockTab = (typeof DOCK_TABS)[number]

/** What of the page is open where. Sizes of panels are kept by the panels themselves. */
export interface LayoutState {
  dock: DockTab
  /** Whether the column of settings is shown; null leaves it to the room there is. */
  settings: boolean | null
  /** Grows when the panels are put back to their first places. */
  epoch: number
}

export const useLayout = create<LayoutState>(() => ({ dock: 'boot', settings: null, epoch: 0 }))

/** Panels back to the sizes the page began with. */
export function resetLayout(): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.includes('pkvm-lab.') && !key.includes('theme')) localStorage.removeItem(key)
  } catch {
    // Nothing was kept.
  }
  useLayout.setState(state => ({ epoch: state.epoch + 1, settings: null }))
}
