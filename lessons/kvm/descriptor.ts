import { needInteger } from './arguments.ts'
import { ClosedError } from './errors.ts'
import type { Closeable, SystemCallArgument } from './lab.d.ts'
import type { CallOptions, VmmProcess } from './process.ts'
import { showValue, type Span } from './trace.ts'

/** Something of the API with a descriptor in the VMM's process. */
export abstract class Descriptor implements Closeable {
  private open = true

  constructor(
    readonly process: VmmProcess,
    readonly fd: number,
    /** As in the trace: `vm`, `vcpu`. */
    readonly traceName: string,
  ) {}

  get closed(): boolean {
    return !this.open
  }

  close(): Promise<void> {
    if (!this.open) return Promise.resolve()
    return this.process.tracer.span(null, `${this.traceName}.close()`, span => this.release(span))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Closes the descriptor as part of another call. */
  async release(span: Span): Promise<void> {
    if (!this.open) return
    this.open = false
    await this.process.call(span, 'close', [this.fd])
  }

  ioctl(request: number | bigint, argument: number | bigint | Uint8Array = 0): Promise<bigint> {
    return this.traced('ioctl', [request, argument], span => {
      const number = typeof request === 'bigint' ? Number(request) : request
      needInteger(`${this.traceName}.ioctl`, 'request', number, { most: 0xffff_ffff })
      return this.request(span, number, argument)
    })
  }

  /** `ioctl(fd, request, argument)` as part of another call. */
  protected request(span: Span, request: number, argument: SystemCallArgument, options?: CallOptions): Promise<bigint> {
    return this.process.call(span, 'ioctl', [this.fd, request, argument], options)
  }

  /** A method as an entry of the trace. @throws ClosedError once this is closed */
  protected traced<T>(name: string, args: readonly unknown[], body: (span: Span) => Promise<T>): Promise<T> {
    return this.process.tracer.span(null, `${this.traceName}.${name}(${shownArguments(args)})`, async span => {
      if (!this.open) {
        throw new ClosedError(
          'closed',
          `${this.traceName}.${name}: ${this.traceName} (descriptor ${this.fd}) was closed by this script.`,
          'Nothing can be done with it any more; make another.',
        )
      }
      return body(span)
    })
  }
}

function shownArguments(args: readonly unknown[]): string {
  return args
    .map(arg => showValue(arg))
    .filter(text => text !== '' && text !== '{}')
    .join(', ')
}
