import { expect, type Page, test } from '@playwright/test'
import { clickIntoCode } from './code-panel.ts'
import { needKernel, openLab, picture, run } from './lab-page.ts'
import {
  answer,
  attemptOf,
  bootByLink,
  check,
  checkedSince,
  editor,
  openFile,
  openLesson,
  predict,
  readFolder,
  report,
  runAndCheck,
  writeFile,
} from './lesson-page.ts'

const LESSON = readFolder('01-who-runs-at-el2')
const ID = LESSON.id

/** Selects a text that stands on one line, and types another in its place, key by key. */
async function typeOver(page: Page, line: number, text: string): Promise<void> {
  await clickIntoCode(page)
  await page.keyboard.press('ControlOrMeta+Home')
  for (let i = 1; i < line; i++) await page.keyboard.press('ArrowDown')
  await page.keyboard.press('End')
  await page.keyboard.press('Shift+Home')
  // Completion must not take a key for its own.
  for (const part of text) await page.keyboard.type(part)
  await page.keyboard.press('Escape')
}

const state = async (page: Page, id: string) => (await report(page)).checks.find(found => found.id === id)

test.describe('on Debian’s kernel', () => {
  test.beforeEach(() => needKernel())

  test('a newcomer: from the first page to the first passed check', async ({ page }) => {
    await openLab(page)
    await page.getByRole('button', { name: 'Begin with the lessons' }).click()
    await expect(page.getByRole('heading', { name: 'Who runs at EL2' })).toBeVisible()
    await expect(page).toHaveURL(new RegExp(`#/lesson/${ID}`))
    await expect(editor(page)).toBeVisible()
    await picture(page, 'lesson-start')

    // Guess, run, compare.
    await predict(page, 'line', 'protected')
    await expect(page.locator('[data-prediction="line"]')).toContainText('Noted. Run, and compare.')
    const first = await runAndCheck(page)
    expect(first.outcomes).toMatchObject({ line: 'started' })
    await expect(page.locator('[data-prediction="line"]')).toContainText('You guessed, the machine answered')
    await expect(page.locator('[data-prediction="line"] [data-outcome="true"]')).toContainText(
      'All CPU(s) started at EL2',
    )

    // The first check that fails is explained; those after it wait.
    expect(first.checks[0]).toMatchObject({ id: 'mode-line', state: 'failed', explanation: 'other-line' })
    await expect(check(page, 'mode-line')).toContainText('This is a message about KVM, but it names no mode.')
    await expect(check(page, 'mode-line')).toContainText('the script recorded')
    await expect(check(page, 'guest-level')).toHaveAttribute('data-mark', 'later')

    // A hint, then the fix, typed.
    await page
      .locator('[data-hints="boot"]')
      .getByRole('button', { name: /Show a hint/ })
      .click()
    await expect(page.getByRole('complementary', { name: 'Hint 1' })).toBeVisible()
    const lines = attemptOf(LESSON, 'start').files['script.ts']!.split('\n')
    const at = lines.findIndex(line => line.startsWith('const mode = ')) + 1
    await openFile(page, 'script.ts')
    await typeOver(page, at, "const mode = about.find(line => line.includes('mode initialized'))")
    const second = await runAndCheck(page)
    expect(second.checks.map(({ state }) => state).slice(0, 2)).toEqual(['passed', 'failed'])
    await expect(check(page, 'mode-line')).toHaveAttribute('data-mark', 'passed')
    await expect(check(page, 'guest-level')).toContainText('The guest said 0.')
    await picture(page, 'lesson-first-check')

    // A mistake in the code is told before anything is run, with its place.
    await typeOver(page, at, 'const mode = about.fnd(line => true)')
    const broken = await runAndCheck(page)
    expect(broken.built).toMatchObject({ explanation: 'types' })
    await expect(page.getByTestId('lesson-built')).toContainText(`script.ts:${at}`)
    await typeOver(page, at, "const mode = about.find(line => line.includes('mode initialized'))")

    // What was reached is there after a reload: text, checks, guesses, place.
    await page.reload()
    await expect(page.getByRole('heading', { name: 'Who runs at EL2' })).toBeAttached()
    await expect(check(page, 'mode-line')).toHaveAttribute('data-mark', 'passed')
    await expect(page.locator('[data-prediction="line"] input[value="protected"]')).toBeChecked()
    await openFile(page, 'script.ts')
    await expect(editor(page).locator('.view-lines')).toContainText('mode initialized')
  })

  test('to the end: three machines, and the question after the last', async ({ page }) => {
    await openLesson(page, ID, 'guest')
    await expect(page.getByRole('button', { name: /^Step 2: / })).toHaveAttribute('aria-current', 'step')
    const wrong = attemptOf(LESSON, 'not-shifted').files
    const solution = attemptOf(LESSON, 'solution').files
    await writeFile(page, 'script.ts', solution['script.ts']!)
    await writeFile(page, 'guest.s', wrong['guest.s']!)
    const shifted = await runAndCheck(page)
    expect(shifted.checks[1]).toMatchObject({ id: 'guest-level', state: 'failed', explanation: 'not-shifted' })
    await expect(check(page, 'guest-level')).toContainText('two places too high')
    await writeFile(page, 'guest.s', solution['guest.s']!)
    await runAndCheck(page)
    expect((await state(page, 'protected'))?.state).toBe('passed')

    await bootByLink(page, 'modes', /kvm-arm.mode=nvhe/)
    await runAndCheck(page)
    await bootByLink(page, 'modes', 'Boot without the option')
    const third = await runAndCheck(page)
    expect(third.checks.map(({ state }) => state)).toEqual(['passed', 'passed', 'passed', 'passed', 'passed', 'failed'])
    expect(third.outcomes).toMatchObject({ absent: 'hyp', level: 'el1' })

    // The question is marked at once: the machine still stands.
    await answer(page, 'who', 'nvhe')
    await checkedSince(page, third.checked)
    await expect(check(page, 'who')).toContainText('comes from below')
    await answer(page, 'who', 'none')
    await expect.poll(async () => (await report(page)).done).toBe(true)
    await expect(page.getByTestId('lesson-done')).toBeVisible()
    await picture(page, 'lesson-done')

    // Reset and solution: the attempt waits.
    await run(page, 'lesson.reset')
    await openFile(page, 'guest.s')
    await expect(editor(page).locator('.view-lines')).toContainText('read')
    expect((await state(page, 'mode-line'))?.state).toBe('open')
    await run(page, 'lesson.solution')
    await expect(editor(page).locator('.view-lines')).toContainText('CurrentEL')
    await expect(page.getByText('The solution is in the editor')).toBeAttached()
    await page.getByTestId('run-bar').getByRole('button', { name: 'Back to my attempt' }).click()
    await expect.poll(async () => (await report(page)).showing).toBe('own')
    await page.getByTestId('run-bar').getByRole('button', { name: 'Back to my attempt' }).click()
    await expect(check(page, 'mode-line')).toHaveAttribute('data-mark', 'passed')
    await openFile(page, 'guest.s')
    await expect(editor(page).locator('.view-lines')).toContainText('lsr')
  })
})

