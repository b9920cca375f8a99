import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import { useInspection } from '../inspection-store.ts'
import { useFallen } from '../inspector/fallen-store.ts'
import { useLab } from '../store.ts'
import { describe, sentenceOf } from './describe.ts'
import { draw, geometry, labelFont, paletteOf } from './drawing.ts'
import { foldKey, layOut, type Piece, pageAt, pieceOf, placeRows, rowAt, step } from './folding.ts'
import { closeFoldAround, MARK_MS, type SeenMove, toggleFold, useMap } from './map-store.ts'
import { PAGE_BYTES } from './runs.ts'

const MOVE_MS = 520
/** Where the whole map fits at once it is drawn larger. */
const ZOOMS = [1.5, 1.25, 1] as const

let ruler: CanvasRenderingContext2D | null = null

/** Widths of names as the canvas will draw them. */
function measurer(scale: number): (text: string) => number {
  ruler ??= document.createElement('canvas').getContext('2d')
  const context = ruler
  if (context === null) return text => text.length * 6.5 * scale
  context.font = labelFont(scale)
  return text => context.measureText(text).width
}

/** The folded map: a canvas as large as the panel, drawn anew when something changed. */
export function LanesView(props: { frame: OwnershipFrame }) {
  const { frame } = props
  const runs = useMap(state => state.runs)
  const open = useMap(state => state.open)
  const view = useMap(state => state.view)
  const filter = useMap(state => state.filter)
  const cursor = useMap(state => state.cursor)
  const moves = useMap(state => state.moves)
  const fallen = useFallen(state => state.byPage)
  const selectedPage = useInspection(state => state.selectedPage)
  const theme = useLab(state => state.theme)
  const guestSpace = typeof view === 'number'
  const place = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [top, setTop] = useState(0)
  const [hover, setHover] = useState<{ page: number; x: number; y: number } | null>(null)
  const [focused, setFocused] = useState(false)
  const [scale, setScale] = useState(1)

  useLayoutEffect(() => {
    const element = place.current
    if (element === null) return
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme decides the size of the type
  useLayoutEffect(() => {
    setScale(Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16)
  }, [theme])

  const zoom = useRef({ width: 0, height: 0, factor: 0 })
  const { metrics, rows } = useMemo(() => {
    const kept = zoom.current
    // Grows only when the panel changes size, so that the map does not breathe while the machine runs.
    const most = kept.width === size.width && kept.height === size.height ? kept.factor : Number.POSITIVE_INFINITY
    for (const factor of ZOOMS) {
      if (factor > most) continue
      const metrics = geometry(size.width, scale, factor)
      const sizes = { width: metrics.width + metrics.right, space: 8 * metrics.text, base: metrics.rowHeight, line: metrics.labelLine }
      const rows = placeRows(layOut(runs, open, metrics), sizes, measurer(metrics.text))
      const end = rows.at(-1)
      if (factor > 1 && end !== undefined && end.y + end.height > size.height) continue
      zoom.current = { width: size.width, height: size.height, factor }
      return { metrics, rows }
    }
    return { metrics: geometry(size.width, scale, 1), rows: [] }
  }, [runs, open, size, scale])
  const addressOf = useCallback((page: number) => (guestSpace ? 0 : frame.ramBase) + page * PAGE_BYTES, [guestSpace, frame.ramBase])
  const movesByPage = useMemo(() => {
    const map = new Map<number, SeenMove[]>()
    for (const move of moves) map.set(move.page, [...(map.get(move.page) ?? []), move])
    return map
  }, [moves])
  const selected = useMemo(() => {
    if (selectedPage === null) return null
    const page = (selectedPage - frame.ramBase) / PAGE_BYTES
    if (!guestSpace) return page
    const entry = frame.guest.find(one => one.page === page && one.handle === view)
    return entry?.gfn ?? null
  }, [selectedPage, frame, guestSpace, view])

  const paint = useCallback(
    (now: number, still: boolean) => {
      const element = canvas.current
      const context = element?.getContext('2d')
      if (element == null || context == null || size.width === 0) return
      const ratio = window.devicePixelRatio || 1
      const width = Math.round(size.width * ratio)
      const height = Math.round(size.height * ratio)
      if (element.width !== width || element.height !== height) {
        element.width = width
        element.height = height
      }
      draw(
        context,
        {
          rows,
          geometry: metrics,
          palette: paletteOf(element),
          top,
          height: size.height,
          cursor: focused ? cursor : null,
          hover: hover?.page ?? null,
          selected,
          filter,
          isProtected: handle => frame.vms.find(vm => vm.handle === handle)?.protected !== false,
          addressOf,
          moves: movesByPage,
          progress: move => (still ? 1 : Math.min(1, (now - move.at) / MOVE_MS)),
          isFallen: page => fallen.has(frame.ramBase + page * PAGE_BYTES),
          isMarked: move => now - move.at < MARK_MS,
        },
        ratio,
      )
    },
    [rows, metrics, top, size, cursor, focused, hover, selected, filter, frame, addressOf, movesByPage, fallen],
  )

  // Draws once for a change; every frame of the screen only while pages are on the move.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme is drawn with its new colours
  useEffect(() => {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    const last = moves.at(-1)?.at ?? Number.NEGATIVE_INFINITY
    let wanted = 0
    const turn = () => {
      const now = performance.now()
      paint(now, still)
      if (!still && now - last < MOVE_MS) wanted = requestAnimationFrame(turn)
    }
    wanted = requestAnimationFrame(turn)
    const left = last + MARK_MS - performance.now()
    const timer = left > 0 ? setTimeout(() => paint(performance.now(), still), left + 20) : undefined
    return () => {
      cancelAnimationFrame(wanted)
      clearTimeout(timer)
    }
  }, [paint, moves, theme])

  useEffect(() => {
    void document.fonts.load('12px "JetBrains Mono Variable"').then(() => setSize(now => ({ ...now })))
  }, [])

  const reveal = useCallback(
    (page: number) => {
      const at = pieceOf(rows, page)
      const element = place.current
      if (at === null || element === null) return
      const { y, height } = rows[at.row] ?? { y: 0, height: 0 }
      // In a panel lower than a row its upper end counts: there the lanes are.
      if (y < element.scrollTop || height > element.clientHeight) element.scrollTop = y
      else if (y + height > element.scrollTop + element.clientHeight) element.scrollTop = y + height - element.clientHeight
    },
    [rows],
  )

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new selection scrolls, not each new frame
  useEffect(() => {
    if (selected !== null) reveal(selected)
  }, [selected])

  const under = (event: PointerEvent): { piece: Piece; page: number } | null => {
    const box = canvas.current?.getBoundingClientRect()
    if (box === undefined) return null
    const y = event.clientY - box.top + top
    const row = rows[rowAt(rows, y)]
    if (row === undefined) return null
    const inRow = y - row.y
    if (inRow < metrics.laneTop - 14 || inRow > metrics.laneTop + 3 * metrics.lanePitch) return null
    return pageAt(row, event.clientX - box.left - metrics.left, metrics.cell)
  }

  const activate = (piece: Piece, page: number) => {
    useMap.setState({ cursor: page })
    if (piece.kind === 'fold') toggleFold(foldKey(piece.start, piece.count))
    else if (piece.run.page !== null) useInspection.getState().select(frame.ramBase + (piece.run.page + page - piece.run.start) * PAGE_BYTES)
  }

  const go = (page: number | null) => {
    if (page === null) return
    useMap.setState({ cursor: page })
    reveal(page)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    setFocused(true)
    const lastPiece = rows.at(-1)?.pieces.at(-1)
    switch (event.key) {
      case 'ArrowRight':
        go(step(rows, cursor, 'right', metrics.cell))
        break
      case 'ArrowLeft':
        go(step(rows, cursor, 'left', metrics.cell))
        break
      case 'ArrowDown':
        go(step(rows, cursor, 'down', metrics.cell))
        break
      case 'ArrowUp':
        go(step(rows, cursor, 'up', metrics.cell))
        break
      case 'Home':
        go(rows[0]?.start ?? null)
        break
      case 'End':
        go(lastPiece === undefined ? null : lastPiece.kind === 'fold' ? lastPiece.start : lastPiece.start + lastPiece.count - 1)
        break
      case 'Enter':
      case ' ': {
        const at = pieceOf(rows, cursor)
        if (at !== null) activate(at.piece, at.piece.kind === 'fold' ? at.piece.start : cursor)
        break
      }
      case 'Escape':
      case 'Backspace':
        if (!closeFoldAround(cursor)) return
        break
      default:
        return
    }
    event.preventDefault()
  }

  const here = focused ? pieceOf(rows, cursor) : null
  const end = rows.at(-1)
  const extent = end === undefined ? 0 : end.y + end.height
  const hovered = hover === null ? null : pieceOf(rows, hover.page)
  return (
    <div className="lanes">
      <div
        ref={place}
        className="lanes-scroll"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the cursor of the map is moved by keys
        tabIndex={0}
        aria-label={guestSpace ? `Memory of VM 0x${view.toString(16)} by its own addresses` : 'Memory map. Arrow keys move, Enter opens a fold or selects a page, Escape folds.'}
        data-testid="memory-map"
        onKeyDown={onKeyDown}
        onFocus={event => setFocused(event.currentTarget.matches(':focus-visible'))}
        onBlur={() => setFocused(false)}
        onScroll={event => {
          setTop(event.currentTarget.scrollTop)
          setHover(null)
        }}
        onPointerMove={event => {
          const found = under(event)
          const box = place.current?.getBoundingClientRect()
          if (found === null || box === undefined) setHover(null)
          else setHover({ page: found.page, x: event.clientX - box.left, y: event.clientY - box.top })
        }}
        onPointerLeave={() => setHover(null)}
        onClick={event => {
          const found = under(event as unknown as PointerEvent)
          if (found !== null) activate(found.piece, found.page)
        }}
      >
        <div className="lanes-extent" style={{ blockSize: Math.max(extent, 1) }}>
          <canvas ref={canvas} style={{ inlineSize: size.width, blockSize: size.height }} />
        </div>
      </div>
      {hover !== null && hovered !== null && (
        <Tooltip frame={frame} piece={hovered.piece} page={hover.page} guestSpace={guestSpace} x={hover.x} y={hover.y} bounds={size} />
      )}
      <p className="unseen" aria-live="polite">
        {here === null ? '' : sentenceOf(describe(frame, here.piece, cursor, guestSpace))}
      </p>
    </div>
  )
}

function Tooltip(props: {
  frame: OwnershipFrame
  piece: Piece
  page: number
  guestSpace: boolean
  x: number
  y: number
  bounds: { width: number; height: number }
}) {
  const description = describe(props.frame, props.piece, props.page, props.guestSpace)
  const right = props.x > props.bounds.width - 260
  const below = props.y < props.bounds.height - 160
  return (
    <div
      className="map-tip"
      role="tooltip"
      style={{
        [right ? 'right' : 'left']: right ? props.bounds.width - props.x + 10 : props.x + 14,
        [below ? 'top' : 'bottom']: below ? props.y + 14 : props.bounds.height - props.y + 10,
      }}
    >
      <b className="mono">{description.title}</b>
      <dl>
        {description.lines.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <small>{props.piece.kind === 'fold' ? 'Click to open' : props.piece.run.page === null ? '' : 'Click to inspect'}</small>
    </div>
  )
}
