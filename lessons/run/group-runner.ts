/**
 * Runs the runs of one machine: boots it to the agent, keeps that moment, and goes back to it for each. Everything
 * happens in this thread and by the machine's own clock, so a run repeats exactly.
 */
import type { LabInitrd } from '../../engine/worker/protocol.ts'
import type { RemoteAgentPort } from '../../engine/agent/remote-port.ts'
import { LocalLab } from '../../engine/worker/local-lab.ts'
import type { LessonChecks } from '../checks.ts'
import { assembleGuest } from '../kvm/assemble-guest.ts'
import { GUEST_ORIGIN, type GuestProgram } from '../kvm/guest-image.ts'
import { runScript } from '../kvm/run-script.ts'
import type { TraceEntry } from '../kvm/trace.ts'
import { type CheckResult, evaluate, outcomesOf, unbootedChecks } from './evaluate.ts'
import type { AnswerValue, Ending, LessonRun } from './lesson-run.ts'
import type { SystemFiles } from '../mini-pkvm/system.ts'
import { runListing } from './listing.ts'
import { type Group, lessonSystem, loadMessage } from './machines.ts'
import { LabQuestions } from './questions.ts'
import { type RunFrame, RunRecord } from './record.ts'
import { buildsReport, type CheckReport, type RunReport, type RunTask, unbuilt } from './task.ts'

/** What only the host can give: files, and the checks of a lesson. */
export interface RunnerHost {
  /** Of the group's kernel, or mini-pKVM's own files. */
  image(task: RunTask): Promise<ArrayBuffer | SystemFiles>
  initrd(): Promise<LabInitrd>
  checks(folder: string): Promise<LessonChecks>
  /** Node's setImmediate, or the like. */
  later(callback: () => void): void
  /** After milliseconds of wall clock; @returns calls it off. */
  after(milliseconds: number, callback: () => void): () => void
}

/** A Debian kernel's agent is ready after about 10^9 instructions. */
const MOST_BOOT_INSTRUCTIONS = 6_000_000_000
const MOST_SYSTEM_BOOT_INSTRUCTIONS = 2_000_000
/** Of the machine's time that a run may spend, also idle: a script that waits for nothing must end too. */
const MOST_RUN_NANOSECONDS = 30e9

/** A script that leaves a machine without timers alone for so long waits for something that never comes. */
const QUIET_MS = 5000
/** A machine that something stopped, such as a rule that fell; a hypercall by hand pauses it for less. */
const STOPPED_MS = 500

/** The machine did not come to the point where a run can begin; the message is one sentence. */
class BootFailure extends Error {
  constructor(
    message: string,
    readonly explanation: 'assembly' | 'boot',
    /** There is a machine, and it stands where it came to. */
    readonly stands = false,
  ) {
    super(message)
  }
}

export class GroupRunner {
  private readonly lab: LocalLab
  private readonly questions: LabQuestions
  private readonly decoder = new TextDecoder()
  private console = ''
  private booted = ''
  private instructions = 0
  private used = false

  /** @param listing fill RunReport.listing */
  constructor(
    private readonly host: RunnerHost,
    private readonly listing = false,
  ) {
    this.lab = new LocalLab(callback => host.later(callback))
    this.questions = new LabQuestions(this.lab)
    this.lab.subscribe(message => {
      if (message.type === 'console') this.console += this.decoder.decode(message.bytes)
      else if (message.type === 'status') this.instructions = message.instructions
    })
  }

  /** Every task is reported, whatever becomes of it. */
  async run(group: Group, report: (report: RunReport) => void): Promise<void> {
    const [first] = group.tasks
    if (first === undefined) return
    let failure: BootFailure | null = null
    try {
      await this.boot(first)
    } catch (error) {
      if (!(error instanceof BootFailure)) throw error
      failure = error
    }
    for (const task of group.tasks) {
      report(failure === null ? await this.runTask(task) : await this.unbooted(task, failure))
    }
    this.lab.close()
  }

