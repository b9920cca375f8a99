import { create } from 'zustand'
import { evaluateOption, lookupIn, type OptionState } from '../../engine/inspect/kconfig.ts'
import { PROTECTED_VM_UAPI } from '../../engine/inspect/kconfig-kvm.ts'
import type { FactsFrame } from '../../engine/worker/inspection-protocol.ts'
import { kvmModeOf } from '../command-line.ts'
import { inspection } from '../inspector/inspection-client.ts'
import { type Choice, type Fact, useLab } from '../store.ts'
import { useSystem } from '../system/system-store.ts'
import { type ConfigView, configOf, systemConfig } from './kernel-config.ts'
import { type Outcomes, outcomesFrom, type Uapi, withFact } from './truth.ts'

/** A change of `tainted_mask`, as narrow as the page saw it: it happened between two frames. */
export interface TaintChange {
  mask: number
  /** Instruction count of the last frame before and the first frame after. */
  after: number
  by: number
}

export interface SwitchState {
  /** What the learner wants CONFIG_PROTECTED_VM_UAPI to be. Stays when the machine goes. */
  wish: Uapi
  /** CONFIG_EXPERT supposed to be n. */
  withoutExpert: boolean
  /** Of the chosen kernel. */
  config: ConfigView
  /** The present machine's last report; null without a machine. */
  facts: FactsFrame | null
  taintChanges: readonly TaintChange[]
  outcomes: Outcomes
}

const HERTZ = 5
const OUTCOMES_KEY = 'pkvm-lab.truth'
const WISH_KEY = 'pkvm-lab.uapi'

export const useSwitches = create<SwitchState>(() => ({
  wish: remembered(WISH_KEY) === 'n' ? 'n' : 'y',
  withoutExpert: false,
  config: { state: 'loading' },
  facts: null,
  taintChanges: [],
  outcomes: outcomesFrom(remembered(OUTCOMES_KEY)),
}))

/**
 * The option as menuconfig would have it: null while the kernel's configuration is not known, when nothing can be said
 * about what it depends on.
 */
export function optionState({
  wish,
  withoutExpert,
  config,
}: Pick<SwitchState, 'wish' | 'withoutExpert' | 'config'>): OptionState | null {
  if (config.state === 'system') return config.option
  if (config.state !== 'known') return null
  return evaluateOption(PROTECTED_VM_UAPI, wish, lookupIn(config.config, withoutExpert ? { EXPERT: 'n' } : {}))
}

/** The value in force: the wish, unless the dependency forbids it or the present kernel has no place for the gate. */
export function optionValue(state: SwitchState): Uapi {
  const option = optionState(state)
  const value = (option === null ? state.wish : option.value) === 'n' ? 'n' : 'y'
  return state.config.state !== 'system' && state.facts?.gate.available === false ? 'y' : value
}

export function clearOutcomes(): void {
  useSwitches.setState({ outcomes: {} })
}

/** Connects the switches to the machine and the store. Called once, when the page starts. */
export function startSwitches(): void {
  let sent: Uapi = 'y'
  const send = () => {
    const value = optionValue(useSwitches.getState())
    if (value === sent) return
    sent = value
    inspection.setGate(value)
  }
  inspection.watchStart(() => {
    sent = 'y'
    useSwitches.setState({ facts: null, taintChanges: [] })
    send()
  })
  inspection.watchFacts(HERTZ, takeFacts)
  useSwitches.subscribe((state, before) => {
    send()
    if (state.outcomes !== before.outcomes) remember(OUTCOMES_KEY, JSON.stringify(state.outcomes))
    if (state.wish !== before.wish) remember(WISH_KEY, state.wish)
  })
  useSystem.subscribe((state, before) => {
    if (state.config !== before.config || state.ofLesson !== before.ofLesson)
      void loadConfig(useLab.getState().choice.kernel)
  })
  useLab.subscribe((state, before) => {
    if (state.booted === null && before.booted !== null) useSwitches.setState({ facts: null, taintChanges: [] })
    if (state.choice.kernel !== before.choice.kernel) void loadConfig(state.choice.kernel)
    if (state.facts !== before.facts) takeProbeFacts(newFacts(state.facts, before.facts))
  })
  const { kernel } = useLab.getState().choice
  if (kernel !== null) void loadConfig(kernel)
}

async function loadConfig(kernel: Choice['kernel']): Promise<void> {
  if (kernel?.from === 'system' || kernel?.from === 'lesson') {
    const { config, ofLesson } = useSystem.getState()
    useSwitches.setState({ config: systemConfig(kernel.from === 'system' ? config : ofLesson) })
    return
  }
  useSwitches.setState({ config: { state: 'loading' } })
  const config = await configOf(kernel)
  if (useLab.getState().choice.kernel === kernel) useSwitches.setState({ config })
}

function takeFacts(frame: FactsFrame): void {
  useSwitches.setState(({ facts, taintChanges }) => {
    if (!frame.taint.known) return { facts: frame }
    const { mask } = frame.taint.value
    const before = facts?.taint.known === true ? facts.taint.value.mask : 0
    if (mask === before) return { facts: frame }
    return {
      facts: frame,
      taintChanges: [...taintChanges, { mask, after: facts?.instructions ?? 0, by: frame.instructions }],
    }
  })
}

/** The store keeps the last few hundred facts: what came after the last one known before. */
function newFacts(now: readonly Fact[], before: readonly Fact[]): readonly Fact[] {
  const last = before.at(-1)
  return last === undefined ? now : now.slice(now.lastIndexOf(last) + 1)
}

function takeProbeFacts(facts: readonly Fact[]): void {
  const { booted } = useLab.getState()
  const mode = booted === null ? null : kvmModeOf(booted.append)
  if (booted === null || booted.kernel === null || mode === null || facts.length === 0) return
  const kernel = booted.kernel.from === 'list' ? `Linux ${booted.kernel.version}` : booted.kernel.name
  useSwitches.setState(state => {
    // What is part of the build stays as it was built, whatever is wished meanwhile.
    const built = booted.kernel?.from === 'system' ? booted.kernel.options.PROTECTED_VM_UAPI : undefined
    const option: Uapi = built === undefined ? optionValue(state) : built === 'n' ? 'n' : 'y'
    const trial = { option, mode, kernel }
    return { outcomes: facts.reduce((all, fact) => withFact(all, trial, fact), state.outcomes) }
  })
}

function remembered(key: string): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

function remember(key: string, text: string): void {
  try {
    sessionStorage.setItem(key, text)
  } catch {
    // Storage can be switched off; then it lasts as long as the page.
  }
}
