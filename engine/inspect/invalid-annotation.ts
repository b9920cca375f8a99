import type { TypeTable } from './type-table.ts'

/**
 * What pKVM writes into invalid stage 2 entries (arch/arm64/include/asm/kvm_pgtable.h and hyp/nvhe/mem_protect.c): bits
 * 63:60 the type, and for a donation by the host bits 3:1 the new owner, 59:4 what identifies it. For a guest that is
 * its handle (entry bits 19:4) and the gfn (59:20). The masks are `#define`s, which BTF does not carry; the numbers of
 * types and owners come from BTF.
 */
export type InvalidAnnotation =
  /** All zero: for host RAM, not mapped yet. */
  | { readonly kind: 'none' }
  /** Break-before-make in progress. */
  | { readonly kind: 'locked' }
  | { readonly kind: 'donated'; readonly owner: 'host' | 'hyp' }
  | { readonly kind: 'donated'; readonly owner: 'vm'; readonly handle: number; readonly gfn: number }
  /** In a guest's tables: the host took the page back by force. */
  | { readonly kind: 'poisoned' }
  | { readonly kind: 'unknown'; readonly raw: bigint }

export class AnnotationFormat {
  private readonly locked: number
  private readonly donation: number
  private readonly poisoned: number
  private readonly owners: ReadonlyMap<number, 'host' | 'hyp' | 'vm'>

  /** @throws UnknownType when this kernel has no such annotations. */
  constructor(types: TypeTable) {
    const invalid = types.enumValues('kvm_invalid_pte_type')
    const type = (label: string) => Number(invalid.get(label) ?? -1n)
    this.locked = type('KVM_INVALID_PTE_TYPE_LOCKED')
    this.donation = type('KVM_HOST_INVALID_PTE_TYPE_DONATION')
    this.poisoned = type('KVM_GUEST_INVALID_PTE_TYPE_POISONED')
    const ids = types.enumValues('pkvm_component_id')
    const id = (label: string) => Number(ids.get(label) ?? -1n)
    this.owners = new Map([
      [id('PKVM_ID_HOST'), 'host'],
      [id('PKVM_ID_HYP'), 'hyp'],
      [id('PKVM_ID_GUEST'), 'vm'],
    ])
  }

  /** @param low, high the halves of an entry whose bit 0 is clear. */
  decode(low: number, high: number): InvalidAnnotation {
    low >>>= 0
    high >>>= 0
    if (low === 0 && high === 0) return { kind: 'none' }
    const type = high >>> 28
    if (type === this.locked) return { kind: 'locked' }
    if (type === this.poisoned) return { kind: 'poisoned' }
    const owner = type === this.donation ? this.owners.get((low >>> 1) & 7) : undefined
    if (owner === 'vm') {
      return { kind: 'donated', owner, handle: (low >>> 4) & 0xffff, gfn: (high & 0x0fffffff) * 2 ** 12 + (low >>> 20) }
    }
    if (owner !== undefined) return { kind: 'donated', owner }
    return { kind: 'unknown', raw: (BigInt(high) << 32n) | BigInt(low) }
  }
}
