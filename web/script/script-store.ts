/** The script that runs or ran last, as plain data. */
import { create } from 'zustand'
import type { Answer } from '../../lessons/kvm/lab.d.ts'
import type { ScriptEnding } from '../../lessons/kvm/run-script.ts'
import type { TraceEntry } from '../../lessons/kvm/trace.ts'

export type ScriptPhase = 'never' | 'compiling' | 'booting' | 'running' | 'ended'

/** What the trace shows, in the order in which it began. */
export type TraceRow =
  | {
      kind: 'call'
      key: number
      entry: TraceEntry /** System calls and accesses made for it. */
      parts: readonly TraceEntry[]
    }
  | { kind: 'print'; key: number; text: string }
  | { kind: 'answer'; key: number; name: string; value: Answer }
  | { kind: 'note'; key: number; text: string }

/** Something in the learner's files that keeps a script from being run. */
export interface ScriptProblem {
  file: string
  line: number
  column: number
  message: string
}

export interface ScriptState {
  phase: ScriptPhase
  rows: readonly TraceRow[]
  /** Calls of the API made in this run. */
  calls: number
  /** Rows of this run that were let go for want of room. */
  forgotten: number
  problems: readonly ScriptProblem[]
  /** null while it runs. */
  ending: ScriptEnding | null
  answers: Readonly<Record<string, Answer>>
  /** Counts runs. */
  run: number
}

export const useScript = create<ScriptState>(() => ({
  phase: 'never',
  rows: [],
  calls: 0,
  forgotten: 0,
  problems: [],
  ending: null,
  answers: {},
  run: 0,
}))

export function isRunning({ phase }: ScriptState): boolean {
  return phase === 'compiling' || phase === 'booting' || phase === 'running'
}
