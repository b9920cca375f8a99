/** What has to be run to prove a lesson, and whether what came of it is what was meant. */
import { type Attempt, type Lesson, scriptOf, type WrongAttempt } from '../format/lesson.ts'
import { BUILDS, type CheckReport, type CompiledScript, type KernelChoice, type RunReport, type RunTask, unbuilt } from './task.ts'

/** The script of an attempt as JavaScript, or the first thing that is wrong with it: `script.ts:3:7: ...`. */
export type Compiled = { readonly ok: true; readonly script: CompiledScript | null } | { readonly ok: false; readonly message: string }

/** An attempt on a kernel, and the tasks that its runs became. */
export interface Trial {
  readonly lesson: Lesson
  readonly attempt: Attempt
  readonly role: 'start' | 'solution' | 'wrong'
  readonly kernel: KernelChoice
  readonly tasks: readonly RunTask[]
  /** Reports that need no run. */
  readonly known: readonly RunReport[]
}

export interface TrialResult {
  readonly trial: Trial
  readonly ok: boolean
  /** What is not as it should be, one sentence each. */
  readonly faults: readonly string[]
  /** Of all its runs. */
  readonly instructions: number
  /** Checks that passed, of all. */
  readonly passed: number
  readonly checks: number
}

/** Every attempt of a lesson on a kernel. @param compile called once per attempt @param nextId unique numbers */
export function trialsOf(lesson: Lesson, kernel: KernelChoice, compile: (attempt: Attempt) => Compiled, nextId: () => number): Trial[] {
  const { start, solution, wrong } = lesson.attempts
  const trial = (role: Trial['role'], attempt: Attempt): Trial => {
    const compiled = compile(attempt)
    const tasks = attempt.runs.map((plan): RunTask => {
      const systemFiles = plan.sources === 'start' ? start.files : attempt.files
      const sources = lesson.files.filter(file => file.role === 'source').flatMap(({ name }) => (systemFiles[name] === undefined ? [] : [[name, systemFiles[name]] as const]))
      const overlay = Object.fromEntries(sources)
      return {
        id: nextId(),
        folder: lesson.folder,
        attempt: attempt.name,
        kind: lesson.kind,
        limit: lesson.limit,
        violations: lesson.violations,
        plan,
        kernel,
        files: { ...attempt.files, ...overlay },
        assembly: lesson.files.filter(file => file.role === 'assembly').map(file => file.name),
        script: compiled.ok ? compiled.script : null,
        overlay,
      }
    })
    if (compiled.ok) return { lesson, attempt, role, kernel, tasks, known: [] }
    return { lesson, attempt, role, kernel, tasks: [], known: tasks.map(task => unbuilt(task, 'types', compiled.message)) }
  }
  return [
    trial('start', start),
    trial('solution', solution),
    ...wrong.filter(attempt => attempt.kernels.includes(kernel.series)).map(attempt => trial('wrong', attempt)),
  ]
}

/** The scripts among an attempt's files, by name; empty where the lesson has none. */
export function scriptTexts(lesson: Lesson, attempt: Attempt): { entry: string; texts: Record<string, string> } | null {
  const script = scriptOf(lesson)
  if (script === undefined) return null
  return { entry: script.name, texts: { [script.name]: attempt.files[script.name] ?? '' } }
}

/** @param reports one for each run, in order */
export function judge(trial: Trial, reports: readonly RunReport[]): TrialResult {
  const checks = over(reports)
  const faults = [
    ...checks.filter(check => check.broken).map(check => `the check "${check.id}" is broken: ${check.detail}`),
    ...faultsOf(trial, checks, reports),
  ]
  const own = checks.filter(check => check.id !== BUILDS)
  return {
    trial,
    ok: faults.length === 0,
    faults,
    instructions: reports.reduce((sum, report) => sum + report.instructions, 0),
    passed: own.filter(check => check.passed).length,
    checks: own.length,
  }
}

/** Where a lesson collects, a check that passed in any run has passed; else told as in the last run. */
function over(reports: readonly RunReport[]): readonly CheckReport[] {
  const last = reports.at(-1)?.checks ?? []
  const unbuiltRun = reports.find(report => report.checks.length === 1 && report.checks[0]?.passed === false)
  if (unbuiltRun !== undefined) return unbuiltRun.checks
  return last.map(check => reports.flatMap(report => report.checks).find(other => other.id === check.id && other.passed) ?? check)
}

function faultsOf({ role, attempt, lesson }: Trial, checks: readonly CheckReport[], reports: readonly RunReport[]): string[] {
  const failed = checks.find(check => !check.passed)
  if (role === 'start') {
    if (failed === undefined) return ['it passes every check: there is nothing left to do for the learner']
    return failed.id === BUILDS ? [`it should build and fail a check of the lesson: ${failed.detail}`] : []
  }
  if (role === 'solution') {
    const failures = checks.filter(check => !check.passed).map(check => `it fails ${seen(check)}`)
    const endings = reports.filter(report => failed?.id !== BUILDS && report.ending.kind !== 'finished').map(report => `its script does not run to its end: ${endingText(report)}`)
    return [...failures, ...endings, ...predictionFaults(attempt, reports)]
  }
  const { check, explanation } = (attempt as WrongAttempt).expect
  const meant = `${check} (${explanation})`
  if (failed === undefined) return [`it should fail ${meant}, and passes every check`]
  if (failed.id === check && failed.explanation === explanation) return []
  const how = reports.at(-1)?.ending.kind === 'finished' || lesson.kind === 'system' ? '' : `; ${endingText(reports.at(-1)!)}`
  return [`it should fail first at ${meant}, and fails ${seen(failed)}${how}`]
}

function predictionFaults(attempt: Attempt, reports: readonly RunReport[]): string[] {
  const recorded = Object.assign({}, ...attempt.runs.map(run => run.predictions)) as Record<string, string>
  return Object.entries(recorded).flatMap(([id, choice]) => {
    const shown = reports.flatMap(report => report.outcomes[id] ?? [])
    if (shown.includes(choice)) return []
    return [shown.length === 0 ? `no run shows the outcome of the prediction "${id}"` : `it predicts "${choice}" for "${id}", and the machine shows "${shown[0]}"`]
  })
}

function seen({ id, explanation, detail }: CheckReport): string {
  return `${id} (${explanation}): ${detail}`
}

function endingText({ ending }: RunReport): string {
  if (ending.kind === 'threw') return `${ending.error.name}: ${ending.error.message}${ending.place === null ? '' : ` (${ending.place.file}:${ending.place.line})`}`
  return ending.kind === 'finished' ? 'it finished' : ending.why
}
