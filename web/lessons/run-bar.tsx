import { useEffect } from 'react'
import type { Check, LessonChecks } from '../../lessons/checks.ts'
import { type Lesson, scriptOf } from '../../lessons/format.ts'
import { BUILDS_EXPLANATIONS } from '../../lessons/run/task.ts'
import { runCommand } from '../commands.ts'
import { PlayIcon } from '../components/icons.tsx'
import { editorHandle } from '../editor/editor-commands.ts'
import { openFile } from '../editor/files-store.ts'
import { showLow } from '../layout/layout-store.ts'
import { isRunning, useScript } from '../script/script-store.ts'
import { useLab } from '../store.ts'
import { firstFailed } from './check-list.tsx'
import { LESSON } from './lesson-commands.ts'
import { type BuildFault, progressOf, useLessons, workspaceOf } from './lesson-store.ts'
import { goToStep } from './open-lesson.ts'
import { showInPage } from './page-scroll.ts'
import type { Side } from './progress.ts'

/** Run and check, always in reach, and what came of it. */
export function RunBar(props: { lesson: Lesson; checks: LessonChecks; side: Side }) {
  const { lesson, checks, side } = props
  const phase = useLessons(state => state.phase)
  const built = useLessons(state => state.built)
  const fault = useLessons(state => state.fault)
  const ending = useLessons(state => state.ending)
  const standing = useLessons(state => state.standing)
  const checked = useLessons(state => state.checked)
  const running = useScript(isRunning) || phase !== 'none'
  const passed = checks.checks.filter(check => side.checks[check.id]?.passed === true).length
  const total = checks.checks.length
  const first = firstFailed(checks, side)

  // After a run: to what it explains.
  useEffect(() => {
    if (checked === 0) return undefined
    const { step } = useLessons.getState()
    if (first === undefined || first.step !== step) return undefined
    // The bar grows with its verdict, and the page gets smaller.
    const timer = setTimeout(() => showInPage(document.querySelector(`[data-check="${CSS.escape(first.id)}"]`)), 80)
    return () => clearTimeout(timer)
  }, [checked, first])

  return (
    <div className="run-bar" data-testid="run-bar" data-phase={phase} data-checked={checked}>
      {built !== null && <Built fault={built} lesson={lesson} />}
      {fault !== '' && (
        <p className="run-fault" role="alert">
          {fault}
        </p>
      )}
      {ending !== '' && phase === 'none' && <p className="run-ending">{ending}</p>}
      {checked > 0 && phase === 'none' && built === null && fault === '' && first !== undefined && (
        <Verdict lesson={lesson} checks={checks} side={side} first={first} />
      )}
      {checked > 0 && phase === 'none' && total > 0 && passed === total && (
        <p className="run-verdict" role="status">
          <span className="verdict-mark" data-mark="passed" aria-hidden="true" /> Every check has passed.
        </p>
      )}
      <div className="run-row">
        {running ? (
          <button type="button" className="button" onClick={() => runCommand(LESSON.stop)}>
            Stop
          </button>
        ) : (
          <button
            type="button"
            className="button primary"
            data-testid="lesson-run"
            title={`${LESSON.run.title}  Ctrl ↵`}
            onClick={() => runCommand(LESSON.run)}
          >
            <PlayIcon />
            {scriptOf(lesson) === undefined
              ? lesson.kind === 'system'
                ? 'Build and check'
                : 'Boot and check'
              : 'Run and check'}
          </button>
        )}
        {running ? (
          <Working />
        ) : (
          <span className="run-count">
            {passed} of {total} checks
          </span>
        )}
        {!running && standing && (
          <button type="button" className="link" title={LESSON.check.title} onClick={() => runCommand(LESSON.check)}>
            Check again
          </button>
        )}
        <More lesson={lesson} />
      </div>
    </div>
  )
}

/** The next thing to do: what has just passed, or what has not. */
function Verdict(props: { lesson: Lesson; checks: LessonChecks; side: Side; first: Check }) {
  const { lesson, checks, side, first } = props
  const at = useLessons(state => state.step)
  const own = checks.checks.filter(check => check.step === at)
  const stepPassed = own.length > 0 && own.every(check => side.checks[check.id]?.passed === true)
  const next = lesson.steps.find(step => step.id === first.step)
  if (stepPassed && next !== undefined && first.step !== at) {
    return (
      <p className="run-verdict" role="status">
        <span className="verdict-mark" data-mark="passed" aria-hidden="true" />
        <span>
          Passed.{' '}
          <button type="button" className="verdict-link" onClick={() => goToStep(next.id)}>
            Go on: {next.title}
          </button>
        </span>
      </p>
    )
  }
  return (
    <p className="run-verdict" role="status">
      <span className="verdict-mark" data-mark="failed" aria-hidden="true" />
      <button
        type="button"
        className="verdict-link"
        onClick={() => showInPage(document.querySelector(`[data-check="${CSS.escape(first.id)}"]`))}
      >
        Not yet: {plain(first.title)}
      </button>
    </p>
  )
}

const plain = (title: string) => title.replaceAll('`', '')

/** What happens now, and how far it is. */
function Working() {
  const phase = useLessons(state => state.phase)
  const machine = useLab(state => state.machine)
  const download = useLab(state => state.download)
  const text = {
    none: 'Running…',
    compiling: 'Compiling…',
    booting:
      download !== null
        ? 'Loading the kernel…'
        : machine.state === 'building'
          ? 'Building the machine…'
          : `Booting: ${Math.round(machine.instructions / 1e6)} million instructions…`,
    running: 'Running…',
    checking: 'Asking the machine…',
  }[phase]
  return (
    <span className="run-count" role="status">
      {text}
    </span>
  )
}

/** What keeps the files from being run, with its places. */
function Built({ fault, lesson }: { fault: BuildFault; lesson: Lesson }) {
  const showing = useLessons(state => progressOf(lesson.id, state).showing)
  return (
    <div className="run-fault" role="alert" data-testid="lesson-built" data-explanation={fault.explanation}>
      <p>{BUILDS_EXPLANATIONS[fault.explanation]}</p>
      {fault.places.length === 0 && fault.detail !== '' && <p className="mono">{fault.detail}</p>}
      {fault.places.length > 0 && (
        <ul>
          {fault.places.slice(0, 6).map(({ file, line, column, message }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole
            <li key={i}>
              <button
                type="button"
                className="link mono"
                onClick={() => {
                  openFile(workspaceOf(lesson.id, showing), file)
                  showLow('code')
                  requestAnimationFrame(() => editorHandle.current?.reveal(file, line, column))
                }}
              >
                {file}:{line}
              </button>{' '}
              {message}
            </li>
          ))}
          {fault.places.length > 6 && <li>and {fault.places.length - 6} more</li>}
        </ul>
      )}
    </div>
  )
}

function More({ lesson }: { lesson: Lesson }) {
  const showing = useLessons(state => progressOf(lesson.id, state).showing)
  const before = useLessons(state => progressOf(lesson.id, state).before !== null)
  return (
    <span className="run-more">
      {showing === 'own' ? (
        <button
          type="button"
          className="link"
          title={LESSON.solution.title}
          onClick={() => runCommand(LESSON.solution)}
        >
          Solution
        </button>
      ) : null}
      {(showing === 'solution' || before) && (
        <button type="button" className="link" onClick={() => runCommand(LESSON.back)}>
          Back to my attempt
        </button>
      )}
      <button type="button" className="link" title={LESSON.reset.title} onClick={() => runCommand(LESSON.reset)}>
        Reset
      </button>
    </span>
  )
}
