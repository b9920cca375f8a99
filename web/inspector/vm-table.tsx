import { useEffect, useState } from 'react'
import type { OwnershipFrame, VmSummary } from '../../engine/worker/inspection-protocol.ts'
import { count, hex } from '../format.ts'
import { useInspection } from '../inspection-store.ts'
import { inspection } from './inspection-client.ts'
import { setPauseOnVms, useInspector } from './inspector-store.ts'

const PAGE = 4096
const HERTZ = 4

/** The hypervisor's own table of VMs. Normal ones are in it too. */
export function VmTable() {
  const [frame, setFrame] = useState<OwnershipFrame | null>(null)
  useEffect(() => {
    const ends = [inspection.watchOwnership(HERTZ, setFrame), inspection.watchStart(() => setFrame(null)), inspection.watchEnd(() => setFrame(null))]
    return () => {
      for (const end of ends) end()
    }
  }, [])
  return <VmRows frame={frame} />
}

export function VmRows(props: { frame: OwnershipFrame | null }) {
  const { frame } = props
  const vms = frame?.vms ?? []
  return (
    <section className="vm-table" aria-labelledby="vms-title">
      <header className="panel-head">
        <h2 id="vms-title">Virtual machines</h2>
        <span className="aside">as the hypervisor’s table has them</span>
        <PauseOnVms />
      </header>
      {vms.length === 0 ? (
        <p className="remark">{frame === null ? 'The table is read once a machine runs.' : (frame.why ?? 'The hypervisor knows no VM now.')}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key
        <section className="vm-scroll" tabIndex={0} aria-label="Table of virtual machines">
          <table>
            <thead>
              <tr>
                <th scope="col">handle</th>
                <th scope="col">kind</th>
                <th scope="col">vCPUs</th>
                <th scope="col" title="Pages that are the VM’s alone">
                  owned
                </th>
                <th scope="col" title="Pages of the VM that the host may use too">
                  shared
                </th>
                <th scope="col" title="Pages of the host that the VM uses">
                  borrowed
                </th>
                <th scope="col" title="Pages that the host took back by force">
                  poisoned
                </th>
              </tr>
            </thead>
            <tbody>
              {vms.map(vm => {
                const first = frame?.guest.find(page => page.handle === vm.handle)
                return (
                  <tr key={vm.handle} className={vm.state === 'reserved' ? 'reserved' : vm.protected ? 'vm' : 'nvm'}>
                    <th scope="row" className="mono">
                      {frame !== null && first !== undefined ? (
                        <button
                          type="button"
                          className="link"
                          title={`Go to its page with gfn ${hex(first.gfn)}`}
                          onClick={() => useInspection.getState().select(frame.ramBase + first.page * PAGE)}
                        >
                          {hex(vm.handle)}
                        </button>
                      ) : (
                        hex(vm.handle)
                      )}
                    </th>
                    <td>{kindOf(vm)}</td>
                    <td>
                      {vm.vcpus.length === 0
                        ? 'none yet'
                        : vm.vcpus.map(vcpu => (
                            <span key={vcpu.index} className="vcpu" title={`pc ${vcpu.pc}`}>
                              {vcpu.index}: {vcpu.loaded ? 'loaded' : 'at rest'}
                            </span>
                          ))}
                    </td>
                    {[vm.pagesOwned, vm.pagesShared, vm.pagesBorrowed, vm.pagesPoisoned].map((pages, column) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: the columns are fixed
                      <td key={column} className={pages === 0 ? 'mono number zero' : 'mono number'}>
                        {count(pages)}
                      </td>
                    ))}
                  </tr>
                )
              })}
            </tbody>
          </table>
        </section>
      )}
    </section>
  )
}

/** A VM of the probe lives for milliseconds: the machine can stop for the learner to look. */
function PauseOnVms() {
  const on = useInspector(state => state.pauseOnVms)
  return (
    <label className="follow">
      <input type="checkbox" checked={on} onChange={event => setPauseOnVms(event.target.checked)} />
      Pause when it changes
    </label>
  )
}

/** A slot that is only reserved does not say yet what it will hold. */
function kindOf(vm: VmSummary): string {
  if (vm.state === 'reserved') return 'reserved'
  return `${vm.protected ? 'protected' : 'normal'}${vm.state === 'dying' ? ', dying' : ''}`
}
