/**
 * A small operating system from its sources: assembled, laid out as a linker script would and checked to be an arm64
 * Image. It is linked at the address where the lab and QEMU's `virt` load an Image whose text_offset is 0.
 *
 * What the sources may rely on:
 * - `mini-pkvm.s` is read first. `.include` names a file beside the including one, or from the top folder:
 *   `.include "hyp/vectors.s"`.
 * - The 64-byte header of the boot protocol is at the start of .text, written by the sources: `b start`, then
 *   text_offset 0, `image_size` `_end - _text`, and `ARM\x64` at 56 (Documentation/arch/arm64/booting.rst).
 * - Every option of Kconfig is a constant of value 0 or 1 by its name: `.if CONFIG_PROTECTED_VM_UAPI`.
 * - Sections come in the order of system-layout.ts, each on a page of its own, with the names of Linux's linker script for
 *   their edges. `.bss` and `.hyp.bss` take no room in the file and are not zeroed by the loader's promise: the boot
 *   protocol wants the kernel to do that.
 * - Labels in `.hyp.*` sections are the hypervisor's: the table of symbols shows them with the prefix `__kvm_nvhe_`, as
 *   Linux's build does, unless they have it already. Names with a dot (`type.member`) and names that begin with `.L`
 *   or `L_` are no symbols of the table.
 */
import { type AssembleResult, type ListingLine, assemble, flatImage } from '../isa/assemble.ts'
import { type Diagnostic, type Position, SourceError } from '../isa/assemble-lexer.ts'
import { allRows } from '../isa/table.ts'
import { ImageError } from './boot-error.ts'
import { parseImage } from './image.ts'
import { SYSTEM_ORIGIN, SYSTEM_SECTIONS, SYSTEM_SOURCE } from './system-layout.ts'

export { SYSTEM_ORIGIN, SYSTEM_SOURCE } from './system-layout.ts'

/** A system of thousands of lines stays far below; a macro that never ends reaches it in a fraction of a second. */
const MOST_LINES = 100_000
const MOST_BYTES = 32 * 1024 * 1024
const HYP_PREFIX = '__kvm_nvhe_'

/** What a system is made of. Plain data: it crosses to the Worker as it is. */
export interface SystemSources {
  /** Text of every file by its path from the top folder: `mini-pkvm.s`, `hyp/vectors.s`. */
  readonly sources: Readonly<Record<string, string>>
  /** Values of the Kconfig options by full name: `CONFIG_KVM`. Booleans become 1 and 0. */
  readonly options: Readonly<Record<string, boolean | number>>
  /** The file to begin with. Default SYSTEM_SOURCE. */
  readonly top?: string
}

/** A named place in the system. */
export interface SystemSymbol {
  readonly name: string
  /** As `nm` prints it: t and T text, d and D data, b and B bss, r and R read-only. */
  readonly type: string
  /** From the start of the Image. */
  readonly offset: number
}

export interface BuiltSystem {
  /** No errors: `image` can be booted. */
  readonly ok: boolean
  /** An arm64 Image; empty when not ok. */
  readonly image: Uint8Array
  /** Places, in the order of their offsets. */
  readonly symbols: readonly SystemSymbol[]
  /** Constants: offsets of structure members, values of enums, anything else that `.equ` named. */
  readonly constants: ReadonlyMap<string, bigint>
  readonly listing: readonly ListingLine[]
  /** Errors with their places. The listing has what could be assembled. */
  readonly diagnostics: readonly Diagnostic[]
  readonly warnings: readonly Diagnostic[]
}

/** Assemble a system. Never throws because of what the sources hold. */
export function buildSystem({ sources, options, top = SYSTEM_SOURCE }: SystemSources): BuiltSystem {
  const text = sources[top]
  if (text === undefined) return failed({ message: missing(top, sources), position: { file: top, line: 1, column: 1 } })
  const result = assemble(text, {
    file: top,
    origin: SYSTEM_ORIGIN,
    rows: allRows,
    layout: SYSTEM_SECTIONS,
    mostLines: MOST_LINES,
    mostBytes: MOST_BYTES,
    defines: definesOf(options),
    include: (path, from) => includeText(sources, path, from),
  })
  const diagnostics = result.ok ? headerFaults(result, top) : result.diagnostics
  const ok = diagnostics.length === 0
  return {
    ok,
    image: ok ? flatImage(result).bytes : new Uint8Array(0),
    symbols: symbolsOf(result),
    constants: constantsOf(result),
    listing: result.listing,
    diagnostics,
    warnings: result.warnings,
  }
}

