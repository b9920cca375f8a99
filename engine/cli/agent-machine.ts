/** A machine with the lab agent, headless: for tests. */
import type { RemoteAgentPort } from '../agent/remote-port.ts'
import type { Hello } from '../agent/requests.ts'
import { buildInitProgram } from '../machine/init-program.ts'
import { LocalLab } from '../worker/local-lab.ts'
import type { MachineFactory } from '../worker/session.ts'

export interface AgentMachineOptions {
  /** Texts of lessons/init by file name, see `initSources`. */
  readonly sources: Readonly<Record<string, string>>
  /** An arm64 Linux Image. */
  readonly image: Uint8Array
  /** Words for the kernel command line besides `console=ttyAMA0 lab.init=agent`. */
  readonly append?: string
  /** 128 to 2048; 512 unless given. */
  readonly ramMiB?: number
  /** Gets the console's bytes. */
  readonly console?: (bytes: Uint8Array) => void
  /** What makes the machine, when it is not the usual one. */
  readonly factory?: MachineFactory
}

/**
 * Boot a kernel with the lab's init program as agent and wait until the agent is there.
 * @throws Error with the lab's sentence when the machine cannot be made, or is over before the agent says hello.
 */
export async function bootAgent(options: AgentMachineOptions): Promise<{ lab: LocalLab; agent: RemoteAgentPort; hello: Hello }> {
  const lab = new LocalLab(callback => void setImmediate(callback), options.factory)
  const agent = lab.agent()
  lab.subscribe(message => {
    if (message.type === 'console') options.console?.(message.bytes)
  })
  // That a machine is over before its agent is there, the port learns by itself.
  const refused = lab.subscribe(message => {
    if (message.type === 'error') agent.close(message.message)
  })
  const image = new ArrayBuffer(options.image.length)
  new Uint8Array(image).set(options.image)
  lab.post({
    type: 'load',
    image,
    initrd: { program: buildInitProgram(options.sources), busybox: null },
    settings: {
      append: `console=ttyAMA0 ${options.append ?? ''} lab.init=agent`.replace(/ +/g, ' '),
      ramMiB: options.ramMiB ?? 512,
      crypto: false,
    },
    milestones: [],
    hashAt: [],
  })
  const ready = agent.whenReady()
  lab.post({ type: 'boot' })
  const hello = await ready
  refused()
  return { lab, agent, hello }
}
