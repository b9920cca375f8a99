import { useLab } from '../store.ts'
import { nextToDo } from './lesson-commands.ts'
import { fittingKernels, kernelNames } from './lesson-kernels.ts'
import { progressOf, type Shelf, type ShelfLesson, useLessons } from './lesson-store.ts'
import { openLesson } from './open-lesson.ts'

const COURSES = [
  {
    letter: '',
    title: 'pKVM on Debian’s kernel',
    about: 'The kernel that Debian ships, unmodified. You write the virtual machine monitor and the guest.',
  },
  {
    letter: 'b',
    title: 'Build your own',
    about: 'mini-pKVM: a hypervisor small enough to read. You write the parts of it that matter.',
  },
  { letter: 'x', title: 'Break it', about: 'Rules taken out one by one, and what a hostile host does then.' },
] as const

/** Where a new visitor begins, and everyone finds their place again. */
export function LessonList({ shelf }: { shelf: Shelf }) {
  const astray = useLessons(state => state.astray)
  const keeps = useLessons(state => state.keeps)
  const progress = useLessons(state => state.progress)
  const courses = COURSES.map(course => ({
    ...course,
    lessons: shelf.lessons.filter(({ lesson }) => lesson.number.replace(/\d/g, '') === course.letter),
  })).filter(({ lessons }) => lessons.length > 0)
  return (
    <section className="lessons lesson-list" aria-label="Lessons">
      {astray !== null && (
        <p className="astray" role="status">
          {astray} These are the lessons there are.
        </p>
      )}
      <Begin shelf={shelf} />
      {courses.map(({ letter, title, about, lessons }) => {
        const done = lessons.filter(({ lesson }) => progress[lesson.id]?.done === true).length
        return (
          <section key={letter} className="course">
            <header>
              <h2>{title}</h2>
              <span className="course-count">
                {done} of {lessons.length}
              </span>
            </header>
            <p>{about}</p>
            <ol>
              {lessons.map(item => (
                <Entry key={item.lesson.id} {...item} />
              ))}
            </ol>
          </section>
        )
      })}
      {shelf.lessons.length === 0 && <p className="lesson-message">There are no lessons here yet.</p>}
      {shelf.broken.length > 0 && (
        <details className="broken-lessons">
          <summary>
            {shelf.broken.length === 1 ? 'One thing is' : `${shelf.broken.length} things are`} wrong with lessons that
            are not listed
          </summary>
          <ul>
            {shelf.broken.map(sentence => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </details>
      )}
      {!keeps && (
        <p className="quiet keeps-not">
          This browser keeps nothing for this page: your progress lasts until it is closed.
        </p>
      )}
    </section>
  )
}

/** The one thing to press. */
function Begin({ shelf }: { shelf: Shelf }) {
  const progress = useLessons(state => state.progress)
  const id = nextToDo()
  const found = shelf.lessons.find(({ lesson }) => lesson.id === id)
  if (found === undefined) return null
  const { lesson } = found
  const begun = progress[lesson.id] !== undefined
  const fresh = Object.keys(progress).length === 0
  return (
    <div className="begin">
      <p className="begin-lead">
        {fresh
          ? 'Each lesson asks one question of a machine that is really there. You guess, write a few lines, run them, and the machine’s own state tells whether you are right.'
          : begun
            ? 'You were here:'
            : 'Next:'}
      </p>
      <button
        type="button"
        className="button primary begin-button"
        data-testid="begin"
        onClick={() => void openLesson(lesson.id)}
      >
        {fresh ? 'Begin' : begun ? 'Go on' : 'Begin'}: {lesson.title}
      </button>
      <p className="quiet">
        {lesson.minutes} minutes{fresh && ' · nothing to install, nothing to read before'}
      </p>
    </div>
  )
}

function Entry({ lesson, checks }: ShelfLesson) {
  const progress = useLessons(state => progressOf(lesson.id, state))
  const begun = useLessons(state => state.progress[lesson.id] !== undefined)
  const kernels = useLab(state => state.kernels)
  const ownImage = useLab(state => state.ownImage)
  const atHand = fittingKernels(lesson, { kernels, ownImage }).length > 0 || kernels.state === 'asking'
  const total = checks.checks.length
  const passed = checks.checks.filter(check => progress.own.checks[check.id]?.passed === true).length
  const state = progress.done ? 'done' : begun ? 'begun' : 'new'
  return (
    <li className="entry" data-state={state}>
      <button type="button" onClick={() => void openLesson(lesson.id)}>
        <span className="entry-number">{lesson.number.toUpperCase()}</span>
        <span className="entry-text">
          <span className="entry-title">{lesson.title}</span>
          <span className="entry-question">{lesson.question}</span>
          <span className="entry-facts">
            {lesson.minutes} min · {kernelNames(lesson)}
            {!atHand && ' · kernel not at hand'}
            {state === 'done' ? ' · passed' : begun && ` · ${passed} of ${total} checks`}
          </span>
        </span>
        <span className="entry-mark" aria-hidden="true">
          {state === 'done' ? '✓' : ''}
        </span>
      </button>
      {begun && !progress.done && (
        <span
          className="entry-bar"
          style={{ inlineSize: `${(100 * passed) / Math.max(1, total)}%` }}
          aria-hidden="true"
        />
      )}
    </li>
  )
}