function failed(diagnostic: Diagnostic): BuiltSystem {
  return {
    ok: false,
    image: new Uint8Array(0),
    symbols: [],
    constants: new Map(),
    listing: [],
    diagnostics: [diagnostic],
    warnings: [],
  }
}

function definesOf(options: SystemSources['options']): Record<string, number> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value)]))
}

// ---- files ----------------------------------------------------------------------------------------------------------

/** @throws SourceError when there is no such file; its message says what to do. */
function includeText(sources: SystemSources['sources'], path: string, from: Position): string {
  const folder = from.file.slice(0, from.file.lastIndexOf('/') + 1)
  for (const candidate of [folder + path, path]) {
    const found = Object.hasOwn(sources, normal(candidate)) ? sources[normal(candidate)] : undefined
    if (found !== undefined) return found
  }
  throw new SourceError(missing(path, sources), from)
}

/** `a/../b` and `./b` name `b`. */
function normal(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

function missing(path: string, sources: SystemSources['sources']): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const elsewhere = Object.keys(sources).filter((p) => p === name || p.endsWith(`/${name}`))
  const like = elsewhere.length === 0 ? '' : `; there is ${elsewhere.join(', ')}`
  return `there is no file '${path}'${like}: it was deleted or renamed; reset it, or correct the name`
}

// ---- the Image ------------------------------------------------------------------------------------------------------

/** The system assembles; is it an Image that boots where it was linked? */
function headerFaults(result: AssembleResult, top: string): Diagnostic[] {
  const { bytes } = flatImage(result)
  const position = result.listing.find((l) => l.address === SYSTEM_ORIGIN)?.position ?? { file: top, line: 1, column: 1 }
  const fault = (message: string): Diagnostic[] => [{ message, position }]
  if (bytes.length < 64) return fault(`the system has ${bytes.length} bytes; the header of an Image alone has 64`)
  try {
    const { textOffset, imageSize } = parseImage(bytes)
    if (textOffset !== 0) return fault(`the Image header says text_offset 0x${textOffset.toString(16)}; it must be 0`)
    const needed = Number(result.symbols.get('_end')! - SYSTEM_ORIGIN)
    if (imageSize < needed) {
      return fault(
        `the Image header says image_size 0x${imageSize.toString(16)}, but the system with its .bss needs ` +
          `0x${needed.toString(16)}: write .quad _end - _text`,
      )
    }
  } catch (e) {
    if (!(e instanceof ImageError)) throw e
    return fault(`the system does not begin with the header of an arm64 Image (64 bytes, "ARM\\x64" at byte 56): ${e.message}`)
  }
  return []
}

// ---- names ----------------------------------------------------------------------------------------------------------

const LETTERS: readonly (readonly [part: RegExp, letter: string])[] = [
  [/text/, 't'],
  [/rodata/, 'r'],
  [/bss/, 'b'],
]

function symbolsOf(result: AssembleResult): SystemSymbol[] {
  const symbols: SystemSymbol[] = []
  const edges = new Set(SYSTEM_SECTIONS.flatMap((s) => [...(s.start ?? []), ...(s.end ?? [])]))
  for (const [name, section] of result.labels) {
    if (/^(\.|L_)/.test(name) || name.includes('.')) continue
    const hyp = section.startsWith('.hyp.') && !edges.has(name) && !name.startsWith(HYP_PREFIX)
    symbols.push({
      name: hyp ? HYP_PREFIX + name : name,
      type: LETTERS.find(([part]) => part.test(section))?.[1] ?? 'd',
      offset: Number(result.symbols.get(name)! - SYSTEM_ORIGIN),
    })
  }
  // An edge and a function may share a place: the function's name is the one to show, and the last one is shown.
  const rank = (s: SystemSymbol): number => (edges.has(s.name) ? 0 : 1)
  return symbols.sort((a, b) => a.offset - b.offset || rank(a) - rank(b))
}

function constantsOf(result: AssembleResult): Map<string, bigint> {
  const constants = new Map<string, bigint>()
  for (const [name, value] of result.symbols) if (!result.labels.has(name)) constants.set(name, value)
  return constants
}