  private async boot(task: RunTask): Promise<void> {
    const { lab } = this
    this.console = ''
    this.used = false
    const image = await this.host.image(task)
    const built = image instanceof ArrayBuffer ? image : configured(image, task)
    const limit = built instanceof ArrayBuffer ? MOST_BOOT_INSTRUCTIONS : MOST_SYSTEM_BOOT_INSTRUCTIONS
    await new Promise<void>((resolve, reject) => {
      let callOff = () => {}
      const stuck = (why: string) => new BootFailure(`${why}; the console says last: ${lastLine(this.console)}`, 'boot', true)
      const unsubscribe = lab.subscribe(message => {
        const end = (failure: BootFailure | null) => {
          unsubscribe()
          callOff()
          if (failure === null) resolve()
          else reject(failure)
        }
        switch (message.type) {
          case 'error':
            return end(new BootFailure(message.message, 'boot'))
          case 'buildFailed':
            return end(new BootFailure(message.message, 'assembly'))
          case 'stopped':
            return end(stuck(`the machine ended before its agent was ready (${message.reason})`))
          case 'agentState':
            if (message.ready) end(null)
            return
          case 'status':
            callOff()
            if (message.instructions > limit) return end(stuck(`the agent was not ready after ${limit / 1e6} million instructions`))
            // A rule that falls stops the machine; one that waits for nothing does not go on by itself.
            if (message.state === 'paused') return end(stuck('the machine was stopped before its agent was ready'))
            if (message.state === 'idle') callOff = this.host.after(QUIET_MS, () => end(stuck('the machine waits for something that never comes')))
        }
      })
      this.host.initrd().then(initrd => {
        lab.post(loadMessage(built, initrd, task.plan.settings))
        // What falls while it boots is in its events; the lesson's own rule holds from the run on.
        lab.post({ type: 'pauseOnViolation', on: false })
        lab.post({ type: 'boot' })
      }, reject)
    })
    lab.post({ type: 'pause' })
    const kept = lab.next('checkpointTaken')
    lab.post({ type: 'checkpoint' })
    await kept
    this.booted = this.console
  }

  /** What the lesson's checks say of a system that did not come up. */
  private async unbooted(task: RunTask, failure: BootFailure): Promise<RunReport> {
    const checks = unbootedChecks(await this.host.checks(task.folder))
    if (!failure.stands || checks.checks.length === 0) return unbuilt(task, failure.explanation, failure.message)
    this.lab.post({ type: 'pause' })
    const record = await RunRecord.begin(this.questions, { ...frameOf(task, {}), ready: false })
    const ending: Ending = { kind: 'stopped', why: failure.message }
    return this.report(checks, record.end(ending, this.console), { id: task.id, ending, instructions: 0 })
  }

  private async runTask(task: RunTask): Promise<RunReport> {
    const guests = assembleAll(task)
    if (!guests.ok) return unbuilt(task, 'assembly', guests.message)
    const { lab, questions } = this
    if (this.used) {
      const restored = lab.next('restored')
      lab.post({ type: 'restore', run: false })
      await restored
    }
    this.used = true
    this.console = this.booted
    lab.post({ type: 'pauseOnViolation', on: task.violations === 'stop' })
    if (task.kernel.series !== 'mini') lab.post({ type: 'setGate', option: task.plan.settings.gate })
    const record = await RunRecord.begin(questions, frameOf(task, guests.programs))
    const ending = await this.untilItEnds(task, record, guests.programs)
    lab.post({ type: 'pause' })
    const run = record.end(ending, this.console)
    return this.report(await this.host.checks(task.folder), run, { id: task.id, ending, instructions: this.instructions - record.began })
  }

  /** The script, then the hypercalls made by hand; or the limit, whichever is first. */
  private async untilItEnds(task: RunTask, record: RunRecord, guests: Readonly<Record<string, GuestProgram>>): Promise<Ending> {
    const { lab } = this
    const port = lab.agent()
    lab.post({ type: 'resume' })
    const cut = new Limit(lab, record.began + task.limit, task.violations === 'stop', (milliseconds, callback) => this.host.after(milliseconds, callback))
    let over = false
    const script = async (): Promise<Ending> => {
      const ending: Ending = task.script === null ? { kind: 'finished' } : (await runScript({ ...task.script, guests }, scriptHost(port, record))).ending
      for (const { call, args } of task.plan.hostCalls) {
        // A script that was cut off ends when the next run begins: its hypercalls are not for that machine.
        if (over) break
        record.onHostCall(await this.questions.hostCall(call, await this.argumentsOf(args, record)))
      }
      return ending
    }
    // After the limit nobody answers the script any more: the machine is paused, and it is left where it waits.
    const ending = await Promise.race([script(), cut.reached]).catch(
      (error: unknown): Ending => ({ kind: 'stopped', why: error instanceof Error ? error.message : String(error) }),
    )
    over = true
    cut.end()
    return ending
  }

  /** `answer:NAME`, `pfn:answer:NAME`, `pfn:vm 0x1000:0x40000000`; others as they are. */
  private async argumentsOf(args: readonly string[], record: RunRecord): Promise<string[]> {
    const value = async (text: string): Promise<bigint> => {
      if (text.startsWith('answer:')) {
        const answer = record.answered(text.slice('answer:'.length))
        if (typeof answer === 'bigint' || typeof answer === 'number') return BigInt(answer)
        throw new Error(`the script recorded no number under the name "${text.slice('answer:'.length)}" for a hypercall`)
      }
      const told = await this.questions.resolve(text)
      if (!told.known) throw new Error(`${text}: ${told.why}`)
      return BigInt(told.value)
    }
    return Promise.all(
      args.map(async arg => {
        if (arg.startsWith('pfn:')) return `0x${((await value(arg.slice('pfn:'.length))) >> 12n).toString(16)}`
        return arg.startsWith('answer:') ? `0x${(await value(arg)).toString(16)}` : arg
      }),
    )
  }

