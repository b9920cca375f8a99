/**
 * `npm run bench`: the same kernel and initrd in QEMU and in the lab (Node and headless Chromium), interleaved, with
 * medians and ratios. Needs qemu-system-aarch64; Chromium's part needs a chromium. Options: --runs N (3), --no-chromium,
 * --mini for mini-pKVM alone.
 *
 * boot:     process start (Chromium: Boot pressed) to init's first line
 * events:   boot and probe in Node with the event log, against without
 * mini:     mini-pKVM, which needs no kernel: rebuild after a changed line; boot to its first program's first line
 * hash/sort/copy: time between a workload's begin and end lines on the console, user space in the guest
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { benchEvents } from './bench-events.mjs'
import { benchMini } from './bench-mini.mjs'
import { ensureInstalled } from './ensure-installed.mjs'

ensureInstalled()
const runs = Number(process.argv[process.argv.indexOf('--runs') + 1]) || 3
const withChromium = !process.argv.includes('--no-chromium')
const cli = 'engine/cli/pkvm-lab.mjs'
const append = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests lab.init=bench'
const initrd = '.cache/bench-initrd.cpio'
/** The first line that init prints. */
const INIT = /^version=/
const WORKLOAD = /^bench\.(\w+)=(begin|end)/

function need(result, what) {
  if (result.status !== 0) {
    console.error(`bench: ${what}`)
    process.exit(1)
  }
  return result
}

mkdirSync('.cache', { recursive: true })
need(spawnSync('which', ['qemu-system-aarch64']), 'qemu-system-aarch64 is not installed (Debian: qemu-system-arm)')
await benchMini({ runs: Math.max(runs, 5), withChromium })
if (process.argv.includes('--mini')) process.exit(0)
const list = spawnSync(process.execPath, [cli, 'kernel', 'list'], { encoding: 'utf8' }).stdout
const [version, , image] = (list.split('\n').find((l) => l.startsWith('7.2')) ?? list.split('\n')[0]).split('\t')
if (!image) {
  console.error('bench: no kernel; npx pkvm-lab kernel fetch 7.2')
  process.exit(1)
}
need(spawnSync(process.execPath, [cli, 'initrd', initrd], { stdio: 'inherit' }), 'the initrd could not be built')

/** Collects times of console lines. @returns seconds by name. */
class Timer {
  times = {}
  #begin = {}
  #rest = ''
  #start = performance.now()
  feed(text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const raw of lines) this.line(raw.trim(), performance.now() - this.#start)
  }
  /** @param now milliseconds since the start. */
  line(line, now) {
    if (INIT.test(line) && this.times.boot === undefined) this.times.boot = now / 1000
    const m = WORKLOAD.exec(line)
    if (m && m[2] === 'begin') this.#begin[m[1]] = now
    if (m && m[2] === 'end') this.times[m[1]] = (now - this.#begin[m[1]]) / 1000
  }
}

function timeProcess(program, args) {
  return new Promise((resolve) => {
    const timer = new Timer()
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.on('data', (d) => timer.feed(d.toString()))
    child.on('close', () => resolve(timer.times))
  })
}

const qemu = () =>
  timeProcess('qemu-system-aarch64', [
    '-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'cortex-a72', '-m', '512', '-nic', 'none', '-nographic', '-no-reboot',
    '-kernel', image, '-initrd', initrd, '-append', append,
  ])
const node = () => timeProcess(process.execPath, [cli, 'run', '-kernel', image, '-initrd', initrd, '-append', append])

const contenders = { qemu, node }
if (withChromium) {
  const { openBenchPage } = await import('./bench-chromium.mjs')
  const page = await openBenchPage({ version, append })
  if (page) contenders.chromium = () => page.run(() => new Timer())
}

const samples = {}
for (let i = 0; i < runs; i++) {
  for (const [name, measure] of Object.entries(contenders)) {
    const times = await measure()
    console.log(`run ${i + 1} ${name.padEnd(9)} ${Object.entries(times).map(([k, v]) => `${k} ${v.toFixed(2)} s`).join('  ')}`)
    for (const [k, v] of Object.entries(times)) ((samples[k] ??= {})[name] ??= []).push(v)
  }
}
const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1]
console.log(`\nLinux ${version}, ${append}\n${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}; medians of ${runs}`)
for (const [what, by] of Object.entries(samples)) {
  const base = median(by.qemu ?? [NaN])
  console.log(
    what.padEnd(8) + Object.entries(by).map(([name, v]) => `  ${name} ${median(v).toFixed(2)} s${name === 'qemu' ? '' : ` = ${(median(v) / base).toFixed(2)} x`}`).join(''),
  )
}
const events = benchEvents({ image, initrd, runs })
console.log(
  `events    without ${events.without.toFixed(2)} s  with the log ${events.logged.toFixed(2)} s = ${events.ratio.toFixed(3)} x  (${events.events} events, ${events.dropped} dropped)`,
)
process.exit(0)
