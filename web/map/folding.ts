import type { Run } from './runs.ts'

/** Sizes in CSS pixels. */
export interface FoldMetrics {
  width: number
  /** A page, its gap included. */
  cell: number
  /** Between neighbouring pieces. */
  gap: number
  /** Runs up to this many pages are shown page by page. */
  shortRun: number
}

/** Something drawn in one row: single pages side by side, or a folded stretch. */
export interface Piece {
  kind: 'cells' | 'fold'
  run: Run
  /** First page and how many, within the run. */
  start: number
  count: number
  x: number
  width: number
  /** True on the first piece of its run: labels go there. */
  first: boolean
}

export interface Row {
  /** First page of the row. */
  start: number
  pieces: Piece[]
}

/** A region's name under its first page of a row. */
export interface Label {
  text: string
  x: number
  /** 0 or 1. */
  line: number
  piece: Piece
}

/** A row with its names and its place down the map, in CSS pixels. */
export interface PlacedRow extends Row {
  y: number
  height: number
  labels: Label[]
}

/**
 * Puts names under pieces, on the first of two lines that is free there; a name that finds no room is left to the
 * tooltip. A row is only as high as its names need.
 * @param measure width of a name in CSS pixels
 */
export function placeRows(
  rows: readonly Row[],
  sizes: { width: number; space: number; base: number; line: number },
  measure: (text: string) => number,
): PlacedRow[] {
  let y = 0
  return rows.map(row => {
    const ends = [0, 0]
    const labels: Label[] = []
    for (const piece of row.pieces) {
      if (!piece.first || piece.run.region === '') continue
      const width = measure(piece.run.region)
      // Near the end of a row a name moves left until it fits.
      const x = Math.min(piece.x, sizes.width - width)
      const line = ends.findIndex(end => x >= end)
      if (line < 0) continue
      ends[line] = x + width + sizes.space
      labels.push({ text: piece.run.region, x, line, piece })
    }
    const height = sizes.base + sizes.line * (labels.some(label => label.line === 1) ? 2 : labels.length > 0 ? 1 : 0)
    const placed = { ...row, y, height, labels }
    y += height
    return placed
  })
}

/** Index of the row at a height down the map; the last one that begins above it. */
export function rowAt(rows: readonly PlacedRow[], y: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] as PlacedRow).y <= y) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

/** Opened folds, as `start:count`. */
export type OpenFolds = ReadonlySet<string>

/** Opening a fold of more pages than this shows smaller folds, else its pages. */
export const CELLS_WHEN_OPEN = 256
const PARTS = 16

export const foldKey = (start: number, count: number): string => `${start}:${count}`

interface Part {
  kind: 'cells' | 'fold'
  start: number
  count: number
}

/** What a run is shown as, given what is open. */
export function partsOf(run: Pick<Run, 'start' | 'count'>, open: OpenFolds, shortRun: number): Part[] {
  if (run.count <= shortRun) return [{ kind: 'cells', start: run.start, count: run.count }]
  if (!open.has(foldKey(run.start, run.count))) return [{ kind: 'fold', start: run.start, count: run.count }]
  if (run.count <= CELLS_WHEN_OPEN) return [{ kind: 'cells', start: run.start, count: run.count }]
  // Round sizes, so that the parts of a fold begin at round addresses whatever the run's own edges are.
  let size = CELLS_WHEN_OPEN / 4
  while (run.count / size > PARTS) size *= 2
  const parts: Part[] = []
  for (let start = run.start; start < run.start + run.count; ) {
    const end = Math.min(run.start + run.count, (Math.floor(start / size) + 1) * size)
    parts.push(...partsOf({ start, count: end - start }, open, shortRun))
    start = end
  }
  return parts
}

/** Width of a fold: grows with the logarithm of its pages, so that 400 MB still fits beside one page. */
export function foldWidth(count: number): number {
  return Math.round(20 + Math.log2(Math.max(2, count)) * 4.4)
}

