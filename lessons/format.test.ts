import { readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { citationsIn, type LessonFolder, problemText, readLesson, withCitations } from './format.ts'

const LESSONS = dirname(fileURLToPath(import.meta.url))
const CURRICULUM = join(LESSONS, 'curriculum')

function textsIn(root: string): Record<string, string> {
  const files = (readdirSync(root, { recursive: true }) as string[]).filter(path => statSync(join(root, path)).isFile())
  return Object.fromEntries(files.map(path => [path, readFileSync(join(root, path), 'utf8')]))
}

const LESSON = `---
id: small
title: Small
question: Why?
minutes: 5
kind: vmm
kernels: ['7.2', mini]
start: { mode: nvhe, append: quiet }
files:
  - { name: script.ts, role: script }
---
Words before.

## First {#first}
Prose [handle_host_mem_abort, 7.2.13, 7.3.4] and [a link](lab:boot?mode=nvhe).

\`\`\`ts
## not a heading
\`\`\`

\`\`\`predict
id: p
question: Which?
choices: { a: This, b: That }
compare: There.
\`\`\`

\`\`\`hint
Look *there*.
\`\`\`

## Second {#second}
\`\`\`question
id: q
question: How many?
\`\`\`
`

const check = { id: 'c', title: 'It holds', step: 'first', explanations: { no: 'It does not.' }, test: async () => 'pass' as const }
const GOOD: LessonFolder = {
  name: '07-small',
  texts: {
    'lesson.md': LESSON,
    'start/script.ts': 'start',
    'solution/script.ts': 'solution',
    'solution/attempt.yaml': 'settings: { gate: n }\nanswers: { q: 3 }\npredictions: { p: a }',
    'wrong/off/script.ts': 'wrong',
    'wrong/off/expect.yaml': 'check: c\nexplanation: no',
  },
  checks: { checks: [check], outcomes: { p: async () => null } },
}

const problemsOf = (texts: Record<string, string | undefined>, checks: unknown = GOOD.checks, name = GOOD.name) => {
  const all = { ...GOOD.texts, ...texts } as Record<string, string>
  for (const [path, text] of Object.entries(texts)) if (text === undefined) delete all[path]
  return readLesson({ name, texts: all, checks: checks === 'none' ? undefined : checks }, {}).problems.map(problem => problemText(name, problem))
}

describe('a lesson folder', () => {
  it('is read whole', () => {
    const { lesson, problems } = readLesson(GOOD, {})
    expect(problems).toEqual([])
    expect(lesson).toMatchObject({ number: '07', start: { mode: 'nvhe', append: 'quiet', gate: 'y', ramMiB: 256 }, collect: false, limit: 400_000_000 })
    expect(lesson!.steps.map(step => [step.id, step.blocks.map(block => block.kind), step.hints.length])).toEqual([
      ['first', ['markdown', 'predict'], 1],
      ['second', ['question'], 0],
    ])
    expect(lesson!.steps[0]!.blocks[0]).toMatchObject({ text: expect.stringContaining('## not a heading') })
    const { start, solution, wrong } = lesson!.attempts
    expect(start).toMatchObject({ files: { 'script.ts': 'start' }, runs: [{ answers: {} }] })
    expect(solution).toMatchObject({ files: { 'script.ts': 'solution' }, runs: [{ settings: { mode: 'nvhe', gate: 'n' }, answers: { q: '3' } }] })
    // What a wrong attempt does not hold is the solution's.
    expect(wrong).toMatchObject([{ name: 'off', files: { 'script.ts': 'wrong' }, runs: [{ settings: { gate: 'n' } }], expect: { check: 'c', explanation: 'no' }, kernels: ['7.2', 'mini'] }])
  })

  it('takes edits in place of another copy of a file', () => {
    const edits = (text: string) => readLesson({ ...GOOD, texts: { ...GOOD.texts, 'wrong/near/edits.yaml': text, 'wrong/near/expect.yaml': 'check: c\nexplanation: no' } }, {})
    const near = edits("- { file: script.ts, find: lut, put: $&LUT }").lesson?.attempts.wrong.find(attempt => attempt.name === 'near')
    expect(near?.files['script.ts']).toBe('so$&LUTion')
    const problems = (text: string) => edits(text).problems.map(problem => problemText('07-small', problem))
    expect(problems('- { file: script.ts, find: o, put: x }')).toEqual(['07-small/wrong/near/edits.yaml, edits[0].find: this text is there 2 times in script.ts; it should be there once.'])
    expect(problems('- { file: guest.s, find: o, put: x }')).toEqual(['07-small/wrong/near/edits.yaml, edits[0].file: "guest.s" is no file of the attempt that this one is based on.'])
  })

  it('cites functions with the versions they were seen in', () => {
    expect(citationsIn(LESSON)).toEqual([{ symbol: 'handle_host_mem_abort', versions: ['7.2.13', '7.3.4'] }])
    expect(withCitations('x [f, mini] [g, 7.3](y)', c => `<${c.symbol} ${c.versions.join(' ')}>`)).toBe('x <f mini> [g, 7.3](y)')
  })

  it.each<[string, Record<string, string | undefined>, RegExp]>([
    ['no lesson.md', { 'lesson.md': undefined }, /07-small\/lesson\.md: is missing/],
    ['no head', { 'lesson.md': '# Hello' }, /should begin with front matter/],
    ['no YAML', { 'lesson.md': LESSON.replace('minutes: 5', 'minutes: [5') }, /lesson\.md, front matter: this is not YAML/],
    ['a field missing', { 'lesson.md': LESSON.replace('question: Why?\n', '') }, /lesson\.md, question: is missing/],
    ['a field misspelt', { 'lesson.md': LESSON.replace('minutes: 5', 'minutes: 5\nminuets: 5') }, /lesson\.md, minuets: is no field of this; known are id, /],
    ['an unknown mode', { 'lesson.md': LESSON.replace('mode: nvhe,', 'mode: vhe,') }, /start\.mode: "vhe" is none of absent, none, nvhe/],
    ['the mode in append', { 'lesson.md': LESSON.replace('quiet', 'kvm-arm.mode=none') }, /start\.append: kvm-arm\.mode is set by the lab/],
    ['an unknown kernel', { 'lesson.md': LESSON.replace("'7.2'", "'6.1'") }, /kernels\[0\]: "6\.1" is none of 7\.2, 7\.3, mini/],
    ['minutes that are words', { 'lesson.md': LESSON.replace('minutes: 5', 'minutes: few') }, /minutes: should be a whole number from 1 to 60, not "few"/],
    ['another id', { 'lesson.md': LESSON.replace('id: small', 'id: tall') }, /id: "tall" should be the folder's name without its number: "small"/],
    ['a step without id', { 'lesson.md': LESSON.replace(' {#second}', '') }, /step "Second": has no id/],
    ['two steps of one id', { 'lesson.md': LESSON.replace('{#second}', '{#first}') }, /step "Second": the id "first" is another step's/],
    ['a block left open', { 'lesson.md': `${LESSON}\`\`\`hint\nmore` }, /step "second": the block that begins with ```hint is never closed/],
    ['an unknown link', { 'lesson.md': LESSON.replace('lab:boot?mode=nvhe', 'lab:explode') }, /the link lab:explode is none that the lab knows/],
    ['a link to no view', { 'lesson.md': LESSON.replace('lab:boot?mode=nvhe', 'lab:view/moon') }, /the link lab:view\/moon names no view; there are console, /],
    ['a link to no setting', { 'lesson.md': LESSON.replace('lab:boot?mode=nvhe', 'lab:boot?mode=vhe') }, /the link lab:boot\?mode=vhe has "mode=vhe", which is none of/],
    ['a link to a file of no lesson', { 'lesson.md': LESSON.replace('lab:boot?mode=nvhe', 'lab:file/guest.s') }, /the link lab:file\/guest\.s leads to no file of this lesson/],
    ['a file not there', { 'start/script.ts': undefined }, /start\/script\.ts: is named in lesson\.md and is missing/],
    ['a file not named', { 'solution/guest.s': 'x' }, /solution\/guest\.s: is not listed under files/],
    ['no solution', { 'solution/script.ts': undefined, 'solution/attempt.yaml': undefined }, /solution\/: is missing/],
    ['no wrong attempt', { 'wrong/off/script.ts': undefined, 'wrong/off/expect.yaml': undefined }, /wrong\/: is missing/],
    ['nothing expected', { 'wrong/off/expect.yaml': undefined }, /wrong\/off\/expect\.yaml: is missing/],
    ['an unknown check', { 'wrong/off/expect.yaml': 'check: d\nexplanation: no' }, /expect\.yaml, check: "d" is no check of checks\.ts: c/],
    ['an unknown explanation', { 'wrong/off/expect.yaml': 'check: c\nexplanation: maybe' }, /explanation: "maybe" is none of c's explanations: no/],
    ['an answer to nothing', { 'solution/attempt.yaml': 'answers: { z: 3 }' }, /solution\/attempt\.yaml, answers\.z: lesson\.md asks nothing of that id/],
    ['a choice that is not offered', { 'solution/attempt.yaml': 'predictions: { p: c }' }, /predictions\.p: "c" is none of the choices a, b/],
    ['several runs that do not collect', { 'solution/attempt.yaml': 'runs: [{}, {}]' }, /runs: several runs need "collect: true"/],
  ])('with %s gets one sentence that names file and field', (_, texts, sentence) => {
    const problems = problemsOf(texts)
    expect(problems.join('\n')).toMatch(sentence)
    for (const problem of problems) expect(problem).not.toMatch(/\n/)
  })

  it.each<[string, unknown, RegExp]>([
    ['missing', 'none', /checks\.ts: is missing/],
    ['not loadable', new Error('Unexpected "}"\nat line 3'), /checks\.ts: cannot be loaded: Unexpected "}"$/m],
    ['without checks', {}, /checks\.ts, checks: should be exported/],
    ['with a check of no step', { ...(GOOD.checks as object), checks: [{ ...check, step: 'third' }] }, /check "c": its step "third" is none of lesson\.md's: first, second/],
    ['with a check that explains nothing', { ...(GOOD.checks as object), checks: [{ ...check, explanations: {} }] }, /check "c": has no explanations/],
    ['without an outcome for the prediction', { checks: [check] }, /outcomes: has nothing for the prediction "p"/],
  ])('whose checks.ts is %s gets one sentence', (_, checks, sentence) => {
    expect(problemsOf({}, checks).join('\n')).toMatch(sentence)
  })
})

describe('a lesson that edits mini-pKVM', () => {
  const SYSTEM = { 'hyp/boot.s': 'enter\nleave\n', 'hyp/map.s': 'one\ntwo\n', 'hyp/stay.s': 'stay\n' }
  const head = (sources: readonly string[]) =>
    LESSON.replace('kind: vmm', 'kind: system')
      .replace("['7.2', mini]", '[mini]')
      .replace('role: script }', `role: script }${sources.map(name => `\n  - { name: ${name}, role: source }`).join('')}`)
  const LEAVE = '- file: hyp/boot.s\n  find: leave\n  put: // <- leave'
  const read = (texts: Record<string, string>) => {
    const all = {
      ...GOOD.texts,
      'lesson.md': head(Object.keys(SYSTEM)),
      'start/edits.yaml': LEAVE,
      'start/hyp/map.s': 'whole\n',
      'solution/attempt.yaml': 'base: system\nanswers: { q: 3 }',
      ...texts,
    }
    const { lesson, problems } = readLesson({ ...GOOD, texts: all }, SYSTEM)
    return { attempts: lesson!.attempts, problems: problems.map(problem => problemText(GOOD.name, problem)) }
  }

  it('starts with the system\'s files, edited, and can be solved by them', () => {
    const { attempts, problems } = read({ 'wrong/back/edits.yaml': '- { file: hyp/boot.s, find: leave, put: stay }', 'wrong/back/expect.yaml': 'check: c\nexplanation: no' })
    expect(problems).toEqual([])
    expect(attempts.start.files).toEqual({ 'script.ts': 'start', 'hyp/boot.s': 'enter\n// <- leave\n', 'hyp/map.s': 'whole\n' })
    expect(attempts.solution).toMatchObject({ files: { 'script.ts': 'solution', 'hyp/boot.s': 'enter\nleave\n', 'hyp/map.s': 'one\ntwo\n' }, runs: [{ answers: { q: '3' } }] })
    expect(Object.keys(attempts.solution.files)).not.toContain('hyp/stay.s')
    // It inherits the solution's attempt.yaml too.
    expect(attempts.wrong[0]).toMatchObject({ name: 'back', files: { 'hyp/boot.s': 'enter\nstay\n' }, runs: [{ answers: { q: '3' } }] })
  })

  it('takes the solution\'s edits of the start, or of the system', () => {
    const edits = '- { file: hyp/boot.s, find: enter, put: begin }'
    expect(read({ 'solution/edits.yaml': edits }).attempts.solution.files['hyp/boot.s']).toBe('begin\nleave\n')
    expect(read({ 'solution/edits.yaml': edits, 'solution/attempt.yaml': '{}' }).attempts.solution.files).toMatchObject({ 'hyp/boot.s': 'begin\n// <- leave\n', 'hyp/map.s': 'whole\n' })
  })

  it.each<[string, Record<string, string>, string]>([
    ['an edit that fits nowhere', { 'start/edits.yaml': LEAVE.replace('find: leave', 'find: eret') }, 'start/edits.yaml, edits[0].find: this text is there 0 times in hyp/boot.s; it should be there once.'],
    ['an edit that fits twice', { 'start/edits.yaml': LEAVE.replace('find: leave', 'find: e') }, 'start/edits.yaml, edits[0].find: this text is there 4 times in hyp/boot.s; it should be there once.'],
    ['an edit of nothing', { 'start/edits.yaml': '- { file: hyp/boot.s, put: x }' }, 'start/edits.yaml, edits[0].find: is missing: the text to replace.'],
    ['an edit misspelt', { 'start/edits.yaml': `${LEAVE}\n  puts: x` }, 'start/edits.yaml, edits[0].puts: is no field of this; known are file, find, put.'],
    ['an edit of no source', { 'start/edits.yaml': LEAVE.replace('hyp/boot.s', 'script.ts') }, 'start/edits.yaml, edits[0].file: "script.ts" is no file of mini-pKVM that lesson.md lists with the role source.'],
    ['a file that it also edits', { 'start/hyp/boot.s': 'enter' }, 'start/edits.yaml, edits[0].file: start/ holds hyp/boot.s whole too; keep one of the two.'],
    ['a file that the solution also edits', { 'solution/edits.yaml': '- { file: script.ts, find: start, put: x }' }, 'solution/edits.yaml, edits[0].file: solution/ holds script.ts whole too; keep one of the two.'],
    ['a source that is nowhere', { 'lesson.md': head([...Object.keys(SYSTEM), 'hyp/gone.s']) }, 'start/hyp/gone.s: is named in lesson.md, and neither start/ nor mini-pKVM has it.'],
    ['a base of no attempt', { 'solution/attempt.yaml': 'base: wrong' }, 'solution/attempt.yaml, base: "wrong" is none of start, system.'],
    ['a base for the start', { 'start/attempt.yaml': 'base: system' }, 'start/attempt.yaml, base: is no field of this; known are settings, answers, predictions, hypercalls, sources, runs.'],
  ])('with %s gets one sentence', (_, texts, sentence) => {
    expect(read(texts).problems).toEqual([`07-small/${sentence}`])
  })

  it('is the only one whose solution can be the system', () => {
    expect(problemsOf({ 'solution/attempt.yaml': 'base: system\nanswers: { q: 3 }' })).toEqual(['07-small/solution/attempt.yaml, base: the lesson has no file of role source, whose text could be the system\'s.'])
  })
})

describe('every lesson of the curriculum', () => {
  const system = textsIn(join(LESSONS, 'mini-pkvm'))
  for (const name of readdirSync(CURRICULUM).filter(entry => statSync(join(CURRICULUM, entry)).isDirectory()).filter(name => statSync(join(CURRICULUM, name)).isDirectory()).sort()) {
    it(`${name} is well formed`, async () => {
      const checks: unknown = await import(join(CURRICULUM, name, 'checks.ts'))
      const { problems } = readLesson({ name, texts: textsIn(join(CURRICULUM, name)), checks }, system)
      expect(problems.map(problem => problemText(name, problem))).toEqual([])
    })
  }
})
