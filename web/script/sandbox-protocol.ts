/** What the page and a script's sandbox say to each other through one MessagePort. Plain data. */
import type { AgentMessage, AgentRequestMessage } from '../../engine/agent/messages.ts'
import type { Answer } from '../../lessons/kvm/lab.d.ts'
import type { ScriptBundle, ScriptEnding } from '../../lessons/kvm/run-script.ts'
import type { TraceEntry } from '../../lessons/kvm/trace.ts'

/** One thing that a script did, in the order in which it happened. */
export type Output =
  | { kind: 'print'; text: string }
  | { kind: 'trace'; entry: TraceEntry }
  | { kind: 'answer'; name: string; value: Answer }
  /** The bounds below are reached; what comes after of this kind is not told. */
  | { kind: 'bound'; of: 'print' | 'trace' }

/** What one run may tell. A script that floods is cut off; the script itself goes on. */
export const BOUNDS = {
  /** Lines, and characters of them. */
  prints: 20_000,
  printCharacters: 2 << 20,
  /** Entries begun or ended. */
  traces: 60_000,
  /** Bytes of all recorded answers, roughly. */
  answerBytes: 4 << 20,
  /** Requests to the agent that may be on their way at once; others wait in the sandbox. */
  requests: 16,
} as const

export type FromSandbox =
  | AgentRequestMessage
  | { type: 'output'; items: Output[] }
  | { type: 'ended'; ending: ScriptEnding }
  /** The Worker's event loop turns. The first one is sent unasked, before the script begins. */
  | { type: 'pulse' }

/** `pulse` is answered with the same. */
export type ToSandbox = AgentMessage | { type: 'pulse' }

/** The first message to the sandbox's Worker, with the port. */
export interface StartMessage {
  bundle: ScriptBundle
}
