import { describe, expect, it } from 'vitest'
import { Decoder } from '../../../engine/isa/decode.ts'
import { isIgnoredDirective } from '../../../engine/isa/assemble-directives.ts'
import type { Feature } from '../../../engine/isa/row.ts'
import { allRows } from '../../../engine/isa/table.ts'
import { assembleFileSet } from './assemble-files.ts'
import { bitRuns, catalogue } from './catalogue.ts'
import { offersAt } from './completion.ts'
import { DIRECTIVES } from './directives.ts'
import { bitDiagram, hoverText } from './hover.ts'
import { A64_TOKENS } from './language.ts'
import { meaningInWords } from './meaning.ts'
import { assemblyEntry, definitionsOf, resolveInclude, spotAt } from './outline.ts'

const FEATURES = new Set<Feature>(['crc32', 'lse', 'fp', 'aes', 'pmull', 'sha1', 'sha256', 'fp16'])
const decoder = new Decoder(allRows, FEATURES)

function wordOf(text: string): number {
  const made = assembleFileSet({ files: { 'a.s': `here: ${text}\n` }, entry: 'a.s' })
  expect(made.diagnostics).toEqual([])
  return new DataView(made.bytes.buffer, made.bytes.byteOffset).getUint32(0, true)
}

function words(text: string): string[] {
  const { row, fields } = decoder.decode(wordOf(text))!
  return meaningInWords(row, fields, 0n)
}

