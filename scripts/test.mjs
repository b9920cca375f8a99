/**
 * `npm test`: everything, on a machine with nothing installed. Ends with `N passed, N failed, N skipped`.
 * Set-up steps and checks count as one each.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { ensureInstalled } from './ensure-installed.mjs'

ensureInstalled()
const total = { passed: 0, failed: 0, skipped: 0 }
const failures = []
mkdirSync('.cache', { recursive: true })

function attempt(title, program, args, options = {}) {
  console.log(`\n== ${title}`)
  const r = spawnSync(program, args, { stdio: 'inherit', ...options })
  return r.status === 0
}

function check(title, program, args, options) {
  if (attempt(title, program, args, options)) total.passed++
  else {
    total.failed++
    failures.push(title)
  }
}

/** Debian packages that the tests want; installed where we may (root, as in CI), else the tests skip and say so. */
function wantPackages() {
  const wanted = { 'qemu-aarch64': 'qemu-user', 'qemu-system-aarch64': 'qemu-system-arm' }
  if (!process.env.PKVM_CHROMIUM && !existsSync('/usr/bin/chromium')) wanted.chromium = 'chromium'
  const missing = Object.entries(wanted).filter(([program]) => spawnSync('which', [program]).status !== 0)
  if (missing.length === 0) return
  const packages = missing.map(([, name]) => name)
  if (process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) {
    console.log(`Not installed: ${packages.join(', ')}. Tests that need them are skipped; as root: apt-get install ${packages.join(' ')}`)
    return
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  attempt('package lists', 'apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
  attempt(`installing ${packages.join(', ')}`, 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Every test of Playwright's report, out of its nested suites. */
function specs(suite) {
  return [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specs)]
}

/** Add up a JSON report; a report that was not written is a failure. */
function count(title, file, read) {
  try {
    const seen = read(JSON.parse(readFileSync(file, 'utf8')))
    for (const k of Object.keys(total)) total[k] += seen[k]
    failures.push(...seen.names.map((name) => `${title}: ${name}`))
    if (seen.failed > seen.names.length) failures.push(title)
    if (seen.passed + seen.failed === 0) throw new Error('no test ran')
  } catch (e) {
    total.failed++
    failures.push(`${title}: ${e.message}`)
  }
}

wantPackages()
check('types', 'npm', ['run', '--silent', 'types'])
check('lint', 'npx', ['biome', 'lint', '--error-on-warnings'])
check('layers', process.execPath, ['scripts/check-layers.mjs'])
const cli = 'engine/cli/pkvm-lab.mjs'
for (const series of ['7.2', '7.3']) {
  const here = spawnSync(process.execPath, [cli, 'kernel', 'list'], { encoding: 'utf8' }).stdout.includes(`${series}.`)
  if (!here) attempt(`kernel ${series}`, process.execPath, [cli, 'kernel', 'fetch', series])
}
attempt('busybox for the shell', process.execPath, [cli, 'initrd', '.cache/shell-initrd.cpio', '-shell'])
attempt('unit and integration tests', 'npx', ['vitest', 'run', '--reporter=default', '--reporter=json', '--outputFile.json=.cache/vitest.json'])
count('unit and integration tests', '.cache/vitest.json', (r) => ({
  passed: r.numPassedTests,
  failed: r.numFailedTests + r.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0).length,
  skipped: r.numPendingTests + r.numTodoTests,
  names: r.testResults.flatMap((f) => [
    ...f.assertionResults.filter((test) => test.status === 'failed').map((test) => `${relative('.', f.name)}: ${test.fullName}`),
    ...(f.status === 'failed' && f.assertionResults.length === 0 ? [relative('.', f.name)] : []),
  ]),
}))
check('build', 'npx', ['vite', 'build', '--logLevel', 'warn'])
attempt('end-to-end tests', 'npx', ['playwright', 'test'], { env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: '.cache/playwright.json' } })
count('end-to-end tests', '.cache/playwright.json', (r) => ({
  passed: r.stats.expected + r.stats.flaky,
  failed: r.stats.unexpected,
  skipped: r.stats.skipped,
  names: specs(r).filter((spec) => !spec.ok).map((spec) => `${spec.file}: ${spec.title}`),
}))
for (const f of failures) console.log(`failed: ${f}`)
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed > 0 ? 1 : 0)
