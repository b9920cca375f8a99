import type { GuestMemory } from './guest-memory.ts'
import type { KernelSymbol, SymbolTable } from './symbol-table.ts'

/** A place in the kernel's image. */
export interface SymbolPlace {
  readonly symbol: KernelSymbol
  /** Bytes from the symbol. */
  readonly offset: number
  readonly physical: number
}

/** How hypervisor symbols are marked in the kernel's table. */
export const HYP_PREFIX = '__kvm_nvhe_'

const U64 = (v: bigint) => BigInt.asUintN(64, v)

/**
 * Addresses to names and back. The kernel itself says where it runs: `kimage_voffset` = VA - PA of the image at EL1
 * (whatever KASLR chose), `hyp_physvirt_offset` = PA - VA at EL2. Both are read anew each time; until the kernel has
 * set them, and on one that has no such variable, code runs at its physical address.
 */
export class Symboliser {
  private readonly imageBytes: number

  /** @param loadAddress physical address of the Image's first byte. */
  constructor(
    private readonly symbols: SymbolTable,
    private readonly memory: GuestMemory,
    readonly loadAddress: number,
  ) {
    const last = symbols.symbols[symbols.symbols.length - 1]
    this.imageBytes = symbols.find('_end')?.offset ?? (last === undefined ? 0 : last.offset + 4096)
  }

  /** Physical address of a symbol, or undefined. */
  physicalOf(name: string): number | undefined {
    const symbol = this.symbols.find(name)
    return symbol === undefined ? undefined : this.loadAddress + symbol.offset
  }

  /** The symbol's address for EL1, or undefined when there is none or the kernel is not yet at its address. */
  virtualOf(name: string): bigint | undefined {
    const physical = this.physicalOf(name)
    const offset = this.imageOffset()
    return physical === undefined || offset === null ? undefined : U64(BigInt(physical) + offset)
  }

  /** The symbol's address for EL2, or undefined as for `virtualOf`. */
  hypVirtualOf(name: string): bigint | undefined {
    const physical = this.physicalOf(name)
    const offset = this.hypOffset()
    return physical === undefined || offset === null ? undefined : U64(BigInt(physical) - offset)
  }

  /** Physical address of a kernel image VA of EL1, or undefined outside the image. */
  imagePhysical(va: bigint): number | undefined {
    return this.inImage(U64(va - (this.imageOffset() ?? 0n)))
  }

  /** Physical address of any linear-map address of EL2, by arithmetic alone; undefined outside RAM. */
  hypPhysical(va: bigint): number | undefined {
    const physical = U64(va + (this.hypOffset() ?? 0n))
    return physical < 1n << 52n && this.memory.has(Number(physical), 1) ? Number(physical) : undefined
  }

  /** The kernel's place at a physical address, or undefined outside the kernel. */
  atPhysical(physical: number): SymbolPlace | undefined {
    const offset = physical - this.loadAddress
    if (offset < 0 || offset >= this.imageBytes) return undefined
    const symbol = this.symbols.at(offset)
    return symbol === undefined ? undefined : { symbol, offset: offset - symbol.offset, physical }
  }

  /**
   * The kernel's place at a virtual address of EL1 or EL2, or at the physical address while the MMU is off.
   * @returns undefined for user space, modules and everything else outside the image.
   */
  at(va: bigint, el: number): SymbolPlace | undefined {
    const flat = this.inImage(va)
    if (flat !== undefined) return this.atPhysical(flat)
    const physical = el === 2 ? this.hypPhysical(va) : this.imagePhysical(va)
    return physical === undefined ? undefined : this.atPhysical(physical)
  }

  /** `name+0x1c`, or the address in hex. */
  describe(va: bigint, el: number): string {
    const place = this.at(va, el)
    return place === undefined ? `0x${va.toString(16)}` : placeText(place)
  }

  private imageOffset(): bigint | null {
    return this.value('kimage_voffset')
  }

  private hypOffset(): bigint | null {
    return this.value(`${HYP_PREFIX}hyp_physvirt_offset`)
  }

  /** null while it is not set. A kernel that has no such variable runs at its physical address for good. */
  private value(name: string): bigint | null {
    const at = this.physicalOf(name)
    if (at === undefined) return 0n
    const value = this.memory.has(at, 8) ? this.memory.s64(at) : 0n
    return value === 0n ? null : value
  }

  private inImage(physical: bigint): number | undefined {
    const offset = physical - BigInt(this.loadAddress)
    return offset >= 0n && offset < BigInt(this.imageBytes) ? Number(physical) : undefined
  }
}

/** `name+0x1c`. */
export function placeText(place: SymbolPlace): string {
  return place.offset === 0 ? place.symbol.name : `${place.symbol.name}+0x${place.offset.toString(16)}`
}
