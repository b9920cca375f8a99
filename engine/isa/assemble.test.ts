import { describe, expect, it } from 'vitest'
import { type AssembleOptions, assemble, flatImage, formatListing } from './assemble.ts'
import { formatDiagnostic } from './assemble-lexer.ts'
import { allRows } from './table.ts'

const run = (source: string, options: Partial<AssembleOptions> = {}) =>
  assemble(source, { file: 't.s', rows: allRows, ...options })

/** Bytes of the flat image, which must assemble. */
function bytes(source: string, options: Partial<AssembleOptions> = {}): number[] {
  const result = run(source, options)
  expect(result.diagnostics.map(formatDiagnostic)).toEqual([])
  return [...flatImage(result).bytes]
}

function words(source: string, options: Partial<AssembleOptions> = {}): string[] {
  const b = Uint8Array.from(bytes(source, options))
  const view = new DataView(b.buffer)
  return Array.from({ length: b.length >> 2 }, (_, i) =>
    view
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, '0'),
  )
}

const errors = (source: string, options: Partial<AssembleOptions> = {}): string[] =>
  run(source, options).diagnostics.map(formatDiagnostic)

describe('data directives', () => {
  it('writes integers little-endian', () => {
    expect(bytes('.byte 1, -1, 0xff\n.balign 2\n.hword 0x1234\n.balign 4, 0xee\n.word 0x12345678\n.quad -2')).toEqual([
      1, 255, 255, 0, 0x34, 0x12, 0xee, 0xee, 0x78, 0x56, 0x34, 0x12, 0xfe, 255, 255, 255, 255, 255, 255, 255,
    ])
  })
  it('writes strings with escapes and UTF-8', () => {
    expect(bytes('.ascii "a\\n\\"\\x41\\101"\n.asciz "é"')).toEqual([0x61, 10, 0x22, 0x41, 0x41, 0xc3, 0xa9, 0])
  })
  it('writes floating point', () => {
    expect(bytes('.float 1.5\n.double -2')).toEqual([0, 0, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0])
  })
  it('pads code with NOP and data with zero', () => {
    expect(words('nop\n.balign 16\nnop')).toEqual(['d503201f', 'd503201f', 'd503201f', 'd503201f', 'd503201f'])
    expect(bytes('.data\n.byte 1\n.align 2\n.byte 2')).toEqual([1, 0, 0, 0, 2])
  })
  it('skips, fills and goes to offsets', () => {
    expect(bytes('.skip 2\n.space 1, 7\n.fill 2, 2, 0x102\n.org 9\n.byte 1')).toEqual([0, 0, 7, 2, 1, 2, 1, 0, 0, 1])
  })
})

describe('expressions', () => {
  const value = (text: string): bigint => {
    const b = Uint8Array.from(bytes(`.quad ${text}`))
    return new DataView(b.buffer).getBigInt64(0, true)
  }
  it.each([
    ['1 + 2 * 3', 7n],
    ['(1 + 2) * 3', 9n],
    ['7 / 2', 3n],
    ['-7 % 3', -1n],
    ['1 << 40', 1n << 40n],
    ['0xf0 >> 4', 15n],
    ['~0', -1n],
    ['6 & 3 | 8', 10n],
    ['5 ^ 1', 4n],
    ["'A'", 65n],
    ['0b101', 5n],
    ['010', 8n],
    ['1 == 1', -1n],
    ['2 < 1', 0n],
    ['10 - 2 - 3', 5n],
    ['!0', -1n],
  ])('%s', (text, expected) => {
    expect(value(text)).toBe(expected)
  })
  it('knows the current place and differences of places', () => {
    expect(bytes('.byte 0, 0\nstart: .byte 1, 2, 3\n.byte . - start, end - start\nend:')).toEqual([0, 0, 1, 2, 3, 3, 5])
  })
  it('takes names that are defined further down', () => {
    expect(bytes('.equ size, end - start\n.byte size\nstart: .byte 0, 0\nend:')).toEqual([2, 0, 0])
  })
})

