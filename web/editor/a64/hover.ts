import { Decoder } from '../../../engine/isa/decode.ts'
import { disassemble } from '../../../engine/isa/disassemble.ts'
import { systemOperations } from '../../../engine/isa/system-operations.ts'
import { fieldsOf, type Row } from '../../../engine/isa/row.ts'
import { allRows } from '../../../engine/isa/table.ts'
import type { Assembly } from './assemble-files.ts'
import { bitRuns, catalogue } from './catalogue.ts'
import { DIRECTIVES } from './directives.ts'
import { meaningInWords } from './meaning.ts'
import { type Definition, definitionsOf, type Spot } from './outline.ts'
import { registerRole, systemRegister } from './registers.ts'

/*
 * Hover texts in Markdown, all of them from the instruction table, the assembler's last result and the names of the
 * architecture. The bit diagram is a table: fields from bit 31 down, their names, this instruction's bits.
 */

let decoder: Decoder | undefined

/** With every optional instruction, as the assembler takes them. Made on first use: its cache is large. */
function decoding(): Decoder {
  return (decoder ??= new Decoder(allRows, new Set(['crc32', 'lse', 'fp', 'aes', 'pmull', 'sha1', 'sha256', 'fp16'])))
}

export interface HoverPlace {
  readonly file: string
  readonly line: number
  readonly assembly: Assembly | null
  readonly files: Readonly<Record<string, string>>
}

/** Paragraphs of Markdown for what is under the pointer; empty when there is nothing to say. */
export function hoverText(spot: Spot, place: HoverPlace): string[] {
  switch (spot.kind) {
    case 'mnemonic':
      return mnemonicHover(spot, place)
    case 'directive':
      return directiveHover(spot.word)
    case 'label':
      return nameHover(spot.word, place)
    case 'operand':
      return operandHover(spot, place)
    default:
      return []
  }
}

function mnemonicHover(spot: Spot, place: HoverPlace): string[] {
  const forms = catalogue.get(spot.mnemonic)
  if (forms === undefined) {
    const macro = definition(spot.word, place)
    return macro === undefined
      ? []
      : [
          `**${spot.word}** — macro, \`${macro.file}\` line ${macro.line}${macro.comment === '' ? '' : `: ${macro.comment}`}`,
        ]
  }
  const made = place.assembly?.listing.find(
    item =>
      item.file === place.file && item.line === place.line && item.size === 4 && firstWord(item.text) === spot.mnemonic,
  )
  if (made !== undefined) {
    const word = (made.bytes[0]! | (made.bytes[1]! << 8) | (made.bytes[2]! << 16) | (made.bytes[3]! << 24)) >>> 0
    const row = decoding().decode(word)?.row
    if (row !== undefined) return instructionHover(row, word, made.address)
  }
  const first = forms[0]
  if (first === undefined) return []
  return [
    `**${first.row.name}**`,
    `\`\`\`a64\n${forms
      .slice(0, 8)
      .map(form => form.text)
      .join('\n')}\n\`\`\``,
    bitDiagram(first.row),
  ]
}

/** An instruction that was assembled: what it does, and its bits. */
export function instructionHover(row: Row, word: number, address: bigint): string[] {
  const fields = fieldsOf(row, word)
  const written = disassemble(decoding(), word, address)
  const words = meaningInWords(row, fields, address)
  return [
    `**${row.name}** \u2002 \`${written}\``,
    ...(words.length === 0
      ? []
      : [
          words
            .map(line => line.replace(/^ +/, indent => '\u2003'.repeat(indent.length / 2)))
            .map(plain)
            .join('  \n'),
        ]),
    `\`0x${word.toString(16).padStart(8, '0')}\` at \`0x${address.toString(16)}\``,
    bitDiagram(row, word),
  ]
}

/** A Markdown table: one column a field. */
export function bitDiagram(row: Row, word?: number): string {
  const runs = bitRuns(row, word)
  const cells = (text: (run: (typeof runs)[number]) => string) => `| ${runs.map(text).join(' | ')} |`
  const lines = [
    cells(run => (run.high === run.low ? `${run.high}` : `${run.high}:${run.low}`)),
    `|${runs.map(() => ':-:').join('|')}|`,
    cells(run => (run.name === '' ? '\u00a0' : `**${run.name}**`)),
    cells(run => `\`${run.bits}\``),
  ]
  if (word !== undefined) {
    const fields = fieldsOf(row, word)
    lines.push(cells(run => (run.name === '' ? '\u00a0' : fieldValue(run.name, fields[run.name] ?? 0))))
  }
  return lines.join('\n')
}

