import type { Cpu } from '../cpu/cpu.ts'
import { sys } from '../cpu/encoding.ts'
import { currentVmid } from '../cpu/exception-level.ts'

/** How each AT instruction translates. */
export interface AtOperation {
  readonly write: boolean
  readonly regimeEl2: boolean
  readonly el0: boolean
  readonly both: boolean
  readonly minEl: number
}

const at = (op1: number, op2: number, write: boolean, regimeEl2: boolean, el0: boolean, both: boolean) =>
  [sys(1, op1, 7, 8, op2), { write, regimeEl2, el0, both, minEl: op1 === 4 ? 2 : 1 }] as const

export const AtOp: ReadonlyMap<number, AtOperation> = new Map([
  at(0, 0, false, false, false, false), // S1E1R
  at(0, 1, true, false, false, false), // S1E1W
  at(0, 2, false, false, true, false), // S1E0R
  at(0, 3, true, false, true, false), // S1E0W
  at(4, 0, false, true, false, false), // S1E2R
  at(4, 1, true, true, false, false), // S1E2W
  at(4, 4, false, false, false, true), // S12E1R
  at(4, 5, true, false, false, true), // S12E1W
  at(4, 6, false, false, true, true), // S12E0R
  at(4, 7, true, false, true, true), // S12E0W
])

/**
 * TLBI. Dropping more than asked is allowed, so operations by address ignore ASID and regime, and there is one
 * processor, so the Inner Shareable forms equal the others. IPAS2E1 and IPAS2LE1 have nothing to do: no IPA is cached
 * alone, and software must follow them with an operation on the stage 1 or combined entries.
 * @returns false when the encoding is not allocated.
 */
export function invalidateTlb(cpu: Cpu, encoding: number, value: bigint): boolean {
  const crm = (encoding >>> 3) & 15
  const op2 = encoding & 7
  if (((encoding >>> 11) & 7) === 0) {
    if (crm !== 3 && crm !== 7) return false
    switch (op2) {
      case 0: // VMALLE1
        cpu.contexts.forgetVmid(currentVmid(cpu.state.u32))
        break
      case 2: // ASIDE1
        cpu.contexts.forgetAsid(Number((value >> 48n) & 0xffffn), currentVmid(cpu.state.u32))
        break
      case 1: // VAE1
      case 3: // VAAE1
      case 5: // VALE1
      case 7: // VAALE1
        byAddress(cpu, value)
        return true
      default:
        return false
    }
    cpu.updateMode()
    return true
  }
  if (((encoding >>> 11) & 7) !== 4) return false
  if (crm === 0 || crm === 4) return op2 === 1 || op2 === 5
  if (crm !== 3 && crm !== 7) return false
  switch (op2) {
    case 0: // ALLE2
      cpu.contexts.forgetEl2()
      break
    case 1: // VAE2
    case 5: // VALE2
      byAddress(cpu, value)
      return true
    case 4: // ALLE1
      cpu.contexts.forgetEl10()
      break
    case 6: // VMALLS12E1
      cpu.contexts.forgetVmid(currentVmid(cpu.state.u32))
      break
    default:
      return false
  }
  cpu.updateMode()
  return true
}

/** The operand holds VA[55:12] in bits 43:0. */
function byAddress(cpu: Cpu, value: bigint): void {
  const low = Number(BigInt.asUintN(32, value << 12n))
  const high = Number(BigInt.asUintN(24, value >> 20n))
  if (cpu.mmu.tlb.invalidateAddress(low, high)) cpu.codeCache?.forgetLookups()
}
