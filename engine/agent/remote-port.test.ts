import { describe, expect, it } from 'vitest'
import type { AgentMessage, AgentRequestMessage } from './messages.ts'
import { RemoteAgentPort } from './remote-port.ts'

function channel() {
  const posted: AgentRequestMessage[] = []
  const listeners = new Set<(message: AgentMessage) => void>()
  const port = new RemoteAgentPort({
    post: message => void posted.push(message),
    subscribe: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  })
  const say = (message: AgentMessage) => {
    for (const listener of [...listeners]) listener(message)
  }
  return { posted, port, listeners, say }
}

const hello = { version: 1, pid: 1, pageSize: 4096, scratchAddress: 0n, scratchBytes: 0 }
const frame = Uint8Array.of(1)

describe('RemoteAgentPort', () => {
  it('matches answers to requests by id', async () => {
    const { port, posted, say } = channel()
    const [a, b] = [port.exchange(frame), port.exchange(frame)]
    say({ type: 'agentAnswer', id: posted[1]!.id, frame: Uint8Array.of(2), instructions: 5 })
    say({ type: 'agentAnswer', id: -1, frame: Uint8Array.of(3), instructions: 6 })
    expect(await b).toEqual(Uint8Array.of(2))
    say({ type: 'agentAnswer', id: posted[0]!.id, error: 'The machine is off.', gone: true })
    await expect(a).rejects.toMatchObject({ name: 'AgentGoneError', message: 'The machine is off.' })
    expect(port.instructions).toBe(5)
  })

  it('waits for the agent, or until it is known that none comes', async () => {
    const { port, say } = channel()
    const first = port.whenReady()
    say({ type: 'agentState', ready: false, reason: 'no agent' })
    await expect(first).rejects.toThrow('no agent')
    const second = port.whenReady()
    say({ type: 'agentState', ready: true, hello })
    expect(await second).toEqual(hello)
    // A machine that goes back to a moment loses its agent and has it again.
    say({ type: 'agentState', ready: false, reason: 'back' })
    const third = port.whenReady()
    say({ type: 'agentState', ready: true, hello })
    expect(await third).toEqual(hello)
  })

  it('closed, everything fails with the reason and nothing is listened to', async () => {
    const { port, listeners } = channel()
    const waits = Promise.allSettled([port.exchange(frame), port.whenReady()])
    port.close('The script was stopped.')
    const reason = { name: 'AgentGoneError', message: 'The script was stopped.' }
    expect(await waits).toMatchObject([{ reason }, { reason }])
    await expect(port.exchange(frame)).rejects.toThrow('The script was stopped.')
    expect(listeners.size).toBe(0)
  })
})
