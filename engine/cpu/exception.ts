/** Which exception level a synchronous exception asks for. */
export const Target = {
  /** EL1, or EL2 from EL2 and from EL0 when HCR_EL2.TGE is set (Arm ARM D1.10.1). */
  usual: 0,
  /** Trapped or faulted into EL2 whatever the current level below it. */
  el2: 2,
} as const
export type TargetRule = 0 | 2

/**
 * A synchronous exception on its way to `Cpu.takeException`. Not an Error: it is thrown often and needs no stack trace.
 *
 * `ec` of classes that come in a "lower EL" and a "same EL" form is given in the lower form; entry picks the other.
 */
export class GuestException {
  readonly ec: number
  readonly iss: number
  readonly target: TargetRule
  /** Added to the PC for the preferred return address: 0, or 4 for SVC, HVC. */
  readonly returnOffset: number
  /** Value for FAR_ELx; undefined leaves the register alone. */
  readonly far: bigint | undefined
  /** Intermediate physical address for HPFAR_EL2 in bytes, or -1 to leave the register alone. */
  readonly ipa: number

  constructor(ec: number, iss: number, target: TargetRule = 0, far?: bigint, ipa = -1, returnOffset = 0) {
    this.ec = ec
    this.iss = iss
    this.target = target
    this.far = far
    this.ipa = ipa
    this.returnOffset = returnOffset
  }

  toString(): string {
    const far = this.far === undefined ? '' : ` FAR=0x${this.far.toString(16)}`
    return `exception EC=0x${this.ec.toString(16)} ISS=0x${this.iss.toString(16)}${far}`
  }
}

/** A physical address that nothing answers; the CPU turns it into a synchronous external abort. */
export class BusError {
  readonly physical: number
  readonly write: boolean

  constructor(physical: number, write: boolean) {
    this.physical = physical
    this.write = write
  }

  toString(): string {
    return `nothing answers a ${this.write ? 'write' : 'read'} at physical address 0x${this.physical.toString(16)}`
  }
}
