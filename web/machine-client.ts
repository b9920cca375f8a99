import type { InspectionMessage, InspectionRequest } from '../engine/worker/inspection-protocol.ts'
import type { BuildAnswer, BuildRequest } from '../engine/worker/build-protocol.ts'
import type { LabConnection, LabMessage, LabRequest } from '../lessons/run/questions.ts'
import type { LoadMessage, PageMessage, WorkerMessage } from '../engine/worker/protocol.ts'
import { agentLost, connectAgent, isAgentMessage, receiveAgent } from './script/agent-channel.ts'
import { inspection, isInspectionMessage } from './inspector/inspection-client.ts'

/** A question about sources; the client numbers it. */
export type BuildQuestion = BuildRequest extends infer R ? (R extends BuildRequest ? Omit<R, 'id'> : never) : never

/** The Worker that holds the machine. Starts a new one when the old one dies, so that Reset always works. */
export class MachineClient implements LabConnection {
  private readonly listeners = new Set<(message: LabMessage) => void>()
  private worker: Worker | null = null
  private nextCheck = 1
  private readonly builds = new Map<number, (answer: BuildAnswer | null) => void>()
  private readonly checks = new Map<number, (answer: Extract<WorkerMessage, { type: 'checked' }>) => void>()

  constructor(
    private readonly onMessage: (message: WorkerMessage) => void,
    /** The Worker itself broke: out of memory, or a fault of the lab. */
    private readonly onBroken: (message: string) => void,
  ) {
    connectAgent(message => this.started().postMessage(message))
  }

  private started(): Worker {
    if (this.worker !== null) return this.worker
    const worker = new Worker(new URL('../engine/worker/entry.ts', import.meta.url), { type: 'module', name: 'machine' })
    worker.addEventListener('message', (event: MessageEvent<WorkerMessage | InspectionMessage>) => {
      if (this.worker !== worker) return
      const message = event.data
      for (const listener of [...this.listeners]) listener(message)
      if (isInspectionMessage(message)) inspection.receive(message)
      else if (isAgentMessage(message)) receiveAgent(message)
      else if (message.type === 'checked') {
        this.checks.get(message.id)?.(message)
        this.checks.delete(message.id)
      } else if (message.type === 'built' || message.type === 'listingDiff') {
        this.builds.get(message.id)?.(message)
        this.builds.delete(message.id)
      } else this.onMessage(message)
    })
    worker.addEventListener('error', event => {
      if (this.worker !== worker) return
      event.preventDefault()
      this.abandon()
      this.onBroken(event.message || 'The Worker could not be started.')
    })
    this.worker = worker
    return worker
  }

  /** Ends the Worker without asking it. The next message starts a fresh one. */
  abandon(): void {
    this.worker?.terminate()
    this.worker = null
    inspection.machineGone()
    agentLost('The machine was reset.')
    for (const [id, answer] of this.checks) {
      answer({ type: 'checked', id, ok: false, message: 'The machine was reset meanwhile.', hint: 'Choose the file again.' })
    }
    this.checks.clear()
    for (const answer of this.builds.values()) answer(null)
    this.builds.clear()
  }

  send(message: Exclude<PageMessage, LoadMessage | BuildRequest | { type: 'check' }>): void {
    this.started().postMessage(message)
  }

  /** For those who speak the Worker's messages themselves, such as lessons. */
  post(message: LabRequest): void {
    this.started().postMessage(message)
  }

  /** Everything that the Worker says, before anyone else hears it. */
  subscribe(listener: (message: LabMessage) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** A question about the inside of the machine; see inspector/inspection-client.ts. */
  sendInspection(request: InspectionRequest): void {
    this.worker?.postMessage(request)
  }

  /** The Worker gets copies of the files: the page keeps its own for the next boot. */
  load(message: Omit<LoadMessage, 'type'>): void {
    this.started().postMessage({ type: 'load', ...message } satisfies LoadMessage)
  }

  /** Asks what sources assemble to. @returns null when the Worker was replaced meanwhile */
  build(request: BuildQuestion): Promise<BuildAnswer | null> {
    const id = this.nextCheck++
    const worker = this.started()
    return new Promise(resolve => {
      this.builds.set(id, resolve)
      worker.postMessage({ ...request, id } satisfies PageMessage)
    })
  }

  /** Asks whether an Image can be started, without touching a machine that runs. */
  check(image: ArrayBuffer): Promise<Extract<WorkerMessage, { type: 'checked' }>> {
    const id = this.nextCheck++
    const worker = this.started()
    return new Promise(resolve => {
      this.checks.set(id, resolve)
      worker.postMessage({ type: 'check', id, image } satisfies PageMessage)
    })
  }
}
