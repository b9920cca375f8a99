import { type FoldMetrics, type Piece, type PlacedRow, rowAt, sizeLabel } from './folding.ts'
import { type Fill, type Hue, LANES, laneFills } from './lanes.ts'
import type { SeenMove } from './map-store.ts'
import { matches } from './runs.ts'

/** Colours of the theme, read from the tokens. */
export interface Palette {
  ground: string
  track: string
  ink: string
  dim: string
  faint: string
  line: string
  focus: string
  host: string
  hyp: string
  vm: string
  nvm: string
  bad: string
}

/** Sizes in CSS pixels, grown with the theme's type. */
export interface Geometry extends FoldMetrics {
  scale: number
  /** The same for type, which grows less. */
  text: number
  left: number
  right: number
  /** Height of a row without names, and of each line of names. */
  rowHeight: number
  labelLine: number
  laneTop: number
  laneHeight: number
  lanePitch: number
}

/** @param type scale of the theme's type; @param zoom how much larger pages are drawn */
export function geometry(width: number, type: number, zoom: number): Geometry {
  const scale = type * zoom
  const text = type * (1 + (zoom - 1) * 0.25)
  const left = Math.round(84 * text)
  const right = Math.round(34 * text)
  return {
    scale,
    text,
    left,
    right,
    width: Math.max(80, width - left - right),
    cell: Math.round(10 * scale),
    gap: Math.round(4 * scale),
    shortRun: 32,
    rowHeight: Math.round(74 * scale),
    labelLine: Math.round(13 * text),
    laneTop: Math.round(16 * scale),
    laneHeight: Math.round(14 * scale),
    lanePitch: Math.round(17 * scale),
  }
}

export interface Scene {
  rows: readonly PlacedRow[]
  geometry: Geometry
  palette: Palette
  /** First visible CSS pixel, and how many. */
  top: number
  height: number
  /** Page under the keyboard cursor while the map has the focus, else null. */
  cursor: number | null
  hover: number | null
  /** In the view's own numbers. */
  selected: number | null
  filter: string
  isProtected(handle: number): boolean
  /** Address of a page of this view. */
  addressOf(page: number): number
  /** By physical page. */
  moves: ReadonlyMap<number, readonly SeenMove[]>
  /** 0 to 1 through a move; 1 is arrived. */
  progress(move: SeenMove): number
  /** Whether an invariant fell for a physical page. */
  isFallen(page: number): boolean
  /** Whether it is recent enough to be marked. */
  isMarked(move: SeenMove): boolean
}

const MONO = '"JetBrains Mono Variable", ui-monospace, monospace'
const SANS = '"Source Sans 3 Variable", system-ui, sans-serif'

export function draw(context: CanvasRenderingContext2D, scene: Scene, ratio: number): void {
  const { geometry: g, palette } = scene
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, g.width + g.left + g.right, scene.height)
  const hatches = hatchesOf(context, palette, g.scale, ratio)
  const first = rowAt(scene.rows, scene.top)
  const last = rowAt(scene.rows, scene.top + scene.height)
  for (let i = first; i <= last; i++) {
    const row = scene.rows[i]
    if (row !== undefined) drawRow(context, scene, row, row.y - scene.top, hatches)
  }
}

function drawRow(context: CanvasRenderingContext2D, scene: Scene, row: PlacedRow, y: number, hatches: Hatches): void {
  const { geometry: g, palette, filter } = scene
  context.textBaseline = 'alphabetic'
  const laneY = (lane: number) => y + g.laneTop + lane * g.lanePitch
  context.fillStyle = palette.dim
  context.font = `${11 * g.text}px ${MONO}`
  context.textAlign = 'left'
  context.fillText(`0x${scene.addressOf(row.start).toString(16)}`, 0, laneY(0) + g.laneHeight / 2 + 4 * g.text)
  context.font = `${11.5 * g.text}px ${SANS}`
  for (const [lane, name] of LANES.entries()) {
    context.fillStyle = palette.track
    context.fillRect(g.left, laneY(lane), g.width, g.laneHeight)
    context.fillStyle = lane === 0 ? palette.host : lane === 1 ? palette.hyp : palette.vm
    context.fillText(name, g.left + g.width + 6 * g.scale, laneY(lane) + g.laneHeight / 2 + 4 * g.text)
  }
  let sizeEnd = 0
  for (const piece of row.pieces) {
    const faded = !matches(piece.run, filter)
    context.globalAlpha = faded ? 0.14 : 1
    const fills = laneFills(piece.run, scene.isProtected)
    const x = g.left + piece.x
    for (let lane = 0; lane < 3; lane++) {
      const { fill, hue } = fills[lane] as (typeof fills)[number]
      if (fill === 'none') continue
      if (piece.kind === 'fold') drawFold(context, x, laneY(lane), piece.width, g, fill, hue, palette, hatches, faded)
      else drawCells(context, scene, piece, lane, x, laneY, fill, hue, hatches, faded)
    }
    if (piece.run.page === null) drawHole(context, x, laneY(2), piece.width, g, palette)
    context.globalAlpha = faded ? 0.35 : 1
    if (piece.kind === 'fold') {
      const text = sizeLabel(piece.count)
      context.font = `${11 * g.text}px ${SANS}`
      if (piece.x >= sizeEnd) {
        context.fillStyle = palette.faint
        context.fillText(text, x, laneY(0) - 4 * g.scale)
        sizeEnd = piece.x + context.measureText(text).width + 6 * g.scale
      }
    }
  }
  context.font = labelFont(g.text)
  context.fillStyle = palette.dim
  for (const label of row.labels) {
    context.globalAlpha = matches(label.piece.run, filter) ? 1 : 0.35
    context.fillText(label.text, g.left + label.x, laneY(2) + g.laneHeight + 12 * g.text + label.line * g.labelLine)
  }
  context.globalAlpha = 1
  drawMarks(context, scene, row, laneY)
  drawFallen(context, scene, row, laneY)
  for (const piece of row.pieces) {
    if (holds(piece, scene.selected)) outline(context, scene, piece, scene.selected as number, laneY(0), palette.ink, 2)
    if (holds(piece, scene.hover)) outline(context, scene, piece, scene.hover as number, laneY(0), palette.dim, 1)
    if (holds(piece, scene.cursor)) outline(context, scene, piece, scene.cursor as number, laneY(0), palette.focus, 2)
  }
}

