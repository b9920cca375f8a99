import { expect, test } from '@playwright/test'
import { button, imageFile, instructions, openAlone, openLab, waitForState } from './lab-page.ts'

const BAD: readonly { title: string; file: string; bytes: () => Buffer }[] = [
  { title: 'is not arm64', file: 'bzImage', bytes: () => Buffer.from(`MZ${'x'.repeat(4094)}`) },
  { title: 'is big-endian', file: 'Image-be', bytes: () => imageFile(view => view.setBigUint64(24, 0b1011n, true)) },
  { title: 'needs 64K pages', file: 'Image-64k', bytes: () => imageFile(view => view.setBigUint64(24, 0b1110n, true)) },
  { title: 'is truncated', file: 'Image-cut', bytes: () => imageFile().subarray(0, 40) },
  { title: 'is empty', file: 'Image-empty', bytes: () => Buffer.alloc(0) },
]

for (const { title, file, bytes } of BAD) {
  test(`an Image that ${title} gives one clear alert`, async ({ page }) => {
    await openLab(page)
    const before = await page.locator('.option:has(:checked)').allInnerTexts()
    await page.getByTestId('image-file').setInputFiles({ name: file, mimeType: '', buffer: bytes() })
    const alert = page.getByRole('alert')
    await expect(alert).toContainText(file)
    await expect(alert.getByRole('paragraph')).toHaveCount(1)
    expect((await alert.textContent())?.length).toBeGreaterThan(file.length + 20)
    expect(await alert.textContent()).not.toMatch(/\n\s+at /)
    // The choice is as it was, and the page can still be used.
    expect(await page.locator('.option:has(:checked)').allInnerTexts()).toEqual(before)
    await alert.getByRole('button', { name: 'Dismiss' }).click()
    await expect(alert).toBeEmpty()
    await expect(button(page, 'Reset')).toBeEnabled()
  })
}

test('a running machine survives a bad choice, and Reset works on a guest that only spins', async ({ page }) => {
  await openLab(page)
  await page.getByTestId('image-file').setInputFiles({ name: 'spin.Image', mimeType: '', buffer: imageFile() })
  await page.getByRole('radio', { name: /^None/ }).check()
  await button(page, 'Boot').click()
  await waitForState(page, 'Running', 30_000)
  await page
    .getByTestId('image-file')
    .setInputFiles({ name: 'nonsense', mimeType: '', buffer: Buffer.from('not a kernel') })
  await expect(page.getByRole('alert')).toContainText('nonsense')
  const then = await instructions(page)
  await expect.poll(() => instructions(page)).toBeGreaterThan(then)
  await button(page, 'Reset').click()
  await waitForState(page, 'Off', 30_000)
  expect(await instructions(page)).toBe(0)
  await button(page, 'Boot').click()
  await waitForState(page, 'Running', 30_000)
})

test('an Image that does not fit in RAM is refused at Boot', async ({ page }) => {
  await openLab(page)
  const big = imageFile(view => view.setBigUint64(16, 0x3000_0000n, true))
  await page.getByTestId('image-file').setInputFiles({ name: 'huge.Image', mimeType: '', buffer: big })
  await page.getByRole('radio', { name: '128', exact: true }).check()
  await button(page, 'Boot').click()
  await expect(page.getByRole('alert')).toContainText(/RAM|memory/)
  await waitForState(page, 'Off')
})

test('without a kernel the page opens on mini-pKVM and says how to get Debian’s', async ({ page }) => {
  await openAlone(page)
  await expect(page.getByTestId('no-kernel')).toContainText('npm start')
})

test('a kernel that cannot be downloaded whole gives one clear alert', async ({ page }) => {
  await page.route('**/kernels/index.json', route =>
    route.fulfill({ json: [{ version: '9.9.9', bytes: 4096, source: 'test' }] }),
  )
  await page.route('**/kernels/9.9.9/Image', route => route.fulfill({ body: imageFile().subarray(0, 1000) }))
  await openLab(page)
  await button(page, 'Boot').click()
  await expect(page.getByRole('alert')).toContainText('1000 of 4096')
  await waitForState(page, 'Off')
  await expect(button(page, 'Boot')).toBeEnabled()
})
