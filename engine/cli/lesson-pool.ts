import { Worker } from 'node:worker_threads'
import type { Group } from '../../lessons/run/machines.ts'
import { type RunReport, unbuilt } from '../../lessons/run/task.ts'
import type { ThreadData, ThreadMessage } from './lesson-thread.ts'

/** A thread that says nothing for so long is held up by a script that never waits. Slices of a machine are far shorter. */
const SILENCE_MS = 15_000
/** A script that allocates without end meets this, not the machine's memory. */
const HEAP_MIB = 1024

/** Runs groups on threads. Each task is reported once, whatever becomes of its thread. */
export class LessonPool {
  constructor(
    private readonly script: URL,
    private readonly data: ThreadData,
    private readonly threads: number,
  ) {}

  async run(groups: readonly Group[], report: (report: RunReport) => void): Promise<void> {
    const queue = [...groups]
    const next = async (): Promise<void> => {
      for (let group = queue.shift(); group !== undefined; group = queue.shift()) {
        let left: Group | null = group
        while (left !== null) left = await this.onThread(left, report)
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.threads, queue.length) }, next))
  }

  /** @returns what is left of the group when its thread had to be given up */
  private onThread(group: Group, report: (report: RunReport) => void): Promise<Group | null> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.script, { workerData: this.data, resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } })
      const left = new Map(group.tasks.map(task => [task.id, task]))
      let timer = setTimeout(() => {}, 0)
      const over = (result: Group | null) => {
        clearTimeout(timer)
        worker.removeAllListeners()
        worker.on('error', () => {})
        void worker.terminate().then(() => resolve(result))
      }
      const giveUp = (why: string) => {
        const [hung, ...others] = left.values()
        if (hung !== undefined) report(unbuilt(hung, 'endless', why))
        over(others.length === 0 ? null : { ...group, tasks: others })
      }
      const heard = () => {
        clearTimeout(timer)
        timer = setTimeout(() => giveUp('the script did not give its thread back'), SILENCE_MS)
      }
      worker.on('message', (message: ThreadMessage) => {
        heard()
        if (message.type === 'report') {
          left.delete(message.report.id)
          report(message.report)
        } else if (message.type === 'done') over(null)
        else if (message.type === 'failed') {
          clearTimeout(timer)
          void worker.terminate()
          reject(new Error(message.message))
        }
      })
      worker.on('error', error => giveUp((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'the script used more memory than there is for it' : String(error)))
      heard()
      worker.postMessage(group)
    })
  }
}
