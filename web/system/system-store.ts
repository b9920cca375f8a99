import { create } from 'zustand'
import type { BuildAnswer, BuildDiagnostic } from '../../engine/worker/build-protocol.ts'
import type { ConfiguredOption, KconfigMenu } from '../../engine/inspect/kconfig-menu.ts'
import type { Tristate } from '../../engine/inspect/kconfig-expression.ts'

/** The workspace of the editor that holds the sources, and the word that `pkvm-lab run -kernel` has for the system. */
export const SYSTEM_WORKSPACE = 'mini-pkvm'
export const SYSTEM_NAME = 'mini-pKVM'

export type SystemConfig =
  | { state: 'loading' }
  | { state: 'known'; menu: KconfigMenu; options: ReadonlyMap<string, ConfiguredOption> }
  /** The Kconfig file cannot be read; `why` is a sentence with the line. */
  | { state: 'absent'; why: string }

export type ListingDiff = Extract<BuildAnswer, { type: 'listingDiff' }>

/** The last build of the system as it stands in the editor. */
export interface BuildReport {
  ok: boolean
  diagnostics: readonly BuildDiagnostic[]
  bytes: number
  instructions: number
  milliseconds: number
}

export interface SystemState {
  config: SystemConfig
  /** The same of mini-pKVM as the open lesson builds it, from the lesson's own Kconfig file. */
  ofLesson: SystemConfig
  /** Values that the learner gave options other than EXPERT and PROTECTED_VM_UAPI, which are the switches'. */
  wishes: Readonly<Record<string, Tristate>>
  build: BuildReport | null
  building: boolean
  /** Counts saved changes of the sources: what runs may be older than what was saved. */
  edition: number
  /** Option whose effect on the machine code is shown. */
  comparing: string | null
  diff: ListingDiff | null
}

export const useSystem = create<SystemState>(() => ({
  config: { state: 'loading' },
  ofLesson: { state: 'loading' },
  wishes: {},
  build: null,
  building: false,
  edition: 0,
  comparing: null,
  diff: null,
}))
