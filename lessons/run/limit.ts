/** How far a boot and a run may go, and what becomes of those that go no further. All by the machine's own clock. */
import type { LocalLab } from '../../engine/worker/local-lab.ts'
import type { Ending } from './lesson-run.ts'

/** A Debian kernel's agent is ready after about 10^9 instructions, mini-pKVM's after 3 * 10^5. */
export const MOST_BOOT_INSTRUCTIONS = 6_000_000_000
export const MOST_SYSTEM_BOOT_INSTRUCTIONS = 2_000_000
/** Of the machine's time that a run may spend, also idle: a script that waits for nothing must end too. */
export const MOST_RUN_NANOSECONDS = 30e9

/** The machine did not come to the point where a run can begin; the message is one sentence. */
export class BootFailure extends Error {
  constructor(
    message: string,
    readonly explanation: 'assembly' | 'boot',
    /** There is a machine, and it stands where it came to. */
    readonly stands = false,
  ) {
    super(message)
  }
}

/**
 * Waits for the agent of the machine that was just loaded and booted.
 * @param most instructions
 * @param lastWords of the console, for the failure's sentence
 * @throws BootFailure (rejects)
 */
export function agentReady(lab: LocalLab, most: number, lastWords: () => string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const end = (failure: BootFailure | null) => {
      unsubscribe()
      callOff()
      if (failure === null) resolve()
      else reject(failure)
    }
    const stuck = (why: string) => end(new BootFailure(`${why}; the console says last: ${lastWords()}`, 'boot', true))
    const callOff = lab.whenStill(() => stuck('the machine waits for something that never comes'))
    const unsubscribe = lab.subscribe(message => {
      switch (message.type) {
        case 'error':
          return end(new BootFailure(message.message, 'boot'))
        case 'buildFailed':
          return end(new BootFailure(message.message, 'assembly'))
        case 'stopped':
          return stuck(`the machine ended before its agent was ready (${message.reason})`)
        case 'agentState':
          if (message.ready) end(null)
          return
        case 'status':
          if (message.instructions > most) return stuck(`the agent was not ready after ${most / 1e6} million instructions`)
          // A rule that falls stops the machine.
          if (message.state === 'paused') return stuck('the machine was stopped before its agent was ready')
      }
    })
  })
}

/** Watches how far the machine has come in a run, and whether it stands still for good. */
export class RunLimit {
  readonly reached: Promise<Ending>
  private readonly ends: (() => void)[] = []

  /** @param most instructions since reset */
  constructor(lab: LocalLab, most: number, stopsAtViolation: boolean) {
    this.reached = new Promise(resolve => {
      let until = Number.POSITIVE_INFINITY
      let state = ''
      const cut = (why: string) => {
        lab.post({ type: 'pause' })
        resolve({ kind: 'limit', why: `the run did not end within ${why}` })
      }
      this.ends.push(
        lab.whenStill(() => resolve({ kind: 'limit', why: state === 'paused' ? 'the machine was stopped during the run' : 'the script waits for something that never comes' })),
        lab.subscribe(message => {
          if (message.type === 'stopped') resolve({ kind: 'stopped', why: `the machine ended during the run (${message.reason})` })
          if (message.type === 'violations' && stopsAtViolation) resolve({ kind: 'stopped', why: `the machine stopped where an invariant fell: ${message.events[0]?.text ?? ''}` })
          if (message.type !== 'status') return
          state = message.state
          if (until === Number.POSITIVE_INFINITY) until = message.virtualNanoseconds + MOST_RUN_NANOSECONDS
          if (message.instructions >= most) cut("the lesson's limit of instructions")
          else if (message.virtualNanoseconds >= until) cut(`${MOST_RUN_NANOSECONDS / 1e9} seconds of the machine's time`)
        }),
      )
    })
  }

  end(): void {
    for (const end of this.ends) end()
  }
}
