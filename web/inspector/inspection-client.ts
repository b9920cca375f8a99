import type {
  Answer,
  FactsFrame,
  HostCallName,
  InspectionMessage,
  InspectionRequest,
  LabEvent,
  OwnershipFrame,
  PageDetail,
  WalkView,
} from '../../engine/worker/inspection-protocol.ts'

/** Where an address that was typed leads. */
export interface Resolution {
  physical: number
  explanation: string
  walk: WalkView | null
}

export type HostCallDone = Extract<InspectionMessage, { type: 'hostCallDone' }>

export interface EventBatch {
  events: LabEvent[]
  /** How many the Worker's ring buffer has lost since reset. */
  dropped: number
}

/** A question that the machine can no longer answer: it was reset or replaced. */
export class MachineGoneError extends Error {
  override name = 'MachineGoneError'
}

interface Waiting {
  resolve(answer: never): void
  reject(error: Error): void
}

interface Watcher<T> {
  hertz: number
  listener(frame: T): void
}

/**
 * Questions about the inside of the machine, and frames that come unasked. Subscriptions outlive machines: they are
 * made again for each. With no machine, questions are refused and subscriptions wait.
 */
export class InspectionClient {
  private pausing = false
  private pausingOnViolation = true
  private stopAt: number | null = null
  private send: ((request: InspectionRequest) => void) | null = null
  private nextId = 1
  private readonly waiting = new Map<number, Waiting>()
  private readonly ownershipWatchers = new Set<Watcher<OwnershipFrame>>()
  private readonly factsWatchers = new Set<Watcher<FactsFrame>>()
  private readonly eventWatchers = new Set<(batch: EventBatch) => void>()
  private readonly violationWatchers = new Set<(events: LabEvent[]) => void>()
  private readonly startWatchers = new Set<() => void>()
  private readonly endWatchers = new Set<() => void>()
  private readonly restoreWatchers = new Set<(events: number) => void>()

  /** A machine was made. @param send carries a request to its Worker. */
  machineMade(send: (request: InspectionRequest) => void): void {
    this.dropQuestions()
    this.send = send
    for (const started of this.startWatchers) started()
    if (this.ownershipWatchers.size > 0) this.subscribe('subscribeOwnership', this.ownershipWatchers)
    if (this.factsWatchers.size > 0) this.subscribe('subscribeFacts', this.factsWatchers)
    if (this.eventWatchers.size > 0) send({ type: 'subscribeEvents', on: true })
    if (this.pausing) send({ type: 'pauseOnVms', on: true })
    if (!this.pausingOnViolation) send({ type: 'pauseOnViolation', on: false })
    if (this.stopAt !== null) send({ type: 'pauseAt', instructions: this.stopAt })
    this.stopAt = null
  }

  /** The machine no longer exists and has no successor yet; what was asked of it stays unanswered. */
  machineGone(): void {
    this.send = null
    this.stopAt = null
    this.dropQuestions()
    for (const ended of this.endWatchers) ended()
  }

  /** The machine went back to an earlier moment. @param events sequence of the newest event that has happened by then. */
  machineRestored(events: number): void {
    for (const restored of this.restoreWatchers) restored(events)
  }

  private dropQuestions(): void {
    for (const waiting of this.waiting.values()) waiting.reject(new MachineGoneError('The machine was reset meanwhile.'))
    this.waiting.clear()
  }

  /** How often frames are wanted now, a second. */
  get rates(): { facts: number; ownership: number } {
    return { facts: highest(this.factsWatchers), ownership: highest(this.ownershipWatchers) }
  }

  get hasMachine(): boolean {
    return this.send !== null
  }

  /** @param physical any address inside the page. @throws MachineGoneError */
  async inspectPage(physical: number): Promise<PageDetail> {
    return (await this.ask<Extract<InspectionMessage, { type: 'pageDetail' }>>(id => ({ type: 'inspectPage', id, physical }))).detail
  }

  /** @param text as the learner typed it. @throws MachineGoneError */
  async resolve(text: string): Promise<Answer<Resolution>> {
    return (await this.ask<Extract<InspectionMessage, { type: 'resolved' }>>(id => ({ type: 'resolve', id, text }))).answer
  }

  /** Events with a sequence above `after`, oldest first, at most `limit`. @throws MachineGoneError */
  events(after: number, limit: number): Promise<EventBatch & { total: number }> {
    return this.ask<Extract<InspectionMessage, { type: 'eventList' }>>(id => ({ type: 'events', id, after, limit }))
  }

  /** The calls that the host's kernel can make to its hypervisor. @throws MachineGoneError */
  async hostCallNames(): Promise<{ calls: HostCallName[]; why: string }> {
    return await this.ask<Extract<InspectionMessage, { type: 'hostCallNames' }>>(id => ({ type: 'hostCallList', id }))
  }

  /** Makes one of them by hand; the machine is paused for it. @throws MachineGoneError */
  async hostCall(call: string, args: string[], onPanic: 'undo' | 'keep'): Promise<HostCallDone> {
    return await this.ask<HostCallDone>(id => ({ type: 'hostCall', id, call, args, onPanic }))
  }

