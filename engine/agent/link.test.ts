import { describe, expect, it } from 'vitest'
import { AgentLink } from './link.ts'
import * as agent from './port.ts'
import { decodeFrame, encodeFrame, encodeRequest, type Frame } from './requests.ts'
import { Op, PROTOCOL_VERSION } from './wire.ts'

function helloPayload(pid = 1): Uint8Array {
  const view = new DataView(new ArrayBuffer(32))
  view.setUint32(0, PROTOCOL_VERSION, true)
  view.setUint32(4, pid, true)
  view.setBigUint64(8, 4096n, true)
  view.setBigUint64(16, 0xffff_0000_0000n, true)
  view.setBigUint64(24, 0x40000n, true)
  return new Uint8Array(view.buffer)
}

const HELLO = encodeFrame({ op: Op.hello, answer: true, process: 0, sequence: 0, status: 0, payload: helloPayload() })

/** A link whose far end keeps what it is sent, and answers when told. */
function line() {
  const sent: Frame[] = []
  const link = new AgentLink({ send: bytes => void sent.push(decodeFrame(bytes.slice())) })
  const answerBytes = (to: Frame, payload: Uint8Array, status = 0) => encodeFrame({ ...to, answer: true, status, payload })
  return { link, sent, answerBytes, answer: (to: Frame, payload: Uint8Array, status = 0) => link.receive(answerBytes(to, payload, status)) }
}

const number = (value: bigint): Uint8Array => new Uint8Array(new BigInt64Array([value]).buffer)
const settled = async (promise: Promise<unknown>) =>
  await Promise.race([promise.then(() => 'done', (e: Error) => e.message), new Promise(resolve => setImmediate(() => resolve('waits')))])

describe('AgentLink', () => {
  it('sends nothing before the hello, and passes over what the boot left on the line', async () => {
    const { link, sent } = line()
    const asked = agent.syscall(link, { number: 172 })
    link.receive(new TextEncoder().encode('login: \u0000(\u0000\u0000\u0000'))
    expect(sent).toEqual([])
    // Byte by byte, as a slow line would bring it.
    for (const byte of HELLO) link.receive(Uint8Array.of(byte))
    expect(await link.ready).toMatchObject({ pid: 1, scratchBytes: 0x40000 })
    expect(sent).toHaveLength(1)
    expect(await settled(asked)).toBe('waits')
  })

  it('has one request under way at a time and keeps the order', async () => {
    const { link, sent, answer } = line()
    link.receive(HELLO)
    const first = agent.syscall(link, { number: 1 })
    const second = agent.syscall(link, { number: 2 })
    expect(sent).toHaveLength(1)
    answer(sent[0]!, number(10n))
    expect((await first).result).toBe(10n)
    expect(sent).toHaveLength(2)
    expect(sent[1]!.sequence).not.toBe(sent[0]!.sequence)
    answer(sent[1]!, number(-22n))
    expect((await second).result).toBe(-22n)
    expect(link.pending).toBe(0)
  })

  it("gives the caller's own sequence back", async () => {
    const { link, sent, answer } = line()
    link.receive(HELLO)
    const asked = link.exchange(encodeRequest(Op.hello, 3, new Uint8Array(0), 4711))
    answer(sent[0]!, helloPayload(9))
    expect(decodeFrame(await asked)).toMatchObject({ sequence: 4711, process: 3 })
  })

  it('takes answers in pieces and several in one piece, and ignores what it did not ask', async () => {
    const { link, sent, answerBytes } = line()
    link.receive(HELLO)
    const asked = agent.syscall(link, { number: 1 })
    const stray = answerBytes({ ...sent[0]!, sequence: 999 }, number(1n))
    const real = answerBytes(sent[0]!, number(2n))
    const all = new Uint8Array([...stray, ...real, ...stray])
    link.receive(all.subarray(0, 30))
    link.receive(all.subarray(30))
    expect((await asked).result).toBe(2n)
  })

  it('a refusal is an exception that says which', async () => {
    const { link, sent, answer } = line()
    link.receive(HELLO)
    const asked = agent.hello(link, 5)
    answer(sent[0]!, new Uint8Array(0), 3)
    await expect(asked).rejects.toThrow('there is no process 5')
  })

  it('when it is closed everything fails with the reason', async () => {
    const { link, sent } = line()
    const waits = agent.hello(link)
    link.close('The machine was reset.')
    await expect(link.ready).rejects.toThrow('The machine was reset.')
    await expect(waits).rejects.toBeInstanceOf(agent.AgentGoneError)
    await expect(agent.hello(link)).rejects.toThrow('The machine was reset.')
    link.receive(HELLO)
    expect(sent).toEqual([])
  })

  it('closes when what comes can be no answer, or the agent is of another version', async () => {
    const { link } = line()
    link.receive(HELLO)
    const asked = agent.hello(link)
    link.receive(new Uint8Array(64))
    await expect(asked).rejects.toThrow('no answer')
    const other = line().link
    const old = HELLO.slice()
    old[16] = 7
    other.receive(old)
    await expect(other.ready).rejects.toThrow('speaks version 7')
  })

  it('refuses at once what is no request', async () => {
    const { link, sent } = line()
    link.receive(HELLO)
    await expect(link.exchange(new Uint8Array(4))).rejects.toThrow('not a frame')
    await expect(link.exchange(HELLO)).rejects.toThrow('not a request')
    await expect(link.exchange(encodeFrame({ op: 4, answer: false, process: 0, sequence: 0, status: 0, payload: new Uint8Array(20_000) }))).rejects.toThrow('too large')
    expect(sent).toEqual([])
  })

  it('tells whoever asks without end', async () => {
    const { link } = line()
    const all = Array.from({ length: 1100 }, () => agent.hello(link).catch((e: Error) => e.message))
    link.close('over')
    const reasons = await Promise.all(all)
    expect(reasons.filter(r => r === 'over')).toHaveLength(1024)
    expect(reasons.at(-1)).toContain('await each call')
  })

  it('another link goes on from where one was', async () => {
    const { link, sent } = line()
    link.receive(HELLO)
    link.receive(HELLO.subarray(0, 10))
    // One request is under way there, and will be answered.
    const first = agent.syscall(link, { number: 1 })
    const next: Frame[] = []
    const resumed = new AgentLink({ send: bytes => void next.push(decodeFrame(bytes)) }, link.state)
    expect(await resumed.ready).toMatchObject({ pid: 1 })
    resumed.receive(HELLO.subarray(10))
    const asked = agent.syscall(resumed, { number: 1 })
    resumed.receive(encodeFrame({ ...sent[0]!, answer: true, payload: number(1n) }))
    expect(next[0]!.sequence).toBe(sent[0]!.sequence + 1)
    resumed.receive(encodeFrame({ ...next[0]!, answer: true, payload: number(3n) }))
    expect((await asked).result).toBe(3n)
    expect(await settled(first)).toBe('waits')
  })
})
