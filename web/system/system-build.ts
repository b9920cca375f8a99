import { KconfigError } from '../../engine/inspect/kconfig-menu.ts'
import type { BuildDiagnostic } from '../../engine/worker/build-protocol.ts'
import {
  type ConfiguredSystem,
  configureSystem,
  KCONFIG,
  SYSTEM_ORIGIN,
  SYSTEM_SECTIONS,
  SYSTEM_SOURCE,
} from '../../lessons/mini-pkvm/system.ts'
import { setDefines } from '../editor/assembly-store.ts'
import {
  clearDiagnostics,
  onSave,
  openWorkspace,
  type Problem,
  setDiagnostics,
  useFiles,
  workspaceFiles,
} from '../editor/files-store.ts'
import { FileError } from '../files.ts'
import { askBuild, notify } from '../machine-control.ts'
import { setChoice, useLab } from '../store.ts'
import { useSwitches } from '../switches/switch-store.ts'
import { SYSTEM_NAME, SYSTEM_WORKSPACE, type SystemConfig, useSystem } from './system-store.ts'

/** Markers of the editor by who found them. The editor's own assembler marks as `assembler` while one types. */
const ASSEMBLER = 'assembler'
const KCONFIG_READER = 'kconfig'

let opened: Promise<void> | null = null

/** The sources, with the learner's edits, are known to the editor. What the editor shows stays, unless `show`. */
export async function openSystem(show = false): Promise<void> {
  opened ??= (async () => {
    await open(false)
    onSave(SYSTEM_WORKSPACE, saved)
    reconfigure()
  })()
  await opened
  if (show) await open(true)
}

async function open(show: boolean): Promise<void> {
  const { SYSTEM_FILES } = await import('./system-sources.ts')
  await openWorkspace(SYSTEM_WORKSPACE, SYSTEM_FILES, {
    title: SYSTEM_NAME,
    entries: [SYSTEM_SOURCE],
    readOnly: ['README.md'],
    show,
  })
}

/** What the switches and the menu make of the options. */
function wishes(): Record<string, 'y' | 'n' | 'm'> {
  const { wish, withoutExpert } = useSwitches.getState()
  return { ...useSystem.getState().wishes, PROTECTED_VM_UAPI: wish, ...(withoutExpert ? { EXPERT: 'n' } : {}) }
}

/** @throws KconfigError */
function configured(change: Readonly<Record<string, 'y' | 'n'>> = {}): ConfiguredSystem {
  return configureSystem(workspaceFiles(SYSTEM_WORKSPACE), { ...wishes(), ...change })
}

/**
 * What a boot takes: sources as they stand in the editor, and the options.
 * @throws FileError when the Kconfig file cannot be read
 */
export async function systemToBoot(): Promise<ConfiguredSystem['system']> {
  await openSystem()
  try {
    return configured().system
  } catch (error) {
    if (error instanceof KconfigError)
      throw new FileError(kconfigSentence(error), 'Mend or reset the file, then boot again.')
    throw error
  }
}

/** What is wrong in which line, as a sentence. */
export function kconfigSentence(error: KconfigError): string {
  return `${KCONFIG}, line ${error.line}: ${error.message}.`
}

/**
 * What the Kconfig file among a workspace's sources makes of the options; the editor is told, or what is wrong is marked.
 * @param configure makes the system of these sources @returns the menu for the page
 */
export function readKconfig(workspace: string, configure: () => ConfiguredSystem): SystemConfig {
  clearDiagnostics(KCONFIG_READER, workspace)
  try {
    const { menu, options, system } = configure()
    const defines = Object.fromEntries(Object.entries(system.options).map(([name, value]) => [name, Number(value)]))
    setDefines(workspace, defines, { origin: SYSTEM_ORIGIN, layout: SYSTEM_SECTIONS })
    return { state: 'known', menu, options }
  } catch (error) {
    if (!(error instanceof KconfigError)) throw error
    const { message, line } = error
    setDiagnostics(KCONFIG, [{ message, line, column: 1, severity: 'error' }], KCONFIG_READER, workspace)
    return { state: 'absent', why: kconfigSentence(error) }
  }
}

/** Evaluate the Kconfig file anew and tell the choice what came out. */
function reconfigure(): void {
  useSystem.setState({ config: readKconfig(SYSTEM_WORKSPACE, configured) })
  updateChoice()
}

