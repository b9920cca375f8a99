/**
 * The body of lesson.md: steps under `## Title {#id}`, prose in Markdown, and fenced blocks `predict`, `question` (YAML)
 * and `hint` (Markdown) where they belong in the text.
 */
import { Fields, parseYaml, type Problem } from './fields.ts'
import { parseLabLink } from './links.ts'
import type { Block, Choice, Citation, Prediction, Question, Step } from './lesson.ts'

const FILE = 'lesson.md'
const HEADING = /^##[ \t]+(.*?)[ \t]*$/
const HEADING_ID = /^(.*?)[ \t]*\{#([a-z][a-z0-9-]*)\}$/
const FENCE = /^(`{3,}|~{3,})[ \t]*(\S*)[^\n]*$/
/** `[handle_host_mem_abort, 7.3.4]`, `[host_donate, mini]`; not a link. */
const CITATION = /\[([A-Za-z_][\w.$]*(?:\(\))?),[ \t]*((?:\d+\.\d+(?:\.\d+)?|mini)(?:[ \t]*,[ \t]*(?:\d+\.\d+(?:\.\d+)?|mini))*)\](?!\()/g
const LINK = /\]\((lab:[^)\s]*)/g

export interface Body {
  readonly intro: readonly Block[]
  readonly steps: readonly Step[]
}

interface OpenStep {
  readonly id: string
  readonly title: string
  readonly blocks: Block[]
  readonly hints: string[]
}

export function readBody(text: string, problems: Problem[]): Body {
  const intro: OpenStep = { id: '', title: '', blocks: [], hints: [] }
  const steps: OpenStep[] = []
  let step = intro
  let prose: string[] = []
  const flush = () => {
    const markdown = prose.join('\n').trim()
    if (markdown !== '') step.blocks.push({ kind: 'markdown', text: markdown })
    prose = []
  }
  const lines = text.split(/\r?\n/)
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    const fence = FENCE.exec(line)
    if (fence !== null) {
      const end = closingFence(lines, i, fence[1]!)
      const language = fence[2]!
      if (end === lines.length) problems.push({ file: FILE, field: place(step), message: `the block that begins with ${fence[1]}${language} is never closed.` })
      if (language === 'predict' || language === 'question' || language === 'hint') {
        flush()
        addBlock(step, language, lines.slice(i + 1, end).join('\n'), problems)
      } else {
        prose.push(...lines.slice(i, end + 1))
      }
      i = end
      continue
    }
    const heading = HEADING.exec(line)
    if (heading === null) {
      prose.push(line)
      continue
    }
    flush()
    step = openStep(heading[1]!, steps, problems)
    steps.push(step)
  }
  flush()
  if (steps.length === 0) problems.push({ file: FILE, field: 'body', message: 'has no step: a step begins with a line "## Title {#id}".' })
  if (intro.hints.length > 0) problems.push({ file: FILE, field: 'body', message: 'a hint stands before the first step; hints belong to a step.' })
  checkLinks(text, problems)
  checkIds([intro, ...steps], problems)
  return { intro: intro.blocks, steps }
}

function closingFence(lines: readonly string[], start: number, fence: string): number {
  for (let i = start + 1; i < lines.length; i++) {
    const line = lines[i]!.trim()
    if (line.startsWith(fence) && line.replaceAll(fence[0]!, '') === '') return i
  }
  return lines.length
}

function openStep(heading: string, steps: readonly OpenStep[], problems: Problem[]): OpenStep {
  const match = HEADING_ID.exec(heading)
  const id = match?.[2] ?? ''
  const title = match?.[1] ?? heading
  const field = `step "${title}"`
  if (match === null) problems.push({ file: FILE, field, message: 'has no id: write "## Title {#id}", the id in small letters, digits and dashes.' })
  else if (steps.some(other => other.id === id)) problems.push({ file: FILE, field, message: `the id "${id}" is another step's already.` })
  if (title === '') problems.push({ file: FILE, field: `step "${id}"`, message: 'has no title.' })
  return { id, title, blocks: [], hints: [] }
}

function addBlock(step: OpenStep, kind: 'predict' | 'question' | 'hint', text: string, problems: Problem[]): void {
  if (kind === 'hint') {
    if (text.trim() === '') problems.push({ file: FILE, field: place(step), message: 'has an empty hint.' })
    step.hints.push(text.trim())
    return
  }
  const where = `${kind} in ${place(step)}`
  const fields = new Fields(parseYaml(text, FILE, where, problems), FILE, where, problems)
  const choices = readChoices(fields)
  const question: Question = { id: fields.text('id'), question: fields.text('question'), choices }
  if (kind === 'question') {
    fields.noOthers()
    step.blocks.push({ kind, ...question })
    return
  }
  if (choices.length < 2) fields.wrong('choices', 'a prediction needs at least two choices.')
  const prediction: Prediction = { ...question, compare: fields.text('compare') }
  fields.noOthers()
  step.blocks.push({ kind, ...prediction })
}

function readChoices(fields: Fields): Choice[] {
  const texts = fields.texts('choices')
  return Object.entries(texts).map(([key, text]) => ({ key, text }))
}

function place(step: { readonly id: string }): string {
  return step.id === '' ? 'before the first step' : `step "${step.id}"`
}

function checkLinks(text: string, problems: Problem[]): void {
  for (const [, href] of text.matchAll(LINK)) {
    const link = parseLabLink(href!)
    if (typeof link === 'string') problems.push({ file: FILE, field: 'body', message: link })
  }
}

function checkIds(steps: readonly OpenStep[], problems: Problem[]): void {
  const seen = new Set<string>()
  for (const block of steps.flatMap(step => step.blocks)) {
    if (block.kind === 'markdown') continue
    if (seen.has(block.id)) problems.push({ file: FILE, field: `${block.kind} "${block.id}"`, message: 'this id is used twice.' })
    seen.add(block.id)
  }
}

/** Every kernel function cited in a text. */
export function citationsIn(markdown: string): Citation[] {
  return [...markdown.matchAll(CITATION)].map(match => citation(match[1]!, match[2]!))
}

/** The text with each citation replaced by what `render` makes of it. */
export function withCitations(markdown: string, render: (citation: Citation) => string): string {
  return markdown.replace(CITATION, (_, symbol: string, versions: string) => render(citation(symbol, versions)))
}

function citation(symbol: string, versions: string): Citation {
  return { symbol, versions: versions.split(',').map(version => version.trim()) }
}
