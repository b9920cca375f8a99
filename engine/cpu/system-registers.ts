import type { Cpu } from './cpu.ts'
import { sys } from './encoding.ts'
import type { AccessCheck } from './traps.ts'

/** One system register: a row of the table. */
export interface SystemRegister {
  readonly name: string
  readonly encoding: number
  /** Storage (register-slots.ts), or -1 when `read` and `write` do everything. */
  readonly slot: number
  readonly reset: bigint
  /** Bits that can be written; the others read as `res1` says. */
  readonly mask: bigint
  readonly res1: bigint
  readonly access: 'RW' | 'RO' | 'WO'
  /** Lowest exception level at which the register is not UNDEFINED. */
  readonly minEl: number
  /** Lowest level that may write, where that differs (TPIDRRO_EL0). */
  readonly minElWrite: number
  readonly check: AccessCheck | undefined
  readonly read: ((cpu: Cpu, el: number) => bigint) | undefined
  /** Replaces the store into the slot. */
  readonly write: ((cpu: Cpu, value: bigint) => void) | undefined
  /** A write may change what `Cpu.updateMode` computes. */
  readonly mode: boolean
  /** Lives in a device: the CPU checks the access, the device does it. */
  readonly device: boolean
}

export type RegisterOptions = Partial<Omit<SystemRegister, 'name' | 'encoding'>>

const ALL = 0xffffffffffffffffn

/** Define a register. Its lowest level follows from op1 unless given: 3 is EL0, 4 and 5 are EL2, others EL1. */
export function register(
  name: string,
  [op0, op1, crn, crm, op2]: readonly [number, number, number, number, number],
  options: RegisterOptions = {},
): SystemRegister {
  const minEl = options.minEl ?? (op1 === 3 ? 0 : op1 >= 4 ? 2 : 1)
  // Every row has the same properties in the same order, so that accesses stay monomorphic.
  return {
    name,
    encoding: sys(op0, op1, crn, crm, op2),
    slot: options.slot ?? -1,
    reset: options.reset ?? 0n,
    mask: options.mask ?? ALL,
    res1: options.res1 ?? 0n,
    access: options.access ?? 'RW',
    minEl,
    minElWrite: options.minElWrite ?? minEl,
    check: options.check,
    read: options.read,
    write: options.write,
    mode: options.mode ?? false,
    device: options.device ?? false,
  }
}
