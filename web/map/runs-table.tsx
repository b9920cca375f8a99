import { useState } from 'react'
import type { OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import { count } from '../format.ts'
import { useInspection } from '../inspection-store.ts'
import { fallenWords, useFallen } from '../inspector/fallen-store.ts'
import { sizeLabel } from './folding.ts'
import { useMap } from './map-store.ts'
import { matches, ownerWords, PAGE_BYTES, STATE_NAMES } from './runs.ts'

/** Rows shown at first, and more at each wish: a badly scattered memory has thousands of runs. */
const STEP = 300

/** The map as a table: the same runs, the same filter. */
export function RunsTable(props: { frame: OwnershipFrame }) {
  const { frame } = props
  const runs = useMap(state => state.runs)
  const filter = useMap(state => state.filter)
  const selected = useInspection(state => state.selectedPage)
  const fallen = useFallen(state => state.byPage)
  const [limit, setLimit] = useState(STEP)
  const found = runs.filter(run => matches(run, filter))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key
    <section className="runs-table" tabIndex={0} aria-label="Memory as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Pages</th>
            <th scope="col">Owner</th>
            <th scope="col">Host</th>
            <th scope="col">Hypervisor</th>
            <th scope="col">Guest</th>
            <th scope="col">Use</th>
            {fallen.size > 0 && <th scope="col">Invariant</th>}
          </tr>
        </thead>
        <tbody>
          {found.slice(0, limit).map(run => {
            const physical = frame.ramBase + run.start * PAGE_BYTES
            const broken = run.count === 1 && run.page !== null ? fallen.get(frame.ramBase + run.page * PAGE_BYTES) : undefined
            const has = selected !== null && selected >= physical && selected < physical + run.count * PAGE_BYTES
            return (
              <tr key={run.start} className={has ? 'selected' : undefined}>
                <th scope="row">
                  <button type="button" className="link mono" onClick={() => useInspection.getState().select(physical)}>
                    0x{physical.toString(16)}
                  </button>
                </th>
                <td className="number">
                  {count(run.count)}
                  {run.count >= 1000 && <small> {sizeLabel(run.count)}</small>}
                </td>
                <td>{ownerWords(run)}</td>
                <td className="mono">{STATE_NAMES[run.host]}</td>
                <td className="mono">{STATE_NAMES[run.hyp]}</td>
                <td>
                  {run.guest === null ? '' : `VM 0x${run.guest.handle.toString(16)} ${run.guest.borrowed ? 'borrows' : 'owns'}, gfn 0x${run.guest.gfn.toString(16)}`}
                </td>
                <td>{run.region}</td>
                {fallen.size > 0 && <td className="fallen">{broken === undefined ? '' : `fell: ${fallenWords(broken)}`}</td>}
              </tr>
            )
          })}
        </tbody>
      </table>
      {found.length > limit && (
        <button type="button" className="button" onClick={() => setLimit(limit + STEP)}>
          {count(found.length - limit)} more
        </button>
      )}
    </section>
  )
}
