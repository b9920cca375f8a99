import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import type { TraceEntry, TraceError } from '../../lessons/kvm/trace.ts'
import { printed } from '../../lessons/kvm/print.ts'
import { type Command, runCommand } from '../commands.ts'
import { editorHandle } from '../editor/editor-commands.ts'
import { count } from '../format.ts'
import { eventLog, useEventLog } from '../inspector/event-log.ts'
import { openEvent } from '../inspector/inspector-store.ts'
import { showLow, useLayout } from '../layout/layout-store.ts'
import { useLab } from '../store.ts'
import { type CallEvents, eventsOf } from './call-events.ts'
import { SCRIPT } from './script-commands.ts'
import { isRunning, type ScriptState, type TraceRow, useScript } from './script-store.ts'

/** Events told beside one call; the event list has the others. */
const MOST_EVENTS = 6

/** What the script does: its calls with what came back, and beside each the events that it caused. */
export function TracePanel() {
  const state = useScript()
  const machine = useLab(lab => lab.machine.state)
  const paused = state.phase === 'running' && machine === 'paused'
  return (
    <section className="trace" aria-labelledby="trace-title">
      <header className="panel-head">
        <h2 id="trace-title">Trace</h2>
        <span
          className="aside"
          role="status"
          data-testid="script-status"
          data-phase={state.phase}
          data-ending={state.ending?.kind ?? 'none'}
        >
          {paused ? 'The machine is paused: the script waits for it.' : statusOf(state)}
        </span>
        {isRunning(state) ? (
          <Act command={SCRIPT.stop} label="Stop" />
        ) : (
          <Act command={SCRIPT.run} label={state.phase === 'never' ? 'Run' : 'Run again'} />
        )}
      </header>
      <Problems state={state} />
      {state.forgotten > 0 && <p className="remark">{count(state.forgotten)} older lines were let go.</p>}
      {state.phase === 'never' ? (
        <p className="remark">
          Run a script to see here each call it makes, what the kernel answered, and which events that caused. The first
          run boots a machine with the lab agent in it.
        </p>
      ) : (
        <Rows rows={state.rows} running={isRunning(state)} />
      )}
      <Ending state={state} />
    </section>
  )
}

function Act(props: { command: Command; label: string }) {
  const { command, label } = props
  return (
    <button
      type="button"
      className="button trace-act"
      title={`${command.title}  ${command.keyLabel ?? ''}`}
      onClick={() => runCommand(command)}
    >
      {label}
    </button>
  )
}

function statusOf({ phase, ending, calls, problems }: ScriptState): string {
  const made = calls === 0 ? '' : ` ${count(calls)} ${calls === 1 ? 'call' : 'calls'}.`
  switch (phase) {
    case 'never':
      return 'No script has run yet.'
    case 'compiling':
      return 'Compiling …'
    case 'booting':
      return 'Booting a machine with the lab agent …'
    case 'running':
      return `Running.${made}`
    case 'ended':
      if (problems.length > 0) return 'Not run: there are errors in the code.'
      return `${{ finished: 'Finished.', threw: 'Ended by an error.', stopped: 'Stopped.' }[ending?.kind ?? 'stopped']}${made}`
  }
}

function Problems(props: { state: ScriptState }) {
  const { problems } = props.state
  if (problems.length === 0) return null
  return (
    <ul className="trace-problems" aria-label="Errors in the code">
      {problems.slice(0, 50).map(({ file, line, column, message }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole
        <li key={i}>
          {file !== '' && <Place file={file} line={line} column={column} />} <span>{message}</span>
        </li>
      ))}
      {problems.length > 50 && <li>and {problems.length - 50} more</li>}
    </ul>
  )
}

function Place(props: { file: string; line: number; column?: number }) {
  const { file, line, column } = props
  return (
    <button
      type="button"
      className="link mono"
      title={`Go to line ${line} of ${file}`}
      onClick={() => {
        showLow('code')
        requestAnimationFrame(() => editorHandle.current?.reveal(file, line, column ?? 1))
      }}
    >
      {file}:{line}
    </button>
  )
}

function Ending(props: { state: ScriptState }) {
  const { ending } = props.state
  if (ending === null || ending.kind === 'finished') return null
  if (ending.kind === 'stopped')
    return (
      <p className="trace-end remark" data-testid="script-end">
        {ending.why}
      </p>
    )
  return (
    <p className="trace-end bad" role="alert" data-testid="script-end">
      {ending.place !== null && <Place file={ending.place.file} line={ending.place.line} />} {ending.error.name}:{' '}
      {ending.error.message}
    </p>
  )
}