describe('symbols', () => {
  it('resolves local labels both ways', () => {
    expect(words('1: b 1f\n1: b 1b\nb 1b\n1: nop')).toEqual(['14000001', '14000000', '17ffffff', 'd503201f'])
  })
  it('lets .set change, in order', () => {
    expect(bytes('.set n, 1\n.byte n\n.set n, n + 1\n.byte n\nm = n * 2\n.byte m')).toEqual([1, 2, 4])
  })
  it('takes definitions from the caller', () => {
    expect(bytes('.byte width', { defines: { width: 9 } })).toEqual([9])
  })
  it('gives addresses from the origin on', () => {
    const result = run('nop\nhere: nop\n.data\nthere: .word here', { origin: 0x40080000n })
    expect(result.symbols.get('here')).toBe(0x40080004n)
    expect(result.symbols.get('there')).toBe(0x40080010n)
    expect(result.sections.map((s) => [s.name, s.address])).toEqual([
      ['.text', 0x40080000n],
      ['.data', 0x40080010n],
    ])
  })
  it('keeps .bss out of the image', () => {
    const result = run('nop\n.bss\n.skip 100', { sectionAlignment: 4096 })
    expect(flatImage(result).bytes.length).toBe(4)
    expect(result.sections[1]).toMatchObject({ name: '.bss', size: 100 })
  })
})

describe('literal pools', () => {
  it('shares equal constants and aligns them', () => {
    expect(words('ldr x0, =0x123456789\nldr x1, =0x123456789\nldr w2, =7\n')).toEqual([
      '58000080',
      '58000061',
      '18000082',
      '00000000',
      '23456789',
      '00000001',
      '00000007',
    ])
  })
  it('puts them where .ltorg stands', () => {
    expect(words('ldr w0, =1\nb 1f\n.ltorg\n1: nop')).toEqual(['18000040', '14000002', '00000001', 'd503201f'])
  })
})

describe('addresses', () => {
  it('makes adr, adrp and :lo12:', () => {
    expect(
      words(
        'adr x0, data\nadrp x0, data\nadd x0, x0, :lo12:data\nldr x1, [x0, :lo12:data]\n.data\n.skip 8\ndata: .quad 0',
        { origin: 0x400000n, sectionAlignment: 4096 },
      ).slice(0, 4),
    ).toEqual(['10008040', 'b0000000', '91002000', 'f9400401'])
  })
})

describe('source structure', () => {
  it('expands macros with arguments, defaults and \\@', () => {
    expect(words('.macro twice a, b=3\nmov x\\a, #\\b\nb l\\@\nl\\@:\n.endm\ntwice 1\ntwice 2, 4')).toEqual([
      'd2800061',
      '14000001',
      'd2800082',
      '14000001',
    ])
  })
  it('repeats', () => {
    expect(bytes('.rept 3\n.byte 1\n.endr\n.irp n, 4, 5\n.byte \\n\n.endr')).toEqual([1, 1, 1, 4, 5])
    expect(bytes('.byte 9\na: 1: .rept 2\n.byte 7\n.endr\n.byte . - a, . - 1b')).toEqual([9, 7, 7, 2, 2])
  })
  it('chooses by conditions, nested', () => {
    expect(
      bytes(
        '.equ a, 2\n.if a == 1\n.byte 1\n.elseif a == 2\n.if 0\n.byte 9\n.else\n.byte 2\n.endif\n.else\n.byte 3\n.endif\n.ifdef a\n.byte 4\n.endif\n.ifndef a\n.byte 5\n.endif',
      ),
    ).toEqual([2, 4])
  })
  it('includes through the caller', () => {
    expect(bytes('.include "b.s"\n.byte x', { include: (path) => (path === 'b.s' ? '.equ x, 7' : undefined) })).toEqual(
      [7],
    )
  })
  it('ignores comments and separates with semicolons', () => {
    expect(bytes('# comment\n.byte 1; .byte 2 // .byte 3\n/* .byte 4\n*/ .byte 5\n.ascii "//;"')).toEqual([
      1, 2, 5, 0x2f, 0x2f, 0x3b,
    ])
  })
  it('lists address, bytes and source', () => {
    const { listing } = run('start: nop\n.byte 1', { origin: 0x1000n })
    expect(formatListing(listing)).toBe(
      '00001000  1f2003d5            start: nop\n00001004  01                  .byte 1',
    )
  })
})

