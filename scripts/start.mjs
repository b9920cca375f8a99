/** `npm start`: install, fetch a kernel when there is none, build the page, serve it and print the address. */
import { ensureInstalled, run } from './ensure-installed.mjs'
import { spawnSync } from 'node:child_process'

ensureInstalled()
const cli = 'engine/cli/pkvm-lab.mjs'
const have = spawnSync(process.execPath, [cli, 'kernel', 'list'], { encoding: 'utf8' })
if (!/Image/.test(have.stdout)) {
  console.log('No kernel yet: fetching the newest from Debian (about 40 MB, once; a minute or so).')
  // Its reasons are long; where there is no Debian archive at hand one sentence is enough.
  const fetched = spawnSync(process.execPath, [cli, 'kernel', 'fetch'], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  if (fetched.status !== 0) {
    console.log('Debian’s archive cannot be reached from here, so the lab starts with mini-pKVM, which it builds itself.')
  }
  // The shell behind lab.init=shell. Without it only that word is of no use.
  else spawnSync(process.execPath, [cli, 'initrd', '.cache/shell-initrd.cpio', '-shell'], { stdio: 'inherit' })
}
run('npx', ['vite', 'build', '--logLevel', 'warn'])
run('npx', ['vite', 'preview', '--host', '127.0.0.1', '--port', process.env.PORT ?? '4173'])