const holds = (piece: Piece, page: number | null) => page !== null && piece.start <= page && page < piece.start + piece.count

function drawFold(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  g: Geometry,
  fill: Fill,
  hue: Hue,
  palette: Palette,
  hatches: Hatches,
  faded: boolean,
): void {
  const whole = context.globalAlpha
  if (fill === 'unknown') {
    dotted(context, x, y, width, g, palette)
    return
  }
  context.globalAlpha = faded ? 0.06 : hue === 'host' ? 0.3 : 0.62
  context.fillStyle = fill === 'hatch' ? hatches[hue] : palette[hue]
  context.fillRect(x, y, width, g.laneHeight)
  context.globalAlpha = whole
  // The fold mark: two strokes through the bar, as a broken axis has.
  const middle = x + width / 2
  const reach = 3 * g.scale
  context.lineWidth = 1.5 * g.scale
  context.strokeStyle = hue === 'host' ? palette[hue] : palette.ground
  context.beginPath()
  for (const dx of [-2.5 * g.scale, 2.5 * g.scale]) {
    context.moveTo(middle + dx - reach, y + g.laneHeight - 2)
    context.lineTo(middle + dx + reach, y + 2)
  }
  context.stroke()
}

function drawCells(
  context: CanvasRenderingContext2D,
  scene: Scene,
  piece: Piece,
  lane: number,
  x: number,
  laneY: (lane: number) => number,
  fill: Fill,
  hue: Hue,
  hatches: Hatches,
  faded: boolean,
): void {
  const { geometry: g, palette, moves, progress } = scene
  const width = g.cell - 1.5 * g.scale
  for (let i = 0; i < piece.count; i++) {
    const at = x + i * g.cell
    let y = laneY(lane)
    if (moves.size > 0 && piece.run.page !== null) {
      const move = moves.get(piece.run.page + piece.start + i - piece.run.start)?.findLast(one => one.to === lane)
      if (move !== undefined) y = laneY(move.from) + (y - laneY(move.from)) * ease(progress(move))
    }
    if (fill === 'unknown') dotted(context, at, y, width, g, palette)
    else {
      context.fillStyle = fill === 'hatch' ? hatches[hue] : palette[hue]
      context.fillRect(at, y, width, g.laneHeight)
      if (fill === 'hatch' && !faded) {
        context.strokeStyle = palette[hue]
        context.lineWidth = 1
        context.strokeRect(at + 0.5, y + 0.5, width - 1, g.laneHeight - 1)
      }
    }
  }
}

const ease = (t: number) => 1 - (1 - t) ** 3

function dotted(context: CanvasRenderingContext2D, x: number, y: number, width: number, g: Geometry, palette: Palette): void {
  context.strokeStyle = palette.faint
  context.lineWidth = 1
  context.setLineDash([2, 3])
  context.strokeRect(x + 0.5, y + 0.5, width - 1, g.laneHeight - 1)
  context.setLineDash([])
}

/** A stretch of a guest's space that maps nothing. */
function drawHole(context: CanvasRenderingContext2D, x: number, y: number, width: number, g: Geometry, palette: Palette): void {
  context.strokeStyle = palette.line
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(x, y + g.laneHeight / 2)
  context.lineTo(x + width, y + g.laneHeight / 2)
  context.stroke()
}

export const labelFont = (scale: number): string => `${12 * scale}px ${SANS}`

