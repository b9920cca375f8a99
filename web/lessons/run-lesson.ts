/**
 * Run and check: the learner's files are compiled, the machine goes to the moment where runs begin, the script runs,
 * and then the lesson's checks ask the machine. The same code asks as in `pkvm-lab lesson test`.
 */
import type { Lesson } from '../../lessons/format.ts'
import { GUEST_ORIGIN } from '../../lessons/kvm/guest-image.ts'
import type { ScriptBundle } from '../../lessons/kvm/run-script.ts'
import { type CheckResult, collected, evaluate, outcomesOf, unbootedChecks } from '../../lessons/run/evaluate.ts'
import type { AnswerValue, Ending } from '../../lessons/run/lesson-run.ts'
import { BootFailure, MOST_RUN_NANOSECONDS } from '../../lessons/run/bounds.ts'
import { LabQuestions } from '../../lessons/run/questions.ts'
import { type RunFrame, RunRecord } from '../../lessons/run/record.ts'
import type { KernelChoice } from '../../lessons/run/task.ts'
import { save, workspaceFiles } from '../editor/files-store.ts'
import { inspection } from '../inspector/inspection-client.ts'
import { withPauseOnViolation } from '../inspector/violations.ts'
import { useLayout } from '../layout/layout-store.ts'
import { machineConnection, pause } from '../machine-control.ts'
import { begin, runBundle, showPlace, stopScript } from '../script/script-runner.ts'
import type { Output } from '../script/sandbox-protocol.ts'
import { isRunning, useScript } from '../script/script-store.ts'
import { type Choice, useLab } from '../store.ts'
import { keepLesson } from './keep-lesson.ts'
import { bundleOf } from './lesson-bundle.ts'
import { chosenFitting, kernelFault } from './lesson-kernels.ts'
import { consoleSoFar, settingsNow } from './lesson-machine.ts'
import { progressOf, shelfLesson, type ShelfLesson, sideOf, useLessons, workspaceOf } from './lesson-store.ts'
import { toStart } from './to-start.ts'

const questions = new LabQuestions(machineConnection, () => inspection.rates)

/** The run whose machine still stands. */
interface StandingRun {
  readonly id: string
  readonly showing: 'own' | 'solution'
  readonly booted: Choice
  readonly record: RunRecord
  readonly ending: Ending
}
let standing: StandingRun | null = null

/** Another run, a boot or Reset took this one's place. */
class GivenUp extends Error {}

/** Runs the open lesson and asks its checks. Whatever is wrong ends up in the store. */
export async function runLesson(): Promise<void> {
  const open = shelfLesson(useLessons.getState().open)
  if (open === undefined || isRunning(useScript.getState()) || useLessons.getState().phase !== 'none') return
  const { lesson } = open
  const { showing } = progressOf(lesson.id)
  const workspace = workspaceOf(lesson.id, showing)
  save()
  standing = null
  useLessons.setState({ phase: 'compiling', fault: '', built: null, ending: '', standing: false })
  useLayout.setState({ dock: 'trace' })
  const run = begin('compiling')
  const still = () => {
    if (useScript.getState().run !== run) throw new GivenUp()
  }
  try {
    const fault = kernelFault(lesson)
    if (fault !== '') return over(fault)
    const bundle = await bundleOf(lesson, workspace)
    still()
    if ('explanation' in bundle) {
      useScript.setState({ phase: 'ended', problems: bundle.places, ending: null })
      useLessons.setState({ built: bundle })
      return
    }
    const failure = await toStart(lesson, still).then(
      () => null,
      (error: unknown) => error,
    )
    if (
      failure instanceof BootFailure &&
      failure.explanation === 'boot' &&
      unbootedChecks(open.checks).checks.length > 0
    ) {
      await askUnbooted(open, showing, workspace, bundle, failure.message)
      return
    }
    if (failure !== null) throw failure
    still()
    await runAndAsk(open, showing, workspace, bundle)
  } catch (error) {
    if (error instanceof GivenUp) return
    if (error instanceof BootFailure) {
      useScript.setState({ phase: 'ended', ending: { kind: 'stopped', why: error.message } })
      useLessons.setState(state => ({
        built: state.built ?? { explanation: error.explanation, detail: error.message, places: [] },
      }))
      return
    }
    over(error instanceof Error ? error.message : String(error))
  } finally {
    useLessons.setState({ phase: 'none' })
  }
}

function over(why: string): void {
  useScript.setState({ phase: 'ended', ending: { kind: 'stopped', why } })
  useLessons.setState({ fault: why })
}

