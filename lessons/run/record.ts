/**
 * One run as it is recorded and afterwards shown to the checks. The page and the runner make it the same way: begin when
 * the agent is ready, tell it what the script does, then ask.
 */
import type { FactsFrame, HostCallAnswer, LabEvent, OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import type { LessonSettings, Series } from '../format/lesson.ts'
import type { TraceEntry } from '../kvm/trace.ts'
import type { AnswerValue, ApiCall, Assembled, Ending, LessonRun, Moment, PageState, ScriptRecord } from './lesson-run.ts'
import type { LabQuestions } from './questions.ts'

const PAGE = 4096
/** State codes of a page record, inspect/hyp-page.ts. */
const BORROWED = 2
const NOPAGE = 3
const UNKNOWN = 4

export interface RunFrame {
  readonly kernel: { readonly series: Series; readonly release: string }
  readonly settings: LessonSettings
  readonly answers: Readonly<Record<string, string>>
  readonly predictions: Readonly<Record<string, string>>
  readonly assembled: readonly Assembled[]
  readonly files: Readonly<Record<string, string>>
  readonly hasScript: boolean
  /** False: the system did not come up. */
  readonly ready?: boolean
}

/** Collects while the script runs. Its methods fit what the `lab` module wants of its host. */
export class RunRecord {
  private readonly prints: string[] = []
  private readonly answers: Record<string, AnswerValue> = {}
  private readonly entries = new Map<number, TraceEntry>()
  private readonly hostCalls: HostCallAnswer[] = []

  private constructor(
    private readonly questions: LabQuestions,
    private readonly frame: RunFrame,
    private readonly firstEvent: number,
    readonly began: Moment,
  ) {}

  /** The machine stands ready; what happens from here on is the run. */
  static async begin(questions: LabQuestions, frame: RunFrame): Promise<RunRecord> {
    const [newest, { instructions }] = [await questions.newestEvent(), await questions.facts()]
    return new RunRecord(questions, frame, newest, instructions)
  }

  onPrint(line: string): void {
    this.prints.push(line)
  }

  onAnswer(name: string, value: AnswerValue): void {
    this.answers[name] = value
  }

  onTrace(entry: TraceEntry): void {
    this.entries.set(entry.id, entry)
  }

  onHostCall(answer: HostCallAnswer): void {
    this.hostCalls.push(answer)
  }

  /** A value that the script has recorded so far. */
  answered(name: string): AnswerValue | undefined {
    return this.answers[name]
  }

  /**
   * The run is over; the checks may ask.
   * @param console everything that the machine wrote to its first serial port since reset
   */
  end(ending: Ending, console: string): LessonRun {
    const { frame, questions, firstEvent } = this
    const script: ScriptRecord | null = frame.hasScript
      ? { ending, prints: this.prints, answers: this.answers, calls: [...this.entries.values()].map(apiCall).sort((a, b) => a.sequence - b.sequence) }
      : null
    const later = new Once(questions, firstEvent)
    return {
      kernel: frame.kernel,
      settings: frame.settings,
      script,
      answers: frame.answers,
      predictions: frame.predictions,
      assembled: frame.assembled,
      files: frame.files,
      hostCalls: this.hostCalls,
      console,
      ready: frame.ready ?? true,
      began: this.began,
      events: () => later.events(),
      bootEvents: () => later.bootEvents(),
      facts: () => later.facts(),
      vms: async () => (await later.ownershipFrame()).vms,
      ownership: (physical, at) => later.ownership(physical, at),
      page: physical => questions.page(physical),
      resolve: text => questions.resolve(text),
    }
  }
}

/** What is asked more than once of a machine that stands still is asked once. */
class Once {
  private runEvents: Promise<LabEvent[]> | undefined
  private earlier: Promise<LabEvent[]> | undefined
  private now: Promise<FactsFrame> | undefined
  private frame: Promise<OwnershipFrame> | undefined

  constructor(
    private readonly questions: LabQuestions,
    private readonly firstEvent: number,
  ) {}

  events() {
    return (this.runEvents ??= this.questions.events(this.firstEvent))
  }

  bootEvents() {
    return (this.earlier ??= this.questions.events(0, this.firstEvent))
  }

  facts() {
    return (this.now ??= this.questions.facts())
  }

  ownershipFrame() {
    return (this.frame ??= this.questions.ownership())
  }

  /** Of the moment asked for, from the page's history; without one, from the tables as they are. */
  async ownership(physical: number, at?: Moment): Promise<PageState> {
    if (at === undefined) return stateNow(await this.ownershipFrame(), physical)
    const { history } = await this.questions.page(physical)
    const changes = history.filter(event => event.change !== undefined)
    const before = changes.findLast(event => event.instructions <= at)
    if (before !== undefined) return ofPage(before, before.change!.after, physical)
    const after = changes[0]
    return after === undefined ? stateNow(await this.ownershipFrame(), physical) : ofPage(after, after.change!.before, physical)
  }
}

/** An event tells the first page of a run of pages; VM pages of the others follow it. */
function ofPage(event: LabEvent, state: PageState, physical: number): PageState {
  const distance = Math.floor((physical - (event.physical ?? physical)) / PAGE)
  const moved = <T extends { readonly gfn: number }>(place: T): T => ({ ...place, gfn: place.gfn + distance })
  return { ...state, donatedTo: state.donatedTo === null ? null : moved(state.donatedTo), mappedBy: state.mappedBy.map(moved) }
}

function stateNow(frame: OwnershipFrame, physical: number): PageState {
  const page = Math.floor((physical - frame.ramBase) / PAGE)
  if (frame.why !== null || page < 0 || page >= frame.pages) return { host: UNKNOWN, hyp: UNKNOWN, donatedTo: null, mappedBy: [] }
  const [host, hyp] = [frame.host[page] ?? UNKNOWN, frame.hyp[page] ?? UNKNOWN]
  const places = frame.guest.filter(place => place.page === page)
  const owner = places.find(place => !place.borrowed)
  return {
    host,
    hyp,
    donatedTo: owner !== undefined && host === NOPAGE ? { handle: owner.handle, gfn: owner.gfn } : null,
    // A page that its VM shares back: the VM's entry says SHARED_OWNED, the host's record SHARED_BORROWED.
    mappedBy: places.map(({ handle, gfn, borrowed }) => ({ handle, gfn, state: borrowed ? BORROWED : host === BORROWED ? 1 : 0 })),
  }
}

function apiCall(entry: TraceEntry): ApiCall {
  const { id, parent, text, result, error, before, after } = entry
  return {
    sequence: id,
    parent,
    name: /^[^(\s]*/.exec(text)![0],
    text,
    result,
    error,
    began: before ?? 0,
    ended: after ?? Number.POSITIVE_INFINITY,
  }
}
