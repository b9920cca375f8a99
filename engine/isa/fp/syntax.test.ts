import { describe, expect, it } from 'vitest'
import { InstructionAssembler } from '../assemble-instruction.ts'
import { tokenize } from '../assemble-lexer.ts'
import { rows as cryptoRows } from '../crypto/index.ts'
import { Decoder } from '../decode.ts'
import { disassemble } from '../disassemble.ts'
import { rows } from './index.ts'

/** Words as GNU as makes them, texts as objdump prints them. */
const WORDS: readonly (readonly [number, string])[] = [
  [0x1e604041, 'fmov d1, d2'],
  [0x1e22c041, 'fcvt d1, s2'],
  [0x1ee24041, 'fcvt s1, h2'],
  [0x1e3f2841, 'fadd s1, s2, s31'],
  [0x1f438841, 'fmsub d1, d2, d3, d2'],
  [0x1e602028, 'fcmp d1, #0.0'],
  [0x1e221425, 'fccmp s1, s2, #5, ne'],
  [0x1e63bc41, 'fcsel d1, d2, d3, lt'],
  [0x1e2e1001, 'fmov s1, #1.000000000000000000e+00'],
  [0x1e781001, 'fmov d1, #-1.250000000000000000e-01'],
  [0x1e67f01f, 'fmov d31, #3.100000000000000000e+01'],
  [0x1e260041, 'fmov w1, s2'],
  [0x9eae0041, 'fmov x1, v2.d[1]'],
  [0x9eaf0041, 'fmov v1.d[1], x2'],
  [0x1e38005f, 'fcvtzs wzr, s2'],
  [0x1e18fc41, 'fcvtzs w1, s2, #1'],
  [0x9e580041, 'fcvtzs x1, d2, #64'],
  [0x9e630041, 'ucvtf d1, x2'],
  [0x4e284841, 'aese v1.16b, v2.16b'],
  [0x4ee3e041, 'pmull2 v1.1q, v2.2d, v3.2d'],
  [0x5e030041, 'sha1c q1, s2, v3.4s'],
  [0x5e034041, 'sha256h q1, q2, v3.4s'],
  [0x5e280841, 'sha1h s1, s2'],
]

describe('syntax of floating-point and cryptographic rows', () => {
  const table = [...rows, ...cryptoRows]
  const features = new Set(['fp', 'aes', 'pmull', 'sha1', 'sha256'] as const)
  const decoder = new Decoder(table, features)
  const assembler = new InstructionAssembler(table, features)
  const assemble = (text: string): number => {
    const position = { file: 'test', line: 1, column: 1 }
    const [mnemonic, ...operands] = tokenize(text, position)
    return assembler.assemble(mnemonic!.text, operands, position, 0n, () => undefined)
  }

  it.each(WORDS)('%i is %s', (word, text) => {
    expect(disassemble(decoder, word, 0n)).toBe(text)
    expect(assemble(text)).toBe(word)
  })
  it('accepts integers as floating-point immediates', () => {
    expect(assemble('fmov s1, #1')).toBe(0x1e2e1001)
    expect(assemble('fmov s1, 1.0')).toBe(0x1e2e1001)
    expect(assemble('fcmp d1, #0')).toBe(0x1e602028)
  })
  const wrong = ['fmov s1, #0.1', 'fcvtzs w1, s2, #33', 'fcvtzs x1, s2, #0', 'fadd s1, d2, s3', 'fadd h1, h2, h3']
  it.each(wrong)('refuses %s', (text) => {
    expect(() => assemble(text)).toThrow()
  })
})
