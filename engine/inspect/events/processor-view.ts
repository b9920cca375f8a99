import { HCR } from '../../cpu/control-bits.ts'
import { Slot } from '../../cpu/register-slots.ts'
import { type CpuState, SYSREG_BASE } from '../../cpu/state.ts'
import { AbortIss } from '../../cpu/syndrome.ts'

const SYSREG = SYSREG_BASE >> 3
const HCR_VM = 1n
const HCR_TGE = BigInt(HCR.TGE)
const VECTOR_TABLE_BYTES = 0x800n

/** The registers of the moment, as far as they tell who runs and why. */
export class ProcessorView {
  constructor(readonly state: CpuState) {}

  sysreg(slot: number): bigint {
    return this.state.u64[SYSREG + slot]!
  }

  /** X0 to X7. */
  arguments(): bigint[] {
    return Array.from(this.state.x.subarray(0, 8))
  }

  /** ESR_EL2, of which the upper half is not used. */
  syndrome(): { readonly ec: number; readonly iss: number; readonly esr: number } {
    const esr = Number(this.sysreg(Slot.ESR_EL2) & 0xffff_ffffn)
    return { esr, ec: esr >>> 26, iss: esr & 0x1ffffff }
  }

  /**
   * What stage 2 did not translate: the page in HPFAR_EL2, and in it the offset in FAR_EL2. When it was the address of a
   * stage-1 table (ISS.S1PTW) FAR_EL2 is of what was to be translated, and only the page is known.
   */
  faultIpa(iss: number): number {
    const page = Number((this.sysreg(Slot.HPFAR_EL2) >> 4n) & 0xff_ffff_ffffn) * 4096
    return iss & AbortIss.s1ptw ? page : page + Number(this.sysreg(Slot.FAR_EL2) & 0xfffn)
  }

  /** VMID of the guest that runs below EL2, 0 for the host (VMID 0, or no stage 2, or HCR_EL2.TGE). */
  world(): number {
    const hcr = this.sysreg(Slot.HCR_EL2)
    return hcr & HCR_TGE || !(hcr & HCR_VM) ? 0 : Number(this.sysreg(Slot.VTTBR_EL2) >> 48n)
  }

  /** VHE: the kernel itself runs at EL2; its vectors are in the upper half of the address space. */
  kernelAtEl2(): boolean {
    return this.sysreg(Slot.VBAR_EL2) >> 63n !== 0n
  }

  /** The PC is one of EL1's exception vectors. */
  atEl1Vector(): boolean {
    const offset = this.state.pc - this.sysreg(Slot.VBAR_EL1)
    return offset >= 0n && offset < VECTOR_TABLE_BYTES && (offset & 0x7fn) === 0n
  }
}
