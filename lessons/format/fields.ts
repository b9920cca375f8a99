/** Reading YAML by hand: every field is looked at, and what is wrong with one is told in one sentence. */
import { parse, YAMLParseError } from 'yaml'

/** What is wrong with a lesson's folder: which file, which field, and what to do. */
export interface Problem {
  /** Path from the lesson's folder, `lesson.md`. */
  readonly file: string
  /** Field or place in it, `start.mode`, `step "boot"`; empty where it is the whole file. */
  readonly field: string
  /** One sentence. */
  readonly message: string
}

/** `01-who-runs-at-el2/lesson.md, start.mode: "proteced" is none of absent, none, nvhe, protected, nested.` */
export function problemText(folder: string, { file, field, message }: Problem): string {
  return `${folder}/${file}${field === '' ? '' : `, ${field}`}: ${message}`
}

/** @returns the document, or undefined when it is no YAML: then that is a problem. */
export function parseYaml(text: string, file: string, field: string, problems: Problem[]): unknown {
  try {
    return parse(text) ?? {}
  } catch (error) {
    const where = error instanceof YAMLParseError && error.linePos ? ` (line ${error.linePos[0].line} of it)` : ''
    const what = error instanceof Error ? (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '') : String(error)
    problems.push({ file, field, message: `this is not YAML${where}: ${what}.` })
    return undefined
  }
}

/** The fields of one YAML mapping. What is missing or of the wrong type becomes a problem and a harmless default. */
export class Fields {
  private readonly values: Record<string, unknown>
  private readonly asked = new Set<string>()

  constructor(
    value: unknown,
    private readonly file: string,
    private readonly prefix: string,
    private readonly problems: Problem[],
  ) {
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isMapping && value !== undefined) this.wrong('', `should be fields with values, not ${describe(value)}.`)
    this.values = isMapping ? (value as Record<string, unknown>) : {}
  }

  private path(name: string): string {
    return [this.prefix, name].filter(part => part !== '').join('.')
  }

  wrong(name: string, message: string): void {
    this.problems.push({ file: this.file, field: this.path(name), message })
  }

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null
  }

  raw(name: string): unknown {
    this.asked.add(name)
    return this.values[name]
  }

  /** A text; numbers and booleans are taken as written. Without `fallback` it must be there. */
  text(name: string, fallback?: string): string {
    const value = this.raw(name)
    if (value === undefined || value === null) {
      if (fallback === undefined) this.wrong(name, 'is missing.')
      return fallback ?? ''
    }
    if (typeof value === 'object') {
      this.wrong(name, `should be a text, not ${describe(value)}.`)
      return fallback ?? ''
    }
    return String(value).trim()
  }

  number(name: string, low: number, high: number, fallback?: number): number {
    const value = this.raw(name)
    if (value === undefined && fallback !== undefined) return fallback
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
      this.wrong(name, `should be a whole number from ${low} to ${high}${value === undefined ? ', and is missing' : `, not ${describe(value)}`}.`)
      return fallback ?? low
    }
    return value
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name)
    if (value === undefined) return fallback
    if (typeof value !== 'boolean') this.wrong(name, `should be true or false, not ${describe(value)}.`)
    return value === true
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback?: T): T {
    const value = this.raw(name)
    if (value === undefined && fallback !== undefined) return fallback
    const found = choices.find(choice => choice === String(value))
    if (found === undefined) {
      this.wrong(name, value === undefined ? `is missing: one of ${choices.join(', ')}.` : `${describe(value)} is none of ${choices.join(', ')}.`)
    }
    return found ?? fallback ?? choices[0]!
  }

  /** A list of texts, each one of `choices`. */
  choices<T extends string>(name: string, choices: readonly T[]): T[] {
    return this.list(name).flatMap((value, i) => {
      const found = choices.find(choice => choice === String(value))
      if (found === undefined) this.wrong(`${name}[${i}]`, `${describe(value)} is none of ${choices.join(', ')}.`)
      return found === undefined ? [] : [found]
    })
  }

  /** A list; absent is empty. */
  list(name: string): unknown[] {
    const value = this.raw(name)
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return value
    this.wrong(name, `should be a list, not ${describe(value)}.`)
    return []
  }

  /** Each mapping of a list. */
  each<T>(name: string, read: (fields: Fields, index: number) => T): T[] {
    return this.list(name).map((value, i) => {
      const fields = new Fields(value, this.file, this.path(`${name}[${i}]`), this.problems)
      const result = read(fields, i)
      fields.noOthers()
      return result
    })
  }

  /** The fields of a mapping inside this one; absent reads as empty. */
  inside(name: string): Fields {
    return new Fields(this.raw(name) ?? undefined, this.file, this.path(name), this.problems)
  }

  /** A mapping from names to texts, in the order written. */
  texts(name: string): Record<string, string> {
    const fields = this.inside(name)
    const result = Object.fromEntries(Object.keys(fields.values).map(key => [key, fields.text(key)]))
    return result
  }

  /** Fields that nobody asked for are spelling mistakes. */
  noOthers(): void {
    const known = [...this.asked].join(', ')
    for (const name of Object.keys(this.values)) if (!this.asked.has(name)) this.wrong(name, `is no field of this; known are ${known}.`)
  }
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'fields with values'
  return typeof value === 'string' ? `"${value}"` : String(value)
}
