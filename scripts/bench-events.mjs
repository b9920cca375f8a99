/**
 * The price of the event log: the same boot and probe in Node with and without it, interleaved, in seconds that the
 * machine ran (`wallSeconds` of -stats: reading the kernel's symbols before the first instruction is not in it).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'

const cli = 'engine/cli/pkvm-lab.mjs'
const stats = '.cache/bench-events-stats.json'
const log = '.cache/bench-events.json'

/** @param runs how many of each. @returns the medians and their ratio. */
export function benchEvents({ image, initrd, runs }) {
  const append = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'
  const seconds = (...more) => {
    const args = [cli, 'run', '-kernel', image, '-initrd', initrd, '-append', append, '-stats', stats, ...more]
    const run = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    if (run.status !== 0) throw new Error(`pkvm-lab run ended with status ${run.status}`)
    return JSON.parse(readFileSync(stats, 'utf8')).wallSeconds
  }
  const without = []
  const logged = []
  for (let i = 0; i < runs; i++) {
    without.push(seconds())
    logged.push(seconds('-dump-events', log))
  }
  const { total, dropped } = JSON.parse(readFileSync(log, 'utf8'))
  rmSync(stats)
  rmSync(log)
  const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1]
  return {
    without: median(without),
    logged: median(logged),
    ratio: median(logged) / median(without),
    events: total,
    dropped,
  }
}
