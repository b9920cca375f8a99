/**
 * The symbol table inside an arm64 Image, found without any address.
 *
 * Layout in .rodata, each table 4-byte aligned and in this order (Linux 6.x-7.x, scripts/kallsyms.c, CONFIG_KALLSYMS):
 * `num_syms` u32 | `names`: per symbol a ULEB128 length (1-2 bytes) and that many token indices | `markers` u32 per 256
 * symbols, offsets into names | `token_table` 256 NUL-terminated strings | `token_index` 256 x u16 offsets into it |
 * `offsets` s32 per symbol. An offset is relative to its own place: in the file it gives the Image offset.
 */
import { type KernelSymbol, SymbolTable } from './symbol-table.ts'

/** The Image has no symbol table that this parser understands; the message says what was looked for. */
export class KallsymsError extends Error {
  override name = 'KallsymsError'
}

const TOKENS = 256
const SYMBOLS_PER_MARKER = 256
/** Longest plausible table, far above any kernel's. */
const MAX_SYMBOLS = 2_000_000

interface Tables {
  readonly tokens: readonly string[]
  readonly tokenTable: number
  readonly offsets: number
}

export class Kallsyms extends SymbolTable {
  /** @param image the uncompressed arm64 Image. @throws KallsymsError */
  static parse(image: Uint8Array): Kallsyms {
    const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
    const tables = findTokenTable(image, view)
    if (tables === null) throw new KallsymsError('no kallsyms token table in this Image (CONFIG_KALLSYMS off, or a layout this lab does not know)')
    const names = findNames(image, view, tables)
    if (names === null) throw new KallsymsError('the kallsyms names do not agree with their markers (damaged table, or a layout this lab does not know)')
    const symbols: KernelSymbol[] = []
    for (let i = 0; i < names.length; i++) {
      const at = tables.offsets + 4 * i
      if (at + 4 > image.length) throw new KallsymsError('the kallsyms offsets run past the end of the Image')
      const full = names[i]!
      symbols.push({ name: full.slice(1), type: full[0] ?? '?', offset: at + view.getInt32(at, true) })
    }
    symbols.sort((a, b) => a.offset - b.offset)
    return new Kallsyms(symbols)
  }
}

const align4 = (n: number) => (n + 3) & ~3

/** Tokens of single digits stand in a row for every kernel; the index that must follow tells real from chance. */
function findTokenTable(image: Uint8Array, view: DataView): Tables | null {
  const digits = Uint8Array.from([...'0123456789'].flatMap((c) => [c.charCodeAt(0), 0]))
  for (let at = indexOf(image, digits, 0); at >= 0; at = indexOf(image, digits, at + 1)) {
    const start = stringsBack(image, at, 0x30)
    if (start < 0) continue
    for (const candidate of [align4(start), start & ~3, start]) {
      const found = readTokens(image, view, candidate)
      if (found !== null) return found
    }
  }
  return null
}

function indexOf(image: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = image.indexOf(wanted[0]!, from); at >= 0; at = image.indexOf(wanted[0]!, at + 1)) {
    let k = 1
    while (k < wanted.length && image[at + k] === wanted[k]) k++
    if (k === wanted.length) return at
  }
  return -1
}

/** Start of the string `count` NUL-terminated strings before `at`. */
function stringsBack(image: Uint8Array, at: number, count: number): number {
  let p = at
  for (let i = 0; i < count; i++) {
    p -= 2
    while (p >= 0 && image[p] !== 0 && at - p < 64 * TOKENS) p--
    p++
    if (p <= 0) return -1
  }
  return p
}

function readTokens(image: Uint8Array, view: DataView, start: number): Tables | null {
  const tokens: string[] = []
  const starts: number[] = []
  let p = start
  for (let i = 0; i < TOKENS; i++) {
    starts.push(p - start)
    let token = ''
    while (p < image.length && image[p] !== 0) {
      token += String.fromCharCode(image[p++]!)
      if (token.length > 128) return null
    }
    p++
    tokens.push(token)
  }
  const index = align4(p)
  if (index + 2 * TOKENS > image.length) return null
  for (let i = 0; i < TOKENS; i++) if (view.getUint16(index + 2 * i, true) !== starts[i]) return null
  return { tokens, tokenTable: start, offsets: align4(index + 2 * TOKENS) }
}

/** Expanded names (type letter first), found from the markers that end just before the token table. */
function findNames(image: Uint8Array, view: DataView, tables: Tables): string[] | null {
  let first = align4(tables.tokenTable) - 4
  while (first > 4 && view.getUint32(first, true) === 0) first -= 4 // alignment padding
  while (first >= 4 && view.getUint32(first - 4, true) < view.getUint32(first, true)) first -= 4
  if (view.getUint32(first, true) !== 0) return null
  const markers: number[] = []
  for (let at = first; at + 4 <= tables.tokenTable; at += 4) {
    const m = view.getUint32(at, true)
    if (markers.length > 0 && m <= markers[markers.length - 1]!) break
    markers.push(m)
  }
  const last = markers[markers.length - 1]!
  const fewest = (markers.length - 1) * SYMBOLS_PER_MARKER
  // names start a little more than `last` bytes before the markers: the last run holds up to 256 names.
  for (let start = (first - last) & ~3; start >= 4 && first - last - start < 256 * 130; start -= 4) {
    const count = view.getUint32(start - 4, true)
    if (count <= fewest || count > fewest + SYMBOLS_PER_MARKER || count > MAX_SYMBOLS) continue
    const names = readNames(image, tables.tokens, start, count, markers, first)
    if (names !== null) return names
  }
  return null
}

function readNames(image: Uint8Array, tokens: readonly string[], start: number, count: number, markers: readonly number[], end: number): string[] | null {
  const names: string[] = []
  let p = start
  for (let i = 0; i < count; i++) {
    if (i % SYMBOLS_PER_MARKER === 0 && p - start !== markers[i / SYMBOLS_PER_MARKER]) return null
    let length = image[p++]!
    if (length & 0x80) length = (length & 0x7f) | (image[p++]! << 7)
    if (length === 0 || p + length > end) return null
    let name = ''
    for (let k = 0; k < length; k++) name += tokens[image[p++]!]
    names.push(name)
  }
  return align4(p) === end || end - p < 4 ? names : null
}
