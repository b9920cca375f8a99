import type { KernelData } from '../kernel-data.ts'
import { attempt } from '../known.ts'
import { errnoName } from './errno-names.ts'

/**
 * Calls from the host to the hypervisor. `hvc #0` with an SMCCC function id in the range of vendor-specific hypervisor
 * services (fast, 64-bit, owner 6); the number below it counts `enum __kvm_host_smccc_func`
 * (arch/arm64/include/asm/kvm_asm.h), which each kernel carries in its BTF. Arguments are in X1 and up; on return X0 is
 * SMCCC's own status and X1 the result.
 */
const HOST_CALL = 0xc600_0000
/** Bits 15:0 are the number; SMCCC 1.3's hint that SVE state is dead is bit 16. */
const NUMBER = 0xffff
const SVE_HINT = 0x1_0000

/** Real entries of the enum; its markers (MIN_PKVM, MAX, `__after_...`) have other prefixes. */
const ENTRY = /^__KVM_HOST_SMCCC_FUNC_(__\w+)$/

/** arch/arm64/include/asm/virt.h: the stub vectors' calls, before KVM has installed its own. */
const STUB_CALLS = [
  'HVC_SET_VECTORS',
  'HVC_SOFT_RESTART',
  'HVC_RESET_VECTORS',
  'HVC_FINALISE_EL2',
  'HVC_GET_ICH_VTR_EL2',
]

/** Names of the arguments, from the handlers in hyp/nvhe/hyp-main.c. A call that is not here shows its registers. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  __kvm_hyp_init: ['params'],
  __pkvm_init: ['phys', 'size', 'per_cpu_base', 'hyp_va_bits'],
  __pkvm_create_private_mapping: ['phys', 'size', 'prot'],
  __pkvm_cpu_set_vector: ['slot'],
  __kvm_enable_ssbs: [],
  __vgic_v3_init_lrs: [],
  __vgic_v3_get_gic_config: [],
  __pkvm_prot_finalize: [],
  __kvm_adjust_pc: ['vcpu'],
  __kvm_vcpu_run: ['vcpu'],
  __kvm_flush_vm_context: [],
  __kvm_tlb_flush_vmid_ipa: ['mmu', 'ipa', 'level'],
  __kvm_tlb_flush_vmid_ipa_nsh: ['mmu', 'ipa', 'level'],
  __kvm_tlb_flush_vmid: ['mmu'],
  __kvm_tlb_flush_vmid_range: ['mmu', 'start', 'pages'],
  __kvm_flush_cpu_context: ['mmu'],
  __kvm_timer_set_cntvoff: ['cntvoff'],
  __vgic_v3_save_aprs: ['cpu_if'],
  __vgic_v3_restore_vmcr_aprs: ['cpu_if'],
  __vgic_v5_save_apr: ['cpu_if'],
  __vgic_v5_restore_vmcr_apr: ['cpu_if'],
  __pkvm_host_share_hyp: ['pfn'],
  __pkvm_host_unshare_hyp: ['pfn'],
  __pkvm_host_donate_guest: ['pfn', 'gfn'],
  __pkvm_host_share_guest: ['pfn', 'gfn', 'nr_pages', 'prot'],
  __pkvm_host_unshare_guest: ['handle', 'gfn', 'nr_pages'],
  __pkvm_host_relax_perms_guest: ['gfn', 'prot'],
  __pkvm_host_wrprotect_guest: ['handle', 'gfn', 'nr_pages'],
  __pkvm_host_test_clear_young_guest: ['handle', 'gfn', 'nr_pages', 'mkold'],
  __pkvm_host_mkyoung_guest: ['gfn'],
  __pkvm_reserve_vm: [],
  __pkvm_unreserve_vm: ['handle'],
  __pkvm_init_vm: ['host_kvm', 'vm_hva', 'pgd_hva'],
  __pkvm_init_vcpu: ['handle', 'host_vcpu', 'vcpu_hva'],
  __pkvm_vcpu_in_poison_fault: [],
  __pkvm_force_reclaim_guest_page: ['phys'],
  __pkvm_reclaim_dying_guest_page: ['handle', 'gfn'],
  __pkvm_start_teardown_vm: ['handle'],
  __pkvm_finalize_teardown_vm: ['handle'],
  __pkvm_vcpu_load: ['handle', 'vcpu_idx', 'hcr_el2'],
  __pkvm_vcpu_put: [],
  __pkvm_vcpu_sync_state: [],
  __pkvm_tlb_flush_vmid: ['handle'],
}

/** Calls whose handler sets no result. */
const WITHOUT_RESULT: ReadonlySet<string> = new Set([
  '__kvm_hyp_init',
  '__kvm_adjust_pc',
  '__kvm_flush_vm_context',
  '__kvm_tlb_flush_vmid_ipa',
  '__kvm_tlb_flush_vmid_ipa_nsh',
  '__kvm_tlb_flush_vmid',
  '__kvm_tlb_flush_vmid_range',
  '__kvm_flush_cpu_context',
  '__kvm_timer_set_cntvoff',
  '__kvm_enable_ssbs',
  '__vgic_v3_init_lrs',
  '__vgic_v3_save_aprs',
  '__vgic_v3_restore_vmcr_aprs',
  '__vgic_v5_save_apr',
  '__vgic_v5_restore_vmcr_apr',
  '__pkvm_vcpu_load',
  '__pkvm_vcpu_put',
  '__pkvm_vcpu_sync_state',
  '__pkvm_tlb_flush_vmid',
  '__pkvm_unreserve_vm',
  '__tracing_unload',
  '__tracing_update_clock',
  '__tracing_write_event',
])

