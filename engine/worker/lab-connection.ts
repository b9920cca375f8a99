/** The lab as those see it who only exchange messages with it, wherever it runs. */
import type { InspectionMessage, InspectionRequest } from './inspection-protocol.ts'
import type { PageMessage, WorkerMessage } from './protocol.ts'

export type LabRequest = PageMessage | InspectionRequest
export type LabMessage = WorkerMessage | InspectionMessage

export interface LabConnection {
  post(message: LabRequest): void
  /** @returns unsubscribes. */
  subscribe(listener: (message: LabMessage) => void): () => void
}
