import type { Command } from '../commands.ts'
import { foldAll, setView, useMap } from '../map/map-store.ts'
import { DOCK_TABS, type DockTab, resetLayout, useLayout } from './layout-store.ts'

const always = () => true

const TITLES: Readonly<Record<DockTab, string>> = {
  timeline: 'Show the timeline',
  events: 'Show the events',
  vms: 'Show the virtual machines',
  truth: 'Show what the four combinations do',
  probe: 'Show the probe’s answers',
  boot: 'Show the moments of the boot',
  kconfig: 'Show the kernel’s configuration',
}

export const SETTINGS = {
  id: 'view.settings',
  title: 'Settings column: show or hide',
  key: 'Alt+Shift+KeyS',
  keyLabel: 'Alt ⇧ S',
  enabled: always,
  run: () => useLayout.setState({ settings: document.querySelector('.setup') === null }),
} satisfies Command

/** Commands about the screen itself. */
export const VIEW_COMMANDS: readonly Command[] = [
  {
    id: 'view.map',
    title: 'Go to the memory map',
    key: 'Alt+Shift+KeyM',
    keyLabel: 'Alt ⇧ M',
    enabled: always,
    run: () => {
      setView('lanes')
      requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-testid="memory-map"]')?.focus())
    },
  },
  { id: 'view.memoryTable', title: 'Memory as a table', enabled: always, run: () => setView('table') },
  { id: 'map.foldAll', title: 'Fold the whole map', enabled: always, run: foldAll },
  { id: 'map.showAll', title: 'Highlight everything on the map', enabled: always, run: () => useMap.setState({ filter: 'all' }) },
  { id: 'map.showShared', title: 'Highlight shared and borrowed pages', enabled: always, run: () => useMap.setState({ filter: 'state:shared' }) },
  { id: 'map.showVms', title: 'Highlight pages that VMs own', enabled: always, run: () => useMap.setState({ filter: 'state:vm' }) },
  ...DOCK_TABS.map((tab): Command => ({ id: `view.${tab}`, title: TITLES[tab], enabled: always, run: () => useLayout.setState({ dock: tab }) })),
  SETTINGS,
  { id: 'view.resetPanels', title: 'Put all panels back', enabled: always, run: resetLayout },
]
