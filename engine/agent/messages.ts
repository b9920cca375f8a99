/** How frames of the agent cross between the page and the Worker that runs the machine. Plain data. */
import type { Hello } from './requests.ts'

/**
 * A request frame for the agent. Waits while the machine is paused or the agent not yet up; an `agentAnswer` with the
 * same id follows in any case.
 */
export interface AgentRequestMessage {
  type: 'agent'
  id: number
  frame: Uint8Array
}

export type AgentMessage =
  /** `instructions`: retired by the machine when the answer came. */
  | { type: 'agentAnswer'; id: number; frame: Uint8Array; instructions: number }
  /** There is no answer, and why: a sentence for the learner. `gone`: the machine or the agent is not there (any more). */
  | { type: 'agentAnswer'; id: number; error: string; gone: boolean }
  /** The agent said hello, or is not there any more. */
  | { type: 'agentState'; ready: true; hello: Hello }
  | { type: 'agentState'; ready: false; reason: string }
