/** The head of lesson.md: YAML between two lines of three dashes. */
import { Fields, parseYaml, type Problem } from './fields.ts'
import { KINDS, type Kind, type LessonFile, type LessonSettings, MODES, ROLES, SERIES, type Series } from './lesson.ts'

export interface FrontMatter {
  readonly id: string
  readonly title: string
  readonly question: string
  readonly minutes: number
  readonly kind: Kind
  readonly kernels: readonly Series[]
  readonly start: LessonSettings
  readonly collect: boolean
  readonly violations: 'stop' | 'go'
  readonly limit: number
  readonly files: readonly LessonFile[]
}

const FILE = 'lesson.md'
const NO_SETTINGS: LessonSettings = { mode: 'protected', append: '', gate: 'y', ramMiB: 256, crypto: true, options: {} }
/** A lesson's whole run on Debian's kernel is some ten million instructions. */
const LIMIT_MILLIONS = 400
const OWN_OPTIONS = /(^|\s)(kvm[-_]arm\.mode|lab\.init)=/

/** Splits lesson.md. @returns undefined when there is no head, which is a problem. */
export function splitHead(text: string, problems: Problem[]): { head: string; body: string } | undefined {
  const match = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text)
  if (match === null) {
    problems.push({ file: FILE, field: '', message: 'should begin with front matter: YAML between two lines of three dashes.' })
    return undefined
  }
  return { head: match[1] ?? '', body: text.slice(match[0].length) }
}

export function readFrontMatter(head: string, folder: string, problems: Problem[]): FrontMatter {
  const fields = new Fields(parseYaml(head, FILE, 'front matter', problems), FILE, '', problems)
  const id = fields.text('id')
  const expected = folder.replace(/^[a-z]?\d+-/, '')
  if (id !== '' && id !== expected) fields.wrong('id', `"${id}" should be the folder's name without its number: "${expected}".`)
  const kind = fields.choice('kind', KINDS)
  const kernels = fields.choices('kernels', SERIES)
  if (kernels.length === 0) fields.wrong('kernels', `should list at least one of ${SERIES.join(', ')}.`)
  if (kind === 'system' && kernels.some(series => series !== 'mini')) {
    fields.wrong('kernels', 'a lesson of kind system edits mini-pKVM: only mini can be listed.')
  }
  const files = fields.each('files', (file): LessonFile => {
    const name = file.text('name')
    if (!/^[\w][\w./-]*$/.test(name) || name.includes('..')) file.wrong('name', `"${name}" is no plain file name.`)
    return { name, role: file.choice('role', ROLES), readOnly: file.flag('readonly', false) }
  })
  if (files.filter(file => file.role === 'script').length > 1) fields.wrong('files', 'has more than one script; a lesson runs one.')
  if (kind !== 'system' && files.some(file => file.role === 'source')) {
    fields.wrong('files', 'the role source belongs to lessons of kind system.')
  }
  const result: FrontMatter = {
    id,
    title: fields.text('title'),
    question: fields.text('question'),
    minutes: fields.number('minutes', 1, 60),
    kind,
    kernels,
    start: readSettings(fields.inside('start'), NO_SETTINGS),
    collect: fields.flag('collect', false),
    violations: fields.choice('violations', ['stop', 'go'], 'stop'),
    limit: fields.number('limit', 1, 20_000, LIMIT_MILLIONS) * 1_000_000,
    files,
  }
  fields.noOthers()
  return result
}

/** What is not said is as in `base`. */
export function readSettings(fields: Fields, base: LessonSettings): LessonSettings {
  const append = fields.text('append', base.append)
  const own = OWN_OPTIONS.exec(append)
  if (own !== null) fields.wrong('append', `${own[2]} is set by the lab: use mode for kvm-arm.mode, and leave lab.init out.`)
  const result: LessonSettings = {
    mode: fields.choice('mode', MODES, base.mode),
    append,
    gate: fields.choice('gate', ['y', 'n'], base.gate),
    ramMiB: fields.number('ramMiB', 128, 1024, base.ramMiB),
    crypto: fields.flag('crypto', base.crypto),
    options: { ...base.options, ...fields.texts('options') },
  }
  fields.noOthers()
  return result
}
