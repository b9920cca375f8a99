/**
 * Kconfig files (Documentation/kbuild/kconfig-language.rst), as far as a small system needs them: `mainmenu`, `config`,
 * `menuconfig`, `bool`, `tristate`, `def_bool`, `prompt`, `default`, `depends on`, `help`, `menu`/`endmenu`, `if`/`endif`
 * and `comment`. A statement that the kernel's language has and this one lacks is refused by name.
 */
import {
  annotate,
  evaluate,
  type Expression,
  isTristate,
  KconfigSyntaxError,
  least,
  parseExpression,
  type Tristate,
} from './kconfig-expression.ts'

/** A Kconfig file that cannot be read: its line, and in the message what is wrong with it. */
export class KconfigError extends Error {
  override name = 'KconfigError'

  constructor(
    message: string,
    /** From 1. */
    readonly line: number,
  ) {
    super(message)
  }
}

/** A value that holds when `condition` does; null: always. */
interface Conditional<T> {
  readonly value: T
  readonly condition: Expression | null
}

export interface MenuOption {
  readonly kind: 'option'
  readonly name: string
  readonly type: 'bool' | 'tristate'
  /** What the menu shows; null for an option that only follows from others. */
  readonly prompt: string | null
  /** When the prompt is shown, beyond `dependsOn`. */
  readonly promptIf: Expression | null
  readonly defaults: readonly Conditional<Expression>[]
  /** All of `depends on`, and the menus and ifs around it; null when it depends on nothing. */
  readonly dependsOn: Expression | null
  /** Paragraphs. */
  readonly help: string
  readonly line: number
}

export interface MenuComment {
  readonly kind: 'comment'
  readonly text: string
  readonly dependsOn: Expression | null
  readonly line: number
}

export interface Menu {
  readonly kind: 'menu'
  readonly title: string
  readonly dependsOn: Expression | null
  readonly items: readonly MenuItem[]
  readonly line: number
}

export type MenuItem = MenuOption | MenuComment | Menu

export interface KconfigMenu {
  /** Of `mainmenu`. */
  readonly title: string
  readonly items: readonly MenuItem[]
  /** In the order of the file. */
  readonly options: ReadonlyMap<string, MenuOption>
}

/** An option with the value it has. */
export interface ConfiguredOption {
  readonly option: MenuOption
  readonly value: Tristate
  /** The menu lets it be changed now. */
  readonly settable: boolean
  /** `KVM [=y] && EXPERT [=n]`; empty when it depends on nothing. */
  readonly dependency: string
}

/** Statements of the kernel's language that this one lacks. */
const LACKING = new Set([
  'choice',
  'endchoice',
  'source',
  'rsource',
  'osource',
  'select',
  'imply',
  'range',
  'visible',
  'int',
  'hex',
  'string',
  'def_tristate',
  'modules',
  'optional',
  'transitional',
])
const KNOWN =
  'mainmenu, config, menuconfig, bool, tristate, def_bool, prompt, default, depends on, help, menu, endmenu, if, endif, comment'
/** Menus and ifs inside one another. */
const DEEPEST = 50

/** @throws KconfigError */
export function parseKconfig(text: string): KconfigMenu {
  return new Reader(text).whole()
}

interface Draft {
  name: string
  line: number
  type: MenuOption['type'] | null
  prompt: string | null
  promptIf: Expression | null
  defaults: Conditional<Expression>[]
  dependsOn: Expression | null
  help: string
}

interface Block {
  readonly kind: 'file' | 'menu' | 'if'
  readonly line: number
  readonly title: string
  readonly items: MenuItem[]
  /** With that of the blocks around it. */
  dependsOn: Expression | null
}

