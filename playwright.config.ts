import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

/** The system's Chromium where there is one, else Playwright's own. */
const chromium = process.env.PKVM_CHROMIUM ?? (existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : undefined)
const port = Number(process.env.PKVM_LAB_E2E_PORT ?? 4187)

export default defineConfig({
  testDir: 'e2e',
  outputDir: '.cache/e2e',
  // One machine at a time: each may fill half a gigabyte and a whole processor.
  workers: 1,
  timeout: 300_000,
  expect: { timeout: 30_000 },
  reporter: [['list'], ['json', { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ?? '.cache/playwright.json' }]],
  use: {
    // What cannot be clicked after a minute never will be; the test's own limit is for machines that boot.
    actionTimeout: 60_000,
    baseURL: `http://127.0.0.1:${port}/`,
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(chromium === undefined ? {} : { executablePath: chromium }),
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
  webServer: {
    command: `npx vite build --logLevel warn && npx vite preview --host 127.0.0.1 --port ${port} --strictPort`,
    // The kernels are served from where set-up keeps them; no second copy of 40 MB each for the tests.
    env: { PKVM_LAB_KERNELS: 'omit', PKVM_LAB_OUT: '.cache/e2e-dist' },
    url: `http://127.0.0.1:${port}/`,
    timeout: 120_000,
  },
})
