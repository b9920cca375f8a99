/** What the assembler found, as plain data for the page, and the comparison of two listings. */
import type { ListingLine } from '../isa/assemble.ts'
import type { Diagnostic, Position } from '../isa/assemble-lexer.ts'
import type { BuiltSystem } from '../machine/assembled-system.ts'
import type { BuildDiagnostic, ListingRow } from './build-protocol.ts'

/** Macro calls around an error that are told. */
const MOST_WITHIN = 5
/** Lines shown around a difference. */
const AROUND = 3
/** Bytes of a line that are shown. */
const SHOWN_BYTES = 8

/** @returns errors before warnings. */
export function buildSummary(built: BuiltSystem): {
  ok: boolean
  diagnostics: BuildDiagnostic[]
  bytes: number
  instructions: number
} {
  return {
    ok: built.ok,
    diagnostics: [
      ...built.diagnostics.map((d) => plain(d, 'error')),
      ...built.warnings.map((d) => plain(d, 'warning')),
    ],
    bytes: built.image.length,
    instructions: built.listing.filter((l) => isInstruction(l.text, l.bytes)).length,
  }
}

function isInstruction(text: string, bytes: Uint8Array): boolean {
  return bytes.length === 4 && !/^\s*[.=]/.test(text)
}

function plain({ message, position }: Diagnostic, severity: BuildDiagnostic['severity']): BuildDiagnostic {
  const within: { file: string; line: number }[] = []
  for (let p: Position | undefined = position.within; p !== undefined && within.length < MOST_WITHIN; p = p.within)
    within.push({ file: p.file, line: p.line })
  return { severity, message, file: position.file, line: position.line, column: position.column, within }
}

/**
 * The differences of two listings of the same sources. Lines are the same when they stand at the same place of the
 * source with the same text; what moved to another address has other branch offsets, but is no other code.
 */
export function diffListings(
  before: readonly ListingLine[],
  after: readonly ListingLine[],
): { hunks: ListingRow[][]; added: number; removed: number; moved: number } {
  const pairs = align(before.map(keyOf), after.map(keyOf))
  const rows: ListingRow[] = []
  let moved = 0
  for (const [a, b] of pairs) {
    if (a !== null && b !== null) {
      if (!sameBytes(before[a]!.bytes, after[b]!.bytes)) moved++
      rows.push(row('same', before[a]!))
    } else rows.push(a !== null ? row('removed', before[a]!) : row('added', after[b!]!))
  }
  const count = (change: ListingRow['change']): number => rows.filter((r) => r.change === change).length
  return { hunks: hunksOf(rows), added: count('added'), removed: count('removed'), moved }
}

/** Where a line comes from and what it says. */
function keyOf(line: ListingLine): string {
  let key = line.text.trim()
  for (let p: Position | undefined = line.position; p !== undefined; p = p.within) key += `|${p.file}:${p.line}`
  return key
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function row(change: ListingRow['change'], { address, bytes, position, text }: ListingLine): ListingRow {
  // An instruction is shown as the number it is, data in the order of memory.
  const seen = isInstruction(text, bytes) ? bytes.slice().reverse() : bytes.subarray(0, SHOWN_BYTES)
  const shown = Array.from(seen, (b) => b.toString(16).padStart(2, '0')).join('')
  return {
    change,
    file: position.file,
    line: position.line,
    address: address.toString(16),
    bytes: bytes.length > SHOWN_BYTES ? `${shown}…` : shown,
    text: text.trim(),
  }
}

/**
 * Pairs of indices of equal keys in both orders, and what has no partner. Options take lines out or put lines in, so
 * that what is the same at both ends and after looking a little ahead is nearly everything.
 */
function align(a: readonly string[], b: readonly string[]): [number | null, number | null][] {
  const pairs: [number | null, number | null][] = []
  const placesIn = (keys: readonly string[]): Map<string, number[]> => {
    const places = new Map<string, number[]>()
    keys.forEach((key, i) => {
      const list = places.get(key)
      if (list === undefined) places.set(key, [i])
      else list.push(i)
    })
    return places
  }
  const inA = placesIn(a)
  const inB = placesIn(b)
  /** Next index at or after `from` where the key stands, or -1. */
  const next = (places: Map<string, number[]>, key: string, from: number): number =>
    places.get(key)?.find((i) => i >= from) ?? -1
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      pairs.push([i++, j++])
      continue
    }
    const ahead = i < a.length ? next(inB, a[i]!, j) : -1
    const behind = j < b.length ? next(inA, b[j]!, i) : -1
    // Take out of the side whose line comes back soonest on the other.
    if (i < a.length && (ahead < 0 || (behind >= 0 && behind - i <= ahead - j))) pairs.push([i++, null])
    else pairs.push([null, j++])
  }
  return pairs
}

function hunksOf(rows: readonly ListingRow[]): ListingRow[][] {
  const hunks: ListingRow[][] = []
  let end = -1
  rows.forEach((r, i) => {
    if (r.change === 'same') return
    const from = Math.max(i - AROUND, end)
    const until = Math.min(i + AROUND + 1, rows.length)
    if (hunks.length > 0 && from <= end) hunks[hunks.length - 1]!.push(...rows.slice(end, until))
    else hunks.push(rows.slice(Math.max(from, 0), until))
    end = until
  })
  return hunks
}
