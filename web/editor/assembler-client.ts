import type { Assembly, AssemblyRequest } from './a64/assemble-files.ts'

export type { Assembly, AssemblyProblem, AssemblyRequest, ListedLine } from './a64/assemble-files.ts'

/** After this many milliseconds the assembler is taken to be lost in a macro. */
const PATIENCE = 15_000

let worker: Worker | null = null
let nextId = 1
const waiting = new Map<number, { done(result: Assembly): void; request: AssemblyRequest }>()
let watch: ReturnType<typeof setTimeout> | undefined

/**
 * Assembles `entry` of `files` in a Worker.
 * @param defines names with values known beforehand, as by `.equ`
 * @param place where it is linked; by default at 0, sections in the assembler's own order
 * @returns never rejects: whatever is wrong is in `diagnostics`, with places
 */
export function assembleFiles(
  files: Readonly<Record<string, string>>,
  entry: string,
  defines?: Readonly<Record<string, bigint | number>>,
  place?: Pick<AssemblyRequest, 'origin' | 'layout'>,
): Promise<Assembly> {
  const request: AssemblyRequest = { files, entry, ...(defines === undefined ? {} : { defines }), ...place }
  const id = nextId++
  return new Promise(done => {
    waiting.set(id, { done, request })
    started().postMessage({ id, request })
    watch ??= setTimeout(lost, PATIENCE)
  })
}

function started(): Worker {
  if (worker !== null) return worker
  worker = new Worker(new URL('./assembler-worker.ts', import.meta.url), { type: 'module', name: 'assembler' })
  worker.addEventListener('message', (event: MessageEvent<{ id: number; result: Assembly }>) => {
    waiting.get(event.data.id)?.done(event.data.result)
    waiting.delete(event.data.id)
    clearTimeout(watch)
    watch = waiting.size > 0 ? setTimeout(lost, PATIENCE) : undefined
  })
  worker.addEventListener('error', event => {
    event.preventDefault()
    giveUp(`The assembler stopped: ${event.message || 'its Worker could not be started'}.`)
  })
  return worker
}

function lost(): void {
  giveUp(
    `Assembling took longer than ${PATIENCE / 1000} seconds and was stopped. Look for a macro or .rept that grows.`,
  )
}

function giveUp(message: string): void {
  worker?.terminate()
  worker = null
  clearTimeout(watch)
  watch = undefined
  const all = [...waiting.values()]
  waiting.clear()
  for (const { done, request } of all) {
    done({
      ok: false,
      address: 0n,
      bytes: new Uint8Array(0),
      symbols: new Map(),
      listing: [],
      diagnostics: [{ message, file: request.entry, line: 1, column: 1 }],
    })
  }
}