function fieldValue(name: string, value: number): string {
  if (/^R[a-z]\d?$/.test(name)) return String(value)
  if (name === 'sf') return value === 1 ? '64-bit' : '32-bit'
  return value < 10 ? String(value) : `0x${value.toString(16)}`
}

function directiveHover(word: string): string[] {
  const text = DIRECTIVES[word.toLowerCase()]
  return text === undefined ? [] : [`**${text.form.replace(/\\/g, '\\\\')}**`, plain(text.words)]
}

function operandHover(spot: Spot, place: HoverPlace): string[] {
  const { word, mnemonic } = spot
  const role = registerRole(word)
  if (role !== undefined) return [`**${word.toLowerCase()}** — ${plain(role)}`]
  if (mnemonic === 'mrs' || mnemonic === 'msr') {
    const register = systemRegister(word)
    if (register !== undefined) {
      return [
        `**${register.name}** — ${register.words === '' ? 'system register' : plain(register.words)}`,
        `\`${register.encoding}\`  \n${register.level}`,
      ]
    }
  }
  if (['dc', 'ic', 'at', 'tlbi'].includes(mnemonic)) {
    const operation = systemOperations.find(known => known.mnemonic === mnemonic && known.name === word.toLowerCase())
    if (operation !== undefined) {
      const { op1, CRn, CRm, op2 } = operation
      return [
        `**${mnemonic.toUpperCase()} ${operation.name.toUpperCase()}**`,
        `\`sys #${op1}, c${CRn}, c${CRm}, #${op2}\`${operation.register ? ', with a register' : ''}`,
      ]
    }
  }
  return nameHover(word, place)
}

function nameHover(word: string, place: HoverPlace): string[] {
  const local = /^(\d+)([bf]?)$/.exec(word)
  if (local !== null) {
    const at = localLabel(place, Number(local[1]), local[2] === 'f' ? 'f' : 'b')
    return at === undefined ? [] : [`local label ${local[1]}, line ${at}`]
  }
  const found = definition(word, place)
  const value = place.assembly?.symbols.get(word)
  if (found === undefined && value === undefined) return []
  const kind = found?.kind ?? 'constant'
  const shown =
    value === undefined
      ? ''
      : kind === 'label'
        ? ` at \`0x${value.toString(16)}\``
        : ` = \`${value < 0n ? value : `0x${value.toString(16)}`}\` (${value})`
  return [
    `**${word}** — ${kind}${shown}`,
    ...(found === undefined
      ? []
      : [`\`${found.file}\` line ${found.line}${found.comment === '' ? '' : `: ${plain(found.comment)}`}`]),
  ]
}

/** Where a name is defined in the workspace: in this file first. */
export function definition(
  word: string,
  place: Pick<HoverPlace, 'file' | 'files'>,
): (Definition & { readonly file: string }) | undefined {
  const paths = [
    place.file,
    ...Object.keys(place.files).filter(path => path !== place.file && /\.(?:s|S|inc|h)$/.test(path)),
  ]
  for (const file of paths) {
    const found = definitionsOf(place.files[file] ?? '').find(
      known => known.name === word || (known.kind === 'macro' && known.name.toLowerCase() === word.toLowerCase()),
    )
    if (found !== undefined) return { ...found, file }
  }
  return undefined
}

/** The line of the local label that `1b` or `1f` on a line means. */
export function localLabel(
  place: Pick<HoverPlace, 'file' | 'files' | 'line'>,
  number: number,
  direction: 'b' | 'f',
): number | undefined {
  const lines = (place.files[place.file] ?? '').split('\n')
  const is = (line: number) => new RegExp(`^\\s*(?:[\\w.$]+:\\s*)*${number}:`).test(lines[line - 1] ?? '')
  if (direction === 'b') {
    for (let line = place.line; line >= 1; line--) if (is(line)) return line
  } else {
    for (let line = place.line + 1; line <= lines.length; line++) if (is(line)) return line
  }
  return undefined
}

const firstWord = (text: string) => /^\s*(?:[\w.$]+:\s*)*([\w.$]+)/.exec(text)?.[1]?.toLowerCase() ?? ''

const plain = (text: string) => text.replace(/([\\`*_{}[\]<>|])/g, '\\$1')
