/** The lessons, the one that is read, and what the learner has done, as plain data. */
import { create } from 'zustand'
import type { LessonChecks } from '../../lessons/checks.ts'
import type { Lesson } from '../../lessons/format.ts'
import type { BUILDS_EXPLANATIONS } from '../../lessons/run/task.ts'
import { type LessonProgress, NO_PROGRESS, type Side } from './progress.ts'

export interface ShelfLesson {
  readonly lesson: Lesson
  readonly checks: LessonChecks
}

export interface Shelf {
  /** In order. */
  readonly lessons: readonly ShelfLesson[]
  /** What is wrong with folders that cannot be used, one sentence each. */
  readonly broken: readonly string[]
}

export type Phase = 'none' | 'compiling' | 'booting' | 'running' | 'checking'

/** Why nothing was run. */
export interface BuildFault {
  readonly explanation: keyof typeof BUILDS_EXPLANATIONS
  readonly detail: string
  readonly places: readonly {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly message: string
  }[]
}

export interface LessonsState {
  /** Null until it is loaded. */
  readonly shelf: Shelf | null
  /** Why it could not be loaded. */
  readonly shelfFault: string | null
  /** Id of the lesson that is read. */
  readonly open: string | null
  /** Id of the step that is read; empty for what stands before the first. */
  readonly step: string
  /** What a deep link named that is not there. */
  readonly astray: string | null
  /** By id of the lesson; those that were never opened have none. */
  readonly progress: Readonly<Record<string, LessonProgress>>
  /** Whether the browser keeps progress. */
  readonly keeps: boolean
  readonly phase: Phase
  /** Why the last run of the open lesson did not come about; empty when it did. */
  readonly fault: string
  readonly built: BuildFault | null
  /** How the last run ended, when not by itself. */
  readonly ending: string
  /** The machine still stands where a run of the open lesson ended: checks can be asked again. */
  readonly standing: boolean
  /** Where the runs of the present machine begin, in instructions; null when there is no such moment. */
  readonly startsAt: number | null
  /** Counts runs that were checked. */
  readonly checked: number
}

export const useLessons = create<LessonsState>(() => ({
  shelf: null,
  shelfFault: null,
  open: null,
  step: '',
  astray: null,
  progress: {},
  keeps: true,
  phase: 'none',
  fault: '',
  built: null,
  ending: '',
  standing: false,
  startsAt: null,
  checked: 0,
}))

export function shelfLesson(id: string | null, state: LessonsState = useLessons.getState()): ShelfLesson | undefined {
  return id === null ? undefined : state.shelf?.lessons.find(({ lesson }) => lesson.id === id)
}

export function progressOf(id: string, state: LessonsState = useLessons.getState()): LessonProgress {
  return state.progress[id] ?? NO_PROGRESS
}

/** What the learner sees of it: their own attempt, or the solution. */
export function sideOf(progress: LessonProgress): Side {
  return progress.showing === 'solution' ? progress.solution : progress.own
}

/** Id of a lesson's workspace in the editor. */
export function workspaceOf(id: string, showing: LessonProgress['showing']): string {
  return showing === 'solution' ? `solution/${id}` : `lesson/${id}`
}

/** Lesson before and after, in order. */
export function neighbours(
  id: string,
  state: LessonsState = useLessons.getState(),
): { before: Lesson | null; after: Lesson | null } {
  const lessons = state.shelf?.lessons ?? []
  const at = lessons.findIndex(({ lesson }) => lesson.id === id)
  return { before: lessons[at - 1]?.lesson ?? null, after: at < 0 ? null : (lessons[at + 1]?.lesson ?? null) }
}
