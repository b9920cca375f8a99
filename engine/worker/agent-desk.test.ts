import { describe, expect, it } from 'vitest'
import type { AgentMessage } from '../agent/messages.ts'
import { decodeFrame, encodeFrame, encodeRequest, encodeSyscall, type Frame } from '../agent/requests.ts'
import { Op, PROTOCOL_VERSION } from '../agent/wire.ts'
import { AgentDesk } from './agent-desk.ts'

const APPEND = 'console=ttyAMA0 lab.init=agent'

function desk() {
  const posted: AgentMessage[] = []
  const got: Frame[] = []
  const machine = { virtualNanoseconds: 0, instructions: 0, receiveAgent: (bytes: Uint8Array) => void got.push(decodeFrame(bytes.slice())) }
  const payload = new Uint8Array(32)
  payload[0] = PROTOCOL_VERSION
  const hello = encodeFrame({ op: Op.hello, answer: true, process: 0, sequence: 0, status: 0, payload })
  const d = new AgentDesk(message => posted.push(message))
  const answer = () => d.fromGuest(encodeFrame({ ...got.at(-1)!, answer: true, payload: new Uint8Array(8) }))
  return { d, posted, got, machine, hello, answer }
}

const call = (limitMicroseconds: number) => encodeRequest(Op.syscall, 0, encodeSyscall({ number: 1, limitMicroseconds }))
const soon = () => new Promise(resolve => setImmediate(resolve))

describe('AgentDesk', () => {
  it('says why there is no agent', async () => {
    const { d, posted, machine } = desk()
    d.receive({ type: 'agent', id: 1, frame: call(0) })
    d.adopt(machine, 'console=ttyAMA0 lab.init=agents')
    d.receive({ type: 'agent', id: 2, frame: call(0) })
    expect(posted).toMatchObject([
      { id: 1, error: 'There is no machine: boot one first.', gone: true },
      { type: 'agentState', ready: false, reason: expect.stringContaining('add lab.init=agent') },
      { id: 2, error: expect.stringContaining('add lab.init=agent'), gone: true },
    ])
  })

  it('lets requests in only when the machine runs', async () => {
    const { d, posted, got, machine, hello, answer } = desk()
    d.adopt(machine, APPEND)
    d.receive({ type: 'agent', id: 1, frame: call(0) })
    d.fromGuest(hello)
    expect(posted).toMatchObject([{ type: 'agentState', ready: true, hello: { version: 1 } }])
    expect(got).toEqual([])
    expect(d.flush()).toBe(true)
    expect(d.flush()).toBe(false)
    expect(got).toHaveLength(1)
    answer()
    await soon()
    expect(posted.at(-1)).toMatchObject({ type: 'agentAnswer', id: 1, frame: expect.any(Uint8Array) })
  })

  it('a frame that is no request is answered with the reason, and the agent is still there', async () => {
    const { d, posted, machine, hello } = desk()
    d.adopt(machine, APPEND)
    d.fromGuest(hello)
    d.receive({ type: 'agent', id: 1, frame: new Uint8Array(3) })
    await soon()
    expect(posted.at(-1)).toMatchObject({ id: 1, error: expect.stringContaining('not a frame'), gone: false })
  })

  it('gives up on an agent that stays silent for longer than the request may take', async () => {
    const { d, posted, machine, hello } = desk()
    d.adopt(machine, APPEND)
    d.fromGuest(hello)
    d.receive({ type: 'agent', id: 1, frame: call(60_000_000) })
    d.flush()
    machine.virtualNanoseconds = 64e9
    d.tick()
    await soon()
    expect(posted).toHaveLength(1)
    machine.virtualNanoseconds = 65e9
    d.tick()
    await soon()
    expect(posted.slice(1)).toMatchObject([
      { type: 'agentState', ready: false },
      { id: 1, error: expect.stringContaining('does not answer'), gone: true },
    ])
  })

  it('goes back with the machine', async () => {
    const { d, posted, got, machine, hello, answer } = desk()
    d.adopt(machine, APPEND)
    d.fromGuest(hello)
    d.keep()
    d.receive({ type: 'agent', id: 1, frame: call(0) })
    d.flush()
    d.restored()
    await soon()
    expect(posted.slice(1)).toMatchObject([
      { type: 'agentState', ready: false },
      { type: 'agentState', ready: true },
      { id: 1, error: 'The machine was taken back to an earlier moment.' },
    ])
    d.receive({ type: 'agent', id: 2, frame: call(0) })
    d.flush()
    expect(got).toHaveLength(2)
    answer()
    await soon()
    expect(posted.at(-1)).toMatchObject({ id: 2, frame: expect.any(Uint8Array) })
    // To before the hello.
    d.adopt(machine, APPEND)
    d.keep()
    d.fromGuest(hello)
    d.restored()
    expect(posted.at(-1)).toMatchObject({ type: 'agentState', ready: false })
  })
})
