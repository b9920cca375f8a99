import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react'
import type { HostCallName } from '../../engine/worker/inspection-protocol.ts'
import { CALL_BOX } from './hypercall-commands.ts'
import { shortName, useHypercall } from './hypercall-store.ts'

/** The name of the call: type a part of it, choose with the arrow keys. A number does as well. */
export function CallBox() {
  const names = useHypercall(state => state.names)
  const call = useHypercall(state => state.call)
  const [open, setOpen] = useState(false)
  /** What was typed since the list opened; null shows all. */
  const [typed, setTyped] = useState<string | null>(null)
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const found = useMemo(() => matching(names ?? [], typed), [names, typed])
  const shown = open && found.length > 0
  const choose = (it: HostCallName) => {
    useHypercall.setState({ call: shortName(it.name, names) })
    setOpen(false)
    setTyped(null)
  }
  const openAll = () => {
    setAt(
      Math.max(
        0,
        (names ?? []).findIndex(it => it.name === call || shortName(it.name, names) === call),
      ),
    )
    setTyped(null)
    setOpen(true)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && shown) {
      event.stopPropagation()
      setOpen(false)
    } else if (event.key === 'Enter' && shown) {
      event.preventDefault()
      const it = found[Math.min(at, found.length - 1)]
      if (it !== undefined) choose(it)
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (!shown) openAll()
      else {
        const next = Math.min(Math.max(at + (event.key === 'ArrowDown' ? 1 : -1), 0), found.length - 1)
        setAt(next)
        list.current?.children[next]?.scrollIntoView({ block: 'nearest' })
      }
    }
  }
  return (
    <div className="call-box">
      <label htmlFor={CALL_BOX}>Call</label>
      <input
        id={CALL_BOX}
        type="text"
        className="field mono"
        role="combobox"
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown ? `${id}-${Math.min(at, found.length - 1)}` : undefined}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        placeholder="host_share_hyp, or a number"
        value={call}
        onClick={openAll}
        onChange={event => {
          useHypercall.setState({ call: event.target.value })
          setTyped(event.target.value)
          setAt(0)
          setOpen(true)
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      <div
        id={`${id}-list`}
        ref={list}
        className="call-list"
        role="listbox"
        aria-label="Calls of this kernel"
        hidden={!shown}
      >
        {found.map((it, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the box's
          <div
            key={it.number}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            // Before the box loses the focus and closes the list.
            onMouseDown={event => event.preventDefault()}
            onClick={() => choose(it)}
          >
            <span className="mono">{shortName(it.name, names)}</span>
            <span className="mono quiet">{it.args.join(', ')}</span>
            <span className="mono quiet number">{`0x${it.number.toString(16)}`}</span>
          </div>
        ))}
      </div>
    </div>
  )
}

function matching(names: readonly HostCallName[], typed: string | null): readonly HostCallName[] {
  const wanted = typed?.trim().toLowerCase() ?? ''
  if (wanted === '') return names
  const begins = names.filter(
    it => it.name.startsWith(wanted) || it.name.replace(/^__(pkvm_|kvm_)?/, '').startsWith(wanted),
  )
  return [...begins, ...names.filter(it => !begins.includes(it) && it.name.toLowerCase().includes(wanted))]
}
