import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { count, shortCount } from '../format.ts'
import { useLab } from '../store.ts'
import { eventLog, LANES, useEventLog } from './event-log.ts'
import { openEvent, useInspector } from './inspector-store.ts'
import { drawTimeline, frameOf, type Mark } from './timeline-drawing.ts'
import { countColumns, firstAt, nearest, pan, type Span, zoom } from './timeline-scale.ts'

/** Kernel functions whose first execution is a landmark, and their names on the axis. */
const LANDMARKS = [
  { symbol: '__kvm_nvhe___pkvm_prot_finalize', name: 'pKVM on' },
  { symbol: 'run_init_process', name: 'init' },
] as const

/** A pointer this near an event means it. In pixels. */
const REACH = 5

/** When everything happened, over retired instructions. */
export function Timeline() {
  const version = useEventLog()
  const theme = useLab(state => state.theme)
  const instructions = useLab(state => state.machine.instructions)
  const milestones = useLab(state => state.milestones)
  const chosen = useInspector(state => state.event)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 })
  /** null is the whole run. A view that ends at infinity grows with the run. */
  const [view, setView] = useState<Span | null>(null)
  const [lane, setLane] = useState(0)
  const [pointer, setPointer] = useState<{ x: number; lane: number } | null>(null)
  const [pressed, setPressed] = useState<number | null>(null)
  const end = Math.max(instructions, eventLog.last?.instructions ?? 0, 1)
  const span = view === null ? { from: 0, to: end } : { from: view.from, to: Math.max(view.from + 1, Math.min(view.to, end)) }
  const rem = typeof document === 'undefined' ? 16 : Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  const frame = frameOf(width, height, rem)
  const plot = Math.max(1, Math.floor(width - frame.left - frame.right))
  const perPixel = (span.to - span.from) / plot
  const at = (x: number) => span.from + (x - frame.left) * perPixel

  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says that the log has changed
  useEffect(() => {
    const place = canvas.current
    if (place === null || width === 0) return
    const request = requestAnimationFrame(() => {
      const taint = eventLog.first('taint')?.instructions ?? milestones['add_taint']?.instructions
      const marks: Mark[] = LANDMARKS.flatMap(({ symbol, name }) => {
        const reached = milestones[symbol]
        return reached === undefined ? [] : [{ at: reached.instructions, name, bad: false }]
      })
      if (taint !== undefined) marks.unshift({ at: taint, name: 'taint', bad: true })
      drawTimeline(place, frame, {
        span,
        now: instructions,
        lanes: LANES.map(({ title, color }, index) => ({
          title,
          color,
          columns: countColumns(eventLog.lanes[index] ?? [], span, plot),
        })),
        marks,
        chosen: chosen === null ? null : chosen.instructions,
        pressed: pressed !== null && pointer !== null ? [pressed, pointer.x] : null,
      })
    })
    return () => cancelAnimationFrame(request)
  }, [version, instructions, width, height, rem, theme, view, milestones, chosen, pressed, pressed === null ? null : pointer])

  useEffect(() => {
    const place = canvas.current
    if (place?.parentElement == null) return
    const observer = new ResizeObserver(([entry]) => setSize({ width: Math.floor(entry?.contentRect.width ?? 0), height: Math.floor(entry?.contentRect.height ?? 0) }))
    observer.observe(place.parentElement)
    return () => observer.disconnect()
  }, [])

  // React listens to the wheel passively, which could not keep the panel from scrolling.
  const onWheel = useRef<(event: WheelEvent) => void>(() => {})
  onWheel.current = event => {
    event.preventDefault()
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      if (view !== null) setView(pan(span, (event.deltaX || event.deltaY) * perPixel, end))
    } else setView(zoom(span, at(event.offsetX), event.deltaY < 0 ? 1.25 : 0.8, end))
  }
  useEffect(() => {
    const place = canvas.current
    const listener = (event: WheelEvent) => onWheel.current(event)
    place?.addEventListener('wheel', listener, { passive: false })
    return () => place?.removeEventListener('wheel', listener)
  }, [])

  const place = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect()
    const y = event.clientY - box.top
    return { x: event.clientX - box.left, lane: Math.min(LANES.length - 1, Math.max(0, Math.floor(y / frame.step))) }
  }
  const pointed = pointer === null ? undefined : nearest(eventLog.lanes[pointer.lane] ?? [], at(pointer.x), REACH * perPixel)
  const inLane = eventLog.lanes[lane] ?? []
  const step = (by: number) => {
    const from = chosen !== null && inLane.includes(chosen) ? inLane.indexOf(chosen) : firstAt(inLane, chosen?.instructions ?? 0) - (by > 0 ? 1 : 0)
    const next = inLane[Math.min(Math.max(from + by, 0), inLane.length - 1)]
    if (next === undefined) return
    openEvent(next)
    if (next.instructions < span.from || next.instructions > span.to) {
      setView(pan(span, next.instructions - (span.from + span.to) / 2, end))
    }
  }
  const middle = chosen !== null && chosen.instructions >= span.from && chosen.instructions <= span.to ? chosen.instructions : (span.from + span.to) / 2
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    switch (event.key) {
      case 'ArrowRight':
        step(1)
        break
      case 'ArrowLeft':
        step(-1)
        break
      case 'Home':
        step(-inLane.length)
        break
      case 'End':
        step(inLane.length)
        break
      case 'ArrowDown':
        setLane(Math.min(lane + 1, LANES.length - 1))
        break
      case 'ArrowUp':
        setLane(Math.max(lane - 1, 0))
        break
      case '+':
      case '=':
        setView(zoom(span, middle, 2, end))
        break
      case '-':
        setView(zoom(span, middle, 0.5, end))
        break
      case '0':
        setView(null)
        break
      default:
        return
    }
    event.preventDefault()
  }
  return (
    <section className="timeline" aria-labelledby="timeline-title">
      <header className="panel-head">
        <h2 id="timeline-title">Timeline</h2>
        <span className="aside">
          {view === null ? 'instructions retired' : `instructions ${count(Math.round(span.from))} to ${count(Math.round(span.to))}`}
        </span>
        <span className="zoom">
          <button type="button" className="tool" aria-label="Zoom in" title="Zoom in  +" onClick={() => setView(zoom(span, middle, 2, end))}>
            +
          </button>
          <button
            type="button"
            className="tool"
            aria-label="Zoom out"
            title="Zoom out  −"
            disabled={view === null}
            onClick={() => setView(zoom(span, middle, 0.5, end))}
          >
            −
          </button>
          {LANDMARKS.map(({ symbol, name }) => {
            const reached = milestones[symbol]
            return (
              reached !== undefined && (
                <button
                  key={symbol}
                  type="button"
                  className="link"
                  onClick={() => setView({ from: reached.instructions, to: Number.POSITIVE_INFINITY })}
                >
                  Since {name}
                </button>
              )
            )
          })}
          <button type="button" className="link" disabled={view === null} title="0" onClick={() => setView(null)}>
            Whole run
          </button>
        </span>
      </header>
      <div
        className="plot"
        role="slider"
        tabIndex={0}
        aria-label={`Timeline, lane ${LANES[lane]?.title}`}
        aria-valuemin={0}
        aria-valuemax={end}
        aria-valuenow={chosen?.instructions ?? instructions}
        aria-valuetext={chosen === null ? `${count(inLane.length)} events in this lane` : eventText(chosen)}
        aria-describedby="timeline-keys"
        onKeyDown={onKeyDown}
        onPointerDown={event => {
          if (event.button !== 0) return
          event.currentTarget.setPointerCapture(event.pointerId)
          setPressed(place(event).x)
        }}
        onPointerMove={event => setPointer(place(event))}
        onPointerLeave={() => setPointer(null)}
        onPointerUp={event => {
          const { x } = place(event)
          if (pressed !== null && Math.abs(x - pressed) > REACH) {
            const [a, b] = [at(Math.min(x, pressed)), at(Math.max(x, pressed))]
            setView(zoom({ from: Math.max(0, a), to: Math.min(end, b) }, (a + b) / 2, 1, end))
          } else if (pointed !== undefined && pointer !== null) {
            setLane(pointer.lane)
            openEvent(pointed)
          }
          setPressed(null)
        }}
        onDoubleClick={() => setView(null)}
      >
        <canvas ref={canvas} />
        {pointer !== null && pointed !== undefined && pressed === null && (
          <p
            className={pointer.x > width / 2 ? 'tip left' : 'tip'}
            style={{ insetInlineStart: pointer.x, insetBlockStart: (pointer.lane + 1) * frame.step }}
          >
            <span className="mono">{count(pointed.instructions)}</span> {pointed.text}
          </p>
        )}
        <p className="unseen" id="timeline-keys">
          Left and right go from event to event, up and down change the lane, plus and minus zoom, 0 shows the whole run.
        </p>
      </div>
    </section>
  )
}

function eventText(event: LabEvent): string {
  return `${event.kind} after ${shortCount(event.instructions)} instructions: ${event.text}`
}
