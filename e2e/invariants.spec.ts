import { readFileSync } from 'node:fs'
import { expect, type Page, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import { replaceCode } from './code-panel.ts'
import { consoleText, openAlone, picture, run, setTheme, THEMES, waitForState } from './lab-page.ts'

/** A safeguard, and the source without it: pages of a dead VM come back to the host with what they held. */
const RECLAIM = 'hyp/reclaim.s'
const original = readFileSync(`lessons/mini-pkvm/${RECLAIM}`, 'utf8')
const forgetful = original.replaceAll(/^\s+bl\s+hyp_poison_page\b.*$/gm, '')
const RULE = 'A private page is zero when it leaves its owner.'

/** The file open in the editor, as if it had been typed, saved. */
async function writeReclaim(page: Page, text: string): Promise<void> {
  await run(page, 'view.kconfig', 'system.sources')
  await page.locator(`[role="tab"][data-file="${RECLAIM}"]`).click()
  await expect(page.getByTestId('code').locator('.view-line').first()).toBeVisible()
  await replaceCode(page, text)
  await page.keyboard.press('ControlOrMeta+S')
  await expect(page.getByTestId('build-line')).toHaveAttribute('data-ok', 'true')
}

const notice = (page: Page) => page.getByRole('alert').filter({ hasText: 'An invariant fell' })
const fallenEvents = (page: Page) =>
  page.getByRole('listbox', { name: 'Events, oldest first' }).locator('[data-kind="violation"]')

test('a safeguard is taken out: the machine stops where the invariant falls, and Reset mends it', async ({ page }) => {
  expect(forgetful).not.toBe(original)
  await openAlone(page)
  await writeReclaim(page, forgetful)
  await run(page, 'view.events', 'view.map', 'system.boot')

  // Right there: the rule, the page, the storing instruction, and on whose behalf.
  await waitForState(page, 'Paused')
  await expect(notice(page)).toContainText(RULE)
  await expect(notice(page)).toContainText(/Page 0x[0-9a-f]+000: it was private to VM 0x1[0-9a-f]{3}/)
  await expect(notice(page)).toContainText(/Stored at 0x[0-9a-f]+ by \w+/)
  await expect(notice(page)).toContainText('reclaim')
  await expect(notice(page)).toContainText('paused right there')
  expect(await consoleText(page)).not.toContain('reboot: Power down')
  const physical = /Page (0x[0-9a-f]+000):/.exec((await notice(page).textContent()) ?? '')?.[1] ?? ''

  // The event list, the inspector and the map are at that page.
  await expect(fallenEvents(page).last()).toHaveAttribute('aria-selected', 'true')
  await expect(fallenEvents(page).last()).toContainText(RULE)
  await expect(page.getByRole('region', { name: 'Inspector', exact: true })).toContainText(physical)
  await expect(page.getByRole('list', { name: 'Legend' })).toContainText('invariant fell')
  await expect(page.getByRole('img', { name: /an invariant fell for 1 of them/ })).toBeVisible()
  for (const theme of THEMES) {
    await setTheme(page, theme)
    await picture(page, `invariant-${theme}`)
    expect(await faults(page, { exclude: ['.monaco-editor'] }), theme).toEqual([])
  }
  await run(page, 'view.memoryTable')
  const row = page.getByRole('region', { name: 'Memory as a table' }).getByRole('row').filter({ hasText: physical })
  await expect(row).toContainText(`fell: ${RULE}`)
  await picture(page, 'invariant-table')
  await run(page, 'view.map')

  // It goes on from there, and stops at the next page; and no more when nobody wants it to.
  await run(page, 'machine.resume')
  await expect(notice(page)).not.toContainText(`Page ${physical}:`)
  await waitForState(page, 'Paused')
  await page.getByRole('checkbox', { name: 'Pause where an invariant falls' }).uncheck()
  await run(page, 'machine.resume')
  await waitForState(page, 'Powered off')
  expect(await fallenEvents(page).count()).toBeGreaterThan(1)

  await run(page, 'system.boot')
  await waitForState(page, 'Powered off')
  await expect(notice(page)).toContainText('The machine goes on.')

  // The source as it was: nothing falls, and no mark is left of what fell before.
  await run(page, 'machine.pauseOnViolation', 'code.resetFile', 'system.boot')
  await expect(notice(page)).toHaveCount(0)
  await waitForState(page, 'Powered off')
  expect(await consoleText(page)).toContain('vm.protected.host_read=SIGSEGV(SEGV_ACCERR)')
  await expect(notice(page)).toHaveCount(0)
  await expect(fallenEvents(page)).toHaveCount(0)
  await expect(page.getByRole('list', { name: 'Legend' })).not.toContainText('invariant fell')
})
