/** Reading lessons as a learner does: by what stands on the page. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Locator, type Page } from '@playwright/test'
import { type Attempt, type Lesson, type LessonSettings, type PlannedCall, readLesson } from '../lessons/format.ts'
import { replaceCode } from './code-panel.ts'
import { run } from './lab-page.ts'

/** As web/lessons/start-lessons.ts has it. */
export interface LessonReport {
  readonly id: string
  readonly step: string
  readonly phase: string
  readonly showing: 'own' | 'solution'
  readonly done: boolean
  readonly checked: number
  readonly fault: string
  readonly built: { readonly explanation: string; readonly detail: string } | null
  readonly ending: string
  readonly checks: readonly {
    readonly id: string
    readonly state: 'open' | 'passed' | 'failed' | 'broken'
    readonly explanation: string
    readonly detail: string
  }[]
  readonly outcomes: Readonly<Record<string, string>>
  readonly numbers: Readonly<Record<string, string>>
}

const CURRICULUM = join('lessons', 'curriculum')

/** The lessons' folders, `01-who-runs-at-el2`. */
export function lessonFolders(): string[] {
  return readdirSync(CURRICULUM).filter(name => statSync(join(CURRICULUM, name)).isDirectory())
}

/** Every file of a folder by path from it. */
function textsIn(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = files.map(entry => join(entry.parentPath, entry.name))
  return Object.fromEntries(paths.map(path => [path.slice(root.length + 1), readFileSync(path, 'utf8')]))
}

/** A lesson as its folder has it, with the whole files and the runs of each attempt. Its checks are not looked at. */
export function readFolder(folder: string): Lesson {
  const texts = textsIn(join(CURRICULUM, folder))
  const { lesson } = readLesson({ name: folder, texts, checks: undefined }, textsIn(join('lessons', 'mini-pkvm')))
  if (lesson === null) throw new Error(`${folder} is no lesson`)
  return lesson
}

/** @param name `start`, `solution`, or that of a wrong attempt */
export function attemptOf(lesson: Lesson, name: string): Attempt {
  const { start, solution, wrong } = lesson.attempts
  const found = [start, solution, ...wrong].find(attempt => attempt.name === name)
  if (found === undefined) throw new Error(`${lesson.folder} has no attempt ${name}`)
  return found
}

/** What the page's automation says of the open lesson. */
export async function report(page: Page): Promise<LessonReport> {
  const found = await page.evaluate(() => (window.pkvmLab as unknown as { lesson(): LessonReport | null }).lesson())
  if (found === null) throw new Error('no lesson is open')
  return found
}

/** Opens a lesson by its address. @param step id of a step */
export async function openLesson(page: Page, id: string, step = ''): Promise<void> {
  await page.goto(`./#/lesson/${id}${step === '' ? '' : `/${step}`}`)
  await expect(page.getByTestId('lesson-run')).toBeVisible()
  await expect.poll(async () => (await report(page)).id).toBe(id)
}

/** Chooses the kernel of the lesson's computer, where there is more than one. @param series `7.2` */
export async function chooseKernel(page: Page, series: string): Promise<void> {
  const choice = page.getByRole('complementary', { name: 'The lesson’s computer' })
  const select = choice.getByRole('combobox', { name: 'Kernel' })
  if ((await select.count()) > 0) {
    const names = await select.locator('option').allTextContents()
    const name = names.find(text => text.includes(series === 'mini' ? 'mini' : ` ${series}.`))
    expect(name, `a kernel of series ${series} among ${names.join(', ')}`).toBeDefined()
    await select.selectOption({ label: name! })
  } else await expect(choice).toContainText(series === 'mini' ? 'mini' : ` ${series}.`)
}

export const editor = (page: Page): Locator => page.locator('.monaco-editor').first()

/** Opens a file of the lesson in the editor, by its tab. */
export async function openFile(page: Page, file: string): Promise<void> {
  await page.getByRole('region', { name: 'Code' }).locator(`[data-file="${file}"]`).click()
  await expect(editor(page)).toBeVisible()
}

/** Puts a text in the place of the open file's, through the editor: everything is selected and replaced. */
export async function writeFile(page: Page, file: string, text: string): Promise<void> {
  await openFile(page, file)
  await replaceCode(page, text)
}

/** Presses Run and waits until the checks have been asked, or nothing could be run. */
export async function runAndCheck(page: Page, timeout = 200_000): Promise<LessonReport> {
  const { checked } = await report(page)
  await page.getByTestId('lesson-run').click()
  return checkedSince(page, checked, timeout)
}

/** Waits for the end of a run that has been begun, or of the asking again. @param checked how many had been checked before */
export async function checkedSince(page: Page, checked: number, timeout = 200_000): Promise<LessonReport> {
  await expect
    .poll(
      async () => {
        const now = await report(page)
        return (
          now.phase === 'none' && (now.checked > checked || now.fault !== '' || now.built !== null || now.ending !== '')
        )
      },
      { timeout, message: 'the run has ended and the checks were asked' },
    )
    .toBe(true)
  return report(page)
}

/** Follows a link of the text that boots the machine, and waits until its agent is ready. @param step id, @param name of the link */
export async function bootByLink(page: Page, step: string, name: string | RegExp, timeout = 200_000): Promise<void> {
  await page.locator(`[data-step="${step}"]`).getByRole('link', { name }).click()
  await expect.poll(async () => (await report(page)).phase, { timeout }).toBe('none')
  expect((await report(page)).fault).toBe('')
}

/** Guesses. @param choice key of the choice */
export async function predict(page: Page, id: string, choice: string): Promise<void> {
  await page.locator(`[data-prediction="${id}"] input[value="${choice}"]`).check()
}