/** Lays runs out in rows. */
export function layOut(runs: readonly Run[], open: OpenFolds, metrics: FoldMetrics): Row[] {
  const rows: Row[] = []
  let row: Row | null = null
  let x = 0
  const place = (piece: Omit<Piece, 'x'>) => {
    if (row === null || (x > 0 && x + piece.width > metrics.width)) {
      row = { start: piece.start, pieces: [] }
      rows.push(row)
      x = 0
    }
    row.pieces.push({ ...piece, x })
    x += piece.width + metrics.gap
  }
  for (const run of runs) {
    let first = true
    for (const part of partsOf(run, open, metrics.shortRun)) {
      if (part.kind === 'fold') {
        place({ kind: 'fold', run, start: part.start, count: part.count, width: Math.min(foldWidth(part.count), metrics.width), first })
        first = false
        continue
      }
      // Pages flow over the end of a row. A short run that fits whole on the next row is kept together.
      let left = part.count
      let start = part.start
      while (left > 0) {
        const room = row === null ? 0 : Math.floor((metrics.width - x) / metrics.cell)
        const full = Math.max(1, Math.floor(metrics.width / metrics.cell))
        const take = room >= left ? left : room < 1 || (left <= full && left <= metrics.shortRun && part.count === left) ? Math.min(left, full) : room
        place({ kind: 'cells', run, start, count: take, width: take * metrics.cell, first })
        first = false
        start += take
        left -= take
      }
    }
  }
  return rows
}

/** The piece that holds a page, or null. */
export function pieceOf(rows: readonly Row[], page: number): { row: number; piece: Piece } | null {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] as Row).start <= page) low = middle + 1
    else high = middle
  }
  const row = rows[low - 1]
  const piece = row?.pieces.find(one => one.start <= page && page < one.start + one.count)
  return piece === undefined ? null : { row: low - 1, piece }
}

/** The page under a point of a row; a fold stands for its first page. */
export function pageAt(row: Row, x: number, cell: number): { piece: Piece; page: number } | null {
  const piece = row.pieces.find(one => one.x <= x && x < one.x + one.width)
  if (piece === undefined) return null
  const page = piece.kind === 'fold' ? piece.start : Math.min(piece.start + piece.count - 1, piece.start + Math.floor((x - piece.x) / cell))
  return { piece, page }
}

/** The next stop of the cursor: a page, or a fold as a whole. `null` at an end. */
export function step(rows: readonly Row[], page: number, by: 'left' | 'right' | 'up' | 'down', cell: number): number | null {
  const at = pieceOf(rows, page)
  if (at === null) return rows[0]?.start ?? null
  const { piece } = at
  if (by === 'right') {
    const next = piece.kind === 'fold' ? piece.start + piece.count : page + 1
    if (pieceOf(rows, next) !== null) return next
    // A guest's space may have an end before the next piece.
    const pieces = rows.flatMap(row => row.pieces)
    return pieces[pieces.indexOf(piece) + 1]?.start ?? null
  }
  if (by === 'left') {
    if (piece.kind === 'cells' && page > piece.start) return page - 1
    const pieces = rows.flatMap(row => row.pieces)
    const before = pieces[pieces.indexOf(piece) - 1]
    if (before === undefined) return null
    return before.kind === 'fold' ? before.start : before.start + before.count - 1
  }
  const row = rows[at.row + (by === 'down' ? 1 : -1)]
  if (row === undefined) return null
  const x = piece.kind === 'fold' ? piece.x : piece.x + (page - piece.start) * cell
  const under = pageAt(row, x, cell)
  if (under !== null) return under.page
  const nearest = row.pieces.findLast(one => one.x <= x) ?? row.pieces[0]
  return nearest === undefined ? null : nearest.kind === 'fold' ? nearest.start : nearest.start + nearest.count - 1
}

/** 5 -> "5", 300 -> "300", 4829 -> "19 MB" (MB of 2^20 bytes, as RAM is told). */
export function sizeLabel(pages: number): string {
  if (pages < 1000) return `${pages}`
  const mib = pages / 256
  return mib < 10 ? `${mib.toFixed(1)} MB` : `${Math.round(mib)} MB`
}