function Rows(props: { rows: readonly TraceRow[]; running: boolean }) {
  const { rows, running } = props
  const version = useEventLog()
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const scroller = useRef<HTMLDivElement>(null)
  const follow = useRef(true)
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 26,
    getItemKey: index => rows[index]?.key ?? index,
    overscan: 8,
  })
  const shown = (list.scrollRect?.height ?? 0) > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is a new object each time; the number of rows decides
  useEffect(() => {
    if (shown && follow.current && rows.length > 0) list.scrollToIndex(rows.length - 1, { align: 'end' })
  }, [shown, running, rows])
  const toggle = (key: number) => {
    const next = new Set(open)
    if (!next.delete(key)) next.add(key)
    setOpen(next)
  }
  return (
    <div
      ref={scroller}
      className="trace-rows"
      role="log"
      aria-label="Calls and prints, oldest first"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by key
      tabIndex={0}
      onScroll={() => {
        const { current } = scroller
        if (current !== null) follow.current = current.scrollHeight - current.scrollTop - current.clientHeight < 40
      }}
    >
      <div style={{ blockSize: list.getTotalSize(), position: 'relative' }}>
        {list.getVirtualItems().map(item => {
          const row = rows[item.index]
          if (row === undefined) return null
          return (
            <div
              key={item.key}
              ref={list.measureElement}
              data-index={item.index}
              className="trace-row"
              data-kind={row.kind}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Row row={row} open={open.has(row.key)} version={version} onToggle={() => toggle(row.key)} />
            </div>
          )
        })}
      </div>
    </div>
  )
}

function Row(props: { row: TraceRow; open: boolean; version: number; onToggle(): void }) {
  const { row, open, version, onToggle } = props
  switch (row.kind) {
    case 'print':
      return <pre className="trace-print mono">{row.text}</pre>
    case 'note':
      return <p className="remark">{row.text}</p>
    case 'answer':
      return (
        <p className="trace-answer mono">
          <span className="dim">answer</span> {row.name} = {printed([row.value])}
        </p>
      )
    case 'call':
      return <Call row={row} open={open} version={version} onToggle={onToggle} />
  }
}

function Call(props: { row: Extract<TraceRow, { kind: 'call' }>; open: boolean; version: number; onToggle(): void }) {
  const { row, open, version, onToggle } = props
  const { entry, parts } = row
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says that the log has changed
  const caused = useMemo<CallEvents>(() => eventsOf(entry, eventLog.events, MOST_EVENTS), [entry, version])
  return (
    <div className="trace-call" data-state={entry.state}>
      <div className="trace-line">
        <button
          type="button"
          className="trace-fold"
          aria-expanded={open}
          aria-label={`System calls of ${entry.text}`}
          disabled={parts.length === 0}
          onClick={onToggle}
        >
          {open ? '▾' : '▸'}
        </button>
        {entry.place !== null && <Place file={entry.place.file} line={entry.place.line} />}
        <span className="trace-text mono">{entry.text}</span>
        <Result entry={entry} />
      </div>
      {entry.error !== null && <Failure error={entry.error} />}
      {caused.count > 0 && <Caused caused={caused} />}
      {open && (
        <ol className="trace-parts">
          {parts.map(part => (
            <li key={part.id} className="mono" data-state={part.state}>
              <span className="trace-text">{part.text}</span> <Result entry={part} />
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}

function Result(props: { entry: TraceEntry }) {
  const { state, result, error } = props.entry
  if (state === 'running') return <span className="trace-result dim">…</span>
  if (state === 'failed')
    return <span className="trace-result mono bad">{error?.code === '' ? error.name : error?.code}</span>
  return result === null || result === '' ? null : <span className="trace-result mono">= {result}</span>
}

function Failure(props: { error: TraceError }) {
  const { explanation, message } = props.error
  return <p className="trace-why">{explanation === '' ? message : explanation}</p>
}

/** The events between a call and its answer; choosing one shows it and its page. */
function Caused(props: { caused: CallEvents }) {
  const { telling, tellingCount, count: all } = props.caused
  const others = all - telling.length
  return (
    <ul className="trace-events" aria-label="Events caused">
      {telling.map(event => (
        <li key={event.sequence}>
          <button
            type="button"
            data-kind={event.kind}
            title={`${event.symbol}\nShow the event and its page`}
            onClick={() => openEvent(event)}
          >
            <span className="mark" aria-hidden="true" /> {event.text}
          </button>
        </li>
      ))}
      {others > 0 && (
        <li className="faint">
          <button type="button" onClick={() => showAll(telling[0])}>
            {telling.length > 0 ? `and ${count(others)} more` : `${count(others)} ${others === 1 ? 'event' : 'events'}`}
            {tellingCount === 0 ? ' (hypercalls, aborts, world switches)' : ''}
          </button>
        </li>
      )}
    </ul>
  )
}

function showAll(first: LabEvent | undefined): void {
  useLayout.setState({ dock: 'events' })
  if (first !== undefined) openEvent(first)
}
