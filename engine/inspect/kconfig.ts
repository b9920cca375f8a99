import { annotate, evaluate, isTristate, type Lookup, parseExpression, type Tristate } from './kconfig-expression.ts'

/** A line of a kernel's configuration. */
export interface ConfigEntry {
  /** Without `CONFIG_`. */
  readonly name: string
  readonly type: 'tristate' | 'string' | 'number'
  /** `y`, `m` or `n`; a string without its quotes; a number as written (`14`, `0x40`). */
  readonly value: string
  /** Menus it stands in, outermost first: `General setup`, `Timers subsystem`. */
  readonly menus: readonly string[]
}

/** A kernel's configuration as `make` writes it (`.config`, `/boot/config-*`). */
export interface KernelConfig {
  /** `Linux/arm64 7.3.4` of the heading, where there is one. */
  readonly title: string | null
  /** In the order of the file, which is the order of the menus. */
  readonly entries: ReadonlyMap<string, ConfigEntry>
  /** Lines that are neither settings nor comments: a file that is damaged or something else. */
  readonly strange: number
}

const SETTING = /^CONFIG_(\w+)=(.*)$/
const UNSET = /^# CONFIG_(\w+) is not set$/
const END_OF = /^# end of (.+)$/

/** Never fails: what is not a configuration gives no entries and many strange lines. A later line for a name counts. */
export function parseConfig(text: string): KernelConfig {
  const lines = text.split(/\r?\n/)
  const ended = new Set(lines.flatMap((line) => END_OF.exec(line)?.[1] ?? []))
  const entries = new Map<string, ConfigEntry>()
  const menus: string[] = []
  let title: string | null = null
  let strange = 0
  for (const [i, line] of lines.entries()) {
    const setting = SETTING.exec(line)
    const unset = UNSET.exec(line)?.[1]
    if (setting !== null) {
      const entry = entryOf(setting[1]!, setting[2]!, [...menus])
      if (entry === null) strange++
      else entries.set(entry.name, entry)
    } else if (unset !== undefined) entries.set(unset, { name: unset, type: 'tristate', value: 'n', menus: [...menus] })
    else if (line.startsWith('#')) {
      title ??= /^# (Linux\/\S+ \S+) Kernel Configuration$/.exec(line)?.[1] ?? null
      const end = END_OF.exec(line)?.[1]
      if (end !== undefined && menus.includes(end)) menus.length = menus.lastIndexOf(end)
      // A menu opens with its title between two bare hashes. Titles without an end are mere remarks.
      const opens = line.slice(2)
      if (lines[i - 1] === '#' && lines[i + 1] === '#' && ended.has(opens)) menus.push(opens)
    } else if (line.trim() !== '') strange++
  }
  return { title, entries, strange }
}

function entryOf(name: string, text: string, menus: readonly string[]): ConfigEntry | null {
  if (isTristate(text)) return { name, type: 'tristate', value: text, menus }
  if (/^(0x[0-9a-fA-F]+|-?\d+)$/.test(text)) return { name, type: 'number', value: text, menus }
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(text)
  return quoted === null ? null : { name, type: 'string', value: quoted[1]!.replace(/\\(.)/g, '$1'), menus }
}

/** The values of a configuration, some of them supposed to be different. */
export function lookupIn(config: KernelConfig, suppose: Readonly<Record<string, string>> = {}): Lookup {
  return (name) => (Object.hasOwn(suppose, name) ? suppose[name] : config.entries.get(name)?.value)
}

/** An option with a prompt, as a Kconfig file defines it. */
export interface OptionDefinition {
  readonly name: string
  readonly type: 'bool' | 'tristate'
  /** Text of `depends on`. */
  readonly dependsOn: string
}

export interface OptionState {
  /** menuconfig shows it: what it depends on is not n. */
  readonly available: boolean
  /** The value it gets: n when not available, otherwise the wish, within what its type and dependency allow. */
  readonly value: Tristate
  /** `KVM [=y] && EXPERT [=n]`. */
  readonly dependency: string
}

/** What an option becomes when somebody wishes it to be `wanted`. @throws KconfigSyntaxError */
export function evaluateOption(option: OptionDefinition, wanted: Tristate, lookup: Lookup): OptionState {
  const expression = parseExpression(option.dependsOn)
  const limit = evaluate(expression, lookup)
  const dependency = annotate(expression, lookup)
  if (limit === 'n') return { available: false, value: 'n', dependency }
  // For a bool, m means y.
  if (option.type === 'bool') return { available: true, value: wanted === 'n' ? 'n' : 'y', dependency }
  return { available: true, value: wanted === 'y' ? limit : wanted, dependency }
}
