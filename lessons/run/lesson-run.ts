/**
 * What a check can see of one run. The same in the page and headless: everything comes through the Worker's protocol
 * (events, ownership, facts, pages) and from the script's own record (calls, prints, answers).
 */
import type { Answer as Told, FactsFrame, HostCallAnswer, LabEvent, PageDetail, PageOwnershipView, TaintSummary, VmSummary } from '../../engine/worker/inspection-protocol.ts'
import type { SourcePlace, TraceError } from '../kvm/trace.ts'
import type { LessonSettings, Series } from '../format/lesson.ts'

export type { HostCallAnswer, LabEvent, PageDetail, TaintSummary, Told, VmSummary }

/** Retired instructions since reset: the machine's own time. */
export type Moment = number

/** What a script may record with `answer(name, value)`. */
export type AnswerValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly AnswerValue[]
  | { readonly [key: string]: AnswerValue }

/** One call of the `lab` module, or of a system call made for one, as the trace shows it. */
export interface ApiCall {
  /** From 1, in the order in which they began. */
  readonly sequence: number
  /** Of the call that this one was made for; null for the script's own. */
  readonly parent: number | null
  /** What stands before the parenthesis: `kvm.open`, `vm.addMemory`, `vcpu.run`; of system calls `ioctl`, `mmap`. */
  readonly name: string
  /** `dev.createVm({ protected: true })`, `ioctl(3, KVM_CREATE_VM, 0x80000000)`. */
  readonly text: string
  /** As the trace shows it; null when there is none. Values that a check needs are better recorded with `answer`. */
  readonly result: string | null
  /** Null when it succeeded; `code` such as `EINVAL`, `SEGV_ACCERR`. */
  readonly error: TraceError | null
  /** When it was sent, and when its answer was there. */
  readonly began: Moment
  readonly ended: Moment
}

/** How the script came to its end. */
export type Ending =
  | { readonly kind: 'finished' }
  /** It threw, and nobody caught it. */
  | { readonly kind: 'threw'; readonly error: TraceError; readonly place: SourcePlace | null }
  /** The learner stopped it, or the machine went away under it. */
  | { readonly kind: 'stopped'; readonly why: string }
  /** It did not end within the lesson's limit. */
  | { readonly kind: 'limit'; readonly why: string }

export interface ScriptRecord {
  readonly ending: Ending
  /** Lines printed. */
  readonly prints: readonly string[]
  readonly calls: readonly ApiCall[]
  /** `answer(name, value)`, the newest of each name. */
  readonly answers: Readonly<Record<string, AnswerValue>>
}

/** A program that was assembled for the run: a guest, or mini-pKVM. */
export interface Assembled {
  readonly file: string
  /** Address that it was assembled for. */
  readonly address: bigint
  readonly bytes: Uint8Array
  readonly symbols: Readonly<Record<string, bigint>>
}

/** Who has a page, at one moment. State codes: 0 OWNED, 1 SHARED_OWNED, 2 SHARED_BORROWED, 3 NOPAGE, 4 unknown. */
export type PageState = PageOwnershipView

export interface LessonRun {
  readonly kernel: {
    readonly series: Series
    /** As `uname -r` prints it. */
    readonly release: string
  }
  /** Of the machine that ran. */
  readonly settings: LessonSettings
  /** Null where the lesson has no script. */
  readonly script: ScriptRecord | null
  /** Answers to the lesson's questions, by id. */
  readonly answers: Readonly<Record<string, string>>
  /** What was predicted, by id. */
  readonly predictions: Readonly<Record<string, string>>
  /** Programs that were assembled for this run, by file. */
  readonly assembled: readonly Assembled[]
  /** The texts that were run, by file. For lessons about the text itself; prefer what the machine shows. */
  readonly files: Readonly<Record<string, string>>
  /** Hypercalls made by hand since the run began, in order. */
  readonly hostCalls: readonly HostCallAnswer[]
  /** Everything the machine wrote to its first serial port since reset. */
  readonly console: string
  /**
   * The agent answered and the run took place. False only for checks that are asked about a system that did not come up:
   * `script.ending` says why, `bootEvents` and `console` how far it got.
   */
  readonly ready: boolean
  /** When the agent was ready and the run began; of a system that did not come up, where it ended. */
  readonly began: Moment
  /** Events of the run, oldest first: what happened while the script ran. */
  events(): Promise<readonly LabEvent[]>
  /** Events from reset until the run began. */
  bootEvents(): Promise<readonly LabEvent[]>
  /** Mode, phase, taint, gate: as they are now. */
  facts(): Promise<FactsFrame>
  /** VMs there are now. To see one that is gone, look at the events. */
  vms(): Promise<readonly VmSummary[]>
  /** Who has the page with this physical address; at a moment of the run, or now. */
  ownership(physical: number, at?: Moment): Promise<PageState>
  /** Record, walks, contents and history of a page as it is now. */
  page(physical: number): Promise<PageDetail>
  /** The physical address of what the inspector's field takes: `tainted_mask`, `vm 0x1000:0x40000000`, `el2:0x...`. */
  resolve(text: string): Promise<Told<number>>
}
