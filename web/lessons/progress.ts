/** What the browser keeps of each lesson. */

/** A check as the newest run, or with `collect` any run, has left it. */
export interface CheckState {
  readonly passed: boolean
  /** Id of the explanation. */
  readonly explanation: string
  /** What was seen. */
  readonly detail: string
  readonly broken: boolean
}

/** The learner's own attempt and the solution are marked apart: what the solution passes is nobody's progress. */
export interface Side {
  readonly answers: Readonly<Record<string, string>>
  readonly checks: Readonly<Record<string, CheckState>>
}

export interface LessonProgress {
  /** The step that was read last. */
  readonly step: string
  readonly own: Side
  readonly solution: Side
  readonly showing: 'own' | 'solution'
  /** Every check has passed at one time, with the learner's own files. */
  readonly done: boolean
  readonly predictions: Readonly<Record<string, string>>
  /** What the machine has shown of the predictions. */
  readonly outcomes: Readonly<Record<string, string>>
  /** Hints revealed, by step. */
  readonly hints: Readonly<Record<string, number>>
  /** What stood before the last reset. */
  readonly before: {
    readonly files: Readonly<Record<string, string>>
    readonly own: Side
    readonly predictions: LessonProgress['predictions']
    readonly outcomes: LessonProgress['outcomes']
  } | null
}

export const NO_SIDE: Side = { answers: {}, checks: {} }

export const NO_PROGRESS: LessonProgress = {
  step: '',
  own: NO_SIDE,
  solution: NO_SIDE,
  showing: 'own',
  done: false,
  predictions: {},
  outcomes: {},
  hints: {},
  before: null,
}

const KEY = 'pkvm-lab-lesson/'

/** Everything that is kept, by lesson; entries that cannot be read are left out. */
export function readProgress(): { progress: Record<string, LessonProgress>; works: boolean } {
  const progress: Record<string, LessonProgress> = {}
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(KEY)) continue
      const kept = parsed(localStorage.getItem(key))
      if (kept !== null) progress[key.slice(KEY.length)] = kept
    }
    return { progress, works: true }
  } catch {
    return { progress, works: false }
  }
}

/** @returns whether it is kept */
export function keepProgress(id: string, progress: LessonProgress): boolean {
  try {
    localStorage.setItem(KEY + id, JSON.stringify(progress))
    return true
  } catch {
    return false
  }
}

function parsed(text: string | null): LessonProgress | null {
  try {
    const value: unknown = JSON.parse(text ?? '')
    if (typeof value !== 'object' || value === null) return null
    const kept = { ...NO_PROGRESS, ...value } as LessonProgress
    return { ...kept, own: { ...NO_SIDE, ...kept.own }, solution: { ...NO_SIDE, ...kept.solution } }
  } catch {
    return null
  }
}
