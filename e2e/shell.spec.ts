import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { button, consoleText, needKernel, openLab, waitForState } from './lab-page.ts'

test('what is typed in the terminal reaches a shell in the guest', async ({ page }) => {
  needKernel()
  test.skip(
    !existsSync(join(process.env.PKVM_LAB_CACHE ?? '.cache', 'busybox')),
    'no busybox: run `npx pkvm-lab initrd FILE -shell`',
  )
  await openLab(page)
  await page.getByLabel('Whole line').fill('console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests lab.init=shell')
  await button(page, 'Boot').click()
  await expect.poll(() => consoleText(page), { timeout: 240_000 }).toContain('~ # ')
  await page.getByTestId('terminal').click()
  await page.keyboard.type('echo $((6 * 7)) is the answer\n')
  await expect.poll(() => consoleText(page), { timeout: 60_000 }).toContain('\n42 is the answer')
  // An idle guest waits for the wall clock.
  await expect(page.getByTestId('state')).toHaveText('Waiting', { timeout: 60_000 })
  await page.keyboard.type('poweroff -f\n')
  await waitForState(page, 'Powered off', 60_000)
})
