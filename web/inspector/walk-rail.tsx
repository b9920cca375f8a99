import type { WalkStepView, WalkView } from '../../engine/worker/inspection-protocol.ts'
import { hex } from '../format.ts'

/** A table walk as the hardware does it: one step below the other, each with the entry it read. */
export function WalkRail(props: { walk: WalkView; label: string; outcome?: string }) {
  const { walk, label, outcome } = props
  // Named where stage 1 leads into stage 2; one regime alone is named by the heading.
  const several = walk.steps.some(step => step.regime !== walk.steps[0]?.regime)
  return (
    <div className="walk">
      <ol aria-label={label}>
        {walk.steps.map((step, index) => (
          <li key={step.entryAddress} className={index === walk.steps.length - 1 ? `walk-step last ${outcome ?? ''}` : 'walk-step'}>
            {several && step.regime !== walk.steps[index - 1]?.regime && <p className="regime">{step.regime}</p>}
            <Step step={step} />
          </li>
        ))}
      </ol>
      <p className="walk-result">{walk.result}</p>
    </div>
  )
}

function Step(props: { step: WalkStepView }) {
  const { step } = props
  return (
    <details>
      <summary>
        <span className="mono place">
          L{step.level}[{step.index}]
        </span>{' '}
        <span className="mono entry">{step.entry}</span> <span className="kind">{step.kind}</span>
      </summary>
      <dl className="pairs">
        <dt>table</dt>
        <dd className="mono">{hex(step.tableAddress)}</dd>
        <dt>entry at</dt>
        <dd className="mono">{hex(step.entryAddress)}</dd>
        {step.fields.map(field => (
          <div key={field.name} className="pair">
            <dt className="mono">{field.name}</dt>
            <dd>
              <span className="mono">{field.value}</span> <span className="meaning">{field.meaning}</span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
