import { ALL_COMMANDS, type Command, runCommand } from '../commands.ts'
import { makeRoomForCode, showLow } from '../layout/layout-store.ts'
import { useCodeDialog } from './code-dialog-store.ts'
import {
  isChanged,
  resetAll,
  resetFile,
  save,
  undoReset,
  useFiles,
  type Workspace,
  type WorkspaceFile,
} from './files-store.ts'

/*
 * What can be done with code. Monaco is not needed to know these, so this module stays out of its chunk; what moves the
 * caret is asked of the editor through `editorHandle`.
 */

/** The editor, once it is there. */
export const editorHandle: {
  current: { focus(): void; reveal(file: string, line: number, column: number): void; nextProblem(): void } | null
} = { current: null }

const workspaceNow = (): Workspace | undefined => {
  const { current, workspaces } = useFiles.getState()
  return current === null ? undefined : workspaces[current]
}
const fileNow = (): WorkspaceFile | undefined => {
  const workspace = workspaceNow()
  return workspace?.files[workspace.open]
}
const some = () => workspaceNow() !== undefined
const onFile = (act: (id: string, path: string) => void) => () => {
  const workspace = workspaceNow()
  if (workspace !== undefined) act(workspace.id, workspace.open)
}
const script = () => ALL_COMMANDS.find(command => command.id === 'script.run')

/** Shows the code, with room to read it, and puts the caret there. */
function showCode(): void {
  showLow('code')
  makeRoomForCode()
  const focus = (tries: number) => {
    if (editorHandle.current !== null) editorHandle.current.focus()
    else if (tries > 0) setTimeout(() => focus(tries - 1), 100)
  }
  requestAnimationFrame(() => focus(100))
}

export const CODE = {
  show: {
    id: 'view.code',
    title: 'Go to the code',
    key: 'Alt+Shift+KeyD',
    keyLabel: 'Alt ⇧ D',
    enabled: () => true,
    run: showCode,
  },
  save: { id: 'code.save', title: 'Save the code', keyLabel: 'Ctrl S', enabled: some, run: save },
  run: {
    id: 'code.run',
    title: 'Run the script',
    keyLabel: 'Ctrl ↵',
    enabled: state => some() && script()?.enabled(state) === true,
    run: () => {
      const command = script()
      if (command === undefined) return
      save()
      runCommand(command)
    },
  },
  diff: {
    id: 'code.diff',
    title: 'Compare the file with its original',
    enabled: () => typeof fileNow()?.original === 'string',
    run: () => useFiles.setState(({ view }) => ({ view: view === 'diff' ? 'edit' : 'diff' })),
  },
  listing: {
    id: 'code.listing',
    title: 'Listing: the bytes the assembler makes, show or hide',
    enabled: () => /\.(?:s|S|inc|h)$/.test(workspaceNow()?.open ?? ''),
    run: () => useFiles.setState(({ listing }) => ({ listing: !listing })),
  },
  resetFile: {
    id: 'code.resetFile',
    title: 'Put the file back to its original',
    enabled: () => {
      const file = fileNow()
      return file !== undefined && isChanged(file)
    },
    run: onFile(resetFile),
  },
  undoReset: {
    id: 'code.undoReset',
    title: 'Bring back the text from before the last reset',
    enabled: () => typeof fileNow()?.replaced === 'string',
    run: onFile(undoReset),
  },
  resetAll: {
    id: 'code.resetAll',
    title: 'Put all files back to their originals',
    enabled: () => Object.values(workspaceNow()?.files ?? {}).some(isChanged),
    run: onFile(id => resetAll(id)),
  },
  newFile: {
    id: 'code.newFile',
    title: 'New file…',
    enabled: some,
    run: () => useCodeDialog.setState({ asks: 'new' }),
  },
  renameFile: {
    id: 'code.renameFile',
    title: 'Rename the file…',
    enabled: () => fileNow()?.readOnly === false,
    run: () => useCodeDialog.setState({ asks: 'rename' }),
  },
  removeFile: {
    id: 'code.removeFile',
    title: 'Delete the file',
    enabled: () => fileNow()?.readOnly === false,
    run: () => useCodeDialog.setState({ asks: 'remove' }),
  },
  nextProblem: {
    id: 'code.nextProblem',
    title: 'Go to the next problem in the code',
    keyLabel: 'F8',
    enabled: some,
    run: () => editorHandle.current?.nextProblem(),
  },
} satisfies Record<string, Command>

export const CODE_COMMANDS: readonly Command[] = Object.values(CODE)