class Reader {
  private readonly lines: readonly string[]
  private at = 0
  private title = ''
  private readonly blocks: Block[] = [{ kind: 'file', line: 0, title: '', items: [], dependsOn: null }]
  private readonly options = new Map<string, MenuOption>()
  /** The entry whose attributes are being read. */
  private open: { kind: 'option'; it: Draft } | { kind: 'comment'; it: { text: string; line: number; dependsOn: Expression | null } } | null =
    null

  constructor(text: string) {
    this.lines = text.split(/\r?\n/)
  }

  whole(): KconfigMenu {
    while (this.at < this.lines.length) {
      const line = this.at + 1
      let text = this.lines[this.at++]!
      while (text.endsWith('\\') && this.at < this.lines.length) text = text.slice(0, -1) + this.lines[this.at++]!
      text = withoutRemark(text).trim()
      if (text !== '') this.statement(text, line)
    }
    this.close()
    const block = this.blocks[this.blocks.length - 1]!
    if (block.kind !== 'file') throw new KconfigError(`this ${block.kind} has no end${block.kind}`, block.line)
    return { title: this.title, items: block.items, options: this.options }
  }

  private statement(text: string, line: number): void {
    const word = /^\S+/.exec(text)![0]
    const rest = text.slice(word.length).trim()
    if (LACKING.has(word)) throw new KconfigError(`'${word}' of the Kconfig language is not known to this lab; it knows ${KNOWN}`, line)
    switch (word) {
      case 'mainmenu':
        this.title = quoted(rest, line)
        return
      case 'config':
      case 'menuconfig':
        this.close()
        if (!/^\w+$/.test(rest)) throw new KconfigError(`${word} needs the name of an option, letters, digits and _`, line)
        if (this.options.has(rest)) {
          const { line: first } = this.options.get(rest)!
          throw new KconfigError(`option ${rest} is already defined in line ${first}`, line)
        }
        this.open = { kind: 'option', it: emptyDraft(rest, line) }
        return
      case 'comment':
        this.close()
        this.open = { kind: 'comment', it: { text: quoted(rest, line), line, dependsOn: null } }
        return
      case 'menu':
      case 'if':
        this.close()
        this.enter(word, rest, line)
        return
      case 'endmenu':
      case 'endif':
        this.close()
        this.leave(word === 'endmenu' ? 'menu' : 'if', line)
        return
      default:
        this.attribute(word, rest, line)
    }
  }

  private enter(kind: 'menu' | 'if', rest: string, line: number): void {
    if (this.blocks.length > DEEPEST) throw new KconfigError('menus are nested too deeply', line)
    const outer = this.blocks[this.blocks.length - 1]!
    const own = kind === 'if' ? expression(rest, line) : null
    this.blocks.push({
      kind,
      line,
      title: kind === 'menu' ? quoted(rest, line) : '',
      // What stands in an if stands in the menu around it.
      items: kind === 'if' ? outer.items : [],
      dependsOn: both(outer.dependsOn, own),
    })
  }

  private leave(kind: 'menu' | 'if', line: number): void {
    const block = this.blocks[this.blocks.length - 1]!
    if (block.kind !== kind) {
      const open = block.kind === 'file' ? '' : `; the ${block.kind} of line ${block.line} is open`
      throw new KconfigError(`end${kind} without its ${kind}${open}`, line)
    }
    this.blocks.pop()
    if (kind === 'if') return
    const { title, dependsOn, items } = block
    this.blocks[this.blocks.length - 1]!.items.push({ kind: 'menu', title, dependsOn, items, line: block.line })
  }

