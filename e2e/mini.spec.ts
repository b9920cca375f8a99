import { readFileSync } from 'node:fs'
import { expect, type Page, test } from '@playwright/test'
import { replaceCode } from './code-panel.ts'
import { applies, button, consoleText, instructions, openAlone, picture, run, waitForState } from './lab-page.ts'

const HEAD = 'host/start-kernel.s'
const source = (path: string): string => readFileSync(`lessons/mini-pkvm/${path}`, 'utf8')

const file = (page: Page, path: string) => page.locator(`[role="tab"][data-file="${path}"]`)
const buildLine = (page: Page) => page.getByTestId('build-line')
const squiggle = (page: Page) => page.getByTestId('code').locator('.squiggly-error')
const option = (page: Page, name: string) => page.getByTestId(`system-${name}`)

/** Opens a source in the editor. */
async function openSource(page: Page, path: string): Promise<void> {
  await run(page, 'view.kconfig', 'system.sources')
  await file(page, path).click()
  await expect(page.getByTestId('code').locator('.view-line').first()).toBeVisible()
}

/** Replaces the open file's text by typing it, and saves. */
async function write(page: Page, text: string): Promise<void> {
  await replaceCode(page, text)
  await page.keyboard.press('ControlOrMeta+S')
  // What is marked stands in the first lines.
  await page.keyboard.press('ControlOrMeta+Home')
}

test('without any other kernel mini-pKVM boots: owners on the map, the taint, VMs, what happened', async ({ page }) => {
  await openAlone(page)
  await expect(page.getByTestId('no-kernel')).toContainText('npm start')
  await button(page, 'Boot').click()
  await waitForState(page, 'Powered off')
  expect(await consoleText(page)).toContain('vm.protected.host_read=SIGSEGV(SEGV_ACCERR)')
  expect(await instructions(page)).toBeLessThan(400_000)
  await expect(page.getByTestId('taint')).toHaveAttribute('data-taint', '64')
  await run(page, 'view.memoryTable')
  for (const region of ['hyp text', 'hyp data', 'kernel text'])
    await expect(page.getByRole('table').filter({ hasText: region }).first()).toBeVisible()
  await run(page, 'view.map', 'view.events')
  await expect(page.getByRole('region', { name: 'What the machine did' })).toContainText('__pkvm')
  await run(page, 'inspect.taint')
  await picture(page, 'mini')
})

test('the build option is a true one: four combinations, each built and booted', async ({ page }) => {
  await openAlone(page)
  await run(page, 'view.truth')
  for (const [mode, value, protectedVm, taint] of [
    ['protected', 'y', 'created', '64'],
    ['protected', 'n', 'refused', '0'],
    ['absent', 'y', 'refused', '0'],
    ['absent', 'n', 'refused', '0'],
  ] as const) {
    await run(page, 'machine.reset', `switch.both.${mode}.${value}`, 'system.boot')
    await waitForState(page, 'Powered off')
    const row = page.locator(`[data-row="${mode} ${value}"]`)
    await expect(row.locator('[data-type="normal"]')).toHaveAttribute('data-verdict', 'created')
    await expect(row.locator('[data-type="protected"]')).toHaveAttribute('data-verdict', protectedVm)
    if (protectedVm === 'refused') await expect(row.locator('[data-type="protected"]')).toContainText('EINVAL')
    await expect(page.getByTestId('taint')).toHaveAttribute('data-taint', taint)
  }
  await picture(page, 'mini-truth')
})

