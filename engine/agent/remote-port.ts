/** An AgentPort for whoever talks to the machine by messages: the page, a script's sandbox, the lesson runner. */
import type { AgentMessage, AgentRequestMessage } from './messages.ts'
import { AgentGoneError, type AgentPort } from './port.ts'
import { AgentProtocolError, type Hello } from './requests.ts'

/** Messages to the machine's thread and back; messages of other kinds may come through `subscribe` too. */
export interface AgentChannel {
  post(message: AgentRequestMessage): void
  /** @returns unsubscribes. */
  subscribe(listener: (message: AgentMessage | { readonly type: string }) => void): () => void
}

let lastId = 0

export class RemoteAgentPort implements AgentPort {
  private readonly waiting = new Map<number, { resolve(frame: Uint8Array): void; reject(error: Error): void }>()
  private readonly watchers = new Set<() => void>()
  private readonly unsubscribe: () => void
  private closed: string | null = null
  /** Why the agent is not there, as far as anyone said. */
  private absent: string | null = null
  /** What the agent said when it was ready; null while it is not. */
  hello: Hello | null = null
  /** Instructions that the machine had retired when it last answered; null before that. */
  instructions: number | null = null

  constructor(private readonly channel: AgentChannel) {
    this.unsubscribe = channel.subscribe(message => this.take(message as AgentMessage))
  }

  exchange(frame: Uint8Array): Promise<Uint8Array> {
    if (this.closed !== null) return Promise.reject(new AgentGoneError(this.closed))
    // Ids are unique in this thread, so that several ports can share a channel.
    const id = ++lastId
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.channel.post({ type: 'agent', id, frame })
    })
  }

  /**
   * Resolves when the agent is ready, at once if it is.
   * @throws AgentGoneError when the port is closed, or the machine turns out to have no agent, while waiting.
   */
  async whenReady(): Promise<Hello> {
    if (this.hello === null && this.closed === null) {
      this.absent = null
      do await new Promise<void>(resolve => this.watchers.add(resolve))
      while (this.hello === null && this.closed === null && this.absent === null)
    }
    if (this.hello !== null && this.closed === null) return this.hello
    throw new AgentGoneError(this.closed ?? this.absent ?? '')
  }

  /** Everything that waits fails with this sentence. The machine is not told: a request under way still happens. */
  close(reason: string): void {
    this.closed ??= reason
    this.unsubscribe()
    for (const waiting of this.waiting.values()) waiting.reject(new AgentGoneError(reason))
    this.waiting.clear()
    this.wake()
  }

  private take(message: AgentMessage): void {
    if (message.type === 'agentState') {
      this.hello = message.ready ? message.hello : null
      this.absent = message.ready ? null : message.reason
      this.wake()
    } else if (message.type === 'agentAnswer') {
      const waiting = this.waiting.get(message.id)
      if (waiting === undefined) return
      this.waiting.delete(message.id)
      if ('frame' in message) {
        this.instructions = message.instructions
        waiting.resolve(message.frame)
      } else waiting.reject(message.gone ? new AgentGoneError(message.error) : new AgentProtocolError(message.error))
    }
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher()
    this.watchers.clear()
  }
}
