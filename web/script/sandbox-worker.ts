/**
 * The Worker that scripts run in, inside an iframe of an opaque origin. It gets a bundle and a port, takes everything
 * of the browser away from the global scope, and runs the script. Bundled to one string by the build, so it imports
 * only what is plain TypeScript.
 */
import type { AgentMessage, AgentRequestMessage } from '../../engine/agent/messages.ts'
import type { AgentPort } from '../../engine/agent/port.ts'
import { RemoteAgentPort } from '../../engine/agent/remote-port.ts'
import { runScript } from '../../lessons/kvm/run-script.ts'
import { boundMemory } from './bound-memory.ts'
import { confine } from './confine.ts'
import { BOUNDS, type FromSandbox, type Output, type StartMessage, type ToSandbox } from './sandbox-protocol.ts'

/** Most items of one message, when there are many. */
const BATCH = 200
/** So many messages go out at once in each so many milliseconds: what comes before an endless loop must be seen. */
const PROMPT = 40
const WINDOW_MS = 20

self.onmessage = (event: MessageEvent<StartMessage>) => {
  self.onmessage = null
  const port = event.ports[0]
  if (port === undefined) return
  const { bundle } = event.data
  const post = port.postMessage.bind(port) as (message: FromSandbox) => void
  const later = self.setTimeout.bind(self)
  const listeners = new Set<(message: AgentMessage) => void>()
  port.onmessage = ({ data }: MessageEvent<ToSandbox>) => {
    if (data.type === 'pulse') return post({ type: 'pulse' })
    for (const listener of [...listeners]) listener(data)
  }
  const agent = new RemoteAgentPort({
    post: (message: AgentRequestMessage) => post(message),
    subscribe: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  })
  const outbox = new Outbox(post, later)
  confine(self)
  boundMemory(globalThis as unknown as Record<string, unknown>)
  post({ type: 'pulse' })
  void runScript(bundle, {
    port: fewAtOnce(agent),
    onPrint: line => outbox.print(line),
    onTrace: entry => outbox.put({ kind: 'trace', entry }),
    onAnswer: (name, value) => outbox.answer(name, value),
  }).then(({ ending }) => {
    outbox.flush()
    post({ type: 'ended', ending })
  })
}

/** A script that never waits for its calls must not fill the page with them. */
function fewAtOnce(port: RemoteAgentPort): AgentPort & { readonly instructions: number | null } {
  let under = 0
  const waiting: (() => void)[] = []
  return {
    get instructions() {
      return port.instructions
    },
    async exchange(frame) {
      if (under >= BOUNDS.requests) await new Promise<void>(go => waiting.push(go))
      under++
      try {
        return await port.exchange(frame)
      } finally {
        under--
        waiting.shift()?.()
      }
    },
  }
}

/** What the script tells, in batches and within bounds. */
class Outbox {
  private items: Output[] = []
  private scheduled = false
  private windowStart = 0
  private sent = 0
  private prints = 0
  private characters = 0
  private traces = 0
  private answerBytes = 0

  constructor(
    private readonly post: (message: FromSandbox) => void,
    private readonly later: (callback: () => void, milliseconds: number) => void,
  ) {}

  print(text: string): void {
    this.prints++
    this.characters += text.length
    if (this.prints <= BOUNDS.prints && this.characters <= BOUNDS.printCharacters) this.put({ kind: 'print', text })
    else if (this.prints - 1 <= BOUNDS.prints && this.characters - text.length <= BOUNDS.printCharacters)
      this.put({ kind: 'bound', of: 'print' })
  }

  answer(name: string, value: Extract<Output, { kind: 'answer' }>['value']): void {
    this.answerBytes += 64 + name.length + sizeOf(value)
    if (this.answerBytes > BOUNDS.answerBytes)
      throw new RangeError(`answer: the values of one run are more than ${BOUNDS.answerBytes >> 20} MiB together.`)
    this.put({ kind: 'answer', name, value })
  }

  put(item: Output): void {
    if (item.kind === 'trace') {
      this.traces++
      if (this.traces > BOUNDS.traces) return
      if (this.traces === BOUNDS.traces) item = { kind: 'bound', of: 'trace' }
    }
    this.items.push(item)
    const now = Date.now()
    if (now - this.windowStart > WINDOW_MS) {
      this.windowStart = now
      this.sent = 0
    }
    if (item.kind === 'bound' || this.sent < PROMPT || this.items.length >= BATCH) this.flush()
    else if (!this.scheduled) {
      this.scheduled = true
      this.later(() => this.flush(), WINDOW_MS)
    }
  }

  flush(): void {
    this.scheduled = false
    if (this.items.length === 0) return
    this.sent++
    const items = this.items
    this.items = []
    this.post({ type: 'output', items })
  }
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 2 * value.length
  if (value instanceof Uint8Array) return value.length
  if (typeof value === 'object' && value !== null) {
    let bytes = 16
    for (const [name, item] of Object.entries(value)) bytes += 16 + 2 * name.length + sizeOf(item)
    return bytes
  }
  return 16
}
