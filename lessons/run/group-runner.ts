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
import { BootFailure, MOST_BOOT_INSTRUCTIONS, MOST_SYSTEM_BOOT_INSTRUCTIONS } from './bounds.ts'
import { agentReady, RunLimit } from './limit.ts'
import { runListing } from './listing.ts'
import { type Group, lessonSystem, loadMessage } from './machines.ts'
import { LabQuestions } from './questions.ts'
import { type RunFrame, RunRecord } from './record.ts'
import { buildsReport, type CheckReport, type Doing, type RunReport, type RunTask, unbuilt } from './task.ts'

/** What only the host can give: files, and the checks of a lesson. */
export interface RunnerHost {
  /** Of the group's kernel, or mini-pKVM's own files. */
  image(task: RunTask): Promise<ArrayBuffer | SystemFiles>
  initrd(): Promise<LabInitrd>
  checks(folder: string): Promise<LessonChecks>
  /** Node's setImmediate, or the like. */
  later(callback: () => void): void
  /** What this thread does from here on, for whoever wonders why it is silent. */
  doing(what: Doing): void
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
    const most = built instanceof ArrayBuffer ? MOST_BOOT_INSTRUCTIONS : MOST_SYSTEM_BOOT_INSTRUCTIONS
    const initrd = await this.host.initrd()
    const ready = agentReady(lab, most, () => lastLine(this.console))
    lab.post(loadMessage(built, initrd, task.plan.settings))
    // What falls while it boots is in its events; the lesson's own rule holds from the run on.
    lab.post({ type: 'pauseOnViolation', on: false })
    lab.post({ type: 'boot' })
    await ready
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
    const cut = new RunLimit(lab, record.began + task.limit, task.violations === 'stop')
    this.host.doing('script')
    let over = false
    const script = async (): Promise<Ending> => {
      const ending: Ending = task.script === null ? { kind: 'finished' } : (await runScript({ ...task.script, guests }, scriptHost(port, record, () => over))).ending
      for (const { call, args } of task.plan.hostCalls) {
        // A script that was cut off ends all the same: its hypercalls are not for the machine of the next run.
        if (over) break
        record.onHostCall(await this.questions.hostCall(call, await this.argumentsOf(args, record)))
      }
      return ending
    }
    const ending = await Promise.race([script(), cut.reached]).catch(
      (error: unknown): Ending => ({ kind: 'stopped', why: error instanceof Error ? error.message : String(error) }),
    )
    over = true
    cut.end()
    // What the script has not awaited, or still wants, is nothing of the next run.
    port.close('The run has ended.')
    this.host.doing('machine')
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
    const results = await evaluate(checks, run, check => this.host.doing({ check: check.id }))
    const outcomes = await outcomesOf(checks, run)
    this.host.doing('machine')
    return {
      id,
      checks: [buildsReport('', ''), ...results.map(checkReport)],
      ending,
      outcomes,
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

/** A script that was cut off goes on when its call is answered that the run has ended; what it tells then is not recorded. */
function scriptHost(port: RemoteAgentPort, record: RunRecord, over: () => boolean) {
  return {
    port,
    onPrint: (line: string) => void (over() || record.onPrint(line)),
    onTrace: (entry: TraceEntry) => void (over() || record.onTrace(entry)),
    onAnswer: (name: string, value: AnswerValue) => void (over() || record.onAnswer(name, value)),
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
