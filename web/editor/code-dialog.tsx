import { useEffect, useRef, useState } from 'react'
import { useCodeDialog } from './code-dialog-store.ts'
import { addFile, removeFile, renameFile, useFiles } from './files-store.ts'

/** Asks for a file's name, or whether to delete it. */
export function CodeDialog() {
  const asks = useCodeDialog(state => state.asks)
  const workspace = useFiles(state => (state.current === null ? undefined : state.workspaces[state.current]))
  if (asks === null || workspace === undefined) return null
  return <OpenDialog key={asks} asks={asks} id={workspace.id} path={workspace.open} />
}

const TITLES = { new: 'New file', rename: 'Rename the file', remove: 'Delete the file?' } as const

function close() {
  useCodeDialog.setState({ asks: null })
}

function OpenDialog(props: { asks: 'new' | 'rename' | 'remove'; id: string; path: string }) {
  const { asks, id, path } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const [name, setName] = useState(asks === 'rename' ? path : '')
  const [fault, setFault] = useState<string | null>(null)
  useEffect(() => {
    const opened = dialog.current
    opened?.showModal()
    return () => opened?.close()
  }, [])
  const accept = () => {
    try {
      if (asks === 'new') addFile(id, name.trim())
      else if (asks === 'rename') {
        if (name.trim() !== path) renameFile(id, path, name.trim())
      } else removeFile(id, path)
      close()
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <dialog ref={dialog} className="code-dialog" aria-labelledby="code-dialog-title" onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          accept()
        }}
      >
        <h2 id="code-dialog-title">{TITLES[asks]}</h2>
        {asks === 'remove' ? (
          <p>
            <code>{path}</code> leaves the list. Its text is kept: {'"'}Put all files back{'"'} and {'"'}Restore{'"'}{' '}
            bring files back.
          </p>
        ) : (
          <label>
            Name
            <input
              type="text"
              value={name}
              placeholder={asks === 'new' ? 'second.s' : ''}
              autoComplete="off"
              spellCheck={false}
              aria-describedby="code-dialog-fault"
              onChange={event => {
                setName(event.target.value)
                setFault(null)
              }}
            />
          </label>
        )}
        <p id="code-dialog-fault" className="fault" role="alert">
          {fault}
        </p>
        <div className="row">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button primary">
            {asks === 'new' ? 'Make' : asks === 'rename' ? 'Rename' : 'Delete'}
          </button>
        </div>
      </form>
    </dialog>
  )
}
