import type { Command } from '../commands.ts'
import { foldAll, setView, useMap } from '../map/map-store.ts'
import { DOCK_TABS, type DockTab, resetLayout, SIDE_TABS, type SideTab, showSide, useLayout } from './layout-store.ts'

const always = () => true

export const SETTINGS = {
  id: 'view.settings',
  title: 'Left column: show or hide',
  key: 'Alt+Shift+KeyS',
  keyLabel: 'Alt ⇧ S',
  enabled: always,
  run: () => useLayout.setState({ settings: document.querySelector('.side') === null }),
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
  {
    id: 'map.showAll',
    title: 'Highlight everything on the map',
    enabled: always,
    run: () => useMap.setState({ filter: 'all' }),
  },
  {
    id: 'map.showShared',
    title: 'Highlight shared and borrowed pages',
    enabled: always,
    run: () => useMap.setState({ filter: 'state:shared' }),
  },
  {
    id: 'map.showVms',
    title: 'Highlight pages that VMs own',
    enabled: always,
    run: () => useMap.setState({ filter: 'state:vm' }),
  },
  ...(Object.keys(DOCK_TABS) as DockTab[]).map(
    (dock): Command => ({
      id: `view.${dock}`,
      title: DOCK_TABS[dock].command,
      enabled: always,
      run: () => useLayout.setState({ dock }),
    }),
  ),
  ...(Object.keys(SIDE_TABS) as SideTab[]).map(
    (side): Command => ({
      id: `view.${side}`,
      title: SIDE_TABS[side].command,
      enabled: always,
      run: () => showSide(side),
    }),
  ),
  SETTINGS,
  { id: 'view.resetPanels', title: 'Put all panels back', enabled: always, run: resetLayout },
]
