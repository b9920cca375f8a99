import { expect, type Page, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import { clickIntoCode, replaceCode } from './code-panel.ts'
import { expectNoOverflow, openLab, picture, run, setTheme } from './lab-page.ts'

/** Opens the code and waits for the editor with a file in it. */
async function openCode(page: Page, file = 'main.ts'): Promise<void> {
  await openLab(page)
  await run(page, 'view.code')
  await fileTab(page, file).click()
  await expect(page.getByTestId('code').locator('.view-line').first()).toBeVisible()
}

const fileTab = (page: Page, name: string) => page.locator(`[role="tab"][data-file="${name}"]`)

const squiggle = (page: Page) => page.getByTestId('code').locator('.squiggly-error')
const suggestions = (page: Page) => page.locator('.suggest-widget.visible')
const hover = (page: Page) => page.locator('.monaco-hover').filter({ visible: true })
const status = (page: Page) => page.locator('.code-status')

/** The text of the editor as it is drawn, line by line. */
async function shown(page: Page): Promise<string> {
  const lines = await page
    .getByTestId('code')
    .locator('.view-line')
    .evaluateAll(all =>
      all.map(line => ({ top: Number.parseFloat((line as HTMLElement).style.top), text: line.textContent ?? '' })),
    )
  return lines
    .sort((a, b) => a.top - b.top)
    .map(line => line.text.replaceAll('\u00a0', ' '))
    .join('\n')
}

test('a script is checked and completed against the lab module as it is typed', async ({ page }) => {
  await openCode(page)
  await replaceCode(page, "import { kvm, print } from 'lab'\nconst dev = await kvm.open()\nprint(dev.nothing)\n")
  await expect(squiggle(page)).toHaveCount(1)
  await expect(status(page)).toContainText('1 problem')
  await expect(fileTab(page, 'main.ts')).toContainText('changed')
  await expect(fileTab(page, 'main.ts').locator('.errors')).toContainText('1')
  await page.keyboard.press('ControlOrMeta+End')
  await page.keyboard.type('const vm = await dev.cre', { delay: 20 })
  await expect(suggestions(page)).toContainText('createVm')
  await page.keyboard.press('Escape')
  await page.getByTestId('code').getByText('kvm', { exact: true }).first().hover()
  await expect(hover(page)).toContainText('/dev/kvm')
})

test('an error of the assembler is marked where it is, and goes when it is mended', async ({ page }) => {
  await openCode(page, 'guest.s')
  await replaceCode(page, 'start:\n        mov     x0, #1\n        adx     x1, x2\n')
  await expect(squiggle(page)).toHaveCount(1)
  await expect(status(page)).toContainText('does not assemble')
  await expect(fileTab(page, 'guest.s').locator('.errors')).toContainText('1')
  const place = await squiggle(page).boundingBox()
  if (place !== null) await page.mouse.move(place.x + 8, place.y + place.height - 4)
  await expect(hover(page)).toContainText("unknown instruction 'adx'")
  await replaceCode(page, 'start:\n        mov     x0, #1\n        add     x1, x2, #3\n')
  await expect(squiggle(page)).toHaveCount(0)
  await expect(status(page)).toContainText('8 bytes')
})

test('an instruction’s hover says what it does and draws its encoding', async ({ page }) => {
  await openCode(page, 'guest.s')
  await replaceCode(page, 'start:  add     x0, x1, #16\n        mrs     x2, vbar_el1\n        b       start\n')
  await expect(status(page)).toContainText('12 bytes')
  await page.getByTestId('code').getByText('add', { exact: true }).hover()
  await expect(hover(page)).toContainText('x0 = x1 + 16')
  const diagram = hover(page).locator('table')
  await expect(diagram.locator('tr').nth(0)).toHaveText(/31\s*30:23\s*22\s*21:10\s*9:5\s*4:0/)
  await expect(diagram.locator('tr').nth(1)).toHaveText(/sf\s*sh\s*imm12\s*Rn\s*Rd/)
  await expect(diagram.locator('tr').nth(2)).toHaveText(/1\s*00100010\s*0\s*000000010000\s*00001\s*00000/)
  await picture(page, 'editor-hover')
  await page.getByTestId('code').getByText('vbar_el1', { exact: true }).hover()
  await expect(hover(page)).toContainText('S3_0_C12_C0_0')
})

test('mnemonics, registers and system registers are completed', async ({ page }) => {
  await openCode(page, 'guest.s')
  await replaceCode(page, '')
  await page.keyboard.type('        ldx', { delay: 20 })
  await expect(suggestions(page)).toContainText('ldxr')
  await page.keyboard.press('Escape')
  await replaceCode(page, '')
  await page.keyboard.type('        msr vttb', { delay: 20 })
  await expect(suggestions(page)).toContainText('vttbr_el2')
})

test('the listing shows the bytes and follows the caret', async ({ page }) => {
  await openCode(page, 'guest.s')
  await replaceCode(page, 'start:  nop\n        hvc     #0\n        ret\n')
  await run(page, 'code.listing')
  const listing = page.getByRole('region', { name: 'Listing' })
  await expect(listing).toContainText('0004d4000002hvc #0')
  await page.keyboard.press('ControlOrMeta+Home')
  await page.keyboard.press('ArrowDown')
  await expect(listing.locator('li.here')).toContainText('hvc #0')
  await picture(page, 'editor-listing')
})

test('go to definition finds a label', async ({ page }) => {
  await openCode(page, 'guest.s')
  await replaceCode(page, 'first:  nop\n        nop\n        b       first\n')
  // To the label's name in the branch, by keys: text under the pointer moves while its colours come.
  for (const key of ['ControlOrMeta+End', 'ArrowUp', 'End', 'ArrowLeft', 'F12']) await page.keyboard.press(key)
  await expect(page.getByTestId('code').locator('.active-line-number')).toHaveText('1')
  await page.keyboard.type('x')
  await expect.poll(() => shown(page)).toContain('xfirst:')
})

test('an edit outlives a reload at once, and a diff and Reset lead back to the original, with the edit still there', async ({
  page,
}) => {
  await openCode(page)
  const original = await shown(page)
  await replaceCode(page, '// mine\n')
  // Without waiting for anything to be kept: as a crash of the learner's patience would.
  await page.reload()
  await run(page, 'view.code')
  await expect.poll(() => shown(page)).toContain('// mine')
  await run(page, 'code.diff')
  await expect(page.getByTestId('code-diff')).toContainText('// mine')
  await picture(page, 'editor-diff')
  await run(page, 'code.diff')
  await page.getByRole('toolbar', { name: 'Code' }).getByRole('button', { name: 'Reset' }).click()
  await expect.poll(() => shown(page)).toBe(original)
  await page.getByRole('toolbar', { name: 'Code' }).getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: /Bring back the text/ }).click()
  await expect.poll(() => shown(page)).toContain('// mine')
})

