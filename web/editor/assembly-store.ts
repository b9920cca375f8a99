import { create } from 'zustand'
import { assemblyEntry } from './a64/outline.ts'
import { type Assembly, type AssemblyRequest, assembleFiles } from './assembler-client.ts'
import {
  clearDiagnostics,
  type FilesState,
  type Problem,
  setDiagnostics,
  useFiles,
  workspaceFiles,
} from './files-store.ts'

/** The last assembly of the file in the editor, for markers, hover and listing. */
export interface AssemblyState {
  readonly workspace: string
  readonly entry: string
  readonly assembly: Assembly | null
  /** Where the caret is. */
  readonly caret: { readonly file: string; readonly line: number }
}

export const useAssembly = create<AssemblyState>(() => ({
  workspace: '',
  entry: '',
  assembly: null,
  caret: { file: '', line: 0 },
}))

/** Milliseconds without a change after which the source is assembled. */
const PAUSE = 150
const SOURCE = 'assembler'
const options = new Map<string, Readonly<Record<string, bigint | number>>>()
const places = new Map<string, Pick<AssemblyRequest, 'origin' | 'layout'>>()
let timer: ReturnType<typeof setTimeout> | undefined
let serial = 0

/** Values that sources of this workspace may take for given, such as a Kconfig's options, and where they are linked. */
export function setDefines(
  workspace: string,
  defines: Readonly<Record<string, bigint | number>>,
  place: Pick<AssemblyRequest, 'origin' | 'layout'> = {},
): void {
  options.set(workspace, defines)
  places.set(workspace, place)
  schedule()
}

export function definesOf(workspace: string): Readonly<Record<string, bigint | number>> | undefined {
  return options.get(workspace)
}

const isAssembly = (path: string) => /\.(?:s|S|inc|h)$/.test(path)

function schedule(): void {
  clearTimeout(timer)
  timer = setTimeout(() => void assembleNow(), PAUSE)
}

async function assembleNow(): Promise<void> {
  const { current, workspaces } = useFiles.getState()
  const workspace = current === null ? undefined : workspaces[current]
  if (workspace === undefined || !isAssembly(workspace.open)) return
  const files = workspaceFiles(workspace.id)
  const entry = assemblyEntry(workspace.open, files, workspace.entries)
  const mine = ++serial
  // What the workspace is built into has its place; a guest beside it has not.
  const place =
    workspace.entries.length === 0 || workspace.entries.includes(entry) ? places.get(workspace.id) : undefined
  const assembly = await assembleFiles(files, entry, options.get(workspace.id), place)
  if (mine !== serial) return
  useAssembly.setState({ workspace: workspace.id, entry, assembly })
  clearDiagnostics(SOURCE, workspace.id)
  const byFile = new Map<string, Problem[]>()
  for (const { file, line, column, message } of assembly.diagnostics) {
    const list = byFile.get(file) ?? []
    list.push({ message, line, column, severity: 'error' })
    byFile.set(file, list)
  }
  for (const [file, list] of byFile) setDiagnostics(file, list, SOURCE, workspace.id)
}

let following = false

/** Assembles whenever the shown workspace's files change. */
export function followSources(): void {
  if (following) return
  following = true
  const follow = (state: FilesState, before?: FilesState) => {
    if (state.workspaces !== before?.workspaces || state.current !== before.current) schedule()
  }
  follow(useFiles.getState())
  useFiles.subscribe(follow)
}
