import type { SystemSources } from '../machine/assembled-system.ts'
import { AgentDesk, type AgentMachine } from './agent-desk.ts'
import type { CheckpointSlot } from './checkpoint-slot.ts'
import { type Inspectable, InspectionDesk } from './inspection.ts'
import { buildSummary } from './build-answers.ts'
import type { InspectionMessage, InspectionRequest } from './inspection-protocol.ts'
import type { LoadMessage, MachineState, Milestone, PageMessage, WorkerMessage } from './protocol.ts'
import { Rehearsal } from './rehearsal.ts'
import { answerBuild, SystemBuildError } from './system-image.ts'

/** Why `RunnableMachine.run` came back. */
export interface RunResult {
  stop: 'budget' | 'idle' | 'off' | 'reset'
  /** With `idle`: virtual time in nanoseconds of the next timer deadline, absent when no timer is armed. */
  idleUntil?: number
}

/** What a session needs of a machine; `entry.ts` fits the engine's Machine to it. */
export interface RunnableMachine extends AgentMachine {
  /** Retires at most so many instructions. */
  run(budget: number): RunResult
  /** After `idle`: lets time jump to the next timer deadline. */
  skipIdle(): void
  readonly instructions: number
  readonly virtualNanoseconds: number
  readonly exceptionLevel: number
  receive(bytes: Uint8Array): void
  stateHash(): string
  /** Why it can never do anything else any more, one sentence; null while it can. */
  lockup?(): string | null
  /** Where a moment of it is kept; absent where that cannot be done. */
  readonly checkpoints?: CheckpointSlot
  /** Nobody will look at it again. */
  release?(): void
  /** The machine for those who look inside; absent where there is nothing to see. */
  readonly inside?: Inspectable
}

export interface MachineEvents {
  hash(instructions: number, hash: string): void
  console(bytes: Uint8Array): void
  /** What the guest wrote to its second serial port. */
  agent(bytes: Uint8Array): void
  milestone(symbol: string, instructions: number, exceptionLevel: number): void
}

export interface MachineFactory {
  /** @throws an Error whose message is one sentence for the learner when the pieces do not make a machine. */
  create(load: LoadMessage, events: MachineEvents): RunnableMachine
  /** @throws like `create` when the bytes are not an Image the lab can start. */
  check(image: ArrayBuffer): void
}

/** The session's view of the thread it lives in. Times are milliseconds of wall clock. */
export interface SessionHost {
  post(message: WorkerMessage | InspectionMessage, transfer?: ArrayBuffer[]): void
  now(): number
  /** Calls back after messages that are already waiting have been delivered. */
  soon(callback: () => void): void
  /** Calls back after `milliseconds`; returns a function that cancels. */
  after(milliseconds: number, callback: () => void): () => void
}

/** A slice of guest time is about this long, so that a click is answered within a frame. */
const SLICE_MS = 8
/** A pause waits for EL2 to finish what it does: looked at every so many instructions. */
const SETTLE_INSTRUCTIONS = 16
const STATUS_MS = 100
/** The machine waits while the page has this many console bytes still to show. */
const CONSOLE_WINDOW_BYTES = 512 * 1024
/** A guest that fell further behind the wall clock than this does not rush through its idle time to catch up. */
const PACING_SLACK_MS = 200

/** Runs one machine at a time in slices and tells the page about it. Knows nothing of Workers. */
export class Session {
  private machine: RunnableMachine | null = null
  private state: MachineState = 'empty'
  private budget = 25_000
  private pauseAt = Number.POSITIVE_INFINITY
  private turn = 0
  private cancelWait: (() => void) | null = null
  private reached: Milestone[] = []
  private console: Uint8Array[] = []
  private consoleBytes = 0
  private unshown = 0
  private throttled = false
  private statusTime = 0
  private statusInstructions = 0
  private mips = 0
  private paceWall = 0
  private paceVirtual = 0
  private rehearsal: Rehearsal | null = null
  private rehearsed = false
  private readonly desk: InspectionDesk
  private readonly agent: AgentDesk

