/**
 * What the page asks about the inside of the machine, and what the Worker answers. Requests carry an `id` that the
 * answer repeats; frames come unasked while a subscription stands. Addresses of physical memory are numbers (< 2^40),
 * virtual ones and raw table entries are hex strings with 0x, so that everything survives structured cloning and logs.
 */

/** 0 OWNED, 1 SHARED_OWNED, 2 SHARED_BORROWED, 3 NOPAGE, 4 unknown: `StateCode` of inspect/hyp-page.ts. */
export type PageStateCode = 0 | 1 | 2 | 3 | 4

/** Something the lab knows, or the sentence that says why it cannot. */
export type Answer<T> = { known: true; value: T } | { known: false; why: string }

export interface VmSummary {
  handle: number
  /** False also while the VM is only reserved: the hypervisor learns it with the first KVM_RUN. */
  protected: boolean
  state: 'reserved' | 'live' | 'dying'
  vcpus: { index: number; loaded: boolean; pc: string }[]
  pagesOwned: number
  pagesShared: number
  pagesBorrowed: number
  pagesPoisoned: number
}

export interface TaintSummary {
  /** `tainted_mask` itself. */
  mask: number
  letters: { bit: number; letter: string; meaning: string }[]
}

export interface Region {
  /** `kernel text`, `hyp text`, `hyp pool`, `vmemmap`, `host stage-2 tables`, `initrd`, `VM 0x1000 RAM`, ... */
  name: string
  physical: number
  bytes: number
}

/** The state of every page at one instant. Arrays are indexed by page number from ramBase and are transferred. */
export interface OwnershipFrame {
  type: 'ownership'
  instructions: number
  ramBase: number
  pages: number
  /** Why nothing can be told of any page, when that is so: then all states are unknown. */
  why: string | null
  /** PageStateCode of the host and of the hypervisor. */
  host: Uint8Array
  hyp: Uint8Array
  /** 0 host, 1 hyp, 2 VM, 3 unknown. */
  owner: Uint8Array
  /** Guest pages: page number, handle, gfn, whether the VM owns or borrows it. */
  guest: { page: number; handle: number; gfn: number; borrowed: boolean }[]
  vms: VmSummary[]
  /** Regions may lie inside each other; the smallest that holds a page names it best. */
  regions: Region[]
  /** Sentences about what did not fit together, at most 20: a page caught in the middle of a change. */
  conflicts: string[]
}

/** Small facts, several times a second while subscribed. */
export interface FactsFrame {
  type: 'facts'
  instructions: number
  /** What /sys would not tell: mode in force, from the kernel's and the hypervisor's own variables. */
  mode: Answer<string>
  /** How far pKVM has come: absent, off, pending, table, enforced. */
  phase: Answer<string>
  taint: Answer<TaintSummary>
  ownership: Answer<true>
  gate: GateState
}

/** The reconstruction of the v3 series' CONFIG_PROTECTED_VM_UAPI=n. */
export interface GateState {
  /** false when the kernel has no place to put it. */
  available: boolean
  why: string
  /** `y`: as merged; `n`: creating a protected VM is refused with EINVAL. */
  option: 'y' | 'n'
  /** How often it refused since reset. */
  refused: number
  /** Symbol at whose entry it sits. */
  symbol: string
}

export interface WalkStepView {
  regime: string
  level: number
  tableAddress: number
  index: number
  entryAddress: number
  /** The raw entry. */
  entry: string
  kind: string
  fields: { name: string; value: string; meaning: string }[]
}
export interface WalkView {
  steps: WalkStepView[]
  result: string
}

export interface PageDetail {
  physical: number
  pfn: number
  /** The pair in words. */
  host: Answer<{ state: PageStateCode; words: string }>
  hyp: Answer<{ state: PageStateCode; words: string }>
  owner: string
  /** Raw hyp_page and its bit fields, high to low. */
  record: Answer<{ raw: string; address: number; fields: { name: string; bits: string; value: string }[] }>
  hostWalk: Answer<WalkView>
  guests: { handle: number; gfn: number; walk: Answer<WalkView> }[]
  symbol: string | null
  region: string | null
  /** 4096 bytes. */
  contents: Uint8Array
  /** Disassembly when the page is code, one line per word, else empty. */
  code: { address: string; word: string; text: string }[]
  history: LabEvent[]
}

/** One entry of the event log. */
export interface LabEvent {
  /** Running number since reset. */
  sequence: number
  instructions: number
  kind: 'hypercall' | 'guest-hypercall' | 'smc' | 'world-switch' | 'abort' | 'ownership' | 'vm' | 'vcpu' | 'taint' | 'gate' | 'violation'
  el: number
  pc: string
  symbol: string
  /** One line: `host_donate_guest(pfn 0x43ca3, gfn 0x40000) = 0`. */
  text: string
  /** Innermost first, up to the system call that caused it. */
  callChain: string[]
  /** Decoded particulars. */
  details: Record<string, string>
  /** First page this is about, and how many follow each other when it is more than one. */
  physical?: number
  pages?: number
  vm?: number
  /** Of kind `ownership`: what the first page was before and is now. */
  change?: { before: PageOwnershipView; after: PageOwnershipView }
}

