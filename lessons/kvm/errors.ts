/** What scripts can catch. Messages are for the learner: what was asked, what came back, what it means here. */
import { errnoName } from './errno.ts'

export class KernelError extends Error {
  override readonly name = 'KernelError'
  readonly code: string
  constructor(
    readonly call: string,
    readonly errno: number,
    readonly explanation: string,
  ) {
    const code = errnoName(errno)
    super(`${call} = -1 ${code}. ${explanation}`)
    this.code = code
  }
}

const SI_CODES: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  7: { 1: 'BUS_ADRALN', 2: 'BUS_ADRERR', 3: 'BUS_OBJERR', 4: 'BUS_MCEERR_AR', 5: 'BUS_MCEERR_AO' },
  11: { 1: 'SEGV_MAPERR', 2: 'SEGV_ACCERR', 8: 'SEGV_MTEAERR', 9: 'SEGV_MTESERR', 10: 'SEGV_CPERR' },
}

const SI_MEANINGS: Readonly<Record<string, string>> = {
  SEGV_MAPERR: 'Nothing is mapped at this address of the VMM’s process.',
  SEGV_ACCERR:
    'The address is mapped, and the access is not allowed. On memory of a protected VM this is how a page that the host ' +
    'has given away looks: the hypervisor turns the abort into this signal.',
  BUS_ADRERR: 'The mapping has no memory here, as behind the end of a file.',
  BUS_ADRALN: 'The access is not aligned as this memory requires.',
}

export interface FaultParticulars {
  signal: number
  code: number
  address: bigint
  access: 'load' | 'store'
  done: number
}

export class SignalError extends Error {
  override readonly name = 'SignalError'
  readonly signal: 'SIGSEGV' | 'SIGBUS'
  readonly code: string
  readonly address: bigint
  readonly access: 'load' | 'store'
  readonly done: number
  readonly explanation: string
  constructor(fault: FaultParticulars) {
    const signal = fault.signal === 7 ? 'SIGBUS' : 'SIGSEGV'
    const code = SI_CODES[fault.signal]?.[fault.code] ?? `si_code ${fault.code}`
    const explanation = SI_MEANINGS[code] ?? 'The access was stopped by a signal.'
    super(`${fault.access} at 0x${fault.address.toString(16)}: ${signal} (${code}). ${explanation}`)
    this.signal = signal
    this.code = code
    this.address = fault.address
    this.access = fault.access
    this.done = fault.done
    this.explanation = explanation
  }
}

export class ClosedError extends Error {
  override readonly name = 'ClosedError'
  constructor(
    readonly code: 'closed' | 'process-gone' | 'machine-gone' | 'script-ended',
    message: string,
    readonly explanation: string,
  ) {
    super(`${message} ${explanation}`)
  }
}

export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly code = 'refused'
  constructor(
    call: string,
    readonly explanation: string,
  ) {
    super(`${call}: ${explanation}`)
  }
}

/** @param why the port's sentence: reset, powered off, no agent on board */
export function machineGone(call: string, why: string): ClosedError {
  return new ClosedError(
    'machine-gone',
    `${call}: ${why}`,
    'What the script had opened went with the machine that it was started on. Run the script again.',
  )
}
