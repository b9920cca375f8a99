import { expect, type Page, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import {
  applies,
  button,
  chooseVersion,
  fetchedKernels,
  needKernel,
  openLab,
  picture,
  run,
  THEMES,
  waitForState,
} from './lab-page.ts'

/** One combination of the two switches: the cells are those of its row, the taint is the badge's. */
async function expectRow(
  page: Page,
  row: string,
  cells: { normal: string; protected: string },
  taint: string,
): Promise<void> {
  const line = page.locator(`[data-row="${row}"]`)
  await expect(line.locator('[data-type="normal"]')).toHaveAttribute('data-verdict', cells.normal)
  await expect(line.locator('[data-type="protected"]')).toHaveAttribute('data-verdict', cells.protected)
  await expect(page.getByTestId('taint')).toHaveAttribute('data-taint', taint)
}

async function boot(page: Page, kernel: string): Promise<void> {
  await chooseVersion(page, kernel)
  await button(page, 'Boot').click()
  await waitForState(page, 'Powered off')
}

for (const kernel of fetchedKernels()) {
  test(`Linux ${kernel}: only with both switches on there is a protected VM, and the taint`, async ({ page }) => {
    await openLab(page)
    await run(page, 'view.truth')
    await expect(page.getByTestId('taint')).toContainText('–')

    await run(page, 'switch.both.protected.n')
    await boot(page, kernel)
    await expectRow(page, 'protected n', { normal: 'created', protected: 'refused' }, '0')
    await expect(page.getByTestId('uapi-meaning')).toContainText(/pkvm_init_host_vm.*has refused 2 times/)

    await run(page, 'machine.reset', 'switch.both.absent.y')
    await boot(page, kernel)
    await expectRow(page, 'absent y', { normal: 'created', protected: 'refused' }, '0')

    await run(page, 'machine.reset', 'switch.both.protected.y')
    await boot(page, kernel)
    await expectRow(page, 'protected y', { normal: 'created', protected: 'created' }, '64')
    await expect(page.getByTestId('taint')).toContainText('U (64)')
    // What was tried before stays.
    await expect(page.locator('[data-row="protected n"] [data-type="protected"]')).toHaveAttribute(
      'data-verdict',
      'refused',
    )
    await picture(page, `switches-${kernel.split('+')[0]}`)

    await page.getByTestId('taint').click()
    const panel = page.getByRole('dialog', { name: 'Kernel taint' })
    await expect(panel).toContainText('tainted_mask is 64')
    await expect(panel).toContainText('2 protected VMs have been created since reset; the mask has changed once')
    await picture(page, `taint-${kernel.split('+')[0]}`)
  })
}

test('without EXPERT the option is not available and n; the command line is left alone', async ({ page }) => {
  needKernel()
  await openLab(page)
  await run(page, 'view.kconfig')
  const option = page.getByTestId('kconfig-uapi')
  await expect(page.getByTestId('kconfig-depends')).toContainText('KVM [=y] && EXPERT [=y]')
  await expect(option).toBeChecked()
  await run(page, 'switch.expert.toggle')
  await expect(page.getByTestId('kconfig-depends')).toContainText('EXPERT [=n]: not available, so n')
  await expect(option).toBeDisabled()
  await expect(option).not.toBeChecked()
  await expect(page.getByTestId('uapi-value')).toHaveText('CONFIG_PROTECTED_VM_UAPI=n')
  expect(await applies(page, 'switch.uapi.y')).toBe(false)
  await run(page, 'switch.expert.toggle')
  await expect(page.getByTestId('uapi-value')).toHaveText('CONFIG_PROTECTED_VM_UAPI=y')
  await page.getByLabel('Find an option').fill('DEBUG_INFO_BTF')
  await expect(
    page
      .getByRole('listitem')
      .filter({ hasText: /^=?\[\*\]=?y?\s*DEBUG_INFO_BTF/ })
      .first(),
  ).toBeVisible()
})

for (const theme of THEMES) {
  test(`switches, configuration and taint in the ${theme} theme have no fault that axe can find`, async ({ page }) => {
    needKernel()
    await page.addInitScript(chosen => localStorage.setItem('pkvm-lab.theme', chosen), theme)
    await openLab(page)
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme)
    for (const view of ['view.truth', 'view.kconfig']) {
      await run(page, view)
      // The rest of the page has its own test.
      const switches = (await page.locator('.switches').isVisible()) ? ['.switches'] : []
      expect(await faults(page, { include: ['.dock', '.top-bar', ...switches] })).toEqual([])
      await picture(page, `${view.slice(5)}-${theme}`)
    }
  })
}
