import type { InspectionMessage, InspectionRequest } from '../engine/worker/inspection-protocol.ts'
import type { LoadMessage, PageMessage, WorkerMessage } from '../engine/worker/protocol.ts'
import { inspection, isInspectionMessage } from './inspector/inspection-client.ts'

/** The Worker that holds the machine. Starts a new one when the old one dies, so that Reset always works. */
export class MachineClient {
  private worker: Worker | null = null
  private nextCheck = 1
  private readonly checks = new Map<number, (answer: Extract<WorkerMessage, { type: 'checked' }>) => void>()

  constructor(
    private readonly onMessage: (message: WorkerMessage) => void,
    /** The Worker itself broke: out of memory, or a fault of the lab. */
    private readonly onBroken: (message: string) => void,
  ) {}

  private started(): Worker {
    if (this.worker !== null) return this.worker
    const worker = new Worker(new URL('../engine/worker/entry.ts', import.meta.url), { type: 'module', name: 'machine' })
    worker.addEventListener('message', (event: MessageEvent<WorkerMessage | InspectionMessage>) => {
      if (this.worker !== worker) return
      const message = event.data
      if (isInspectionMessage(message)) inspection.receive(message)
      else if (message.type === 'checked') {
        this.checks.get(message.id)?.(message)
        this.checks.delete(message.id)
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
    for (const [id, answer] of this.checks) {
      answer({ type: 'checked', id, ok: false, message: 'The machine was reset meanwhile.', hint: 'Choose the file again.' })
    }
    this.checks.clear()
  }

  send(message: Exclude<PageMessage, LoadMessage | { type: 'check' }>): void {
    this.started().postMessage(message)
  }

  /** A question about the inside of the machine; see inspector/inspection-client.ts. */
  sendInspection(request: InspectionRequest): void {
    this.worker?.postMessage(request)
  }

  /** The Worker gets copies of the files: the page keeps its own for the next boot. */
  load(message: Omit<LoadMessage, 'type'>): void {
    this.started().postMessage({ type: 'load', ...message } satisfies LoadMessage)
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