test('the Kconfig menu: dependency, help, and what an option does to the code', async ({ page }) => {
  await openAlone(page)
  await run(page, 'view.kconfig')
  await expect(option(page, 'PROTECTED_VM_UAPI')).toBeChecked()
  await expect(buildLine(page)).toContainText('instructions')

  await run(page, 'switch.expert.toggle')
  await expect(option(page, 'PROTECTED_VM_UAPI')).not.toBeChecked()
  await expect(option(page, 'PROTECTED_VM_UAPI')).toBeDisabled()
  await expect(page.locator('[data-option="PROTECTED_VM_UAPI"]')).toContainText('EXPERT [=n] is off, so n')
  await expect(page.locator('.option-comment')).toContainText('need EXPERT')
  // No command sets it either.
  expect(await applies(page, 'switch.uapi.y')).toBe(false)
  await run(page, 'system.boot')
  await waitForState(page, 'Powered off')
  expect(await consoleText(page)).toContain('vm.protected.create=EINVAL')

  await run(page, 'switch.expert.toggle')
  await page
    .locator('[data-option="PROTECTED_VM_UAPI"]')
    .getByRole('button', { name: 'What it does to the code' })
    .click()
  const diff = page.getByTestId('listing-diff')
  await expect(diff.locator('.hunk').first()).toContainText('EINVAL')
  await picture(page, 'mini-listing-diff')
  await diff.getByRole('button', { name: 'Back to the options' }).click()
  await expect(option(page, 'KVM')).toBeChecked()
})

test('a source is changed, saved, built and booted; the edit is kept; Reset brings the original back', async ({
  page,
}) => {
  await openAlone(page)
  await openSource(page, HEAD)
  await write(page, source(HEAD).replace('Booting mini-pKVM', 'Booting my own pKVM'))
  await expect(file(page, HEAD)).toContainText('changed')
  await expect(buildLine(page)).toHaveAttribute('data-ok', 'true')
  await run(page, 'system.boot')
  await waitForState(page, 'Powered off')
  expect(await consoleText(page)).toContain('Booting my own pKVM')

  await page.reload()
  await expect(page.getByTestId('kernel-mini')).toBeChecked()
  await run(page, 'system.boot')
  await waitForState(page, 'Powered off')
  expect(await consoleText(page)).toContain('Booting my own pKVM')
  await openSource(page, HEAD)
  await run(page, 'code.resetFile', 'system.boot')
  await waitForState(page, 'Powered off')
  await expect.poll(() => consoleText(page)).toContain('Booting mini-pKVM')
})

test('sources with errors: marked where they are, said in a sentence, and the machine that was there stays', async ({
  page,
}) => {
  await openAlone(page)
  await button(page, 'Boot').click()
  await waitForState(page, 'Powered off')
  await openSource(page, HEAD)
  const text = source(HEAD)
  await write(page, `        .include "host/gone.s"\n        movv    x0, #1\n${text}`)
  await expect(squiggle(page)).toHaveCount(2)
  await expect(buildLine(page)).toContainText('does not assemble: 2 errors')
  await run(page, 'system.boot')
  await expect(page.getByRole('alert').filter({ hasText: 'does not assemble' })).toContainText(`${HEAD}:1`)
  await expect(page.getByRole('alert').filter({ hasText: 'does not assemble' })).toContainText(
    "there is no file 'host/gone.s'",
  )
  await waitForState(page, 'Powered off')
  await picture(page, 'mini-errors')
  await run(page, 'code.resetFile')
  await expect(squiggle(page)).toHaveCount(0)

  // A file that was deleted or renamed is missed where it is included.
  await run(page, 'code.removeFile')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await run(page, 'system.boot')
  await expect(page.getByRole('alert').filter({ hasText: 'deleted or renamed' })).toContainText('start-kernel.s')
  await run(page, 'code.resetAll', 'system.boot')
  await waitForState(page, 'Powered off')
  await expect(page.getByRole('alert').filter({ hasText: 'deleted or renamed' })).toHaveCount(0)
})

