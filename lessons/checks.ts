/**
 * What checks.ts of a lesson is made of. A check looks at the machine, never at how the learner wrote it: it asks
 * whether something holds, or whether things happened in an order. When it does not pass it says which explanation
 * tells why.
 */
import type { Problem } from './format/fields.ts'
import type { ApiCall, LabEvent, LessonRun, Moment, PageState } from './run/lesson-run.ts'

export type * from './run/lesson-run.ts'

/** `pass`, or which explanation applies and what was seen, one sentence without markup. */
export type Verdict = 'pass' | { readonly fail: string; readonly detail: string }

export interface Check {
  /** `sees-einval`: in expect.yaml and in the learner's progress. */
  readonly id: string
  /** What holds when it passes, as a sentence without a full stop. */
  readonly title: string
  /** Id of the step under which it stands. */
  readonly step: string
  /** Markdown by id: why it did not pass and where to look, never the solution itself. */
  readonly explanations: Readonly<Record<string, string>>
  /**
   * Asked also about a system that did not come up: `run.ready` is false then, and no script has run. Without such a
   * check `builds` fails, and says no more than that.
   */
  readonly unbooted?: boolean
  test(run: LessonRun): Promise<Verdict>
}

/** Which choice of a prediction this run has shown to be so; null when it shows nothing of it. */
export type Outcome = (run: LessonRun) => Promise<string | null>

/** What checks.ts exports. */
export interface LessonChecks {
  readonly checks: readonly Check[]
  /** By id of the prediction. */
  readonly outcomes: Readonly<Record<string, Outcome>>
}

export function fail(explanation: string, detail: string): Verdict {
  return { fail: explanation, detail }
}

// ------------------------------------------------------------------------------------------------------------- events

type Kind = LabEvent['kind']

/** Chooses events: all that is given must hold. */
export interface EventPattern {
  readonly kind?: Kind
  /** Name of the hypercall, `__pkvm_host_donate_guest`, or of the guest's call, `MEM_SHARE`. */
  readonly call?: string
  /** In the text. */
  readonly text?: string | RegExp
  readonly vm?: number
  /** Any address in the page. */
  readonly physical?: number
  /** Decoded particulars that must be exactly so, or match. */
  readonly details?: Readonly<Record<string, string | RegExp>>
}

export function matches(event: LabEvent, pattern: EventPattern): boolean {
  const { kind, call, text, vm, physical, details } = pattern
  if (kind !== undefined && event.kind !== kind) return false
  if (call !== undefined && callOf(event) !== call) return false
  if (text !== undefined && !fits(event.text, text)) return false
  if (vm !== undefined && event.vm !== vm) return false
  if (physical !== undefined && !concerns(event, physical)) return false
  return Object.entries(details ?? {}).every(([name, wanted]) => fits(event.details[name] ?? '', wanted, true))
}

function fits(value: string, wanted: string | RegExp, whole = false): boolean {
  if (wanted instanceof RegExp) return wanted.test(value)
  return whole ? value === wanted : value.includes(wanted)
}

function concerns(event: LabEvent, physical: number): boolean {
  if (event.physical === undefined) return false
  return physical >= event.physical && physical < event.physical + (event.pages ?? 1) * 4096
}

