/**
 * What the page and the Worker say to each other. Plain data only: the machine's truth lives in the Worker, the page
 * holds views of it. Counts of instructions are exact integers below 2^53.
 */

import type { BuildAnswer, BuildDiagnostic, BuildRequest, SystemSources } from './build-protocol.ts'
import type { AgentMessage, AgentRequestMessage } from '../agent/messages.ts'

/** What the learner can choose about the computer itself. */
export interface MachineSettings {
  /** Kernel command line, passed through /chosen/bootargs. */
  append: string
  /** RAM in MiB, 128 to 2048. */
  ramMiB: number
  /** Whether ID_AA64ISAR0_EL1 advertises AES, PMULL, SHA1 and SHA256. */
  crypto: boolean
}

/** What the lab's own initial RAM disk is made of. */
export interface LabInitrd {
  /** The init program: a static ELF executable (`machine/init-program.ts`). */
  program: Uint8Array
  /** A static arm64 busybox for `lab.init=shell`. */
  busybox: ArrayBuffer | null
}

export interface LoadMessage {
  type: 'load'
  /** An arm64 Linux Image, a bare-metal one with the same header, or a system that the Worker assembles first. */
  image: ArrayBuffer | SystemSources
  initrd: ArrayBuffer | LabInitrd | null
  settings: MachineSettings
  /** Kernel symbols whose first execution is reported with a `milestone` message. */
  milestones: readonly string[]
  /** Instruction counts, ascending, at which a `hash` message is sent. */
  hashAt: readonly number[]
}

export type PageMessage =
  /** Asks whether these bytes are an Image the lab can start, without touching the machine that runs. */
  | { type: 'check'; id: number; image: ArrayBuffer }
  /**
   * Builds a new machine. On failure an `error` follows, or `buildFailed` for sources that do not assemble, and the
   * machine that was there stays.
   */
  | LoadMessage
  | BuildRequest
  /** Starts the machine made by the last `load`. */
  | { type: 'boot' }
  | { type: 'pause' }
  | { type: 'resume' }
  /** Throws the machine away. Works in every state. */
  | { type: 'reset' }
  /** Bytes typed at the first serial port (PL011). They enter the guest at the next instruction boundary. */
  | { type: 'input'; bytes: Uint8Array }
  /** The page has put this many console bytes on the screen. Lets the Worker slow a guest that floods its UART. */
  | { type: 'consoleShown'; bytes: number }
  /** Keeps this moment of the machine, instead of one kept before; `checkpointTaken` follows. */
  | { type: 'checkpoint' }
  /**
   * Goes back to the moment kept; `restored` and a `status` follow, or an `error` when none is kept. `run`: whether the
   * machine runs on then; without it, it does what it did before (paused when it had ended).
   */
  | { type: 'restore'; run?: boolean }
  /** Asks for a `hash` message at the instruction where the machine is now. */
  | { type: 'stateHash' }
  | AgentRequestMessage

/** `idle` is a running machine whose processor waits for an interrupt. */
export type MachineState = 'empty' | 'loaded' | 'running' | 'idle' | 'paused' | 'stopped'

export interface StatusMessage {
  type: 'status'
  state: MachineState
  /** Instructions retired since reset. */
  instructions: number
  /** Millions of instructions retired per second of wall clock, over the last tenth of a second or so. */
  mips: number
  /** The guest's clock: a function of instructions retired and of idle time skipped, never of the wall clock. */
  virtualNanoseconds: number
  /** PSTATE.EL at the moment of the sample. */
  exceptionLevel: number
}

/** A kernel symbol was executed for the first time. */
export interface Milestone {
  symbol: string
  instructions: number
  exceptionLevel: number
}

export type WorkerMessage =
  | { type: 'ready' }
  | AgentMessage
  | StatusMessage
  /** Bytes the guest wrote to the first serial port since the last such message. */
  | { type: 'console'; bytes: Uint8Array }
  /** Symbols of the `load` whose first execution has been seen since the last such message, in order. */
  | { type: 'milestones'; reached: readonly Milestone[] }
  /** Hash of registers and RAM after exactly `instructions` instructions. */
  | { type: 'hash'; instructions: number; hash: string }
  /** The guest is over: it powered off or reset by PSCI, or it can never run again. */
  | { type: 'stopped'; reason: 'off' | 'reset' | 'fault'; message: string; instructions: number }
  | { type: 'checkpointTaken'; instructions: number }
  /** The machine is where the checkpoint was taken. Events with a sequence above `events` have not happened. */
  | { type: 'restored'; instructions: number; events: number }
  /** Something asked for could not be done. `message` says what was wrong, `hint` what to do. */
  | { type: 'error'; message: string; hint: string }
  /** The sources that `load` brought do not assemble. */
  | { type: 'buildFailed'; message: string; hint: string; diagnostics: readonly BuildDiagnostic[] }
  | BuildAnswer
  /** Answer to `check`. */
  | { type: 'checked'; id: number; ok: true }
  | { type: 'checked'; id: number; ok: false; message: string; hint: string }
