import { expect, test } from '@playwright/test'
import { button, consoleText, imageFile, openLab, waitForState } from './lab-page.ts'

/** Bare-metal guests that do their worst, as A64 words from the Image's entry on. */
const GUESTS: readonly { title: string; words: readonly number[]; flood?: boolean }[] = [
  { title: 'jumps to nowhere', words: [0xd2db_d5a1 /* movz x1, #0xdead, lsl #32 */, 0xd61f_0020 /* br x1 */] },
  {
    title: 'runs with a broken vector table',
    words: [0xd2db_d5a1, 0xd51c_c001 /* msr vbar_el2, x1 */, 0xd503_3fdf /* isb */, 0x0000_0000 /* udf #0 */],
  },
  {
    title: 'writes where no device is',
    words: [0xd2a6_0001 /* movz x1, #0x3000, lsl #16 */, 0xf900_0020 /* str x0, [x1] */, 0x17ff_ffff /* b .-4 */],
  },
  { title: 'writes to address 0', words: [0xd280_0001 /* mov x1, #0 */, 0xf900_0020, 0x17ff_ffff] },
  { title: 'masks everything and spins', words: [0xd503_4fdf /* msr daifset, #15 */, 0x1400_0000 /* b . */] },
  { title: 'masks everything and waits', words: [0xd503_4fdf, 0xd503_207f /* wfi */, 0x17ff_ffff] },
  {
    title: 'floods its UART',
    words: [
      0xd2a1_2001 /* movz x1, #0x900, lsl #16 */,
      0x5280_0820 /* mov w0, #'A' */,
      0x3900_0020 /* strb w0, [x1] */,
      0x17ff_ffff,
    ],
    flood: true,
  },
]

for (const { title, words, flood } of GUESTS) {
  test(`a guest that ${title} leaves the page usable, and Reset works`, async ({ page }) => {
    await openLab(page)
    const image = imageFile(view => {
      for (const [index, word] of words.entries()) view.setUint32(64 + 4 * index, word, true)
    })
    await page.getByTestId('image-file').setInputFiles({ name: 'guest.Image', mimeType: '', buffer: image })
    await page.getByRole('radio', { name: 'None', exact: true }).check()
    for (let time = 0; time < 2; time++) {
      await button(page, 'Boot').click()
      await expect(page.getByTestId('state')).toHaveText(/Running|Waiting|Stopped/, { timeout: 60_000 })
      if (flood === true) await expect.poll(async () => (await consoleText(page)).length).toBeGreaterThan(100_000)
      // What it does has no state to wait for; it is to have done it for a while.
      else await page.waitForTimeout(500)
      // The page itself answers at once.
      await page.getByRole('button', { name: /Change theme/ }).click()
      await button(page, 'Reset').click()
      await waitForState(page, 'Off', 30_000)
      await expect(button(page, 'Boot')).toBeEnabled()
    }
  })
}
