import { outputAddress } from './descriptor.ts'
import type { HypPageLayout } from './hyp-page.ts'
import type { AnnotationFormat } from './invalid-annotation.ts'
import type { KernelData } from './kernel-data.ts'
import { attempt } from './known.ts'
import { forEachLeaf } from './page-table-walk.ts'
import type { TypeTable } from './type-table.ts'
import type { VmView } from './vm-table.ts'

const PAGE = 4096

/** A page in a guest's address space. */
export interface GuestPage {
  readonly handle: number
  readonly gfn: number
}

/** A guest's leaf that leads to a page; `state` is the StateCode in its software bits. */
export interface GuestLeaf extends GuestPage {
  readonly state: number
}

/**
 * How a guest's leaf says what the page is to the guest: its `enum pkvm_page_state` stands in the software bits SW0 (its
 * bit 0) and SW1 (its bit 1).
 * @returns the StateCode, from the high half of the entry
 * @throws UnknownType when this kernel has no such bits
 */
export function leafState(types: TypeTable, { hostCodes }: HypPageLayout): (high: number) => number {
  const prot = types.enumValues('kvm_pgtable_prot')
  const [bit0, bit1] = ['KVM_PGTABLE_PROT_SW0', 'KVM_PGTABLE_PROT_SW1'].map((label) => Number((prot.get(label) ?? 0n) >> 32n))
  return (high) => hostCodes[((high & bit0!) !== 0 ? 1 : 0) | ((high & bit1!) !== 0 ? 2 : 0)]!
}

/** What all VMs map, as far as their tables can be read. */
export interface GuestLeaves {
  /** By page index from the start of RAM. */
  readonly byPage: ReadonlyMap<number, readonly GuestLeaf[]>
  /** Entries of guest pages that the host took back by force, by the VM's handle. */
  readonly poisoned: ReadonlyMap<number, number>
  /** Sentences about tables that lead out of RAM or in a circle. */
  readonly conflicts: readonly string[]
}

/** @param state from `leafState` */
export function readGuestLeaves(kernel: KernelData, vms: readonly VmView[], state: (high: number) => number, annotations: AnnotationFormat): GuestLeaves {
  const { memory } = kernel
  const byPage = new Map<number, GuestLeaf[]>()
  const poisoned = new Map<number, number>()
  const conflicts: string[] = []
  for (const { handle, stage2 } of vms) {
    if (!stage2.known) continue
    const tables = stage2.value
    const done = attempt(() =>
      forEachLeaf(memory, tables, (input, level, low, high) => {
        if ((low & 1) === 0) {
          if (annotations.decode(low, high).kind === 'poisoned') poisoned.set(handle, (poisoned.get(handle) ?? 0) + 1)
          return
        }
        const bytes = 2 ** (39 - 9 * level)
        const output = outputAddress(low, high, tables.lpa2)
        const start = output - (output % bytes)
        for (let at = 0; at < bytes; at += PAGE) {
          if (!memory.has(start + at, PAGE)) continue
          const page = (start + at - memory.base) / PAGE
          const leaf = { handle, gfn: (input + at) / PAGE, state: state(high) }
          const others = byPage.get(page)
          if (others === undefined) byPage.set(page, [leaf])
          else others.push(leaf)
        }
      }),
    )
    if (!done.known) conflicts.push(done.why)
  }
  return { byPage, poisoned, conflicts }
}