/** Answers a question: by the key of a choice, or by a text where it has none. */
export async function answer(page: Page, id: string, value: string): Promise<void> {
  const box = page.locator(`[data-question="${id}"]`)
  const choice = box.locator(`input[value="${value}"][type="radio"]`)
  if ((await choice.count()) > 0) await choice.check()
  else {
    await box.getByRole('textbox').fill(value)
    await box.getByRole('button', { name: 'Answer' }).click()
  }
}

/** The line of a check. */
export function check(page: Page, id: string): Locator {
  return page.locator(`[data-check="${id}"]`)
}

/** Puts all files of an attempt into the editor that differ from what stands there. */
export async function writeAttempt(
  page: Page,
  lesson: Lesson,
  attempt: Attempt,
  before: Attempt = lesson.attempts.start,
): Promise<void> {
  for (const { name, readOnly } of lesson.files) {
    const text = attempt.files[name]
    if (!readOnly && text !== undefined && text !== before.files[name]) await writeFile(page, name, text)
  }
}

/** Makes a hypercall by hand, in its panel, as the last thing that the checks of the standing run are asked about. */
async function hypercallByHand(page: Page, { call, args }: PlannedCall): Promise<LessonReport> {
  const panel = page.getByRole('region', { name: 'Hypercall by hand' })
  const { checked, numbers } = await report(page)
  await run(page, 'hypercall.choose')
  const box = panel.getByRole('combobox', { name: 'Call' })
  // The call that stands there already brings no list.
  if ((await box.inputValue()) !== call) {
    await box.fill(call)
    // A number stands in no list.
    if (!/^\d/.test(call))
      await panel
        .getByRole('option', { name: new RegExp(`(^|_)${call}\\b`) })
        .first()
        .click()
  }
  const fields = panel.locator('form input:not([role="combobox"]):not([type="checkbox"]):not(#hypercall-more)')
  const named = await fields.count()
  const further: string[] = []
  for (const [i, arg] of args.entries()) {
    const value = typedFor(arg, numbers)
    if (value === null) {
      // Somewhere that the inspector finds: the learner selects it there.
      await page.getByLabel('Address or symbol').fill(arg.replace(/^pfn:/, ''))
      await page.getByLabel('Address or symbol').press('Enter')
      await expect(page.getByTestId('page-address')).toBeVisible()
      await panel.getByRole('button', { name: 'selected page' }).first().click()
    } else if (i < named) await fields.nth(i).fill(value)
    else if (value !== '0') further.push(`x${i + 1}=${value}`)
  }
  await panel.getByLabel('also').fill(further.join(' '))
  await panel.getByRole('button', { name: 'Issue' }).click()
  await expect
    .poll(async () => (await report(page)).checked, { message: `the checks are asked after ${call}` })
    .toBeGreaterThan(checked)
  return report(page)
}

/** What to type for an argument; null for a place that the inspector has to find. */
function typedFor(arg: string, numbers: Readonly<Record<string, string>>): string | null {
  const where = arg.replace(/^pfn:/, '')
  const name = /^answer:(.*)$/.exec(where)?.[1]
  if (name === undefined) return arg === where ? arg : null
  const number = numbers[name]
  expect(number, `the number "${name}" that the script recorded`).toBeDefined()
  return arg === where ? number! : `0x${(BigInt(number!) >> 12n).toString(16)}`
}

/** Sets mode and gate, and EXPERT in the menu of the system that the lesson builds. Nothing else differs between runs. */
async function setSwitches(page: Page, lesson: Lesson, settings: LessonSettings): Promise<void> {
  const rest = ({ append, ramMiB, crypto, options }: LessonSettings) => ({
    append,
    ramMiB,
    crypto,
    options: { ...options, EXPERT: '' },
  })
  expect(rest(settings), `${lesson.folder}: what the switches do not set`).toEqual(rest(lesson.start))
  await run(page, `switch.mode.${settings.mode}`)
  const expert = page.getByTestId('system-EXPERT')
  const wanted = settings.options['EXPERT'] !== 'n'
  // A kernel that is not built here has no such menu, and EXPERT.
  if (((await expert.count()) === 0 || (await expert.isChecked())) !== wanted) {
    await run(page, 'view.kconfig')
    await page.locator('[data-option="EXPERT"] label').click()
    await expect(expert).toBeChecked({ checked: wanted })
  }
  // Without EXPERT it cannot be set: the wish stays what it was.
  if (wanted) await run(page, `switch.uapi.${settings.gate}`)
}

/**
 * Does the runs of an attempt whose files are in the editor: switches, guesses and answers, Run, then hypercalls by hand.
 * @returns what the last run led to
 */
export async function doRuns(page: Page, lesson: Lesson, attempt: Attempt): Promise<LessonReport> {
  let result = await report(page)
  for (const { settings, answers, predictions, hostCalls, sources } of attempt.runs) {
    await setSwitches(page, lesson, settings)
    for (const [id, choice] of Object.entries(predictions)) {
      if (result.outcomes[id] === undefined) await predict(page, id, choice)
    }
    for (const [id, value] of Object.entries(answers)) await answer(page, id, value)
    if (sources === 'start') await writeSources(page, lesson, lesson.attempts.start, attempt)
    result = await runAndCheck(page)
    for (const call of hostCalls) result = await hypercallByHand(page, call)
    if (sources === 'start') await writeSources(page, lesson, attempt, lesson.attempts.start)
  }
  return result
}

/** The system's sources as one attempt has them, where another's stand. */
async function writeSources(page: Page, lesson: Lesson, wanted: Attempt, present: Attempt): Promise<void> {
  for (const { name, role } of lesson.files) {
    const text = wanted.files[name]
    if (role === 'source' && text !== undefined && text !== present.files[name]) await writeFile(page, name, text)
  }
}
