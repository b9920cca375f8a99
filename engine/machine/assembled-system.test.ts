import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../isa/assemble-lexer.ts'
import { type BuiltSystem, SYSTEM_ORIGIN, buildSystem } from './assembled-system.ts'
import { parseImage } from './image.ts'
import { Machine } from './machine.ts'

const HEAD = `
        .text
        b       start
        .long   0
        .quad   0, _end - _text, 0xa
        .quad   0, 0, 0
        .ascii  "ARM\\x64"
        .long   0
start:
`

/** Prints its message on the UART and switches the machine off. */
const PRINTS = `${HEAD}
        adrp    x1, message
        add     x1, x1, :lo12:message
        mov     x2, #0x09000000
1:      ldrb    w3, [x1], #1
        cbz     w3, 2f
        str     w3, [x2]
        b       1b
2:      ldr     x0, =0x84000008
        smc     #0
        b       .
        .section .rodata
        .if     CONFIG_LOUD
message: .asciz "HELLO\\n"
        .else
message: .asciz "hello\\n"
        .endif
`

function built(files: Record<string, string> | string, options: Record<string, boolean> = {}): BuiltSystem {
  return buildSystem({ sources: typeof files === 'string' ? { 'mini-pkvm.s': files } : files, options })
}

const errors = (b: BuiltSystem) => b.diagnostics.map(formatDiagnostic)

describe('an Image from sources', () => {
  it('boots where it was linked, built with the options it was given', () => {
    for (const loud of [true, false]) {
      const b = built(PRINTS, { CONFIG_LOUD: loud })
      expect(errors(b)).toEqual([])
      expect(parseImage(b.image).textOffset).toBe(0)
      let text = ''
      const machine = Machine.create({
        image: b.image,
        append: '',
        ramMiB: 128,
        console: (bytes) => (text += new TextDecoder().decode(bytes)),
      })
      expect(BigInt(machine.boot.kernelStart)).toBe(SYSTEM_ORIGIN)
      expect(machine.run(10_000).kind).toBe('off')
      expect(text).toBe(loud ? 'HELLO\n' : 'hello\n')
    }
  })

  it('lays sections on pages of their own, and names their edges', () => {
    const b = built(`${HEAD}
        adr x0, __hyp_text_start
        .section .hyp.text, "ax"
handler: ret
        .section .hyp.bss
state:  .skip 16
        .bss
buffer: .skip 100`)
    expect(errors(b)).toEqual([])
    const at = (name: string) => b.symbols.find((s) => s.name === name)?.offset
    expect(at('__hyp_text_start')).toBe(0x1000)
    expect(at('__hyp_text_end')).toBe(0x2000)
    expect(at('__kvm_nvhe_handler')).toBe(0x1000)
    expect(at('__kvm_nvhe_state')).toBe(0x2000)
    expect(at('buffer')).toBe(0x3000)
    expect(at('_end')).toBe(0x4000)
    expect(parseImage(b.image).imageSize).toBe(0x4000)
    // What is only zeroes takes no room in the file.
    expect(b.image.length).toBe(0x1004)
  })

  it('takes layouts from .struct and from constants', () => {
    const b = built(`${HEAD} nop
        .struct 0
page.count: .skip 2
page.state: .skip 1
        .balign 8
page.sizeof:
        .text
        ldrb w0, [x1, #page.state]`)
    expect(errors(b)).toEqual([])
    expect(Object.fromEntries([...b.constants].filter(([n]) => n.startsWith('page.')))).toEqual({
      'page.count': 0n,
      'page.state': 2n,
      'page.sizeof': 8n,
    })
    expect(b.symbols.some((s) => s.name.startsWith('page'))).toBe(false)
  })

  it('finds included files from the top folder, beside the file, and by .. and .', () => {
    const files = {
      'mini-pkvm.s': `${HEAD} .include "hyp/a.s"\n.include "./hyp/../hyp/c.s"`,
      'hyp/a.s': '.include "b.s"\nnop',
      'hyp/b.s': 'nop',
      'hyp/c.s': '.include "../d.s"',
      'd.s': 'nop',
    }
    expect(errors(built(files))).toEqual([])
  })
})

describe('sources that do not make a system', () => {
  it.each<[string, Record<string, string> | string, RegExp]>([
    ['no source', {}, /^mini-pkvm\.s:1:1: there is no file 'mini-pkvm\.s': it was deleted or renamed/],
    ['a missing include', `${HEAD} .include "hyp/gone.s"`, /^mini-pkvm\.s:10:1: there is no file 'hyp\/gone\.s'/],
    [
      'a file that moved',
      { 'mini-pkvm.s': `${HEAD} .include "hyp/a.s"`, 'host/a.s': '' },
      /there is host\/a\.s: it was deleted or renamed/,
    ],
    ['no header', '.text\nnop', /^mini-pkvm\.s:2:1: the system has 4 bytes; the header/],
    ['another header', `.text\n${'nop\n'.repeat(20)}`, /does not begin with the header of an arm64 Image/],
    ['a size that is too small', HEAD.replace('_end - _text', '64').concat('nop\n.bss\n.skip 100'), /write \.quad _end - _text/],
    ['a text_offset', HEAD.replace('.quad   0, _end', '.quad   0x80000, _end'), /text_offset 0x80000; it must be 0/],
    ['nothing at all', '', /has 0 bytes/],
    ['a file that includes itself', '.include "mini-pkvm.s"', /nested too deeply/],
    ['an option nobody defined', `${HEAD} .if CONFIG_GONE\n.endif`, /'CONFIG_GONE' is not defined/],
    ['a name given twice', `${HEAD} nop\nstart: nop`, /'start' is already defined, at mini-pkvm\.s:9/],
    ['code after .struct', `${HEAD} .struct 0\nnop`, /stands after \.struct/],
    ['content in .hyp.bss', `${HEAD} nop\n.section .hyp.bss\n.quad 1`, /\.hyp\.bss can hold only zeroes/],
  ])('%s', (_what, files, message) => {
    const b = built(files)
    expect(b.ok).toBe(false)
    expect(b.image).toHaveLength(0)
    expect(errors(b)[0]).toMatch(message)
  })
})

describe('sources that would not end', () => {
  it.each<[string, string]>([
    ['a macro that calls itself', '.macro m\nm\n.endm\nm'],
    ['two that call each other twice', '.macro a\nb\nb\n.endm\n.macro b\na\na\n.endm\na'],
    ['arguments that double', '.macro m x\nm "\\x\\x"\n.endm\nm ab'],
    ['repetitions in repetitions', '.rept 100000\n.rept 100000\nnop\n.endr\n.endr'],
    ['products of products', '.set x, 0x7fffffff\n.rept 1000\n.set x, x * x\n.endr'],
    ['more memory than there is', '.rept 1000\n.skip 0x1000000\n.endr'],
    ['a .struct of more than there is', '.struct 0\n.rept 1000\n.skip 0x8000000\n.endr'],
  ])('%s', (_what, text) => {
    const b = built(HEAD + text)
    expect(b.ok).toBe(false)
    expect(errors(b)[0]).toMatch(/^mini-pkvm\.s:\d+:\d+/)
  })
})