  constructor(
    private readonly host: SessionHost,
    private readonly factory: MachineFactory,
  ) {
    this.desk = new InspectionDesk(host)
    this.agent = new AgentDesk(message => host.post(message))
  }

  receive(message: PageMessage | InspectionRequest): void {
    switch (message.type) {
      case 'check':
        this.check(message.id, message.image)
        break
      case 'load':
        this.load(message)
        break
      case 'build':
      case 'diffListing': {
        const answer = answerBuild(message, () => this.host.now())
        this.host.post(answer)
        if (answer.type === 'built' && answer.ok) this.rehearse(message.system)
        break
      }
      case 'boot':
      case 'resume':
        if (this.state === 'loaded' || this.state === 'paused') this.start()
        break
      case 'pause':
        if (this.state === 'running' || this.state === 'idle') this.halt('paused')
        break
      case 'reset':
        this.reset()
        break
      case 'input':
        if (this.machine !== null && this.state !== 'stopped') {
          this.machine.receive(message.bytes)
          if (this.state === 'idle') this.start()
        }
        break
      case 'agent':
        this.agent.receive(message)
        if (this.state === 'running') this.agent.flush()
        else if (this.state === 'idle') this.start()
        break
      case 'consoleShown':
        this.unshown = Math.max(0, this.unshown - message.bytes)
        if (this.throttled && this.unshown < CONSOLE_WINDOW_BYTES / 2) {
          this.throttled = false
          if (this.state === 'running') this.nextSlice()
        }
        break
      case 'stateHash':
        if (this.machine !== null) this.postHash(this.machine)
        break
      case 'checkpoint':
        this.keep()
        break
      case 'restore':
        this.restore(message.run)
        break
      case 'hostCall':
        if (this.machine === null) {
          this.host.post({ type: 'hostCallDone', id: message.id, ok: false, message: 'There is no machine: boot one first.' })
          break
        }
        if (this.state === 'running' || this.state === 'idle') this.halt('paused')
        this.desk.receive(message)
        this.flush()
        this.desk.tick(true)
        this.postStatus()
        break
      case 'pauseAt':
        this.pauseAt = message.instructions
        break
      default:
        this.desk.receive(message)
        // Of a machine that has not begun there is nothing to show yet.
        if (this.state !== 'running' && this.state !== 'loaded') this.desk.tick(true)
        break
    }
  }

  private check(id: number, image: ArrayBuffer): void {
    try {
      this.factory.check(image)
      this.host.post({ type: 'checked', id, ok: true })
    } catch (error) {
      this.host.post({ type: 'checked', id, ok: false, ...sentenceOf(error) })
    }
  }

  /** Once, and only while nothing else is to be done. */
  private rehearse(system: SystemSources): void {
    if (this.rehearsed || this.state !== 'empty') return
    this.rehearsed = true
    this.rehearsal = new Rehearsal(this.factory, system)
    const turn = ++this.turn
    const goOn = () =>
      this.host.soon(() => {
        if (turn === this.turn && this.rehearsal?.step() === true) goOn()
      })
    goOn()
  }

  private endRehearsal(): void {
    this.rehearsal?.end()
    this.rehearsal = null
  }

  private load(message: LoadMessage): void {
    this.endRehearsal()
    // The old machine keeps running until the new one exists: a bad choice costs nothing.
    let next: RunnableMachine
    const pending: { console: Uint8Array[] } = { console: [] }
    let adopted = false
    try {
      next = this.factory.create(message, {
        console: bytes => {
          if (adopted) this.collect(next, bytes)
          else pending.console.push(bytes.slice())
        },
        agent: bytes => {
          if (adopted && this.machine === next) this.agent.fromGuest(bytes)
        },
        hash: (instructions, hash) => {
          if (adopted && this.machine === next) this.host.post({ type: 'hash', instructions, hash })
        },
        milestone: (symbol, instructions, exceptionLevel) => {
          if (adopted && this.machine === next) this.reached.push({ symbol, instructions, exceptionLevel })
        },
      })
    } catch (error) {
      if (error instanceof SystemBuildError)
        this.host.post({ type: 'buildFailed', ...sentenceOf(error), diagnostics: buildSummary(error.built).diagnostics })
      else this.host.post({ type: 'error', ...sentenceOf(error) })
      return
    }
    this.reset()
    adopted = true
    this.machine = next
    this.desk.adopt(next.inside ?? null)
    this.agent.adopt(next, message.settings.append)
    for (const bytes of pending.console) this.collect(next, bytes)
    this.state = 'loaded'
    this.postStatus()
  }

