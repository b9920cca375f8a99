import { Worker } from 'node:worker_threads'
import type { Group } from '../../lessons/run/machines.ts'
import { type Doing, endlessCheck, type RunReport, type RunTask, unbuilt } from '../../lessons/run/task.ts'
import type { ThreadData, ThreadMessage } from './lesson-thread.ts'

/**
 * A thread that says nothing for so many looks is held up by what it was doing last: a slice of a machine is far shorter.
 * Looks, not time: a computer that was asleep has not looked.
 */
const MOST_SILENT_LOOKS = 15
const LOOK_MS = 1000
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
      let doing: Doing = 'machine'
      let silent = 0
      const looks = setInterval(() => {
        if (++silent > MOST_SILENT_LOOKS) giveUp('did not give its thread back')
      }, LOOK_MS)
      const over = (result: Group | null) => {
        clearInterval(looks)
        worker.removeAllListeners()
        worker.on('error', () => {})
        void worker.terminate().then(() => resolve(result))
      }
      const giveUp = (why: string) => {
        const [hung, ...others] = left.values()
        if (hung !== undefined) report(heldUp(hung, doing, why))
        over(others.length === 0 ? null : { ...group, tasks: others })
      }
      worker.on('message', (message: ThreadMessage) => {
        silent = 0
        if (message.type === 'doing') doing = message.what
        else if (message.type === 'report') {
          left.delete(message.report.id)
          report(message.report)
        } else if (message.type === 'done') over(null)
        else if (message.type === 'failed') {
          clearInterval(looks)
          void worker.terminate()
          reject(new Error(message.message))
        }
      })
      worker.on('error', error => giveUp((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'used more memory than there is for it' : `failed with ${String(error)}`))
      worker.postMessage(group)
    })
  }
}

/** @param why what the script, the check or the machine did: a sentence without its subject */
function heldUp(task: RunTask, doing: Doing, why: string): RunReport {
  if (doing === 'script') return unbuilt(task, 'endless', `the script ${why}`)
  return doing === 'machine' ? unbuilt(task, 'boot', `the machine ${why}`) : endlessCheck(task, doing.check, `it ${why}`)
}
