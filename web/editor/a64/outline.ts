/** A name that a source defines. */
export interface Definition {
  readonly name: string
  readonly kind: 'label' | 'constant' | 'macro'
  readonly line: number
  readonly column: number
  /** The line's comment, or the comment lines right above. */
  readonly comment: string
}

const LABEL = /^(\s*)([A-Za-z_.$][\w.$]*)\s*:/
const CONSTANT = /^(\s*\.(?:equ|set|equiv)\s+)([A-Za-z_.$][\w.$]*)\s*,/i
const ASSIGNED = /^(\s*)([A-Za-z_.$][\w.$]*)\s*=[^=]/
const MACRO = /^(\s*\.macro\s+)([A-Za-z_.$][\w.$]*)/i

/** Labels, constants and macros of a source, also where it does not assemble at the moment. */
export function definitionsOf(source: string): Definition[] {
  const lines = source.split('\n')
  const out: Definition[] = []
  lines.forEach((text, index) => {
    for (const [pattern, kind] of [
      [LABEL, 'label'],
      [CONSTANT, 'constant'],
      [ASSIGNED, 'constant'],
      [MACRO, 'macro'],
    ] as const) {
      const found = pattern.exec(text)
      if (found === null) continue
      out.push({
        name: found[2] as string,
        kind,
        line: index + 1,
        column: (found[1] as string).length + 1,
        comment: commentOf(lines, index),
      })
      return
    }
  })
  return out
}

function commentOf(lines: readonly string[], index: number): string {
  const own = /\/\/\s*(.*)$/.exec(lines[index] ?? '')?.[1]
  if (own !== undefined) return own
  const above: string[] = []
  for (let i = index - 1; i >= 0; i--) {
    const text = /^\s*\/\/\s?(.*)$/.exec(lines[i] ?? '')?.[1]
    if (text === undefined) break
    above.unshift(text)
  }
  return above.join(' ')
}

/** Files that a source includes. */
export function includesOf(source: string): string[] {
  return [...source.matchAll(/^\s*\.include\s+"([^"]+)"/gim)].map(found => found[1] as string)
}

/**
 * Which file to assemble when `path` is looked at: the one that includes it, directly or through others; itself when
 * none does, or when it is named as one of `entries`.
 */
export function assemblyEntry(
  path: string,
  files: Readonly<Record<string, string>>,
  entries: readonly string[] = [],
): string {
  if (entries.includes(path)) return path
  const roots = [...entries, ...Object.keys(files).filter(file => /\.[sS]$/.test(file) && !entries.includes(file))]
  const reaches = (from: string, seen: Set<string>): boolean => {
    if (seen.has(from)) return false
    seen.add(from)
    return includesOf(files[from] ?? '').some(name => {
      const file = resolveInclude(name, from, files)
      return file !== undefined && (file === path || reaches(file, seen))
    })
  }
  const above = roots.filter(root => root !== path && reaches(root, new Set()))
  // The outermost: not itself included by another that also leads here.
  return above.find(root => !above.some(other => other !== root && reachesFile(other, root, files))) ?? above[0] ?? path
}

function reachesFile(
  from: string,
  to: string,
  files: Readonly<Record<string, string>>,
  seen = new Set<string>(),
): boolean {
  if (seen.has(from)) return false
  seen.add(from)
  return includesOf(files[from] ?? '').some(name => {
    const file = resolveInclude(name, from, files)
    return file !== undefined && (file === to || reachesFile(file, to, files, seen))
  })
}

/** The workspace's file of an `.include`: beside the including file, else from the top. */
export function resolveInclude(
  name: string,
  from: string,
  files: Readonly<Record<string, string>>,
): string | undefined {
  const beside = normal(`${from.includes('/') ? from.slice(0, from.lastIndexOf('/') + 1) : ''}${name}`)
  if (files[beside] !== undefined) return beside
  const top = normal(name)
  return files[top] === undefined ? undefined : top
}

function normal(path: string): string {
  const out: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') out.pop()
    else if (part !== '.' && part !== '') out.push(part)
  }
  return out.join('/')
}

/** What the caret or pointer is on. */
export interface Spot {
  readonly kind: 'mnemonic' | 'directive' | 'operand' | 'label' | 'none'
  readonly word: string
  /** First column, from 1, and the one after the last. */
  readonly start: number
  readonly end: number
  /** The statement's mnemonic or directive, lower case; '' when there is none. */
  readonly mnemonic: string
}

const NOTHING: Spot = { kind: 'none', word: '', start: 0, end: 0, mnemonic: '' }

/** @param column from 1; a caret right behind a word is on it */
export function spotAt(line: string, column: number): Spot {
  const code = /^#/.test(line)
    ? ''
    : line
        .replace(/"(?:\\.|[^"\\])*"?/g, text => ' '.repeat(text.length))
        .replace(/\/\/.*$|\/\*.*?(?:\*\/|$)/g, text => ' '.repeat(text.length))
  const words = /[A-Za-z_.$\\][\w.$]*|\d+[bf]?\b|[sS][23]_\w+/g
  let mnemonic = ''
  let behind = 0
  for (let found = words.exec(code); found !== null; found = words.exec(code)) {
    const start = found.index + 1
    const end = start + found[0].length
    // A new statement.
    if (code.slice(behind, found.index).includes(';')) mnemonic = ''
    behind = end - 1
    const isLabel = mnemonic === '' && /^\s*:/.test(code.slice(end - 1))
    let word = found[0]
    // v0.16b: the register without its arrangement.
    if (/^v\d+\./i.test(word)) word = word.slice(0, word.indexOf('.'))
    const kind = isLabel ? 'label' : mnemonic !== '' ? 'operand' : word.startsWith('.') ? 'directive' : 'mnemonic'
    if (kind === 'mnemonic' || kind === 'directive') mnemonic = word.toLowerCase()
    if (column >= start && column <= end) return { kind, word, start, end, mnemonic }
  }
  return { ...NOTHING, mnemonic: code.slice(behind, column - 1).includes(';') ? '' : mnemonic }
}
