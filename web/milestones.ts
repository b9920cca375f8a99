/**
 * The moments of a boot that the rail shows: kernel functions whose first execution the machine reports. Which of them
 * are reached depends on the kernel and on its mode; the rail shows what happened, it expects nothing.
 */
export interface Milestone {
  symbol: string
  title: string
  /** One sentence on why this moment matters. */
  meaning: string
}

/** Hypervisor symbols carry this prefix in the kernel's symbol table. */
const HYP = '__kvm_nvhe_'

export const MILESTONES: readonly Milestone[] = [
  { symbol: 'primary_entry', title: 'First instruction', meaning: 'The kernel is entered at EL2 with the MMU off.' },
  { symbol: 'init_kernel_el', title: 'Drops to EL1', meaning: 'It leaves stub vectors at EL2, to come back later, and carries on below.' },
  { symbol: 'start_kernel', title: 'Kernel proper', meaning: 'The MMU is on and the first C function runs.' },
  { symbol: 'kvm_hyp_reserve', title: 'Memory for EL2', meaning: 'Protected mode reserves RAM for the hypervisor here, before anyone else can have it; other modes pass through.' },
  { symbol: 'kvm_arm_init', title: 'KVM starts', meaning: 'The kernel reads the mode and, unless it is none, prepares its hypervisor.' },
  { symbol: `${HYP}___kvm_hyp_init`, title: 'EL2 wakes', meaning: 'The hypervisor switches its own MMU on.' },
  { symbol: `${HYP}__pkvm_init`, title: 'pKVM takes its pool', meaning: 'The hypervisor divides the reserved memory and maps itself.' },
  { symbol: `${HYP}__pkvm_init_finalise`, title: 'Own page tables', meaning: 'It now runs on tables that the kernel can no longer reach.' },
  { symbol: 'finalize_pkvm', title: 'Handing over', meaning: 'Protected mode ends the kernel’s sole rule here; other modes pass through.' },
  { symbol: `${HYP}__pkvm_prot_finalize`, title: 'Stage 2 closes', meaning: 'From now on every access of the kernel passes through tables that only EL2 can write.' },
  { symbol: 'run_init_process', title: 'User space', meaning: 'The first program starts: the lab’s init, with the probe.' },
  { symbol: 'kvm_arch_init_vm', title: 'First VM', meaning: 'KVM_CREATE_VM reaches the kernel.' },
  { symbol: 'add_taint', title: 'The kernel marks itself', meaning: 'A taint bit is set and stays until the next boot.' },
  { symbol: `${HYP}__pkvm_host_donate_guest`, title: 'First page given away', meaning: 'A page leaves the kernel and belongs to a protected VM.' },
  { symbol: 'kernel_power_off', title: 'Power off', meaning: 'The machine is asked to switch itself off.' },
]

export const MILESTONE_SYMBOLS: readonly string[] = MILESTONES.map(milestone => milestone.symbol)
