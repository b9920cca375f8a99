import type { HostCall } from './hypercalls.ts'
import type { RawChain, RawEvent } from './log-event.ts'

/** An event that has no number yet. */
export type Draft = Omit<RawEvent, 'sequence'>

/** When and where something was done. */
export interface Moment {
  readonly instructions: number
  readonly el: number
  readonly pc: bigint
  readonly chain: RawChain
}

/** Only these of something that is a moment and more. */
export function momentOf({ instructions, el, pc, chain }: Moment): Moment {
  return { instructions, el, pc, chain }
}

/** From an exception into EL2 to the ERET out of it. */
export interface Stay extends Moment {
  /** VMID of the guest that was interrupted, 0 for the host. */
  readonly world: number
  readonly vector: number
  /** ESR_EL2.EC and ISS; EC is -1 for interrupts and SErrors. */
  readonly ec: number
  readonly iss: number
  readonly far: bigint
  /** Address that stage 2 did not translate, of its page where no more is known; -1 unless an abort. */
  readonly ipa: number
  readonly returnAddress: bigint
  /** The host's task, `init[1]`. */
  readonly task: string | undefined
  /** HVC of a guest, in words. */
  readonly guestCall: string | null
}

/** A call by the host that has not returned. */
export interface HostRequest extends Moment {
  readonly kind: 'hypercall' | 'smc'
  readonly call: HostCall | null
  readonly text: string
  readonly task: string | undefined
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}

export function taskDetail(task: string | undefined): Record<string, string> {
  return task === undefined ? {} : { task }
}