  private collect(from: RunnableMachine, bytes: Uint8Array): void {
    if (this.machine !== from || bytes.length === 0) return
    this.console.push(bytes.slice())
    this.consoleBytes += bytes.length
  }

  private reset(): void {
    this.turn++
    this.endRehearsal()
    this.cancelWait?.()
    this.cancelWait = null
    this.desk.adopt(null)
    this.agent.adopt(null)
    this.machine?.release?.()
    this.machine = null
    this.reached = []
    this.console = []
    this.consoleBytes = 0
    this.unshown = 0
    this.throttled = false
    this.pauseAt = Number.POSITIVE_INFINITY
    this.mips = 0
    this.state = 'empty'
    this.postStatus()
  }

  private start(): void {
    const machine = this.machine
    if (machine === null) return
    const wasRunning = this.state === 'idle'
    this.cancelWait?.()
    this.cancelWait = null
    this.state = 'running'
    this.agent.flush()
    if (!wasRunning) {
      this.paceWall = this.host.now()
      this.paceVirtual = machine.virtualNanoseconds / 1e6
      this.statusTime = this.host.now()
      this.statusInstructions = machine.instructions
      this.postStatus()
    }
    this.nextSlice()
  }

  private halt(state: 'paused' | 'stopped'): void {
    this.turn++
    this.cancelWait?.()
    this.cancelWait = null
    this.state = state
    this.mips = 0
    this.flush()
    if (state === 'stopped') this.agent.close('The machine is off.')
    this.desk.tick(true)
    this.postStatus()
  }

  private keep(): void {
    const instructions = this.machine?.checkpoints?.keep()
    if (instructions !== undefined) {
      this.agent.keep()
      this.host.post({ type: 'checkpointTaken', instructions })
    } else this.host.post({ type: 'error', message: 'There is no machine to keep a moment of.', hint: 'Boot one first.' })
  }

  private restore(run: boolean | undefined): void {
    const before = this.state
    this.flush()
    const restored = this.machine?.checkpoints?.restore() ?? null
    if (restored === null) {
      this.host.post({ type: 'error', message: 'There is no moment to go back to.', hint: 'Boot a machine and keep one first.' })
      return
    }
    this.pauseAt = Number.POSITIVE_INFINITY
    this.desk.restored(restored.events)
    this.agent.restored()
    this.host.post({ type: 'restored', ...restored })
    this.halt('paused')
    if (run ?? (before === 'running' || before === 'idle')) this.start()
  }

  private nextSlice(): void {
    const turn = ++this.turn
    this.host.soon(() => {
      if (turn === this.turn) this.slice()
    })
  }

  private slice(): void {
    const machine = this.machine
    if (machine === null || this.state !== 'running') return
    const started = this.host.now()
    const before = machine.instructions
    let result: RunResult
    try {
      const left = this.pauseAt - before
      result = machine.run(left > 0 ? Math.min(this.budget, left, this.desk.sliceLimit) : SETTLE_INSTRUCTIONS)
    } catch (error) {
      const { message } = sentenceOf(error)
      this.halt('stopped')
      this.host.post({ type: 'stopped', reason: 'fault', message, instructions: machine.instructions })
      return
    }
    const spent = this.host.now() - started
    const retired = machine.instructions - before
    // Aim the next slice at SLICE_MS from this one's speed, changing at most fourfold so that one odd slice does not
    // upset the pace. Slices cut short by idling say little about speed.
    if (result.stop === 'budget' && retired > 0) {
      const ideal = spent > 0.2 ? (retired * SLICE_MS) / spent : retired * 4
      this.budget = Math.round(Math.min(Math.max(ideal, this.budget / 4, 1_000), this.budget * 4, 20_000_000))
    }
    this.flush()
    this.agent.tick()
    if (result.stop === 'off' || result.stop === 'reset') {
      this.halt('stopped')
      this.host.post({ type: 'stopped', reason: result.stop, message: '', instructions: machine.instructions })
      return
    }
    const stuck = result.stop === 'budget' ? (machine.lockup?.() ?? null) : null
    if (stuck !== null) {
      this.halt('stopped')
      this.host.post({ type: 'stopped', reason: 'fault', message: stuck, instructions: machine.instructions })
      return
    }
    this.statusIfDue(machine)
    const arrived = machine.instructions >= this.pauseAt && machine.exceptionLevel !== 2
    if (arrived) this.pauseAt = Number.POSITIVE_INFINITY
    if (this.desk.tick(false) || arrived) {
      this.halt('paused')
      return
    }
    if (this.unshown > CONSOLE_WINDOW_BYTES) {
      this.throttled = true
      return
    }
    // The next request may follow its answer at once: time does not jump before whoever asked has had a turn.
    const served = this.agent.serve()
    if (result.stop === 'idle' && !served) this.idle(machine, result.idleUntil)
    else this.nextSlice()
  }

