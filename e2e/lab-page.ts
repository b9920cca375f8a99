import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'

declare global {
  interface Window {
    /** See web/automation.ts. */
    pkvmLab: {
      run(id: string): boolean
      consoleText(): string
      hashes(): readonly { instructions: number; hash: string }[]
    }
  }
}

/** Pictures worth keeping, for people. */
const PICTURES = join('.cache', 'screenshots')

/** Versions that set-up has fetched, newest first. */
export function fetchedKernels(): string[] {
  const index = join(process.env.PKVM_LAB_CACHE ?? '.cache', 'kernels', 'index.json')
  if (!existsSync(index)) return []
  return (JSON.parse(readFileSync(index, 'utf8')) as { version: string }[]).map(entry => entry.version)
}

/** Skips, and says so, where no kernel has been fetched. */
export function needKernel(): void {
  test.skip(fetchedKernels().length === 0, 'no kernel: run `npx pkvm-lab kernel fetch`')
}

export async function openLab(page: Page, query = ''): Promise<void> {
  await page.goto(`./${query}`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('pKVM Lab')
}

/** Runs commands by their ids, one after the other. Each must apply. */
export async function run(page: Page, ...ids: string[]): Promise<void> {
  for (const id of ids) expect(await applies(page, id), id).toBe(true)
}

/** Runs a command by its id. @returns whether it applied */
export function applies(page: Page, id: string): Promise<boolean> {
  return page.evaluate(command => window.pkvmLab.run(command), id)
}

export const THEMES = ['dark', 'light', 'projector'] as const

export async function setTheme(page: Page, wanted: (typeof THEMES)[number]): Promise<void> {
  const html = page.locator('html')
  for (let i = 1; i < THEMES.length && (await html.getAttribute('data-theme')) !== wanted; i++)
    await run(page, 'view.theme')
  await expect(html).toHaveAttribute('data-theme', wanted)
}

/** Chooses one of the fetched kernels. @param version `7.2.13+deb14-cloud-arm64` */
export async function chooseVersion(page: Page, version: string): Promise<void> {
  await page.getByRole('radio', { name: `Linux ${version.split('+')[0]}` }).check()
}

/** Nothing stands beyond the right edge of the window. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect(overflow).toBeLessThanOrEqual(0)
}

/** The page as it is where no kernel was fetched: with mini-pKVM. */
export async function openAlone(page: Page): Promise<void> {
  await page.route('**/kernels/**', route => route.fulfill({ status: 404 }))
  await openLab(page)
  await expect(page.getByTestId('kernel-mini')).toBeChecked()
}

export function button(page: Page, name: string) {
  return page.getByRole('banner').getByRole('button', { name, exact: true })
}

/** Instructions retired, as the top bar shows it. */
export async function instructions(page: Page): Promise<number> {
  return Number((await page.getByTestId('instructions').textContent())?.replaceAll(',', ''))
}

export async function waitForState(page: Page, state: string, timeout = 240_000): Promise<void> {
  await expect(page.getByTestId('state')).toHaveText(state, { timeout })
}

/** Everything the guest has written to its console, scrolled away or not, without control sequences. */
export async function consoleText(page: Page): Promise<string> {
  return page.evaluate(() => window.pkvmLab.consoleText())
}

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`) })
}

/** An Image header as in the kernel's Documentation/arch/arm64/booting.rst, with a body of branch-to-self. */
export function imageFile(change: (view: DataView) => void = () => {}, size = 4096): Buffer {
  const bytes = Buffer.alloc(size)
  const view = new DataView(bytes.buffer, bytes.byteOffset, size)
  view.setUint32(0, 0x1400_0010, true) // b code, at 64
  view.setBigUint64(8, 0n, true) // text_offset
  view.setBigUint64(16, BigInt(size), true) // image_size
  view.setBigUint64(24, 0b1010n, true) // little-endian, 4K, anywhere in memory
  view.setUint32(56, 0x644d_5241, true) // "ARM\x64"
  view.setUint32(64, 0x1400_0000, true) // b .
  change(view)
  return bytes
}
