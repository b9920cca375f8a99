/**
 * Runs scripts in the page: compiles the open workspace, boots a machine with the lab agent where none is up, starts
 * the sandbox, and keeps the store told. One script at a time.
 */
import type { RemoteAgentPort } from '../../engine/agent/remote-port.ts'
import type { ScriptBundle, ScriptEnding } from '../../lessons/kvm/run-script.ts'
import type { Answer } from '../../lessons/kvm/lab.d.ts'
import { compileScripts } from '../editor/compile-scripts.ts'
import { clearDiagnostics, setDiagnostics, useFiles, workspaceFiles } from '../editor/files-store.ts'
import { useLayout } from '../layout/layout-store.ts'
import { boot } from '../machine-control.ts'
import { isAlive, setChoice, useLab } from '../store.ts'
import { agentReady, openAgentPort, whenAgentReady } from './agent-channel.ts'
import { assembleGuests, isAssembly } from './guests.ts'
import { ScriptSandbox } from './sandbox.ts'
import type { Output } from './sandbox-protocol.ts'
import { isRunning, type ScriptProblem, useScript } from './script-store.ts'
import { TraceRows } from './trace-rows.ts'

/** Where a workspace's script begins, when it has a file of that name; else with its only script. */
const ENTRY = ['main.ts', 'script.ts']
const SOURCE = 'run'

export interface RunResult {
  ending: ScriptEnding
  answers: Readonly<Record<string, Answer>>
}

/** What of the present run can be ended. */
let current: {
  sandbox: ScriptSandbox | null
  port: RemoteAgentPort | null
  finish(ending: ScriptEnding): void
} | null = null

/** Workspaces that are run in a way of their own: a lesson's, with its checks. */
export const ownRuns: { of: ((workspace: string) => (() => Promise<void>) | null) | null } = { of: null }

/** Compiles the open workspace, makes sure of a machine, and runs. Whatever is wrong ends up in the store. */
export async function runOpenWorkspace(): Promise<void> {
  const workspace = useFiles.getState().current
  if (workspace === null || isRunning(useScript.getState())) return
  const own = ownRuns.of?.(workspace) ?? null
  if (own !== null) return own()
  useLayout.setState({ dock: 'trace' })
  const run = begin('compiling')
  const bundle = await bundleOf(workspace)
  if (useScript.getState().run !== run) return
  if (Array.isArray(bundle)) {
    useScript.setState({ phase: 'ended', problems: bundle, ending: null })
    return
  }
  const why = await machineWithAgent(run)
  if (useScript.getState().run !== run) return
  if (why !== null) {
    useScript.setState({ phase: 'ended', ending: { kind: 'stopped', why } })
    return
  }
  const { ending } = await runBundle(bundle)
  showPlace(workspace, ending)
}

/**
 * Runs a compiled script on the machine that is up. For the editor's Run and for lessons.
 * @param onOutput hears what the script does as it does it
 * @returns when the script has ended, in whatever way
 */
export function runBundle(
  bundle: ScriptBundle,
  onOutput: (items: readonly Output[]) => void = () => {},
): Promise<RunResult> {
  stopScript('Another script was started.')
  begin('running')
  const rows = new TraceRows()
  const port = openAgentPort()
  return new Promise(resolve => {
    const finish = (ending: ScriptEnding) => {
      if (current !== me) return
      current = null
      port.close('The script has ended.')
      useScript.setState({ phase: 'ended', ending })
      resolve({ ending, answers: useScript.getState().answers })
    }
    const me: NonNullable<typeof current> = { sandbox: null, port, finish }
    current = me
    me.sandbox = new ScriptSandbox(bundle, port, {
      onOutput: items => {
        useScript.setState(state => ({
          rows: rows.take(items),
          calls: rows.calls,
          forgotten: rows.forgotten,
          answers: withAnswers(state.answers, items),
        }))
        onOutput(items)
      },
      onEnd: ending => finish(ending ?? { kind: 'stopped', why: LOST }),
    })
  })
}

const LOST =
  'The script computed for some seconds without ever waiting for the machine, so it was ended: it was in an endless loop, or filling the memory. ' +
  'The machine and your files are as they were.'

