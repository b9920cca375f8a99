/**
 * Runs a script: its compiled modules, with `lab` bound to one agent. The same in the page's sandbox and headless. It
 * cannot stop code that never yields; in the page the sandbox's Worker is ended then.
 */
import type { AgentPort } from '../../engine/agent/port.ts'
import { LAB_MODULE } from './compiler-options.ts'
import type { GuestProgram } from './guest-image.ts'
import type { Answer } from './lab.d.ts'
import { ClosedError } from './errors.ts'
import { type LabModule, type LabOptions, makeLab } from './make-lab.ts'
import { type LineMap, scriptPlace, splitSourceMap, URL_PREFIX } from './source-place.ts'
import { type SourcePlace, type TraceEntry, type TraceError, traceError } from './trace.ts'

/** All that a script needs; plain data, so that it can be sent to a Worker. */
export interface ScriptBundle {
  /** The module that is run, such as `main.ts`. */
  entry: string
  /** CommonJS code by the module's file, as `SCRIPT_COMPILER_OPTIONS` makes it. */
  modules: Readonly<Record<string, string>>
  /** Assembled guests by the name of their source. */
  guests: Readonly<Record<string, GuestProgram>>
}

export interface ScriptHost {
  /** Frames to the agent; `instructions` is where the machine was when it last answered. */
  port: AgentPort & { readonly instructions?: number | null }
  onPrint?(line: string): void
  onTrace?(entry: TraceEntry): void
  onAnswer?(name: string, value: Answer): void
}

export type ScriptEnding =
  | { kind: 'finished' }
  /** The script threw and nobody caught it; `place` is the innermost line of the script. */
  | { kind: 'threw'; error: TraceError; place: SourcePlace | null }
  /** Its host ended it. */
  | { kind: 'stopped'; why: string }

export interface ScriptOutcome {
  ending: ScriptEnding
  /** `answer(name, value)`, the newest of each name. */
  answers: Record<string, Answer>
}

/**
 * Runs a script to its end. Calls that it began and did not await are told in a line of their own, and are over too
 * when it has finished; after one that threw, the host closes the port. Never rejects.
 */
export async function runScript(bundle: ScriptBundle, host: ScriptHost): Promise<ScriptOutcome> {
  const answers: Record<string, Answer> = {}
  const { port } = host
  longStacks()
  const run = new ScriptRun(bundle, {
    moment: () => port.instructions ?? null,
    port,
    guests: bundle.guests,
    onTrace: entry => host.onTrace?.(entry),
    onPrint: line => host.onPrint?.(line),
    onAnswer: (name, value) => {
      Object.defineProperty(answers, name, { value, enumerable: true, configurable: true, writable: true })
      host.onAnswer?.(name, value)
    },
  })
  return { ending: await run.ending(), answers }
}

/** V8 keeps ten frames of a stack unless told; the script's own line may be further out. */
function longStacks(): void {
  const errors = Error as { stackTraceLimit?: number }
  if (errors.stackTraceLimit !== undefined) errors.stackTraceLimit = Math.max(errors.stackTraceLimit, 40)
}

type LabHooks = Omit<LabOptions, 'place' | 'admit'>

interface Module {
  exports: Record<string, unknown>
}

type ModuleFunction = (require: (name: string) => unknown, exports: object, module: Module) => Promise<void>

/** One run: evaluates modules, dependencies first, each once. */
class ScriptRun {
  private readonly maps = new Map<string, LineMap | null>()
  private readonly modules = new Map<string, Module>()
  /** The call of the API that failed last. */
  private failed: TraceEntry | null = null
  /** The script's own calls that are under way, by id. */
  private readonly underWay = new Map<number, TraceEntry>()
  private over = false
  private settled = () => {}

  constructor(
    private readonly bundle: ScriptBundle,
    private readonly hooks: LabHooks,
  ) {}

