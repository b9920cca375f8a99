/**
 * The VMM's process inside the machine: its system calls with buffers, its loads and stores. Everything else of the
 * API is made of these three.
 */
import { hello, type AgentPort, peek, poke, syscall } from '../../engine/agent/port.ts'
import { type Hello, MOST_IN_BYTES, MOST_OUT_BYTES, type Width } from '../../engine/agent/requests.ts'
import { ClosedError, KernelError, machineGone, RefusedError, SignalError } from './errors.ts'
import { type Circumstances, explain } from './explain.ts'
import { ioctlName } from './kvm-numbers.ts'
import type { SystemCallArgument, SystemCallName } from './lab.d.ts'
import { isErrno, SYSCALL, syscallName } from './syscall-numbers.ts'
import { showValue, type Span, type Tracer } from './trace.ts'

export interface CallOptions {
  /** The call in the trace and in errors, in place of what the arguments say. */
  text?: string
  /** Entry of the table of explanations, in place of what the call says. */
  explainAs?: string
  /** What an explanation may need to know; asked for only when the call has failed. */
  circumstances?: () => Promise<Circumstances>
  /** Microseconds of the machine's time; the call ends with EINTR after them. */
  limitMicroseconds?: number
  /** Errnos that are an answer, not an error: the result is then negative. */
  expect?: readonly number[]
}

/** Where the bytes of a buffer argument lie in the process's scratch memory. */
interface Placed {
  offset: number
  bytes: Uint8Array
  /** To be updated with what the kernel left. */
  target: Uint8Array | null
}

const ALIGNMENT = 16

export class VmmProcess {
  private greeting: Promise<Hello> | null = null
  private greeted = false
  /** The end of the last operation that used scratch memory: they take turns. */
  private turn: Promise<unknown> = Promise.resolve()
  private gone: ClosedError | null = null

  constructor(
    private readonly port: AgentPort,
    /** 0 is the agent itself, others were forked. */
    readonly number: number,
    readonly tracer: Tracer,
  ) {}

  /** Who the process is and where its scratch memory lies. */
  hello(): Promise<Hello> {
    this.greeting ??= this.guarded('hello', () => hello(this.port, this.number)).then(answer => {
      this.greeted = true
      return answer
    })
    return this.greeting
  }

  /** From here on every call says that the process was ended. */
  ended(): void {
    this.gone = new ClosedError('process-gone', 'This forked process was ended.', 'Make another with host.fork().')
  }

  /**
   * One system call.
   * @returns the result, negative only for an errno that was expected
   * @throws KernelError, ClosedError, RefusedError
   */
  async call(span: Span, call: SystemCallName | number, args: readonly SystemCallArgument[], options: CallOptions = {}): Promise<bigint> {
    const number = typeof call === 'number' ? call : SYSCALL[call]
    const text = options.text ?? callText(number, args)
    return this.tracer.span(
      span,
      text,
      async () => {
        const result = await this.guarded(text, () => this.inTurn(() => this.once(number, args, options.limitMicroseconds)))
        if (!isErrno(result)) return BigInt.asUintN(64, result)
        const errno = Number(-result)
        if (options.expect?.includes(errno) === true) return result
        const circumstances = await options.circumstances?.()
        throw new KernelError(text, errno, explain(options.explainAs ?? explanationKey(number, args), errno, circumstances))
      },
      result => (isErrno(result) ? `-1 ${explainShort(result)}` : result > 0xfffffn ? showValue(result) : String(result)),
    )
  }

  /** Loads. @throws SignalError when one faults */
  async load(span: Span, address: bigint, bytes: number, width?: Width): Promise<Uint8Array> {
    const text = `load ${bytes} bytes at ${showValue(address)}`
    return this.tracer.span(span, text, async () => {
      const answer = await this.guarded(text, () => peek(this.port, address, bytes, this.number, width))
      if (answer.fault !== null) throw new SignalError({ ...answer.fault, access: 'load', done: answer.bytes.length })
      return answer.bytes
    })
  }

  /** Stores. @throws SignalError when one faults */
  async store(span: Span, address: bigint, data: Uint8Array, width?: Width): Promise<void> {
    const text = `store ${showValue(data)} at ${showValue(address)}`
    await this.tracer.span(span, text, async () => {
      const answer = await this.guarded(text, () => poke(this.port, address, data, this.number, width))
      if (answer.fault !== null) throw new SignalError({ ...answer.fault, access: 'store', done: answer.stored })
    })
  }

