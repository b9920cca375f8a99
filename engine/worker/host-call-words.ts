import { hostResultText, type HostCall } from '../inspect/events/hypercalls.ts'

/**
 * What the hypervisor's answers mean, as a rule of who may do what to a page. Handlers: arch/arm64/kvm/hyp/nvhe/
 * hyp-main.c, mem_protect.c and pkvm.c of Linux 7.2 and 7.3.
 */
const RULES: Readonly<Record<string, string>> = {
  EPERM: 'The page is not in the state this transition needs, or belongs to somebody else: only its owner may give it away, and only what was shared can be taken back.',
  EINVAL: 'An argument is out of range or not memory, or there is no such VM or loaded vCPU in the state that this call needs.',
  ENOENT: 'There is no VM with that handle, or nothing is mapped at that address.',
  E2BIG: 'The size is not one that the hypervisor maps at once: a page or a block.',
  EBUSY: 'The page is pinned by the hypervisor, or the VM or vCPU is still in use.',
  ENOMEM: 'The hypervisor has no free page for a table: the host has to give it some first.',
  EAGAIN: 'The entry is not what it was a moment ago: the host is expected to look and try again.',
  EEXIST: 'There is such an entry already.',
  EFAULT: 'The address is no memory that the hypervisor can reach.',
  EHWPOISON: 'The page was taken from its VM by force and is poisoned.',
}

const DYING_ONLY = 'There is no VM with that handle whose teardown has begun.'
const NO_SUCH_PAGE_IN_VM = 'The VM has nothing at that address.'
const NOT_TO_DONATE = 'The pages that the host offers for it are not the host’s to donate.'

/** What is particular to a call, by call and errno; answers as seen on Linux 7.2. */
const OF_CALL: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  __pkvm_host_share_hyp: {
    EPERM: 'Only memory that the host owns alone can be shared: this page is shared already, has another owner, or is no memory.',
  },
  __pkvm_host_unshare_hyp: {
    EPERM: 'Only a page that the host owns and has shared with the hypervisor can be taken back.',
    EBUSY: 'The hypervisor has pinned this page, because it is at work on it: it cannot be taken back yet.',
  },
  __pkvm_host_donate_guest: {
    EINVAL: 'There is no loaded vCPU of a protected VM to donate to.',
    EPERM: 'Only a page that the host owns alone can be donated, to an address where the VM has nothing.',
  },
  __pkvm_host_share_guest: {
    EINVAL: 'There is no loaded vCPU of a normal VM to share with.',
    EPERM: 'The page has another owner, is shared with the hypervisor, or the VM has something at that address.',
  },
  __pkvm_force_reclaim_guest_page: {
    EPERM: 'The page belongs to no VM, or to one it cannot be taken from by force.',
    EAGAIN: 'No VM has this page: the host may simply use it, and is expected to try again.',
    EFAULT: 'This address is no memory.',
  },
  __pkvm_reclaim_dying_guest_page: { EINVAL: DYING_ONLY, EPERM: 'The VM is not dying: its pages are its own.', ENOENT: NO_SUCH_PAGE_IN_VM },
  __pkvm_start_teardown_vm: { EINVAL: 'There is no live VM with that handle: none at all, one that is only reserved, or one that is dying already.' },
  __pkvm_finalize_teardown_vm: { EINVAL: DYING_ONLY },
  __pkvm_prot_finalize: { EPERM: 'Protection is final: it can be switched on once.' },
  __pkvm_init_vm: {
    EPERM: 'The host’s struct kvm is not shared with the hypervisor, or a page for the VM is not the host’s to donate.',
    ENOMEM: NOT_TO_DONATE,
  },
  __pkvm_init_vcpu: { ENOMEM: NOT_TO_DONATE },
}

export interface AnswerWords {
  /** SMCCC's own answer, X0. */
  readonly status: string
  /** The call's result, X1: `0`, `-EPERM`, `0x1000`; empty where the call has none. */
  readonly result: string
  /** The result in words; empty where there is nothing to explain. */
  readonly rule: string
}

/** The registers of a call that returned. */
export function answerWords(call: HostCall, x0: bigint, x1: bigint): AnswerWords {
  if (call.name.startsWith('HVC_') || x0 === 0xbadca11n) {
    return { status: `0x${x0.toString(16)}`, result: '', rule: 'KVM’s stub vectors answered: the hypervisor does not run yet, or no longer.' }
  }
  if (BigInt.asIntN(64, x0) === -1n) {
    const rule = 'The hypervisor has no call of this number, or has closed it: what sets it up is refused once it protects itself.'
    return { status: 'NOT_SUPPORTED', result: '', rule }
  }
  const status = x0 === 0n ? 'SUCCESS' : `0x${x0.toString(16)}`
  const result = hostResultText(call, x0, x1)
  const errno = result.startsWith('-') ? result.slice(1) : ''
  return { status, result, rule: OF_CALL[call.name]?.[errno] ?? RULES[errno] ?? '' }
}