  async ending(): Promise<ScriptEnding> {
    try {
      const lab = await makeLab({ ...this.hooks, onTrace: entry => this.noted(entry), place: () => this.placeOfCaller(), admit: () => this.admit() })
      await this.evaluate(this.bundle.entry, lab)
      await this.unawaited()
      return { kind: 'finished' }
    } catch (thrown) {
      this.over = true
      const stack = thrown instanceof Error ? (thrown.stack ?? '') : ''
      const error = traceError(thrown)
      if (!(thrown instanceof Error)) error.message = `threw ${typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)}`
      const { failed } = this
      // Not every engine's stack goes back beyond what was awaited.
      const place = scriptPlace(stack, this.maps) ?? (failed?.error?.message === error.message ? failed.place : null)
      return { kind: 'threw', error, place }
    }
  }

  private noted(entry: TraceEntry): void {
    if (entry.parent === null) {
      if (entry.state === 'running') this.underWay.set(entry.id, entry)
      else this.underWay.delete(entry.id)
      if (entry.state === 'failed') this.failed = entry
    }
    this.hooks.onTrace(entry)
    if (this.underWay.size === 0) this.settled()
  }

  /** Parts of a script that nobody waits for may still run when it has ended. */
  private admit(): void {
    if (this.over) throw new ClosedError('script-ended', 'The script has ended: this call came after it.', 'Await each call before the script ends.')
  }

  /** The last line has run: what was begun and not awaited is told, and waited for. */
  private async unawaited(): Promise<void> {
    this.over = true
    if (this.underWay.size === 0) return
    for (const { text, place } of this.underWay.values()) {
      this.hooks.onPrint(`${place === null ? '' : `${place.file}:${place.line}: `}${text} was not awaited. The script ends when this call has.`)
    }
    await new Promise<void>(resolve => {
      this.settled = resolve
    })
  }

  /** The line of the script that is calling the API right now. */
  private placeOfCaller(): SourcePlace | null {
    return scriptPlace(new Error('place').stack ?? '', this.maps)
  }

  /** Runs a module to its end, after those it requires. A circle of modules sees what is exported so far. */
  private async evaluate(file: string, lab: LabModule): Promise<void> {
    if (this.modules.has(file)) return
    const compiled = this.bundle.modules[file]
    if (compiled === undefined) throw new Error(`The workspace has no module ${file}.`)
    const module: Module = { exports: {} }
    this.modules.set(file, module)
    const { code, lines } = splitSourceMap(compiled)
    this.maps.set(file, lines)
    for (const needed of requiredModules(code)) {
      if (needed !== LAB_MODULE) await this.evaluate(this.resolve(file, needed), lab)
    }
    const require = (name: string): unknown => {
      if (name === LAB_MODULE) return lab
      return this.modules.get(this.resolve(file, name))?.exports
    }
    await moduleFunction(file, code)(require, module.exports, module)
  }

  /** `./guestlib`, `./guestlib.ts` or `./guestlib.js`, from the directory of a file. */
  private resolve(from: string, name: string): string {
    if (!name.startsWith('.')) throw new Error(`${from} imports ${JSON.stringify(name)}: a script can import 'lab' and files of its own workspace ('./name').`)
    const parts = from.split('/').slice(0, -1)
    for (const part of name.split('/')) {
      if (part === '..') parts.pop()
      else if (part !== '.' && part !== '') parts.push(part)
    }
    const path = parts.join('/')
    const found = [path, `${path}.ts`, path.replace(/\.js$/, '.ts'), `${path}/index.ts`].find(file => Object.hasOwn(this.bundle.modules, file))
    if (found === undefined) throw new Error(`${from} imports ${JSON.stringify(name)}, and the workspace has no such file.`)
    return found
  }
}

/** What compiled code requires, in order. */
function requiredModules(code: string): string[] {
  return [...code.matchAll(/\brequire\((["'])([^"'\n]+)\1\)/g)].map(found => found[2] as string)
}

/**
 * The code as the body of an async function. It begins on the first line of the whole, so that lines are those of the
 * compiled code, and it has a name for stacks.
 */
function moduleFunction(file: string, code: string): ModuleFunction {
  // biome-ignore lint/security/noGlobalEval: running the learner's code is what this is for; the page's sandbox confines it
  const evaluate = globalThis.eval
  return evaluate(`(async function (require, exports, module) {${code}\n})\n//# sourceURL=${URL_PREFIX}${file}`) as ModuleFunction
}
