import type { CpuState } from '../cpu/state.ts'
import type { ExecutionEngine } from '../translate/engine.ts'

/**
 * A reconstruction, not a part of any kernel in use. The third version of the series that brought protected VMs to user
 * space had a build option, PROTECTED_VM_UAPI (bool, depends on KVM && EXPERT). Review found a build option on top of the
 * command line and the taint too much; what was merged behaves as if it were `y`. With `n`, creating a protected VM is
 * refused here as that version did: with EINVAL, before the hypervisor is asked to reserve anything, without taint.
 *
 * It sits at the entry of `pkvm_init_host_vm(struct kvm *kvm, unsigned long type)`, which the kernel reaches only in
 * protected mode and whose caller undoes what came before; `kvm_arch_init_vm(kvm, type)` serves where that was inlined.
 * The kernel's memory stays as it is: the machine intervenes when the instruction at that address is about to execute.
 */
export type GateOption = 'y' | 'n'

/** Functions at whose entry the gate can sit, best first. Both take (kvm, type) and return an int. */
export const GATE_SYMBOLS = ['pkvm_init_host_vm', 'kvm_arch_init_vm'] as const

export interface GateSite {
  readonly symbol: string
  /** Of the function's entry, from the start of the Image. */
  readonly offset: number
}

export interface GateView {
  /** false when this kernel has no place to put it; `why` says so. */
  readonly available: boolean
  readonly why: string
  readonly option: GateOption
  /** How often it refused since reset. */
  readonly refused: number
  /** At whose entry it sits; empty when not available. */
  readonly symbol: string
}

/** The gate was asked for on a kernel that has no place for it; the message is for the user. */
export class GateError extends Error {
  override name = 'GateError'
}

/** linux/include/uapi/linux/kvm.h: KVM_VM_TYPE_ARM_PROTECTED, bit 31 of the type. */
const PROTECTED = 1n << 31n
/** -EINVAL in W0: writing W0 clears the upper half of X0. */
const MINUS_EINVAL = 0xffff_ffean

export class V3Gate {
  private option: GateOption = 'y'
  private refused = 0

  /**
   * @param site where to sit, or the reason why there is no place
   * @param onRefusal called at the refusing instruction, Off.pc being its address
   */
  constructor(
    private readonly engine: ExecutionEngine,
    private readonly state: CpuState,
    private readonly kernelStart: number,
    private readonly site: GateSite | string,
    private readonly onRefusal: () => void,
  ) {}

  view(): GateView {
    const { site, option, refused } = this
    return typeof site === 'string'
      ? { available: false, why: site, option, refused, symbol: '' }
      : { available: true, why: '', option, refused, symbol: site.symbol }
  }

  /** From the next instruction on. @throws GateError for `n` when there is no place for it. */
  set(option: GateOption): void {
    if (option === this.option) return
    if (typeof this.site === 'string') throw new GateError(`PROTECTED_VM_UAPI=n cannot be reproduced: ${this.site}`)
    this.option = option
    this.engine.interceptAt(this.kernelStart + this.site.offset, option === 'n' ? () => this.atEntry() : undefined)
  }

  /** What `view` showed at an earlier moment of this machine. */
  restore(option: GateOption, refused: number): void {
    this.set(option)
    this.refused = refused
  }

  /** AAPCS64 at a function's entry: X0 and X1 hold the arguments, X30 the return address, not yet signed. */
  private atEntry(): bigint | undefined {
    const { x } = this.state
    if ((x[1]! & PROTECTED) === 0n) return undefined
    this.refused++
    this.onRefusal()
    x[0] = MINUS_EINVAL
    return x[30]!
  }
}
