/** The page's end of the way to the lab agent in the machine. Any number of ports share it. */
import type { AgentMessage, AgentRequestMessage } from '../../engine/agent/messages.ts'
import { RemoteAgentPort } from '../../engine/agent/remote-port.ts'

const listeners = new Set<(message: AgentMessage) => void>()
const ports = new Set<RemoteAgentPort>()
let send: ((message: AgentRequestMessage) => void) | null = null
let ready = false

/** The machine's Worker takes requests through this. */
export function connectAgent(post: (message: AgentRequestMessage) => void): void {
  send = post
}

export function isAgentMessage(message: { type: string }): message is AgentMessage {
  return message.type === 'agentAnswer' || message.type === 'agentState'
}

export function receiveAgent(message: AgentMessage): void {
  if (message.type === 'agentState') ready = message.ready
  for (const listener of [...listeners]) listener(message)
}

/** The Worker was ended without a word: nothing that waits will be answered. */
export function agentLost(reason: string): void {
  ready = false
  for (const port of ports) port.close(reason)
  ports.clear()
}

/** Whether the present machine has an agent that has said hello. */
export function agentReady(): boolean {
  return ready
}

/** A port of its own for one user; `close` it when done. */
export function openAgentPort(): RemoteAgentPort {
  const port = new RemoteAgentPort({
    post: message => send?.(message),
    subscribe: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  })
  ports.add(port)
  return port
}

/**
 * Waits until the agent of the machine that is being booted says hello.
 * @param over tells of the machine's end, or of a boot that failed; called now and then
 * @returns null when it is ready, or why it will not be
 */
export function whenAgentReady(over: () => string | null): Promise<string | null> {
  return new Promise(resolve => {
    const finish = (why: string | null) => {
      listeners.delete(listener)
      clearInterval(timer)
      resolve(why)
    }
    const listener = (message: AgentMessage) => {
      if (message.type === 'agentState' && message.ready) finish(null)
    }
    const timer = setInterval(() => {
      const why = ready ? null : over()
      if (ready || why !== null) finish(why)
    }, 200)
    listeners.add(listener)
  })
}