/** Name of the call that an event of kind hypercall, guest-hypercall or smc tells of; empty for others. */
export function callOf(event: LabEvent): string {
  if (event.kind !== 'hypercall' && event.kind !== 'guest-hypercall' && event.kind !== 'smc') return ''
  const name = /([A-Za-z_]\w*)\(/.exec(event.text)
  return name?.[1] ?? ''
}

/** Why a hypercall was denied, `EPERM`; null when it was not, or there is no such event. */
export function errorOf(event: LabEvent | undefined): string | null {
  return /^-(E[A-Z0-9]+)$/.exec(event?.details['result'] ?? '')?.[1] ?? null
}

/** The result of a hypercall as a number; null when it gave none or was an error, or there is no such event. */
export function resultOf(event: LabEvent | undefined): number | null {
  const number = /^-?(0x[0-9a-f]+|\d+)/.exec(event?.details['result'] ?? '')
  if (number === null) return null
  const value = Number(number[1])
  return number[0].startsWith('-') ? -value : value
}

export async function allEvents(run: LessonRun, pattern: EventPattern): Promise<readonly LabEvent[]> {
  return (await run.events()).filter(event => matches(event, pattern))
}

export async function firstEvent(run: LessonRun, pattern: EventPattern): Promise<LabEvent | undefined> {
  return (await run.events()).find(event => matches(event, pattern))
}

export async function lastEvent(run: LessonRun, pattern: EventPattern): Promise<LabEvent | undefined> {
  return (await run.events()).findLast(event => matches(event, pattern))
}

/** Events from one moment to another, both included. */
export async function eventsBetween(run: LessonRun, from: Moment, to: Moment): Promise<readonly LabEvent[]> {
  return (await run.events()).filter(event => event.instructions >= from && event.instructions <= to)
}

/** Events that happened during a call of the API: what it caused. None when there was no such call. */
export async function eventsDuring(run: LessonRun, call: ApiCall | undefined): Promise<readonly LabEvent[]> {
  return call === undefined ? [] : eventsBetween(run, call.began, call.ended)
}

/**
 * Looks for the patterns one after the other, each after the one before.
 * @returns the events found; shorter than `patterns` when one was not: its index is the length
 */
export async function inOrder(run: LessonRun, ...patterns: readonly EventPattern[]): Promise<readonly LabEvent[]> {
  const events = await run.events()
  const found: LabEvent[] = []
  let at = 0
  for (const pattern of patterns) {
    const next = events.findIndex((event, i) => i >= at && matches(event, pattern))
    if (next < 0) break
    found.push(events[next]!)
    at = next + 1
  }
  return found
}

// -------------------------------------------------------------------------------------------------------------- calls

/** Calls of the API, and system calls made for them, by name: `vm.createVcpu`, `ioctl`; all without one. */
export function calls(run: LessonRun, name?: string): readonly ApiCall[] {
  const all = run.script?.calls ?? []
  return name === undefined ? all : all.filter(call => call.name === name)
}

/** The calls whose text matches: `/KVM_CREATE_VM, 0x80000000/` says what was asked of the kernel, however written. */
export function callsLike(run: LessonRun, text: string | RegExp): readonly ApiCall[] {
  return calls(run).filter(call => fits(call.text, text))
}

/** The first call of that name which failed so; `code` such as `EINVAL`, `SEGV_ACCERR`. */
export function failedCall(run: LessonRun, name: string, code?: string): ApiCall | undefined {
  return calls(run, name).find(call => call.error !== null && (code === undefined || call.error.code === code))
}

/** The script ran to its end and nothing was thrown past it. */
export function finished(run: LessonRun): boolean {
  return run.script?.ending.kind === 'finished'
}

/** How the script ended, for a verdict's detail. */
export function endingWords(run: LessonRun): string {
  const ending = run.script?.ending
  if (ending === undefined) return 'no script was run'
  switch (ending.kind) {
    case 'finished':
      return 'the script ran to its end'
    case 'threw':
      return `the script ended with ${ending.error.name}: ${ending.error.message}`
    default:
      return ending.why
  }
}

// -------------------------------------------------------------------------------------------------------------- pages

/**
 * The physical address that is meant: a number or bigint as it is, `answer:NAME` a value the script recorded, other
 * texts as the inspector's field takes them. Null when there is no such page.
 */
export async function pageOf(run: LessonRun, what: number | bigint | string): Promise<number | null> {
  if (typeof what !== 'string') return Number(what)
  if (!what.startsWith('answer:')) {
    const told = await run.resolve(what)
    return told.known ? told.value : null
  }
  const value = run.script?.answers[what.slice('answer:'.length)]
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  return typeof value === 'string' ? pageOf(run, value) : null
}

/**
 * The physical page behind a guest's page: where the host donated or shared it for that VM during the run. It also
 * answers when the VM is gone by now.
 */
export async function pageOfGuest(run: LessonRun, vm: number, guestAddress: bigint | number): Promise<number | null> {
  const gfn = Math.floor(Number(guestAddress) / 4096)
  for (const event of await run.events()) {
    const after = event.change?.after
    if (after === undefined || event.physical === undefined) continue
    for (const place of [...(after.donatedTo === null ? [] : [after.donatedTo]), ...after.mappedBy]) {
      const distance = gfn - place.gfn
      if (place.handle === vm && distance >= 0 && distance < (event.pages ?? 1)) return event.physical + distance * 4096
    }
  }
  return null
}

/** Handles of the VMs that came to life during the run; `protected` true or false for only those. */
export async function vmsMade(run: LessonRun, kind?: 'protected' | 'normal'): Promise<readonly number[]> {
  const made = await allEvents(run, { kind: 'vm', text: kind === undefined ? / created$/ : new RegExp(`^${kind} .* created$`) })
  return made.flatMap(event => (event.vm === undefined ? [] : [event.vm]))
}

export const STATE_NAMES = ['OWNED', 'SHARED_OWNED', 'SHARED_BORROWED', 'NOPAGE', 'unknown'] as const

/** `host OWNED, hyp NOPAGE`, with the VMs. */
export function stateWords({ host, hyp, donatedTo, mappedBy }: PageState): string {
  const vms = mappedBy.map(vm => `VM 0x${vm.handle.toString(16)} ${STATE_NAMES[vm.state] ?? 'unknown'}`)
  const given = donatedTo === null ? [] : [`donated to VM 0x${donatedTo.handle.toString(16)}`]
  return [`host ${STATE_NAMES[host] ?? 'unknown'}`, `hyp ${STATE_NAMES[hyp] ?? 'unknown'}`, ...given, ...vms].join(', ')
}

// -------------------------------------------------------------------------------------------------------------- facts

/** The kernel's taint mask now, 64 is TAINT_USER; null where it is not known. */
export async function taintMask(run: LessonRun): Promise<number | null> {
  const { taint } = await run.facts()
  return taint.known ? taint.value.mask : null
}

/** Console lines that hold the text, without the time stamps of the kernel's messages. */
export function consoleLines(run: LessonRun, text: string | RegExp): readonly string[] {
  return run.console
    .split(/\r?\n/)
    .map(line => line.replace(/^\[ *\d+\.\d+\] /, ''))
    .filter(line => fits(line, text))
}

/**
 * The 64-bit word at what the inspector's field takes, such as the name of a variable; null where it cannot be found, or
 * the machine has no memory there.
 */
export async function wordAt(run: LessonRun, what: string): Promise<bigint | null> {
  const told = await run.resolve(what)
  if (!told.known) return null
  const { contents } = await run.page(told.value - (told.value % 4096))
  if (contents.length < 4096) return null
  return new DataView(contents.buffer, contents.byteOffset).getBigUint64(told.value % 4096, true)
}

/** The last words of mini-pKVM's hypervisor, hyp/panic.s. */
export interface HypPanic {
  readonly why: string
  /** ESR_EL2, and its exception class, bits 31:26. */
  readonly esr: number
  readonly exceptionClass: number
  /** Where, as the listing counts, and the address that was accessed. */
  readonly place: bigint
  readonly far: bigint
}

/** Null while the hypervisor has not panicked. */
export function hypPanic(run: LessonRun): HypPanic | null {
  const found = /HYP panic: (.*?)\r?\n *ESR_EL2 0x([0-9a-f]+).*?listing 0x([0-9a-f]+)\) FAR_EL2 0x([0-9a-f]+)/s.exec(run.console)
  if (found === null) return null
  const esr = Number(`0x${found[2]}`)
  return { why: found[1]!, esr, exceptionClass: Math.floor(esr / 2 ** 26) % 64, place: BigInt(`0x${found[3]}`), far: BigInt(`0x${found[4]}`) }
}

