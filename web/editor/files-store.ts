import { create } from 'zustand'
import { type KeptFile, type KeptWorkspace, openKeeper } from './files-keeper.ts'

/**
 * What the learner writes. A workspace is a set of files with a name: the free one, or a lesson's. Each file remembers
 * the text it began with. Edits are kept in the browser as they are made, so that a reload or a crash loses nothing;
 * where the browser keeps nothing, they last as long as the page.
 */
export interface WorkspaceFile {
  readonly text: string
  /** The text that Reset brings back; null for a file that the learner added. */
  readonly original: string | null
  readonly readOnly: boolean
  /** What stood here before the last reset. */
  readonly replaced: string | null
  /** Deleted by the learner; kept until reset or restored. */
  readonly removed: boolean
}

export interface Workspace {
  readonly id: string
  readonly title: string
  /** In the order of the file list. */
  readonly files: Readonly<Record<string, WorkspaceFile>>
  /** The file in the editor. */
  readonly open: string
  /** What assembly starts from when a file that others include is open; see `assemblyEntry`. */
  readonly entries: readonly string[]
}

/** Something wrong at a place in a file; lines and columns count from 1. */
export interface Problem {
  readonly message: string
  readonly line: number
  readonly column: number
  /** Exclusive; the end of the word or line when absent. */
  readonly endColumn?: number
  readonly severity: 'error' | 'warning' | 'hint'
}

export type Keeping = 'asking' | 'kept' | 'off'

export interface FilesState {
  readonly workspaces: Readonly<Record<string, Workspace>>
  /** The workspace in the editor; null until the first is open. */
  readonly current: string | null
  /** By workspace and file (`fileKey`), by who found them. */
  readonly problems: Readonly<Record<string, Readonly<Record<string, readonly Problem[]>>>>
  /** Errors marked in each file (`fileKey`), of whatever source, TypeScript's included. */
  readonly errors: Readonly<Record<string, number>>
  readonly keeping: Keeping
  /** Changes that are not yet in the browser's storage. */
  readonly unsaved: number
  readonly view: 'edit' | 'diff'
  readonly listing: boolean
}

export const useFiles = create<FilesState>(() => ({
  workspaces: {},
  current: null,
  problems: {},
  errors: {},
  keeping: 'asking',
  unsaved: 0,
  view: 'edit',
  listing: false,
}))

export interface OpenOptions {
  readonly title?: string
  /** Files that cannot be changed. */
  readonly readOnly?: readonly string[]
  /** The file to begin with; else the one that was open last, else the first. */
  readonly open?: string
  /** Files that are assembled by themselves, such as `main.s`; else every .s file that no other includes. */
  readonly entries?: readonly string[]
  /** False: the workspace is made known, and what the editor shows stays. */
  readonly show?: boolean
}

const keeper = openKeeper()
const dirty = new Set<string>()
const savers = new Map<string, Set<(files: Readonly<Record<string, string>>) => void>>()
let timer: ReturnType<typeof setTimeout> | undefined
/** Milliseconds from a change until it is kept. */
const PAUSE = 250

export const fileKey = (workspace: string, path: string): string => `${workspace}/${path}`

/**
 * Opens a workspace: the given files, with the learner's kept edits in their place. Where an original has changed since
 * and the learner had not touched the file, the new original is taken.
 * @param id stable: `free`, `lesson/who-runs-at-el2`
 * @param files originals by path; paths are relative, with `/`
 */
export async function openWorkspace(
  id: string,
  files: Readonly<Record<string, string>>,
  options: OpenOptions = {},
): Promise<Workspace> {
  const known = useFiles.getState().workspaces[id]
  const kept = known === undefined ? await keeper.read(id) : keptForm(known)
  // While it was being read, another call may have opened it.
  const meanwhile = useFiles.getState().workspaces[id]
  const workspace = merged(id, files, options, meanwhile === undefined ? kept : keptForm(meanwhile))
  useFiles.setState(state => ({
    workspaces: { ...state.workspaces, [id]: workspace },
    keeping: keeper.working() ? 'kept' : 'off',
    ...(options.show === false ? {} : { current: id, view: 'edit' as const }),
  }))
  return workspace
}