  /** The guest's clock may not run ahead of the wall clock while it idles, so that an idle guest costs no power. */
  private idle(machine: RunnableMachine, idleUntil: number | undefined): void {
    if (idleUntil === undefined) {
      this.state = 'idle'
      this.mips = 0
      this.desk.tick(true)
      this.postStatus()
      return
    }
    const wall = this.host.now() - this.paceWall
    const ahead = idleUntil / 1e6 - this.paceVirtual - wall
    if (ahead < -PACING_SLACK_MS) {
      this.paceWall = this.host.now() - PACING_SLACK_MS
      this.paceVirtual = idleUntil / 1e6
    }
    if (ahead <= 1) {
      machine.skipIdle()
      this.nextSlice()
      return
    }
    this.state = 'idle'
    if (ahead > STATUS_MS) {
      this.statusIfDue(machine)
      this.desk.tick(true)
    }
    const turn = ++this.turn
    this.cancelWait = this.host.after(Math.min(ahead, 1000), () => {
      if (turn !== this.turn || this.machine !== machine) return
      this.cancelWait = null
      this.statusIfDue(machine)
      if (ahead > 1000) this.idle(machine, idleUntil)
      else {
        machine.skipIdle()
        this.state = 'running'
        this.nextSlice()
      }
    })
  }

  /** Tells what the machine has done since this was last called. */
  private flush(): void {
    if (this.reached.length > 0) this.host.post({ type: 'milestones', reached: this.reached })
    this.reached = []
    if (this.consoleBytes === 0) return
    const bytes = new Uint8Array(this.consoleBytes)
    let at = 0
    for (const part of this.console) {
      bytes.set(part, at)
      at += part.length
    }
    this.console = []
    this.consoleBytes = 0
    this.unshown += bytes.length
    this.host.post({ type: 'console', bytes }, [bytes.buffer])
  }

  private statusIfDue(machine: RunnableMachine): void {
    const now = this.host.now()
    const passed = now - this.statusTime
    if (passed < STATUS_MS) return
    this.mips = (machine.instructions - this.statusInstructions) / passed / 1000
    this.statusTime = now
    this.statusInstructions = machine.instructions
    this.postStatus()
  }

  private postHash(machine: RunnableMachine): void {
    this.host.post({ type: 'hash', instructions: machine.instructions, hash: machine.stateHash() })
  }

  private postStatus(): void {
    const machine = this.machine
    this.host.post({
      type: 'status',
      state: this.state,
      instructions: machine?.instructions ?? 0,
      mips: this.mips,
      virtualNanoseconds: machine?.virtualNanoseconds ?? 0,
      exceptionLevel: machine?.exceptionLevel ?? 2,
    })
  }
}

/** The sentence and the advice that an error of the engine carries. */
function sentenceOf(error: unknown): { message: string; hint: string } {
  if (error instanceof Error) {
    const hint = (error as { hint?: unknown }).hint
    return { message: error.message, hint: typeof hint === 'string' ? hint : '' }
  }
  return { message: String(error), hint: '' }
}
