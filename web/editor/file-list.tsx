import { type KeyboardEvent, useEffect, useRef } from 'react'
import { runCommand } from '../commands.ts'
import { CODE } from './editor-commands.ts'
import { fileKey, isChanged, openFile, restoreFile, showWorkspace, useFiles, type Workspace } from './files-store.ts'

/** The files of the workspace: a row of tabs for a few, a column by folders for many. Arrow keys go from file to file. */
export function FileList(props: { workspace: Workspace; column: boolean }) {
  const { workspace, column } = props
  const errorsBy = useFiles(state => state.errors)
  const list = useRef<HTMLDivElement>(null)
  const paths = Object.keys(workspace.files).filter(path => workspace.files[path]?.removed === false)
  const gone = Object.keys(workspace.files).filter(path => workspace.files[path]?.removed === true)
  const sorted = column ? [...paths].sort(byFolder) : paths
  // biome-ignore lint/correctness/useExhaustiveDependencies: another file is chosen
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [workspace.id, workspace.open])
  const onKeyDown = (event: KeyboardEvent) => {
    const at = sorted.indexOf(workspace.open)
    const next = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: sorted.length - 1,
    }[event.key]
    if (event.key === 'F2') return void runCommand(CODE.renameFile)
    if (event.key === 'Delete') return void runCommand(CODE.removeFile)
    if (next === undefined) return
    event.preventDefault()
    const path = sorted[(next + sorted.length) % sorted.length]
    if (path === undefined) return
    openFile(workspace.id, path)
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus())
  }
  return (
    <div className={column ? 'files column' : 'files row'}>
      <WorkspaceChoice current={workspace.id} />
      <div
        role="tablist"
        aria-label={`Files of ${workspace.title}`}
        aria-orientation={column ? 'vertical' : 'horizontal'}
        ref={list}
        onKeyDown={onKeyDown}
      >
        {sorted.map((path, index) => {
          const file = workspace.files[path]
          if (file === undefined) return null
          const folder = folderOf(path)
          const errors = errorsBy[fileKey(workspace.id, path)] ?? 0
          const chosen = path === workspace.open
          return (
            <div key={path} role="presentation" className="file">
              {column && folder !== '' && folder !== folderOf(sorted[index - 1] ?? '') && (
                <span className="folder" aria-hidden="true">
                  {folder}
                </span>
              )}
              <button
                type="button"
                role="tab"
                data-file={path}
                className={column && folder !== '' ? 'in-folder' : ''}
                data-read-only={file.readOnly}
                aria-selected={chosen}
                tabIndex={chosen ? 0 : -1}
                aria-controls="code-editor"
                title={file.readOnly ? `${path}, read only` : path}
                onClick={() => openFile(workspace.id, path)}
              >
                <span>{column ? path.slice(folder === '' ? 0 : folder.length + 1) : path}</span>
                {file.readOnly && <small className={column ? 'unseen' : ''}>read only</small>}
                {isChanged(file) && (
                  <span className="changed" title="differs from its original">
                    <span aria-hidden="true">±</span>
                    <span className="unseen">changed</span>
                  </span>
                )}
                {errors > 0 && (
                  <span className="errors">
                    {errors}
                    <span className="unseen">{errors === 1 ? ' error' : ' errors'}</span>
                  </span>
                )}
              </button>
            </div>
          )
        })}
      </div>
      {gone.length > 0 && (
        <p className="gone">
          {gone.map(path => (
            <button key={path} type="button" className="link" onClick={() => restoreFile(workspace.id, path)}>
              Restore {path}
            </button>
          ))}
        </p>
      )}
    </div>
  )
}

/** Which files: the learner's own, a lesson's, a system's. One set alone is no choice. */
function WorkspaceChoice(props: { current: string }) {
  const workspaces = useFiles(state => state.workspaces)
  const all = Object.values(workspaces)
  if (all.length < 2) return null
  return (
    <select
      className="workspace-choice"
      aria-label="Workspace"
      value={props.current}
      onChange={event => showWorkspace(event.target.value)}
    >
      {all.map(({ id, title }) => (
        <option key={id} value={id}>
          {title}
        </option>
      ))}
    </select>
  )
}

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '')

/** Files of the top first, then folder by folder. */
function byFolder(a: string, b: string): number {
  return folderOf(a).localeCompare(folderOf(b)) || a.localeCompare(b)
}
