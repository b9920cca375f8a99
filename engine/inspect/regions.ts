import type { KernelData } from './kernel-data.ts'
import { attempt, UnknownError } from './known.ts'
import type { GuestPage } from './guest-leaves.ts'
import type { OwnershipMap } from './ownership.ts'
import type { VmView } from './vm-table.ts'

/** A stretch of RAM with a known use. Regions may lie inside each other; the smallest that holds a page names it best. */
export interface RamRegion {
  readonly name: string
  /** Physical address of the first byte, and how many. Whole pages, except where the boot loader placed something. */
  readonly physical: number
  readonly bytes: number
}

/** What the loader put beside the kernel. A `BootState` has it. */
export interface BootPlaces {
  readonly dtb: number
  readonly dtbBytes: number
  readonly kernelStart: number
  readonly kernelEnd: number
  readonly initrd: { readonly start: number; readonly end: number } | undefined
}

const PAGE = 4096
const pageDown = (a: number) => a - (a % PAGE)
const pageUp = (a: number) => pageDown(a + PAGE - 1)

/** Stretches of the Image between two symbols of the linker script (arch/arm64/kernel/vmlinux.lds.S). */
const IMAGE_PARTS: readonly (readonly [name: string, start: string, end: string])[] = [
  ['kernel text', '_stext', '_etext'],
  ['kernel rodata', '__start_rodata', '__end_rodata'],
  ['kernel init', '__init_begin', '__init_end'],
  ['kernel data', '_data', '_edata'],
  ['kernel bss', '__bss_start', '__bss_stop'],
  ['hyp text', '__hyp_text_start', '__hyp_text_end'],
  ['hyp idmap text', '__hyp_idmap_text_start', '__hyp_idmap_text_end'],
  ['hyp rodata', '__hyp_rodata_start', '__hyp_rodata_end'],
  ['hyp data', '__hyp_data_start', '__hyp_data_end'],
  ['hyp bss', '__hyp_bss_start', '__hyp_bss_end'],
]

/** Page tables of the kernel that are part of the Image: one page each. */
const IMAGE_TABLES = ['idmap_pg_dir', 'tramp_pg_dir', 'reserved_pg_dir', 'swapper_pg_dir']

/** Where divide_memory_pool() of hyp/nvhe/setup.c keeps the starts of the pool's parts: addresses of EL2. */
const POOL_PARTS: readonly (readonly [name: string, variable: string])[] = [
  ['vmemmap', 'vmemmap_base'],
  ['VM table', 'vm_table_base'],
  ['hyp page tables', 'hyp_pgt_base'],
  ['host stage-2 tables', 'host_s2_pgt_base'],
  ['FF-A buffers and spare', 'ffa_proxy_pages'],
  ['EL2 self-test', 'selftest_base'],
]

/** Uses of RAM that stay the same from the end of pKVM's initialisation: found by symbols, never by number. */
export function fixedRegions(kernel: KernelData, boot: BootPlaces): RamRegion[] {
  const regions: RamRegion[] = [{ name: 'kernel image', physical: boot.kernelStart, bytes: boot.kernelEnd - boot.kernelStart }]
  if (boot.initrd !== undefined) regions.push({ name: 'initrd', physical: boot.initrd.start, bytes: boot.initrd.end - boot.initrd.start })
  regions.push({ name: 'device tree', physical: boot.dtb, bytes: boot.dtbBytes })
  const add = (name: string, start: number, end: number) => {
    if (end > start && kernel.memory.has(start, 1)) regions.push({ name, physical: pageDown(start), bytes: pageUp(end) - pageDown(start) })
  }
  const freed = initMemoryFreed(kernel)
  for (const [name, start, end] of IMAGE_PARTS) {
    if (kernel.has(start) && kernel.has(end)) add(name === 'kernel init' && freed ? 'kernel init, since freed' : name, kernel.address(start), kernel.address(end))
  }
  for (const table of IMAGE_TABLES) if (kernel.has(table)) add('kernel page table', kernel.address(table), kernel.address(table) + PAGE)
  for (const part of [hypPool, hypPerCpu, hypStack]) {
    const found = attempt(() => part(kernel))
    if (found.known) for (const region of found.value) add(region.name, region.physical, region.physical + region.bytes)
  }
  return regions
}

/** Whether the kernel has given the memory of its initialisation code back, to be used for anything. */
export function initMemoryFreed(kernel: KernelData): boolean {
  const state = attempt(() => {
    const running = kernel.btf.enumValues('system_states').get('SYSTEM_RUNNING')
    return running !== undefined && BigInt(kernel.memory.u32(kernel.address('system_state'))) >= running
  })
  return state.known && state.value
}

