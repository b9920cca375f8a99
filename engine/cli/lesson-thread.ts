/** A thread of `pkvm-lab lesson`: runs groups of runs that it is sent, and tells that it is alive. */
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { checkModule, type LessonChecks } from '../../lessons/checks.ts'
import { GroupRunner } from '../../lessons/run/group-runner.ts'
import type { Group } from '../../lessons/run/machines.ts'
import type { Doing, RunReport } from '../../lessons/run/task.ts'
import type { SystemFiles } from '../../lessons/mini-pkvm/system.ts'

export interface ThreadData {
  /** Paths of Images by kernel release. */
  readonly images: Readonly<Record<string, string>>
  readonly mini: SystemFiles
  /** The init program, an ELF executable. */
  readonly init: Uint8Array
  /** Bundles of checks.ts by lesson folder. */
  readonly checks: Readonly<Record<string, string>>
  readonly listing: boolean
}

export type ThreadMessage = { type: 'alive' } | { type: 'doing'; what: Doing } | { type: 'report'; report: RunReport } | { type: 'done' } | { type: 'failed'; message: string }

/** How often a thread says that its event loop turns, in milliseconds. */
const ALIVE_MS = 500

const data = workerData as ThreadData
const loaded = new Map<string, Promise<LessonChecks>>()
const post = (message: ThreadMessage) => parentPort!.postMessage(message)

async function loadChecks(folder: string): Promise<LessonChecks> {
  return checkModule(await import(pathToFileURL(data.checks[folder]!).href), [])
}

async function imageOf(release: string): Promise<ArrayBuffer> {
  const bytes = await readFile(data.images[release]!)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

async function run(group: Group): Promise<void> {
  const runner = new GroupRunner(
    {
      image: task => (task.kernel.series === 'mini' ? Promise.resolve(data.mini) : imageOf(task.kernel.release)),
      initrd: async () => ({ program: data.init, busybox: null }),
      checks(folder) {
        const checks = loaded.get(folder) ?? loadChecks(folder)
        loaded.set(folder, checks)
        return checks
      },
      later: callback => void setImmediate(callback),
      doing: what => post({ type: 'doing', what }),
    },
    data.listing,
  )
  await runner.run(group, report => post({ type: 'report', report }))
}

// A call that a script did not await may fail: that is in the script's record, and no reason to end the thread.
process.on('unhandledRejection', () => {})

parentPort!.on('message', (group: Group) => {
  run(group).then(
    () => post({ type: 'done' }),
    (error: unknown) => post({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
setInterval(() => post({ type: 'alive' }), ALIVE_MS).unref()
post({ type: 'alive' })
