import { create } from 'zustand'
import type { HostCallAnswer, HostCallName, LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { useInspection } from '../inspection-store.ts'
import { inspection, MachineGoneError } from '../inspector/inspection-client.ts'

/** A call that was made, or could not be. */
export interface PastCall {
  readonly key: number
  /** As it was asked for. */
  readonly call: string
  readonly args: readonly string[]
  readonly answer: HostCallAnswer | null
  /** Why it was not made. */
  readonly why: string
  /** The machine has gone back to before it. */
  readonly takenBack: boolean
}

export interface HypercallState {
  /** Calls of the kernel that runs; null until they are known. */
  names: readonly HostCallName[] | null
  /** Why there are none. */
  whyNoNames: string
  /** What is in the form: a name or a number, and the arguments by their names. */
  call: string
  args: Readonly<Record<string, string>>
  /** Registers besides, `x9=0xc600001f x10=0x40268`. */
  more: string
  onPanic: 'undo' | 'keep'
  busy: boolean
  /** Newest first. */
  past: readonly PastCall[]
}

/** Calls kept in the list. */
const MOST_CALLS = 100
/** Arguments offered for a call by number. */
const PLAIN_ARGUMENTS = ['x1', 'x2', 'x3', 'x4']
const PREFIX = /^(__pkvm_|__kvm_|__)/

export const useHypercall = create<HypercallState>(() => ({
  names: null,
  whyNoNames: '',
  call: 'host_share_hyp',
  args: {},
  more: '',
  onPanic: 'undo',
  busy: false,
  past: [],
}))

/** `__pkvm_host_share_hyp` as people say it; in full where two calls would be said alike. */
export function shortName(name: string, names: readonly HostCallName[] | null): string {
  const short = name.replace(PREFIX, '')
  return names?.some(it => it.name !== name && it.name.replace(PREFIX, '') === short) === true ? name : short
}

/** The call that the form names, when this kernel has it. */
export function chosenCall({ names, call }: HypercallState): HostCallName | undefined {
  const wanted = call.trim()
  if (wanted === '') return undefined
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(wanted) ? Number(wanted) & 0xffff : null
  return names?.find(it =>
    number === null ? it.name === wanted || shortName(it.name, names) === wanted : it.number === number,
  )
}

/** Names of the fields that the form has now. */
export function argumentNames(state: HypercallState): readonly string[] {
  return chosenCall(state)?.args ?? PLAIN_ARGUMENTS
}

/** A page can be put into an argument of this name: as its number or its address. */
export function takesPage(argument: string): 'pfn' | 'phys' | null {
  return argument === 'pfn' || argument === 'phys' ? argument : null
}

export function setArgument(name: string, text: string): void {
  useHypercall.setState(state => ({ args: { ...state.args, [name]: text } }))
}

/** Puts the page that is pointed at into the first argument that takes one. @returns whether there was one */
export function putSelectedPage(): boolean {
  const { selectedPage } = useInspection.getState()
  const name = argumentNames(useHypercall.getState()).find(it => takesPage(it) !== null)
  if (selectedPage === null || name === undefined) return false
  setArgument(name, `0x${(takesPage(name) === 'pfn' ? selectedPage / 4096 : selectedPage).toString(16)}`)
  return true
}

/** Asks the machine for its calls, once. */
export async function learnNames(): Promise<void> {
  if (useHypercall.getState().names !== null || !inspection.hasMachine) return
  try {
    const { calls, why } = await inspection.hostCallNames()
    useHypercall.setState({ names: calls, whyNoNames: why })
  } catch (error) {
    if (!(error instanceof MachineGoneError)) throw error
  }
}

const REGISTER = /^x(\d+)=(\S+)$/i

/**
 * The arguments with further registers set, those between being 0.
 * @returns why not, one sentence, when the text is not a list of registers
 */
export function withRegisters(args: readonly string[], more: string): string[] | string {
  const all = [...args]
  for (const part of more.split(/[\s,;]+/).filter(it => it !== '')) {
    const [, number, value] = REGISTER.exec(part) ?? []
    if (number === undefined || value === undefined || Number(number) < 1 || Number(number) > 17) {
      return `“${part}” is not a register with a value: write x1=… to x17=…, with spaces between them.`
    }
    while (all.length < Number(number)) all.push('0')
    all[Number(number) - 1] = value
  }
  return all
}

let nextKey = 1

/** Makes the call of the form. The machine is paused for it, and stays paused. */
export async function issue(): Promise<void> {
  const state = useHypercall.getState()
  if (state.busy || state.call.trim() === '') return
  const call = state.call.trim()
  const known = chosenCall(state) !== undefined
  const given = argumentNames(state).map(name => (state.args[name] ?? '').trim())
  // Of a call by number the last empty registers are zero; a named argument is not left out by mistake.
  while (!known && given.at(-1) === '') given.pop()
  const all = withRegisters(given, state.more)
  const args = typeof all === 'string' ? given : all
  const enter = (answer: HostCallAnswer | null, why: string) => {
    const entry = { key: nextKey++, call, args, answer, why, takenBack: false }
    useHypercall.setState(now => ({ busy: false, past: [entry, ...now.past].slice(0, MOST_CALLS) }))
  }
  if (typeof all === 'string') {
    enter(null, all)
    return
  }
  const empty = argumentNames(state).find((_, i) => args[i] === '')
  if (empty !== undefined && args.length > 0) {
    enter(null, `The argument ${empty} is empty: write a number, in decimal or as 0x….`)
    return
  }
  useHypercall.setState({ busy: true })
  try {
    const done = await inspection.hostCall(call, args, state.onPanic)
    if (done.ok) enter(done.answer, '')
    else enter(null, done.message)
  } catch (error) {
    if (!(error instanceof MachineGoneError)) throw error
    enter(null, error.message)
  }
}

/** Puts a call of the list back into the form. */
export function repeat({ call, args }: PastCall): void {
  useHypercall.setState({ call })
  const names = argumentNames(useHypercall.getState())
  useHypercall.setState({ args: Object.fromEntries(names.map((name, i) => [name, args[i] ?? ''])) })
}

export function forgetCalls(): void {
  useHypercall.setState({ past: [] })
}

/** Pages that changed hands by it. */
export function changesOf(answer: HostCallAnswer): readonly LabEvent[] {
  return answer.events.filter(event => event.kind === 'ownership' && event.physical !== undefined)
}

inspection.watchStart(() => {
  useHypercall.setState({ names: null, whyNoNames: '', busy: false, past: [] })
  void learnNames()
})
inspection.watchEnd(() => useHypercall.setState({ names: null, whyNoNames: '', busy: false, past: [] }))
inspection.watchRestore(events => {
  const isAfter = ({ answer }: PastCall) => answer?.events.some(event => event.sequence > events) === true
  useHypercall.setState(({ past }) => ({ past: past.map(it => (isAfter(it) ? { ...it, takenBack: true } : it)) }))
})