  private attribute(word: string, rest: string, line: number): void {
    if (word === 'depends') {
      const m = /^on\s+(.*)$/.exec(rest)
      if (m === null) throw new KconfigError("'depends' goes on with 'on' and an expression", line)
      const needed = expression(m[1]!, line)
      if (this.open !== null) this.open.it.dependsOn = both(this.open.it.dependsOn, needed)
      else {
        const block = this.blocks[this.blocks.length - 1]!
        if (block.kind !== 'menu' || block.items.length > 0)
          throw new KconfigError("'depends on' belongs to a config, a comment, or the start of a menu", line)
        block.dependsOn = both(block.dependsOn, needed)
      }
      return
    }
    const it = this.open?.kind === 'option' ? this.open.it : null
    const own = (): Draft => {
      if (it === null) throw new KconfigError(`'${word}' belongs to a config; none is open here`, line)
      return it
    }
    switch (word) {
      case 'bool':
      case 'tristate':
        own().type = word
        if (rest !== '') this.prompt(own(), rest, line)
        return
      case 'def_bool':
        own().type = 'bool'
        own().defaults.push(conditional(rest, line))
        return
      case 'prompt':
        this.prompt(own(), rest, line)
        return
      case 'default':
        own().defaults.push(conditional(rest, line))
        return
      case 'help':
      case '---help---':
        own().help = this.help()
        return
      default:
        throw new KconfigError(`'${word}' is not a statement of a Kconfig file; this lab knows ${KNOWN}`, line)
    }
  }

  private prompt(it: Draft, rest: string, line: number): void {
    const m = /^("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(?:if\s+(.*))?$/.exec(rest)
    if (m === null) throw new KconfigError(`a prompt is a text in quotes, not ${rest}`, line)
    it.prompt = quoted(m[1]!, line)
    it.promptIf = m[2] === undefined ? null : expression(m[2], line)
  }

  /** Indented at least as far as its first line; empty lines belong to it. */
  private help(): string {
    const text: string[] = []
    let indent = -1
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at]!.replace(/\t/g, '        ')
      if (line.trim() === '') {
        text.push('')
        continue
      }
      const own = line.length - line.trimStart().length
      if (indent < 0) indent = own
      if (own < indent || own === 0) break
      text.push(line.slice(indent).trimEnd())
    }
    // Lines of a paragraph are one.
    return text.join('\n').trim().replace(/([^\n])\n(?!\n)/g, '$1 ')
  }

  private close(): void {
    const { open } = this
    if (open === null) return
    this.open = null
    const block = this.blocks[this.blocks.length - 1]!
    const dependsOn = both(block.dependsOn, open.it.dependsOn)
    if (open.kind === 'comment') {
      block.items.push({ kind: 'comment', text: open.it.text, dependsOn, line: open.it.line })
      return
    }
    const { type, ...rest } = open.it
    if (type === null) throw new KconfigError(`option ${rest.name} has no type: write bool or tristate`, rest.line)
    const option: MenuOption = { kind: 'option', ...rest, type, dependsOn }
    this.options.set(option.name, option)
    block.items.push(option)
  }
}

function emptyDraft(name: string, line: number): Draft {
  return { name, line, type: null, prompt: null, promptIf: null, defaults: [], dependsOn: null, help: '' }
}

/** `#` outside of quotes begins a remark. */
function withoutRemark(text: string): string {
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (quote !== '' && c === '\\') i++
    else if (quote !== '') quote = c === quote ? '' : quote
    else if (c === '"' || c === "'") quote = c
    else if (c === '#') return text.slice(0, i)
  }
  return text
}

function quoted(text: string, line: number): string {
  const m = /^"((?:[^"\\]|\\.)*)"$|^'((?:[^'\\]|\\.)*)'$/.exec(text)
  if (m === null) throw new KconfigError(`a text in quotes is needed here, not ${text === '' ? 'nothing' : text}`, line)
  return (m[1] ?? m[2]!).replace(/\\(.)/g, '$1')
}

function expression(text: string, line: number): Expression {
  try {
    return parseExpression(text)
  } catch (e) {
    if (e instanceof KconfigSyntaxError) throw new KconfigError(e.message, line)
    throw e
  }
}

