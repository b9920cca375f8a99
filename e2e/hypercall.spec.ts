import { expect, type Page, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import {
  chooseVersion,
  consoleText,
  fetchedKernels,
  needKernel,
  openLab,
  picture,
  run,
  setTheme,
  THEMES,
  waitForState,
} from './lab-page.ts'

test('there is a kernel with a hypervisor to call', needKernel)

/** Boots the lab's probe and stops as its first VM appears: protection is on, and the host is in the midst of its work. */
async function bootToFirstVm(page: Page, version: string): Promise<void> {
  await openLab(page)
  await chooseVersion(page, version)
  await run(page, 'machine.pauseOnVms')
  await run(page, 'machine.boot')
  await waitForState(page, 'Paused')
}

async function select(page: Page, text: string): Promise<void> {
  await page.getByLabel('Address or symbol').fill(text)
  await page.getByLabel('Address or symbol').press('Enter')
}

const panel = (page: Page) => page.getByRole('region', { name: 'Hypercall by hand' })
const calls = (page: Page) =>
  panel(page)
    .getByRole('log', { name: 'Calls made' })
    .getByRole('listitem')
    .filter({ has: page.locator('.past-head') })

/** Makes the call of the form and waits until it is the newest of so many. */
async function issued(page: Page, count: number) {
  await panel(page).getByRole('button', { name: 'Issue' }).click()
  await expect(calls(page)).toHaveCount(count)
  return calls(page).first()
}

async function chooseCall(page: Page, part: string, name: string): Promise<void> {
  const box = panel(page).getByRole('combobox', { name: 'Call' })
  await box.fill(part)
  await panel(page)
    .getByRole('option', { name: new RegExp(`^${name}\\b`) })
    .click()
  await expect(box).toHaveValue(name)
}

for (const version of fetchedKernels()) {
  test(`${version}: the learner is the hostile host: shares, shares again, takes what is not the host’s, and makes it panic`, async ({
    page,
  }) => {
    await bootToFirstVm(page, version)
    await run(page, 'hypercall.choose')
    await expect(panel(page).getByText('what a hostile host would do')).toBeVisible()
    await expect(panel(page).getByRole('combobox', { name: 'Call' })).toBeFocused()

    // A page of the host alone.
    await select(page, '0x5c000000')
    await chooseCall(page, 'share_h', 'host_share_hyp')
    await panel(page).getByRole('button', { name: 'selected page' }).click()
    await expect(panel(page).getByLabel('pfn')).toHaveValue('0x5c000')
    const first = await issued(page, 1)
    await expect(first.locator('.answer')).toHaveText('0')
    await first.getByRole('button', { name: /page 0x5c000000/ }).click()
    await expect(page.getByTestId('page-address')).toContainText('0x5c000000')
    await expect(page.getByRole('region', { name: 'Inspector', exact: true })).toContainText(
      '__pkvm_host_share_hyp(pfn 0x5c000)',
    )

    const second = await issued(page, 2)
    await expect(second.locator('.answer')).toHaveText('-EPERM')
    await expect(second).toContainText('owns alone')
    await expect(second).toContainText('no page changed')

    // The keyboard does as well: an arrow, Enter, Enter.
    const box = panel(page).getByRole('combobox', { name: 'Call' })
    await box.fill('unshare_hyp')
    await box.press('Enter')
    await expect(box).toHaveValue('host_unshare_hyp')
    await box.press('Enter')
    await expect(calls(page)).toHaveCount(3)
    await expect(calls(page).first().locator('.answer')).toHaveText('0')

    // What belongs to the hypervisor.
    await select(page, '__hyp_text_start')
    await chooseCall(page, 'host_share_hyp', 'host_share_hyp')
    await expect(page.getByTestId('page-address')).toContainText('0x4')
    await run(page, 'hypercall.selectedPage')
    await expect((await issued(page, 4)).locator('.answer')).toHaveText('-EPERM')

    // Bad input costs nothing.
    await panel(page).getByLabel('pfn').fill('this page')
    await expect(await issued(page, 5)).toContainText('not a 64-bit number')
    await box.fill('host_shear_hyp')
    await expect(await issued(page, 6)).toContainText('no host call')
    await box.fill('0xfff0')
    await expect((await issued(page, 7)).locator('.answer')).toHaveText('NOT_SUPPORTED')

    // A handler that trusts the host.
    await chooseCall(page, 'kvm_tlb_flush_vmid', '__kvm_tlb_flush_vmid')
    await panel(page).getByLabel('mmu').fill('0xffff000000dead00')
    const panic = await issued(page, 8)
    await expect(panic.locator('.answer')).toHaveText('panic')
    await expect(panic).toContainText('put back to before the call')

    for (const theme of THEMES) {
      await setTheme(page, theme)
      await picture(page, `hypercall-${version.split('+')[0]}-${theme}`)
      expect(await faults(page, { include: ['.hypercall'] }), theme).toEqual([])
    }

    // The host has noticed nothing.
    await run(page, 'machine.pauseOnVms')
    await run(page, 'machine.resume')
    await waitForState(page, 'Powered off')
    expect(await consoleText(page)).toContain('vm.protected.exit=KVM_EXIT_MMIO')
    const off = await issued(page, 9)
    await expect(off).toContainText('has ended')
  })
}
