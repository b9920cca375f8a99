/**
 * Calls by the SMC Calling Convention (DEN 0028) that are not the host's own to its hypervisor: PSCI (DEN 0022), the
 * architecture's, and KVM's to its guests (Documentation/virt/kvm/arm/hypercalls.rst, pkvm.rst).
 */
const PSCI: Readonly<Record<number, readonly [name: string, args: readonly string[]]>> = {
  0x00: ['PSCI_VERSION', []],
  0x01: ['CPU_SUSPEND', ['power_state', 'entry_point', 'context_id']],
  0x02: ['CPU_OFF', []],
  0x03: ['CPU_ON', ['target_cpu', 'entry_point', 'context_id']],
  0x04: ['AFFINITY_INFO', ['target_affinity', 'lowest_level']],
  0x05: ['MIGRATE', ['target_cpu']],
  0x06: ['MIGRATE_INFO_TYPE', []],
  0x07: ['MIGRATE_INFO_UP_CPU', []],
  0x08: ['SYSTEM_OFF', []],
  0x09: ['SYSTEM_RESET', []],
  0x0a: ['PSCI_FEATURES', ['function']],
  0x0e: ['SYSTEM_SUSPEND', ['entry_point', 'context_id']],
  0x0f: ['PSCI_SET_SUSPEND_MODE', ['mode']],
  0x12: ['SYSTEM_RESET2', ['type', 'cookie']],
  0x15: ['SYSTEM_OFF2', ['type', 'cookie']],
}

const OTHERS: Readonly<Record<number, readonly [name: string, args: readonly string[]]>> = {
  0x80000000: ['SMCCC_VERSION', []],
  0x80000001: ['SMCCC_ARCH_FEATURES', ['function']],
  0x80000002: ['SMCCC_ARCH_SOC_ID', ['type']],
  0x80007fff: ['SMCCC_ARCH_WORKAROUND_2', []],
  0x80008000: ['SMCCC_ARCH_WORKAROUND_1', []],
  0x80003fff: ['SMCCC_ARCH_WORKAROUND_3', []],
  0x8600ff01: ['VENDOR_HYP_CALL_UID', []],
  0x86000000: ['KVM_FEATURES', []],
  0x86000001: ['KVM_PTP', ['counter']],
  0xc6000002: ['HYP_MEMINFO', ['arg1', 'arg2', 'arg3']],
  0xc6000003: ['MEM_SHARE', ['ipa', 'arg2', 'arg3']],
  0xc6000004: ['MEM_UNSHARE', ['ipa', 'arg2', 'arg3']],
  0xc6000007: ['MMIO_GUARD', ['ipa']],
  0xc5000020: ['PV_TIME_FEATURES', ['function']],
  0xc5000021: ['PV_TIME_ST', []],
  0x84000050: ['TRNG_VERSION', []],
  0x84000051: ['TRNG_FEATURES', ['function']],
  0x84000053: ['TRNG_RND32', ['bits']],
  0xc4000053: ['TRNG_RND64', ['bits']],
}

/** `CPU_ON(target_cpu 0x1, entry_point 0x..., context_id 0x0)`; ids that are not known by number. */
export function smcccText(x: readonly bigint[]): string {
  const id = Number(x[0]! & 0xffff_ffffn)
  // PSCI: owner 4 (standard secure service), numbers below 0x20, 32- or 64-bit.
  const psci = (id & 0xbfffffe0) >>> 0 === 0x84000000 ? PSCI[id & 0x1f] : undefined
  const [name, args] = psci ?? OTHERS[id] ?? [`function 0x${id.toString(16)}`, ['x1', 'x2', 'x3']]
  return `${name}(${args.map((a, i) => `${a} 0x${x[i + 1]!.toString(16)}`).join(', ')})`
}

/** Small negative numbers are errors of the convention or of PSCI. */
export function smcccResult(x0: bigint): string {
  const value = Number(BigInt.asIntN(32, x0))
  if (value === -1) return 'NOT_SUPPORTED'
  return value < 0 && value > -64 ? value.toString() : `0x${x0.toString(16)}`
}
