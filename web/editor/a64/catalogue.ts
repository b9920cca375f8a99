import type { Field, Row } from '../../../engine/isa/row.ts'
import { compileSyntax, mnemonicsOf } from '../../../engine/isa/syntax.ts'
import { allRows } from '../../../engine/isa/table.ts'

/** One way to write an instruction. */
export interface WrittenForm {
  readonly row: Row
  /** As people write it: `add Rd|SP, Rn|SP, #imm`. */
  readonly text: string
  readonly alias: boolean
}

function build(): Map<string, WrittenForm[]> {
  const out = new Map<string, WrittenForm[]>()
  const add = (row: Row, source: string, alias: boolean) => {
    const syntax = compileSyntax(source)
    for (const { text } of mnemonicsOf(syntax)) {
      const key = text.toLowerCase()
      let forms = out.get(key)
      if (forms === undefined) out.set(key, (forms = []))
      const written = `${key}${readable(source.slice(mnemonicLength(source)))}`
      if (!forms.some(form => form.text === written)) forms.push({ row, text: written, alias })
    }
  }
  for (const row of allRows) {
    if (typeof row.syntax === 'string') add(row, row.syntax, false)
    else for (const form of row.syntax) add(row, form.syntax, false)
    for (const alias of row.aliases ?? []) add(row, alias.syntax, true)
  }
  return out
}

/** The mnemonic with what braces hang on it (`b.{cond:cond}`), up to the operands. */
function mnemonicLength(source: string): number {
  const space = source.indexOf(' ')
  const brace = source.indexOf('{')
  // `isb{isb:CRm}`: the brace brings its own space.
  if (brace >= 0 && (space < 0 || brace < space) && /^\{(?:isb|clrex):/.test(source.slice(brace))) return brace
  return space < 0 ? source.length : space
}

/** How an operand of a kind is shown; `@` stands for the letter of its field (Rd: d). */
const SHOWN: Readonly<Record<string, string>> = {
  R: 'R@',
  RSP: 'R@|SP',
  X: 'X@',
  W: 'W@',
  XSP: 'X@|SP',
  WSP: 'W@|SP',
  B: 'B@',
  H: 'H@',
  S: 'S@',
  D: 'D@',
  Q: 'Q@',
  F: 'F@',
  Vreg: 'V@',
  Vr: 'V@',
  addimm: '#imm{, lsl #12}',
  bitmask: '#bitmask',
  movz: '#imm',
  movn: '#imm',
  shift: '{, shift #n}',
  extend: 'R@{, extend #n}',
  memx: 'R@{, extend #n}',
  hw: '{, lsl #n}',
  rel: 'label',
  adr: 'label',
  adrp: 'label',
  tb: '#bit',
  cond: 'cond',
  condinv: 'cond',
  nzcv: '#nzcv',
  sysreg: 'sysreg',
  sysop: 'operation',
  pstate: 'pstatefield',
  cr: 'C@',
  barrier: 'option',
  isb: '{ sy}',
  clrex: '{ #imm}',
  prfop: 'prfop',
  lslimm: '#shift',
  bflsb: '#lsb',
  bfwidth: '#width',
  bfxwidth: '#width',
  fpimm: '#fimm',
  fbits: '#fbits',
  fimm8: '#fimm',
  esize: '#size',
  shl: '#shift',
  shr: '#shift',
  lsl8: '{, lsl #8}',
  msl: 'msl #n',
}

/** A syntax string of the table with its operands as people write them. */
export function readable(operands: string): string {
  return operands.replace(/\{([^:*{}]+)(?:\*(\d+))?:([^{}]*)\}/g, (_, kind: string, _scale: string, args: string) => {
    const first = args.split(',')[kind === 'extend' || kind === 'memx' ? 2 : 0] ?? ''
    const letter = /^[RC]([a-z]\w*)$/.exec(first)?.[1] ?? first
    const plain = kind.replace(/\+1$/, '')
    const shown = SHOWN[plain]
    if (shown !== undefined) return shown.replace('@', kind.endsWith('+1') ? `${letter}+1` : letter)
    if (/imm$|bytes/.test(kind)) return '#imm'
    if (/^list|^elem/.test(kind)) return '{V@…}'.replace('@', letter)
    if (/^V/.test(kind)) return `V${letter}.T`
    if (/^sc|^R5/.test(kind)) return `V${letter}`
    return first === '' ? kind : first
  })
}

/** Every mnemonic the assembler takes, in lower case, with its forms in the table's order. */
export const catalogue: ReadonlyMap<string, readonly WrittenForm[]> = build()

/** A run of bits of an encoding: a field, or bits that are always the same. */
export interface BitRun {
  /** Field name; '' for fixed bits. */
  readonly name: string
  readonly high: number
  readonly low: number
  /** Its bits in the word at hand, most significant first; `x` where the pattern ignores them and there is no word. */
  readonly bits: string
}

/**
 * The encoding of a row from bit 31 down.
 * @param word an instruction of this row; absent: fixed bits only
 */
export function bitRuns(row: Row, word?: number): BitRun[] {
  const fields = [...row.fields].sort((a, b) => b.lsb - a.lsb)
  const out: BitRun[] = []
  let high = 31
  const bitsOf = (top: number, low: number): string => {
    let text = ''
    for (let bit = top; bit >= low; bit--) {
      if (word !== undefined) text += (word >>> bit) & 1
      else text += (row.mask >>> bit) & 1 ? (row.value >>> bit) & 1 : 'x'
    }
    return text
  }
  const push = (name: string, top: number, low: number) => out.push({ name, high: top, low, bits: bitsOf(top, low) })
  for (const field of fields as readonly Field[]) {
    const top = field.lsb + field.width - 1
    if (high > top) push('', high, top + 1)
    push(field.name, top, field.lsb)
    high = field.lsb - 1
  }
  if (high >= 0) push('', high, 0)
  return out
}
