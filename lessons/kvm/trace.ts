/**
 * What a script did, call by call: each call of the API, and below it the system calls and memory accesses that it was
 * made of, with where the machine was before and after. Plain data, so that it can cross between Workers.
 */

/** A point of the machine's run: instructions retired since reset. Events of the log carry the same. */
export type Moment = number

export interface SourcePlace {
  file: string
  line: number
}

export interface TraceError {
  name: string
  /** Such as `EINVAL` or `SEGV_ACCERR`; empty when there is none. */
  code: string
  message: string
  explanation: string
}

export interface TraceEntry {
  id: number
  /** The call that this one was made for; null for the script's own. */
  parent: number | null
  /** As in a script (`vm.createVcpu({ id: 0 })`) or as in a system call trace (`ioctl(4, KVM_CREATE_VCPU, 0)`). */
  text: string
  /** Where the script made it. */
  place: SourcePlace | null
  /** An entry is told twice: when it begins and when it has ended. */
  state: 'running' | 'done' | 'failed'
  result: string | null
  error: TraceError | null
  before: Moment | null
  after: Moment | null
}

export interface TraceSink {
  onTrace(entry: TraceEntry): void
  /** Where the machine was when it last answered. */
  moment(): Moment | null
  /** The line of the script that runs now. */
  place(): SourcePlace | null
  /** @throws when the script may begin no call any more */
  admit(): void
}

/** One call under way. Calls made for it are its children. */
export interface Span {
  readonly id: number
}

export class Tracer {
  private last = 0

  constructor(private readonly sink: TraceSink) {}

  /** Does something as an entry of the trace. */
  async span<T>(parent: Span | null, text: string, body: (span: Span) => Promise<T>, show: (value: T) => string = showValue): Promise<T> {
    if (parent === null) this.sink.admit()
    const entry: TraceEntry = {
      id: ++this.last,
      parent: parent?.id ?? null,
      text,
      place: parent === null ? this.sink.place() : null,
      state: 'running',
      result: null,
      error: null,
      before: this.sink.moment(),
      after: null,
    }
    this.sink.onTrace({ ...entry })
    try {
      const value = await body(entry)
      this.sink.onTrace({ ...entry, state: 'done', result: show(value), after: this.sink.moment() })
      return value
    } catch (error) {
      this.sink.onTrace({ ...entry, state: 'failed', error: traceError(error), after: this.sink.moment() })
      throw error
    }
  }
}

export function traceError(error: unknown): TraceError {
  if (!(error instanceof Error)) return { name: 'Error', code: '', message: String(error), explanation: '' }
  const { code, explanation } = error as Partial<{ code: unknown; explanation: unknown }>
  return {
    name: error.name,
    code: typeof code === 'string' ? code : '',
    message: error.message,
    explanation: typeof explanation === 'string' ? explanation : '',
  }
}

/** A value in one short line, as in a script's source. */
export function showValue(value: unknown): string {
  return show(value, 3)
}

const MOST_SHOWN = 12

function show(value: unknown, depth: number): string {
  if (value === undefined) return ''
  switch (typeof value) {
    case 'bigint':
      return `${value < 0n ? '-' : ''}0x${(value < 0n ? -value : value).toString(16)}`
    case 'string':
      return JSON.stringify(value.length > 120 ? `${value.slice(0, 120)}…` : value)
    case 'number':
    case 'boolean':
      return String(value)
    case 'function':
      return '…'
    case 'symbol':
      return value.toString()
  }
  if (typeof value !== 'object' || value === null) return 'null'
  if (value instanceof Uint8Array) {
    const head = [...value.subarray(0, 8)].map(byte => byte.toString(16).padStart(2, '0')).join(' ')
    return `${value.length} bytes${value.length > 0 ? ` (${head}${value.length > 8 ? ' …' : ''})` : ''}`
  }
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (hasTraceName(value)) return value.traceName
  if (depth === 0) return '…'
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_SHOWN).map(item => show(item, depth - 1))
    return `[${items.join(', ')}${value.length > MOST_SHOWN ? `, … ${value.length} in all` : ''}]`
  }
  const entries = Object.entries(value).filter(([, item]) => typeof item !== 'function')
  const items = entries.slice(0, MOST_SHOWN).map(([name, item]) => `${name}: ${show(item, depth - 1)}`)
  return items.length === 0 ? '{}' : `{ ${items.join(', ')}${entries.length > MOST_SHOWN ? ', …' : ''} }`
}

/** Objects of the API show as their name, such as `vm 5`. */
export interface TraceNamed {
  readonly traceName: string
}

function hasTraceName(value: object): value is TraceNamed {
  return 'traceName' in value && typeof value.traceName === 'string'
}
