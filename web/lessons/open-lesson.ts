/** Opening a lesson, going about in it, and what can be done with the attempt. */
import { type Lesson, type LessonFile, scriptOf, type SettingsChange } from '../../lessons/format.ts'
import { CODE } from '../editor/editor-commands.ts'
import {
  addFile,
  openFile,
  openWorkspace,
  resetAll,
  restoreFile,
  setText,
  useFiles,
  workspaceFiles,
} from '../editor/files-store.ts'
import { makeRoomForLesson, showLow, showSide } from '../layout/layout-store.ts'
import { setChoice, useLab } from '../store.ts'
import { optionValue, useSwitches } from '../switches/switch-store.ts'
import { withKvmMode } from '../command-line.ts'
import { keepLesson } from './keep-lesson.ts'
import { applySettings, changed } from './lesson-machine.ts'
import { progressOf, shelfLesson, useLessons, workspaceOf } from './lesson-store.ts'
import { scrollToStep } from './page-scroll.ts'
import { NO_SIDE } from './progress.ts'
import { forgetRun } from './run-lesson.ts'

let loading: Promise<void> | null = null

/** The lessons are there, or `shelfFault` says why not. */
export function loadShelf(): Promise<void> {
  loading ??= import('./curriculum.ts')
    .then(({ loadCurriculum }) => loadCurriculum())
    .then(
      shelf => useLessons.setState({ shelf, shelfFault: null }),
      error => {
        loading = null
        useLessons.setState({ shelfFault: error instanceof Error ? error.message : String(error) })
      },
    )
  return loading
}

/**
 * Opens a lesson: its text, its files, its computer's settings. Nothing is booted.
 * @param step where to read; else where it was read last
 */
export async function openLesson(id: string, step?: string): Promise<void> {
  showSide('lessons')
  await loadShelf()
  const found = shelfLesson(id)
  if (found === undefined) {
    useLessons.setState({ open: null, step: '', astray: `There is no lesson “${id}”.` })
    return
  }
  const { lesson } = found
  const progress = progressOf(id)
  const known = step === undefined || step === '' || lesson.steps.some(other => other.id === step)
  const astray = known ? null : `This lesson has no step “${step}”; here is its beginning.`
  const another = useLessons.getState().open !== id
  useLessons.setState({ open: id, step: known ? (step ?? progress.step) : '', astray })
  if (!another) return
  forgetRun()
  keepLesson(id, now => ({ ...now, step: known ? (step ?? now.step) : '' }))
  requestAnimationFrame(makeRoomForLesson)
  await kernelsKnown()
  applySettings(lesson, lesson.start)
  await openFiles(lesson)
}

/** Which kernels there are is asked once, when the page starts. */
function kernelsKnown(): Promise<void> {
  if (useLab.getState().kernels.state === 'known') return Promise.resolve()
  return new Promise(resolve => {
    const unsubscribe = useLab.subscribe(state => {
      if (state.kernels.state !== 'known') return
      unsubscribe()
      // Whoever asked for them chooses one first.
      setTimeout(resolve, 0)
    })
  })
}

/** The lesson's files in the editor: the learner's attempt, or the solution in a workspace of its own. */
async function openFiles(lesson: Lesson, wished?: string): Promise<void> {
  const { showing } = progressOf(lesson.id)
  const { start, solution } = lesson.attempts
  const own = showing === 'solution' ? solution.files : start.files
  const system = lesson.kind === 'system' ? (await import('../system/system-sources.ts')).SYSTEM_FILES : {}
  const files: Record<string, string> = {}
  for (const { name } of lesson.files) files[name] = own[name] ?? system[name] ?? ''
  const rest = Object.entries(system).filter(([path]) => files[path] === undefined)
  for (const [path, text] of rest) files[path] = text
  if (Object.keys(files).length === 0) return
  await openWorkspace(workspaceOf(lesson.id, showing), files, {
    title: `${lesson.number} ${lesson.title}${showing === 'solution' ? ' (solution)' : ''}`,
    readOnly: [...lesson.files.filter(file => file.readOnly).map(file => file.name), ...rest.map(([path]) => path)],
    ...(wished !== undefined && files[wished] !== undefined
      ? { open: wished }
      : showing === 'own'
        ? firstFile(lesson)
        : {}),
    ...(lesson.kind === 'system' ? { entries: ['mini-pkvm.s'] } : {}),
  })
  // In one column the editor, which takes the focus when it appears, would pull the window away from the text.
  if (!matchMedia('(max-width: 1023px), (max-height: 479px)').matches) showLow('code')
}

/** What the learner is to write in, when nothing was open before. */
function firstFile(lesson: Lesson): { open?: string } {
  const workspace = useFiles.getState().workspaces[workspaceOf(lesson.id, 'own')]
  if (workspace !== undefined) return {}
  const writable = (file: LessonFile) => !file.readOnly
  const first = scriptOf(lesson) ?? lesson.files[0]
  const name = first !== undefined && writable(first) ? first.name : lesson.files.find(writable)?.name
  return name === undefined || hasBeen(lesson.id) ? {} : { open: name }
}

function hasBeen(id: string): boolean {
  return Object.keys(progressOf(id).own.checks).length > 0
}

/** Back to the list. */
export function closeLesson(): void {
  useLessons.setState({ open: null, step: '', astray: null })
  showSide('lessons')
}

/** The step that is read now. */
export function reading(step: string): void {
  const { open, step: before } = useLessons.getState()
  if (open === null || step === before) return
  useLessons.setState({ step, astray: null })
  keepLesson(open, now => ({ ...now, step }))
}

/** Scrolls to a step, `''` for the beginning. */
export function goToStep(step: string): void {
  reading(step)
  scrollToStep(step)
}

