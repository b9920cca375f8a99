/** How `print` shows values: for people who read addresses. */

const MOST_LINE = 4000
const MOST_DUMP = 1024

/** What `print(...values)` prints, one line or several. */
export function printed(values: readonly unknown[]): string {
  const text = values.map(value => (typeof value === 'string' ? value : shown(value, 0))).join(' ')
  return text.length > MOST_LINE ? `${text.slice(0, MOST_LINE)}… (${text.length - MOST_LINE} more characters)` : text
}

function shown(value: unknown, depth: number): string {
  if (typeof value === 'bigint') return hex(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === undefined || value === null || typeof value !== 'object') return String(value)
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Uint8Array) return value.length <= 16 ? [...value].map(byte2).join(' ') : `${value.length} bytes\n${dump(value)}`
  if (depth > 3) return '…'
  if (Array.isArray(value)) return `[${value.slice(0, 100).map(item => shown(item, depth + 1)).join(', ')}${value.length > 100 ? ', …' : ''}]`
  const { traceName } = value as { traceName?: unknown }
  if (typeof traceName === 'string') return traceName
  const entries = Object.entries(value).filter(([, item]) => typeof item !== 'function')
  return entries.length === 0 ? '{}' : `{ ${entries.map(([name, item]) => `${name}: ${shown(item, depth + 1)}`).join(', ')} }`
}

/** `0x` and the digits, at least so many. */
export function hex(value: bigint | number, digits = 1): string {
  const wide = BigInt(value)
  const size = wide < 0n ? -wide : wide
  return `${wide < 0n ? '-' : ''}0x${size.toString(16).padStart(digits, '0')}`
}

const byte2 = (byte: number) => byte.toString(16).padStart(2, '0')

/** Sixteen bytes a line: offset, bytes, characters. */
function dump(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < Math.min(bytes.length, MOST_DUMP); at += 16) {
    const part = [...bytes.subarray(at, at + 16)]
    const text = part.map(byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(4, '0')}  ${part.map(byte2).join(' ').padEnd(47)}  ${text}`)
  }
  if (bytes.length > MOST_DUMP) lines.push(`… ${bytes.length - MOST_DUMP} more bytes`)
  return lines.join('\n')
}
