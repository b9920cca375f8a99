import { makeRoomForLesson } from '../layout/layout-store.ts'
import { useLab } from '../store.ts'
import { ownRuns } from '../script/script-runner.ts'
import { useScript } from '../script/script-store.ts'
import { startDeepLinks } from './deep-link.ts'
import { recallProgress } from './keep-lesson.ts'
import { startLessonKconfig } from './lesson-kconfig.ts'
import { startLessonSystems, watchMachines } from './lesson-machine.ts'
import { progressOf, shelfLesson, type LessonsState, sideOf, useLessons, workspaceOf } from './lesson-store.ts'
import { runLesson, watchHostCalls } from './run-lesson.ts'

/** Connects lessons to the machine, the editor and the address. Called once, when the page starts. */
export function startLessons(): void {
  recallProgress()
  startLessonSystems()
  startLessonKconfig()
  watchMachines()
  watchHostCalls()
  // Whoever runs a lesson's files, from wherever, runs the lesson.
  ownRuns.of = workspace => {
    const { open } = useLessons.getState()
    return open !== null && workspace === workspaceOf(open, progressOf(open).showing) ? runLesson : null
  }
  useLab.subscribe((now, before) => {
    // Larger type needs a wider column.
    if (now.theme !== before.theme && useLessons.getState().open !== null) requestAnimationFrame(makeRoomForLesson)
  })
  startDeepLinks()
}

/** The open lesson for programs. */
export interface LessonReport {
  readonly id: string
  readonly step: string
  readonly phase: LessonsState['phase']
  readonly showing: 'own' | 'solution'
  readonly done: boolean
  /** Runs that were checked since the page was opened. */
  readonly checked: number
  readonly fault: string
  /** Why nothing was run; null when it was. */
  readonly built: { readonly explanation: string; readonly detail: string } | null
  readonly ending: string
  /** In the order of the lesson. `state` is `open` before the first run. */
  readonly checks: readonly {
    readonly id: string
    readonly state: 'open' | 'passed' | 'failed' | 'broken'
    readonly explanation: string
    readonly detail: string
  }[]
  readonly outcomes: Readonly<Record<string, string>>
  /** Numbers that the newest script recorded, in hexadecimal. */
  readonly numbers: Readonly<Record<string, string>>
}

/** @returns null when no lesson is open */
export function lessonReport(): LessonReport | null {
  const state = useLessons.getState()
  const found = shelfLesson(state.open, state)
  if (found === undefined) return null
  const { lesson, checks } = found
  const progress = progressOf(lesson.id, state)
  const side = sideOf(progress)
  return {
    id: lesson.id,
    step: state.step,
    phase: state.phase,
    showing: progress.showing,
    done: progress.done,
    checked: state.checked,
    fault: state.fault,
    built: state.built === null ? null : { explanation: state.built.explanation, detail: state.built.detail },
    ending: state.ending,
    checks: checks.checks.map(({ id }) => {
      const check = side.checks[id]
      if (check === undefined) return { id, state: 'open', explanation: '', detail: '' }
      const { passed, explanation, detail, broken } = check
      return { id, state: passed ? 'passed' : broken ? 'broken' : 'failed', explanation, detail }
    }),
    outcomes: progress.outcomes,
    numbers: Object.fromEntries(
      Object.entries(useScript.getState().answers).flatMap(([name, value]) =>
        typeof value === 'bigint' || typeof value === 'number' ? [[name, `0x${value.toString(16)}`]] : [],
      ),
    ),
  }
}
