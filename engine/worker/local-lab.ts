/**
 * A lab in this very thread: a Session with the messages that cross between page and Worker elsewhere, for tests and
 * the lesson runner. Its clock is made of the machine's instructions and of idle time skipped, so the same requests in
 * the same order give the same run, and an idle machine waits for nobody.
 */
import { RemoteAgentPort } from '../agent/remote-port.ts'
import type { LabConnection, LabMessage, LabRequest } from './lab-connection.ts'
import { machineFactory } from './machine-factory.ts'
import { type MachineFactory, type RunnableMachine, Session } from './session.ts'

export type { LabConnection, LabMessage, LabRequest }

/** Instructions that make a millisecond of the session's clock: its slices are about eight times as long. */
const INSTRUCTIONS_PER_MS = 50_000
/** Turns with nothing to do after which nobody is taken to ask for anything more: whoever is answered asks in the same. */
const STILL_TURNS = 5

export class LocalLab implements LabConnection {
  private readonly session: Session
  private readonly listeners = new Set<(message: LabMessage) => void>()
  private machine: RunnableMachine | null = null
  /** Milliseconds that waiting took, and those of machines that are gone. */
  private waited = 0
  private task: (() => void) | null = null
  private timer: { readonly at: number; readonly callback: () => void } | null = null
  private scheduled = false

  /**
   * @param later runs a callback once everything that is ready to run has run, such as Node's setImmediate: what
   *   follows an answer then still happens before the machine runs on.
   */
  constructor(
    private readonly later: (callback: () => void) => void,
    factory: MachineFactory = machineFactory,
  ) {
    this.session = new Session(
      {
        post: message => {
          for (const listener of [...this.listeners]) listener(message)
        },
        now: () => this.now(),
        soon: callback => {
          this.task = callback
          this.schedule()
        },
        after: (milliseconds, callback) => {
          const timer = { at: this.now() + milliseconds, callback }
          this.timer = timer
          this.schedule()
          return () => {
            if (this.timer === timer) this.timer = null
          }
        },
      },
      {
        check: image => factory.check(image),
        create: (load, events) => {
          const machine = factory.create(load, events)
          this.waited = this.now()
          this.machine = machine
          return machine
        },
      },
    )
    // Nobody is slow to show the console here.
    this.subscribe(message => {
      if (message.type === 'console') this.post({ type: 'consoleShown', bytes: message.bytes.length })
    })
  }

  post(message: LabRequest): void {
    this.session.receive(message)
  }

  subscribe(listener: (message: LabMessage) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** A port to the agent of whatever machine this lab runs. */
  agent(): RemoteAgentPort {
    return new RemoteAgentPort(this)
  }

  /** Resolves with the first message, from now on, that the test accepts. */
  next<T extends LabMessage['type']>(type: T, accept: (message: Extract<LabMessage, { type: T }>) => boolean = () => true) {
    return new Promise<Extract<LabMessage, { type: T }>>(resolve => {
      const unsubscribe = this.subscribe(message => {
        if (message.type !== type) return
        const found = message as Extract<LabMessage, { type: T }>
        if (!accept(found)) return
        unsubscribe()
        resolve(found)
      })
    })
  }

  /**
   * Calls back once the machine neither runs nor waits for a time, and nobody has asked it for anything meanwhile: those
   * who still wait for it wait for good.
   * @returns calls it off
   */
  whenStill(callback: () => void): () => void {
    let turns = 0
    let off = false
    const look = () => {
      if (off) return
      turns = this.task === null && this.timer === null ? turns + 1 : 0
      if (turns === STILL_TURNS) callback()
      else this.later(look)
    }
    this.later(look)
    return () => {
      off = true
    }
  }

  /** The machine is thrown away; nothing is scheduled any more. */
  close(): void {
    this.post({ type: 'reset' })
    this.timer = null
    this.task = null
    this.machine = null
  }

  private now(): number {
    return this.waited + (this.machine?.instructions ?? 0) / INSTRUCTIONS_PER_MS
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.later(() => {
      this.scheduled = false
      this.turn()
    })
  }

  /** One thing to do: the newest wish of the session, or, when it only waits, the end of the wait. */
  private turn(): void {
    const { task, timer } = this
    if (task !== null) {
      this.task = null
      task()
    } else if (timer !== null) {
      this.timer = null
      this.waited += Math.max(0, timer.at - this.now())
      timer.callback()
    }
    if (this.task !== null || this.timer !== null) this.schedule()
  }
}
