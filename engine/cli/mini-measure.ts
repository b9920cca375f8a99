import { describeSystem } from '../inspect/assembled-kernel.ts'
import { EventLog } from '../inspect/events/event-log.ts'
import { KernelData } from '../inspect/kernel-data.ts'
import { type BuiltSystem, buildSystem, SYSTEM_SOURCE, type SystemSources } from '../machine/assembled-system.ts'
import { buildInitrd } from '../machine/init-program.ts'
import { Machine } from '../machine/machine.ts'

const ROUNDS = 15
/** Lines whose appearance is a moment of the boot. */
const MOMENTS = [
  ['the host runs, pKVM is on', /Protected nVHE mode initialized/],
  ['the first program runs', /^version=/m],
  ['the probe is done, power off', /reboot: Power down/],
] as const

/** Builds and boots again and again: a table of instructions and of milliseconds, medians. */
export function measureMini(system: SystemSources, initSources: Readonly<Record<string, string>>): string {
  const source = system.sources[SYSTEM_SOURCE] ?? ''
  const builds: number[] = []
  let built: BuiltSystem | undefined
  for (let round = 0; round <= ROUNDS; round++) {
    // One line is another each time, as after an edit.
    const sources = { ...system.sources, [SYSTEM_SOURCE]: `${source}\n        .text\n        mov     x0, #${round}\n` }
    const started = performance.now()
    built = buildSystem({ ...system, sources })
    builds.push(performance.now() - started)
  }
  const initrd = buildInitrd({ sources: initSources })
  const boots = Array.from({ length: ROUNDS }, () => boot(built!, initrd))
  const lines = [
    `build: ${ms(builds[0]!)} the first time, ${ms(median(builds.slice(1)))} after a change (${built!.image.length} bytes)`,
    `a new machine: ${ms(median(boots.map((b) => b.made)))}`,
    ...MOMENTS.map(([what], i) => {
      const reached = boots[0]!.moments[i]
      if (reached === undefined) return `${what}: not reached`
      return `${what}: ${reached.instructions} instructions, ${ms(median(boots.map((b) => b.moments[i]?.after ?? 0)))} from the order to boot`
    }),
  ]
  return `${lines.join('\n')}\n`
}

interface Boot {
  readonly made: number
  readonly moments: { readonly instructions: number; readonly after: number }[]
}

/** With the event log, as the page has it. */
function boot(built: BuiltSystem, initrd: Uint8Array): Boot {
  const started = performance.now()
  let text = ''
  const moments: Boot['moments'] = []
  const decoder = new TextDecoder()
  const machine = Machine.create({
    image: built.image,
    initrd,
    append: 'console=ttyAMA0 kvm-arm.mode=protected',
    ramMiB: 512,
    console: (bytes) => (text += decoder.decode(bytes, { stream: true })),
  })
  new EventLog(machine, new KernelData(machine, describeSystem(built)))
  const made = performance.now() - started
  for (let ended = false; !ended && machine.instructions < 5_000_000; ) {
    const stop = machine.run(1000)
    ended = stop.kind === 'off' || stop.kind === 'reset' || (stop.kind === 'idle' && !Number.isFinite(stop.wakeAt))
    if (stop.kind === 'idle' && !ended) machine.skipIdle()
    for (let next = MOMENTS[moments.length]; next?.[1].test(text); next = MOMENTS[moments.length])
      moments.push({ instructions: machine.instructions, after: performance.now() - started })
  }
  // As the Worker does with a machine that is thrown away.
  machine.release()
  return { made, moments }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0
}

const ms = (n: number): string => `${n.toFixed(n < 10 ? 1 : 0)} ms`
