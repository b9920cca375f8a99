/** What the runner's two halves say to each other: plain data that crosses between threads. */
import type { Lesson, RunPlan, Series } from '../format/lesson.ts'
import type { Ending } from './lesson-run.ts'

/** A kernel at hand, or mini-pKVM's sources. */
export interface KernelChoice {
  readonly series: Series
  /** As `uname -r` prints it. */
  readonly release: string
}

/** As `lessons/kvm/run-script.ts` runs it. */
export interface CompiledScript {
  readonly entry: string
  readonly modules: Readonly<Record<string, string>>
}

/** One run of one attempt of a lesson, with everything it takes. */
export interface RunTask {
  /** Unique in this proof. */
  readonly id: number
  readonly folder: string
  readonly attempt: string
  readonly kind: Lesson['kind']
  /** Instructions after the agent is ready. */
  readonly limit: number
  readonly violations: Lesson['violations']
  readonly plan: RunPlan
  readonly kernel: KernelChoice
  /** The lesson's files by name, as the attempt has them. */
  readonly files: Readonly<Record<string, string>>
  /** Names of those that are guests. */
  readonly assembly: readonly string[]
  /** The script as JavaScript, or null where the lesson has none. */
  readonly script: CompiledScript | null
  /** Sources of mini-pKVM that this attempt changes, by path; of kind system. */
  readonly overlay: Readonly<Record<string, string>>
}

/** What a thread of the runner is at: the learner's script, one of the lesson's checks, or its own work on the machine. */
export type Doing = 'script' | 'machine' | { readonly check: string }

export interface CheckReport {
  readonly id: string
  readonly title: string
  readonly passed: boolean
  /** Id of the explanation, and what was seen; empty when it passed. */
  readonly explanation: string
  readonly detail: string
  /** The check itself went wrong. */
  readonly broken: boolean
}

export interface RunReport {
  readonly id: number
  /** `builds` first, then those of checks.ts; only `builds` when nothing could be run. */
  readonly checks: readonly CheckReport[]
  readonly ending: Ending
  /** What the run showed of each prediction. */
  readonly outcomes: Readonly<Record<string, string | null>>
  /** Retired in this run, boot not counted. */
  readonly instructions: number
  /** Asked for with `lesson events`: what a writer of checks wants to see. */
  readonly listing: readonly string[]
}

/** The check that stands before a lesson's own. */
export const BUILDS = 'builds'
export const BUILDS_EXPLANATIONS = {
  types: 'The script has errors that the editor marks: it was not run.',
  assembly: 'A program does not assemble; the editor marks the places. Nothing was run.',
  boot: 'The system was assembled and does not come up: its agent never answered. What the console says last tells how far it got.',
  endless: 'The script kept its thread busy and never waited for a call, so it had to be ended.',
} as const

export function buildsReport(explanation: keyof typeof BUILDS_EXPLANATIONS | '', detail: string): CheckReport {
  return { id: BUILDS, title: 'Everything builds', passed: explanation === '', explanation, detail, broken: false }
}

/** A check of the lesson that never came to an end: nothing is known against the script. */
export function endlessCheck(task: RunTask, check: string, detail: string): RunReport {
  const report: CheckReport = { id: check, title: check, passed: false, explanation: '', detail, broken: true }
  return { id: task.id, checks: [buildsReport('', ''), report], ending: { kind: 'finished' }, outcomes: {}, instructions: 0, listing: [] }
}

/** Nothing was run, or nothing came of it. */
export function unbuilt(task: RunTask, explanation: keyof typeof BUILDS_EXPLANATIONS, detail: string): RunReport {
  return { id: task.id, checks: [buildsReport(explanation, detail)], ending: { kind: 'stopped', why: detail }, outcomes: {}, instructions: 0, listing: [] }
}
