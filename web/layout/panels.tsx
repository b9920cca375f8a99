import type { ReactNode } from 'react'
import { Answers } from '../components/answers.tsx'
import { BootRail } from '../components/boot-rail.tsx'
import { Console } from '../components/console.tsx'
import { Setup } from '../components/setup.tsx'
import { CodePanel } from '../editor/code-panel.tsx'
import { HypercallPanel } from '../hypercall/hypercall-panel.tsx'
import { EventList } from '../inspector/event-list.tsx'
import { Timeline } from '../inspector/timeline.tsx'
import { VmTable } from '../inspector/vm-table.tsx'
import { LessonsPanel } from '../lessons/lessons-panel.tsx'
import { TracePanel } from '../script/trace-panel.tsx'
import { KconfigPanel } from '../switches/kconfig-panel.tsx'
import { TruthTable } from '../switches/truth-table.tsx'
import { DOCK_TABS, type DockTab, LOW_TABS, type LowTab, SIDE_TABS, type SideTab } from './layout-store.ts'
import type { Tab } from './tabs.tsx'

/*
 * What stands where. A panel is added with one line in `layout-store.ts` (its id and titles, which also makes its
 * command) and one here (its content).
 */

const DOCK: Readonly<Record<DockTab, ReactNode>> = {
  timeline: <Timeline />,
  events: <EventList />,
  trace: <TracePanel />,
  vms: <VmTable />,
  truth: <TruthTable />,
  probe: <Answers />,
  boot: <BootRail />,
  hypercall: <HypercallPanel />,
  kconfig: <KconfigPanel />,
}

const LOW: Readonly<Record<LowTab, ReactNode>> = {
  code: <CodePanel />,
  console: <Console />,
}

const SIDE: Readonly<Record<SideTab, ReactNode>> = {
  machine: <Setup />,
  lessons: <LessonsPanel />,
}

function tabsOf<T extends string>(
  titles: Readonly<Record<T, { title: string }>>,
  contents: Readonly<Record<T, ReactNode>>,
): Tab<T>[] {
  return (Object.keys(titles) as T[]).map(id => ({ id, title: titles[id].title, content: contents[id] }))
}

export const DOCK_PANELS = tabsOf(DOCK_TABS, DOCK)
export const LOW_PANELS = tabsOf(LOW_TABS, LOW)
export const SIDE_PANELS = tabsOf(SIDE_TABS, SIDE)
