/**
 * mini-pKVM: how long a rebuild after one changed line takes, and a boot from the order to the first line of the first
 * program. QEMU boots the same Image with the same initrd from the start of its process, as nobody has it running
 * already; the lab is measured as it is used: the page is open, the command's process is not.
 */
import { spawn, spawnSync } from 'node:child_process'
import { openBenchBrowser } from './bench-chromium.mjs'

const cli = 'engine/cli/pkvm-lab.mjs'
const image = '.cache/bench-mini-Image'
const initrd = '.cache/bench-mini-initrd.cpio'
const append = 'console=ttyAMA0 kvm-arm.mode=protected'
/** The first line that a program of the system prints. */
const FIRST = /^version=/m

const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1]
const ms = (v) => `${v.toFixed(0)} ms`

/** @param runs how many of each; medians are printed */
export async function benchMini({ runs, withChromium }) {
  for (const args of [['mini', 'build', '-o', image], ['initrd', initrd]]) {
    const made = spawnSync(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    if (made.status !== 0) throw new Error(`pkvm-lab ${args.join(' ')} ended with status ${made.status}`)
  }
  const machine = ['-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'cortex-a72', '-m', '512', '-nic', 'none', '-nographic', '-no-reboot']
  const qemu = []
  const node = []
  for (let i = 0; i < runs; i++) {
    qemu.push(await toFirstLine('qemu-system-aarch64', [...machine, '-kernel', image, '-initrd', initrd, '-append', append]))
    node.push(await toFirstLine(process.execPath, [cli, 'run', '-kernel', image, '-initrd', initrd, '-append', append]))
  }
  const base = median(qemu)
  const against = (v) => `${ms(median(v))} = ${(median(v) / base).toFixed(2)} x`
  console.log(`\nmini-pKVM, ${append}; medians of ${runs}`)
  console.log(`boot      qemu ${ms(base)}  node, a new process ${against(node)}`)
  // Within one process, machine after machine, with the event log.
  process.stdout.write(spawnSync(process.execPath, [cli, 'mini', 'measure'], { encoding: 'utf8' }).stdout.replace(/^/gm, 'node      ').replace(/node {6}$/, ''))
  if (!withChromium) return
  const browser = await openBenchBrowser()
  if (browser === undefined) return
  const page = await measurePage(browser, runs)
  console.log(`chromium  first boot ${against(page.first)}  boot again ${against(page.again)}  rebuild after a changed line ${ms(median(page.builds))}, saved to shown ${ms(median(page.saves))}`)
}

/** @returns milliseconds from the start of the process to the first program's first line */
function toFirstLine(program, args) {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    let text = ''
    let at
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.on('data', (data) => {
      text += data.toString()
      if (at === undefined && FIRST.test(text)) {
        at = performance.now() - started
        child.kill('SIGKILL')
      }
    })
    child.on('error', reject)
    child.on('close', () => (at === undefined ? reject(new Error(`${program} never reached the first program`)) : resolve(at)))
  })
}

/** Every round is a new page: its first boot, a boot after it, and a line typed at the end of a source and saved. */
async function measurePage(browser, rounds) {
  const times = { first: [], again: [], builds: [], saves: [] }
  for (let round = 0; round < rounds; round++) {
    const page = await browser.newPage()
    await page.getByTestId('kernel-mini').check()
    await page.evaluate(() => ['view.kconfig', 'system.sources'].map((id) => window.pkvmLab.run(id)))
    const line = page.getByTestId('build-line')
    await line.and(page.locator('[data-ok="true"]')).waitFor()
    await page.locator('[role="tab"][data-file="host/start-kernel.s"]').click()
    await page.locator('.view-line').first().waitFor()
    times.first.push(await bootPage(page))
    times.again.push(await bootPage(page))
    await page.evaluate(() => window.pkvmLab.run('view.code'))
    await page.locator('[data-testid="code"] .monaco-editor.focused').waitFor()
    await page.keyboard.press('ControlOrMeta+End')
    await page.keyboard.insertText(`\n        mov     x0, #${round}\n`)
    const saved = await page.evaluate(async () => {
      const line = document.querySelector('[data-testid="build-line"]')
      const told = line.textContent
      const started = performance.now()
      window.pkvmLab.run('system.build')
      while (line.textContent === told && performance.now() - started < 10_000) await new Promise((done) => requestAnimationFrame(done))
      return { milliseconds: performance.now() - started, text: line.textContent }
    })
    times.saves.push(saved.milliseconds)
    times.builds.push(Number(/built in ([\d,]+) ms/.exec(saved.text)?.[1] ?? Number.NaN))
    await page.close()
  }
  return times
}

/** @returns milliseconds from Boot to the first program's first line in the page */
function bootPage(page) {
  return page.evaluate(
    (first) =>
      new Promise((resolve) => {
        const pattern = new RegExp(first, 'm')
        window.pkvmLab.run('machine.reset')
        const begin = () => {
          if (pattern.test(window.pkvmLab.consoleText())) return setTimeout(begin, 5)
          const started = performance.now()
          window.pkvmLab.run('machine.boot')
          const look = () => (pattern.test(window.pkvmLab.consoleText()) ? resolve(performance.now() - started) : setTimeout(look, 1))
          look()
        }
        setTimeout(begin, 300)
      }),
    FIRST.source,
  )
}