/** The carve-out that the kernel reserved for EL2, and its parts once EL2 has divided it. @throws UnknownError */
function hypPool(kernel: KernelData): RamRegion[] {
  const base = Number(kernel.memory.u64(kernel.address('hyp_mem_base')))
  const bytes = Number(kernel.memory.u64(kernel.address('hyp_mem_size')))
  if (bytes === 0) return []
  const end = base + bytes
  const parts = POOL_PARTS.flatMap(([name, variable]) => {
    const at = attempt(() => kernel.hypPhysical(kernel.memory.u64(kernel.hypAddress(variable))))
    return at.known && at.value >= base && at.value < end ? [{ name, physical: at.value }] : []
  }).sort((a, b) => a.physical - b.physical)
  return [
    { name: 'hyp pool', physical: base, bytes },
    ...parts.map((part, i) => ({ ...part, bytes: (parts[i + 1]?.physical ?? end) - part.physical })),
  ]
}

/** EL2's per-CPU pages: `kvm_arm_hyp_percpu_base` holds addresses of the kernel's linear map, one a CPU. @throws UnknownError */
function hypPerCpu(kernel: KernelData): RamRegion[] {
  const bytes = kernel.hypAddress('__per_cpu_end') - kernel.hypAddress('__per_cpu_start')
  // The same offset from the template that EL2 itself uses leads to this CPU's copy.
  const copy = kernel.hypPerCpu('__per_cpu_start')
  if (bytes <= 0) throw new UnknownError('the hypervisor has no per-CPU variables')
  // alloc_pages() gives a power of two of pages.
  return [{ name: 'hyp per-CPU', physical: copy, bytes: 2 ** Math.ceil(Math.log2(pageUp(bytes) / PAGE)) * PAGE }]
}

/** EL2's stack, mapped below `stack_hyp_va` with a guard page under it. @throws UnknownError */
function hypStack(kernel: KernelData): RamRegion[] {
  const top = kernel.memory.field(kernel.hypPerCpu('kvm_init_params'), kernel.btf.field('kvm_nvhe_init_params', 'stack_hyp_va'))
  const tables = kernel.hypTables()
  const regions: RamRegion[] = []
  for (let page = 1n; page <= 16n; page++) {
    const at = attempt(() => kernel.hypPhysical(top - page * BigInt(PAGE), tables))
    if (!at.known) break
    regions.push({ name: 'hyp stack', physical: pageDown(at.value), bytes: PAGE })
  }
  return regions
}

/** What VMs use at this moment: structures of both sides, tables, and the guests' RAM. */
export function vmRegions(kernel: KernelData, map: OwnershipMap): RamRegion[] {
  const regions: RamRegion[] = []
  for (const { vm } of map.vms) {
    const known = attempt(() => structuresOf(kernel, vm))
    if (known.known) regions.push(...known.value)
  }
  const guests: [number, GuestPage][] = [...map.guestPage]
  for (const [page, list] of map.borrowers) if (list[0] !== undefined && !map.guestPage.has(page)) guests.push([page, list[0]])
  guests.sort((a, b) => a[0] - b[0])
  let open: { name: string; physical: number; bytes: number } | null = null
  for (const [page, { handle }] of guests) {
    const name = `VM ${hex(handle)} RAM`
    const physical = map.ramBase + page * PAGE
    if (open !== null && open.name === name && open.physical + open.bytes === physical) open.bytes += PAGE
    else regions.push((open = { name, physical, bytes: PAGE }))
  }
  return regions
}

const hex = (n: number) => `0x${n.toString(16)}`

function structuresOf(kernel: KernelData, vm: VmView): RamRegion[] {
  const { btf, memory } = kernel
  const name = `VM ${hex(vm.handle)}`
  const regions: RamRegion[] = []
  const add = (what: string, physical: number, bytes: number) =>
    regions.push({ name: `${name} ${what}`, physical: pageDown(physical), bytes: pageUp(physical + bytes) - pageDown(physical) })
  const pointed = (at: number, structure: string, member: string, target: string, what: string) => {
    const found = attempt(() => add(what, kernel.hypPhysical(memory.field(at, btf.field(structure, member))), btf.sizeOfNamed(target)))
    return found.known
  }
  if (vm.physical !== null) {
    add('hyp struct', vm.physical, btf.sizeOfNamed('pkvm_hyp_vm'))
    pointed(vm.physical, 'pkvm_hyp_vm', 'host_kvm', 'kvm', 'struct kvm')
  }
  for (const vcpu of vm.vcpus) {
    add('hyp vCPU', vcpu.physical, btf.sizeOfNamed('pkvm_hyp_vcpu'))
    pointed(vcpu.physical, 'pkvm_hyp_vcpu', 'host_vcpu', 'kvm_vcpu', 'struct kvm_vcpu')
  }
  if (vm.stage2.known) {
    const { root, inputBits, startLevel } = vm.stage2.value
    add('stage-2 root', root, 2 ** (inputBits - (39 - 9 * startLevel) + 3))
  }
  return regions
}
