/** The module `lab`, made for one script: what `lab.d.ts` declares, over a port to the agent. */
import { type AgentPort, end, fork } from '../../engine/agent/port.ts'
import { needInteger, needName, needText } from './arguments.ts'
import { ClosedError, KernelError, RefusedError, SignalError } from './errors.ts'
import { explain } from './explain.ts'
import { ProcFiles } from './files.ts'
import { type GuestProgram, ProgramImage } from './guest-image.ts'
import { HostKernel } from './host.ts'
import { KVM_VM_TYPE_ARM_PROTECTED } from './kvm-numbers.ts'
import type { Answer, Attempt, HostProcess, LabError, SystemCall, SystemCallArgument } from './lab.d.ts'
import { ProcessMemory } from './mapping.ts'
import { hex, printed } from './print.ts'
import { callText, VmmProcess } from './process.ts'
import { SYSCALL } from './syscall-numbers.ts'
import { showValue, type Span, Tracer, type TraceSink } from './trace.ts'
import { kvmOf } from './vm.ts'

type Declared = typeof import('./lab.d.ts')
/** Scripts catch errors and never make them: what their constructors take is not declared. */
type ErrorClasses = 'KernelError' | 'SignalError' | 'ClosedError' | 'RefusedError'
export type LabModule = Omit<Declared, ErrorClasses> & {
  [Name in ErrorClasses]: { new (...parts: never): InstanceType<Declared[Name]>; readonly prototype: InstanceType<Declared[Name]> }
}

export interface LabOptions extends TraceSink {
  port: AgentPort
  /** Assembled guests by the name of their source. */
  guests: Readonly<Record<string, GuestProgram>>
  onPrint(line: string): void
  onAnswer(name: string, value: Answer): void
}

/**
 * Asks the agent who it is, which waits until it is up, and makes the module.
 * @throws ClosedError when the machine goes before that
 */
export async function makeLab(options: LabOptions): Promise<LabModule> {
  const { port, guests } = options
  const tracer = new Tracer(options)
  const process = new VmmProcess(port, 0, tracer)
  const { pageSize, pid } = await process.hello()
  return {
    kvm: kvmOf(process),
    mem: new ProcessMemory(process),
    proc: new ProcFiles(process),
    host: new HostKernel(process, pageSize, pid, span => forked(options.port, process, tracer, span)),
    syscall: systemCalls(process),
    guest(file) {
      needText('guest', 'file', file)
      const program = Object.hasOwn(guests, file) ? guests[file] : undefined
      if (program === undefined) {
        throw new Error(`guest: the workspace has no ${JSON.stringify(file)}; it has ${Object.keys(guests).join(', ') || 'no .s file'}.`)
      }
      return new ProgramImage(file, program)
    },
    print: (...values) => options.onPrint(printed(values)),
    answer(name, value) {
      needText('answer', 'name', name)
      options.onAnswer(name, plain(value))
    },
    hex,
    attempt,
    AT_FDCWD: -100,
    PAGE_SIZE: 4096,
    KVM_VM_TYPE_ARM_PROTECTED: KVM_VM_TYPE_ARM_PROTECTED as 0x80000000n,
    KernelError,
    SignalError,
    ClosedError,
    RefusedError,
  }
}

async function attempt<T>(call: Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await call }
  } catch (error) {
    if (isLabError(error)) return { ok: false, error }
    throw error
  }
}

function isLabError(error: unknown): error is LabError {
  return error instanceof KernelError || error instanceof SignalError || error instanceof ClosedError || error instanceof RefusedError
}

function systemCalls(process: VmmProcess): SystemCall {
  return (call, ...args: readonly SystemCallArgument[]) => {
    const shown = [call, ...args].map(showValue).join(', ')
    return process.tracer.span(null, `syscall(${shown})`, async span => {
      const number = typeof call === 'number' ? needInteger('syscall', 'call', call, { most: 0xffff_ffff }) : SYSCALL[needName('syscall', 'system call', call, SYSCALL)]
      if (args.length > 6) throw new TypeError(`syscall: a system call has at most six arguments, not ${args.length}.`)
      for (const [i, arg] of args.entries()) checkArgument(arg, i + 1)
      return process.call(span, number, args, { text: callText(number, args) })
    })
  }
}

function checkArgument(arg: unknown, position: number): void {
  const fits =
    typeof arg === 'bigint' || typeof arg === 'string' || arg instanceof Uint8Array || (typeof arg === 'number' && Number.isInteger(arg))
  if (!fits) {
    throw new TypeError(
      `syscall: argument ${position} must be a whole number, a bigint, a string or a Uint8Array, not ${showValue(arg) || 'undefined'}.`,
    )
  }
}

/** A second process, with the same calls. */
async function forked(port: AgentPort, parent: VmmProcess, tracer: Tracer, span: Span): Promise<HostProcess> {
  const number = await parent.guarded('host.fork', () => fork(port))
  if (number < 0) throw new KernelError('clone(SIGCHLD)', -number, explain('clone', -number))
  const process = new VmmProcess(port, number, tracer)
  let wait: Promise<number> | null = null
  const finish = () => {
    wait ??= tracer.span(null, `process${number}.end()`, () =>
      parent.guarded('end', () => end(port, number)).finally(() => process.ended()),
    )
    return wait
  }
  // Its greeting belongs to this call: later ones find it known.
  await tracer.span(span, `process ${number}`, () => process.hello(), hello => `pid ${hello.pid}`)
  return {
    kvm: kvmOf(process),
    mem: new ProcessMemory(process),
    proc: new ProcFiles(process),
    syscall: systemCalls(process),
    end: finish,
    [Symbol.asyncDispose]: async () => {
      await finish()
    },
  }
}

/** A copy that can be kept and compared, whatever the script does with its own afterwards. */
function plain(value: unknown, depth = 0): Answer {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return value
  if (value instanceof Uint8Array) return value.slice()
  if (depth > 6) throw new TypeError('answer: the value is nested too deeply.')
  if (Array.isArray(value)) return value.map(item => plain(item, depth + 1))
  if (value instanceof Error) {
    const { name, message, code } = value as Error & { code?: unknown }
    return { name, message, ...(typeof code === 'string' ? { code } : {}) }
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => typeof item !== 'function' && item !== undefined)
    return Object.fromEntries(entries.map(([name, item]) => [name, plain(item, depth + 1)]))
  }
  throw new TypeError(`answer: a value must be text, a number, true or false, bytes, or made of these, not ${typeof value}.`)
}
