/** Guest sources to guest programs, with the lab's assembler. */
import { assemble } from '../../engine/isa/assemble.ts'
import type { Diagnostic } from '../../engine/isa/assemble-lexer.ts'
import { allRows } from '../../engine/isa/table.ts'
import { GUEST_ORIGIN, type GuestProgram } from './guest-image.ts'

/** A guest's sections may end this far from its beginning. */
const MOST_BYTES = 1 << 20

export type AssembledGuest = { ok: true; program: GuestProgram } | { ok: false; diagnostics: readonly Diagnostic[] }

/**
 * @param file name of the source in `sources`
 * @param sources texts by file name; `.include` finds them
 */
export function assembleGuest(file: string, sources: Readonly<Record<string, string>>): AssembledGuest {
  const result = assemble(sources[file] ?? '', {
    file,
    origin: GUEST_ORIGIN,
    rows: allRows,
    include: path => (Object.hasOwn(sources, path) ? sources[path] : undefined),
  })
  if (!result.ok) return { ok: false, diagnostics: result.diagnostics }
  let end = 0
  for (const section of result.sections) end = Math.max(end, Number(section.address - GUEST_ORIGIN) + section.size)
  if (end > MOST_BYTES) {
    const message = `the program is ${end} bytes, a guest of the lab has at most ${MOST_BYTES}`
    return { ok: false, diagnostics: [{ position: { file, line: 1, column: 1 }, message }] }
  }
  // .bss is part of it, so that a guest whose RAM was used before begins with zeroes.
  const bytes = new Uint8Array(end)
  for (const section of result.sections) bytes.set(section.bytes, Number(section.address - GUEST_ORIGIN))
  return { ok: true, program: { bytes, symbols: Object.fromEntries(result.symbols), address: GUEST_ORIGIN } }
}
