import { type KeyboardEvent, type ReactNode, useId, useRef } from 'react'

export interface Tab<T extends string> {
  readonly id: T
  readonly title: string
  readonly content: ReactNode
}

/**
 * Panels that share a place, one shown at a time, chosen by tabs. The others stay alive behind it. One panel alone has
 * no tabs.
 */
export function Tabs<T extends string>(props: {
  label: string
  className: string
  tabs: readonly Tab<T>[]
  chosen: T
  onChoose(tab: T): void
  /** Stands at the end of the row of tabs. */
  aside?: ReactNode
  /** The panels themselves are stops of the Tab key: lists that scroll and may hold nothing that takes the focus. */
  stops?: boolean
}) {
  const { tabs, chosen, onChoose } = props
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.findIndex(tab => tab.id === chosen)
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
    if (next === undefined) return
    event.preventDefault()
    const tab = tabs[(next + tabs.length) % tabs.length]
    if (tab === undefined) return
    onChoose(tab.id)
    list.current?.querySelector<HTMLElement>(`[data-tab-name="${tab.id}"]`)?.focus()
  }
  const [only] = tabs
  if (tabs.length === 1) {
    return (
      <div className={`tabs ${props.className}`}>
        <div className="dock-panel">{only?.content}</div>
      </div>
    )
  }
  return (
    <div className={`tabs ${props.className}`}>
      <div className="tab-row">
        <div className="dock-tabs" role="tablist" aria-label={props.label} ref={list} onKeyDown={onKeyDown}>
          {tabs.map(tab => (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`${id}-${tab.id}`}
              data-tab-name={tab.id}
              aria-selected={tab.id === chosen}
              aria-controls={`${id}-${tab.id}-panel`}
              tabIndex={tab.id === chosen ? 0 : -1}
              onClick={() => onChoose(tab.id)}
            >
              {tab.title}
            </button>
          ))}
        </div>
        {props.aside}
      </div>
      {tabs.map(tab => (
        <div
          key={tab.id}
          role="tabpanel"
          tabIndex={props.stops === true ? 0 : undefined}
          className="dock-panel"
          id={`${id}-${tab.id}-panel`}
          aria-labelledby={`${id}-${tab.id}`}
          hidden={tab.id !== chosen}
        >
          {tab.content}
        </div>
      ))}
    </div>
  )
}