describe('catalogue', () => {
  it('has every mnemonic with forms as people write them', () => {
    expect(catalogue.get('add')?.map(form => form.text)).toEqual(
      expect.arrayContaining(['add Rd|SP, Rn|SP, #imm{, lsl #12}', 'add Rd, Rn, Rm{, shift #n}']),
    )
    expect(catalogue.get('b.eq')?.[0]?.text).toBe('b.eq label')
    expect(catalogue.get('isb')?.[0]?.text).toBe('isb{ sy}')
    expect(catalogue.get('mrs')?.[0]?.text).toBe('mrs Xt, sysreg')
    for (const forms of catalogue.values()) for (const form of forms) expect(form.text).not.toMatch(/\{[A-Za-z0-9]+:/)
  })

  it('bit runs of every row are 32 bits from the top down', () => {
    for (const row of allRows) {
      const runs = bitRuns(row)
      expect(runs.map(run => run.bits.length).reduce((a, b) => a + b, 0)).toBe(32)
      expect(runs[0]?.high).toBe(31)
      for (const [i, run] of runs.slice(1).entries()) expect(run.high).toBe(runs[i]!.low - 1)
    }
  })
})

describe('meaning in words', () => {
  it('says what the machine does', () => {
    expect(words('add x0, x1, #16')).toEqual(['x0 = x1 + 16'])
    expect(words('ldr x0, [x1, #8]!')).toEqual(['x0 = 8 bytes at (x1 + 8)', 'x1 = x1 + 8'].sort())
    expect(words('str w2, [sp]')).toEqual(['4 bytes at sp = w2'])
    expect(words('subs x3, x3, #1')).toEqual(['NZCV from x3 − 1', 'x3 = x3 − 1'])
    expect(words('cbz x0, here')).toEqual(['if x0 = 0, go to 0x0'])
    expect(words('bl here')).toEqual(['x30 = 0x4', 'go to 0x0'])
    expect(words('csel x0, x1, x2, eq')).toEqual(['x0 = x1 if equal (Z = 1), else x2'])
    expect(words('hvc #3')).toEqual(['exception to EL2: a call of the hypervisor, immediate 3'])
    expect(words('msr vbar_el2, x4')).toEqual(['VBAR_EL2 = x4'])
    expect(words('mrs x4, esr_el2')).toEqual(['x4 = ESR_EL2'])
    expect(words('tlbi vmalls12e1is')).toEqual(['TLBI VMALLS12E1IS: drop cached translations'])
    expect(words('mov x0, x1')).toEqual(['x0 = x1'])
  })

  it('never fails on any row', () => {
    for (const row of allRows) {
      const fields = Object.fromEntries(row.fields.map(field => [field.name, field.width > 1 ? 1 : 0]))
      if (row.when?.(fields) === false) continue
      for (const line of meaningInWords(row, fields)) expect(line).not.toMatch(/\?|undefined|NaN/)
    }
  })
})

describe('hover', () => {
  const source = `        .equ    LIMIT, 0x40             // how many
start:  add     x0, x1, #LIMIT
        mrs     x2, vbar_el2
1:      b       1b
        bl      start
`
  const files = { 'a.s': source }
  const assembly = assembleFileSet({ files, entry: 'a.s' })
  const at = (line: number, word: string) => {
    const text = source.split('\n')[line - 1]!
    return hoverText(spotAt(text, text.lastIndexOf(word) + 1), { file: 'a.s', line, assembly, files }).join('\n')
  }

  it('an instruction has its bits with the fields’ names', () => {
    const text = at(2, 'add')
    expect(text).toContain('**ADD (immediate)**')
    expect(text).toContain('x0 = x1 + 64')
    expect(text).toContain('| 31 | 30:23 | 22 | 21:10 | 9:5 | 4:0 |')
    expect(text).toContain('`000001000000`')
    expect(text).toContain('**imm12**')
  })

  it('a mnemonic that does not assemble has its forms and its fixed bits', () => {
    const text = hoverText(spotAt('  add q', 4), { file: 'a.s', line: 99, assembly, files }).join('\n')
    expect(text).toContain('add Rd|SP, Rn|SP, #imm')
    expect(text).toContain('| 31 |')
  })

  it('registers, system registers, labels, constants, directives', () => {
    expect(at(2, 'x0')).toContain('First argument and result')
    expect(at(3, 'vbar_el2')).toContain('S3_4_C12_C0_0')
    expect(at(5, 'start')).toContain('at `0x0`')
    expect(at(2, 'LIMIT')).toContain('0x40')
    expect(at(2, 'LIMIT')).toContain('how many')
    expect(at(1, '.equ')).toContain('Gives a value a name')
    expect(at(4, '1b')).toContain('line 4')
    expect(at(1, 'how')).toBe('')
  })

  it('the diagram without a word shows x where bits are free', () => {
    expect(bitDiagram(catalogue.get('ret')![0]!.row)).toContain('`xxxxx`')
  })
})

describe('spots', () => {
  it('knows mnemonics, operands, labels and statements after a semicolon', () => {
    expect(spotAt('loop: add x0, x0, #1 ; ret', 2)).toMatchObject({ kind: 'label', word: 'loop' })
    expect(spotAt('loop: add x0, x0, #1 ; ret', 8)).toMatchObject({ kind: 'mnemonic', word: 'add' })
    expect(spotAt('loop: add x0, x0, #1 ; ret', 12)).toMatchObject({ kind: 'operand', word: 'x0', mnemonic: 'add' })
    expect(spotAt('loop: add x0, x0, #1 ; ret', 25)).toMatchObject({ kind: 'mnemonic', word: 'ret' })
    expect(spotAt('  b.eq done // b.ne', 5)).toMatchObject({ kind: 'mnemonic', word: 'b.eq' })
    expect(spotAt('  b.eq done // b.ne', 17).kind).toBe('none')
    expect(spotAt('  ld1 {v3.16b}, [x0]', 9)).toMatchObject({ kind: 'operand', word: 'v3' })
  })
})

describe('completion', () => {
  const labels = (line: string, files: Record<string, string> = { 'a.s': 'start:\n.equ N, 1\n' }) =>
    offersAt(line, 'a.s', files).map(offer => offer.label)

  it('offers what can stand there', () => {
    expect(labels('  ad')).toEqual(expect.arrayContaining(['add', 'adrp', '.word']))
    expect(labels('  .w')).toContain('.word')
    expect(labels('  .w')).not.toContain('add')
    expect(labels('  mrs x0, v')).toContain('vbar_el2')
    expect(labels('  tlbi v')).toContain('vmalls12e1is')
    expect(labels('  add x0, ')).toEqual(expect.arrayContaining(['x1', 'sp', 'N']))
    expect(labels('  bl st')).toContain('start')
    expect(labels('  dsb i')).toContain('ish')
    expect(labels('  csel x0, x1, x2, e')).toContain('eq')
    expect(labels('  nop // ad')).toEqual([])
    expect(labels('  .include "', { 'a.s': '', 'inc/b.s': '' })).toEqual(['inc/b.s'])
  })
})

describe('outline', () => {
  it('finds labels, constants and macros with their comments', () => {
    expect(definitionsOf('// counts\nn: nop\n  .equ A, 1 // one\n  B = 2\n  .macro put r\n')).toEqual([
      { name: 'n', kind: 'label', line: 2, column: 1, comment: 'counts' },
      { name: 'A', kind: 'constant', line: 3, column: 8, comment: 'one' },
      { name: 'B', kind: 'constant', line: 4, column: 3, comment: '' },
      { name: 'put', kind: 'macro', line: 5, column: 10, comment: '' },
    ])
  })

  it('an included file is assembled through the outermost that includes it', () => {
    const files = { 'main.s': '.include "lib/a.s"', 'lib/a.s': '.include "b.s"', 'lib/b.s': 'nop', 'other.s': '' }
    expect(assemblyEntry('lib/b.s', files)).toBe('main.s')
    expect(assemblyEntry('other.s', files)).toBe('other.s')
    expect(assemblyEntry('lib/a.s', files, ['lib/a.s'])).toBe('lib/a.s')
    expect(resolveInclude('../main.s', 'lib/a.s', files)).toBe('main.s')
  })
})

describe('assembling a set of files', () => {
  it('gives bytes, symbols, listing; includes are found beside and from the top', () => {
    const made = assembleFileSet({
      files: { 'main.s': '.include "lib/a.s"\nend: ret\n', 'lib/a.s': '.include "b.s"\n', 'lib/b.s': 'begin: nop\n' },
      entry: 'main.s',
      origin: 0x1000n,
    })
    expect(made.ok).toBe(true)
    expect([...made.bytes]).toEqual([0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6])
    expect(made.symbols.get('end')).toBe(0x1004n)
    expect(made.listing.map(({ file, line, address }) => ({ file, line, address }))).toEqual([
      { file: 'lib/b.s', line: 1, address: 0x1000n },
      { file: 'main.s', line: 2, address: 0x1004n },
    ])
  })

  it('says what is wrong where', () => {
    const made = assembleFileSet({ files: { 'a.s': 'nop\n  add x0, q\n' }, entry: 'a.s' })
    expect(made.ok).toBe(false)
    expect(made.diagnostics[0]).toMatchObject({ file: 'a.s', line: 2 })
    expect(assembleFileSet({ files: { 'a.s': '' }, entry: 'b.s' }).diagnostics[0]?.message).toBe(
      'There is no file b.s in this workspace. There are: a.s.',
    )
  })

  it('an error in a macro is marked at the call as well', () => {
    const made = assembleFileSet({ files: { 'a.s': '.macro put r\n  str \\r, [q]\n.endm\n  put x0\n' }, entry: 'a.s' })
    expect(made.diagnostics.map(({ line }) => line).sort()).toEqual([2, 4])
  })
})

describe('directives', () => {
  it('those that are explained are ones that the assembler takes', () => {
    const openers: Record<string, string> = {
      '.macro': '.macro m\n.endm',
      '.endm': '.macro m\n.endm',
      '.rept': '.rept 1\n.endr',
      '.irp': '.irp r, 1\n.endr',
      '.endr': '.rept 1\n.endr',
      '.else': '.if 1\n.else\n.endif',
      '.elseif': '.if 0\n.elseif 1\n.endif',
      '.endif': '.if 1\n.endif',
      '.include': '.include "b.s"',
      '.section': '.section .text',
      '.equ': '.equ A, 1',
      '.set': '.set A, 1',
      '.equiv': '.equiv A, 1',
      '.ascii': '.ascii "a"',
      '.asciz': '.asciz "a"',
      '.string': '.string "a"',
      '.fill': '.fill 1',
      '.ifdef': '.ifdef A\n.endif',
      '.ifndef': '.ifndef A\n.endif',
      '.ifb': '.ifb\n.endif',
      '.ifnb': '.ifnb a\n.endif',
      '.ifc': '.ifc a, a\n.endif',
      '.ifnc': '.ifnc a, b\n.endif',
      '.pushsection': '.pushsection .data',
      '.popsection': '.pushsection .data\n.popsection',
      '.previous': '.data\n.previous',
      '.struct': '.struct 8',
      '.exitm': '.macro m\n.exitm\n.endm\nm',
      '.purgem': '.macro m\n.endm\n.purgem m',
      '.warning': '.warning "w"',
    }
    for (const name of Object.keys(DIRECTIVES)) {
      if (isIgnoredDirective(name) || name === '.error') continue
      const operands = /^\.(text|rodata|data|bss|ltorg|pool)$/.test(name) ? '' : ' 0'
      const text = openers[name] ?? (name.startsWith('.if') ? `${name} 1\n.endif` : `${name}${operands}`)
      expect(assembleFileSet({ files: { 'a.s': `${text}\n`, 'b.s': '' }, entry: 'a.s' }).diagnostics, name).toEqual([])
    }
  })
})

describe('highlighting', () => {
  /** The first rule of a state that matches at a place, as Monarch applies them. */
  function tokens(line: string): [string, string][] {
    const out: [string, string][] = []
    let at = 0
    let state: keyof typeof A64_TOKENS.tokenizer = 'root'
    while (at < line.length) {
      let length = 0
      for (const [pattern, action, next] of A64_TOKENS.tokenizer[state] as unknown as [
        RegExp,
        string | { cases: Record<string, string> },
        string?,
      ][]) {
        if (pattern.source.startsWith('^') && at > 0) continue
        const found = new RegExp(`^(?:${pattern.source.replace(/^\^/, '')})`, 'i').exec(line.slice(at))
        if (found === null || found[0] === '') continue
        const text = found[0]
        const lists = A64_TOKENS as unknown as Record<string, readonly string[]>
        const kind =
          typeof action === 'string'
            ? action
            : (Object.entries(action.cases).find(
                ([name]) => name === '@default' || lists[name.slice(1)]?.includes(text.toLowerCase()),
              )?.[1] ?? '')
        if (kind !== 'white') out.push([text, kind])
        length = text.length
        if (next === '@pop') state = 'root'
        else if (next !== undefined) state = next.slice(1) as typeof state
        break
      }
      at += Math.max(1, length)
    }
    return out
  }

  it('tells mnemonics, registers, directives, labels, numbers, strings and comments apart', () => {
    expect(tokens('loop:   b.ne    loop            // again')).toEqual([
      ['loop', 'label'],
      [':', 'operator'],
      ['b.ne', 'keyword'],
      ['loop', 'identifier'],
      ['// again', 'comment'],
    ])
    expect(tokens('  LDR x0, [sp, #0x10]').map(([, kind]) => kind)).toEqual([
      'keyword',
      'variable.predefined',
      'delimiter',
      '@brackets',
      'variable.predefined',
      'delimiter',
      'delimiter',
      'number',
      '@brackets',
    ])
    expect(tokens('  msr vbar_el2, x1').map(([, kind]) => kind)).toEqual([
      'keyword',
      'variable.system',
      'delimiter',
      'variable.predefined',
    ])
    expect(tokens('  .asciz "a\\n//b"')).toEqual([
      ['.asciz', 'keyword.directive'],
      ['"', 'string'],
      ['a', 'string'],
      ['\\n', 'string.escape'],
      ['//b', 'string'],
      ['"', 'string'],
    ])
    expect(tokens('# a comment')).toEqual([['# a comment', 'comment']])
    expect(tokens('1: b 1b').map(([, kind]) => kind)).toEqual(['label', 'operator', 'keyword', 'label'])
    expect(tokens('  ld1 {v0.16b}, [x1]')[2]).toEqual(['v0.16b', 'variable.predefined'])
  })
})
