import { expect, type Page, test } from '@playwright/test'
import { faults } from './accessibility.ts'
import {
  consoleText,
  expectNoOverflow,
  imageFile,
  instructions,
  needKernel,
  openLab,
  picture,
  run,
  setTheme,
  THEMES,
  waitForState,
} from './lab-page.ts'

const counts = (page: Page) => page.getByTestId('map-counts')
const map = (page: Page) => page.getByTestId('memory-map')

/** Boots and stops where the hypervisor's table of VMs changed for the `times`-th time. */
async function bootToVm(page: Page, until: () => Promise<boolean>): Promise<void> {
  await run(page, 'machine.pauseOnVms')
  await run(page, 'machine.boot')
  for (let i = 0; i < 30; i++) {
    await waitForState(page, 'Paused')
    if (await until()) return
    const before = await instructions(page)
    await run(page, 'machine.resume')
    await expect.poll(() => instructions(page)).toBeGreaterThan(before)
  }
  throw new Error('the machine never came to that point')
}

test('the map of a machine with a protected VM, by pointer, by keys, as a table, and as the guest sees it', async ({
  page,
}) => {
  needKernel()
  test.setTimeout(400_000)
  await openLab(page)
  await bootToVm(page, async () => {
    if (!(await consoleText(page)).includes('vm.protected.create=fd')) return false
    return (await page.getByRole('radiogroup', { name: 'View of memory' }).getByRole('radio').count()) > 2
  })
  await expect(counts(page)).toContainText('131,072 pages')
  await expect(page.getByTestId('map-why')).toHaveCount(0)

  for (const wanted of THEMES) {
    await setTheme(page, wanted)
    await picture(page, `map-${wanted}`)
    expect(await faults(page)).toEqual([])
  }
  await setTheme(page, 'dark')

  // Keys: the first stop is the start of RAM; a fold opens and closes; the cursor is told to screen readers.
  await map(page).focus()
  await page.keyboard.press('End')
  await page.keyboard.press('Home')
  const told = page.locator('.lanes [aria-live]')
  await expect(told).toContainText('0x40000000')
  await expect(told).toContainText('owner: host')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Fold all' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Fold all' })).toHaveCount(0)

  // The table has the same runs, and choosing one selects its page.
  await page.getByRole('radio', { name: 'Table' }).check()
  const rows = page.getByRole('region', { name: 'Memory as a table' }).getByRole('row')
  const runs = Number(/(\d+) runs/.exec((await counts(page).textContent()) ?? '')?.[1])
  await expect(rows).toHaveCount(runs + 1)
  expect(await faults(page)).toEqual([])
  const guestRow = rows.filter({ hasText: 'VM 0x' }).filter({ hasText: 'NOPAGE' }).filter({ hasText: 'owns' }).first()
  await expect(guestRow).toContainText('gfn 0x')
  await guestRow.getByRole('button').click()
  await expect(page.getByTestId('page-address')).toBeVisible()

  // The filter names what memory is used for.
  await page.getByRole('combobox', { name: 'Highlight' }).selectOption({ label: 'hyp text' })
  await expect(rows.filter({ hasText: 'hyp text' })).toHaveCount((await rows.count()) - 1)
  await page.getByRole('combobox', { name: 'Highlight' }).selectOption('all')

  // The guest's own view counts its own addresses.
  await page
    .getByRole('radio', { name: /^VM 0x/ })
    .first()
    .check()
  await map(page).focus()
  await page.keyboard.press('Home')
  await expect(told).toContainText('IPA 0x')
  await picture(page, 'map-guest')
})

test('without protected mode the map says what it cannot know, and still shows places', async ({ page }) => {
  needKernel()
  await openLab(page)
  await page.getByRole('radiogroup', { name: 'kvm-arm.mode' }).getByRole('radio', { name: 'nvhe' }).check()
  await run(page, 'machine.boot')
  await waitForState(page, 'Powered off')
  await expect(page.getByTestId('map-why')).toContainText('Protected mode is off')
  await run(page, 'view.memoryTable')
  await expect(page.getByRole('region', { name: 'Memory as a table' })).toContainText('kernel text')
  await expect(page.getByRole('region', { name: 'Memory as a table' })).toContainText('unknown')
  expect(await faults(page)).toEqual([])
  await picture(page, 'map-nvhe')
})

test('a kernel with no symbols and no types: the map says so, and what the boot loader knows is on it', async ({
  page,
}) => {
  await openLab(page)
  await page
    .locator('#image-file')
    .setInputFiles({ name: 'bare.img', mimeType: 'application/octet-stream', buffer: imageFile() })
  await expect(page.getByRole('radio', { name: /bare\.img/ })).toBeChecked()
  await page.getByRole('radio', { name: 'None', exact: true }).check()
  await run(page, 'machine.boot')
  await expect(page.getByTestId('map-why')).toContainText('Owners are not known')
  await run(page, 'view.memoryTable')
  await expect(page.getByRole('region', { name: 'Memory as a table' })).toContainText('device tree')
  await picture(page, 'map-bare')
})

test('panels keep their sizes, and can be put back', async ({ page }) => {
  await openLab(page)
  const handle = page.getByRole('separator', { name: 'Width of the inspector' })
  const inspector = page.getByRole('region', { name: 'Inspector', exact: true })
  const before = (await inspector.boundingBox())?.width ?? 0
  await handle.focus()
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft')
  await expect.poll(async () => (await inspector.boundingBox())?.width ?? 0).toBeGreaterThan(before + 20)
  const wide = (await inspector.boundingBox())?.width ?? 0
  // It is kept a moment after the last change.
  await expect
    .poll(() => page.evaluate(() => Object.keys(localStorage).some(key => key.includes('pkvm-lab.columns'))))
    .toBe(true)
  await page.reload()
  await expect.poll(async () => Math.abs(((await inspector.boundingBox())?.width ?? 0) - wide)).toBeLessThan(4)
  await run(page, 'view.resetPanels')
  await expect.poll(async () => Math.abs(((await inspector.boundingBox())?.width ?? 0) - before)).toBeLessThan(4)
})

for (const [width, height] of [
  [1280, 720],
  [1920, 1080],
  [1023, 700],
  [420, 900],
] as const) {
  test(`every panel is on the screen at ${width}x${height}`, async ({ page }) => {
    await page.setViewportSize({ width, height })
    await openLab(page)
    for (const wanted of ['dark', 'projector'] as const) {
      await setTheme(page, wanted)
      await expectNoOverflow(page)
      for (const panel of [
        page.getByRole('tabpanel', { name: 'Console' }),
        page.getByRole('region', { name: 'Inspector', exact: true }),
      ]) {
        await expect(panel).toBeVisible()
        const box = await panel.boundingBox()
        expect(box?.width ?? 0).toBeGreaterThan(0)
      }
      await picture(page, `layout-${wanted}-${width}x${height}`)
    }
  })
}
