/**
 * Instruction words to text, in the preferred forms of the Arm ARM.
 */
import type { Decoder } from './decode.ts'
import { compileSyntax, printSyntax } from './syntax.ts'

/**
 * The text of an instruction word.
 * @param word unsigned 32 bits.
 * @param pc address of the instruction, for branch targets (printed as absolute addresses).
 * @returns `.inst 0x...` for words that the decoder's rows and features do not have.
 */
export function disassemble(decoder: Decoder, word: number, pc: bigint): string {
  const decoded = decoder.decode(word >>> 0)
  if (decoded === null) return `.inst 0x${(word >>> 0).toString(16).padStart(8, '0')}`
  const { row, fields } = decoded
  const alias = row.aliases?.find((a) => a.when(fields))
  const source =
    alias?.syntax ??
    (typeof row.syntax === 'string' ? row.syntax : (row.syntax.find((f) => f.when(fields)) ?? row.syntax[0]!).syntax)
  return printSyntax(compileSyntax(source), row, fields, pc)
}
