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

  /** Resolves when the agent is ready. @throws AgentGoneError when the port is closed first. */
  async whenReady(): Promise<Hello> {
    while (this.hello === null) {
      if (this.closed !== null) throw new AgentGoneError(this.closed)
      await new Promise<void>(resolve => this.watchers.add(resolve))
    }
    return this.hello
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
