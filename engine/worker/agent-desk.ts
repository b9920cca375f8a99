/**
 * The session's side of the lab agent: requests of the page on their way into the machine's second serial port, and
 * answers on their way out. Bytes enter only while the machine runs, at its current instruction count.
 */
import { AgentLink, type AgentLinkState } from '../agent/link.ts'
import type { AgentMessage, AgentRequestMessage } from '../agent/messages.ts'
import { AgentGoneError } from '../agent/port.ts'
import { decodeFrame, requestLimit } from '../agent/requests.ts'

/** What the desk needs of a machine. */
export interface AgentMachine {
  readonly virtualNanoseconds: number
  readonly instructions: number
  /** Bytes for its second serial port. */
  receiveAgent?(bytes: Uint8Array): void
}

/** Beyond a request's own limit: no agent that lives takes so much of the machine's time to answer. */
const SILENCE_NANOSECONDS = 5e9

export class AgentDesk {
  private machine: AgentMachine | null = null
  private link: AgentLink | null = null
  private why = 'There is no machine: boot one first.'
  private outgoing: Uint8Array[] = []
  private answerDue = Number.POSITIVE_INFINITY
  private kept: AgentLinkState | null = null
  /** An answer went out since `serve` was last asked. */
  private answered = false
  /** Instruction count at the last answer. */
  private answeredAt = 0

  constructor(private readonly post: (message: AgentMessage) => void) {}

  /** The machine changed. `append` is its kernel command line, which says whether there will be an agent. */
  adopt(machine: AgentMachine | null, append = ''): void {
    this.close(machine === null ? 'The machine was reset.' : 'Another machine took its place.')
    this.machine = machine
    this.kept = null
    if (machine === null) this.why = 'There is no machine: boot one first.'
    else if (!/(^|\s)lab\.init=agent(\s|$)/.test(append)) {
      this.why = 'The machine was booted without the lab agent: add lab.init=agent to the kernel command line and boot again.'
      this.post({ type: 'agentState', ready: false, reason: this.why })
    } else this.open()
  }

  /** The machine is over, or the agent cannot be talked to any more. Everything that waits is answered. */
  close(reason: string): void {
    const { link } = this
    if (link === null) return
    this.link = null
    this.why = reason
    this.outgoing = []
    this.answerDue = Number.POSITIVE_INFINITY
    link.close(reason)
    this.post({ type: 'agentState', ready: false, reason })
  }

  receive({ id, frame }: AgentRequestMessage): void {
    if (this.link === null) {
      this.post({ type: 'agentAnswer', id, error: this.why, gone: true })
      return
    }
    this.link.exchange(frame).then(
      answer => this.post({ type: 'agentAnswer', id, frame: answer, instructions: this.answeredAt }),
      error => {
        const message = error instanceof Error ? error.message : String(error)
        this.post({ type: 'agentAnswer', id, error: message, gone: error instanceof AgentGoneError })
      },
    )
  }

  /** What the guest wrote to its second serial port. */
  fromGuest(bytes: Uint8Array): void {
    const { link } = this
    if (link === null) return
    const before = link.pending
    const wasReady = link.isReady
    link.receive(bytes)
    if (link.pending < before) {
      this.answerDue = Number.POSITIVE_INFINITY
      this.answered = true
      this.answeredAt = this.machine?.instructions ?? 0
    }
    if (link.closedBecause !== null) this.close(link.closedBecause)
    else if (link.isReady && !wasReady) {
      const { hello } = link.state
      if (hello !== null) this.post({ type: 'agentState', ready: true, hello })
    }
  }

  /** The machine runs on: what waits for it goes in. @returns whether anything did */
  flush(): boolean {
    const { machine } = this
    if (machine === null || this.outgoing.length === 0) return false
    for (const frame of this.outgoing) {
      machine.receiveAgent?.(frame)
      this.answerDue = machine.virtualNanoseconds + SILENCE_NANOSECONDS + requestLimit(decodeFrame(frame)) * 1000
    }
    this.outgoing = []
    return true
  }

  /** After a slice: like `flush`. @returns whether a request went in or an answer came out */
  serve(): boolean {
    const { answered } = this
    this.answered = false
    return this.flush() || answered
  }

  /** Between slices: an agent that stays silent for good must not keep the page waiting. */
  tick(): void {
    if (this.machine === null || this.machine.virtualNanoseconds < this.answerDue) return
    this.close('The agent in the machine does not answer any more: its console may say why. Reset the machine and boot it again.')
  }

  /** A moment of the machine is kept. */
  keep(): void {
    this.kept = this.link?.state ?? null
  }

  /** The machine is back at the kept moment. */
  restored(): void {
    this.close('The machine was taken back to an earlier moment.')
    if (this.kept === null) return
    this.open(this.kept)
    if (this.kept.hello !== null) this.post({ type: 'agentState', ready: true, hello: this.kept.hello })
  }

  private open(from?: AgentLinkState): void {
    this.link = new AgentLink({ send: bytes => void this.outgoing.push(bytes) }, from)
  }
}
