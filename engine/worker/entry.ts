/** The Worker's entry: fits the session to the thread it runs in. */
import type { InspectionMessage, InspectionRequest } from './inspection-protocol.ts'
import { machineFactory } from './machine-factory.ts'
import type { PageMessage, WorkerMessage } from './protocol.ts'
import { Session } from './session.ts'

/** What of a dedicated Worker's scope is used. Declared here because the engine compiles without that library. */
interface MessagePort {
  onmessage: (() => void) | null
  postMessage(message: number): void
}

interface WorkerScope {
  MessageChannel: new () => { port1: MessagePort; port2: MessagePort }
  postMessage(message: WorkerMessage | InspectionMessage, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: { data: PageMessage | InspectionRequest }) => void): void
  setTimeout(callback: () => void, milliseconds: number): number
  clearTimeout(timer: number): void
  performance: { now(): number }
}

const scope = globalThis as unknown as WorkerScope

// A message to oneself queues behind the messages already waiting, and unlike a timer it is never delayed.
const yieldChannel = new scope.MessageChannel()
let afterYield: (() => void) | null = null
yieldChannel.port1.onmessage = () => {
  const callback = afterYield
  afterYield = null
  callback?.()
}

const session = new Session(
  {
    post: (message, transfer = []) => scope.postMessage(message, transfer),
    now: () => scope.performance.now(),
    soon(callback) {
      if (afterYield === null) yieldChannel.port2.postMessage(0)
      // Only the newest wish counts: an older one belongs to a turn that was called off.
      afterYield = callback
    },
    after(milliseconds, callback) {
      const timer = scope.setTimeout(callback, milliseconds)
      return () => scope.clearTimeout(timer)
    },
  },
  machineFactory,
)

scope.addEventListener('message', event => session.receive(event.data))
scope.postMessage({ type: 'ready' }, [])