test('a macro that never ends, a kernel that loops and one without vectors leave the page alive', async ({ page }) => {
  await openAlone(page)
  await openSource(page, HEAD)
  const text = source(HEAD)
  await write(page, `        .macro  again\n        again\n        again\n        .endm\n        again\n${text}`)
  await expect(buildLine(page)).toContainText('does not assemble')

  await write(page, text.replace(/^start_kernel:/m, 'start_kernel:\n        b       .'))
  await expect(buildLine(page)).toHaveAttribute('data-ok', 'true')
  await run(page, 'system.boot')
  await waitForState(page, 'Running')
  await button(page, 'Pause').click()
  await waitForState(page, 'Paused')
  await button(page, 'Reset').click()
  await waitForState(page, 'Off')

  // Every exception leads to the next: no vectors, and nothing mapped where they would be.
  await write(
    page,
    text.replace(/^start_kernel:/m, 'start_kernel:\n        msr     vbar_el1, xzr\n        isb\n        .inst   0'),
  )
  await run(page, 'system.boot')
  await waitForState(page, 'Running')
  await button(page, 'Reset').click()
  await waitForState(page, 'Off')
  await run(page, 'code.resetAll')
})

test('a Kconfig that cannot be read says in which line, and Reset mends it', async ({ page }) => {
  await openAlone(page)
  await openSource(page, 'Kconfig')
  await write(page, 'config KVM\n        bool "KVM"\n        select EVERYTHING\n')
  await expect(squiggle(page)).toHaveCount(1)
  for (const place of [page.getByRole('region', { name: 'Options of mini-pKVM' }), page.getByTestId('uapi-meaning')]) {
    await expect(place).toContainText(/Kconfig, line 3: 'select'/)
  }
  await run(page, 'code.resetFile', 'system.build')
  await expect(option(page, 'KVM')).toBeChecked()
})

test('EL2 that overflows its stack, that loops, whose vectors lead nowhere, a source renamed: told each time, and Reset mends it', async ({
  page,
}) => {
  await openAlone(page)
  const change = async (path: string, from: string, to: string): Promise<void> => {
    expect(source(path)).toContain(from)
    await openSource(page, path)
    await write(page, source(path).replace(from, to))
    await expect(buildLine(page)).toHaveAttribute('data-ok', 'true')
    await run(page, 'system.boot')
  }
  const mend = async (): Promise<void> => {
    await run(page, 'code.resetFile', 'system.boot')
    await waitForState(page, 'Powered off')
    await expect.poll(() => consoleText(page)).toContain('vm.protected.host_read=SIGSEGV(SEGV_ACCERR)')
  }
  const find = 'hyp_phys_to_page:\n'
  await change('hyp/page-state.s', find, `${find}        frame   0\n        bl      hyp_phys_to_page\n`)
  await expect.poll(() => consoleText(page)).toContain('HYP panic: stack overflow at EL2')
  await mend()

  await change('hyp/page-state.s', find, `${find}        b       .\n`)
  await waitForState(page, 'Running')
  await button(page, 'Pause').click()
  await waitForState(page, 'Paused')
  await mend()

  const vectors = '        msr     vbar_el2, x0\n'
  await change('hyp/setup.s', vectors, `        mov     x0, #0x7000000000\n${vectors}`)
  await expect(page.getByRole('alert').filter({ hasText: 'VBAR_EL2 is 0x7000000000' })).toBeVisible()
  await picture(page, 'mini-vectors')
  await mend()

  await openSource(page, 'hyp/tlb.s')
  await run(page, 'code.renameFile')
  await page.getByRole('dialog').getByRole('textbox').fill('hyp/tlbs.s')
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click()
  await expect(file(page, 'hyp/tlbs.s')).toBeVisible()
  await run(page, 'system.boot')
  await expect(page.getByRole('alert').filter({ hasText: 'deleted or renamed' })).toContainText("'hyp/tlb.s'")
  await run(page, 'code.resetAll', 'system.boot')
  await waitForState(page, 'Powered off')
  await expect(page.getByRole('alert').filter({ hasText: 'deleted or renamed' })).toHaveCount(0)
})
