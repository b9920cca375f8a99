import { expect, type Page, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import {
  button,
  chooseVersion,
  consoleText,
  fetchedKernels,
  instructions,
  needKernel,
  openLab,
  picture,
  waitForState,
} from './lab-page.ts'

/** What the table under the console shows for a fact of the probe. */
function answer(page: Page, key: string) {
  return page.locator(`[data-key="${key}"]`)
}

for (const version of fetchedKernels()) {
  test(`Linux ${version} boots to protected KVM and taints itself with a protected VM`, async ({ page }) => {
    await openLab(page)
    await chooseVersion(page, version)
    await button(page, 'Boot').click()
    await waitForState(page, 'Powered off')
    const text = await consoleText(page)
    expect(text).toContain('Protected nVHE mode initialized successfully')
    expect(text).toContain('protected VMs are experimental')
    expect(text).toMatch(/^vm\.protected\.create=fd\r?$/m)
    expect(text).toMatch(/^probe=done\r?$/m)

    await expect(page.getByTestId('terminal')).toContainText('vm.protected.host_write_syscall=EFAULT')
    await expect(answer(page, 'vm.normal.create')).toHaveText('fd')
    await expect(answer(page, 'vm.normal.taint')).toHaveText('0')
    await expect(answer(page, 'vm.normal.host_read')).toHaveText('0x600d600d')
    await expect(answer(page, 'vm.protected.create')).toHaveText('fd')
    await expect(answer(page, 'vm.protected.taint')).toHaveText('64 U')
    await expect(answer(page, 'vm.protected.host_read')).toHaveText(/^SIGSEGV SEGV_ACCERR$/)
    await expect(answer(page, 'vm.protected.host_write_syscall')).toHaveText('EFAULT')
    await expect(answer(page, 'vm.protected.after_teardown')).toHaveText('0x0')

    // Every moment of the rail was reached, in order, and the hypervisor's at EL2.
    const steps = page.locator('.step')
    await expect(page.locator('.step[data-el]')).toHaveCount(await steps.count())
    for (const step of await page.locator('.step[data-symbol^="__kvm_nvhe_"]').all()) {
      await expect(step).toHaveAttribute('data-el', '2')
    }
    await picture(page, `protected-${version.split('+')[0]}`)
  })
}

test('with kvm-arm.mode=nvhe a protected VM is refused with EINVAL and nothing is tainted', async ({ page }) => {
  needKernel()
  await page.emulateMedia({ colorScheme: 'light' })
  await openLab(page)
  await page.getByRole('radio', { name: 'nvhe' }).check()
  await button(page, 'Boot').click()
  await waitForState(page, 'Powered off')
  await expect(answer(page, 'vm.normal.create')).toHaveText('fd')
  await expect(answer(page, 'vm.protected.create')).toHaveText('EINVAL')
  await expect(answer(page, 'vm.protected.taint')).toHaveText('0')
  expect(await consoleText(page)).not.toContain('tainting kernel')
  expect(await faults(page)).toEqual([])
  await picture(page, 'nvhe-light')
})

test('the page answers while the machine runs flat out', async ({ page }) => {
  needKernel()
  await openLab(page)
  await button(page, 'Boot').click()
  await waitForState(page, 'Running', 60_000)
  await expect.poll(() => instructions(page)).toBeGreaterThan(1_000_000)
  await button(page, 'Pause').click()
  await waitForState(page, 'Paused', 30_000)
  const paused = await instructions(page)
  // Other controls still work, and not one more instruction retires meanwhile.
  await page.getByRole('radio', { name: 'none', exact: true }).check()
  // Dark, light, projector: once round.
  for (let i = 0; i < 3; i++) await page.getByRole('button', { name: /Change theme/ }).click()
  expect(await instructions(page)).toBe(paused)
  await button(page, 'Resume').click()
  await expect.poll(() => instructions(page)).toBeGreaterThan(paused)
  await page.getByLabel('Whole line').fill('console=ttyAMA0')
  await expect(page.getByRole('button', { name: 'Restart with these settings' })).toBeVisible()
  await button(page, 'Reset').click()
  await waitForState(page, 'Off', 30_000)
  expect(await instructions(page)).toBe(0)
})
