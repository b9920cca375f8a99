import { create } from 'zustand'

/** Panels of the dock, at the right below: the tab's title and the command's. Their contents are in `panels.tsx`. */
export const DOCK_TABS = {
  timeline: { title: 'Timeline', command: 'Show the timeline' },
  events: { title: 'Events', command: 'Show the events' },
  trace: { title: 'Trace', command: 'Show the script’s trace' },
  vms: { title: 'VMs', command: 'Show the virtual machines' },
  truth: { title: 'Outcomes', command: 'Show what the four combinations do' },
  probe: { title: 'Answers', command: 'Show the probe’s answers' },
  boot: { title: 'Boot', command: 'Show the moments of the boot' },
  hypercall: { title: 'Hypercall', command: 'Show the hypercalls made by hand' },
  kconfig: { title: 'Kconfig', command: 'Show the kernel’s configuration' },
} as const
export type DockTab = keyof typeof DOCK_TABS

/** At the left below: what the learner writes, what the machine says. Commands of their own lead there. */
export const LOW_TABS = {
  code: { title: 'Code' },
  console: { title: 'Console' },
} as const
export type LowTab = keyof typeof LOW_TABS

/** The left column. */
export const SIDE_TABS = {
  machine: { title: 'Machine', command: 'Show the machine’s settings' },
  lessons: { title: 'Lessons', command: 'Show the lessons' },
} as const
export type SideTab = keyof typeof SIDE_TABS

/** What of the page is open where. Sizes of panels are kept by the panels themselves. */
export interface LayoutState {
  dock: DockTab
  low: LowTab
  side: SideTab
  /** Code was opened since the page was; its panel stays from then on. */
  codeOpened: boolean
  /** Whether the left column is shown; null leaves it to the room there is. */
  settings: boolean | null
  /** Grows when the panels are put back to their first places. */
  epoch: number
}

export const useLayout = create<LayoutState>(() => ({
  dock: 'boot',
  low: 'console',
  side: 'machine',
  codeOpened: false,
  settings: null,
  epoch: 0,
}))

export function showLow(low: LowTab): void {
  useLayout.setState(state => ({ low, codeOpened: state.codeOpened || low === 'code' }))
}

/** Shows the left column with one of its panels. */
export function showSide(side: SideTab): void {
  useLayout.setState({ side, settings: true })
}

interface Resizable {
  getSize(): { asPercentage: number; inPixels: number }
  resize(size: string): void
}

/** Panels whose size commands change; set by the workspace. */
export const sizes: { lowerRow: Resizable | null; code: Resizable | null; side: Resizable | null } = {
  lowerRow: null,
  code: null,
  side: null,
}

/** Gives the row below at least half of the height, and code more than half of the row. */
export function makeRoomForCode(): void {
  heightenLowerRow(50)
  atLeast(sizes.code, 58)
}

/** Makes the row below at least so high, in percent. */
export function heightenLowerRow(percent: number): void {
  atLeast(sizes.lowerRow, percent)
}

/** Gives the left column the width of a line of text that reads well, where the window has it, and code some lines. */
export function makeRoomForLesson(): void {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  const wished = Math.min(29 * rem, window.innerWidth * 0.36)
  if (sizes.side !== null && sizes.side.getSize().inPixels < wished) sizes.side.resize(`${Math.round(wished)}px`)
  atLeast(sizes.lowerRow, 42)
  atLeast(sizes.code, 55)
}

function atLeast(panel: Resizable | null, percent: number): void {
  if (panel !== null && panel.getSize().asPercentage < percent) panel.resize(`${percent}%`)
}

/** Panels back to the sizes the page began with. */
export function resetLayout(): void {
  try {
    for (const key of Object.keys(localStorage))
      if (key.includes('pkvm-lab.') && !key.includes('theme')) localStorage.removeItem(key)
  } catch {
    // Nothing was kept.
  }
  useLayout.setState(state => ({ epoch: state.epoch + 1, settings: null }))
}
