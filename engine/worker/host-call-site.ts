import type { KernelData } from '../inspect/kernel-data.ts'
import { need, UnknownError } from '../inspect/known.ts'
import { HYP_PREFIX } from '../inspect/symboliser.ts'
import { HVC_0, type HostCallSite } from '../machine/host-call.ts'

/** Where the kernel's own calls go through (arch/arm64/kernel/smccc-call.S). */
const PREFERRED = '__arm_smccc_hvc'
/** A function without a symbol behind it is looked at so far. */
const FUNCTION_BYTES = 4096

/** A function of the host's kernel with an `hvc #0` in it. */
export interface FoundSite {
  readonly symbol: string
  readonly physical: number
}

/**
 * Look for an `hvc #0` in the text of the host's kernel as it is in memory now, by the symbol table.
 * @throws UnknownError when there is no symbol table, or none of its functions has one.
 */
export function findHostCallSite(kernel: KernelData): FoundSite {
  const table = need(kernel.symbols)
  const { symbols } = table
  const { loadAddress } = need(kernel.symboliser)
  const from = table.find('_stext')?.offset ?? 0
  const to = table.find('_etext')?.offset ?? Number.POSITIVE_INFINITY
  const within = (i: number): FoundSite | undefined => {
    const { name, type, offset } = symbols[i]!
    if (offset < from || offset >= to || !/^[tTwW]$/.test(type) || name.startsWith(HYP_PREFIX)) return undefined
    let end = offset + FUNCTION_BYTES
    for (let j = i + 1; j < symbols.length && end === offset + FUNCTION_BYTES; j++) {
      if (symbols[j]!.offset > offset) end = Math.min(end - 1, symbols[j]!.offset)
    }
    const physical = hvcWithin(kernel, loadAddress + offset, loadAddress + end)
    return physical === undefined ? undefined : { symbol: name, physical }
  }
  const preferred = symbols.findIndex(({ name }) => name === PREFERRED)
  const found = preferred < 0 ? undefined : within(preferred)
  if (found !== undefined) return found
  for (let i = 0; i < symbols.length; i++) {
    const other = within(i)
    if (other !== undefined) return other
  }
  throw new UnknownError('no function of this kernel has an “hvc #0” in it')
}

function hvcWithin({ memory }: KernelData, start: number, end: number): number | undefined {
  for (let at = start - (start % 4); at + 4 <= end; at += 4) {
    if (memory.has(at, 4) && memory.u32(at) === HVC_0) return at
  }
  return undefined
}

/** The place with the address EL1 has for it now. @throws UnknownError while the kernel is not where it runs. */
export function mappedSite(kernel: KernelData, { physical, symbol }: FoundSite): HostCallSite {
  const base = need(kernel.symboliser).physicalOf(symbol)
  const virtual = need(kernel.symboliser).virtualOf(symbol)
  if (base !== undefined && virtual !== undefined) return { physical, virtual: virtual + BigInt(physical - base) }
  // With the MMU off an address is its own translation.
  if ((kernel.registers().SCTLR_EL1 & 1n) === 0n) return { physical, virtual: BigInt(physical) }
  throw new UnknownError('the kernel has not moved to where it runs yet')
}