test('files are made, renamed, deleted and brought back by keyboard', async ({ page }) => {
  await openCode(page)
  await run(page, 'code.newFile')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill('what?')
  await page.keyboard.press('Enter')
  await expect(dialog.getByRole('alert')).toContainText('letters, digits')
  await dialog.getByRole('textbox').fill('second.s')
  await page.keyboard.press('Enter')
  await expect(fileTab(page, 'second.s')).toHaveAttribute('aria-selected', 'true')
  await fileTab(page, 'second.s').focus()
  await page.keyboard.press('ArrowLeft')
  await expect(fileTab(page, 'guest.s')).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('Delete')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(fileTab(page, 'guest.s')).toHaveCount(0)
  await page.getByRole('button', { name: 'Restore guest.s' }).click()
  await expect(fileTab(page, 'guest.s')).toHaveCount(1)
})

test('the editor leaves the page its keys, and Tab can leave the editor', async ({ page }) => {
  await openCode(page)
  await clickIntoCode(page)
  await page.keyboard.press('Alt+Shift+K')
  await expect(page.getByRole('dialog', { name: 'Commands' })).toBeVisible()
  await page.keyboard.press('Escape')
  await clickIntoCode(page)
  await page.keyboard.press('Alt+Shift+C')
  await expect(page.getByTestId('terminal')).toBeVisible()
  await run(page, 'view.code')
  // The lines are drawn one after the other.
  await expect.poll(() => shown(page)).toContain('createVcpu')
  const before = await shown(page)
  await page.keyboard.press('Control+M')
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.closest('.monaco-editor') === null)).toBe(true)
  expect(await shown(page)).toBe(before)
})

test('two tabs with the same files show each other’s edits', async ({ page, context }) => {
  await openCode(page)
  const other = await context.newPage()
  await openCode(other)
  await replaceCode(other, '// from the other tab\n')
  await expect.poll(() => shown(page)).toContain('// from the other tab')
})

test('what stands around the editor has no accessibility fault that axe can find', async ({ page }) => {
  await openCode(page, 'guest.s')
  await run(page, 'code.listing')
  await expect(page.getByRole('region', { name: 'Listing' }).locator('li').first()).toBeVisible()
  await page.getByRole('toolbar', { name: 'Code' }).getByRole('button', { name: 'More' }).click()
  expect(await faults(page, { exclude: ['.monaco-editor'] })).toEqual([])
})

test('no key belongs to two commands', async ({ page }) => {
  await openLab(page)
  await page.keyboard.press('Alt+Shift+K')
  const keys = await page.getByRole('dialog', { name: 'Commands' }).locator('kbd').allTextContents()
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([])
})

test('where the browser keeps nothing, that is said', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'indexedDB', {
      get: () => ({
        open: () => {
          throw new DOMException('denied', 'SecurityError')
        },
      }),
    })
  })
  await openCode(page)
  await expect(page.getByRole('status').filter({ hasText: 'keeps nothing' })).toBeVisible()
  await replaceCode(page, '// still works\n')
  await expect.poll(() => shown(page)).toContain('// still works')
})

for (const [name, width, height, theme] of [
  ['dark', 1440, 900, 'dark'],
  ['light', 1440, 900, 'light'],
  ['projector', 1280, 720, 'projector'],
  ['narrow', 420, 900, 'dark'],
] as const) {
  test(`the code in ${name}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width, height })
    await openLab(page)
    await setTheme(page, theme)
    await run(page, 'view.code')
    await fileTab(page, 'guest.s').click()
    await expect(page.getByTestId('code').locator('.view-line').first()).toBeVisible()
    await expectNoOverflow(page)
    await picture(page, `editor-${name}`)
  })
}
