import type { LessonChecks } from '../../lessons/checks.ts'
import type { Lesson } from '../../lessons/format.ts'
import { runCommand } from '../commands.ts'
import { LESSON } from './lesson-commands.ts'
import { useLessons } from './lesson-store.ts'
import { goToStep } from './open-lesson.ts'
import type { Side } from './progress.ts'

/** Where one is in the lesson, and what is done of it. */
export function StepRail(props: { lesson: Lesson; checks: LessonChecks; side: Side }) {
  const { lesson, checks, side } = props
  const at = useLessons(state => state.step)
  const stops = [{ id: '', title: 'Beginning' }, ...lesson.steps]
  const current = stops.find(stop => stop.id === at) ?? stops[0]
  return (
    <nav className="step-rail" aria-label="Steps of this lesson">
      <button
        type="button"
        className="rail-back"
        title={`All lessons  ${LESSON.list.keyLabel}`}
        onClick={() => runCommand(LESSON.list)}
      >
        Lessons
      </button>
      <ol>
        {stops.map(({ id, title }, i) => {
          const own = checks.checks.filter(check => check.step === id)
          const passed = own.length > 0 && own.every(check => side.checks[check.id]?.passed === true)
          return (
            <li key={id}>
              <button
                type="button"
                className="rail-stop"
                data-passed={passed}
                aria-current={id === at ? 'step' : undefined}
                aria-label={`${i === 0 ? title : `Step ${i}: ${title}`}${passed ? ', passed' : ''}`}
                title={title}
                onClick={() => goToStep(id)}
              >
                <span aria-hidden="true">{i === 0 ? '·' : passed ? '✓' : i}</span>
              </button>
            </li>
          )
        })}
      </ol>
      <span className="rail-title">{current?.id === '' ? lesson.title : current?.title}</span>
    </nav>
  )
}
