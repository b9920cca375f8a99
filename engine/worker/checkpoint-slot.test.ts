import { describe, expect, it } from 'vitest'
import type { InspectionMessage } from './inspection-protocol.ts'
import { machineFactory } from './machine-factory.ts'
import type { LoadMessage, WorkerMessage } from './protocol.ts'
import { Session } from './session.ts'

/** A bare-metal Image that counts in X0 and says so on the UART: `add x0, x0, #1; strb w0, [x1]; b .-8`. */
function counter(): ArrayBuffer {
  const image = new Uint8Array(4096)
  const view = new DataView(image.buffer)
  view.setUint32(0, 0x14000010, true)
  view.setBigUint64(16, 4096n, true)
  view.setBigUint64(24, 0b1010n, true)
  view.setUint32(56, 0x644d5241, true)
  const words = [0xd2a12001, 0x91000400, 0x39000020, 0x17fffffe] // x1 = 0x0900_0000
  for (const [i, word] of words.entries()) view.setUint32(64 + 4 * i, word, true)
  return image.buffer
}

function bench() {
  const posted: (WorkerMessage | InspectionMessage)[] = []
  const queue: (() => void)[] = []
  let time = 0
  const session = new Session(
    {
      post: message => posted.push(message),
      now: () => time++,
      soon: callback => queue.push(callback),
      after: () => () => {},
    },
    machineFactory,
  )
  const load: LoadMessage = {
    type: 'load',
    image: counter(),
    initrd: null,
    settings: { append: '', ramMiB: 128, crypto: false },
    milestones: [],
    hashAt: [],
  }
  const turns = (n: number) => {
    for (let i = 0; i < n; i++) queue.shift()?.()
    session.receive({ type: 'consoleShown', bytes: 1e9 })
  }
  const of = <T extends WorkerMessage['type']>(type: T) =>
    posted.filter((message): message is Extract<WorkerMessage, { type: T }> => message.type === type)
  const hash = () => {
    session.receive({ type: 'stateHash' })
    return of('hash').at(-1)
  }
  return { session, load, turns, of, hash }
}

describe('a kept moment of a session', () => {
  it('is gone back to as often as asked; the machine then does what it did, or what is asked', () => {
    const { session, load, turns, of, hash } = bench()
    session.receive(load)
    session.receive({ type: 'boot' })
    turns(3)
    session.receive({ type: 'checkpoint' })
    const taken = of('checkpointTaken')[0]!
    const kept = hash()
    expect(kept?.instructions).toBe(taken.instructions)
    turns(3)
    expect(hash()?.instructions).toBeGreaterThan(taken.instructions)
    session.receive({ type: 'restore' })
    expect(hash()).toEqual(kept)
    expect(of('restored')).toEqual([{ type: 'restored', instructions: taken.instructions, events: 0 }])
    expect(of('status').at(-1)?.state).toBe('running')
    turns(3)
    session.receive({ type: 'pause' })
    session.receive({ type: 'restore' })
    expect(of('status').at(-1)).toMatchObject({ state: 'paused', instructions: taken.instructions })
    session.receive({ type: 'restore', run: true })
    expect(of('status').at(-1)?.state).toBe('running')
    session.receive({ type: 'restore', run: false })
    expect(hash()).toEqual(kept)
    expect(of('status').at(-1)?.state).toBe('paused')
  })

  it('is of one machine, and asked for in vain says so', () => {
    const { session, load, of } = bench()
    session.receive({ type: 'checkpoint' })
    session.receive({ type: 'restore' })
    session.receive(load)
    session.receive({ type: 'restore' })
    session.receive({ type: 'checkpoint' })
    session.receive(load)
    session.receive({ type: 'restore' })
    expect(of('error').map(e => e.message)).toEqual([
      'There is no machine to keep a moment of.',
      'There is no moment to go back to.',
      'There is no moment to go back to.',
      'There is no moment to go back to.',
    ])
    expect(of('checkpointTaken')).toEqual([{ type: 'checkpointTaken', instructions: 0 }])
  })
})