/** Ends the script that runs, at any moment. */
export function stopScript(
  why = 'You stopped the script. What it had opened in the machine stays open there; Reset closes all of it.',
): void {
  const state = useScript.getState()
  if (current !== null) {
    current.sandbox?.stop()
    current.finish({ kind: 'stopped', why })
  } else if (isRunning(state)) {
    useScript.setState({ phase: 'ended', run: state.run + 1, ending: { kind: 'stopped', why } })
  }
}

/** The store forgets the run before. @returns the number of this one: another number there means it was stopped */
export function begin(phase: 'compiling' | 'running'): number {
  const { run } = useScript.getState()
  useScript.setState({ phase, rows: [], calls: 0, forgotten: 0, problems: [], ending: null, answers: {}, run: run + 1 })
  return run + 1
}

function withAnswers(
  answers: Readonly<Record<string, Answer>>,
  items: readonly Output[],
): Readonly<Record<string, Answer>> {
  const told = items.filter(item => item.kind === 'answer')
  return told.length === 0
    ? answers
    : { ...answers, ...Object.fromEntries(told.map(({ name, value }) => [name, value])) }
}

/** Scripts compiled and guests assembled, or what is wrong with them. */
export async function bundleOf(workspace: string): Promise<ScriptBundle | ScriptProblem[]> {
  const files = workspaceFiles(workspace)
  const scripts = Object.keys(files).filter(file => file.endsWith('.ts'))
  const entry = ENTRY.find(name => scripts.includes(name)) ?? (scripts.length === 1 ? scripts[0] : undefined)
  if (entry === undefined) {
    return [
      {
        file: '',
        line: 0,
        column: 0,
        message: 'There is nothing to run: the workspace has no main.ts. Make one, or reset the files.',
      },
    ]
  }
  const compiled = await compileScripts(workspace)
  const texts = scripts.map(file => files[file] ?? '')
  // A guest is assembled when a script names it; other .s files may be parts of it.
  const named = Object.keys(files).filter(file => isAssembly(file) && texts.some(text => text.includes(file)))
  const { guests, problems } = await assembleGuests(files, named)
  if ('diagnostics' in compiled) return [...compiled.diagnostics, ...problems]
  if (problems.length > 0) return [...problems]
  return { entry, modules: compiled.modules, guests }
}

/** A machine whose agent is up: the present one, or the chosen one booted with it. @returns null, or why there is none */
async function machineWithAgent(run: number): Promise<string | null> {
  const state = useLab.getState()
  if (isAlive(state) && agentReady()) return null
  useScript.setState({ phase: 'booting' })
  const bootedWithAgent = isAlive(state) && state.booted !== null && hasAgent(state.booted.append)
  if (!bootedWithAgent) {
    setChoice({ append: withAgent(state.choice.append), initrd: 'lab' })
    await boot()
  }
  return whenAgentReady(() => {
    const { machine, notice, booted } = useLab.getState()
    if (useScript.getState().run !== run) return 'The run was given up.'
    if (machine.state === 'stopped') return 'The machine stopped before its agent was ready. Its console may say why.'
    if (machine.state === 'empty' && notice !== null) return `${notice.message} ${notice.hint}`
    if (machine.state === 'empty' && booted === null)
      return 'The machine was reset before its agent was ready. Run the script again.'
    return null
  })
}

export function hasAgent(append: string): boolean {
  return /(^|\s)lab\.init=agent(\s|$)/.test(append)
}

/** The same command line asking for the agent in place of the probe or the shell. */
export function withAgent(append: string): string {
  const others = append.split(/\s+/).filter(word => word !== '' && !word.startsWith('lab.init='))
  return [...others, 'lab.init=agent'].join(' ')
}

/** The line that threw gets a mark in the editor. */
export function showPlace(workspace: string, ending: ScriptEnding): void {
  clearDiagnostics(SOURCE, workspace)
  if (ending.kind !== 'threw' || ending.place === null) return
  const { file, line } = ending.place
  setDiagnostics(file, [{ message: ending.error.message, line, column: 1, severity: 'error' }], SOURCE, workspace)
}

// A script belongs to the machine that it was started on: never to one that takes its place.
useLab.subscribe((now, before) => {
  if (now.booted !== before.booted && current !== null)
    current.port?.close('The machine was reset, or another took its place.')
  if (now.machine.state === 'stopped' && before.machine.state !== 'stopped') current?.port?.close('The machine is off.')
})
