import type { Check, LessonChecks } from '../../lessons/checks.ts'
import type { Lesson } from '../../lessons/format.ts'
import { Html } from './html.tsx'
import { renderInline, renderProse } from './prose.ts'
import type { CheckState, Side } from './progress.ts'

export type CheckMark = 'open' | 'passed' | 'failed' | 'broken'

/** What is known of a check: open before the first run, and while those before it have not passed. */
export function markOf(state: CheckState | undefined): CheckMark {
  if (state === undefined) return 'open'
  return state.passed ? 'passed' : state.broken ? 'broken' : 'failed'
}

/** The check that the learner is at: the first that a run has not passed. */
export function firstFailed({ checks }: LessonChecks, side: Side): Check | undefined {
  return checks.find(check => side.checks[check.id]?.passed === false)
}

/** What the machine is asked about one step. */
export function CheckList(props: { lesson: Lesson; checks: LessonChecks; step: string; side: Side }) {
  const { checks, step, side } = props
  const own = checks.checks.filter(check => check.step === step)
  if (own.length === 0) return null
  const first = firstFailed(checks, side)
  return (
    <div className="checks">
      <p className="label">Checked on the machine</p>
      <ul>
        {own.map(check => (
          <CheckLine key={check.id} check={check} state={side.checks[check.id]} first={check === first} />
        ))}
      </ul>
    </div>
  )
}

const WORDS: Readonly<Record<CheckMark, string>> = {
  open: 'not yet',
  passed: 'passed',
  failed: 'not passed',
  broken: 'broken',
}

function CheckLine({ check, state, first }: { check: Check; state: CheckState | undefined; first: boolean }) {
  const real = markOf(state)
  // The first that failed is explained; what comes after it is not at hand yet, and can be asked about.
  const mark = real === 'failed' && !first ? 'later' : real
  return (
    <li className="check" data-check={check.id} data-mark={mark} data-real={real}>
      <p className="check-title">
        <span className="check-mark" aria-hidden="true" />
        <Html html={renderInline(check.title)} />
        <span className="check-word">{mark === 'later' ? 'not yet' : WORDS[real]}</span>
      </p>
      {state !== undefined && !state.passed && (first || real === 'broken') && <Why check={check} state={state} />}
      {state !== undefined && mark === 'later' && (
        <details className="check-later">
          <summary>Why not?</summary>
          <Why check={check} state={state} />
        </details>
      )}
    </li>
  )
}

function Why({ check, state }: { check: Check; state: CheckState }) {
  const text = state.broken
    ? `This check is broken: ${state.detail}. That is a mistake of the lesson, not yours.`
    : (check.explanations[state.explanation] ?? '')
  return (
    <div className="check-why" role={state.broken ? 'alert' : undefined}>
      <Html as="div" className="prose" html={renderProse(text)} />
      {!state.broken && state.detail !== '' && (
        <p className="seen">
          <span className="label">Seen</span> {state.detail}
        </p>
      )}
    </div>
  )
}
