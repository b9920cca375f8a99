/** From a place in compiled code back to the line that the learner wrote, by the inline source map. */
import type { SourcePlace } from './trace.ts'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUE = new Map([...DIGITS].map((digit, value) => [digit, value]))
const MAP_COMMENT = /\/\/# sourceMappingURL=data:application\/json[^,]*;base64,([A-Za-z0-9+/=]+)\s*$/

/** For each line of the code, where its mappings begin: column there, line in the source; both from 0. */
export type LineMap = readonly (readonly { column: number; line: number }[])[]

/** Code without its inline source map, and the map; null when it has none. */
export function splitSourceMap(code: string): { code: string; lines: LineMap | null } {
  const found = MAP_COMMENT.exec(code)
  if (found === null) return { code, lines: null }
  const json = new TextDecoder().decode(fromBase64(found[1] ?? ''))
  const { mappings } = JSON.parse(json) as { mappings: string }
  return { code: code.slice(0, found.index), lines: readMappings(mappings) }
}

/** The `mappings` of a source map of version 3 that has one source. */
export function readMappings(mappings: string): LineMap {
  let sourceLine = 0
  return mappings.split(';').map(group => {
    let column = 0
    const segments: { column: number; line: number }[] = []
    for (const segment of group === '' ? [] : group.split(',')) {
      const [columnStep = 0, , lineStep] = readNumbers(segment)
      column += columnStep
      if (lineStep === undefined) continue
      sourceLine += lineStep
      segments.push({ column, line: sourceLine })
    }
    return segments
  })
}

/** Numbers in base 64 with 5 bits a digit, low digits first, bit 5 for more to come, the sign in the lowest bit. */
function readNumbers(text: string): number[] {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (const digit of text) {
    const bits = VALUE.get(digit) ?? 0
    value += (bits & 31) * 2 ** shift
    shift += 5
    if ((bits & 32) !== 0) continue
    numbers.push(value % 2 === 1 ? -Math.floor(value / 2) : value / 2)
    value = 0
    shift = 0
  }
  return numbers
}

/** Lines and columns from 1. A place before the first mapping of its line belongs to it. */
export function sourceLine(lines: LineMap | null, line: number, column: number): number {
  const segments = lines?.[line - 1]
  if (segments === undefined || segments.length === 0) return line
  let best = segments[0]!
  for (const segment of segments) if (segment.column <= column - 1) best = segment
  return best.line + 1
}

/** How `run-script.ts` names the modules it evaluates, so that stacks can be read. */
export const URL_PREFIX = 'lab-script/'

/** The innermost place of a stack that is in a script. Understands the stacks of V8, SpiderMonkey and JavaScriptCore. */
export function scriptPlace(stack: string, maps: ReadonlyMap<string, LineMap | null>): SourcePlace | null {
  for (const [, file = '', line = '', column = ''] of stack.matchAll(/lab-script\/([^:\s)]+):(\d+):(\d+)/g)) {
    const lines = maps.get(file)
    if (lines !== undefined) return { file, line: sourceLine(lines, Number(line), Number(column)) }
  }
  return null
}

function fromBase64(text: string): Uint8Array {
  const digits = text.replace(/=+$/, '')
  const bytes = new Uint8Array(Math.floor((digits.length * 6) / 8))
  let bits = 0
  let held = 0
  let at = 0
  for (const digit of digits) {
    held = ((held << 6) | (VALUE.get(digit) ?? 0)) & 0xfff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >> bits) & 0xff
  }
  return bytes
}
