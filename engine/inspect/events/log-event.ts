import type { GuestLeaf, GuestPage } from '../guest-leaves.ts'

/**
 * One entry of the event log, as plain data. It has every field of the `LabEvent` that the Worker sends to the page,
 * and the particulars of an ownership change for programs that compare.
 */
export type EventKind =
  | 'hypercall'
  | 'guest-hypercall'
  | 'smc'
  | 'world-switch'
  | 'abort'
  | 'ownership'
  | 'vm'
  | 'vcpu'
  | 'taint'
  | 'gate'
  | 'violation'

export interface LogEvent {
  /** Running number since the log was made, from 1. Within what one stay at EL2 did, in order of instructions. */
  readonly sequence: number
  /** Retired when it began. */
  readonly instructions: number
  readonly kind: EventKind
  /** Exception level that did it. */
  readonly el: number
  readonly pc: string
  readonly symbol: string
  /** One line. */
  readonly text: string
  /** Innermost first, `name+0x1c` with ` (EL2)` where it is not EL1. */
  readonly callChain: string[]
  readonly details: Record<string, string>
  /** First page this is about, and how many follow each other. */
  readonly physical?: number
  readonly pages?: number
  /** Handle of the VM. */
  readonly vm?: number
  /** Of kind `ownership`: what the first page was before and is now. */
  readonly change?: { readonly before: PageOwnership; readonly after: PageOwnership }
}

/** Ownership of one page: the pair of states of the page record, and what the tables add. */
export interface PageOwnership {
  /** StateCode of inspect/hyp-page.ts. */
  readonly host: number
  readonly hyp: number
  /** VM that the host's stage 2 says the page was donated to. */
  readonly donatedTo: GuestPage | null
  /** VMs that map it. */
  readonly mappedBy: readonly GuestLeaf[]
}

/** Code addresses of a moment: per exception level PC, X30 and the return addresses in the frame records. */
export interface RawChainPart {
  readonly el: number
  readonly pc: bigint
  /** X30, when the registers were at hand. */
  readonly lr: bigint | null
  readonly returns: BigUint64Array
  /** Code of a VM: none of the kernel's symbols apply. */
  readonly guest?: true
}
export type RawChain = readonly RawChainPart[]

/** An event before it is made readable: names are looked up when somebody asks. */
export interface RawEvent {
  sequence: number
  readonly instructions: number
  readonly kind: EventKind
  readonly el: number
  readonly pc: bigint
  readonly text: string
  readonly chain: RawChain
  readonly details: Record<string, string>
  readonly physical?: number
  readonly pages?: number
  readonly vm?: number
  readonly change?: { readonly before: PageOwnership; readonly after: PageOwnership }
}
