import { useEffect, useRef } from 'react'
import { count, shortCount } from '../format.ts'
import { MILESTONES } from '../milestones.ts'
import { useLab } from '../store.ts'

/** The boot as steps: each is a kernel function, lit when the machine first executes it. */
export function BootRail() {
  const reached = useLab(state => state.milestones)
  const counts = MILESTONES.map(milestone => reached[milestone.symbol])
  const done = counts.filter(entry => entry !== undefined).length
  const last = counts.findLastIndex(entry => entry !== undefined)
  const steps = useRef<HTMLOListElement>(null)
  // Keeps the newest step in view where the rail scrolls by itself; where it is laid out whole, the page stays put.
  useEffect(() => {
    const list = steps.current
    const step = last < 0 ? null : list?.children[last]
    if (list === null || !(step instanceof HTMLElement) || list.scrollHeight <= list.clientHeight) return
    const below = step.offsetTop + step.offsetHeight - list.offsetTop - list.clientHeight
    if (below > list.scrollTop) list.scrollTop = below
  }, [last])
  return (
    <section className="rail" aria-labelledby="rail-title">
      <header className="panel-head">
        <h2 id="rail-title">Boot</h2>
        <span className="aside">
          {done} of {MILESTONES.length} moments
        </span>
      </header>
      <div
        className="rail-progress"
        role="progressbar"
        aria-label="Boot progress"
        aria-valuemin={0}
        aria-valuemax={MILESTONES.length}
        aria-valuenow={done}
      >
        <i style={{ inlineSize: `${(100 * (last + 1)) / MILESTONES.length}%` }} />
      </div>
      <ol className="steps" ref={steps}>
        {MILESTONES.map((milestone, index) => {
          const at = counts[index]
          const standing = at !== undefined ? (index === last ? 'now' : 'done') : index < last ? 'passed' : 'ahead'
          return (
            <li key={milestone.symbol} className={`step ${standing}`} data-symbol={milestone.symbol} data-el={at?.exceptionLevel}>
              <div className="step-line">
                <span className="step-title">{milestone.title}</span>
                {at !== undefined && (
                  <span className="step-count" title={`${count(at.instructions)} instructions`}>
                    {shortCount(at.instructions)}
                  </span>
                )}
                {standing === 'passed' && <span className="step-count">not on this path</span>}
              </div>
              <code className="step-symbol">{milestone.symbol.replace('__kvm_nvhe_', 'hyp: ')}</code>
              <p className="step-meaning">{milestone.meaning}</p>
            </li>
          )
        })}
      </ol>
      <footer className="rail-key">
        <span className="key el2">EL2, hypervisor</span>
        <span className="key el1">EL1, kernel</span>
        <span>counts are instructions</span>
      </footer>
    </section>
  )
}
