/** How the page names what the init program's facts say (lessons/init/facts.ts). */
/** The machines the probe asks for; `prefix` as in `vm.normal.create=fd`. */
export const PROBE_SUBJECTS = [
  { prefix: 'normal', title: 'Normal VM', type: '0x0' },
  { prefix: 'protected', title: 'Protected VM', type: '0x80000000' },
] as const

/** What it tries with each, in order. */
export const PROBE_QUESTIONS = [
  { key: 'create', title: 'Created', meaning: 'KVM_CREATE_VM with this type: a file descriptor, or the error' },
  { key: 'taint', title: 'Kernel taint', meaning: '/proc/sys/kernel/tainted right after' },
  { key: 'mmio.data', title: 'Guest wrote', meaning: 'The value the guest stored to its page and then showed by an MMIO exit' },
  { key: 'host_read', title: 'Host reads it', meaning: 'The host program loads from the guest’s page' },
  { key: 'host_write_syscall', title: 'write(2) from it', meaning: 'The host kernel copies from the guest’s page: bytes copied, or the error' },
  { key: 'after_teardown', title: 'After teardown', meaning: 'What the host reads there once the VM is gone' },
] as const

/** Names the taint flags a lab kernel can raise (Documentation/admin-guide/tainted-kernels.rst). */
export function taintOf(value: string): string {
  const flags = [
    { bit: 6, letter: 'U' },
    { bit: 9, letter: 'W' },
  ]
  const mask = Number(value)
  const letters = flags.filter(flag => mask & (1 << flag.bit)).map(flag => flag.letter)
  return letters.length === 0 ? value : `${value} ${letters.join('')}`
}