  /** The call itself, its buffers brought into scratch memory and back. */
  private async once(number: number, args: readonly SystemCallArgument[], limitMicroseconds = 0): Promise<bigint> {
    const { scratchAddress, scratchBytes } = await this.hello()
    const placed: Placed[] = []
    let end = 0
    const words = args.map(arg => {
      if (typeof arg === 'number' || typeof arg === 'bigint') return arg
      const bytes = typeof arg === 'string' ? nulTerminated(arg) : arg
      const offset = end
      end = offset + bytes.length + ((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)
      if (end > scratchBytes) {
        throw new TypeError(
          `${syscallName(number)}: its buffers are ${end} bytes, and a call takes ${scratchBytes} of them together. Use memory of your own from mem.map.`,
        )
      }
      placed.push({ offset, bytes, target: typeof arg === 'string' ? null : arg })
      return scratchAddress + BigInt(offset)
    })
    const whole = new Uint8Array(end)
    for (const { offset, bytes } of placed) whole.set(bytes, offset)
    const fits = end <= MOST_IN_BYTES
    if (!fits) await poke(this.port, scratchAddress, whole, this.number)
    const outputs = placed.filter(({ target, bytes }) => target !== null && bytes.length > 0)
    const from = outputs[0]?.offset ?? 0
    const to = outputs.reduce((last, { offset, bytes }) => Math.max(last, offset + bytes.length), from)
    const inAnswer = to - from <= MOST_OUT_BYTES
    const request = {
      number,
      args: words,
      limitMicroseconds,
      ...(fits && end > 0 ? { in: whole } : {}),
      ...(inAnswer && to > from ? { out: { offset: from, bytes: to - from } } : {}),
    }
    const answer = await syscall(this.port, request, this.number)
    const left = inAnswer ? answer.out : (await peek(this.port, scratchAddress + BigInt(from), to - from, this.number)).bytes
    for (const { offset, target } of outputs) target?.set(left.subarray(offset - from, offset - from + target.length))
    return answer.result
  }

  private inTurn<T>(body: () => Promise<T>): Promise<T> {
    const result = this.turn.then(body, body)
    this.turn = result.catch(() => {})
    return result
  }

  /** The port's errors, as scripts know them. */
  async guarded<T>(call: string, body: () => Promise<T>): Promise<T> {
    if (this.gone !== null) throw this.gone
    try {
      return await body()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      if (error.name === 'AgentGoneError') {
        // For whoever was using a machine, that there is none means that it was thrown away.
        throw machineGone(call, this.greeted && error.message.startsWith('There is no machine') ? 'The machine was reset.' : error.message)
      }
      if (error.name !== 'AgentRefusal') throw error
      const { errno } = error as Error & { errno: number }
      const sentence = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`
      if (errno === 3 || errno === 10) throw new ClosedError('process-gone', `${call}: this process is gone.`, sentence)
      throw new RefusedError(call, sentence)
    }
  }
}

function nulTerminated(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`)
}

/** As a system call trace shows it. */
export function callText(number: number, args: readonly SystemCallArgument[]): string {
  const shown = args.map((arg, i) => {
    if (number === SYSCALL.ioctl && i === 1 && (typeof arg === 'number' || typeof arg === 'bigint')) return ioctlName(arg)
    if (number === SYSCALL.openat && i === 0 && Number(arg) === -100) return 'AT_FDCWD'
    if (arg instanceof Uint8Array) return `[${arg.length} bytes]`
    if (typeof arg === 'bigint' && arg < 10n && arg >= 0n) return String(arg)
    return showValue(arg)
  })
  return `${syscallName(number)}(${shown.join(', ')})`
}

function explanationKey(number: number, args: readonly SystemCallArgument[]): string {
  if (number === SYSCALL.ioctl) return ioctlName(args[1] as number | bigint)
  if (number === SYSCALL.openat && args[1] === '/dev/kvm') return 'openat /dev/kvm'
  return syscallName(number)
}

function explainShort(result: bigint): string {
  return new KernelError('', Number(-result), '').code
}
