/** A lesson as read from its folder, plain data. The page shows it, the runner proves it. */

/** Kernel series a lesson can hold for; `mini` is the lab's own small system. */
export const SERIES = ['7.2', '7.3', 'mini'] as const
export type Series = (typeof SERIES)[number]

/** The series of a kernel release, `7.3.4+deb13-cloud-arm64`; null for one that no lesson is written for. */
export function seriesOf(release: string): Series | null {
  return SERIES.find(series => release === series || release.startsWith(`${series}.`) || release.startsWith(`${series}-`)) ?? null
}

/** `vmm`: the learner writes a VMM script, or turns the machine's switches. `system`: edits mini-pKVM itself. */
export const KINDS = ['vmm', 'system'] as const
export type Kind = (typeof KINDS)[number]

/** Value of kvm-arm.mode on the command line; `absent`: not there at all. */
export const MODES = ['absent', 'none', 'nvhe', 'protected', 'nested'] as const
export type Mode = (typeof MODES)[number]

/** The computer that a run needs. */
export interface LessonSettings {
  readonly mode: Mode
  /** Further words of the kernel command line. */
  readonly append: string
  /** The v3 series' CONFIG_PROTECTED_VM_UAPI; `y` is the kernel as merged. */
  readonly gate: 'y' | 'n'
  readonly ramMiB: number
  /** Whether the CPU advertises its cryptographic instructions. */
  readonly crypto: boolean
  /** Build options of mini-pKVM, `PROTECTED_VM_UAPI: y`; others keep their defaults. */
  readonly options: Readonly<Record<string, string>>
}

/**
 * What a file is to the learner: `script` the VMM (TypeScript, one a lesson), `assembly` a guest's A64 source, `notes`
 * text to read or fill in, `source` a file of mini-pKVM, by its path in lessons/mini-pkvm.
 */
export const ROLES = ['script', 'assembly', 'notes', 'source'] as const
export type Role = (typeof ROLES)[number]

export interface LessonFile {
  readonly name: string
  readonly role: Role
  /** Shown, not edited. */
  readonly readOnly: boolean
}

/** A kernel function that a sentence rests on, and the versions it was seen in: `[handle_host_mem_abort, 7.3.4]`. */
export interface Citation {
  readonly symbol: string
  readonly versions: readonly string[]
}

export interface Choice {
  readonly key: string
  readonly text: string
}

/** "Guess, run, compare": what the learner picks is never marked; the machine shows which it was. */
export interface Prediction {
  readonly id: string
  readonly question: string
  readonly choices: readonly Choice[]
  /** Markdown shown after the run: where on the machine the answer is to be seen. */
  readonly compare: string
}

/** A question that a check marks. Without choices the answer is typed. */
export interface Question {
  readonly id: string
  readonly question: string
  readonly choices: readonly Choice[]
}

export type Block =
  | { readonly kind: 'markdown'; readonly text: string }
  | ({ readonly kind: 'predict' } & Prediction)
  | ({ readonly kind: 'question' } & Question)

export interface Step {
  readonly id: string
  readonly title: string
  readonly blocks: readonly Block[]
  /** Markdown, revealed one by one. */
  readonly hints: readonly string[]
}

/** One run of an attempt: the machine it needs, and what the learner chose before it. */
export interface RunPlan {
  readonly settings: LessonSettings
  /** Answers to questions by id. */
  readonly answers: Readonly<Record<string, string>>
  readonly predictions: Readonly<Record<string, string>>
  /** Hypercalls made by hand once the script has ended. */
  readonly hostCalls: readonly PlannedCall[]
  /** `start`: mini-pKVM's sources are still those of start/, with the attempt's other files. */
  readonly sources: 'own' | 'start'
}

/**
 * Arguments as the hypercall console takes them, or `answer:NAME`, what the script recorded, or `pfn:TEXT`, the page
 * number of what the inspector's field takes or of `answer:NAME`.
 */
export interface PlannedCall {
  readonly call: string
  readonly args: readonly string[]
}

/** What a learner might have: files, switches, answers. */
export interface Attempt {
  /** `start`, `solution`, or the name of a wrong attempt. */
  readonly name: string
  /** Every file of the lesson by name. */
  readonly files: Readonly<Record<string, string>>
  /** One, or several where the lesson collects. */
  readonly runs: readonly RunPlan[]
}

export interface WrongAttempt extends Attempt {
  /** The first check that fails, and the explanation it gives. */
  readonly expect: { readonly check: string; readonly explanation: string }
  /** Only on these, where it is not all of the lesson's. */
  readonly kernels: readonly Series[]
}

export interface Lesson {
  /** Name of the folder, `01-who-runs-at-el2`. */
  readonly folder: string
  /** `who-runs-at-el2`: in deep links and in the learner's progress. */
  readonly id: string
  /** `01`. Lessons of the part "build your own" have `b01`, those of "break it" `x01`. */
  readonly number: string
  readonly title: string
  readonly question: string
  readonly minutes: number
  readonly kind: Kind
  readonly kernels: readonly Series[]
  readonly start: LessonSettings
  /**
   * Checks that passed stay passed over the runs of one lesson, because it takes several machines to pass them all.
   * Without it the newest run decides.
   */
  readonly collect: boolean
  /** Whether the machine stops where an invariant falls, as it does by itself; `go`: it is told and runs on. */
  readonly violations: 'stop' | 'go'
  /** Most instructions of one run after the agent is ready. */
  readonly limit: number
  readonly files: readonly LessonFile[]
  /** What stands before the first step. */
  readonly intro: readonly Block[]
  readonly steps: readonly Step[]
  readonly attempts: { readonly start: Attempt; readonly solution: Attempt; readonly wrong: readonly WrongAttempt[] }
}

/** The file that is run, where the lesson has one. */
export function scriptOf(lesson: Lesson): LessonFile | undefined {
  return lesson.files.find(file => file.role === 'script')
}
