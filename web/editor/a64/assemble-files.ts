import { assemble, flatImage, type SectionPlacement } from '../../../engine/isa/assemble.ts'
import { allRows } from '../../../engine/isa/table.ts'
import { resolveInclude } from './outline.ts'

export interface AssemblyRequest {
  /** Texts by path; `.include` finds them beside the including file, then from the top. */
  readonly files: Readonly<Record<string, string>>
  readonly entry: string
  /** Names with values known beforehand, as by `.equ`: options. */
  readonly defines?: Readonly<Record<string, bigint | number>>
  /** Address of the first byte, a multiple of 16. Default 0. */
  readonly origin?: bigint
  /** Order of the sections, and names of their edges. */
  readonly layout?: readonly SectionPlacement[]
}

export interface ListedLine {
  readonly address: bigint
  /** The first bytes of it, 64 at most: a `.skip` may be very large. */
  readonly bytes: Uint8Array
  readonly size: number
  readonly file: string
  readonly line: number
  /** The macro call or repetition it came from, when it did. */
  readonly within?: { readonly file: string; readonly line: number }
  readonly text: string
}

export interface AssemblyProblem {
  readonly message: string
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface Assembly {
  readonly ok: boolean
  /** Address of the first byte. */
  readonly address: bigint
  /** The flat image of all sections but .bss. */
  readonly bytes: Uint8Array
  readonly symbols: ReadonlyMap<string, bigint>
  readonly listing: readonly ListedLine[]
  readonly diagnostics: readonly AssemblyProblem[]
}

/** Assembles one file of a set. Never throws; whatever is wrong is in `diagnostics`. */
export function assembleFileSet(request: AssemblyRequest): Assembly {
  const { files, entry } = request
  const source = files[entry]
  if (source === undefined) {
    const there = Object.keys(files).filter(file => /\.[sS]$/.test(file))
    const message = `There is no file ${entry} in this workspace.${there.length > 0 ? ` There are: ${there.join(', ')}.` : ''}`
    return { ...EMPTY, diagnostics: [{ message, file: entry, line: 1, column: 1 }] }
  }
  try {
    const result = assemble(source, {
      file: entry,
      rows: allRows,
      ...(request.origin === undefined ? {} : { origin: request.origin }),
      ...(request.layout === undefined ? {} : { layout: request.layout }),
      ...(request.defines === undefined ? {} : { defines: request.defines }),
      include: (path, from) => {
        const file = resolveInclude(path, from.file, files)
        return file === undefined ? undefined : files[file]
      },
    })
    const flat = flatImage(result)
    return {
      ok: result.ok,
      address: flat.address,
      bytes: flat.bytes,
      symbols: result.symbols,
      listing: result.listing.map(({ address, bytes, position, text }) => ({
        address,
        bytes: bytes.slice(0, 64),
        size: bytes.length,
        file: known(position.file, files),
        line: position.line,
        ...(position.within === undefined
          ? {}
          : { within: { file: known(position.within.file, files), line: position.within.line } }),
        text,
      })),
      diagnostics: result.diagnostics.flatMap(({ message, position }) => {
        const own = { message, file: known(position.file, files), line: position.line, column: position.column }
        if (position.within === undefined) return [own]
        // In a macro: said where it is called as well, which is where the learner looks.
        const call = position.within
        return [
          own,
          {
            message: `${message} (in the expansion, line ${position.line} of ${position.file})`,
            file: known(call.file, files),
            line: call.line,
            column: call.column,
          },
        ]
      }),
    }
  } catch (error) {
    const message = `The assembler gave up: ${error instanceof Error ? error.message : String(error)}`
    return { ...EMPTY, diagnostics: [{ message, file: entry, line: 1, column: 1 }] }
  }
}

const EMPTY: Assembly = {
  ok: false,
  address: 0n,
  bytes: new Uint8Array(0),
  symbols: new Map(),
  listing: [],
  diagnostics: [],
}

/** Included files are named as written there; here they are named by their path. */
function known(name: string, files: Readonly<Record<string, string>>): string {
  if (files[name] !== undefined) return name
  const bare = name.replace(/^(?:\.\.?\/)+/, '')
  return files[bare] !== undefined ? bare : (Object.keys(files).find(path => path.endsWith(`/${bare}`)) ?? name)
}