test('addresses: a step is opened, a wrong one says so and shows what there is', async ({ page }) => {
  await page.goto('./#/lesson/no-such-lesson')
  await expect(page.getByText('There is no lesson “no-such-lesson”.')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'pKVM on Debian’s kernel' })).toBeVisible()
  await page.goto(`./#/lesson/${ID}/nowhere`)
  await expect(page.getByText('This lesson has no step “nowhere”')).toBeVisible()
  await page.goto(`./#/lesson/${ID}/modes`)
  await expect(page.getByRole('heading', { name: 'Three tenants' })).toBeInViewport()
  await page.goto('./#/lessons')
  await expect(page.getByRole('heading', { name: 'pKVM on Debian’s kernel' })).toBeVisible()
})

test('without a kernel the lesson says how to get one', async ({ page }) => {
  await page.route('**/kernels/**', route => route.fulfill({ status: 404, body: '' }))
  await openLesson(page, ID)
  await expect(page.getByTestId('lesson-no-kernel')).toContainText('npm start')
  const result = await runAndCheck(page)
  expect(result.fault).toContain('no such kernel is at hand')
})

test('where the browser keeps nothing, the lesson can be read and says so', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('refused', 'SecurityError')
      },
    })
  })
  await page.goto('./#/lessons')
  await expect(page.getByText('your progress lasts until it is closed')).toBeVisible()
  await page.getByTestId('begin').click()
  await expect(page.getByRole('heading', { name: 'Who runs at EL2' })).toBeVisible()
})
