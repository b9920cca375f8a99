import { writeFile } from 'node:fs/promises'
import { EventLog } from '../inspect/events/event-log.ts'
import { eventsJson } from '../inspect/events/events-json.ts'
import { findGateSite } from '../inspect/gate-site.ts'
import { Inspector } from '../inspect/inspector.ts'
import { InvariantChecker } from '../inspect/invariants/checker.ts'
import { KernelData } from '../inspect/kernel-data.ts'
import { need } from '../inspect/known.ts'
import { ownershipJson, ownershipReport } from '../inspect/ownership-report.ts'
import { Machine, type RunStop } from '../machine/machine.ts'
import type { GateSite } from '../machine/v3-gate.ts'
import { readInput } from './files.ts'
import { type BootableKernel, readKernel } from './mini-command.ts'
import { RawTerminal } from './raw-terminal.ts'
import type { RunOptions } from './run-options.ts'

/** Instructions between looks at the keyboard: some milliseconds. */
const SLICE = 4_000_000
/** The same with -until, so that the machine stops soon after the line, before what follows it has happened. */
const SLICE_UNTIL = 10_000

/** `pkvm-lab run`. @returns the exit status. */
export async function runCommand(options: RunOptions, projectRoot: string): Promise<number> {
  const kernel = await readKernel(options.kernel, projectRoot)
  const { image } = kernel
  const initrd = options.initrd === undefined ? undefined : await readInput(options.initrd, 'initrd')
  const lines = new LineMatcher(options.until)
  const machine = Machine.create({
    image,
    ...(options.gate === 'n' ? { gateSite: gateSite(kernel) } : {}),
    onGateRefusal: () => log?.gateRefused(),
    ...(initrd === undefined ? {} : { initrd }),
    append: options.append,
    ramMiB: options.ram,
    cpu: options.cpu,
    tier1: options.tier1,
    hashAt: options.hashAt,
    onHash: (instructions, hash) => process.stderr.write(`hash ${instructions} ${hash}\n`),
    console: (bytes) => {
      process.stdout.write(bytes)
      lines.feed(bytes)
    },
  })
  const data = options.dumpEvents === undefined && !options.checkInvariants ? null : new KernelData(machine, kernel.describe())
  const log = data === null ? null : new EventLog(machine, data)
  const fallen = data === null || log === null || !options.checkInvariants ? null : watchInvariants(machine, data, log)
  machine.setGate(options.gate)
  const terminal = RawTerminal.open((bytes) => machine.receive(0, bytes))
  const started = performance.now()
  let status: number
  try {
    status = await runToEnd(machine, options, lines, terminal, () => fallen?.() ?? false)
  } finally {
    terminal.close()
  }
  if (options.stats !== undefined) {
    const wallSeconds = (performance.now() - started) / 1000
    const stats = { instructions: machine.instructions, wallSeconds, mips: machine.instructions / wallSeconds / 1e6, ...machine.statistics() }
    await writeFile(options.stats, `${JSON.stringify(stats, null, 2)}\n`)
  }
  if (options.dumpRam !== undefined) await writeFile(options.dumpRam, machine.ram())
  if (log !== null && options.dumpEvents !== undefined) await writeFile(options.dumpEvents, eventsJson(log))
  if (options.dumpOwnership !== undefined) {
    await writeFile(options.dumpOwnership, ownershipJson(ownershipReport(new Inspector(machine, kernel.describe()))))
  }
  return status
}

/** Says on stderr which invariants fall. @returns whether one has fallen */
function watchInvariants(machine: Machine, data: KernelData, log: EventLog): () => boolean {
  const checker = new InvariantChecker(machine, data)
  log.checker = {
    stayEnded(report) {
      const found = checker.stayEnded(report)
      for (const it of found) process.stderr.write(`pkvm-lab: invariant ${it.rule} fell at instruction ${it.moment.instructions}: ${it.text} (${it.cause})\n`)
      if (found.length > 0) machine.stop()
      return found
    },
  }
  return () => checker.violations.length > 0
}

function gateSite(kernel: BootableKernel): GateSite | string {
  if (kernel.built) return 'this system really has the option; build it with -kernel mini,PROTECTED_VM_UAPI=n'
  const site = findGateSite(() => need(kernel.describe().symbols))
  return site.known ? site.value : site.why
}

async function runToEnd(machine: Machine, options: RunOptions, lines: LineMatcher, terminal: RawTerminal, fallen: () => boolean): Promise<number> {
  const limit = options.maxInstructions ?? Number.POSITIVE_INFINITY
  const slice = options.until === undefined ? SLICE : SLICE_UNTIL
  for (;;) {
    if (terminal.left) return 0
    const stop = machine.run(Math.min(slice, limit - machine.instructions))
    if (fallen()) return 1
    if (lines.matched) return 0
    if (stop.kind === 'off') return 0
    if (stop.kind === 'reset') {
      process.stderr.write('pkvm-lab: the guest asked for a reset; the command ends instead.\n')
      return 0
    }
    if (stop.kind === 'idle') {
      if (!(await waitIdle(machine, stop, terminal))) return 3
    } else {
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (machine.instructions >= limit) {
      process.stderr.write(`pkvm-lab: stopped after ${machine.instructions} instructions (-max-instructions).\n`)
      return 3
    }
  }
}

/** An idle guest: at a terminal wait as long as it would, elsewhere go straight to its next deadline. */
async function waitIdle(machine: Machine, stop: RunStop & { kind: 'idle' }, terminal: RawTerminal): Promise<boolean> {
  if (stop.wakeAt === Number.POSITIVE_INFINITY) {
    if (terminal.ended) {
      process.stderr.write('pkvm-lab: the guest waits for an interrupt that can no longer come.\n')
      return false
    }
    await terminal.input()
    return true
  }
  if (terminal.interactive) {
    await terminal.input((stop.wakeAt - machine.virtualNanoseconds) / 1e6)
    if (terminal.takeArrived()) return true
  } else {
    await new Promise((resolve) => setImmediate(resolve))
  }
  machine.skipIdle()
  return true
}

/** Looks for -until in whole console lines. */
class LineMatcher {
  matched = false
  private line = ''
  private readonly decoder = new TextDecoder()

  constructor(private readonly pattern: RegExp | undefined) {}

  feed(bytes: Uint8Array): void {
    if (this.pattern === undefined) return
    const parts = (this.line + this.decoder.decode(bytes, { stream: true })).split('\n')
    this.line = parts.pop()!
    if (parts.some((p) => this.pattern!.test(p.replace(/\r$/, '')))) this.matched = true
  }
}

