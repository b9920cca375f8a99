import type { Builder } from '../isa/builder.ts'
import type { Decoded } from '../isa/decode.ts'

/**
 * Asked when the instruction at an intercepted address is about to execute: Off.pc is its address, nothing of it has
 * happened yet. May change general-purpose registers.
 * @returns the address where execution goes on instead (the instruction is not executed, but retires), or undefined to
 *   let the instruction be.
 */
export type Interceptor = () => bigint | undefined

/**
 * The instruction as decoded, with the question before it. Only tier 0 asks: any other builder sees an instruction that
 * it must leave before, so there is one place where interceptors run and both tiers retire the same instructions.
 * It ends its block, so that what follows is translated as ever.
 */
export function intercepted(d: Decoded, tier0: Builder, interceptor: Interceptor): Decoded {
  const { row, word, fields } = d
  const meaning = (t: Builder): void => {
    if (t !== tier0) {
      t.event('undefined')
      return
    }
    const target = interceptor()
    if (target === undefined) row.meaning(t, fields)
    else t.branchReg(t.imm64(BigInt.asUintN(64, target)))
  }
  return { word, row: { ...row, meaning, ends: true }, fields }
}
