import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, type Page, test } from '@playwright/test'
import { replaceCode } from './code-panel.ts'
import { applies, button, needKernel, openLab, picture, run } from './lab-page.ts'

test('there is a kernel to run scripts on', needKernel)

/** The page with its code open. */
async function openCode(page: Page): Promise<void> {
  await openLab(page)
  await page.getByRole('button', { name: 'Boot the machine' }).waitFor()
  await run(page, 'view.code')
  await page.locator('.monaco-editor').first().waitFor()
}

async function runScript(page: Page): Promise<void> {
  await expect.poll(() => applies(page, 'script.run')).toBe(true)
}

async function ends(page: Page, ending: 'finished' | 'threw' | 'stopped'): Promise<void> {
  const status = page.getByTestId('script-status')
  await expect(status).toHaveAttribute('data-phase', 'ended', { timeout: 120_000 })
  await expect(status, await page.locator('.trace').innerText()).toHaveAttribute('data-ending', ending)
}

/** The machine is there and its agent answers: a small script runs to its end. */
async function machineIsWell(page: Page): Promise<void> {
  await replaceCode(page, "import { host, print } from 'lab'\nprint('release', await host.kernelRelease())\n")
  await runScript(page)
  await ends(page, 'finished')
  await expect(page.locator('.trace-print').last()).toContainText('release 7.')
}

const trace = (page: Page) => page.getByRole('log', { name: 'Calls and prints, oldest first' })

test('the example: a protected guest shares one page, and the host reads that one and no other', async ({ page }) => {
  await openCode(page)
  await runScript(page)
  await ends(page, 'finished')
  await expect(trace(page)).toContainText('message: Hello, host. This page is for both of us.')
  await expect(trace(page)).toContainText('answer readable = [0x40002000]')
  await picture(page, 'script-trace')
  // Beside a call are the events it caused; one leads to its page.
  await trace(page).evaluate(list => list.scrollTo(0, 0))
  const taint = trace(page).getByRole('button', { name: /tainted_mask/ })
  await taint.first().click()
  await expect(page.getByRole('region', { name: 'Inspector', exact: true })).toContainText('add_taint')
  // A line of the trace leads to the line of the script.
  await trace(page)
    .getByRole('button', { name: /^main\.ts:/ })
    .first()
    .click()
  await expect(page.locator('.monaco-editor').first()).toBeVisible()
})

test('scripts that go wrong: each says so once, and the machine goes on', async ({ page }) => {
  await openCode(page)

  // Types are checked before anything is run.
  await replaceCode(
    page,
    "import { kvm } from 'lab'\nconst dev = await kvm.open()\nawait dev.createVm({ protectd: true })\n",
  )
  await runScript(page)
  await expect(page.getByTestId('script-status')).toHaveText('Not run: there are errors in the code.')
  await expect(page.getByRole('list', { name: 'Errors in the code' })).toContainText('protectd')

  // Wrong types that got past the compiler are named before anything is sent.
  await replaceCode(
    page,
    "import { kvm } from 'lab'\nconst dev = await kvm.open()\nconst vm = await dev.createVm()\nawait vm.addMemory({ guestAddress: 0x40000000, bytes: 4096 } as any)\n",
  )
  await runScript(page)
  await ends(page, 'threw')
  await expect(page.getByTestId('script-end')).toHaveText(
    /main\.ts:4 TypeError: vm\.addMemory: guestAddress must be a bigint, not the number 1073741824: write 0x40000000n\./,
  )

  // One that throws.
  await replaceCode(page, "import { print } from 'lab'\nprint('before')\n\nthrow new Error('enough')\n")
  await runScript(page)
  await ends(page, 'threw')
  await expect(page.getByTestId('script-end')).toHaveText('main.ts:4 Error: enough')

  // A loop without end, stopped by hand.
  await replaceCode(page, "import { print } from 'lab'\nprint('round')\nfor (;;) {}\n")
  await runScript(page)
  await expect(trace(page)).toContainText('round')
  await applies(page, 'script.stop')
  await ends(page, 'stopped')
  await expect(page.getByTestId('script-end')).toContainText('You stopped the script.')

  // A flood of output is bounded.
  await replaceCode(page, "import { print } from 'lab'\nfor (let i = 0; ; i++) print('line', i)\n")
  await runScript(page)
  await expect
    .poll(async () => page.locator('.trace').innerText(), { timeout: 60_000 })
    .toContain('The script prints too much')
  // By hand, or by itself when the hand is slow.
  await applies(page, 'script.stop')
  await ends(page, 'stopped')

  // A guest that never exits is interrupted.
  await replaceCode(
    page,
    "import { kvm, print } from 'lab'\nconst dev = await kvm.open()\nconst vm = await dev.createVm()\n" +
      'const ram = await vm.addMemory({ guestAddress: 0x40000000n, bytes: 4096 })\nawait ram.write32(0x40000000n, 0x14000000)\n' +
      "const vcpu = await vm.createVcpu()\nawait vcpu.set('pc', 0x40000000n)\nprint((await vcpu.run({ limitMs: 50 })).reason)\n",
  )
  await runScript(page)
  await ends(page, 'finished')
  await expect(trace(page)).toContainText('interrupted')

  await machineIsWell(page)
})

test('nothing of the browser is to be had inside, and memory without end ends only the script', async ({ page }) => {
  // A server that would gladly answer anybody.
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/javascript' }).end('export {}')
  })
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.js`
  await openCode(page)
  await replaceCode(
    page,
    "import { answer, print } from 'lab'\nconst scope = globalThis as any\n" +
      "const names = ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'WebTransport', 'indexedDB', 'caches', 'localStorage', 'document', 'window', 'postMessage', 'importScripts', 'Worker', 'BroadcastChannel', 'navigator', 'location', 'self', 'close']\n" +
      "print('found:', names.filter(name => scope[name] !== undefined).join(' ') || 'nothing')\n" +
      `const far = '${address}'\n` +
      "print('import:', await eval('import(far)').then(() => 'loaded', () => 'refused'))\n",
  )
  await runScript(page)
  await ends(page, 'finished')
  await expect(trace(page)).toContainText('found: nothing')
  await expect(trace(page)).toContainText('import: refused')
  expect(asked).toBe(0)
  server.close()

  await replaceCode(page, 'const all: unknown[] = []\nfor (;;) all.push(new Array(1 << 16).fill(all.length))\n')
  await runScript(page)
  await ends(page, 'threw')
  await expect(page.getByTestId('script-end')).toContainText('main.ts:2 RangeError: The script has used up the memory')

  // A little at a time, and never waiting.
  await replaceCode(page, 'let all: unknown = null\nfor (;;) all = { all }\n')
  await runScript(page)
  await ends(page, 'stopped')
  await expect(page.getByTestId('script-end')).toContainText('without ever waiting')
  await machineIsWell(page)
})

test('a call after the machine was reset says so', async ({ page }) => {
  await openCode(page)
  await replaceCode(
    page,
    "import { host, print } from 'lab'\nfor (;;) {\n  await host.sleep(20)\n  print('slept')\n}\n",
  )
  await runScript(page)
  await expect(trace(page)).toContainText('slept', { timeout: 120_000 })
  await button(page, 'Reset').click()
  await ends(page, 'threw')
  await expect(page.getByTestId('script-end')).toContainText('The machine was reset')
  await expect(page.getByTestId('script-end')).toContainText('Run the script again')
  await machineIsWell(page)
})