  private async report(checks: LessonChecks, run: LessonRun, { id, ending, instructions }: Pick<RunReport, 'id' | 'ending' | 'instructions'>): Promise<RunReport> {
    const results = await evaluate(checks, run)
    return {
      id,
      checks: [buildsReport('', ''), ...results.map(checkReport)],
      ending,
      outcomes: await outcomesOf(checks, run),
      instructions,
      listing: this.listing ? await runListing(run) : [],
    }
  }
}

function frameOf(task: RunTask, guests: Readonly<Record<string, GuestProgram>>): RunFrame {
  return {
    kernel: task.kernel,
    settings: task.plan.settings,
    answers: task.plan.answers,
    predictions: task.plan.predictions,
    assembled: Object.entries(guests).map(([file, { address, bytes, symbols }]) => ({ file, address: address ?? GUEST_ORIGIN, bytes, symbols })),
    files: task.files,
    hasScript: task.script !== null,
  }
}

function scriptHost(port: RemoteAgentPort, record: RunRecord) {
  return {
    port,
    onPrint: (line: string) => record.onPrint(line),
    onTrace: (entry: TraceEntry) => record.onTrace(entry),
    onAnswer: (name: string, value: AnswerValue) => record.onAnswer(name, value),
  }
}

/** Watches how far the machine has come, and whether it stands still for good. */
class Limit {
  readonly reached: Promise<Ending>
  private readonly unsubscribe: () => void
  private callOff = () => {}

  constructor(lab: LocalLab, most: number, stopsAtViolation: boolean, after: RunnerHost['after']) {
    let unsubscribe = () => {}
    this.reached = new Promise(resolve => {
      let until = Number.POSITIVE_INFINITY
      const cut = (why: string) => {
        lab.post({ type: 'pause' })
        resolve({ kind: 'limit', why: `the run did not end within ${why}` })
      }
      unsubscribe = lab.subscribe(message => {
        if (message.type === 'stopped') resolve({ kind: 'stopped', why: `the machine ended during the run (${message.reason})` })
        if (message.type === 'violations' && stopsAtViolation) resolve({ kind: 'stopped', why: `the machine stopped where an invariant fell: ${message.events[0]?.text ?? ''}` })
        if (message.type !== 'status') return
        this.callOff()
        if (message.state === 'idle' || message.state === 'paused') {
          const [quiet, why] =
            message.state === 'idle' ? [QUIET_MS, 'the script waits for something that never comes'] : [STOPPED_MS, 'the machine was stopped during the run']
          this.callOff = after(quiet, () => resolve({ kind: 'limit', why }))
        }
        if (until === Number.POSITIVE_INFINITY) until = message.virtualNanoseconds + MOST_RUN_NANOSECONDS
        if (message.instructions >= most) cut("the lesson's limit of instructions")
        else if (message.virtualNanoseconds >= until) cut(`${MOST_RUN_NANOSECONDS / 1e9} seconds of the machine's time`)
      })
    })
    this.unsubscribe = unsubscribe
  }

  end(): void {
    this.unsubscribe()
    this.callOff()
  }
}

/** A group has one overlay and one choice of options: they are part of its key. */
function configured(files: SystemFiles, task: RunTask) {
  try {
    return lessonSystem(files, task.overlay, task.plan.settings)
  } catch (error) {
    throw new BootFailure(error instanceof Error ? error.message : String(error), 'assembly')
  }
}

function assembleAll(task: RunTask): { ok: true; programs: Record<string, GuestProgram> } | { ok: false; message: string } {
  const programs: Record<string, GuestProgram> = {}
  for (const file of task.assembly) {
    const result = assembleGuest(file, task.files)
    if (!result.ok) {
      const [first] = result.diagnostics
      const place = first === undefined ? file : `${first.position.file}:${first.position.line}:${first.position.column}`
      return { ok: false, message: `${place}: ${first?.message ?? 'does not assemble'}` }
    }
    programs[file] = result.program
  }
  return { ok: true, programs }
}

function checkReport({ check, verdict, broken }: CheckResult): CheckReport {
  const { id, title } = check
  if (verdict === 'pass') return { id, title, passed: true, explanation: '', detail: '', broken }
  return { id, title, passed: false, explanation: verdict.fail, detail: verdict.detail, broken }
}

function lastLine(text: string): string {
  return text.trimEnd().split(/\r?\n/).at(-1)?.trim() || 'nothing'
}
