import { useLayout } from './layout-store.ts'
import { DOCK_PANELS } from './panels.tsx'
import { Tabs } from './tabs.tsx'

/** Lists of what the machine did and is made of, one at a time. The others stay alive behind it. */
export function Dock(props: { timeline: boolean }) {
  const tabs = DOCK_PANELS.filter(tab => props.timeline || tab.id !== 'timeline')
  const wished = useLayout(state => state.dock)
  const chosen = tabs.some(tab => tab.id === wished) ? wished : 'events'
  return (
    <section className="dock" aria-label="What the machine did">
      <Tabs
        label="Lists"
        className="of-dock"
        stops
        tabs={tabs}
        chosen={chosen}
        onChoose={dock => useLayout.setState({ dock })}
      />
    </section>
  )
}
