import { useEffect, useRef, useState } from 'react'
import type { Command } from '../commands.ts'
import { runCommand } from '../commands.ts'
import { useLab } from '../store.ts'
import { SYSTEM } from '../system/system-commands.ts'
import { SYSTEM_WORKSPACE } from '../system/system-store.ts'
import { CODE } from './editor-commands.ts'
import { useFiles } from './files-store.ts'

/** The commands about the file in the editor, at the end of the row of tabs. */
export function CodeToolbar() {
  const view = useFiles(state => state.view)
  const listing = useFiles(state => state.listing)
  const system = useFiles(state => state.current === SYSTEM_WORKSPACE)
  return (
    <div className="code-toolbar" role="toolbar" aria-label="Code">
      {system ? (
        <Tool command={SYSTEM.boot} label="Build and boot" strong />
      ) : (
        <Tool command={CODE.run} label="Run" strong />
      )}
      <Tool command={CODE.save} label="Save" />
      <Tool command={CODE.listing} label="Listing" pressed={listing} />
      <Tool command={CODE.diff} label="Diff" pressed={view === 'diff'} />
      <Tool command={CODE.resetFile} label="Reset" />
      <More />
    </div>
  )
}

function Tool(props: { command: Command; label: string; pressed?: boolean; strong?: boolean }) {
  const { command, label, pressed, strong } = props
  const machine = useLab(state => command.enabled(state))
  // What applies depends on the open file as well.
  const files = useFiles(() => command.enabled(useLab.getState()))
  return (
    <button
      type="button"
      className={strong === true ? 'code-tool strong' : 'code-tool'}
      disabled={!(machine && files)}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      title={command.keyLabel === undefined ? command.title : `${command.title}  ${command.keyLabel}`}
      onClick={() => runCommand(command)}
    >
      {label}
    </button>
  )
}

const FURTHER: readonly Command[] = [CODE.undoReset, CODE.resetAll, CODE.newFile, CODE.renameFile, CODE.removeFile]

function More() {
  const [open, setOpen] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const close = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !place.current?.contains(event.target as Node))
        setOpen(false)
    }
    window.addEventListener('pointerdown', close)
    window.addEventListener('keydown', close)
    place.current?.querySelector<HTMLElement>('[role="menuitem"]:not(:disabled)')?.focus()
    return () => {
      window.removeEventListener('pointerdown', close)
      window.removeEventListener('keydown', close)
    }
  }, [open])
  return (
    <div className="code-more" ref={place}>
      <button
        type="button"
        className="code-tool"
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        More
      </button>
      {open && (
        <div
          role="menu"
          tabIndex={-1}
          aria-label="More about the code"
          onKeyDown={event => {
            if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
            event.preventDefault()
            const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)')]
            const at = items.indexOf(document.activeElement as HTMLElement)
            items[(at + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length]?.focus()
          }}
        >
          {FURTHER.map(command => (
            <button
              key={command.id}
              type="button"
              role="menuitem"
              disabled={!command.enabled(useLab.getState())}
              onClick={() => {
                setOpen(false)
                runCommand(command)
              }}
            >
              {command.title}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
