import type { TypeTable } from './type-table.ts'
import { type GuestLeaf, type GuestLeaves, type GuestPage, leafState, readGuestLeaves } from './guest-leaves.ts'
import { HypPageLayout, StateCode } from './hyp-page.ts'
import { AnnotationFormat } from './invalid-annotation.ts'
import type { KernelData } from './kernel-data.ts'
import { attempt, type Known, UnknownError } from './known.ts'
import { endOfWalk, type TranslationTables } from './page-table-walk.ts'
import { stage2Tables } from './translation-regimes.ts'
import { readVmTable, type VmView } from './vm-table.ts'

const PAGE = 4096

export const OwnerCode = { host: 0, hyp: 1, vm: 2, unknown: 3 } as const

export interface VmPages {
  readonly vm: VmView
  /** Pages that are the VM's alone, and pages of it that it shares with the host. */
  readonly owned: number
  readonly shared: number
  /** Pages of the host that the VM maps. */
  readonly borrowed: number
  /** Guest pages that the host took back by force. */
  readonly poisoned: number
}

/** What the record says of each page of RAM, as StateCodes. Index = page number from the start of RAM. */
export interface PageStates {
  readonly host: Uint8Array
  readonly hyp: Uint8Array
}

/** Who owns each page of RAM at one instant. Index = page number from `ramBase`. */
export interface OwnershipMap {
  readonly ramBase: number
  readonly pages: number
  /** StateCode of the host and of the hypervisor. */
  readonly host: Uint8Array
  readonly hyp: Uint8Array
  /** OwnerCode. */
  readonly owner: Uint8Array
  /** For pages of VMs: which, and where in it. */
  readonly guestPage: ReadonlyMap<number, GuestPage>
  /** VMs that map a page which is not theirs. */
  readonly borrowers: ReadonlyMap<number, readonly GuestPage[]>
  readonly vms: readonly VmPages[]
  /** Sentences about what did not fit together; empty in a sound system at rest. */
  readonly conflicts: readonly string[]
}

/**
 * Reads the ownership map. The record of pages, pKVM's vmemmap, is the authority; the tables of the host and of the
 * guests add which VM and which of its pages.
 */
export class OwnershipReader {
  private readonly layout: HypPageLayout
  private readonly annotations: AnnotationFormat
  private readonly types: TypeTable

  /** @throws UnknownError, UnknownType when this kernel keeps ownership in a way this lab does not know. */
  constructor(private readonly kernel: KernelData) {
    this.types = kernel.btf
    this.layout = new HypPageLayout(this.types)
    this.annotations = new AnnotationFormat(this.types)
  }

  get pageLayout(): HypPageLayout {
    return this.layout
  }

  get annotationFormat(): AnnotationFormat {
    return this.annotations
  }

  /** Physical address of the record of a physical page. @throws UnknownError where there is none. */
  recordAddress(page: number, hypTables = this.kernel.hypTables()): number {
    return this.kernel.hypPhysical(this.vmemmap() + BigInt(page * this.layout.bytes), hypTables)
  }

  /** The host's stage 2. @throws UnknownError before it exists. */
  hostTables(): TranslationTables {
    const { memory } = this.kernel
    const at = this.kernel.hypAddress('host_mmu')
    const root = memory.field(at, this.types.field('host_mmu', 'arch.mmu.pgd_phys'))
    if (root === 0n) throw new UnknownError('the host has no stage 2 tables yet')
    return stage2Tables(
      'stage 2 of the host',
      memory.field(at, this.types.field('host_mmu', 'arch.mmu.vtcr')),
      Number(root),
    )
  }

  /** RAM that pKVM keeps records of. @throws UnknownError */
  trackedMemory(): { readonly base: number; readonly size: number }[] {
    const { memory } = this.kernel
    const count = memory.u32(this.kernel.hypAddress('hyp_memblock_nr'))
    if (count === 0 || count > 1024) throw new UnknownError(`the hypervisor knows ${count} memory blocks`)
    const first = this.kernel.hypAddress('hyp_memory')
    const bytes = this.types.sizeOfNamed('memblock_region')
    const base = this.types.field('memblock_region', 'base')
    const size = this.types.field('memblock_region', 'size')
    return Array.from({ length: count }, (_, i) => ({
      base: Number(memory.field(first + i * bytes, base)),
      size: Number(memory.field(first + i * bytes, size)),
    }))
  }

  /** @throws UnknownError, UnknownType with the reason nothing can be known now. */
  read(): OwnershipMap {
    const { memory } = this.kernel
    const pages = memory.ram.length / PAGE
    const map = {
      ramBase: memory.base,
      pages,
      ...this.states(),
      owner: new Uint8Array(pages).fill(OwnerCode.unknown),
      guestPage: new Map<number, GuestPage>(),
      borrowers: new Map<number, GuestPage[]>(),
      conflicts: [] as string[],
    }
    const vms = readVmTable(this.kernel)
    const guests = this.guestLeaves(vms)
    map.conflicts.push(...guests.conflicts)
    for (const [page, leaves] of guests.byPage) {
      const borrowed = leaves.filter((leaf) => !owns(leaf.state))
      if (borrowed.length > 0)
        map.borrowers.set(
          page,
          borrowed.map(({ handle, gfn }) => ({ handle, gfn })),
        )
    }
    this.decideOwners(map, guests.byPage)
    return { ...map, vms: vms.map((vm) => countPages(vm, map, guests.poisoned.get(vm.handle) ?? 0)) }
  }

