/**
 * Lessons that edit mini-pKVM: start/edits.yaml takes something out of the system, or breaks it, and what the learner
 * writes belongs there. That those edits fit the system's files as they are, reading the lesson tells.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { miniDirectory, miniFiles } from '../../engine/cli/mini-command.ts'
import { readLessonFolder } from '../../engine/cli/lesson-folders.ts'
import { projectRoot } from '../../engine/cli/oracle.ts'
import { readLesson } from '../format.ts'

/** Lines beside a gap that an attempt at it may change too. */
const NEAR = 3

/** What is assembled: comments may tell less to a learner who is to find something out. */
const code = (text: string) => text.split('\n').map(line => line.replace(/\/\/.*/, '').trim()).filter(line => line !== '')

/** A file but its gaps, and but the lines near them: the parts in order, with the file's ends marked. */
function outside(original: string, gaps: readonly string[]): string[] {
  const places = gaps.map(gap => ({ from: original.indexOf(gap), to: original.indexOf(gap) + gap.length })).sort((a, b) => a.from - b.from)
  return [...places, null].map((gap, i) => {
    const before = places[i - 1]
    const lines = code(original.slice(before?.to ?? 0, gap?.from))
    const part = lines.slice(before ? NEAR : 0, gap ? Math.max(0, lines.length - NEAR) : undefined)
    return [...(before ? [] : ['begin']), ...part, ...(gap ? [] : ['end'])].join('\n')
  })
}

/** The first part that the text does not have after the others. */
function changed(text: string, parts: readonly string[]): string | undefined {
  const whole = ['begin', ...code(text), 'end'].join('\n')
  let at = 0
  return parts.find(part => {
    const found = whole.indexOf(part, at)
    at = found + part.length
    return found < 0
  })
}

const curriculum = join(projectRoot, 'lessons', 'curriculum')
const folders = readdirSync(curriculum).filter(name => /^[bx]\d\d-/.test(name))

describe('edits of mini-pKVM in lessons', async () => {
  const system = await miniFiles(miniDirectory(projectRoot))
  it.each(folders)('%s', async name => {
    const folder = await readLessonFolder(curriculum, name, projectRoot)
    const { lesson, problems } = readLesson(folder, system)
    if (lesson === null || problems.length > 0) throw new Error(`${name} is malformed: see pkvm-lab lesson test`)
    const { start, solution, wrong } = lesson.attempts
    const edits = parse(folder.texts['start/edits.yaml'] ?? '[]') as { file: string; find: string; put: string }[]
    for (const { name: file } of lesson.files.filter(({ role }) => role === 'source')) {
      const original = system[file]
      if (original === undefined || start.files[file] === undefined) continue
      const gaps = edits.filter(edit => edit.file === file)
      // Nothing that the start changes stays so: the learner is led back to the system.
      expect(code(solution.files[file] ?? '')).toEqual(code(original))
      // Who breaks and mends may do so elsewhere; who builds is told where.
      if (!name.startsWith('b')) continue
      expect(gaps.filter(({ put }) => !put.includes('<-'))).toEqual([])
      const parts = outside(original, gaps.map(({ find }) => find))
      for (const attempt of [start, ...wrong]) expect([attempt.name, changed(attempt.files[file] ?? '', parts)]).toEqual([attempt.name, undefined])
    }
  })
})
