/** What becomes of a boot and of a run that go no further, or further than `bounds.ts` has it. */
import type { LocalLab } from '../../engine/worker/local-lab.ts'
import { BootFailure, MOST_RUN_NANOSECONDS } from './bounds.ts'
import type { Ending } from './lesson-run.ts'

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
