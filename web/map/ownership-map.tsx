import { useEffect } from 'react'
import type { OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import { Segments } from '../components/segments.tsx'
import { count } from '../format.ts'
import { useFallen } from '../inspector/fallen-store.ts'
import { useLab } from '../store.ts'
import { LanesView } from './lanes-view.tsx'
import { followMachine, foldAll, type MapView, setView, useMap } from './map-store.ts'
import { Overview } from './overview.tsx'
import { RunsTable } from './runs-table.tsx'

/** Who owns each page, live. */
export function OwnershipMap() {
  const frame = useMap(state => state.frame)
  const view = useMap(state => state.view)
  const runs = useMap(state => state.runs)
  useEffect(followMachine, [])
  return (
    <section className="map" aria-labelledby="map-title">
      <header className="panel-head map-head">
        <h2 id="map-title">Memory</h2>
        <span className="aside" data-testid="map-counts">
          {frame === null
            ? ''
            : typeof view === 'number'
              ? `${count(runs.reduce((sum, run) => sum + (run.page === null ? 0 : run.count), 0))} pages of VM 0x${view.toString(16)}, by its own addresses`
              : `${count(frame.pages)} pages, ${count(runs.length)} runs`}
        </span>
        {frame !== null && <Controls frame={frame} />}
        <Legend />
      </header>
      {frame === null ? (
        <Waiting />
      ) : (
        <>
          {frame.why !== null && <Unknown why={frame.why} />}
          <Overview frame={frame} />
          {view === 'table' ? <RunsTable frame={frame} /> : <LanesView frame={frame} />}
        </>
      )}
    </section>
  )
}

function Legend() {
  const fallen = useFallen(state => state.events.length > 0)
  return (
    <ul className="map-legend" aria-label="Legend">
      <li className="k-host">host</li>
      <li className="k-hyp">hypervisor</li>
      <li className="k-vm">protected VM</li>
      <li className="k-nvm">normal VM</li>
      <li className="k-shared">borrowed</li>
      <li className="k-gap">no right</li>
      <li className="k-moved">just changed</li>
      {fallen && <li className="k-fallen">invariant fell</li>}
    </ul>
  )
}

function Waiting() {
  const state = useLab(now => now.machine.state)
  return (
    <p className="map-empty">
      {state === 'empty'
        ? 'When a machine runs, each of its pages is shown here: whose it is, who may use it, and what for. All of it is read from the machine’s own memory.'
        : 'Reading the kernel’s symbols and types.'}
    </p>
  )
}

/** What can and cannot be known, in a sentence. */
function Unknown(props: { why: string }) {
  const sentence = props.why.charAt(0).toUpperCase() + props.why.slice(1).replace(/\.$/, '')
  return (
    <p className="map-why" data-testid="map-why">
      {sentence}. Owners are not known; the places below are what the boot loader and the kernel’s own symbols say.
    </p>
  )
}

const STATES: readonly [string, string][] = [
  ['state:host', 'Host owns'],
  ['state:hyp', 'Hypervisor owns'],
  ['state:vm', 'A VM owns'],
  ['state:shared', 'Shared or borrowed'],
  ['state:unknown', 'Unknown'],
]

function Controls(props: { frame: OwnershipFrame }) {
  const { frame } = props
  const view = useMap(state => state.view)
  const filter = useMap(state => state.filter)
  const open = useMap(state => state.open)
  const views: { value: string; label: string }[] = [
    { value: 'lanes', label: 'Map' },
    { value: 'table', label: 'Table' },
    ...frame.vms.filter(vm => vm.pagesOwned + vm.pagesShared + vm.pagesBorrowed > 0).map(vm => ({ value: String(vm.handle), label: `VM 0x${vm.handle.toString(16)}` })),
  ]
  const regions = [...new Set(frame.regions.map(region => region.name))].sort()
  const handles = [...new Set(frame.vms.map(vm => vm.handle))]
  return (
    <div className="map-controls">
      <Segments
        label="View of memory"
        value={String(view)}
        choices={views}
        onChoose={value => setView((value === 'lanes' || value === 'table' ? value : Number(value)) as MapView)}
      />
      <label className="map-filter">
        <span className="unseen">Highlight</span>
        <select value={filter} onChange={event => useMap.setState({ filter: event.target.value })}>
          <option value="all">Highlight: everything</option>
          <optgroup label="State">
            {STATES.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </optgroup>
          {handles.length > 0 && (
            <optgroup label="VM">
              {handles.map(handle => (
                <option key={handle} value={`vm:0x${handle.toString(16)}`}>
                  VM 0x{handle.toString(16)}
                </option>
              ))}
            </optgroup>
          )}
          <optgroup label="Use">
            {regions.map(name => (
              <option key={name} value={`region:${name}`}>
                {name}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      {open.size > 0 && (
        <button type="button" className="link" onClick={foldAll}>
          Fold all
        </button>
      )}
    </div>
  )
}
