import { attempt, type Known, UnknownError } from './known.ts'
import type { KernelData } from './kernel-data.ts'
import { stage2Tables } from './translation-regimes.ts'
import type { TranslationTables } from './page-table-walk.ts'

/**
 * pKVM's table of VMs (hyp/nvhe/pkvm.c): `vm_table` points to an array of pointers to `pkvm_hyp_vm`, one slot a handle.
 * A free slot is zero; a slot that was reserved at KVM_CREATE_VM holds a marker, which maps to nothing, until the first
 * KVM_RUN initialises the VM. Normal VMs are in it too.
 */
export interface VcpuView {
  readonly index: number
  /** The hypervisor's address of `pkvm_hyp_vcpu`. */
  readonly address: bigint
  readonly physical: number
  /** Loaded on a CPU now. */
  readonly loaded: boolean
  readonly pc: Known<bigint>
}

export interface VmView {
  readonly slot: number
  readonly handle: number
  /** `reserved`: the handle is given, the VM not initialised. `dying`: its teardown has begun. */
  readonly state: 'reserved' | 'live' | 'dying'
  /** Unknown while only reserved: the hypervisor learns it at initialisation. */
  readonly protected: Known<boolean>
  /** VMID in VTTBR_EL2. */
  readonly vmid: Known<number>
  readonly createdVcpus: number
  /** vCPUs that the hypervisor has initialised. */
  readonly vcpus: readonly VcpuView[]
  /** The hypervisor's address of `pkvm_hyp_vm`; null while reserved. */
  readonly address: bigint | null
  readonly physical: number | null
  readonly stage2: Known<TranslationTables>
}

/** HANDLE_OFFSET of hyp/nvhe/pkvm.c, a `#define`; used only for slots without a VM to ask. */
const HANDLE_OFFSET = 0x1000
const POINTER = 8
const PAGE = 4096
/** KVM_MAX_VCPUS of nVHE is far below. */
const MAX_VCPUS = 512

/** The VMs in order of their handles. @throws UnknownError, UnknownType when the table cannot be read. */
export function readVmTable(kernel: KernelData): VmView[] {
  const { memory } = kernel
  const tables = kernel.hypTables()
  const table = memory.u64(kernel.hypAddress('vm_table'))
  if (table === 0n) throw new UnknownError('the hypervisor has not made its table of VMs yet')
  const at = kernel.hypPhysical(table, tables)
  const slots = Math.floor((PAGE - (at % PAGE)) / POINTER)
  const vms: VmView[] = []
  for (let slot = 0; slot < slots; slot++) {
    const pointer = memory.u64(at + slot * POINTER)
    if (pointer === 0n) continue
    const physical = attempt(() => kernel.hypPhysical(pointer, tables))
    vms.push(physical.known ? readVm(kernel, slot, pointer, physical.value) : reserved(slot))
  }
  return vms
}

function reserved(slot: number): VmView {
  const later = { known: false as const, why: 'the VM is reserved, the hypervisor has not initialised it' }
  return {
    slot,
    handle: HANDLE_OFFSET + slot,
    state: 'reserved',
    protected: later,
    vmid: later,
    createdVcpus: 0,
    vcpus: [],
    address: null,
    physical: null,
    stage2: later,
  }
}

function readVm(kernel: KernelData, slot: number, address: bigint, physical: number): VmView {
  const { btf, memory } = kernel
  const get = (path: string) => memory.field(physical, btf.field('pkvm_hyp_vm', path))
  const handle = Number(get('kvm.arch.pkvm.handle'))
  const dying = btf.has('pkvm_hyp_vm', 'kvm.arch.pkvm.is_dying') && get('kvm.arch.pkvm.is_dying') !== 0n
  const createdVcpus = Number(get('kvm.created_vcpus'))
  return {
    slot,
    handle,
    state: dying ? 'dying' : 'live',
    protected: attempt(() => get('kvm.arch.pkvm.is_protected') !== 0n),
    vmid: attempt(() => Number(get('kvm.arch.mmu.vmid') & 0xffffn)),
    createdVcpus,
    vcpus: readVcpus(kernel, address, Math.min(createdVcpus, MAX_VCPUS)),
    address,
    physical,
    stage2: attempt(() => guestTables(handle, get('kvm.arch.mmu.vtcr'), get('kvm.arch.mmu.pgd_phys'))),
  }
}

function guestTables(handle: number, vtcr: bigint, pgd: bigint): TranslationTables {
  if (pgd === 0n) throw new UnknownError('the VM has no stage 2 tables')
  return stage2Tables(`stage 2 of VM 0x${handle.toString(16)}`, vtcr, Number(pgd))
}

function readVcpus(kernel: KernelData, vm: bigint, count: number): VcpuView[] {
  const { btf, memory } = kernel
  const first = vm + BigInt(btf.offsetOf('pkvm_hyp_vm', 'vcpus'))
  const loadedField = btf.field('pkvm_hyp_vcpu', 'loaded_hyp_vcpu')
  const pcField = attempt(() => btf.field('pkvm_hyp_vcpu', 'vcpu.arch.ctxt.regs.pc'))
  const vcpus: VcpuView[] = []
  for (let index = 0; index < count; index++) {
    const found = attempt(() => {
      const address = memory.u64(kernel.hypPhysical(first + BigInt(index * POINTER)))
      return { address, physical: kernel.hypPhysical(address) }
    })
    if (!found.known) continue
    const { address, physical } = found.value
    vcpus.push({
      index,
      address,
      physical,
      loaded: memory.field(physical, loadedField) !== 0n,
      pc: attempt(() =>
        memory.field(physical, pcField.known ? pcField.value : btf.field('pkvm_hyp_vcpu', 'vcpu.arch.ctxt.regs.pc')),
      ),
    })
  }
  return vcpus
}
