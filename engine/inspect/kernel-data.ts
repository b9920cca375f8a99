import { Slot } from '../cpu/register-slots.ts'
import { type CpuState, RAM_BASE, SYSREG_BASE } from '../cpu/state.ts'
import { MemoryMap } from '../machine/memory-map.ts'
import { Btf } from './btf.ts'
import type { SymbolTable } from './symbol-table.ts'
import type { TypeTable } from './type-table.ts'
import { GuestMemory } from './guest-memory.ts'
import { Kallsyms } from './kallsyms.ts'
import { attempt, type Known, need, UnknownError } from './known.ts'
import { el1Stage1, el2Stage1, type RegimeRegisters } from './translation-regimes.ts'
import { type TranslationTables, translate } from './page-table-walk.ts'
import { HYP_PREFIX, Symboliser } from './symboliser.ts'

/** What is read of a machine. A `Machine` is one. */
export interface InspectedMachine {
  ram(): Uint8Array
  readonly boot: { readonly kernelStart: number }
  readonly cpu: { readonly state: CpuState }
}

/** How a system describes itself, however it was made. */
export interface KernelDescription {
  readonly symbols: Known<SymbolTable>
  readonly types: Known<TypeTable>
}

/** What an Image of Linux says of itself: kallsyms and BTF. Takes some hundred milliseconds. */
export function describeImage(image: Uint8Array): KernelDescription {
  const symbols = attempt(() => Kallsyms.parse(image))
  return { symbols, types: attempt(() => Btf.inImage(image, need(symbols))) }
}

/**
 * The running kernel as data: its variables by name, its types, its memory by physical address and by the hypervisor's
 * addresses. Everything is found through its own tables of symbols and types; nothing is written.
 */
export class KernelData {
  readonly memory: GuestMemory
  readonly symbols: Known<SymbolTable>
  readonly types: Known<TypeTable>
  readonly symboliser: Known<Symboliser>
  private readonly state: CpuState

  /** @param description of the kernel that was booted, or its Image: reading that takes some hundred milliseconds. */
  constructor(machine: InspectedMachine, description: KernelDescription | Uint8Array) {
    this.memory = new GuestMemory(machine.ram(), MemoryMap.ramBase)
    this.state = machine.cpu.state
    const { symbols, types } = description instanceof Uint8Array ? describeImage(description) : description
    this.symbols = symbols
    this.types = types
    this.symboliser = attempt(() => new Symboliser(need(this.symbols), this.memory, machine.boot.kernelStart))
  }

  get exceptionLevel(): number {
    return this.state.el
  }

  /** System registers as they are now. */
  registers(): RegimeRegisters {
    const get = (slot: number) => this.state.u64[(SYSREG_BASE >> 3) + slot]!
    return {
      HCR_EL2: get(Slot.HCR_EL2),
      SCTLR_EL1: get(Slot.SCTLR_EL1),
      SCTLR_EL2: get(Slot.SCTLR_EL2),
      TCR_EL1: get(Slot.TCR_EL1),
      TCR_EL2: get(Slot.TCR_EL2),
      TTBR0_EL1: get(Slot.TTBR0_EL1),
      TTBR1_EL1: get(Slot.TTBR1_EL1),
      TTBR0_EL2: get(Slot.TTBR0_EL2),
      MAIR_EL1: get(Slot.MAIR_EL1),
      MAIR_EL2: get(Slot.MAIR_EL2),
      VTCR_EL2: get(Slot.VTCR_EL2),
      VTTBR_EL2: get(Slot.VTTBR_EL2),
      TPIDR_EL2: get(Slot.TPIDR_EL2),
    }
  }

  /** Its types, in BTF or otherwise. @throws UnknownError when it does not describe them. */
  get btf(): TypeTable {
    return need(this.types)
  }

  has(symbol: string): boolean {
    return this.symbols.known && this.symbols.value.find(symbol) !== undefined
  }

  /** Physical address of a variable. @throws UnknownError when this kernel has none of the name. */
  address(symbol: string): number {
    const at = need(this.symboliser).physicalOf(symbol)
    if (at === undefined) throw new UnknownError(`this kernel has no symbol ${symbol}`)
    return at
  }

  /** Physical address of a variable of the hypervisor, by its name in the source. @throws UnknownError */
  hypAddress(name: string): number {
    return this.address(HYP_PREFIX + name)
  }

  hasHyp(name: string): boolean {
    return this.has(HYP_PREFIX + name)
  }

  /** Stage 1 of EL2 as it is now. @throws UnknownError while EL2's MMU is off. */
  hypTables(): TranslationTables {
    const tables = el2Stage1(this.registers())
    if (tables === null) throw new UnknownError('the hypervisor has not switched on its MMU')
    return tables
  }

  /** Physical address of a hypervisor's virtual address. @throws UnknownError when it maps nothing. */
  hypPhysical(va: bigint, tables = this.hypTables()): number {
    const physical = translate(this.memory, tables, va)
    if (physical === undefined) throw new UnknownError(`the hypervisor maps nothing at 0x${va.toString(16)}`)
    return physical
  }

  /** Physical address of a VA of the kernel at EL1, or undefined. Stage 2 of the host maps every address to itself. */
  kernelPhysical(va: bigint): number | undefined {
    const inImage = this.symboliser.known ? this.symboliser.value.imagePhysical(va) : undefined
    if (inImage !== undefined) return inImage
    const registers = this.registers()
    // With the MMU off an address is its own translation.
    if ((registers.SCTLR_EL1 & 1n) === 0n) return va < 1n << 48n && this.memory.has(Number(va), 1) ? Number(va) : undefined
    const tables = el1Stage1(registers, va)
    return tables === null ? undefined : translate(this.memory, tables, va)
  }

  /** This CPU's copy of a per-CPU variable of the hypervisor. @throws UnknownError before the hypervisor runs. */
  hypPerCpu(name: string): number {
    const template = need(this.symboliser).hypVirtualOf(HYP_PREFIX + name)
    if (template === undefined) throw new UnknownError(`this kernel's hypervisor has no ${name}, or does not run yet`)
    // One without per-CPU copies has the variable itself, and need not keep anything in TPIDR_EL2.
    if (!this.has('__per_cpu_start') && !this.hasHyp('__per_cpu_start')) return this.hypAddress(name)
    // The hypervisor keeps the distance from the template to its CPU's copy in TPIDR_EL2.
    return this.hypPhysical(BigInt.asUintN(64, template + this.registers().TPIDR_EL2))
  }

  /** Linear-memory address of a physical one, for callers that set watches. */
  linear(physical: number): number {
    return physical - this.memory.base + RAM_BASE
  }
}
