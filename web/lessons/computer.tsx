import type { Lesson } from '../../lessons/format.ts'
import { runCommand } from '../commands.ts'
import { count } from '../format.ts'
import { setChoice, useLab } from '../store.ts'
import { useSwitches } from '../switches/switch-store.ts'
import { LESSON } from './lesson-commands.ts'
import { chosenFitting, fittingKernels, kernelNames } from './lesson-kernels.ts'
import { applySettings, settingsNow, settingsText } from './lesson-machine.ts'
import { useLessons } from './lesson-store.ts'
import { openLesson } from './open-lesson.ts'

/** The computer of the lesson: which kernel, how it is set, and what a run will do. */
export function Computer({ lesson }: { lesson: Lesson }) {
  const lab = useLab()
  useSwitches(state => `${state.wish} ${state.withoutExpert}`)
  const phase = useLessons(state => state.phase)
  const startsAt = useLessons(state => state.startsAt)
  const fitting = fittingKernels(lesson, lab)
  const chosen = chosenFitting(lesson, lab)
  if (lab.kernels.state === 'known' && fitting.length === 0) return <NoKernel lesson={lesson} />
  const now = settingsText(settingsNow(lesson, lab))
  const asMeant = now === settingsText(lesson.start)
  const debian = chosen?.series !== 'mini'
  return (
    <aside className="computer" aria-label="The lesson’s computer">
      <p className="label">The computer</p>
      <p className="computer-line">
        {fitting.length > 1 ? (
          <select
            aria-label="Kernel"
            value={chosen?.release ?? ''}
            onChange={event => {
              const kernel = fitting.find(({ release }) => release === event.target.value)
              if (kernel !== undefined) setChoice({ kernel: kernel.kernel })
            }}
          >
            {chosen === undefined && <option value="">another kernel</option>}
            {fitting.map(({ release, name }) => (
              <option key={release} value={release}>
                {name}
              </option>
            ))}
          </select>
        ) : (
          <b>{chosen?.name ?? fitting[0]?.name ?? kernelNames(lesson)}</b>
        )}{' '}
        <span className="mono">{now}</span>
      </p>
      {chosen === undefined && lab.kernels.state === 'known' && (
        <p>
          The kernel that is chosen is none of this lesson’s.{' '}
          <button type="button" className="link" onClick={() => applySettings(lesson, lesson.start, fitting[0])}>
            Take {fitting[0]?.name}
          </button>
        </p>
      )}
      {!asMeant && chosen !== undefined && (
        <p>
          Set differently from the lesson’s beginning ({settingsText(lesson.start)}).{' '}
          <button type="button" className="link" onClick={() => applySettings(lesson, lesson.start)}>
            Set it back
          </button>
        </p>
      )}
      <p className="computer-state">
        {phase === 'booting'
          ? 'It boots, until the lab’s agent in it is ready.'
          : startsAt === null
            ? `The first run boots it${debian ? ', which takes some ten seconds' : ''}; later runs begin in an instant.`
            : `Every run begins at the same moment: agent ready, ${count(startsAt)} instructions after reset.`}{' '}
        {startsAt === null && phase === 'none' && chosen !== undefined && (
          <button type="button" className="link" onClick={() => runCommand(LESSON.boot)}>
            Boot it now
          </button>
        )}
      </p>
    </aside>
  )
}

/** How to get a kernel, and what can be done without one. */
function NoKernel({ lesson }: { lesson: Lesson }) {
  const shelf = useLessons(state => state.shelf)
  const other = shelf?.lessons.find(({ lesson: candidate }) => candidate.kernels.includes('mini'))?.lesson
  return (
    <aside className="computer missing" role="status" data-testid="lesson-no-kernel">
      <p className="label">The computer</p>
      <p>
        This lesson holds for {kernelNames(lesson)}, and no such kernel is at hand. On a machine with apt,{' '}
        <code>npm start</code> fetches Debian’s and opens this page again. An arm64 Image of your own, with its release
        in the file’s name, can be dropped on the page.
      </p>
      {other !== undefined && other.id !== lesson.id && (
        <p>
          The lessons on mini-pKVM need no kernel:{' '}
          <button type="button" className="link" onClick={() => void openLesson(other.id)}>
            {other.title}
          </button>
        </p>
      )}
    </aside>
  )
}
