/**
 * What scripts pass, checked before anything is sent. Scripts are checked by TypeScript too; this is for what gets past
 * it. Every message is one sentence that names the call and the parameter.
 */

/** What a value is, in words. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  switch (typeof value) {
    case 'string':
      return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
    case 'number':
      return `the number ${value}`
    case 'bigint':
      return `${value < 0n ? '-' : ''}0x${(value < 0n ? -value : value).toString(16)}n`
    case 'boolean':
      return String(value)
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    default: {
      if (value instanceof Promise) return 'a promise (is an await missing?)'
      if (Array.isArray(value)) return 'an array'
      const name = (value as object).constructor?.name
      return name === undefined || name === 'Object' ? 'an object' : `a ${name}`
    }
  }
}

function wrong(call: string, parameter: string, must: string, value: unknown): TypeError {
  return new TypeError(`${call}: ${parameter} must be ${must}, not ${describe(value)}.`)
}

/** A 64-bit address or register value as a bigint. */
export function needBigint(call: string, parameter: string, value: unknown, { multipleOf = 1n } = {}): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    throw new TypeError(`${call}: ${parameter} must be a bigint, not the number ${value}: write 0x${Math.abs(value).toString(16)}n.`)
  }
  if (typeof value !== 'bigint') throw wrong(call, parameter, 'a bigint such as 0x40000000n', value)
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw wrong(call, parameter, 'a bigint from 0 to 2^64 - 1', value)
  if (value % multipleOf !== 0n) throw wrong(call, parameter, `a multiple of ${multipleOf}`, value)
  return value
}

/** A register value: both kinds of number, negative ones as two's complement. */
export function needValue(call: string, parameter: string, value: unknown, bits = 64): bigint {
  if (typeof value === 'number' ? !Number.isInteger(value) : typeof value !== 'bigint') {
    throw wrong(call, parameter, 'a whole number or a bigint', value)
  }
  const wide = BigInt(value as number | bigint)
  if (wide >= 1n << BigInt(bits) || wide < -(1n << BigInt(bits - 1))) throw wrong(call, parameter, `a value of ${bits} bits`, value)
  return BigInt.asUintN(bits, wide)
}

export function needInteger(
  call: string,
  parameter: string,
  value: unknown,
  { least = 0, most = Number.MAX_SAFE_INTEGER, multipleOf = 1 } = {},
): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong(call, parameter, 'a whole number', value)
  if (value < least || value > most) {
    throw wrong(call, parameter, most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `from ${least} to ${most}`, value)
  }
  if (value % multipleOf !== 0) throw wrong(call, parameter, `a multiple of ${multipleOf}`, value)
  return value
}

export function needNumber(call: string, parameter: string, value: unknown, { least = 0, most = Number.POSITIVE_INFINITY } = {}): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw wrong(call, parameter, 'a number', value)
  if (value < least || value > most) throw wrong(call, parameter, `from ${least} to ${most}`, value)
  return value
}

export function needBytes(call: string, parameter: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong(call, parameter, 'a Uint8Array', value)
  return value
}

export function needText(call: string, parameter: string, value: unknown): string {
  if (typeof value !== 'string') throw wrong(call, parameter, 'a string', value)
  if (value.includes('\0')) throw new TypeError(`${call}: ${parameter} must not contain a NUL character.`)
  return value
}

export function needBoolean(call: string, parameter: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrong(call, parameter, 'true or false', value)
  return value
}

/** An options object without names that nobody knows. */
export function needOptions(call: string, parameter: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Promise) {
    throw wrong(call, parameter, `an object such as { ${known[0]}: … }`, value)
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new TypeError(`${call}: ${parameter} has no ${JSON.stringify(name)}; there is ${known.join(', ')}.`)
  }
}

/** One of the keys of a table. */
export function needName<T extends string>(call: string, parameter: string, value: unknown, table: Readonly<Record<T, unknown>>): T {
  if (typeof value !== 'string') throw wrong(call, parameter, 'a name', value)
  if (!Object.hasOwn(table, value)) {
    const near = nearest(value, Object.keys(table))
    throw new TypeError(`${call}: there is no ${parameter} ${JSON.stringify(value)}${near === null ? '' : `; did you mean ${JSON.stringify(near)}?`}`)
  }
  return value as T
}

function nearest(word: string, names: readonly string[]): string | null {
  const low = word.toLowerCase()
  const same = names.find(name => name.toLowerCase() === low)
  if (same !== undefined) return same
  let best: string | null = null
  let least = 3
  for (const name of names) {
    const distance = editDistance(low, name.toLowerCase(), least)
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return best
}

function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
