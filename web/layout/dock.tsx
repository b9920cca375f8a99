import { type KeyboardEvent, type ReactNode, useId, useRef } from 'react'
import { Answers } from '../components/answers.tsx'
import { BootRail } from '../components/boot-rail.tsx'
import { EventList } from '../inspector/event-list.tsx'
import { Timeline } from '../inspector/timeline.tsx'
import { VmTable } from '../inspector/vm-table.tsx'
import { KconfigPanel } from '../switches/kconfig-panel.tsx'
import { TruthTable } from '../switches/truth-table.tsx'
import { DOCK_TABS, type DockTab, useLayout } from './layout-store.ts'

const TABS: Readonly<Record<DockTab, { title: string; content: ReactNode }>> = {
  timeline: { title: 'Timeline', content: <Timeline /> },
  events: { title: 'Events', content: <EventList /> },
  vms: { title: 'VMs', content: <VmTable /> },
  truth: { title: 'Outcomes', content: <TruthTable /> },
  probe: { title: 'Answers', content: <Answers /> },
  boot: { title: 'Boot', content: <BootRail /> },
  kconfig: { title: 'Kconfig', content: <KconfigPanel /> },
}

/** Lists of what the machine did and is made of, one at a time. The others stay alive behind it. */
export function Dock(props: { timeline: boolean }) {
  const tabs = DOCK_TABS.filter(tab => props.timeline || tab !== 'timeline')
  const wished = useLayout(state => state.dock)
  const chosen = tabs.includes(wished) ? wished : 'events'
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.indexOf(chosen)
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
    if (next === undefined) return
    event.preventDefault()
    const tab = tabs[(next + tabs.length) % tabs.length] as DockTab
    useLayout.setState({ dock: tab })
    list.current?.querySelector<HTMLElement>(`[data-tab-name="${tab}"]`)?.focus()
  }
  return (
    <section className="dock" aria-label="What the machine did">
      <div className="dock-tabs" role="tablist" aria-label="Lists" ref={list} onKeyDown={onKeyDown}>
        {tabs.map(tab => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`${id}-${tab}`}
            data-tab-name={tab}
            aria-selected={tab === chosen}
            aria-controls={`${id}-${tab}-panel`}
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => useLayout.setState({ dock: tab })}
          >
            {TABS[tab].title}
          </button>
        ))}
      </div>
      {tabs.map(tab => (
        <div
          key={tab}
          role="tabpanel"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that scrolls must be reachable by key
          tabIndex={0}
          className="dock-panel"
          id={`${id}-${tab}-panel`}
          aria-labelledby={`${id}-${tab}`}
          hidden={tab !== chosen}
        >
          {TABS[tab].content}
        </div>
      ))}
    </section>
  )
}
