import { create } from 'zustand'
import type { MachineSettings, MachineState } from '../engine/worker/protocol.ts'
import { DEFAULT_COMMAND_LINE } from './command-line.ts'
import type { KernelEntry, Progress } from './files.ts'
import { startTheme, type Theme } from './theme.ts'

export interface OwnFile {
  name: string
  bytes: number
}

/** What the next boot will use. */
export interface Choice extends MachineSettings {
  /** A version of the kernel list, the learner's own Image, or the system built here. */
  kernel:
    | { from: 'list'; version: string }
    | { from: 'file'; name: string }
    /** Assembled in the page: which edition of the sources, and the values of its options. */
    | { from: 'system'; name: string; edition: number; options: Readonly<Record<string, string>> }
    /** mini-pKVM with the files of the lesson that is open: `edition` counts its builds. */
    | { from: 'lesson'; name: string; lesson: string; edition: number }
    | null
  initrd: 'lab' | 'file' | 'none'
}

export interface ReachedMilestone {
  instructions: number
  exceptionLevel: number
}

export interface Notice {
  message: string
  hint: string
}

/** The machine as last reported by the Worker, plus the page's own step before it. */
export interface MachineView {
  state: MachineState | 'fetching' | 'building'
  instructions: number
  mips: number
  virtualNanoseconds: number
  exceptionLevel: number
  /** Why it stopped, when it did. */
  ending: 'off' | 'reset' | 'fault' | null
}

export interface Fact {
  key: string
  value: string
}

export interface LabState {
  theme: Theme
  kernels: { state: 'asking' | 'known'; entries: KernelEntry[] }
  ownImage: OwnFile | null
  ownInitrd: OwnFile | null
  choice: Choice
  /** The choice the present machine was made from. */
  booted: Choice | null
  download: Progress | null
  machine: MachineView
  milestones: Readonly<Record<string, ReachedMilestone>>
  facts: readonly Fact[]
  hashes: readonly { instructions: number; hash: string }[]
  notice: Notice | null
  paletteOpen: boolean
}

export const MACHINE_OFF: MachineView = {
  state: 'empty',
  instructions: 0,
  mips: 0,
  virtualNanoseconds: 0,
  exceptionLevel: 2,
  ending: null,
}

export const useLab = create<LabState>(() => ({
  theme: startTheme(),
  kernels: { state: 'asking', entries: [] },
  ownImage: null,
  ownInitrd: null,
  choice: { kernel: null, initrd: 'lab', append: DEFAULT_COMMAND_LINE, ramMiB: 512, crypto: false },
  booted: null,
  download: null,
  machine: MACHINE_OFF,
  milestones: {},
  facts: [],
  hashes: [],
  notice: null,
  paletteOpen: false,
}))

export function setChoice(change: Partial<Choice>): void {
  useLab.setState(state => ({ choice: { ...state.choice, ...change } }))
}

/** Whether the kernel of a choice is assembled in the page: its options are the build's own. */
export function isBuiltHere({ kernel }: Pick<Choice, 'kernel'>): boolean {
  return kernel?.from === 'system' || kernel?.from === 'lesson'
}

/** True while a machine exists that has not ended. */
export function isAlive(state: LabState): boolean {
  return ['loaded', 'running', 'idle', 'paused'].includes(state.machine.state)
}

/** True when the present machine was made from other settings than those now chosen. */
export function choiceDiffers(state: LabState): boolean {
  return state.booted !== null && JSON.stringify(state.booted) !== JSON.stringify(state.choice)
}
