/**
 * Lessons that edit mini-pKVM hold copies of its files. When the system's own change, the copies have to follow: what a
 * lesson does not ask the learner to change must be, line for line, what the system has.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { miniFiles } from '../../engine/cli/mini-command.ts'
import { readLessonFolder } from '../../engine/cli/lesson-folders.ts'
import { projectRoot } from '../../engine/cli/oracle.ts'
import { readLesson } from '../format.ts'

/** Lines `from` to `to` (exclusive) of the system's file stand as `lines` in the lesson's. */
interface Hunk {
  readonly from: number
  readonly to: number
  readonly lines: readonly string[]
}

/** What differs, by the longest common subsequence of lines. */
function hunks(original: string, text: string): Hunk[] {
  const [a, b] = [original.split('\n'), text.split('\n')]
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) lengths[i]![j] = a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
  }
  const found: Hunk[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
      continue
    }
    const [from, first] = [i, j]
    while ((i < a.length || j < b.length) && !(i < a.length && j < b.length && a[i] === b[j])) {
      if (j >= b.length || (i < a.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) i++
      else j++
    }
    found.push({ from, to: i, lines: b.slice(first, j) })
  }
  return found
}

const same = (a: Hunk, b: Hunk) => a.from === b.from && a.to === b.to && a.lines.join('\n') === b.lines.join('\n')
/** Within a few lines of it: an empty line or a comment next to the part may change with it. */
const near = (a: Hunk, b: Hunk) => a.from <= b.to + 3 && b.from <= a.to + 3
/** Lines without their comments: those may tell less to a learner who is to find something out. */
const code = (lines: readonly string[]) => lines.map(line => line.replace(/\/\/.*/, '').trim()).filter(line => line !== '').join('\n')
const shown = (file: string, { from, to, lines }: Hunk) => `${file}:${from + 1}-${to}: ${lines.join(' | ').slice(0, 200)}`

const curriculum = join(projectRoot, 'lessons', 'curriculum')
const folders = readdirSync(curriculum).filter(name => /^[bx]\d\d-/.test(name))

describe('copies of mini-pKVM in lessons', async () => {
  const system = await miniFiles(join(projectRoot, 'lessons', 'mini-pkvm'))
  it.each(folders)('%s', async name => {
    const { lesson } = readLesson(await readLessonFolder(curriculum, name, projectRoot))
    if (lesson === null) throw new Error(`${name} is malformed: see pkvm-lab lesson test`)
    const { start, solution, wrong } = lesson.attempts
    for (const { name: file } of lesson.files.filter(({ role }) => role === 'source')) {
      const original = system[file]
      if (original === undefined) throw new Error(`${name} names ${file}, which is none of mini-pKVM's files`)
      const of = (files: Readonly<Record<string, string>>) => hunks(original, files[file] ?? original)
      const lines = original.split('\n')
      const open = of(start.files).filter(hunk => code(hunk.lines) !== code(lines.slice(hunk.from, hunk.to)) || hunk.lines.some(line => line.includes('<-')))
      const solved = of(solution.files)
      // What the learner is not asked to change is the system's own.
      expect(open.filter(hunk => solved.some(other => same(hunk, other))).map(hunk => shown(file, hunk))).toEqual([])
      // Where something is missing the start says so.
      if (name.startsWith('b')) expect(open.filter(hunk => !hunk.lines.some(line => line.includes('<-'))).map(hunk => shown(file, hunk))).toEqual([])
      // Attempts are at the place that is open; who breaks and mends may do so elsewhere.
      for (const attempt of name.startsWith('b') ? [solution, ...wrong] : []) {
        const astray = of(attempt.files).filter(hunk => code(hunk.lines) !== code(lines.slice(hunk.from, hunk.to)) && !open.some(other => near(hunk, other)))
        expect([attempt.name, ...astray.map(hunk => shown(file, hunk))]).toEqual([attempt.name])
      }
    }
  })
})