/** A value that the script recorded under this name; undefined when it recorded none. */
export function recorded(run: LessonRun, name: string) {
  return run.script?.answers[name]
}

// ------------------------------------------------------------------------------------------------------- the module

/** What a loaded checks.ts exports, looked at before anything relies on it. */
export function checkModule(namespace: unknown, problems: Problem[]): LessonChecks {
  const file = 'checks.ts'
  const nothing: LessonChecks = { checks: [], outcomes: {} }
  const wrong = (field: string, message: string) => void problems.push({ file, field, message })
  if (namespace === undefined) {
    wrong('', 'is missing.')
    return nothing
  }
  if (namespace instanceof Error) {
    wrong('', `cannot be loaded: ${namespace.message.split('\n')[0]}`)
    return nothing
  }
  const { checks, outcomes = {} } = namespace as Partial<LessonChecks>
  if (!Array.isArray(checks) || checks.length === 0) {
    wrong('checks', 'should be exported: a list with at least one check.')
    return nothing
  }
  const good = checks.filter((check: Partial<Check>, i) => {
    const field = typeof check.id === 'string' ? `check "${check.id}"` : `checks[${i}]`
    for (const name of ['id', 'title', 'step'] as const) if (typeof check[name] !== 'string' || check[name] === '') wrong(field, `has no ${name}.`)
    if (typeof check.test !== 'function') wrong(field, 'has no test function.')
    if (typeof check.explanations !== 'object' || Object.keys(check.explanations ?? {}).length === 0) wrong(field, 'has no explanations: the learner must be told why it failed.')
    if (checks.findIndex((other: Partial<Check>) => other.id === check.id) !== i) wrong(field, 'is there twice.')
    return typeof check.test === 'function' && typeof check.id === 'string' && typeof check.explanations === 'object'
  }) as Check[]
  return { checks: good, outcomes: outcomes as LessonChecks['outcomes'] }
}
