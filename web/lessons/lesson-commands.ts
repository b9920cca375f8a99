import type { Command } from '../commands.ts'
import { stopScript } from '../script/script-runner.ts'
import { isRunning, useScript } from '../script/script-store.ts'
import { type LessonsState, neighbours, progressOf, shelfLesson, useLessons } from './lesson-store.ts'
import {
  backToAttempt,
  closeLesson,
  goToStep,
  loadShelf,
  openLesson,
  resetLesson,
  revealHint,
  showLessonFiles,
  showSolution,
} from './open-lesson.ts'
import { showSide } from '../layout/layout-store.ts'
import { bootLesson, checkAgain, runLesson, stands } from './run-lesson.ts'

const now = (): LessonsState => useLessons.getState()
const open = () => now().open !== null
const idle = () => now().phase === 'none' && !isRunning(useScript.getState())

function step(by: number): string | null {
  const found = shelfLesson(now().open)
  if (found === undefined) return null
  const ids = ['', ...found.lesson.steps.map(({ id }) => id)]
  return ids[ids.indexOf(now().step) + by] ?? null
}

export const LESSON = {
  list: {
    id: 'lessons.open',
    title: 'All lessons',
    key: 'Alt+Shift+KeyO',
    keyLabel: 'Alt ⇧ O',
    enabled: () => true,
    run: () => {
      showSide('lessons')
      void loadShelf().then(closeLesson)
    },
  },
  first: {
    id: 'lessons.begin',
    title: 'Begin with the first lesson, or go on with the one begun',
    enabled: () => true,
    run: () => void loadShelf().then(() => openLesson(nextToDo() ?? '')),
  },
  run: {
    id: 'lesson.run',
    title: 'Run the lesson’s script and check it',
    enabled: () => open() && idle(),
    run: () => void runLesson(),
  },
  check: {
    id: 'lesson.check',
    title: 'Ask the lesson’s checks again',
    enabled: () => idle() && now().open !== null && stands(now().open ?? ''),
    run: () => void checkAgain(),
  },
  stop: {
    id: 'lesson.stop',
    title: 'Stop the lesson’s run',
    enabled: () => isRunning(useScript.getState()),
    run: () => stopScript(),
  },
  boot: {
    id: 'lesson.boot',
    title: 'Boot the lesson’s machine',
    enabled: () => open() && idle(),
    run: () => void bootLesson(),
  },
  nextStep: {
    id: 'lesson.nextStep',
    title: 'Next step of the lesson',
    key: 'Alt+Shift+ArrowDown',
    keyLabel: 'Alt ⇧ ↓',
    enabled: () => step(1) !== null,
    run: () => goToStep(step(1) ?? ''),
  },
  previousStep: {
    id: 'lesson.previousStep',
    title: 'Step of the lesson before',
    key: 'Alt+Shift+ArrowUp',
    keyLabel: 'Alt ⇧ ↑',
    enabled: () => step(-1) !== null,
    run: () => goToStep(step(-1) ?? ''),
  },
  next: {
    id: 'lesson.next',
    title: 'Next lesson',
    enabled: () => open() && neighbours(now().open ?? '').after !== null,
    run: () => void openLesson(neighbours(now().open ?? '').after?.id ?? ''),
  },
  previous: {
    id: 'lesson.previous',
    title: 'Lesson before',
    enabled: () => open() && neighbours(now().open ?? '').before !== null,
    run: () => void openLesson(neighbours(now().open ?? '').before?.id ?? ''),
  },
  hint: {
    id: 'lesson.hint',
    title: 'A hint for this step',
    key: 'Alt+Shift+KeyH',
    keyLabel: 'Alt ⇧ H',
    enabled: open,
    run: () => {
      if (revealHint(now().step))
        requestAnimationFrame(() =>
          document.querySelector(`[data-hints="${CSS.escape(now().step)}"]`)?.scrollIntoView({ block: 'nearest' }),
        )
    },
  },
  files: {
    id: 'lesson.files',
    title: 'The lesson’s files in the editor',
    enabled: open,
    run: () => void showLessonFiles(),
  },
  solution: {
    id: 'lesson.solution',
    title: 'Show the solution; your attempt is kept',
    enabled: () => open() && idle() && progressOf(now().open ?? '').showing === 'own',
    run: () => void showSolution(true),
  },
  reset: {
    id: 'lesson.reset',
    title: 'Reset the lesson; your attempt is kept',
    enabled: () => open() && idle(),
    run: () => void resetLesson(),
  },
  back: {
    id: 'lesson.attempt',
    title: 'Back to my attempt',
    enabled: () => {
      const progress = progressOf(now().open ?? '')
      return open() && idle() && (progress.showing === 'solution' || progress.before !== null)
    },
    run: () => void backToAttempt(),
  },
} satisfies Record<string, Command>

export const LESSON_COMMANDS: readonly Command[] = Object.values(LESSON)

/** The first lesson that is not done; of those begun, the one begun. */
export function nextToDo(): string | null {
  const lessons = now().shelf?.lessons ?? []
  const undone = lessons.filter(({ lesson }) => !progressOf(lesson.id).done)
  return (undone[0] ?? lessons[0])?.lesson.id ?? null
}