/** Originals and kept edits as one workspace. */
export function merged(
  id: string,
  files: Readonly<Record<string, string>>,
  options: OpenOptions,
  kept: KeptWorkspace | undefined,
): Workspace {
  const out: Record<string, WorkspaceFile> = {}
  for (const [path, original] of Object.entries(files)) {
    const own = kept?.files[path]
    const readOnly = options.readOnly?.includes(path) === true
    const edited = own !== undefined && !readOnly && own.text !== own.original
    out[path] = {
      text: edited ? own.text : original,
      original,
      readOnly,
      replaced: own?.replaced ?? null,
      removed: !readOnly && own?.removed === true,
    }
  }
  for (const [path, own] of Object.entries(kept?.files ?? {})) {
    // The learner's own files, and edited ones whose original is gone.
    if (out[path] !== undefined || (own.original !== null && own.text === own.original)) continue
    out[path] = { text: own.text, original: null, readOnly: false, replaced: own.replaced, removed: own.removed }
  }
  const present = Object.keys(out).filter(path => out[path]?.removed === false)
  const wished = [options.open, kept?.open].find(path => path !== undefined && present.includes(path))
  return {
    id,
    title: options.title ?? id,
    files: out,
    open: wished ?? present[0] ?? '',
    entries: options.entries ?? [],
  }
}

function keptForm(workspace: Workspace): KeptWorkspace {
  const files: Record<string, KeptFile> = {}
  for (const [path, { text, original, replaced, removed }] of Object.entries(workspace.files))
    files[path] = { text, original, replaced, removed }
  return { id: workspace.id, open: workspace.open, files }
}

/** The texts of a workspace as they stand in the editor, saved or not, without deleted files. */
export function workspaceFiles(id: string): Readonly<Record<string, string>> {
  const out: Record<string, string> = {}
  for (const [path, file] of Object.entries(useFiles.getState().workspaces[id]?.files ?? {}))
    if (!file.removed) out[path] = file.text
  return out
}

/**
 * Calls `saved` with all texts whenever the learner saves (Ctrl+S, ⌘S) in this workspace.
 * @returns a function that ends it
 */
export function onSave(id: string, saved: (files: Readonly<Record<string, string>>) => void): () => void {
  let set = savers.get(id)
  if (set === undefined) savers.set(id, (set = new Set()))
  set.add(saved)
  return () => void set.delete(saved)
}

/** Keeps everything now and tells those who wait for it. */
export function save(): void {
  void keepNow()
  const { current } = useFiles.getState()
  if (current === null) return
  for (const saved of savers.get(current) ?? []) saved(workspaceFiles(current))
}

/**
 * Marks problems in a file of the current workspace, in the place of those that the same source reported before.
 * @param source who found them, such as `run` or `kconfig`
 */
export function setDiagnostics(
  path: string,
  list: readonly Problem[],
  source = 'lab',
  workspace = useFiles.getState().current,
): void {
  if (workspace === null) return
  const key = fileKey(workspace, path)
  useFiles.setState(state => ({ problems: { ...state.problems, [key]: { ...state.problems[key], [source]: list } } }))
}

/** Forgets what a source reported, in all files of a workspace. */
export function clearDiagnostics(source: string, workspace = useFiles.getState().current): void {
  useFiles.setState(state => {
    const problems = { ...state.problems }
    for (const [key, bySource] of Object.entries(problems)) {
      if (workspace !== null && key.startsWith(`${workspace}/`) && (bySource[source]?.length ?? 0) > 0)
        problems[key] = { ...bySource, [source]: [] }
    }
    return { problems }
  })
}

function change(id: string, edit: (workspace: Workspace) => Workspace): void {
  const before = useFiles.getState().workspaces[id]
  if (before === undefined) return
  const after = edit(before)
  if (after === before) return
  dirty.add(id)
  useFiles.setState(state => ({ workspaces: { ...state.workspaces, [id]: after }, unsaved: dirty.size }))
  clearTimeout(timer)
  timer = setTimeout(() => void keepNow(), PAUSE)
}

function changeFile(id: string, path: string, edit: (file: WorkspaceFile) => WorkspaceFile): void {
  change(id, workspace => {
    const file = workspace.files[path]
    if (file === undefined) return workspace
    const after = edit(file)
    return after === file ? workspace : { ...workspace, files: { ...workspace.files, [path]: after } }
  })
}

export function setText(id: string, path: string, text: string): void {
  changeFile(id, path, file => (file.readOnly || file.text === text ? file : { ...file, text }))
}

export function openFile(id: string, path: string): void {
  change(id, workspace =>
    workspace.files[path] === undefined || workspace.open === path ? workspace : { ...workspace, open: path },
  )
  useFiles.setState({ current: id })
}

/** Puts a workspace that was opened before into the editor. */
export function showWorkspace(id: string): void {
  if (useFiles.getState().workspaces[id] !== undefined) useFiles.setState({ current: id, view: 'edit' })
}

/** True when Reset would change something. */
export function isChanged(file: WorkspaceFile): boolean {
  return file.original !== null && (file.removed || file.text !== file.original)
}

/** The original text again. The learner's stays reachable: `undoReset`. */
export function resetFile(id: string, path: string): void {
  changeFile(id, path, file => {
    if (!isChanged(file) || file.original === null) return file
    return {
      ...file,
      text: file.original,
      replaced: file.text === file.original ? file.replaced : file.text,
      removed: false,
    }
  })
}

