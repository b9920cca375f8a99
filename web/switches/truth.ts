import type { KvmMode } from '../command-line.ts'
import type { Fact } from '../store.ts'

/** Value of CONFIG_PROTECTED_VM_UAPI. */
export type Uapi = 'y' | 'n'

/** What KVM_CREATE_VM answered under one setting of the two switches: `fd` or an errno; null where nobody has asked. */
export interface Outcome {
  normal: string | null
  protected: string | null
  /** /proc/sys/kernel/tainted after the last of them. */
  taint: string | null
  /** What open("/dev/kvm") gave. */
  kvm: string | null
  /** The kernel that answered last. */
  kernel: string
}

/** By `cellKey`. */
export type Outcomes = Readonly<Record<string, Outcome>>

/** The setting of both switches, and the kernel, that a fact was found under. */
export interface Trial {
  option: Uapi
  mode: KvmMode
  kernel: string
}

export function cellKey(option: Uapi, mode: KvmMode): string {
  return `${mode} ${option}`
}

const UNTRIED: Omit<Outcome, 'kernel'> = { normal: null, protected: null, taint: null, kvm: null }

/** What is known after the probe has printed one more fact. @returns the same object when the fact says nothing about VMs */
export function withFact(outcomes: Outcomes, trial: Trial, fact: Fact): Outcomes {
  const news = newsOf(fact)
  if (news === null) return outcomes
  const key = cellKey(trial.option, trial.mode)
  return { ...outcomes, [key]: { ...(outcomes[key] ?? UNTRIED), ...news, kernel: trial.kernel } }
}

function newsOf({ key, value }: Fact): Partial<Outcome> | null {
  switch (key) {
    case 'kvm.open':
      // Without the device neither type can be asked for.
      return value === 'fd' ? { kvm: value } : { ...UNTRIED, kvm: value }
    case 'vm.normal.create':
      return { normal: value }
    case 'vm.protected.create':
      return { protected: value }
    case 'taint':
    case 'vm.normal.taint':
    case 'vm.protected.taint':
      return { taint: value }
    default:
      return null
  }
}

export interface TruthRow {
  key: string
  option: Uapi
  mode: KvmMode
  outcome: Outcome | null
}

const OPTIONS: readonly Uapi[] = ['y', 'n']
/** Protected mode or not: the four combinations of the two switches. Other modes join once they are chosen or tried. */
const ALWAYS: readonly KvmMode[] = ['protected', 'absent']
const SOMETIMES: readonly KvmMode[] = ['nvhe', 'nested', 'none']

/** Rows to show, the same order always. @param chosen the mode now on the command line */
export function truthRows(outcomes: Outcomes, chosen: KvmMode | null): TruthRow[] {
  const tried = (mode: KvmMode) => OPTIONS.some(option => outcomes[cellKey(option, mode)] !== undefined)
  const modes = [...ALWAYS, ...SOMETIMES.filter(mode => mode === chosen || tried(mode))]
  return modes.flatMap(mode =>
    OPTIONS.map(option => {
      const key = cellKey(option, mode)
      return { key, option, mode, outcome: outcomes[key] ?? null }
    }),
  )
}

export interface Verdict {
  kind: 'created' | 'refused' | 'impossible' | 'unknown'
  word: string
  /** The errno behind it. */
  because: string
}

/** The answer for one type of VM, in a word. */
export function verdict(outcome: Outcome | null, type: 'normal' | 'protected'): Verdict {
  if (outcome === null) return { kind: 'unknown', word: 'not tried', because: '' }
  if (outcome.kvm !== null && outcome.kvm !== 'fd') return { kind: 'impossible', word: 'no /dev/kvm', because: outcome.kvm }
  const value = outcome[type]
  if (value === null) return { kind: 'unknown', word: 'not tried', because: '' }
  return value === 'fd' ? { kind: 'created', word: 'created', because: '' } : { kind: 'refused', word: 'refused', because: value }
}

/** What was kept of an earlier visit, if it is still of this shape. */
export function outcomesFrom(text: string | null): Outcomes {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, Outcome] => isOutcome(entry[1])))
  } catch {
    return {}
  }
}

function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false
  const { kernel, normal, protected: own, taint, kvm } = value as Partial<Record<keyof Outcome, unknown>>
  return typeof kernel === 'string' && [normal, own, taint, kvm].every(part => part === null || typeof part === 'string')
}
