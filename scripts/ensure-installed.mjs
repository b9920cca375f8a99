import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'

/** Run a program with the terminal's streams; end this process with its status when it fails. */
export function run(program, args, options = {}) {
  const r = spawnSync(program, args, { stdio: 'inherit', ...options })
  if (r.error) {
    console.error(`${program}: ${r.error.message}`)
    process.exit(1)
  }
  if (r.status !== 0) process.exit(r.status ?? 1)
}

/** npm packages, when they are missing or older than the lock file. */
export function ensureInstalled() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`pKVM Lab needs Node 20.19 or newer; this is ${process.versions.node}.`)
    process.exit(1)
  }
  const stamp = 'node_modules/.package-lock.json'
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync('package-lock.json').mtimeMs) return
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}
