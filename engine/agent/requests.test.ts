import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  AgentProtocolError,
  decodeFrame,
  decodeHello,
  decodePeek,
  decodePoke,
  decodeSyscall,
  encodeFrame,
  encodePeek,
  encodePoke,
  encodeRequest,
  encodeSyscall,
  MOST_IN_BYTES,
  MOST_PEEK_BYTES,
  requestLimit,
  type Width,
  widestAccess,
} from './requests.ts'
import { DEFAULT_LIMIT_MICROSECONDS, MOST_ANSWER_BYTES, MOST_REQUEST_BYTES, Op, PROTOCOL_VERSION } from './wire.ts'

describe('requests to the agent', () => {
  it('frames come apart as they were put together', () => {
    const frame = { op: 3, answer: true, process: 7, sequence: 0xdeadbeef, status: 22, payload: Uint8Array.of(1, 2, 3) }
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
    expect(() => decodeFrame(new Uint8Array(15))).toThrow(AgentProtocolError)
    expect(() => decodeFrame(encodeFrame(frame).subarray(0, 18))).toThrow('these 18 bytes are not a frame')
  })

  it('a system call lies as the wire says', () => {
    const payload = encodeSyscall({ number: 29, args: [3, -1n, 2n ** 64n - 1n], limitMicroseconds: 5, in: Uint8Array.of(9), out: { offset: 16, bytes: 4 } })
    const view = new DataView(payload.buffer)
    expect([0, 4, 8, 12, 16, 20].map(at => view.getUint32(at, true))).toEqual([29, 5, 1, 16, 4, 0])
    expect([24, 32, 40, 48].map(at => view.getBigInt64(at, true))).toEqual([3n, -1n, -1n, 0n])
    expect(payload).toHaveLength(73)
    expect(payload[72]).toBe(9)
  })

  it('knows when a request ends by itself', () => {
    const limit = (limitMicroseconds?: number) =>
      requestLimit(decodeFrame(encodeRequest(Op.syscall, 0, encodeSyscall({ number: 1, ...(limitMicroseconds === undefined ? {} : { limitMicroseconds }) }))))
    expect(limit(77)).toBe(77)
    expect(limit()).toBe(DEFAULT_LIMIT_MICROSECONDS)
    expect(requestLimit(decodeFrame(encodeRequest(Op.hello, 0, new Uint8Array(0))))).toBe(0)
  })

  it.each<[string, () => unknown]>([
    ['at most 6 arguments', () => encodeSyscall({ number: 1, args: [1, 2, 3, 4, 5, 6, 7] })],
    ['no integer', () => encodeSyscall({ number: 1, args: [1.5] })],
    ['system call number', () => encodeSyscall({ number: -1 })],
    ['poke them into scratch memory', () => encodeSyscall({ number: 1, in: new Uint8Array(MOST_IN_BYTES + 1) })],
    ['bytes wanted back', () => encodeSyscall({ number: 1, out: { offset: 0, bytes: MOST_ANSWER_BYTES } })],
    ['not 3', () => encodePeek(0n, 3, 3 as Width)],
    ['align them', () => encodePeek(4n, 8, 8)],
    ['align them', () => encodePoke(0n, new Uint8Array(6), 4)],
    ['number of bytes', () => encodePeek(0n, MOST_PEEK_BYTES + 1, 1)],
    ['too large', () => encodeRequest(Op.poke, 0, new Uint8Array(MOST_REQUEST_BYTES))],
  ])('refuses with a sentence: %s', (sentence, encode) => {
    expect(encode).toThrow(AgentProtocolError)
    expect(encode).toThrow(sentence)
  })

  it('finds the widest access', () => {
    expect([widestAccess(0n, 16), widestAccess(4n, 16), widestAccess(0n, 6), widestAccess(1n, 8)]).toEqual([8, 4, 2, 1])
  })

  it('answers that are too short are no answers', () => {
    for (const decode of [decodeSyscall, decodePeek, decodePoke, decodeHello]) {
      expect(() => decode(new Uint8Array(4))).toThrow(AgentProtocolError)
    }
    const old = new Uint8Array(32)
    old[0] = 99
    expect(() => decodeHello(old)).toThrow('speaks version 99')
  })

  it('the agent in lessons/init has the same numbers', () => {
    const source = readFileSync(new URL('../../lessons/init/agent.s', import.meta.url), 'utf8')
    const constant = (name: string) => Number(new RegExp(`\\.equ\\s+${name}, (\\w+)`).exec(source)?.[1])
    expect(constant('MOST_REQUEST')).toBe(MOST_REQUEST_BYTES)
    expect(constant('MOST_ANSWER')).toBe(MOST_ANSWER_BYTES)
    expect(constant('AGENT_VERSION')).toBe(PROTOCOL_VERSION)
    for (const [name, op] of Object.entries(Op)) expect(constant(`OPERATION_${name.toUpperCase()}`), name).toBe(op)
    const calls = readFileSync(new URL('../../lessons/init/agent-calls.s', import.meta.url), 'utf8')
    expect(Number(/DEFAULT_LIMIT, (\d+)/.exec(calls)?.[1])).toBe(DEFAULT_LIMIT_MICROSECONDS)
  })
})
