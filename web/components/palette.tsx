import { useEffect, useRef, useState } from 'react'
import { ALL_COMMANDS, runCommand } from '../commands.ts'
import { useLab } from '../store.ts'

/** Every command by name, for those who do not use a mouse. */
export function Palette() {
  const open = useLab(state => state.paletteOpen)
  return open ? <OpenPalette /> : null
}

function close() {
  useLab.setState({ paletteOpen: false })
}

function OpenPalette() {
  const dialog = useRef<HTMLDialogElement>(null)
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const state = useLab()
  const found = ALL_COMMANDS.filter(
    command => command.id !== 'view.commands' && command.title.toLowerCase().includes(query.toLowerCase()),
  )
  useEffect(() => {
    const opened = dialog.current
    opened?.showModal()
    return () => opened?.close()
  }, [])
  const choose = (index: number) => {
    const command = found[index]
    if (command === undefined || !command.enabled(state)) return
    close()
    runCommand(command)
  }
  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Commands"
      onClose={close}
      onClick={event => {
        if (event.target === dialog.current) close()
      }}
      onKeyDown={event => {
        if (event.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1))
        else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
        else if (event.key === 'Enter') choose(at)
        else return
        event.preventDefault()
      }}
    >
      <input
        type="text"
        aria-label="Find a command"
        placeholder="Find a command"
        value={query}
        onChange={event => {
          setQuery(event.target.value)
          setAt(0)
        }}
      />
      <ul>
        {found.map((command, index) => (
          <li key={command.id}>
            <button
              type="button"
              className={index === at ? 'at' : ''}
              disabled={!command.enabled(state)}
              onClick={() => choose(index)}
              onMouseEnter={() => setAt(index)}
            >
              <span>{command.title}</span>
              {command.keyLabel !== undefined && <kbd>{command.keyLabel}</kbd>}
            </button>
          </li>
        ))}
      </ul>
    </dialog>
  )
}