async function runAndAsk(
  { lesson, checks }: ShelfLesson,
  showing: 'own' | 'solution',
  workspace: string,
  bundle: ScriptBundle,
): Promise<void> {
  const { booted } = useLab.getState()
  const kernel = chosenFitting(lesson)
  if (booted === null || kernel === undefined) throw new Error('The machine was reset before the run began.')
  if (kernel.series !== 'mini') inspection.setGate(settingsNow(lesson).gate)
  useLessons.setState({ phase: 'running' })
  const record = await unlessGone(booted, RunRecord.begin(questions, frameOf(lesson, kernel, workspace, bundle)))
  // Whether a run goes on where an invariant falls is the lesson's to say.
  const ending = await withPauseOnViolation(lesson.violations === 'stop', () => runUntilItEnds(lesson, bundle, record))
  pause()
  if (useLab.getState().booted !== booted) {
    useLessons.setState({ ending: 'The machine was reset or replaced during the run: nothing was checked.' })
    return
  }
  standing = { id: lesson.id, showing, booted, record, ending }
  useLessons.setState({ phase: 'checking', standing: true, ending: endingText(ending) })
  await ask({ lesson, checks }, standing)
}

function frameOf(lesson: Lesson, { series, release }: KernelChoice, workspace: string, bundle: ScriptBundle): RunFrame {
  const progress = progressOf(lesson.id)
  return {
    kernel: { series, release },
    settings: settingsNow(lesson),
    answers: sideOf(progress).answers,
    predictions: progress.predictions,
    assembled: Object.entries(bundle.guests).map(([file, { address, bytes, symbols }]) => ({
      file,
      address: address ?? GUEST_ORIGIN,
      bytes,
      symbols,
    })),
    files: workspaceFiles(workspace),
    hasScript: bundle.entry !== '',
  }
}

/** The system was assembled and does not come up: the checks that can be asked about that are asked. */
async function askUnbooted(
  { lesson, checks }: ShelfLesson,
  showing: 'own' | 'solution',
  workspace: string,
  bundle: ScriptBundle,
  why: string,
): Promise<void> {
  const { booted } = useLab.getState()
  const kernel = chosenFitting(lesson)
  if (booted === null || kernel === undefined) throw new Error('The machine was reset before the run began.')
  pause()
  const ending: Ending = { kind: 'stopped', why }
  useScript.setState({ phase: 'ended', ending })
  const record = await unlessGone(
    booted,
    RunRecord.begin(questions, { ...frameOf(lesson, kernel, workspace, bundle), ready: false }),
  )
  useLessons.setState({ phase: 'checking', ending: endingText(ending) })
  await ask({ lesson, checks: unbootedChecks(checks) }, { id: lesson.id, showing, booted, record, ending })
}

async function runUntilItEnds(lesson: Lesson, bundle: ScriptBundle, record: RunRecord): Promise<Ending> {
  machineConnection.post({ type: 'resume' })
  if (bundle.entry === '') {
    useScript.setState({ phase: 'ended', ending: { kind: 'finished' } })
    return { kind: 'finished' }
  }
  let limit: Ending | null = null
  let until = Number.POSITIVE_INFINITY
  const unsubscribe = machineConnection.subscribe(message => {
    if (message.type === 'violations' && lesson.violations === 'stop' && limit === null) {
      const why = `the machine stopped where an invariant fell: ${message.events[0]?.text ?? ''}`
      limit = { kind: 'stopped', why }
      stopScript(`${why.charAt(0).toUpperCase()}${why.slice(1)}.`)
    }
    if (message.type !== 'status' || limit !== null) return
    if (until === Number.POSITIVE_INFINITY) until = message.virtualNanoseconds + MOST_RUN_NANOSECONDS
    const tooMany = message.instructions >= record.began + lesson.limit
    if (!tooMany && message.virtualNanoseconds < until) return
    const why = `the run did not end within ${tooMany ? `${lesson.limit / 1e6} million instructions` : `${MOST_RUN_NANOSECONDS / 1e9} seconds of the machine’s time`}`
    limit = { kind: 'limit', why }
    stopScript(`${why.charAt(0).toUpperCase()}${why.slice(1)}, and was ended.`)
  })
  const { ending } = await runBundle(bundle, items => tell(record, items))
  unsubscribe()
  showPlace(workspaceOf(lesson.id, progressOf(lesson.id).showing), ending)
  return limit ?? ending
}

function tell(record: RunRecord, items: readonly Output[]): void {
  for (const item of items) {
    if (item.kind === 'print') record.onPrint(item.text)
    else if (item.kind === 'trace') record.onTrace(item.entry)
    else if (item.kind === 'answer') record.onAnswer(item.name, item.value as AnswerValue)
  }
}

/** Rejects when the machine is replaced: its answers will never come. */
function unlessGone<T>(booted: Choice, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const unsubscribe = useLab.subscribe(state => {
      if (state.booted === booted) return
      unsubscribe()
      reject(new Error('The machine was reset or replaced meanwhile.'))
    })
    promise.then(resolve, reject).finally(unsubscribe)
  })
}

