import { attempt, type Known, UnknownError } from './known.ts'
import type { KernelData } from './kernel-data.ts'
import { el2IsHost, stage2Enabled } from './translation-regimes.ts'

export type KvmMode = 'default' | 'protected' | 'nested' | 'none'

/**
 * How far pKVM has come:
 * - `absent`: this kernel has no pKVM.
 * - `off`: it has, but `kvm-arm.mode` does not ask for it (yet: the command line is read early in the boot).
 * - `pending`: asked for; its table of pages is not complete.
 * - `table`: the table is complete, the host is not yet held to it.
 * - `enforced`: the host runs under stage 2.
 */
export type PkvmPhase = 'absent' | 'off' | 'pending' | 'table' | 'enforced'

export interface ModeView {
  /** `kvm-arm.mode` as the kernel understood it; "default" also before it has read its command line. */
  readonly kvmMode: Known<KvmMode>
  readonly phase: Known<PkvmPhase>
  /** HCR_EL2.E2H: the hypervisor runs in the host-extended regime (VHE, hVHE). */
  readonly e2h: boolean
}

const MODES: Readonly<Record<string, KvmMode>> = {
  KVM_MODE_DEFAULT: 'default',
  KVM_MODE_PROTECTED: 'protected',
  KVM_MODE_NV: 'nested',
  KVM_MODE_NONE: 'none',
}

export function readMode(kernel: KernelData): ModeView {
  const kvmMode = attempt(() => readKvmMode(kernel))
  return { kvmMode, phase: attempt(() => readPhase(kernel, kvmMode)), e2h: el2IsHost(kernel.registers()) }
}

function readKvmMode(kernel: KernelData): KvmMode {
  const value = BigInt(kernel.memory.u32(kernel.address('kvm_mode')))
  for (const [label, number] of kernel.btf.enumValues('kvm_mode')) {
    const mode = MODES[label]
    if (number === value && mode !== undefined) return mode
  }
  throw new UnknownError(`kvm_mode is ${value}, which this lab does not know`)
}

function readPhase(kernel: KernelData, mode: Known<KvmMode>): PkvmPhase {
  if (!kernel.symbols.known) throw new UnknownError(kernel.symbols.why)
  if (!kernel.hasHyp('__hyp_vmemmap')) return 'absent'
  if (mode.known && mode.value !== 'protected') return 'off'
  // hyp/nvhe/setup.c makes the table of VMs last, after all pages were given their owners.
  const made =
    kernel.memory.u64(kernel.hypAddress('__hyp_vmemmap')) !== 0n &&
    kernel.memory.u64(kernel.hypAddress('vm_table')) !== 0n
  if (!made) return mode.known ? 'pending' : 'off'
  return stage2Enabled(kernel.registers()) || hostStage2Set(kernel) ? 'enforced' : 'table'
}

/** The HCR_EL2 that the hypervisor restores for the host has VM set: tells the same while EL2 or a guest runs. */
function hostStage2Set(kernel: KernelData): boolean {
  const hcr = attempt(() =>
    kernel.memory.field(kernel.hypPerCpu('kvm_init_params'), kernel.btf.field('kvm_nvhe_init_params', 'hcr_el2')),
  )
  return hcr.known && (hcr.value & 1n) !== 0n
}
