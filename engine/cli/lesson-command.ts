import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type Attempt, type Lesson, problemText, type ReadLesson, readLesson, SERIES, seriesOf, type Series } from '../../lessons/format.ts'
import { transpileScripts } from '../../lessons/kvm/transpile.ts'
import { groupsOf } from '../../lessons/run/machines.ts'
import { type Compiled, judge, scriptTexts, type Trial, type TrialResult, trialsOf } from '../../lessons/run/prove.ts'
import type { KernelChoice, RunReport } from '../../lessons/run/task.ts'
import { buildInitProgram } from '../machine/init-program.ts'
import { readInput, InputFileError } from './files.ts'
import { initSources } from './initrd-command.ts'
import { KernelSupply, defaultCache, SupplyError } from './kernel-supply.ts'
import { citationNotes } from './lesson-citations.ts'
import { checksBundle, curriculumOf, lessonNames, readLessonFolder } from './lesson-folders.ts'
import { LessonPool } from './lesson-pool.ts'
import { resultLines, summaryLine } from './lesson-table.ts'
import { miniDirectory, miniFiles } from './mini-command.ts'
import { UsageError } from './run-options.ts'

const USAGE =
  'usage: pkvm-lab lesson list\n' +
  '       pkvm-lab lesson test [NAME...] [-kernel 7.2|7.3|mini|FILE] [-attempt start|solution|WRONG] [-threads N] [-json FILE]\n' +
  '       pkvm-lab lesson events NAME [-attempt start|solution|WRONG] [-kernel ...]\n' +
  'NAME is a folder of lessons/curriculum, its number or its id.'

/** More runs of one machine than this are worth a second boot on another thread. */
const MOST_RUNS_A_BOOT = 30

interface Options {
  readonly names: readonly string[]
  readonly kernels: readonly string[]
  readonly threads: number
  /** Only this one; events shows the solution unless told. */
  readonly attempt: string | null
  readonly json: string | null
}

/**
 * @param thread the bundle of lesson-thread.ts
 * @returns 0 proven, 1 something is not as it should be, 2 bad usage or a kernel that is not at hand
 */
export async function main(args: readonly string[], projectRoot: string, thread: URL): Promise<number> {
  try {
    const options = parse(args.slice(1))
    switch (args[0]) {
      case 'list':
        return await list(projectRoot)
      case 'test':
        return await test(options, projectRoot, thread)
      case 'events':
        return await events(options, projectRoot, thread)
      default:
        throw new UsageError(USAGE)
    }
  } catch (error) {
    if (error instanceof UsageError || error instanceof InputFileError || error instanceof SupplyError) {
      console.error(`pkvm-lab: ${error.message}`)
      return 2
    }
    throw error
  }
}

function parse(args: readonly string[]): Options {
  const names: string[] = []
  const kernels: string[] = []
  let threads = Math.max(1, Math.min(4, availableParallelism()))
  let attempt: string | null = null
  let json: string | null = null
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!.replace(/^--/, '-')
    const value = (): string => {
      const text = args[++i]
      if (text === undefined) throw new UsageError(`${arg} needs a value. ${USAGE}`)
      return text
    }
    if (arg === '-kernel') kernels.push(value())
    else if (arg === '-threads') threads = Number(value())
    else if (arg === '-attempt') attempt = value().replace(/^wrong\//, '')
    else if (arg === '-json') json = value()
    else if (arg.startsWith('-')) throw new UsageError(`pkvm-lab lesson has no option ${args[i]}. ${USAGE}`)
    else names.push(arg)
  }
  if (!Number.isInteger(threads) || threads < 1) throw new UsageError(`-threads should be a number from 1. ${USAGE}`)
  return { names, kernels, threads, attempt, json }
}

async function list(projectRoot: string): Promise<number> {
  let status = 0
  for (const { read, name } of await readAll([], projectRoot)) {
    const { lesson, problems } = read
    if (lesson !== null) {
      const { start, solution, wrong } = lesson.attempts
      const runs = [start, solution, ...wrong].reduce((sum, attempt) => sum + attempt.runs.length, 0)
      console.log(`${name.padEnd(38)} ${lesson.kernels.join(' ').padEnd(13)} ${`${lesson.minutes} min`.padStart(6)}  ${read.checks.checks.length} checks, ${wrong.length} wrong attempts, ${runs} runs  ${lesson.title}`)
    }
    for (const problem of problems) console.log(`  ${problemText(name, problem)}`)
    if (problems.length > 0) status = 1
  }
  return status
}

interface Named {
  readonly name: string
  readonly read: ReadLesson
}