/** Asks all checks about the machine as it stands, and keeps what they say. */
async function ask({ lesson, checks }: ShelfLesson, run: StandingRun): Promise<void> {
  // The console's last bytes come before this answer.
  await unlessGone(run.booted, questions.newestEvent())
  const progress = progressOf(lesson.id)
  const { answers } = run.showing === 'solution' ? progress.solution : progress.own
  const about = { ...run.record.end(run.ending, consoleSoFar()), answers, predictions: progress.predictions }
  const [results, outcomes] = await unlessGone(
    run.booted,
    (async () => [await evaluate(checks, about), await outcomesOf(checks, about)] as const)(),
  )
  const side = run.showing === 'solution' ? progressOf(lesson.id).solution : progressOf(lesson.id).own
  const all = lesson.collect ? collected(earlier(checks.checks, side.checks), results) : results
  const shown = Object.fromEntries(
    Object.entries(outcomes).filter((entry): entry is [string, string] => entry[1] !== null),
  )
  const states = Object.fromEntries(
    all.map(({ check, verdict, broken }) => [
      check.id,
      verdict === 'pass'
        ? { passed: true, explanation: '', detail: '', broken }
        : { passed: false, explanation: verdict.fail, detail: verdict.detail, broken },
    ]),
  )
  keepLesson(lesson.id, now => ({
    ...now,
    [run.showing]: { ...now[run.showing], checks: states },
    outcomes: { ...now.outcomes, ...shown },
    done: now.done || (run.showing === 'own' && all.every(result => result.verdict === 'pass')),
  }))
  useLessons.setState(({ checked }) => ({ checked: checked + 1 }))
}

function earlier(checks: ShelfLesson['checks']['checks'], states: ReturnType<typeof sideOf>['checks']): CheckResult[] {
  return checks.flatMap(check => {
    const state = states[check.id]
    if (state === undefined) return []
    return [
      {
        check,
        verdict: state.passed ? ('pass' as const) : { fail: state.explanation, detail: state.detail },
        explanation: '',
        broken: state.broken,
      },
    ]
  })
}

/** Asks again without running: after a hypercall by hand, or an answer to a question. */
export async function checkAgain(): Promise<void> {
  const open = shelfLesson(useLessons.getState().open)
  const { phase } = useLessons.getState()
  if (open === undefined || standing === null || phase !== 'none') return
  const run = standing
  if (
    run.id !== open.lesson.id ||
    run.booted !== useLab.getState().booted ||
    run.showing !== progressOf(open.lesson.id).showing
  )
    return
  useLessons.setState({ phase: 'checking' })
  try {
    await ask(open, run)
  } catch (error) {
    useLessons.setState({ ending: error instanceof Error ? error.message : String(error) })
  } finally {
    useLessons.setState({ phase: 'none' })
  }
}

/** Whether the machine stands where a run of this lesson ended. */
export function stands(id: string): boolean {
  return standing !== null && standing.id === id && standing.booted === useLab.getState().booted
}

/** The open lesson is another, or shows another attempt: its last run says nothing of this one. */
export function forgetRun(): void {
  standing = null
  useLessons.setState({ fault: '', built: null, ending: '', standing: false })
}

function endingText(ending: Ending): string {
  switch (ending.kind) {
    case 'finished':
      return ''
    case 'threw': {
      const place = ending.place === null ? '' : ` in ${ending.place.file}, line ${ending.place.line}`
      return `The script ended${place} with ${ending.error.name}: ${ending.error.message}`
    }
    default:
      return `${ending.why.charAt(0).toUpperCase()}${ending.why.slice(1)}${/[.!?]$/.test(ending.why) ? '' : '.'}`
  }
}

/** Boots the lesson's machine and leaves it where runs begin. */
export async function bootLesson(): Promise<void> {
  const open = shelfLesson(useLessons.getState().open)
  if (open === undefined || useLessons.getState().phase !== 'none' || isRunning(useScript.getState())) return
  forgetRun()
  const fault = kernelFault(open.lesson)
  if (fault !== '') {
    useLessons.setState({ fault })
    return
  }
  useLessons.setState({ phase: 'booting' })
  const run = begin('compiling')
  useScript.setState({ phase: 'booting' })
  try {
    await toStart(open.lesson, () => {
      if (useScript.getState().run !== run) throw new GivenUp()
    })
    useScript.setState({ phase: 'never' })
  } catch (error) {
    if (error instanceof GivenUp) return
    if (error instanceof BootFailure)
      useLessons.setState(state => ({
        built: state.built ?? { explanation: error.explanation, detail: error.message, places: [] },
      }))
    else useLessons.setState({ fault: error instanceof Error ? error.message : String(error) })
    useScript.setState({ phase: 'never' })
  } finally {
    useLessons.setState({ phase: 'none' })
  }
}

/** Hypercalls by hand after a run belong to it: the checks are asked again. */
export function watchHostCalls(): void {
  machineConnection.subscribe(message => {
    if (
      message.type !== 'hostCallDone' ||
      !message.ok ||
      standing === null ||
      standing.booted !== useLab.getState().booted
    )
      return
    standing.record.onHostCall(message.answer)
    setTimeout(() => void checkAgain(), 0)
  })
}