/** The kernel choice as it would be booted now: another edition or option makes it another. */
export function systemChoice() {
  const { config, edition } = useSystem.getState()
  const options: Record<string, string> = {}
  if (config.state === 'known') for (const { option, value } of config.options.values()) options[option.name] = value
  return { from: 'system', name: SYSTEM_NAME, edition, options } as const
}

function updateChoice(): void {
  if (useLab.getState().choice.kernel?.from === 'system') setChoice({ kernel: systemChoice() })
}

function saved(): void {
  useSystem.setState(({ edition }) => ({ edition: edition + 1 }))
  reconfigure()
  void build()
}

let turn = 0

/** Assembles what stands in the editor, marks the errors there, and tells how it went. Boots nothing. */
export async function build(): Promise<void> {
  await openSystem()
  const { config } = useSystem.getState()
  if (config.state !== 'known') return
  const mine = ++turn
  useSystem.setState({ building: true })
  const answer = await askBuild({ type: 'build', system: configured().system })
  if (mine !== turn) return
  useSystem.setState({ building: false })
  if (answer?.type !== 'built') return
  const { ok, diagnostics, bytes, instructions, milliseconds } = answer
  useSystem.setState({ build: { ok, diagnostics, bytes, instructions, milliseconds } })
  markDiagnostics(diagnostics, SYSTEM_WORKSPACE)
  if (useSystem.getState().comparing !== null) void compare(useSystem.getState().comparing!)
}

/** Errors and warnings at their places in the editor, in the place of those before. @param workspace has the sources */
export function markDiagnostics(diagnostics: readonly BuildDiagnostic[], workspace: string): void {
  clearDiagnostics(ASSEMBLER, workspace)
  const byFile = new Map<string, Problem[]>()
  const add = (file: string, problem: Problem) => byFile.set(file, [...(byFile.get(file) ?? []), problem])
  const files = useFiles.getState().workspaces[workspace]?.files ?? {}
  for (const { severity, message, file, line, column, within } of diagnostics) {
    add(files[file] === undefined ? SYSTEM_SOURCE : file, { message, line, column, severity })
    // In a macro: said where it is called as well, which is where the learner looks.
    const call = within[0]
    if (call !== undefined)
      add(call.file, {
        message: `${message} (in the expansion, line ${line} of ${file})`,
        line: call.line,
        column: 1,
        severity,
      })
  }
  for (const [file, problems] of byFile) setDiagnostics(file, problems, ASSEMBLER, workspace)
}

/** The sources that a boot brought do not assemble. The machine that was there stays. */
export function buildFailed(message: string, hint: string, diagnostics: readonly BuildDiagnostic[]): void {
  markDiagnostics(diagnostics, SYSTEM_WORKSPACE)
  useSystem.setState({ build: { ok: false, diagnostics, bytes: 0, instructions: 0, milliseconds: 0 } })
  notify({ message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`, hint })
}

/** Shows what an option does to the machine code: the listings without and with it, compared in the Worker. */
export async function compare(option: string): Promise<void> {
  await openSystem()
  useSystem.setState(state => ({ comparing: option, diff: state.comparing === option ? state.diff : null }))
  let before: ConfiguredSystem
  let after: ConfiguredSystem
  try {
    before = configured({ [option]: 'n' })
    // What the option depends on is on in both: only its own effect is asked for.
    after = configured({ [option]: 'y' })
  } catch (error) {
    if (error instanceof KconfigError) return
    throw error
  }
  const answer = await askBuild({
    type: 'diffListing',
    system: after.system,
    before: before.system.options,
    after: after.system.options,
  })
  if (answer?.type === 'listingDiff' && useSystem.getState().comparing === option) useSystem.setState({ diff: answer })
}

/** Switches and menu belong together: called once, when the page starts. */
export function startSystem(): void {
  const again = () => {
    if (opened === null) return
    const before = JSON.stringify(systemChoice())
    reconfigure()
    // An option is part of the build: another value is built at once, and booted when asked for.
    if (JSON.stringify(systemChoice()) !== before && useLab.getState().choice.kernel?.from === 'system') void build()
  }
  useSwitches.subscribe((state, before) => {
    if (state.wish !== before.wish || state.withoutExpert !== before.withoutExpert) again()
  })
  useSystem.subscribe((state, before) => {
    if (state.wishes !== before.wishes) again()
  })
  useLab.subscribe((state, before) => {
    if (state.choice.kernel?.from === 'system' && before.choice.kernel?.from !== 'system') void openSystem().then(build)
  })
}