/** What KVM_RUN's hypercall gives: asm/kvm_asm.h, ARM_EXCEPTION_*. */
const RUN_RESULTS: Readonly<Record<string, string>> = {
  0: 'ARM_EXCEPTION_IRQ',
  1: 'ARM_EXCEPTION_EL1_SERROR',
  2: 'ARM_EXCEPTION_TRAP',
  3: 'ARM_EXCEPTION_IL',
}

export interface HostCall {
  readonly name: string
  readonly args: readonly { readonly name: string; readonly value: bigint }[]
}

export class HostCalls {
  private readonly names: ReadonlyMap<number, string>
  /** Why calls have numbers instead of names; null when they have names. */
  readonly unknown: string | null

  constructor(kernel: KernelData) {
    const names = attempt(() => hostCallNames(kernel))
    this.names = names.known ? names.value : new Map()
    this.unknown = names.known ? null : names.why
  }

  /** @param x X0 to X7 at the HVC. @param stubs whether the stub vectors may be the ones that answer. */
  decode(x: readonly bigint[], stubs: boolean): HostCall {
    const id = x[0]!
    const low = Number(id & 0xffff_ffffn)
    if (id >> 32n === 0n && (low & ~(NUMBER | SVE_HINT)) >>> 0 === HOST_CALL) {
      const number = low & NUMBER
      const name = number === 0 ? '__kvm_hyp_init' : this.names.get(number)
      return named(name ?? `host call ${number}`, x, name === undefined ? undefined : ARGUMENTS[name])
    }
    if (stubs && id < BigInt(STUB_CALLS.length)) return named(STUB_CALLS[low]!, x, low === 0 ? ['vectors'] : [])
    return named(`hvc 0x${id.toString(16)}`, x, undefined)
  }
}

function named(name: string, x: readonly bigint[], names: readonly string[] | undefined): HostCall {
  const shown = names ?? ['x1', 'x2', 'x3', 'x4']
  return { name, args: shown.map((n, i) => ({ name: n, value: x[i + 1]! })) }
}

/** The kernel's own list. @throws UnknownType */
export function hostCallNames(kernel: KernelData): Map<number, string> {
  const names = new Map<number, string>()
  for (const [label, value] of kernel.btf.enumValues('__kvm_host_smccc_func')) {
    const m = ENTRY.exec(label)
    if (m !== null) names.set(Number(value), m[1]!)
  }
  return names
}

/** `__pkvm_host_donate_guest(pfn 0x43ca3, gfn 0x40000)`. */
export function callText(call: HostCall): string {
  return `${call.name}(${call.args.map((a) => `${a.name} 0x${a.value.toString(16)}`).join(', ')})`
}

/** Result of a host call: `0`, `-EPERM`, `0x1000`; empty for calls without one. */
export function hostResultText(call: HostCall, x0: bigint, x1: bigint): string {
  if (BigInt.asIntN(64, x0) === -1n) return 'SMCCC_RET_NOT_SUPPORTED'
  if (call.name.startsWith('HVC_')) return x0 === 0xbadca11n ? 'HVC_STUB_ERR' : `0x${x0.toString(16)}`
  if (WITHOUT_RESULT.has(call.name)) return ''
  if (call.name === '__kvm_vcpu_run') return RUN_RESULTS[Number(x1 & 0xffn)] ?? resultText(x1)
  return resultText(x1)
}

/** A number that is an errno when small and negative. */
export function resultText(value: bigint): string {
  const signed = BigInt.asIntN(64, value)
  if (signed < 0n && signed > -4096n) return `-${errnoName(Number(-signed))}`
  return value < 10n ? value.toString() : `0x${value.toString(16)}`
}
