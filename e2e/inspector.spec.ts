import { expect, type Page, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import {
  chooseVersion,
  expectNoOverflow,
  fetchedKernels,
  needKernel,
  openLab,
  picture,
  run,
  setTheme,
  THEMES,
  waitForState,
} from './lab-page.ts'

const VERSIONS = fetchedKernels()

test('there is a kernel to look into', needKernel)

async function goTo(page: Page, text: string): Promise<void> {
  await page.getByLabel('Address or symbol').fill(text)
  await page.getByLabel('Address or symbol').press('Enter')
}

/** Boots the lab's kernel with its probe, both switches on. */
async function bootProbe(page: Page, version?: string): Promise<void> {
  await openLab(page)
  await page.getByRole('button', { name: 'Boot the machine' }).waitFor()
  if (version !== undefined) await chooseVersion(page, version)
  await run(page, 'machine.boot')
  await waitForState(page, 'Powered off')
}

for (const version of VERSIONS) {
  test(`${version}: a donated page: who gave it, when, why; and, at that moment again, what the hardware holds`, async ({
    page,
  }) => {
    await bootProbe(page, version)
    const inspector = page.getByRole('region', { name: 'Inspector', exact: true })

    // The taint: the instruction, and the system call behind it.
    await expect(page.getByTestId('taint')).toContainText('U (64)')
    await run(page, 'inspect.taint')
    const opened = inspector.locator('.open-event')
    await expect(opened.getByRole('heading')).toContainText('tainted_mask 0 → 64')
    await expect(opened).toContainText('add_taint')
    await expect(opened).toContainText('pkvm_init_host_vm')
    await expect(opened).toContainText('kvm_dev_ioctl')
    await expect(page.getByTestId('event-count')).toContainText('none dropped')

    // A page given to the guest.
    await page.getByLabel('Filter events by text').fill('donated by the host to VM')
    const donations = page.getByRole('option', { name: /donated by the host to VM 0x1\d{3} gfn 0x40001/ })
    await donations.last().click()
    const address = await page.getByTestId('page-address').textContent()
    const history = inspector.getByRole('list', { name: 'Changes of this page, newest first' })
    const donated = history.getByRole('listitem').filter({ hasText: 'donated by the host to VM' })
    await expect(donated).toContainText('__pkvm_host_donate_guest')
    await expect(donated).toContainText('kvm_handle_guest_abort')
    await expect(donated).toContainText('__arm64_sys_ioctl')
    await expect(history.getByRole('listitem').filter({ hasText: 'taken back by the host from VM' })).toContainText(
      'kvm_destroy_vm',
    )
    await expect(page.getByTestId('page-owner')).toHaveText('host')

    // The VM lived for a moment: back to it.
    await inspector.getByRole('button', { name: 'Boot again and stop at this event' }).click()
    await waitForState(page, 'Running')
    await waitForState(page, 'Paused')
    await expect(page.getByTestId('page-address')).toHaveText(address ?? '')
    await expect(page.getByTestId('page-owner')).toHaveText(/^VM 0x1\d{3} gfn 0x40001$/)
    await expect(page.getByTestId('page-host')).toContainText('NOPAGE')
    await expect(page.getByTestId('page-hyp')).toContainText('NOPAGE')
    const walk = inspector.getByRole('list', { name: 'Host stage 2 walk' })
    const leaf = walk.getByRole('listitem').filter({ hasText: 'donated' })
    await expect(leaf).toContainText(/0x20000040001\d{3}[0-9a-f]4/)
    await leaf.locator('summary').click()
    await expect(leaf).toContainText(/gfn 59:20\s*0x40001/)
    await expect(leaf).toContainText(/handle 19:4\s*0x1\d{3}/)
    await expect(inspector.getByRole('region', { name: /^Stage 2 of VM 0x1\d{3}$/ })).toContainText(
      'OWNED by the VM, read and write, executable',
    )

    // The same page by the VM's own address, and by the table of VMs.
    await run(page, 'view.vms')
    const row = page.getByRole('row', { name: /0x1\d{3} protected/ })
    await expect(row).toBeVisible()
    const handle = await row.getByRole('rowheader').textContent()
    await goTo(page, 'tainted_mask')
    await expect(page.getByTestId('page-address')).not.toHaveText(address ?? '')
    await goTo(page, `vm ${handle}:0x40001000`)
    await expect(page.getByTestId('page-address')).toHaveText(address ?? '')
    await expect(inspector.getByRole('status')).toContainText(`VM ${handle}`)

    for (const theme of version === VERSIONS[0] ? THEMES : []) {
      await setTheme(page, theme)
      await picture(page, `inspector-${theme}`)
      // The lines between panels are between landmarks, not in them.
      expect(await faults(page, { exclude: ['[role=separator]'] }), theme).toEqual([])
    }
    await run(page, 'machine.resume')
    await waitForState(page, 'Powered off')
  })
}

test('addresses of every kind lead to their page, and wrong ones to a sentence', async ({ page }) => {
  needKernel()
  await bootProbe(page)
  const status = page.getByRole('region', { name: 'Inspector', exact: true }).getByRole('status')

  await goTo(page, '__kvm_nvhe___pkvm_init')
  await expect(page.getByTestId('page-owner')).toHaveText('hypervisor')
  await page.getByRole('tab', { name: 'A64' }).click()
  await expect(page.getByLabel('Instructions of the page')).toContainText('__kvm_nvhe___pkvm_init:')
  await page.getByRole('tab', { name: 'Bytes' }).click()
  await expect(page.getByLabel('Bytes of the page')).toContainText('000')

  await goTo(page, '0x40200000')
  await expect(page.getByTestId('page-address')).toHaveText('0x40200000')
  await expect(page.getByTestId('page-owner')).toHaveText('host')
  await run(page, 'inspect.nextPage')
  await expect(page.getByTestId('page-address')).toHaveText('0x40201000')

  await goTo(page, 'no_such_symbol')
  await expect(status).toContainText('no symbol no_such_symbol')
  await goTo(page, '0x1')
  await expect(status).toContainText('not in RAM')
  await goTo(page, 'vm 0x1077:0x0')
  await expect(status).toContainText('there is no VM 0x1077')
  await expect(page.getByTestId('page-address')).toHaveText('0x40201000')
})

test('the event list and the timeline are used by keyboard alone', async ({ page }) => {
  needKernel()
  await bootProbe(page)
  await run(page, 'view.events')
  const list = page.getByRole('listbox', { name: 'Events, oldest first' })
  await list.focus()
  await page.keyboard.press('Home')
  const chosen = list.getByRole('option', { selected: true })
  await expect(chosen).toHaveAttribute('aria-posinset', '1')
  await page.keyboard.press('ArrowDown')
  await expect(chosen).toHaveAttribute('aria-posinset', '2')
  await page.keyboard.press('End')
  await expect(chosen).toHaveAttribute('aria-posinset', /\d{3,}/)

  const timeline = page.getByRole('slider', { name: /^Timeline/ })
  await timeline.focus()
  for (let lane = 0; lane < 4; lane++) await page.keyboard.press('ArrowDown')
  await expect(timeline).toHaveAttribute('aria-label', 'Timeline, lane lifecycle')
  await page.keyboard.press('Home')
  await expect(timeline).toHaveAttribute('aria-valuetext', /^vm after/)
  await page.keyboard.press('+')
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeEnabled()
  await page.keyboard.press('0')
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeDisabled()

  await page.getByLabel('taint', { exact: true }).uncheck()
  await expect(page.getByTestId('event-count')).toContainText(' of ')
})

for (const [width, height] of [
  [1280, 720],
  [1920, 1080],
] as const) {
  test(`the inspector makes sense at ${width}x${height}`, async ({ page }) => {
    needKernel()
    await page.setViewportSize({ width, height })
    await bootProbe(page)
    await run(page, 'inspect.taint')
    await goTo(page, 'tainted_mask')
    await expect(page.getByTestId('page-owner')).toBeVisible()
    await picture(page, `inspector-${width}x${height}`)
    await expectNoOverflow(page)
  })
}