  /** What VMs map. @throws UnknownType */
  guestLeaves(vms: readonly VmView[]): GuestLeaves {
    return readGuestLeaves(this.kernel, vms, leafState(this.types, this.layout), this.annotations)
  }

  /** The guest that the host's tables say a physical page was donated to, or null. @throws UnknownError */
  donatedTo(physical: number): GuestPage | null {
    const found = this.annotation(this.hostTables(), physical)
    return found === null ? null : { handle: found.handle, gfn: found.gfn }
  }

  private vmemmap(): bigint {
    const value = this.kernel.memory.u64(this.kernel.hypAddress('__hyp_vmemmap'))
    if (value === 0n) throw new UnknownError('the hypervisor has no record of pages yet')
    return value
  }

  /** The pair in the record of every page of RAM. @throws UnknownError */
  states(): PageStates {
    const { kernel, layout } = this
    const { memory } = kernel
    const pages = memory.ram.length / PAGE
    const host = new Uint8Array(pages).fill(StateCode.unknown)
    const hyp = new Uint8Array(pages).fill(StateCode.unknown)
    const tables = kernel.hypTables()
    const vmemmap = this.vmemmap()
    const { hostState, hypState, hostCodes, hypCodes, bytes } = layout
    // Records of one page lie side by side and never cross into the next: one translation, then plain numbers.
    const perPage = Math.floor(PAGE / bytes)
    for (const block of this.trackedMemory()) {
      const end = (Math.min(block.base + block.size, memory.end) - memory.base) / PAGE
      let i = Math.max(0, (block.base - memory.base) / PAGE)
      while (i < end) {
        const va = vmemmap + BigInt((memory.base / PAGE + i) * bytes)
        const left = PAGE % bytes === 0 ? perPage - Number((va & 0xfffn) / BigInt(bytes)) : 1
        const last = Math.min(end, i + left)
        const count = last - i
        const words = memory.words(kernel.hypPhysical(va, tables), (count * bytes) / 4)
        for (let at = 0; i < last; i++, at += bytes / 4) {
          host[i] = hostCodes[(words[at + hostState.word]! >>> hostState.shift) & hostState.mask]!
          hyp[i] = hypCodes[(words[at + hypState.word]! >>> hypState.shift) & hypState.mask]!
        }
      }
    }
    return { host, hyp }
  }

  private decideOwners(map: WritableMap, leaves: GuestLeaves['byPage']): void {
    const hostTables = attempt(() => this.hostTables())
    for (let i = 0; i < map.pages; i++) {
      const host = map.host[i]!
      const hyp = map.hyp[i]!
      if (host === StateCode.unknown || hyp === StateCode.unknown) continue
      const owners = (owns(host) ? 1 : 0) + (owns(hyp) ? 1 : 0)
      if (owners === 2) {
        map.conflicts.push(`page 0x${address(map, i)} has two owners, the host and the hypervisor`)
      } else if (owners === 1) {
        map.owner[i] = owns(host) ? OwnerCode.host : OwnerCode.hyp
      } else {
        this.decideGuest(map, i, host, hostTables, leaves.get(i)?.filter((leaf) => owns(leaf.state)) ?? [])
      }
    }
  }

  /** A page that neither host nor hypervisor owns: a guest's. */
  private decideGuest(
    map: WritableMap,
    i: number,
    host: number,
    hostTables: Known<TranslationTables>,
    mapped: readonly GuestLeaf[],
  ): void {
    const annotated =
      host === StateCode.noPage && hostTables.known ? this.annotation(hostTables.value, map.ramBase + i * PAGE) : null
    const walked = mapped.length === 1 ? mapped[0]! : null
    if (annotated !== null && walked !== null && (annotated.handle !== walked.handle || annotated.gfn !== walked.gfn)) {
      map.conflicts.push(
        `page 0x${address(map, i)}: the host's tables give it to ${guestText(annotated)}, but ${guestText(walked)} maps it`,
      )
    }
    const found = annotated ?? walked
    if (found === null) {
      map.conflicts.push(`page 0x${address(map, i)} belongs to neither host nor hypervisor, and no VM is named for it`)
      return
    }
    map.owner[i] = OwnerCode.vm
    map.guestPage.set(i, { handle: found.handle, gfn: found.gfn })
  }

  /** The guest that the host's stage 2 says this physical address was donated to. */
  private annotation(tables: TranslationTables, physical: number): GuestPage | null {
    const entry = endOfWalk(this.kernel.memory, tables, physical)
    if (entry?.kind !== 'invalid') return null
    const it = this.annotations.decode(entry.low, entry.high)
    return it.kind === 'donated' && it.owner === 'vm' ? it : null
  }
}

type WritableMap = Omit<OwnershipMap, 'vms' | 'conflicts' | 'guestPage'> & {
  conflicts: string[]
  guestPage: Map<number, GuestPage>
}

const owns = (state: number) => state === StateCode.owned || state === StateCode.sharedOwned
const guestText = (p: GuestPage) => `VM 0x${p.handle.toString(16)} gfn 0x${p.gfn.toString(16)}`
const address = (map: { ramBase: number }, i: number) => (map.ramBase + i * PAGE).toString(16)

function countPages(vm: VmView, map: Omit<OwnershipMap, 'vms'>, poisoned: number): VmPages {
  let owned = 0
  let shared = 0
  let borrowed = 0
  for (const [i, page] of map.guestPage) {
    if (page.handle !== vm.handle) continue
    if (map.host[i] === StateCode.sharedBorrowed) shared++
    else owned++
  }
  for (const list of map.borrowers.values()) borrowed += list.filter((p) => p.handle === vm.handle).length
  return { vm, owned, shared, borrowed, poisoned }
}
