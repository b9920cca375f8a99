/**
 * Questions to the lab as promises, over the messages that page and Worker exchange. Ids are its own, above those that
 * the page's other askers count up.
 */
import type { FactsFrame, HostCallAnswer, HostCallRequest, LabEvent, OwnershipFrame, PageDetail, Answer as Told } from '../../engine/worker/inspection-protocol.ts'
import type { LabConnection, LabMessage, LabRequest } from '../../engine/worker/lab-connection.ts'

export type { LabConnection, LabMessage, LabRequest }

/** Answers that repeat their question's id. */
type Numbered = Extract<LabMessage, { type: 'pageDetail' | 'resolved' | 'eventList' | 'hostCallDone' }>

/** Frames a second that whoever else uses the connection wants; asking for one frame sets it back to this. */
export interface FrameRates {
  readonly facts: number
  readonly ownership: number
}

const NO_FRAMES: FrameRates = { facts: 0, ownership: 0 }
const FIRST_ID = 0x4000_0000
const EVENTS_AT_ONCE = 20_000

let lastId = FIRST_ID

export class LabQuestions {
  /** @param rates asked anew each time: the page's panels come and go */
  constructor(
    private readonly connection: LabConnection,
    private readonly rates: () => FrameRates = () => NO_FRAMES,
  ) {}

  /** Sequence of the newest event. */
  async newestEvent(): Promise<number> {
    return (await this.eventList(0, 0)).total
  }

  /** Events after one sequence and up to another, oldest first. */
  async events(after: number, upTo = Number.POSITIVE_INFINITY): Promise<LabEvent[]> {
    const found: LabEvent[] = []
    for (let from = after; ; ) {
      const { events } = await this.eventList(from, EVENTS_AT_ONCE)
      for (const event of events) if (event.sequence <= upTo) found.push(event)
      const last = events.at(-1)?.sequence
      if (last === undefined || last >= upTo || events.length < EVENTS_AT_ONCE) return found
      from = last
    }
  }

  page(physical: number): Promise<PageDetail> {
    return this.ask('pageDetail', id => ({ type: 'inspectPage', id, physical })).then(answer => answer.detail)
  }

  async resolve(text: string): Promise<Told<number>> {
    const { answer } = await this.ask('resolved', id => ({ type: 'resolve', id, text }))
    return answer.known ? { known: true, value: answer.value.physical } : answer
  }

  async facts(): Promise<FactsFrame> {
    const frame = this.next('facts')
    this.connection.post({ type: 'subscribeFacts', hertz: Math.max(1, this.rates().facts) })
    const result = await frame
    if (this.rates().facts === 0) this.connection.post({ type: 'subscribeFacts', hertz: 0 })
    return result
  }

  async ownership(): Promise<OwnershipFrame> {
    const frame = this.next('ownership')
    this.connection.post({ type: 'subscribeOwnership', hertz: Math.max(1, this.rates().ownership) })
    const result = await frame
    if (this.rates().ownership === 0) this.connection.post({ type: 'subscribeOwnership', hertz: 0 })
    return result
  }

  /** One hypercall by hand, as a hostile host would make it. @throws Error that says why it could not be made */
  async hostCall(call: string, args: readonly string[]): Promise<HostCallAnswer> {
    const done = await this.ask('hostCallDone', (id): HostCallRequest => ({ type: 'hostCall', id, call, args: [...args] }))
    if (!done.ok) throw new Error(done.message)
    return done.answer
  }

  private eventList(after: number, limit: number) {
    return this.ask('eventList', id => ({ type: 'events', id, after, limit }))
  }

  private ask<T extends Numbered['type']>(type: T, request: (id: number) => LabRequest): Promise<Extract<LabMessage, { type: T }>> {
    const id = ++lastId
    const answer = this.next(type, message => (message as Numbered).id === id)
    this.connection.post(request(id))
    return answer
  }

  private next<T extends LabMessage['type']>(
    type: T,
    accept: (message: Extract<LabMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<LabMessage, { type: T }>> {
    return new Promise<Extract<LabMessage, { type: T }>>(resolve => {
      const unsubscribe = this.connection.subscribe(message => {
        if (message.type !== type || !accept(message as Extract<LabMessage, { type: T }>)) return
        unsubscribe()
        resolve(message as Extract<LabMessage, { type: T }>)
      })
    })
  }
}
