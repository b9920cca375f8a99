/**
 * Directives that put bytes into a section or arrange them. Each gives its size at once, and its bytes when all names
 * are known.
 */
import { type Resolve, TokenReader, parseAbsolute, parseExpression } from './assemble-expressions.ts'
import { type Position, SourceError, type Token } from './assemble-lexer.ts'

/** Bytes of known size whose content is made later. `fill` writes them all into `out`. */
export interface Data {
  readonly size: number
  readonly fill: (out: Uint8Array, resolve: Resolve) => void
}

/** What a directive may ask about the place where it stands. */
export interface Place {
  /** Offset in the section. */
  readonly offset: number
  /** Code is padded with NOPs. */
  readonly code: boolean
  readonly resolve: Resolve
  /** The section must start at a multiple of this. */
  align(bytes: number): void
}

const INTEGERS: Readonly<Record<string, number>> = {
  '.byte': 1,
  '.hword': 2,
  '.short': 2,
  '.2byte': 2,
  '.word': 4,
  '.long': 4,
  '.int': 4,
  '.4byte': 4,
  '.inst': 4,
  '.quad': 8,
  '.xword': 8,
  '.dword': 8,
  '.8byte': 8,
}
const FLOATS: Readonly<Record<string, number>> = { '.float': 4, '.single': 4, '.double': 8 }
const MOST_BYTES = 1 << 28

/** Directives that have no meaning here, accepted for the sake of sources written for other assemblers. */
const IGNORED = new Set([
  '.global',
  '.globl',
  '.local',
  '.weak',
  '.hidden',
  '.type',
  '.size',
  '.arch',
  '.cpu',
  '.arch_extension',
  '.file',
  '.ident',
  '.cfi_startproc',
  '.cfi_endproc',
  '.cfi_def_cfa_offset',
  '.cfi_offset',
  '.cfi_restore',
])

/** Is the directive one that is read and passed over? */
export function isIgnoredDirective(name: string): boolean {
  return IGNORED.has(name)
}

/** Split tokens at top-level commas. */
export function splitTokens(tokens: readonly Token[]): Token[][] {
  if (tokens.length === 0) return []
  const out: Token[][] = [[]]
  let depth = 0
  for (const t of tokens) {
    if (t.kind === 'punctuation' && '([{'.includes(t.text)) depth++
    if (t.kind === 'punctuation' && ')]}'.includes(t.text)) depth--
    if (t.kind === 'punctuation' && t.text === ',' && depth === 0) out.push([])
    else out[out.length - 1]!.push(t)
  }
  return out
}

/**
 * The data of a directive; undefined when it is not a data directive.
 * @throws SourceError on operands that do not fit the directive.
 */
export function dataDirective(
  name: string,
  tokens: readonly Token[],
  position: Position,
  place: Place,
): Data | undefined {
  const integer = INTEGERS[name]
  if (integer !== undefined) return integers(name, integer, splitTokens(tokens), position)
  const float = FLOATS[name]
  if (float !== undefined) return floats(float, splitTokens(tokens), position)
  switch (name) {
    case '.ascii':
      return strings(tokens, position, false)
    case '.asciz':
    case '.string':
      return strings(tokens, position, true)
    case '.skip':
    case '.space':
    case '.zero':
      return space(tokens, position, place)
    case '.fill':
      return fill(tokens, position, place)
    case '.align':
    case '.p2align':
      return alignment(tokens, position, place, true)
    case '.balign':
      return alignment(tokens, position, place, false)
    case '.org':
      return origin(tokens, position, place)
    default:
      return undefined
  }
}

function integers(name: string, size: number, items: readonly Token[][], position: Position): Data {
  if (items.length === 0) throw new SourceError(`${name} needs a value`, position)
  return {
    size: size * items.length,
    fill(out, resolve) {
      items.forEach((tokens, i) => {
        const reader = new TokenReader(tokens, position)
        const { value } = parseExpression(reader, resolve)
        reader.end()
        const bits = BigInt(8 * size)
        if (value >= 1n << bits || value < -(1n << (bits - 1n))) {
          reader.at = 0
          reader.fail(`0x${value.toString(16)} does not fit ${size} byte${size > 1 ? 's' : ''}`)
        }
        putInteger(out, i * size, size, value)
      })
    },
  }
}

