import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { count } from '../format.ts'
import { eventLog, type EventFilter, type EventKind, FilteredEvents, LANES, useEventLog } from './event-log.ts'
import { openEvent, useInspector } from './inspector-store.ts'
import { useRowHeight } from './page-contents.tsx'
import { setPauseOnViolation, useViolations } from './violations.ts'

export const EVENT_FILTER = 'event-filter'

const KIND_NAMES: Readonly<Record<EventKind, string>> = {
  hypercall: 'hypercalls',
  'guest-hypercall': 'guest calls',
  smc: 'SMC',
  abort: 'aborts',
  ownership: 'ownership',
  'world-switch': 'world switches',
  vcpu: 'vCPU runs',
  vm: 'VMs',
  taint: 'taint',
  gate: 'gate',
  violation: 'broken invariants',
}
const ALL_KINDS: readonly EventKind[] = LANES.flatMap(lane => [...lane.kinds])

/** Everything that happened, as it happens. Choosing an event shows its page and its particulars in the inspector. */
export function EventList() {
  const version = useEventLog()
  const [kinds, setKinds] = useState<ReadonlySet<EventKind>>(() => new Set(ALL_KINDS))
  const [text, setText] = useState('')
  const needle = useDeferredValue(text)
  const filter = useMemo<EventFilter>(() => ({ kinds, text: needle }), [kinds, needle])
  const [filtered] = useState(() => new FilteredEvents())
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says that the log has changed
  const events = useMemo(() => filtered.update(eventLog, filter), [filtered, filter, version])
  const follow = useInspector(state => state.follow)
  const chosen = useInspector(state => state.event)
  const scroller = useRef<HTMLDivElement>(null)
  const rowHeight = useRowHeight() + 4
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const chosenIndex = useMemo(() => (chosen === null ? -1 : indexOf(events, chosen)), [events, chosen])

  // Behind another tab the list has no height and cannot scroll; it catches up when it is shown.
  const shown = (rows.scrollRect?.height ?? 0) > 0

  // biome-ignore lint/correctness/useExhaustiveDependencies: rows is a new object each time; the number of events decides
  useEffect(() => {
    if (shown && follow && events.length > 0) rows.scrollToIndex(events.length - 1, { align: 'end' })
  }, [shown, follow, events.length])

  // Something else, such as the timeline or a command, has opened an event.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new choice moves the list
  useEffect(() => {
    if (shown && chosenIndex >= 0) rows.scrollToIndex(chosenIndex, { align: 'auto' })
  }, [shown, chosen])

  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 10,
      PageUp: -10,
      Home: -events.length,
      End: events.length,
    }
    const step = steps[event.key]
    if (step === undefined || events.length === 0) return
    event.preventDefault()
    const from = chosenIndex >= 0 ? chosenIndex : step > 0 ? -1 : events.length
    const next = events[Math.min(Math.max(from + step, 0), events.length - 1)]
    if (next !== undefined) openEvent(next)
  }
  const toggle = (kind: EventKind) => {
    const next = new Set(kinds)
    if (!next.delete(kind)) next.add(kind)
    setKinds(next)
  }
  const lost = eventLog.dropped + eventLog.forgotten
  return (
    <section className="events" aria-labelledby="events-title">
      <header className="panel-head">
        <h2 id="events-title">Events</h2>
        <span className="aside" data-testid="event-count">
          {events.length === eventLog.events.length
            ? count(events.length)
            : `${count(events.length)} of ${count(eventLog.events.length)}`}
          {eventLog.dropped > 0 && `, ${count(eventLog.dropped)} dropped by the full ring buffer`}
          {eventLog.forgotten > 0 && `, ${count(eventLog.forgotten)} old ones let go by the page`}
          {lost === 0 && events.length > 0 && ', none dropped'}
        </span>
        <input
          id={EVENT_FILTER}
          type="text"
          className="event-text field mono"
          aria-label="Filter events by text"
          placeholder="text, symbol, caller"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <label className="follow">
          <input
            type="checkbox"
            checked={follow}
            onChange={event => useInspector.setState({ follow: event.target.checked })}
          />
          Follow
        </label>
      </header>
      <div className="event-filter">
        <fieldset className="kinds">
          <legend className="unseen">Kinds of events</legend>
          {ALL_KINDS.map(kind => (
            <label key={kind} data-kind={kind}>
              <input type="checkbox" checked={kinds.has(kind)} onChange={() => toggle(kind)} />
              <span>{KIND_NAMES[kind]}</span>
            </label>
          ))}
        </fieldset>
        <PauseOnViolation />
      </div>
      {events.length === 0 && (
        <p className="remark">
          {eventLog.events.length > 0
            ? 'No event passes the filter.'
            : 'Nothing yet. The first events come when the kernel calls its hypervisor.'}
        </p>
      )}
      <div
        ref={scroller}
        className="event-rows"
        role="listbox"
        tabIndex={0}
        aria-label="Events, oldest first"
        aria-activedescendant={chosenIndex >= 0 ? `event-${chosen?.sequence}` : undefined}
        onKeyDown={onKeyDown}
        onWheel={event => {
          // Whoever scrolls back wants to read, not to be carried on.
          if (event.deltaY < 0 && follow) useInspector.setState({ follow: false })
        }}
      >
        <div role="presentation" style={{ blockSize: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(item => {
            const event = events[item.index]
            if (event === undefined) return null
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the list box has the focus and takes the keys
              // biome-ignore lint/a11y/useFocusableInteractive: as above
              <div
                key={event.sequence}
                id={`event-${event.sequence}`}
                role="option"
                aria-selected={chosen?.sequence === event.sequence}
                aria-setsize={events.length}
                aria-posinset={item.index + 1}
                className="event-row"
                data-kind={event.kind}
                style={{ transform: `translateY(${item.start}px)`, blockSize: rowHeight }}
                onClick={() => openEvent(event)}
              >
                <span className="when mono">{count(event.instructions)}</span>
                <span className="kind">{event.kind}</span>
                <span className="el mono">EL{event.el}</span>
                <span className="line mono">{event.text}</span>
                <span className="symbol mono" title={event.symbol}>
                  {event.symbol}
                </span>
              </div>
            )
          })}
        </div>
      </div>
    </section>
  )
}

/** The lab asks its rules after every stay at EL2; what it finds can stop the machine. */
function PauseOnViolation() {
  const on = useViolations(state => state.pause)
  return (
    <label className="follow">
      <input type="checkbox" checked={on} onChange={event => setPauseOnViolation(event.target.checked)} />
      Pause where an invariant falls
    </label>
  )
}

function indexOf(events: readonly LabEvent[], wanted: LabEvent): number {
  let low = 0
  let high = events.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const sequence = events[middle]!.sequence
    if (sequence === wanted.sequence) return middle
    if (sequence < wanted.sequence) low = middle + 1
    else high = middle - 1
  }
  return -1
}