describe('errors', () => {
  it.each([
    [
      'add x0, x1, #5000',
      't.s:1:13: 0x1388 does not fit: allowed are 0 to 4095, and multiples of 4096 below 0x1000000',
    ],
    ['  frob x0', "t.s:1:3: unknown instruction 'frob'"],
    ['b nowhere', "t.s:1:3: 'nowhere' is not defined"],
    ['b 1f', "t.s:1:3: no local label for '1f'"],
    ['a: nop\na: nop', "t.s:2:1: 'a' is already defined, at t.s:1"],
    ['add x0, w1, x2', 't.s:1:9: operands do not agree in size'],
    ['ldr x0, [x1, #4]!, x2', "t.s:1:18: unexpected ','"],
    ['mov x0, x31', "t.s:1:9: expected a W or X register but found 'x31'"],
    ['and x0, x1, #5', 't.s:1:13: not a logical immediate (a rotated run of ones, repeated)'],
    ['tbz w0, #40, .', 't.s:1:9: bit 40 needs an X register'],
    ['.byte 256', 't.s:1:7: 0x100 does not fit 1 byte'],
    ['.byte 1\nnop', 't.s:2:1: instructions stand at multiples of 4; put .balign 4 before'],
    ['.if 1\nnop', 't.s:1:1: .if without .endif'],
    ['.macro m\nnop', 't.s:1:1: no .endm for this .macro'],
    ['.include "no.s"', "t.s:1:10: there is no file 'no.s'"],
    ['.ascii "abc', 't.s:1:8: string without end'],
    ['/* open', 't.s:1:1: block comment without end'],
    ['.macro m a:req\n.byte \\a\n.endm\nm', "t.s:4:1: macro 'm' needs a value for 'a'"],
    ['.quad 1 / 0', 't.s:1:9: division by zero'],
    ['tlbi vae1', "t.s:1:10: 'tlbi vae1' needs a register"],
    ['.macro loop\nloop\n.endm\nloop', undefined],
  ])('%s', (source, message) => {
    const found = errors(source)
    if (message === undefined) expect(found[0]).toMatch(/nested too deeply/)
    else expect(found[0]).toBe(message)
  })
  it('bounds what a source can ask for', () => {
    expect(errors('.rept 100000\n.rept 100000\n.endr\n.endr')[0]).toMatch(/more than 500000 lines/)
    expect(errors('.skip 200 << 20\n.skip 200 << 20')).toEqual(['t.s:2:1: section .text grows beyond 256 MiB'])
    expect(errors(`.quad ${'('.repeat(5000)}1`)[0]).toMatch(/nested too deeply/)
  })
  it('says where a macro was called', () => {
    expect(errors('.macro bad\nfrob\n.endm\n\nbad')).toEqual([
      "t.s:2:1 (in the expansion at t.s:5:1): unknown instruction 'frob'",
    ])
  })
  it('collects all of them', () => {
    expect(errors('frob\nnop\nfrob\n.byte 300').map((e) => e.slice(0, 5))).toEqual(['t.s:1', 't.s:3', 't.s:4'])
  })
  it('refuses instructions of a feature that is off', () => {
    expect(errors('crc32b w0, w1, w2', { features: new Set() })).toEqual(["t.s:1:1: unknown instruction 'crc32b'"])
  })
})

describe('what is kept from one assembly to the next', () => {
  const variants = ['', 'nop\n', '1: nop\n', '.equ size, 24\n', '.ltorg\n.balign 64\n'].map(
    (first) => `${first}
        .ifndef size
        .equ    size, 16
        .endif
again:  adrp    x0, data
        add     x0, x0, :lo12:data
        ldr     x1, [x0, #size]
        ldr     x2, =data + size
1:      cbz     x1, 1f
        b       1b
1:      tbnz    x1, #3, again
        bl      again
        .data
        .balign 8
data:   .quad   again, size`,
  )
  it('never shows in the result', () => {
    // Another array of rows has nothing kept.
    const fresh = variants.map((text) => assemble(text, { rows: [...allRows], origin: 0x40200000n }))
    for (const order of [[0, 1, 2, 3, 4], [4, 2, 0, 3, 1, 0]]) {
      for (const i of order) {
        const kept = assemble(variants[i]!, { rows: allRows, origin: 0x40200000n })
        expect(kept.diagnostics).toEqual([])
        expect(kept.sections.map((s) => s.bytes)).toEqual(fresh[i]!.sections.map((s) => s.bytes))
      }
    }
  })
})