/** A small wedge over each page that changed hands a moment ago. */
function drawMarks(context: CanvasRenderingContext2D, scene: Scene, row: PlacedRow, laneY: (lane: number) => number): void {
  const { geometry: g, palette, moves } = scene
  if (moves.size === 0) return
  context.fillStyle = palette.ink
  for (const piece of row.pieces) {
    if (piece.kind !== 'cells' || piece.run.page === null) continue
    for (let i = 0; i < piece.count; i++) {
      const move = moves.get(piece.run.page + piece.start + i - piece.run.start)?.at(-1)
      if (move === undefined || !scene.isMarked(move)) continue
      const middle = g.left + piece.x + i * g.cell + (g.cell - 1.5) / 2
      const y = laneY(0) - 2
      context.beginPath()
      context.moveTo(middle - 3 * g.scale, y - 4 * g.scale)
      context.lineTo(middle + 3 * g.scale, y - 4 * g.scale)
      context.lineTo(middle, y)
      context.fill()
    }
  }
}

/** A cross over each page for which an invariant fell, and a frame around all its lanes. */
function drawFallen(context: CanvasRenderingContext2D, scene: Scene, row: PlacedRow, laneY: (lane: number) => number): void {
  const { geometry: g, palette } = scene
  for (const piece of row.pieces) {
    if (piece.kind !== 'cells' || piece.run.page === null) continue
    for (let i = 0; i < piece.count; i++) {
      if (!scene.isFallen(piece.run.page + piece.start + i - piece.run.start)) continue
      const x = g.left + piece.x + i * g.cell
      const width = g.cell - 1.5 * g.scale
      const top = laneY(0)
      context.strokeStyle = palette.bad
      context.lineWidth = 2.5 * g.scale
      // Outside of the frames of selection and cursor, which may be on the same page.
      context.strokeRect(x - 4.5 * g.scale, top - 4.5 * g.scale, width + 9 * g.scale, 2 * g.lanePitch + g.laneHeight + 9 * g.scale)
      const middle = x + width / 2
      const y = top - 10 * g.scale
      const reach = 4 * g.scale
      // A quiet ground under the cross, whatever else is drawn there.
      context.fillStyle = palette.ground
      context.fillRect(middle - reach - 2, y - reach - 2, 2 * reach + 4, 2 * reach + 3)
      context.beginPath()
      context.moveTo(middle - reach, y - reach)
      context.lineTo(middle + reach, y + reach)
      context.moveTo(middle + reach, y - reach)
      context.lineTo(middle - reach, y + reach)
      context.stroke()
    }
  }
}

/** Frames one page, or one fold, over all lanes. */
function outline(context: CanvasRenderingContext2D, scene: Scene, piece: Piece, page: number, top: number, colour: string, width: number): void {
  const g = scene.geometry
  const fold = piece.kind === 'fold'
  const x = g.left + piece.x + (fold ? 0 : (page - piece.start) * g.cell)
  const w = fold ? piece.width : g.cell - 1.5 * g.scale
  context.strokeStyle = colour
  context.lineWidth = width * g.scale
  context.strokeRect(x - 2, top - 2, w + 4, 2 * g.lanePitch + g.laneHeight + 4)
}

type Hatches = Record<Hue, CanvasPattern | string>

let cached: { key: string; hatches: Hatches } | null = null

/** Diagonal stripes of each hue over its pale ground. */
function hatchesOf(context: CanvasRenderingContext2D, palette: Palette, scale: number, ratio: number): Hatches {
  const key = [palette.host, palette.hyp, palette.vm, palette.nvm, palette.ground, scale, ratio].join()
  if (cached?.key === key) return cached.hatches
  const make = (colour: string): CanvasPattern | string => {
    const size = Math.max(4, Math.round(6 * scale * ratio))
    const tile = document.createElement('canvas')
    tile.width = tile.height = size
    const paint = tile.getContext('2d')
    if (paint === null) return colour
    paint.fillStyle = palette.ground
    paint.fillRect(0, 0, size, size)
    paint.strokeStyle = colour
    paint.lineWidth = size * 0.36
    paint.beginPath()
    for (const at of [-size, 0, size]) {
      paint.moveTo(at - 1, size + 1)
      paint.lineTo(at + size + 1, -1)
    }
    paint.stroke()
    const pattern = context.createPattern(tile, 'repeat')
    // Tiles are made in device pixels.
    pattern?.setTransform(new DOMMatrix().scale(1 / ratio))
    return pattern ?? colour
  }
  const hatches: Hatches = { host: make(palette.host), hyp: make(palette.hyp), vm: make(palette.vm), nvm: make(palette.nvm) }
  cached = { key, hatches }
  return hatches
}

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return {
    ground: token('--ground'),
    track: token('--raise'),
    ink: token('--ink'),
    dim: token('--dim'),
    faint: token('--faint'),
    line: token('--control-line'),
    focus: token('--focus'),
    host: token('--host'),
    hyp: token('--hyp'),
    vm: token('--vm'),
    nvm: token('--nvm'),
    bad: token('--bad'),
  }
}
