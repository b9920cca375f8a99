import type { ConfigEntry, KernelConfig, OptionDefinition } from './kconfig.ts'

/**
 * The build option that "KVM: arm64: Allow userspace to create protected VMs when pKVM is enabled" had in the third
 * version of its series (patch 30 of 36, linux-arm-kernel, March 2026). It stood at the end of arch/arm64/kvm/Kconfig, had a prompt and no
 * default, and did not survive review: no kernel released so far has it.
 */
export const PROTECTED_VM_UAPI: OptionDefinition = { name: 'PROTECTED_VM_UAPI', type: 'bool', dependsOn: 'KVM && EXPERT' }

/** Options of arch/arm64/kvm/Kconfig that a learner may meet, in the order of that file, with what they are for. */
const KVM_MENU: readonly { readonly name: string; readonly purpose: string }[] = [
  { name: 'VIRTUALIZATION', purpose: 'the menu itself' },
  { name: 'KVM', purpose: 'the host kernel can run virtual machines' },
  { name: 'PTDUMP_STAGE2_DEBUGFS', purpose: 'shows guests’ stage 2 tables in debugfs' },
  { name: 'NVHE_EL2_DEBUG', purpose: 'checks and traces inside the hypervisor at EL2' },
  { name: 'NVHE_EL2_TRACING', purpose: 'event tracing of the hypervisor at EL2' },
  { name: 'PKVM_DISABLE_STAGE2_ON_PANIC', purpose: 'lets a crashing hypervisor give the host its memory back' },
  { name: 'PKVM_STACKTRACE', purpose: 'call chains of the hypervisor in protected mode' },
  { name: 'PROTECTED_NVHE_STACKTRACE', purpose: 'call chains of the hypervisor in protected mode' },
]

export interface MenuEntry {
  readonly name: string
  readonly purpose: string
  readonly entry: ConfigEntry
}

/** The neighbours of the option that this configuration really has. */
export function kvmMenu(config: KernelConfig): MenuEntry[] {
  return KVM_MENU.flatMap(({ name, purpose }) => {
    const entry = config.entries.get(name)
    return entry === undefined ? [] : [{ name, purpose, entry }]
  })
}