/** @throws UsageError for a name that no lesson has */
async function readAll(wanted: readonly string[], projectRoot: string): Promise<Named[]> {
  const curriculum = curriculumOf(projectRoot)
  const names = await lessonNames(curriculum)
  const chosen = new Set<string>()
  for (const word of wanted) {
    const fitting = names.filter(name => name === word.replace(/\/$/, '').replace(/^.*\//, '') || name.startsWith(`${word}-`) || name.replace(/^[a-z]?\d+-/, '') === word)
    if (fitting.length === 0) throw new UsageError(`there is no lesson "${word}"; there are ${names.join(', ')}.`)
    for (const name of fitting) chosen.add(name)
  }
  const system = await miniFiles(miniDirectory(projectRoot))
  const result: Named[] = []
  for (const name of names) {
    if (wanted.length > 0 && !chosen.has(name)) continue
    result.push({ name, read: readLesson(await readLessonFolder(curriculum, name, projectRoot), system) })
  }
  return result
}

interface Kernels {
  readonly choices: readonly KernelChoice[]
  readonly images: Record<string, string>
  /** Sentences about those that are not at hand. */
  readonly missing: readonly string[]
}

/** Without -kernel: of each series that the lessons name, the newest at hand. @throws UsageError, InputFileError */
async function findKernels(wanted: readonly string[], series: readonly Series[], projectRoot: string): Promise<Kernels> {
  const supply = new KernelSupply(defaultCache(projectRoot))
  const known = await supply.list()
  const choices: KernelChoice[] = []
  const images: Record<string, string> = {}
  const missing: string[] = []
  const words = wanted.length > 0 ? wanted : SERIES.filter(name => series.includes(name))
  for (const word of words) {
    if (word === 'mini') {
      choices.push({ series: 'mini', release: 'mini' })
      continue
    }
    const entry = known.find(kernel => kernel.version === word || kernel.version.startsWith(`${word}.`))
    const path = entry === undefined ? word : supply.imagePath(entry.version)
    if (entry === undefined && /^\d+\.\d+(\.\d+)?$/.test(word)) {
      missing.push(`Linux ${word} is not at hand: fetch it with "pkvm-lab kernel fetch ${word}".`)
      continue
    }
    const release = entry?.version ?? releaseOf(await readInput(path, 'kernel'), path)
    const its = seriesOf(release)
    if (its === null) throw new UsageError(`kernel ${path}: ${release} is of none of the series that lessons are written for: ${SERIES.join(', ')}.`)
    choices.push({ series: its, release })
    images[release] = path
  }
  return { choices, images, missing }
}

/** `uname -r`, from the Image's banner. */
function releaseOf(image: Uint8Array, path: string): string {
  const text = Buffer.from(image.buffer, image.byteOffset, image.byteLength)
  const at = text.indexOf('Linux version ')
  const release = at < 0 ? undefined : /^Linux version (\S+)/.exec(text.toString('latin1', at, at + 200))?.[1]
  if (release === undefined) throw new UsageError(`kernel ${path}: this holds no Linux kernel with a version.`)
  return release
}

/** Compiles the scripts of attempts, each text once. */
function scriptCompiler(declarations: string): (lesson: Lesson, attempt: Attempt) => Compiled {
  const known = new Map<string, Compiled>()
  return (lesson, attempt) => {
    const script = scriptTexts(lesson, attempt)
    if (script === null) return { ok: true, script: null }
    const key = JSON.stringify(script)
    let compiled = known.get(key)
    if (compiled === undefined) {
      const result = transpileScripts(script.texts, declarations)
      const [first] = result.ok ? [] : result.diagnostics
      compiled = result.ok
        ? { ok: true, script: { entry: script.entry, modules: result.modules } }
        : { ok: false, message: first === undefined ? 'the script has errors' : `${first.file}:${first.line}:${first.column}: ${first.message}` }
      known.set(key, compiled)
    }
    return compiled
  }
}

async function threadPool(lessons: readonly Named[], kernels: Kernels, options: Options, projectRoot: string, thread: URL, listing: boolean): Promise<LessonPool> {
  const mini = kernels.choices.some(choice => choice.series === 'mini')
  return new LessonPool(
    thread,
    {
      images: kernels.images,
      mini: mini ? await miniFiles(miniDirectory(projectRoot)) : {},
      init: buildInitProgram(initSources(projectRoot)),
      checks: Object.fromEntries(lessons.map(({ name }) => [name, checksBundle(name, projectRoot)])),
      listing,
    },
    options.threads,
  )
}

async function test(options: Options, projectRoot: string, thread: URL): Promise<number> {
  const started = performance.now()
  const lessons = await readAll(options.names, projectRoot)
  const malformed = lessons.filter(({ read }) => read.problems.length > 0)
  const sound = lessons.flatMap(({ read }) => (read.problems.length === 0 && read.lesson !== null ? [read.lesson] : []))
  const kernels = await findKernels(options.kernels, sound.flatMap(lesson => lesson.kernels), projectRoot)
  const compile = scriptCompiler(await readFile(join(projectRoot, 'lessons', 'kvm', 'lab.d.ts'), 'utf8'))
  let ids = 0
  const trials: Trial[] = kernels.choices.flatMap(kernel =>
    sound.filter(lesson => lesson.kernels.includes(kernel.series)).flatMap(lesson => trialsOf(lesson, kernel, attempt => compile(lesson, attempt), () => ++ids)),
  ).filter(trial => options.attempt === null || trial.attempt.name === options.attempt)
  const progress = new Progress(trials)
  const pool = await threadPool(lessons, kernels, options, projectRoot, thread, false)
  await pool.run(groupsOf(trials.flatMap(trial => trial.tasks), MOST_RUNS_A_BOOT), report => progress.add(report))
  const results = progress.results()

  for (const lesson of lessons) {
    for (const problem of lesson.read.problems) console.log(`${problemText(lesson.name, problem)}`)
    for (const line of resultLines(results.filter(result => result.trial.lesson.folder === lesson.name))) console.log(line)
  }
  for (const kernel of kernels.choices) {
    for (const note of await citationNotes(sound, kernel, kernels.images[kernel.release])) console.log(note)
  }
  for (const sentence of kernels.missing) console.log(sentence)
  console.log(summaryLine(results, malformed.length, performance.now() - started))
  if (options.json !== null) await writeFile(options.json, JSON.stringify(plain(results, malformed, kernels), null, 2))
  if (results.some(result => !result.ok) || malformed.length > 0) return 1
  return kernels.missing.length > 0 && options.kernels.length > 0 ? 2 : 0
}

/** Reports as they come, until each trial has all of its own. */
class Progress {
  private readonly reports = new Map<number, RunReport>()

  constructor(private readonly trials: readonly Trial[]) {}

  add(report: RunReport): void {
    this.reports.set(report.id, report)
    const total = this.trials.reduce((sum, trial) => sum + trial.tasks.length, 0)
    if (process.stderr.isTTY) process.stderr.write(`\r${this.reports.size} of ${total} runs\x1b[K${this.reports.size === total ? '\r\x1b[K' : ''}`)
  }

  results(): TrialResult[] {
    return this.trials.map(trial => judge(trial, [...trial.known, ...trial.tasks.flatMap(task => this.reports.get(task.id) ?? [])]))
  }
}

function plain(results: readonly TrialResult[], malformed: readonly Named[], kernels: Kernels) {
  return {
    trials: results.map(({ trial, ok, faults, instructions, passed, checks }) => ({
      lesson: trial.lesson.folder,
      kernel: trial.kernel.series,
      attempt: trial.role === 'wrong' ? `wrong/${trial.attempt.name}` : trial.role,
      ok,
      faults,
      instructions,
      passed,
      checks,
    })),
    malformed: malformed.map(({ name, read }) => ({ lesson: name, problems: read.problems.map(problem => problemText(name, problem)) })),
    missing: kernels.missing,
  }
}

/** `pkvm-lab lesson events`: one attempt on one kernel, with all that a check could have seen. */
async function events(options: Options, projectRoot: string, thread: URL): Promise<number> {
  if (options.names.length !== 1) throw new UsageError(USAGE)
  const wanted = options.attempt ?? 'solution'
  const lessons = await readAll(options.names, projectRoot)
  const { read, name } = lessons[0]!
  for (const problem of read.problems) console.log(problemText(name, problem))
  if (read.lesson === null || read.problems.length > 0) return 1
  const { lesson } = read
  const kernels = await findKernels(options.kernels.length > 0 ? options.kernels : [lesson.kernels.at(-1)!], lesson.kernels, projectRoot)
  if (kernels.choices.length === 0) throw new UsageError(kernels.missing.join(' '))
  const compile = scriptCompiler(await readFile(join(projectRoot, 'lessons', 'kvm', 'lab.d.ts'), 'utf8'))
  let ids = 0
  const all = kernels.choices.flatMap(kernel => trialsOf(lesson, kernel, attempt => compile(lesson, attempt), () => ++ids))
  const trials = all.filter(trial => trial.attempt.name === wanted)
  if (trials.length === 0) throw new UsageError(`${name} has no attempt "${wanted}"; it has ${[...new Set(all.map(trial => trial.attempt.name))].join(', ')}.`)
  const show = (report: RunReport) => {
    const task = trials.flatMap(trial => trial.tasks).find(candidate => candidate.id === report.id)
    console.log(`== ${name}, ${wanted}, ${task?.kernel.release ?? ''}, mode ${task?.plan.settings.mode ?? ''}: ${report.instructions} instructions, ${report.ending.kind}`)
    for (const line of report.listing) console.log(line)
    console.log('\nchecks')
    for (const check of report.checks) console.log(`  ${check.passed ? 'pass' : 'fail'} ${check.id}${check.passed ? '' : ` (${check.explanation}): ${check.detail}`}`)
    for (const [id, choice] of Object.entries(report.outcomes)) console.log(`  prediction ${id}: ${choice ?? 'nothing shown'}`)
  }
  for (const report of trials.flatMap(trial => trial.known)) show(report)
  const pool = await threadPool(lessons, kernels, options, projectRoot, thread, true)
  await pool.run(groupsOf(trials.flatMap(trial => trial.tasks), MOST_RUNS_A_BOOT), show)
  return 0
}
