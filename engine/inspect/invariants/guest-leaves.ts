import { outputAddress } from '../descriptor.ts'
import { StateCode } from '../hyp-page.ts'
import type { KernelData } from '../kernel-data.ts'
import { attempt } from '../known.ts'
import { forEachLeaf } from '../page-table-walk.ts'
import type { VmView } from '../vm-table.ts'
import type { GuestLeaf } from './page-facts.ts'

const PAGE = 4096

/** The page state in the software bits of a guest's leaf, as the lab's StateCode, from the high half of the entry. */
export function softwareState(kernel: KernelData): (high: number) => number {
  const read = attempt(() => {
    const prot = kernel.btf.enumValues('kvm_pgtable_prot')
    const states = kernel.btf.enumValues('pkvm_page_state')
    const value = (label: string) => Number(states.get(label) ?? -1n)
    return {
      bits: ['KVM_PGTABLE_PROT_SW0', 'KVM_PGTABLE_PROT_SW1'].map((label) => Number((prot.get(label) ?? 0n) >> 32n)),
      codes: new Map([
        [value('PKVM_PAGE_OWNED'), StateCode.owned as number],
        [value('PKVM_PAGE_SHARED_OWNED'), StateCode.sharedOwned],
        [value('PKVM_PAGE_SHARED_BORROWED'), StateCode.sharedBorrowed],
      ]),
    }
  })
  if (!read.known) return () => StateCode.unknown
  const { bits, codes } = read.value
  return (high) => codes.get((high & bits[0]! ? 1 : 0) | (high & bits[1]! ? 2 : 0)) ?? StateCode.unknown
}

/**
 * Every leaf of every VM, by page index from the start of RAM.
 * @throws UnknownError when a VM's tables lead out of RAM or in a circle
 */
export function guestLeaves(kernel: KernelData, vms: readonly VmView[]): Map<number, GuestLeaf[]> {
  const { memory } = kernel
  const state = softwareState(kernel)
  const leaves = new Map<number, GuestLeaf[]>()
  for (const vm of vms) {
    if (!vm.stage2.known) continue
    const tables = vm.stage2.value
    forEachLeaf(memory, tables, (input, level, low, high) => {
      if ((low & 1) === 0) return
      const bytes = 2 ** (39 - 9 * level)
      const output = outputAddress(low, high, tables.lpa2)
      const start = output - (output % bytes)
      for (let at = 0; at < bytes; at += PAGE) {
        if (!memory.has(start + at, PAGE)) continue
        const page = (start + at - memory.base) / PAGE
        const leaf = { handle: vm.handle, gfn: (input + at) / PAGE, state: state(high) }
        const others = leaves.get(page)
        if (others === undefined) leaves.set(page, [leaf])
        else others.push(leaf)
      }
    })
  }
  return leaves
}