/** Opens one of the lesson's files in the editor. */
export async function openLessonFile(name: string): Promise<void> {
  const found = shelfLesson(useLessons.getState().open)
  if (found === undefined) return
  const workspace = workspaceOf(found.lesson.id, progressOf(found.lesson.id).showing)
  if (useFiles.getState().workspaces[workspace] === undefined) await openFiles(found.lesson)
  const file = useFiles.getState().workspaces[workspace]?.files[name]
  if (file?.removed === true) restoreFile(workspace, name)
  openFile(workspace, name)
  CODE.show.run()
}

/** Puts the lesson's own files into the editor, when others are there. */
export async function showLessonFiles(): Promise<void> {
  const found = shelfLesson(useLessons.getState().open)
  if (found !== undefined) await openFiles(found.lesson)
}

/** Sets the machine as a link of the text says; `append` and `crypto` too. */
export function setAsLinked(change: SettingsChange): void {
  const found = shelfLesson(useLessons.getState().open)
  if (found !== undefined) applySettings(found.lesson, changed(found.lesson, change))
}

/** Changes only what is named, and leaves the rest as it is set now. */
export function setOnly(change: SettingsChange): void {
  const found = shelfLesson(useLessons.getState().open)
  if (found === undefined) return
  const { append } = useLab.getState().choice
  if (change.append !== undefined) {
    setAsLinked(change)
    return
  }
  setChoice({
    ...(change.mode === undefined ? {} : { append: withKvmMode(append, change.mode) }),
    ...(change.ramMiB === undefined ? {} : { ramMiB: change.ramMiB }),
    ...(change.crypto === undefined ? {} : { crypto: change.crypto }),
  })
  if (change.gate !== undefined && change.gate !== optionValue(useSwitches.getState()))
    useSwitches.setState({ wish: change.gate })
}

export function setAnswer(id: string, answer: string): void {
  const { open } = useLessons.getState()
  if (open === null) return
  keepLesson(open, now => ({
    ...now,
    [now.showing]: { ...now[now.showing], answers: { ...now[now.showing].answers, [id]: answer } },
  }))
}

export function setPrediction(id: string, choice: string): void {
  const { open } = useLessons.getState()
  if (open !== null) keepLesson(open, now => ({ ...now, predictions: { ...now.predictions, [id]: choice } }))
}

/** Reveals the next hint of a step, where there is one. @returns whether there was */
export function revealHint(step: string): boolean {
  const found = shelfLesson(useLessons.getState().open)
  const hints = found?.lesson.steps.find(other => other.id === step)?.hints ?? []
  const shown = found === undefined ? 0 : (progressOf(found.lesson.id).hints[step] ?? 0)
  if (found === undefined || shown >= hints.length) return false
  keepLesson(found.lesson.id, now => ({ ...now, hints: { ...now.hints, [step]: shown + 1 } }))
  return true
}

/** Whether the attempt differs from the lesson's start. */
function isBegun(lesson: Lesson): boolean {
  const files = workspaceFiles(workspaceOf(lesson.id, 'own'))
  const { own, predictions } = progressOf(lesson.id)
  const edited = Object.entries(lesson.attempts.start.files).some(
    ([name, text]) => files[name] !== undefined && files[name] !== text,
  )
  return (
    edited || Object.keys(own.answers).length + Object.keys(own.checks).length + Object.keys(predictions).length > 0
  )
}

/** Everything of the lesson as at the beginning; the attempt waits in `before`. */
export async function resetLesson(): Promise<void> {
  const found = shelfLesson(useLessons.getState().open)
  if (found === undefined) return
  const { lesson } = found
  await showSolution(false)
  if (isBegun(lesson)) {
    const files = workspaceFiles(workspaceOf(lesson.id, 'own'))
    keepLesson(lesson.id, now => ({
      ...now,
      before: { files, own: now.own, predictions: now.predictions, outcomes: now.outcomes },
      own: NO_SIDE,
      predictions: {},
      outcomes: {},
      hints: {},
    }))
  }
  resetAll(workspaceOf(lesson.id, 'own'))
  forgetRun()
  applySettings(lesson, lesson.start)
}

/** Shows the solution's files and answers, or the learner's own again. Neither touches the other. */
export async function showSolution(show: boolean): Promise<void> {
  const found = shelfLesson(useLessons.getState().open)
  if (found === undefined) return
  const { lesson } = found
  if ((progressOf(lesson.id).showing === 'solution') === show) return
  const answers = Object.assign({}, ...lesson.attempts.solution.runs.map(run => run.answers)) as Record<string, string>
  keepLesson(lesson.id, now => ({
    ...now,
    showing: show ? 'solution' : 'own',
    solution: show ? { ...now.solution, answers } : now.solution,
  }))
  forgetRun()
  // The same file, to compare.
  await openFiles(lesson, useFiles.getState().workspaces[workspaceOf(lesson.id, show ? 'own' : 'solution')]?.open)
}

/** Back from the solution, or back to what stood before the last reset. */
export async function backToAttempt(): Promise<void> {
  const found = shelfLesson(useLessons.getState().open)
  if (found === undefined) return
  const { lesson } = found
  const { showing, before } = progressOf(lesson.id)
  if (showing === 'solution') return showSolution(false)
  if (before === null) return
  const workspace = workspaceOf(lesson.id, 'own')
  for (const [name, text] of Object.entries(before.files)) {
    const file = useFiles.getState().workspaces[workspace]?.files[name]
    if (file === undefined) addFile(workspace, name, text)
    else {
      if (file.removed) restoreFile(workspace, name)
      setText(workspace, name, text)
    }
  }
  keepLesson(lesson.id, now => ({
    ...now,
    own: before.own,
    predictions: before.predictions,
    outcomes: before.outcomes,
    before: null,
  }))
  forgetRun()
}
