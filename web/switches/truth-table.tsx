import { useEffect, useRef } from 'react'
import { kvmModeOf } from '../command-line.ts'
import { runCommand } from '../commands.ts'
import { taintOf } from '../probe-facts.ts'
import { useLab } from '../store.ts'
import { combination, SWITCH_COMMANDS } from './switch-commands.ts'
import { optionValue, useSwitches } from './switch-store.ts'
import { type Outcome, type TruthRow, truthRows, verdict } from './truth.ts'

/** What each setting of the two switches led to, as far as it has been tried: nothing is foretold. */
export function TruthTable() {
  const outcomes = useSwitches(state => state.outcomes)
  const option = useSwitches(optionValue)
  const mode = useLab(state => kvmModeOf(state.choice.append))
  const rows = truthRows(outcomes, mode)
  const tried = rows.filter(row => row.outcome !== null).length
  return (
    <section className="truth" aria-labelledby="truth-title">
      <header className="panel-head">
        <h2 id="truth-title">What the switches decide</h2>
        <span className="aside">
          {tried === 0 ? 'fills in as you boot with each combination' : `${tried} of ${rows.length} combinations tried`}
        </span>
        {tried > 0 && (
          <button type="button" className="link" onClick={() => runCommand(SWITCH_COMMANDS.clearTruth)}>
            {SWITCH_COMMANDS.clearTruth.title}
          </button>
        )}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section className="truth-scroll" tabIndex={0} aria-label="Outcome of each combination of the two switches">
        <table>
          <thead>
            <tr>
              <th scope="col">kvm-arm.mode</th>
              <th scope="col">
                UAPI <span className="unseen">option</span>
              </th>
              <th scope="col">Normal VM</th>
              <th scope="col">Protected VM</th>
              <th scope="col">Taint</th>
              <th scope="col">
                <span className="unseen">Set the switches so</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(row => (
              <Row key={row.key} row={row} chosen={row.mode === mode && row.option === option} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}

function Row({ row, chosen }: { row: TruthRow; chosen: boolean }) {
  const { mode, option, outcome } = row
  const taint = outcome?.taint ?? null
  const set = combination(mode, option)
  const line = useRef<HTMLTableRowElement>(null)
  useEffect(() => {
    const row = line.current
    const box = row?.closest('.truth-scroll')
    if (!chosen || !row || !box) return
    // Only this list may scroll, not the panels around it.
    const end = row.offsetTop + row.offsetHeight
    if (row.offsetTop < box.scrollTop || end > box.scrollTop + box.clientHeight) box.scrollTop = end - box.clientHeight
  }, [chosen])
  return (
    <tr ref={line} data-row={row.key} aria-current={chosen ? 'true' : undefined}>
      <th scope="row" className="mono">
        {mode}
      </th>
      <td className="mono">{option}</td>
      <Answer outcome={outcome} type="normal" />
      <Answer outcome={outcome} type="protected" />
      <td className={taint !== null && taint !== '0' ? 'mono tainted' : 'mono'}>{taint === null ? '–' : taintOf(taint)}</td>
      <td>
        {chosen ? (
          <span className="chosen-now">set now</span>
        ) : (
          <button type="button" className="link" aria-label={set.title} onClick={() => runCommand(set)}>
            set so
          </button>
        )}
      </td>
    </tr>
  )
}

const SIGNS = { created: '●', refused: '✕', impossible: '⊘', unknown: '' } as const

function Answer({ outcome, type }: { outcome: Outcome | null; type: 'normal' | 'protected' }) {
  const { kind, word, because } = verdict(outcome, type)
  return (
    <td data-type={type} data-verdict={kind} title={outcome === null ? undefined : outcome.kernel}>
      {SIGNS[kind] !== '' && <span aria-hidden="true">{SIGNS[kind]} </span>}
      {word}
      {because !== '' && <small className="mono">{because}</small>}
    </td>
  )
}