/** Little-endian. */
function putInteger(out: Uint8Array, at: number, size: number, value: bigint): void {
  for (let b = 0; b < size; b++) out[at + b] = Number((value >> BigInt(8 * b)) & 0xffn)
}

function floats(size: number, items: readonly Token[][], position: Position): Data {
  const values = items.map((tokens) => {
    const reader = new TokenReader(tokens, position)
    const negative = reader.accept('-')
    const t = reader.peek()
    if (t === undefined || (t.kind !== 'float' && t.kind !== 'number')) return reader.fail('expected a number')
    reader.at++
    reader.end()
    const value = t.kind === 'float' ? t.float : Number(t.value)
    return negative ? -value : value
  })
  return {
    size: size * values.length,
    fill(out) {
      const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
      for (const [i, v] of values.entries()) {
        if (size === 4) view.setFloat32(4 * i, v, true)
        else view.setFloat64(8 * i, v, true)
      }
    },
  }
}

function strings(tokens: readonly Token[], position: Position, terminated: boolean): Data {
  const bytes: number[] = []
  for (const item of splitTokens(tokens)) {
    // Strings side by side are one string.
    for (const t of item) {
      if (t.kind !== 'string')
        throw new SourceError(`expected a string but found '${t.text}'`, { ...position, column: t.column })
      for (let i = 0; i < t.text.length; i++) bytes.push(t.text.charCodeAt(i))
    }
    if (terminated) bytes.push(0)
  }
  return { size: bytes.length, fill: (out) => out.set(bytes) }
}

/** Constant operands of a directive. */
function constants(tokens: readonly Token[], position: Position, place: Place, what: string): (bigint | undefined)[] {
  return splitTokens(tokens).map((item) => {
    if (item.length === 0) return undefined
    const reader = new TokenReader(item, position)
    const value = parseAbsolute(reader, place.resolve, what)
    reader.end()
    return value
  })
}

function checkedSize(value: bigint | undefined, position: Position): number {
  if (value === undefined || value < 0n || value > BigInt(MOST_BYTES))
    throw new SourceError('a size between 0 and 256 MiB is needed', position)
  return Number(value)
}

function space(tokens: readonly Token[], position: Position, place: Place): Data {
  const [count, value] = constants(tokens, position, place, 'the size')
  const size = checkedSize(count, position)
  return { size, fill: (out) => void out.fill(Number((value ?? 0n) & 0xffn)) }
}

function fill(tokens: readonly Token[], position: Position, place: Place): Data {
  const [repeat, unit = 1n, value = 0n] = constants(tokens, position, place, 'the operand')
  const count = checkedSize(repeat, position)
  if (unit < 1n || unit > 8n) throw new SourceError('.fill takes units of 1 to 8 bytes', position)
  const size = Number(unit)
  return {
    size: checkedSize(BigInt(count * size), position),
    fill(out) {
      for (let i = 0; i < count; i++) putInteger(out, i * size, size, value)
    },
  }
}

function alignment(tokens: readonly Token[], position: Position, place: Place, power: boolean): Data {
  const [operand, value, most] = constants(tokens, position, place, 'the alignment')
  if (operand === undefined || operand < 0n || operand > (power ? 16n : 65536n))
    throw new SourceError('alignment out of range', position)
  const bytes = power ? 2 ** Number(operand) : Math.max(1, Number(operand))
  if ((bytes & (bytes - 1)) !== 0) throw new SourceError('the alignment must be a power of two', position)
  place.align(bytes)
  let size = (bytes - (place.offset % bytes)) % bytes
  if (most !== undefined && BigInt(size) > most) size = 0
  const { offset } = place
  return {
    size,
    fill(out) {
      if (value !== undefined || !place.code) return void out.fill(Number((value ?? 0n) & 0xffn))
      for (let i = (4 - (offset & 3)) & 3; i + 4 <= size; i += 4) putInteger(out, i, 4, 0xd503201fn)
    },
  }
}

function origin(tokens: readonly Token[], position: Position, place: Place): Data {
  const reader = new TokenReader(tokens, position)
  const target = parseExpression(reader, place.resolve)
  reader.end()
  const size = Number(target.value) - place.offset
  if (size < 0 || size > MOST_BYTES) throw new SourceError('.org cannot go back', position)
  return { size, fill: (out) => void out.fill(0) }
}
