/**
 * The lab's end of the agent's serial line: request frames go out one at a time, answer frames come back as promises.
 * The line is any pair of byte pipes; boot noise before the agent's hello is passed over.
 */
import { AgentGoneError, type AgentPort } from './port.ts'
import { AgentProtocolError, decodeFrame, decodeHello, type Hello } from './requests.ts'
import { ANSWER, HEADER_BYTES, MOST_ANSWER_BYTES, MOST_REQUEST_BYTES, Op } from './wire.ts'

export interface AgentLine {
  /** Bytes for the guest's second serial port. */
  send(bytes: Uint8Array): void
}

interface Waiting {
  frame: Uint8Array
  resolve(frame: Uint8Array): void
  reject(error: Error): void
}

/** What a link knows of an agent that another link was talking to, so that a new one can go on from there. */
export interface AgentLinkState {
  /** null: it has not said hello yet. */
  readonly hello: Hello | null
  /** The start of a frame that was on its way. */
  readonly held: Uint8Array
  /** Of the last request that went out: its answer, if it is still to come, is not taken for that of another. */
  readonly sequence: number
}

/** Requests that may wait for their turn: a script that asks in a loop without awaiting is told, before memory runs out. */
const MOST_WAITING = 1024

/** Length of the unasked hello, by which it is recognised among what the port may carry before. */
const HELLO_BYTES = HEADER_BYTES + 32

export class AgentLink implements AgentPort {
  /** The agent's unasked hello. Rejects with AgentGoneError when the link is closed first. */
  readonly ready: Promise<Hello>
  private resolveReady!: (hello: Hello) => void
  private rejectReady!: (error: Error) => void
  private hello: Hello | null = null
  private closed: AgentGoneError | null = null
  private readonly queue: Waiting[] = []
  /** The request that the agent has and has not answered, with the sequence it went out under. */
  private under: { waiting: Waiting; sequence: number } | null = null
  private sequence = 0
  private input = new Uint8Array(4096)
  private held = 0

