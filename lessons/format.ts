/**
 * The format of a lesson: a folder `lessons/curriculum/NN-name/`, described in README.md. Reading it needs no file
 * system: the page brings the texts with import.meta.glob, the command reads them from disk.
 */
import { type Check, checkModule, type LessonChecks } from './checks.ts'
import { type FolderTexts, readAttempts } from './format/attempts.ts'
import { readBody } from './format/body.ts'
import type { Problem } from './format/fields.ts'
import { readFrontMatter, splitHead } from './format/front-matter.ts'
import type { Block, Lesson } from './format/lesson.ts'
import { BUILDS, BUILDS_EXPLANATIONS } from './run/task.ts'
import { parseLabLink } from './format/links.ts'
import type { SystemFiles } from './mini-pkvm/system.ts'

export type { FolderTexts } from './format/attempts.ts'
export { citationsIn, withCitations } from './format/body.ts'
export { problemText, type Problem } from './format/fields.ts'
export * from './format/lesson.ts'
export { type LabLink, parseLabLink, type SettingsChange, type View, VIEWS } from './format/links.ts'

/** A folder as it was found. */
export interface LessonFolder {
  /** `01-who-runs-at-el2` */
  readonly name: string
  /** Every text file by path from the folder, checks.ts not needed. */
  readonly texts: FolderTexts
  /** The namespace of checks.ts, or the error with which loading it failed; undefined where there is none. */
  readonly checks: unknown
}

export interface ReadLesson {
  /** Null when lesson.md is missing or has no head. */
  readonly lesson: Lesson | null
  readonly checks: LessonChecks
  /** Nothing may be run of a lesson that has any. */
  readonly problems: readonly Problem[]
}

const FOLDER = /^([a-z]?\d+)-[a-z0-9]+(-[a-z0-9]+)*$/

/**
 * Reads a folder whole. Never throws: what is wrong with it is in `problems`, each one sentence with file and field.
 * @param system mini-pKVM's files, which lessons of kind system edit: `miniFiles` in the command, SYSTEM_FILES in the page
 */
export function readLesson(folder: LessonFolder, system: SystemFiles): ReadLesson {
  const problems: Problem[] = []
  const name = FOLDER.exec(folder.name)
  if (name === null) problems.push({ file: '', field: '', message: `the folder's name should be a number and a name, as in 01-who-runs-at-el2.` })
  const checks = checkModule(folder.checks, problems)
  const text = folder.texts['lesson.md']
  if (text === undefined) {
    problems.push({ file: 'lesson.md', field: '', message: 'is missing.' })
    return { lesson: null, checks, problems }
  }
  const parts = splitHead(text, problems)
  if (parts === undefined) return { lesson: null, checks, problems }
  const front = readFrontMatter(parts.head, folder.name, problems)
  const { intro, steps } = readBody(parts.body, problems)
  const attempts = readAttempts(folder.texts, front, system, problems)
  const lesson: Lesson = { folder: folder.name, number: name?.[1] ?? '', ...front, intro, steps, attempts }
  fitTogether(lesson, checks, problems)
  return { lesson, checks, problems }
}

/** What the parts say of each other. */
function fitTogether(lesson: Lesson, checks: LessonChecks, problems: Problem[]): void {
  const stepIds = lesson.steps.map(step => step.id)
  for (const check of checks.checks) {
    if (check.id === BUILDS) problems.push({ file: 'checks.ts', field: `check "${check.id}"`, message: 'the check of this name is the runner\'s own.' })
    if (!stepIds.includes(check.step)) problems.push({ file: 'checks.ts', field: `check "${check.id}"`, message: `its step "${check.step}" is none of lesson.md's: ${stepIds.join(', ')}.` })
  }
  linksFit(lesson, stepIds, problems)
  const blocks = [...lesson.intro, ...lesson.steps.flatMap(step => step.blocks)]
  const questions = blocks.filter(block => block.kind === 'question')
  const predictions = blocks.filter(block => block.kind === 'predict')
  for (const { id } of predictions) {
    if (checks.outcomes[id] === undefined) problems.push({ file: 'checks.ts', field: 'outcomes', message: `has nothing for the prediction "${id}": a function that reads from the run which choice it was.` })
  }
  for (const id of Object.keys(checks.outcomes)) {
    if (!predictions.some(prediction => prediction.id === id)) problems.push({ file: 'checks.ts', field: `outcomes.${id}`, message: 'lesson.md has no prediction of that id.' })
  }
  const { start, solution, wrong } = lesson.attempts
  for (const [file, attempt] of [['start', start], ['solution', solution], ...wrong.map(a => [`wrong/${a.name}`, a] as const)] as const) {
    for (const run of attempt.runs) {
      chosen(run.answers, questions, 'answers', `${file}/attempt.yaml`, problems)
      chosen(run.predictions, predictions, 'predictions', `${file}/attempt.yaml`, problems)
    }
  }
  for (const attempt of wrong) expected(attempt.name, attempt.expect, checks.checks, problems)
}

/** Files and steps that the text links to are the lesson's own. */
function linksFit(lesson: Lesson, stepIds: readonly string[], problems: Problem[]): void {
  const texts = [...lesson.intro, ...lesson.steps.flatMap(step => [...step.blocks, ...step.hints.map(text => ({ kind: 'markdown' as const, text }))])]
  for (const block of texts) {
    const text = block.kind === 'markdown' ? block.text : block.kind === 'predict' ? block.compare : ''
    for (const [, href] of text.matchAll(/\]\((lab:[^)\s]*)/g)) {
      const link = parseLabLink(href!)
      if (typeof link === 'string') continue
      const missing = (link.to === 'file' && !lesson.files.some(file => file.name === link.name)) || (link.to === 'step' && !stepIds.includes(link.id))
      if (missing) problems.push({ file: 'lesson.md', field: 'body', message: `the link ${href} leads to no ${link.to} of this lesson.` })
    }
  }
}

function chosen(
  values: Readonly<Record<string, string>>,
  blocks: readonly Exclude<Block, { kind: 'markdown' }>[],
  field: string,
  file: string,
  problems: Problem[],
): void {
  for (const [id, value] of Object.entries(values)) {
    const block = blocks.find(candidate => candidate.id === id)
    if (block === undefined) problems.push({ file, field: `${field}.${id}`, message: 'lesson.md asks nothing of that id.' })
    else if (block.choices.length > 0 && !block.choices.some(choice => choice.key === value)) {
      problems.push({ file, field: `${field}.${id}`, message: `"${value}" is none of the choices ${block.choices.map(choice => choice.key).join(', ')}.` })
    }
  }
}

function expected(name: string, expect: { check: string; explanation: string }, checks: readonly Check[], problems: Problem[]): void {
  if (checks.length === 0 || expect.check === '') return
  const file = `wrong/${name}/expect.yaml`
  const check = expect.check === BUILDS ? { id: BUILDS, explanations: BUILDS_EXPLANATIONS as Record<string, string> } : checks.find(candidate => candidate.id === expect.check)
  if (check === undefined) {
    problems.push({ file, field: 'check', message: `"${expect.check}" is no check of checks.ts: ${checks.map(candidate => candidate.id).join(', ')}.` })
  } else if (check.explanations[expect.explanation] === undefined) {
    problems.push({ file, field: 'explanation', message: `"${expect.explanation}" is none of ${check.id}'s explanations: ${Object.keys(check.explanations).join(', ')}.` })
  }
}
