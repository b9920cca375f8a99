import type { ReactNode } from 'react'
import { Group, Panel, type PanelImperativeHandle, Separator, useDefaultLayout } from 'react-resizable-panels'
import { BeforeBoot } from '../components/console.tsx'
import { NoticeStrip } from '../components/notice-strip.tsx'
import { CodeToolbar } from '../editor/code-toolbar.tsx'
import { Inspector } from '../inspector/inspector.tsx'
import { Timeline } from '../inspector/timeline.tsx'
import { OwnershipMap } from '../map/ownership-map.tsx'
import { useLab } from '../store.ts'
import { Dock } from './dock.tsx'
import { type LowTab, showLow, sizes, useLayout } from './layout-store.ts'
import { LOW_PANELS, SIDE_PANELS } from './panels.tsx'
import { useRoom } from './room.ts'
import { Tabs } from './tabs.tsx'

/**
 * The panels under the top bar. Left, over the whole height: what the machine is made of, and lessons. Middle: memory,
 * and under it time. Right: what was pointed at. Below: what the learner writes and what the machine says, and lists of
 * what it did. Every line between them can be moved, by pointer and by arrow keys, and stays where it was put. On narrow
 * screens the same panels stand in one column.
 */
export function Workspace() {
  const epoch = useLayout(state => state.epoch)
  const room = useRoom()
  const { settings } = room
  return (
    <main className="workspace">
      <Split
        key={epoch}
        id={settings ? 'frame' : 'frame-without-side'}
        orientation="horizontal"
        panels={settings ? ['settings', 'rest'] : ['rest']}
      >
        {settings && (
          <>
            <Panel
              id="settings"
              defaultSize={room.tight ? '18.5rem' : '21rem'}
              minSize="240px"
              maxSize="45%"
              groupResizeBehavior="preserve-pixel-size"
              className="hold p-settings"
              panelRef={holdSide}
            >
              <Side />
            </Panel>
            <Handle label="Width of the left column" />
          </>
        )}
        <Panel id="rest" minSize="45%" className="hold">
          <Rows tight={room.tight} timelineUnderMap={room.timelineUnderMap} />
        </Panel>
      </Split>
    </main>
  )
}

/** Memory, time and what was pointed at; below them code, console and lists. */
function Rows(props: { tight: boolean; timelineUnderMap: boolean }) {
  return (
    <Split id="rows" orientation="vertical" panels={['upper', 'lower']}>
      <Panel id="upper" minSize="220px" className="hold">
        <Split id="columns" orientation="horizontal" panels={['centre', 'detail']}>
          <Panel id="centre" minSize="300px" className="hold p-centre">
            <div className="stage">
              <NoticeStrip />
              <Centre timeline={props.timelineUnderMap} />
            </div>
          </Panel>
          <Handle label="Width of the inspector" />
          <Panel
            id="detail"
            defaultSize={props.tight ? '19rem' : '22rem'}
            minSize="220px"
            maxSize="45%"
            groupResizeBehavior="preserve-pixel-size"
            className="hold p-detail"
          >
            <div className="detail">
              <Inspector />
            </div>
          </Panel>
        </Split>
      </Panel>
      <Handle label="Height of the lower panels" />
      <Panel id="lower" defaultSize="32%" minSize="120px" className="hold" panelRef={holdLowerRow}>
        <Split id="dock" orientation="horizontal" panels={['console', 'tabs']}>
          <Panel id="console" minSize="260px" className="hold p-console" panelRef={holdCode}>
            <Low />
          </Panel>
          <Handle label="Width of code and console" />
          <Panel id="tabs" minSize="260px" defaultSize="54%" className="hold p-tabs">
            <Dock timeline={!props.timelineUnderMap} />
          </Panel>
        </Split>
      </Panel>
    </Split>
  )
}

function holdSide(panel: PanelImperativeHandle | null): void {
  sizes.side = panel
}

function holdLowerRow(panel: PanelImperativeHandle | null): void {
  sizes.lowerRow = panel
}

function holdCode(panel: PanelImperativeHandle | null): void {
  sizes.code = panel
}

function Side() {
  const chosen = useLayout(state => state.side)
  return (
    <div className="side" data-side={chosen}>
      <Tabs
        label="Left column"
        className="of-side"
        tabs={SIDE_PANELS}
        chosen={chosen}
        onChoose={side => useLayout.setState({ side })}
      />
    </div>
  )
}

const LOW_ASIDES: Readonly<Record<LowTab, ReactNode>> = {
  code: <CodeToolbar />,
  console: <span className="aside">ttyAMA0 · a PL011 at 0x09000000 · what you type goes to the guest</span>,
}

function Low() {
  const chosen = useLayout(state => state.low)
  return (
    <div className="low" data-low={chosen}>
      <Tabs
        label="Code and console"
        className="of-low"
        tabs={LOW_PANELS}
        chosen={chosen}
        onChoose={showLow}
        aside={LOW_ASIDES[chosen]}
      />
    </div>
  )
}

/** Memory over time; before there is a machine, an invitation in their place. */
function Centre(props: { timeline: boolean }) {
  const off = useLab(state => ['empty', 'fetching', 'building'].includes(state.machine.state))
  return (
    <div className={off ? 'centre off' : 'centre'}>
      {off && <BeforeBoot />}
      <Split
        id={props.timeline ? 'over' : 'over-alone'}
        orientation="vertical"
        panels={props.timeline ? ['map', 'timeline'] : ['map']}
      >
        <Panel id="map" minSize="180px" className="hold p-map">
          <OwnershipMap />
        </Panel>
        {props.timeline && <Handle label="Height of the timeline" />}
        {props.timeline && (
          <Panel
            id="timeline"
            defaultSize="10.75rem"
            minSize="90px"
            maxSize="60%"
            groupResizeBehavior="preserve-pixel-size"
            className="hold p-timeline"
          >
            <Timeline />
          </Panel>
        )}
      </Split>
    </div>
  )
}

function Split(props: { id: string; orientation: 'horizontal' | 'vertical'; panels: string[]; children: ReactNode }) {
  const { defaultLayout, onLayoutChanged } = useDefaultLayout({
    id: `pkvm-lab.${props.id}`,
    panelIds: props.panels,
    storage: SAFE_STORAGE,
    onlySaveAfterUserInteractions: true,
  })
  return (
    <Group
      id={props.id}
      className={`group ${props.orientation}`}
      orientation={props.orientation}
      defaultLayout={defaultLayout}
      onLayoutChanged={onLayoutChanged}
    >
      {props.children}
    </Group>
  )
}

function Handle(props: { label: string }) {
  return <Separator className="handle" aria-label={props.label} />
}

/** Storage can be switched off; the panels then keep their places as long as the page lasts. */
const SAFE_STORAGE = {
  getItem(key: string): string | null {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  },
  setItem(key: string, value: string): void {
    try {
      localStorage.setItem(key, value)
    } catch {
      // As above.
    }
  },
}
