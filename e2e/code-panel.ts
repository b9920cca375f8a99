import { expect, type Locator, type Page } from '@playwright/test'

/** The editor of the open file. */
export const code = (page: Page): Locator => page.getByTestId('code')

/**
 * Puts the caret into the editor with a click, as a learner would: at a place on the screen and not at an element,
 * which Playwright would scroll to, and the editor's text with it.
 */
export async function clickIntoCode(page: Page): Promise<void> {
  await expect(async () => {
    const box = await code(page).boundingBox()
    if (box !== null) await page.mouse.click(box.x + 180, box.y + 30)
    await expect(code(page).locator('.monaco-editor.focused')).toHaveCount(1, { timeout: 1000 })
  }).toPass()
}

/** Puts a text in the place of the open file's: everything is selected, and the text pasted. */
export async function replaceCode(page: Page, text: string): Promise<void> {
  await clickIntoCode(page)
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.press('Delete')
  if (text === '') return
  // Pasted, for what is typed is indented and completed on the way.
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.evaluate(pasted => navigator.clipboard.writeText(pasted), text)
  await page.keyboard.press('ControlOrMeta+V')
}