  /** @param from the machine is at a moment when another link was in this state */
  constructor(
    private readonly line: AgentLine,
    from?: AgentLinkState,
  ) {
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve
      this.rejectReady = reject
    })
    // A link that is closed before anyone asked for `ready` is no error of the program.
    this.ready.catch(() => {})
    if (from === undefined) return
    this.append(from.held)
    this.sequence = from.sequence
    this.hello = from.hello
    if (from.hello !== null) this.resolveReady(from.hello)
  }

  get state(): AgentLinkState {
    return { hello: this.hello, held: this.input.slice(0, this.held), sequence: this.sequence }
  }

  /** Whether the agent has said hello and the link is open. */
  get isReady(): boolean {
    return this.hello !== null && this.closed === null
  }

  /** Why the link is closed; null while it is open. */
  get closedBecause(): string | null {
    return this.closed?.message ?? null
  }

  /** Requests that have no answer yet. */
  get pending(): number {
    return this.queue.length + (this.under === null ? 0 : 1)
  }

  /** @see AgentPort. Rejects with AgentProtocolError at once when the bytes are no request frame. */
  exchange(frame: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.closed !== null) throw this.closed
      checkRequest(frame)
      if (this.queue.length >= MOST_WAITING) {
        throw new AgentProtocolError(`${MOST_WAITING} requests wait for the agent already: await each call before the next`)
      }
      this.queue.push({ frame: frame.slice(), resolve, reject })
      this.sendNext()
    })
  }

  /** Bytes that the guest wrote to its second serial port. */
  receive(bytes: Uint8Array): void {
    if (this.closed !== null) return
    this.append(bytes)
    if (this.hello === null && !this.findHello()) return
    for (;;) {
      const frame = this.takeFrame()
      if (frame === null) return
      this.deliver(frame)
    }
  }

  /** Nothing will come any more: everything that waits, and every later request, fails with this sentence. */
  close(reason: string): void {
    if (this.closed !== null) return
    this.closed = new AgentGoneError(reason)
    const waiting = [...(this.under === null ? [] : [this.under.waiting]), ...this.queue]
    this.under = null
    this.queue.length = 0
    this.rejectReady(this.closed)
    for (const w of waiting) w.reject(this.closed)
  }

  private sendNext(): void {
    if (this.under !== null || this.hello === null) return
    const waiting = this.queue.shift()
    if (waiting === undefined) return
    this.sequence = (this.sequence % 0xffff_ffff) + 1
    this.under = { waiting, sequence: this.sequence }
    const frame = waiting.frame.slice()
    setSequence(frame, this.sequence)
    this.line.send(frame)
  }

  private deliver(frame: Uint8Array): void {
    const { under } = this
    const { op, sequence, answer } = decodeFrame(frame)
    // An answer to something this link did not ask, such as to noise that was on the line: not ours.
    if (under === null || !answer || sequence !== under.sequence || op !== (under.waiting.frame[4]! | (under.waiting.frame[5]! << 8))) {
      return
    }
    this.under = null
    const asked = new DataView(under.waiting.frame.buffer, under.waiting.frame.byteOffset).getUint32(8, true)
    setSequence(frame, asked)
    under.waiting.resolve(frame)
    this.sendNext()
  }

  private append(bytes: Uint8Array): void {
    if (this.held + bytes.length > this.input.length) {
      const larger = new Uint8Array(Math.max(this.input.length * 2, this.held + bytes.length))
      larger.set(this.input.subarray(0, this.held))
      this.input = larger
    }
    this.input.set(bytes, this.held)
    this.held += bytes.length
  }

  private drop(bytes: number): void {
    this.input.copyWithin(0, bytes, this.held)
    this.held -= bytes
  }

  /** Looks for the hello in what has come so far; what precedes it is dropped. */
  private findHello(): boolean {
    let at = 0
    for (; at + HELLO_BYTES <= this.held; at++) {
      const frame = this.input.subarray(at, at + HELLO_BYTES)
      const view = new DataView(frame.buffer, frame.byteOffset, HELLO_BYTES)
      if (view.getUint32(0, true) !== HELLO_BYTES || view.getUint16(4, true) !== (Op.hello | ANSWER)) continue
      if (view.getUint32(8, true) !== 0 || view.getUint32(12, true) !== 0) continue
      const payload = frame.slice(HEADER_BYTES)
      this.drop(at + HELLO_BYTES)
      try {
        this.hello = decodeHello(payload)
      } catch (error) {
        this.close(error instanceof Error ? error.message : String(error))
        return false
      }
      this.resolveReady(this.hello)
      this.sendNext()
      return true
    }
    this.drop(at)
    return false
  }

  private takeFrame(): Uint8Array | null {
    if (this.closed !== null || this.held < HEADER_BYTES) return null
    const bytes = new DataView(this.input.buffer).getUint32(0, true)
    if (bytes < HEADER_BYTES || bytes > MOST_ANSWER_BYTES) {
      this.close('the agent in the machine sent something that is no answer: reset the machine and boot it again')
      return null
    }
    if (this.held < bytes) return null
    const frame = this.input.slice(0, bytes)
    this.drop(bytes)
    return frame
  }
}

function setSequence(frame: Uint8Array, sequence: number): void {
  new DataView(frame.buffer, frame.byteOffset, frame.byteLength).setUint32(8, sequence, true)
}

/** A frame that the agent could not tell from garbage would hold up everyone behind it. */
function checkRequest(frame: Uint8Array): void {
  const { answer } = decodeFrame(frame)
  if (answer) throw new AgentProtocolError('this frame is an answer, not a request')
  if (frame.length > MOST_REQUEST_BYTES) {
    throw new AgentProtocolError(`a request of ${frame.length} bytes is too large: the agent takes ${MOST_REQUEST_BYTES} at a time`)
  }
}

