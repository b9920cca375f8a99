/**
 * One run of a script, in a Worker of its own inside an iframe of an opaque origin: no network, no storage, no DOM, no
 * way to the page but the port. Removing the iframe ends the Worker whatever it does.
 */
import code from 'virtual:script-sandbox'
import type { AgentPort } from '../../engine/agent/port.ts'
import { MOST_REQUEST_BYTES } from '../../engine/agent/wire.ts'
import type { ScriptBundle, ScriptEnding } from '../../lessons/kvm/run-script.ts'
import type { FromSandbox, Output, StartMessage, ToSandbox } from './sandbox-protocol.ts'

const POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; connect-src 'none'"

/** In the iframe: starts the Worker with what the page sends. */
const BOOTSTRAP = `
addEventListener('message', event => {
  if (event.source !== parent) return
  const [port, life] = event.ports
  const worker = new Worker(URL.createObjectURL(new Blob([event.data.code], { type: 'text/javascript' })), { name: 'script' })
  worker.onerror = error => { error.preventDefault(); life.postMessage({ type: 'broken', message: error.message || '' }) }
  worker.postMessage({ bundle: event.data.bundle }, [port])
}, { once: true })
`

/**
 * The Worker is asked for its pulse this often. When it has not answered so many times, the script computes without
 * ever waiting, and may be filling the memory of the page's process: it is ended.
 */
const PULSE_MS = 500
const MOST_MISSED = 6
/** Until its first pulse the Worker has to be fetched, compiled and started. */
const MOST_MISSED_AT_START = 60

export interface SandboxEvents {
  onOutput(items: readonly Output[]): void
  /** Once. `null`: the Worker did not answer any more, and was ended. */
  onEnd(ending: ScriptEnding | null): void
}

export class ScriptSandbox {
  private frame: HTMLIFrameElement | null
  private readonly port: MessagePort
  private pulse: ReturnType<typeof setInterval> | undefined
  private missed = 0
  private started = false

  /** @param agent answers the script's requests; its rejections are told to the script */
  constructor(
    bundle: ScriptBundle,
    private readonly agent: AgentPort & { readonly instructions: number | null },
    private readonly events: SandboxEvents,
  ) {
    const main = new MessageChannel()
    const life = new MessageChannel()
    this.port = main.port1
    this.port.onmessage = ({ data }: MessageEvent<unknown>) => this.receive(data as FromSandbox)
    life.port1.onmessage = ({ data }: MessageEvent<{ type: string; message?: string }>) => {
      if (data.type === 'broken') this.lost(data.message ?? '')
    }
    const frame = document.createElement('iframe')
    this.frame = frame
    frame.setAttribute('sandbox', 'allow-scripts')
    frame.title = 'The script’s sandbox'
    frame.hidden = true
    frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script>${BOOTSTRAP}</script>`
    frame.addEventListener(
      'load',
      () => {
        const start: StartMessage & { code: string } = { code, bundle }
        frame.contentWindow?.postMessage(start, '*', [main.port2, life.port2])
        this.pulse = setInterval(() => {
          if (++this.missed > (this.started ? MOST_MISSED : MOST_MISSED_AT_START)) this.lost('')
          else this.port.postMessage({ type: 'pulse' } satisfies ToSandbox)
        }, PULSE_MS)
      },
      { once: true },
    )
    document.body.append(frame)
  }

  /** Ends the run at once. `onEnd` is not called. */
  stop(): void {
    clearInterval(this.pulse)
    this.port.onmessage = null
    this.port.close()
    this.frame?.remove()
    this.frame = null
  }

  private end(ending: ScriptEnding | null): void {
    if (this.frame === null) return
    this.stop()
    this.events.onEnd(ending)
  }

  private lost(message: string): void {
    this.end(
      message === ''
        ? null
        : { kind: 'threw', error: { name: 'Error', code: '', message, explanation: '' }, place: null },
    )
  }

  private receive(message: FromSandbox): void {
    if (message.type === 'pulse') {
      this.started = true
      this.missed = 0
    } else if (message.type === 'output') this.events.onOutput(message.items)
    else if (message.type === 'ended') this.end(message.ending)
    else if (message.type === 'agent') void this.forward(message.id, message.frame)
  }

  private async forward(id: number, frame: Uint8Array): Promise<void> {
    if (!(frame instanceof Uint8Array) || frame.length > MOST_REQUEST_BYTES) return
    let answer: ToSandbox
    try {
      const bytes = await this.agent.exchange(frame)
      answer = { type: 'agentAnswer', id, frame: bytes, instructions: this.agent.instructions ?? 0 }
    } catch (error) {
      const { name, message } = error as Error
      answer = { type: 'agentAnswer', id, error: message, gone: name === 'AgentGoneError' }
    }
    if (this.frame !== null) this.port.postMessage(answer)
  }
}