/** Ownership of one page: the pair of states of the page record, and what the tables add. */
export interface PageOwnershipView {
  /** Both a PageStateCode. */
  host: number
  hyp: number
  /** The VM that the host's stage 2 says the page was donated to. */
  donatedTo: { handle: number; gfn: number } | null
  /** VMs that map it; `state` is the state in the VM's own entry. */
  mappedBy: readonly { handle: number; gfn: number; state: number }[]
}

/** A call that the host's kernel can make to its hypervisor. */
export interface HostCallName {
  /** `__pkvm_host_share_hyp`. */
  name: string
  /** Low 16 bits of the function identifier. */
  number: number
  /** Names of X1 and up. */
  args: string[]
}

/**
 * Makes the processor execute one `hvc #0` of the host's kernel with these registers, as a hostile host would. The
 * machine is paused for it and runs on to a point at EL1 where the kernel could do so.
 */
export interface HostCallRequest {
  type: 'hostCall'
  id: number
  /** Its name, with or without `__pkvm_`, or its number. */
  call: string
  /** X1 and up: numbers in decimal or as 0x.... */
  args: string[]
  /** After a panic of the hypervisor: go back to before the call (the default), or let the host's panic run. */
  onPanic?: 'undo' | 'keep'
}

/** How a call by hand has ended. */
export interface HostCallAnswer {
  /** `__pkvm_host_share_hyp(pfn 0x48000)`. */
  text: string
  name: string
  number: number
  /** `exception`: EL2 made one in the host; `panic`: of the hypervisor; `lost`: it did not come back in time. */
  end: 'returned' | 'exception' | 'panic' | 'elsewhere' | 'lost' | 'ended'
  /** X0, SMCCC's own answer: SUCCESS, NOT_SUPPORTED. */
  status: string
  /** X1: `0`, `-EPERM`, a number; empty where the call has no result. */
  result: string
  /** Why, in words; empty where there is nothing to explain. */
  rule: string
  /** X0 to X17 when EL2 came back, in hex. */
  registers: string[]
  /** Instruction count of the HVC, and instructions and virtual nanoseconds until EL2 came back. */
  at: number
  instructions: number
  elapsed: number
  /** The machine was put back to before the call. */
  undone: boolean
  /** Function of the kernel whose HVC was used. */
  site: string
  /** What happened meanwhile, oldest first. */
  events: LabEvent[]
}

export type InspectionRequest =
  /**
   * Frames `hertz` times a second on average, when something changed, and once when the machine stops; 0 ends it. When
   * the table of VMs changes frames come at once, some faster than that: a VM may live for milliseconds.
   */
  | { type: 'subscribeOwnership'; hertz: number }
  | { type: 'subscribeFacts'; hertz: number }
  /** Pauses the machine when the table of VMs changes: one appears, is initialised, goes. Looked at between slices. */
  | { type: 'pauseOnVms'; on: boolean }
  /** Whether the machine pauses right where an invariant falls (`inspect/invariants`). It does unless told otherwise. */
  | { type: 'pauseOnViolation'; on: boolean }
  /**
   * Pauses the machine at the first moment at or after so many retired instructions when EL2 is not at work. Runs repeat
   * exactly, so that an event of one run can be visited in the next.
   */
  | { type: 'pauseAt'; instructions: number }
  /** New events as they come, in batches; events before are in the answer to `events`. */
  | { type: 'subscribeEvents'; on: boolean }
  | { type: 'inspectPage'; id: number; physical: number }
  /** Find a physical page from what the learner typed: `0x43ca3000`, `tainted_mask`, `el1:0xffff...`, `el2:0x...`, `vm 0x1001:0x40000000`. */
  | { type: 'resolve'; id: number; text: string }
  /** Events with sequence > after, oldest first. */
  | { type: 'events'; id: number; after: number; limit: number }
  | HostCallRequest
  /** The calls that this kernel has. */
  | { type: 'hostCallList'; id: number }
  /** Flip the reconstruction; recorded as an input at the current instruction. */
  | { type: 'setGate'; option: 'y' | 'n' }

export type InspectionMessage =
  | OwnershipFrame
  | FactsFrame
  | { type: 'newEvents'; events: LabEvent[]; dropped: number }
  /** Invariants that fell, as the events of the log that tell of them. */
  | { type: 'violations'; events: LabEvent[] }
  | { type: 'pageDetail'; id: number; detail: PageDetail }
  | { type: 'resolved'; id: number; answer: Answer<{ physical: number; explanation: string; walk: WalkView | null }> }
  /** By number; empty, with the reason, where the kernel does not tell. */
  | { type: 'hostCallNames'; id: number; calls: HostCallName[]; why: string }
  | { type: 'hostCallDone'; id: number; ok: true; answer: HostCallAnswer }
  | { type: 'hostCallDone'; id: number; ok: false; message: string }
  | { type: 'eventList'; id: number; events: LabEvent[]; dropped: number; total: number }