export function resetAll(id: string): void {
  for (const path of Object.keys(useFiles.getState().workspaces[id]?.files ?? {})) resetFile(id, path)
}

/** The text before the last reset; the text that stood instead takes its place. */
export function undoReset(id: string, path: string): void {
  changeFile(id, path, file =>
    file.replaced === null
      ? file
      : { ...file, text: file.replaced, replaced: file.text === file.original ? null : file.text },
  )
}

const PATH = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/

/** Why a file cannot have this name; null when it can. */
export function nameFault(workspace: Workspace, path: string): string | null {
  if (!PATH.test(path))
    return 'A name has letters, digits, dots, dashes and underscores; folders are set off by a slash.'
  if (!/\.(?:ts|s|S|inc|h|md|txt)$/.test(path)) return 'The name ends in .ts for a script or in .s for assembly.'
  if (workspace.files[path]?.removed === false) return `There is a file ${path} already.`
  return null
}

/** @throws Error with one sentence for the learner when the name cannot be used */
export function addFile(id: string, path: string, text = ''): void {
  const workspace = useFiles.getState().workspaces[id]
  if (workspace === undefined) throw new Error('No workspace is open.')
  const fault = nameFault(workspace, path)
  if (fault !== null) throw new Error(fault)
  change(id, before => {
    const there = before.files[path]
    const file: WorkspaceFile = {
      text,
      original: there?.original ?? null,
      readOnly: false,
      replaced: there?.text ?? null,
      removed: false,
    }
    return { ...before, files: { ...before.files, [path]: file }, open: path }
  })
}

/** Deletes a file: one with an original waits for reset, the learner's own can be brought back with `restoreFile`. */
export function removeFile(id: string, path: string): void {
  change(id, workspace => {
    const file = workspace.files[path]
    if (file === undefined || file.readOnly || file.removed) return workspace
    const files = { ...workspace.files, [path]: { ...file, removed: true } }
    const rest = Object.keys(files).filter(name => files[name]?.removed === false)
    return { ...workspace, files, open: workspace.open === path ? (rest[0] ?? '') : workspace.open }
  })
}

export function restoreFile(id: string, path: string): void {
  changeFile(id, path, file => (file.removed ? { ...file, removed: false } : file))
}

/** @throws Error as `addFile` */
export function renameFile(id: string, path: string, name: string): void {
  const file = useFiles.getState().workspaces[id]?.files[path]
  if (file === undefined || file.readOnly) return
  addFile(id, name, file.text)
  removeFile(id, path)
}

/** The page in another tab tells what it kept, so that neither writes over the other's edits. */
const tabs =
  typeof window === 'undefined' || typeof BroadcastChannel === 'undefined'
    ? undefined
    : new BroadcastChannel('pkvm-lab-files')
tabs?.addEventListener('message', (event: MessageEvent<readonly KeptWorkspace[]>) => {
  for (const kept of event.data) {
    const known = useFiles.getState().workspaces[kept.id]
    // What is being typed here wins.
    if (known === undefined || dirty.has(kept.id)) continue
    const files: Record<string, WorkspaceFile> = { ...known.files }
    for (const [path, { text, replaced, removed }] of Object.entries(kept.files)) {
      const file = files[path]
      if (file?.readOnly !== true) files[path] = { original: null, readOnly: false, ...file, text, replaced, removed }
    }
    useFiles.setState(state => ({ workspaces: { ...state.workspaces, [kept.id]: { ...known, files } } }))
  }
})

/** Writes what has changed to the browser's storage. */
export async function keepNow(): Promise<void> {
  clearTimeout(timer)
  const ids = [...dirty]
  const { workspaces } = useFiles.getState()
  const kept = ids.flatMap(id => (workspaces[id] === undefined ? [] : [keptForm(workspaces[id])]))
  if (kept.length === 0) return
  // Changes made while the writing goes on are dirty again.
  dirty.clear()
  const done = await keeper.write(kept)
  if (done) tabs?.postMessage(kept)
  else for (const id of ids) dirty.add(id)
  useFiles.setState({ unsaved: dirty.size, keeping: done ? 'kept' : 'off' })
}

/** At the page's end nothing asynchronous is sure to finish; what is not yet kept goes into a journal. */
export function keepAtTheEnd(): void {
  const { workspaces } = useFiles.getState()
  const kept = [...dirty].flatMap(id => (workspaces[id] === undefined ? [] : [keptForm(workspaces[id])]))
  if (kept.length > 0) keeper.journal(kept)
  void keepNow()
}

if (typeof window !== 'undefined') {
  window.addEventListener('pagehide', keepAtTheEnd)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') keepAtTheEnd()
  })
}
