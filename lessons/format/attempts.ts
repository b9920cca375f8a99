/** start/, solution/ and wrong/<name>/: what a learner might have, and what must come of it. */
import type { SystemFiles } from '../mini-pkvm/system.ts'
import { EDITS, type EditBase, editedFiles } from './edits.ts'
import { Fields, parseYaml, type Problem } from './fields.ts'
import { type FrontMatter, readSettings } from './front-matter.ts'
import { type Attempt, type Lesson, type LessonSettings, type RunPlan, SERIES, type WrongAttempt } from './lesson.ts'

/** Texts of a lesson's folder by path from it, `start/script.ts`. */
export type FolderTexts = Readonly<Record<string, string>>

const ATTEMPT = 'attempt.yaml'
const EXPECT = 'expect.yaml'

/** @param system mini-pKVM's files: a source that start/ neither holds nor edits is the system's own, in no attempt's files */
export function readAttempts(texts: FolderTexts, front: FrontMatter, system: SystemFiles, problems: Problem[]): Lesson['attempts'] {
  const names = front.files.map(file => file.name)
  const sources = front.files.filter(file => file.role === 'source').map(file => file.name)
  const originals = Object.fromEntries(sources.flatMap(name => (system[name] === undefined ? [] : [[name, system[name]] as const])))
  const startTexts = inFolder(texts, 'start')
  for (const name of names) {
    if (startTexts[name] !== undefined || originals[name] !== undefined) continue
    const message = sources.includes(name) ? 'is named in lesson.md, and neither start/ nor mini-pKVM has it.' : 'is named in lesson.md and is missing.'
    problems.push({ file: `start/${name}`, field: '', message })
  }
  unknownFiles('start', startTexts, names, [ATTEMPT, EDITS], problems)
  const ofSystem: EditBase = { files: originals, of: 'mini-pKVM that lesson.md lists with the role source' }
  const { runs } = plans(startTexts[ATTEMPT], 'start', front, problems)
  const start = attemptOf('start', withEdits(startTexts, ofSystem, 'start', problems), {}, runs)

  const solutionTexts = inFolder(texts, 'solution')
  if (Object.keys(solutionTexts).length === 0) problems.push({ file: 'solution/', field: '', message: `is missing: it holds the files that differ from start/, and ${ATTEMPT} where settings or answers do.` })
  unknownFiles('solution', solutionTexts, names, [ATTEMPT, EDITS], problems)
  const planned = plans(solutionTexts[ATTEMPT] ?? startTexts[ATTEMPT], 'solution', front, problems)
  const closed = Object.fromEntries(Object.entries(start.files).map(([name, text]) => [name, originals[name] ?? text]))
  const before = planned.base === 'system' ? closed : start.files
  const solution = attemptOf('solution', withEdits(solutionTexts, ofAttempt(before), 'solution', problems), before, planned.runs)

  const wrongNames = [...new Set(Object.keys(texts).flatMap(path => /^wrong\/([^/]+)\//.exec(path)?.[1] ?? []))].sort()
  if (wrongNames.length === 0) problems.push({ file: 'wrong/', field: '', message: 'is missing: record at least one wrong attempt, with the explanation it should get.' })
  const wrong = wrongNames.map((name): WrongAttempt => {
    const folder = `wrong/${name}`
    const own = inFolder(texts, folder)
    unknownFiles(folder, own, names, [ATTEMPT, EXPECT, EDITS], problems)
    const { check, explanation, base, kernels } = readExpect(own[EXPECT], folder, front, problems)
    const from = base === 'start' ? { attempt: start, yaml: startTexts[ATTEMPT] } : { attempt: solution, yaml: solutionTexts[ATTEMPT] ?? startTexts[ATTEMPT] }
    const { runs } = plans(own[ATTEMPT] ?? from.yaml, own[ATTEMPT] === undefined ? base : folder, front, own[ATTEMPT] === undefined ? [] : problems)
    return { ...attemptOf(name, withEdits(own, ofAttempt(from.attempt.files), folder, problems), from.attempt.files, runs), expect: { check, explanation }, kernels }
  })
  return { start, solution, wrong }
}

function inFolder(texts: FolderTexts, folder: string): Record<string, string> {
  const prefix = `${folder}/`
  return Object.fromEntries(Object.entries(texts).flatMap(([path, text]) => (path.startsWith(prefix) ? [[path.slice(prefix.length), text]] : [])))
}

function unknownFiles(folder: string, own: FolderTexts, names: readonly string[], others: readonly string[], problems: Problem[]): void {
  for (const name of Object.keys(own)) {
    if (!names.includes(name) && !others.includes(name)) problems.push({ file: `${folder}/${name}`, field: '', message: 'is not listed under files in lesson.md.' })
  }
}

const ofAttempt = (files: FolderTexts): EditBase => ({ files, of: 'the attempt that this one is based on' })

/** What the folder holds, and what its edits make of the base's files. */
function withEdits(own: FolderTexts, base: EditBase, folder: string, problems: Problem[]): FolderTexts {
  return { ...own, ...editedFiles(own, base, folder, problems) }
}

function attemptOf(name: string, own: FolderTexts, base: FolderTexts, runs: readonly RunPlan[]): Attempt {
  const files = Object.fromEntries(Object.entries(own).filter(([path]) => ![ATTEMPT, EXPECT, EDITS].includes(path)))
  return { name, files: { ...base, ...files }, runs }
}

/** What attempt.yaml says. */
interface Plans {
  readonly runs: readonly RunPlan[]
  /** What the solution's folder differs from: the start, or the start with mini-pKVM's own text in every source. */
  readonly base: 'start' | 'system'
}

/** The runs that attempt.yaml describes; without it one run, as the lesson starts. */
function plans(text: string | undefined, folder: string, front: FrontMatter, problems: Problem[]): Plans {
  if (text === undefined) {
    return { runs: [{ settings: front.start, answers: {}, predictions: {}, hostCalls: [], sources: 'own' }], base: 'start' }
  }
  const file = `${folder}/${ATTEMPT}`
  const fields = new Fields(parseYaml(text, file, '', problems), file, '', problems)
  const base = folder === 'solution' ? fields.choice('base', ['start', 'system'], 'start') : 'start'
  if (base === 'system' && !front.files.some(({ role }) => role === 'source')) {
    fields.wrong('base', 'the lesson has no file of role source, whose text could be the system\'s.')
  }
  const common = planOf(fields, front.start)
  const runs = fields.each('runs', run => {
    const plan = planOf(run, common.settings)
    return {
      settings: plan.settings,
      answers: { ...common.answers, ...plan.answers },
      predictions: { ...common.predictions, ...plan.predictions },
      hostCalls: run.has('hypercalls') ? plan.hostCalls : common.hostCalls,
      sources: run.has('sources') ? plan.sources : common.sources,
    }
  })
  if (runs.length > 1 && !front.collect) fields.wrong('runs', 'several runs need "collect: true" in lesson.md: without it only the newest run counts.')
  fields.noOthers()
  return { runs: runs.length > 0 ? runs : [common], base }
}

function planOf(fields: Fields, base: LessonSettings): RunPlan {
  return {
    settings: readSettings(fields.inside('settings'), base),
    answers: fields.texts('answers'),
    predictions: fields.texts('predictions'),
    hostCalls: fields.each('hypercalls', call => ({ call: call.text('call'), args: call.list('args').map(String) })),
    sources: fields.choice('sources', ['own', 'start'], 'own'),
  }
}

function readExpect(text: string | undefined, folder: string, front: FrontMatter, problems: Problem[]) {
  const file = `${folder}/${EXPECT}`
  if (text === undefined) problems.push({ file, field: '', message: 'is missing: it names the check that fails and its explanation.' })
  const fields = new Fields(text === undefined ? {} : parseYaml(text, file, '', problems), file, '', text === undefined ? [] : problems)
  const kernels = fields.choices('kernels', SERIES)
  const result = {
    check: fields.text('check'),
    explanation: fields.text('explanation'),
    base: fields.choice('base', ['solution', 'start'], 'solution'),
    kernels: kernels.length > 0 ? kernels : front.kernels,
  }
  fields.noOthers()
  return result
}