/** `y`, `y if EXPERT`. */
function conditional(text: string, line: number): Conditional<Expression> {
  const m = /^(.*?)\s+if\s+(.*)$/.exec(text)
  if (text === '') throw new KconfigError('a default needs a value, y or n', line)
  return {
    value: expression(m === null ? text : m[1]!, line),
    condition: m === null ? null : expression(m[2]!, line),
  }
}

function both(a: Expression | null, b: Expression | null): Expression | null {
  return a === null ? b : b === null ? a : { kind: 'and', left: a, right: b }
}

/**
 * The value of every option, from what somebody wishes: as `make olddefconfig` decides, a wish counts where the menu
 * shows the option, and a default where there is no wish.
 * @param wishes by name without CONFIG_.
 */
export function configure(menu: KconfigMenu, wishes: Readonly<Record<string, Tristate>>): Map<string, ConfiguredOption> {
  const values = new Map<string, Tristate>()
  const lookup = (name: string): string | undefined => values.get(name)
  const worth = (e: Expression | null): Tristate => (e === null ? 'y' : evaluate(e, lookup))
  const decided = (o: MenuOption): Tristate => {
    const limit = worth(o.dependsOn)
    if (limit === 'n') return 'n'
    const shown = o.prompt !== null && worth(o.promptIf) !== 'n'
    const wish = shown && Object.hasOwn(wishes, o.name) ? wishes[o.name] : undefined
    const given = o.defaults.find((d) => worth(d.condition) !== 'n')
    const value = wish ?? (given === undefined ? 'n' : evaluate(given.value, lookup))
    return o.type === 'bool' ? (value === 'n' ? 'n' : 'y') : least(value, limit)
  }
  // An option may depend on one that stands further down: until nothing changes, each round settling at least one.
  for (let round = 0; round <= menu.options.size; round++) {
    let changed = false
    for (const o of menu.options.values()) {
      const value = decided(o)
      if (values.get(o.name) === value) continue
      values.set(o.name, value)
      changed = true
    }
    if (!changed) break
  }
  const configured = new Map<string, ConfiguredOption>()
  for (const option of menu.options.values()) {
    configured.set(option.name, {
      option,
      value: values.get(option.name)!,
      settable: option.prompt !== null && worth(option.dependsOn) !== 'n' && worth(option.promptIf) !== 'n',
      dependency: option.dependsOn === null ? '' : annotate(option.dependsOn, lookup),
    })
  }
  return configured
}

/** `CONFIG_KVM=y` and `# CONFIG_EXPERT is not set` lines as wishes. Lines that are neither do not count. */
export function readWishes(config: string): Record<string, Tristate> {
  const wishes: Record<string, Tristate> = {}
  for (const line of config.split(/\r?\n/)) {
    const set = /^CONFIG_(\w+)=(\w+)$/.exec(line.trim())
    const unset = /^# CONFIG_(\w+) is not set$/.exec(line.trim())
    if (set !== null && isTristate(set[2])) wishes[set[1]!] = set[2]
    else if (unset !== null) wishes[unset[1]!] = 'n'
  }
  return wishes
}

function lookupOf(options: ReadonlyMap<string, ConfiguredOption>): (name: string) => string | undefined {
  return (name) => options.get(name)?.value
}

/** Is this, which options depend on, more than n? null always is. */
export function holds(e: Expression | null, options: ReadonlyMap<string, ConfiguredOption>): boolean {
  return e === null || evaluate(e, lookupOf(options)) !== 'n'
}

/** An expression with the values in it; with `unmetOnly`, of `a && b && c` the parts alone that are n. */
export function annotateExpression(
  e: Expression,
  options: ReadonlyMap<string, ConfiguredOption>,
  unmetOnly = false,
): string {
  const parts = (x: Expression): Expression[] => (x.kind === 'and' ? [...parts(x.left), ...parts(x.right)] : [x])
  const shown = unmetOnly ? parts(e).filter((x) => !holds(x, options)) : [e]
  return shown.map((x) => annotate(x, lookupOf(options))).join(' && ')
}
