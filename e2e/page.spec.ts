import { expect, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import { expectNoOverflow, openLab, picture } from './lab-page.ts'

for (const scheme of ['light', 'dark'] as const) {
  test(`the main view in the ${scheme} theme has no accessibility fault that axe can find`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme })
    await openLab(page)
    await expect(page.locator('html')).toHaveAttribute('data-theme', scheme)
    await page.getByRole('heading', { level: 3 }).waitFor()
    expect(await faults(page)).toEqual([])
    await picture(page, `start-${scheme}`)
  })
}

test('the theme is remembered', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' })
  await openLab(page)
  await page.getByRole('button', { name: /Change theme/ }).click()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light')
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light')
})

test('the mode choice edits the command line, and the command line moves the choice', async ({ page }) => {
  await openLab(page)
  const line = page.getByLabel('Whole line')
  const modes = page.getByRole('radiogroup', { name: 'kvm-arm.mode' })
  await expect(line).toHaveValue('console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests')
  await expect(modes.getByRole('radio', { name: 'protected' })).toBeChecked()
  await modes.getByRole('radio', { name: 'nvhe' }).check()
  await expect(line).toHaveValue('console=ttyAMA0 kvm-arm.mode=nvhe cryptomgr.notests')
  await modes.getByRole('radio', { name: 'absent' }).check()
  await expect(line).toHaveValue('console=ttyAMA0 cryptomgr.notests')
  await line.fill('console=ttyAMA0 kvm-arm.mode=none')
  await expect(modes.getByRole('radio', { name: 'none' })).toBeChecked()
  await line.fill('kvm-arm.mode=vhe')
  await expect(modes.getByRole('radio', { checked: true })).toHaveCount(0)
  await expect(page.getByTestId('mode-meaning')).toContainText('does not know')
})

test('commands run from the keyboard', async ({ page }) => {
  await openLab(page)
  await page.keyboard.press('Alt+Shift+K')
  const palette = page.getByRole('dialog', { name: 'Commands' })
  await expect(palette).toBeVisible()
  await palette.getByRole('textbox').fill('theme')
  const before = await page.locator('html').getAttribute('data-theme')
  await page.keyboard.press('Enter')
  await expect(palette).toBeHidden()
  await expect(page.locator('html')).not.toHaveAttribute('data-theme', before ?? '')
})

for (const width of [1440, 1024, 800, 420]) {
  test(`nothing is cut off at ${width} pixels`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 })
    await openLab(page)
    await page.getByRole('heading', { level: 3 }).waitFor()
    await expectNoOverflow(page)
    await picture(page, `width-${width}`)
  })
}
