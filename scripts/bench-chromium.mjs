import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium } from '@playwright/test'

const PORT = Number(process.env.PKVM_LAB_BENCH_PORT ?? 4199)
const OUT = '.cache/bench-dist'

let opened

/**
 * Headless Chromium and the built page, served from this machine; one for all that is measured.
 * @returns undefined, with a word why, when there is no Chromium; else `newPage`, which opens the page.
 */
export function openBenchBrowser() {
  opened ??= open()
  return opened
}

async function open() {
  const executablePath = process.env.PKVM_CHROMIUM ?? (existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : undefined)
  const env = { ...process.env, PKVM_LAB_KERNELS: 'omit', PKVM_LAB_OUT: OUT }
  const built = spawnSync('npx', ['vite', 'build', '--logLevel', 'warn'], { stdio: 'inherit', env })
  if (built.status !== 0) throw new Error('the page does not build')
  // Not through npx, which would die alone and leave the server behind.
  const server = spawn(process.execPath, ['node_modules/vite/bin/vite.js', 'preview', '--host', '127.0.0.1', '--port', String(PORT), '--strictPort'], { env, stdio: 'ignore' })
  process.on('exit', () => server.kill())
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args }).catch((e) => {
    console.error(`bench: no Chromium (${e.message.split('\n')[0]}): only Node is measured`)
  })
  if (browser === undefined) return undefined
  const newPage = async () => {
    const page = await browser.newPage()
    for (let tries = 0; ; tries++) {
      try {
        await page.goto(`http://127.0.0.1:${PORT}/`)
        break
      } catch (e) {
        if (tries > 50) throw e
        await new Promise((r) => setTimeout(r, 200))
      }
    }
    return page
  }
  return { newPage }
}

/** @returns undefined without Chromium; else `run`, which boots a fetched kernel once and gives a timer's times. */
export async function openBenchPage({ version, append }) {
  const browser = await openBenchBrowser()
  if (browser === undefined) return undefined

  async function run(makeTimer) {
    const page = await browser.newPage()
    await page.getByRole('radio', { name: new RegExp(`Linux ${version.split('+')[0].replaceAll('.', '\\.')}`) }).check()
    await page.getByLabel('Whole line').fill(append)
    const lines = await page.evaluate(async () => {
      const lab = window.pkvmLab
      const seen = []
      const started = performance.now()
      lab.run('machine.boot')
      let taken = 0
      let rest = ''
      await new Promise((done) => {
        const look = () => {
          const text = lab.consoleText()
          const parts = (rest + text.slice(taken)).split('\n')
          taken = text.length
          rest = parts.pop()
          const at = performance.now() - started
          for (const line of parts) seen.push([at, line.trim()])
          if (parts.some((line) => line.includes('reboot: Power down'))) done()
          else setTimeout(look, 2)
        }
        look()
      })
      return seen
    })
    await page.close()
    const timer = makeTimer()
    for (const [at, line] of lines) timer.line(line, at)
    return timer.times
  }
  return { run }
}