  /** The reconstruction of CONFIG_PROTECTED_VM_UAPI. Nothing happens without a machine. */
  setGate(option: 'y' | 'n'): void {
    this.send?.({ type: 'setGate', option })
  }

  /** The next machine to be made pauses after so many instructions, or as soon after as EL2 has finished. */
  pauseNextAt(instructions: number): void {
    this.stopAt = instructions
  }

  /** Whether machines, this one and those to come, pause where an invariant falls. */
  pauseOnViolation(on: boolean): void {
    this.pausingOnViolation = on
    this.send?.({ type: 'pauseOnViolation', on })
  }

  /** Called when invariants fell. @returns ends the watching */
  watchViolations(listener: (events: LabEvent[]) => void): () => void {
    this.violationWatchers.add(listener)
    return () => this.violationWatchers.delete(listener)
  }

  /** Whether machines, this one and those to come, pause when the table of VMs changes. */
  pauseOnVms(on: boolean): void {
    this.pausing = on
    this.send?.({ type: 'pauseOnVms', on })
  }

  /** @param hertz how often at most; the highest wish of all watchers counts. @returns ends the watching */
  watchOwnership(hertz: number, listener: (frame: OwnershipFrame) => void): () => void {
    return this.watch('subscribeOwnership', this.ownershipWatchers, { hertz, listener })
  }

  /** As watchOwnership, for the small facts. */
  watchFacts(hertz: number, listener: (frame: FactsFrame) => void): () => void {
    return this.watch('subscribeFacts', this.factsWatchers, { hertz, listener })
  }

  /** New events as they come. @returns ends the watching */
  watchEvents(listener: (batch: EventBatch) => void): () => void {
    this.eventWatchers.add(listener)
    if (this.eventWatchers.size === 1) this.send?.({ type: 'subscribeEvents', on: true })
    return () => {
      if (this.eventWatchers.delete(listener) && this.eventWatchers.size === 0) this.send?.({ type: 'subscribeEvents', on: false })
    }
  }

  /** Called for each new machine, before any frame of it. @returns ends the watching */
  watchStart(listener: () => void): () => void {
    this.startWatchers.add(listener)
    return () => this.startWatchers.delete(listener)
  }

  /** Called when the machine was thrown away. @returns ends the watching */
  watchEnd(listener: () => void): () => void {
    this.endWatchers.add(listener)
    return () => this.endWatchers.delete(listener)
  }

  /** Called when the machine went back to an earlier moment, before any frame of it. @returns ends the watching */
  watchRestore(listener: (events: number) => void): () => void {
    this.restoreWatchers.add(listener)
    return () => this.restoreWatchers.delete(listener)
  }

  /** What the Worker sent. Answers to questions of an earlier machine fall on deaf ears. */
  receive(message: InspectionMessage): void {
    // A late frame of a machine that Reset has thrown away.
    if (this.send === null) return
    switch (message.type) {
      case 'ownership':
        for (const watcher of this.ownershipWatchers) watcher.listener(message)
        break
      case 'facts':
        for (const watcher of this.factsWatchers) watcher.listener(message)
        break
      case 'violations':
        for (const listener of this.violationWatchers) listener(message.events)
        break
      case 'newEvents':
        for (const listener of this.eventWatchers) listener(message)
        break
      default:
        this.waiting.get(message.id)?.resolve(message as never)
        this.waiting.delete(message.id)
    }
  }

  private ask<T>(request: (id: number) => InspectionRequest): Promise<T> {
    const { send } = this
    if (send === null) return Promise.reject(new MachineGoneError('There is no machine. Press Boot first.'))
    const id = this.nextId++
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      send(request(id))
    })
  }

  private watch<T>(type: 'subscribeOwnership' | 'subscribeFacts', watchers: Set<Watcher<T>>, watcher: Watcher<T>): () => void {
    watchers.add(watcher)
    this.subscribe(type, watchers)
    return () => {
      if (watchers.delete(watcher)) this.subscribe(type, watchers)
    }
  }

  private subscribe<T>(type: 'subscribeOwnership' | 'subscribeFacts', watchers: Set<Watcher<T>>): void {
    this.send?.({ type, hertz: highest(watchers) })
  }
}

function highest<T>(watchers: ReadonlySet<Watcher<T>>): number {
  return Math.max(0, ...[...watchers].map(watcher => watcher.hertz))
}

const MESSAGE_TYPES: ReadonlySet<string> = new Set<InspectionMessage['type']>([
  'ownership',
  'facts',
  'newEvents',
  'violations',
  'pageDetail',
  'resolved',
  'eventList',
  'hostCallNames',
  'hostCallDone',
])

export function isInspectionMessage(message: { type: string }): message is InspectionMessage {
  return MESSAGE_TYPES.has(message.type)
}

/** The page has one machine, and one line to its inside. */
export const inspection = new InspectionClient()
