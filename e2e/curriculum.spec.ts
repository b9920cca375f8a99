/**
 * Every lesson as a learner does it, in the page and with its own editor: one recorded mistake gets the explanation that is
 * meant for it, then the solution passes every check. A lesson for several kernels is done on one of them, the next one on
 * the next; `PKVM_LAB_LESSONS=all` does all of them on each (a quarter of an hour). `pkvm-lab lesson test` always does.
 */
import { expect, type Page, test } from '@playwright/test'
import type { Attempt, Lesson } from '../lessons/format.ts'
import { fetchedKernels } from './lab-page.ts'
import { chooseKernel, doRuns, lessonFolders, openLesson, readFolder, report, writeAttempt } from './lesson-page.ts'

/** The shortest mistake: one run, and no longer a way than the solution's. */
function mistake(lesson: Lesson, series: string): Attempt | undefined {
  return lesson.attempts.wrong.find(wrong => wrong.runs.length === 1 && wrong.kernels.some(kernel => kernel === series))
}

async function passes(page: Page, lesson: Lesson, series: string): Promise<void> {
  await openLesson(page, lesson.id)
  await chooseKernel(page, series)
  // With a Debian kernel every run takes some seconds.
  const wrong = all || series === 'mini' ? mistake(lesson, series) : undefined
  let before = lesson.attempts.start
  if (wrong !== undefined) {
    await writeAttempt(page, lesson, wrong, before)
    before = wrong
    const told = await doRuns(page, lesson, wrong)
    const { expect: expected } = lesson.attempts.wrong.find(({ name }) => name === wrong.name)!
    if (expected.check === 'builds') expect(told.built).toMatchObject({ explanation: expected.explanation })
    else
      expect(told.checks.find(({ state }) => state !== 'passed')).toMatchObject({
        id: expected.check,
        state: 'failed',
        explanation: expected.explanation,
      })
  }
  await writeAttempt(page, lesson, lesson.attempts.solution, before)
  const result = await doRuns(page, lesson, lesson.attempts.solution)
  expect(result.fault).toBe('')
  expect(result.checks.filter(({ state }) => state !== 'passed')).toEqual([])
  expect((await report(page)).done).toBe(true)
}

const all = process.env.PKVM_LAB_LESSONS === 'all'

/** Kernels that a lesson is done on. @param turn which of several, when it is one */
function kernelsOf(lesson: Lesson, turn: number): readonly string[] {
  const debian = lesson.kernels.filter(series => series !== 'mini')
  if (all || debian.length === 0) return lesson.kernels
  return [debian[turn % debian.length]!]
}

for (const [turn, folder] of lessonFolders().entries()) {
  const lesson = readFolder(folder)
  for (const series of kernelsOf(lesson, turn)) {
    test(`${folder} on ${series}`, async ({ page }) => {
      test.skip(
        series !== 'mini' && !fetchedKernels().some(version => version.startsWith(`${series}.`)),
        `no kernel ${series} was fetched`,
      )
      await passes(page, lesson, series)
    })
  }
}
