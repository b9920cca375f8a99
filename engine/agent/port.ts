/**
 * What a VMM script is written against: one exchange of frames with the lab agent inside the machine, and the agent's
 * operations as typed functions on top of it. Knows nothing of how the frames travel (page and Worker, or in-process).
 */
import {
  decodeFrame,
  decodeHello,
  decodeNumber,
  decodePeek,
  decodePoke,
  decodeSyscall,
  encodePeek,
  encodePoke,
  encodeRequest,
  encodeSyscall,
  type Hello,
  MOST_PEEK_BYTES,
  MOST_POKE_BYTES,
  type PeekAnswer,
  type PokeAnswer,
  type SyscallAnswer,
  type SyscallRequest,
  type Width,
  widestAccess,
} from './requests.ts'
import { Op } from './wire.ts'

export interface AgentPort {
  /**
   * Send one request frame (requests.ts `encodeRequest`) and wait for the answer frame. Requests may be made at any
   * time, also before the agent is up and while others wait: they are served in order, one at a time. The sequence in
   * the frame is the caller's own and comes back unchanged.
   * @throws AgentGoneError (rejects) when the machine is reset, powered off, or replaced before the answer is there.
   */
  exchange(frame: Uint8Array): Promise<Uint8Array>
}

/** Nobody will answer any more. The message is for the learner. */
export class AgentGoneError extends Error {
  override readonly name = 'AgentGoneError'
}

/** The agent refused the request itself; nothing was done. */
export class AgentRefusal extends Error {
  override readonly name = 'AgentRefusal'
  constructor(
    /** EINVAL 22, EMSGSIZE 90, ENOSYS 38 (unknown operation), ESRCH 3 (no such process), ECHILD 10 (it died), EPERM 1, EFAULT 14 (scratch memory gone). */
    readonly errno: number,
    readonly op: number,
    readonly process: number,
  ) {
    super(explainRefusal(errno, op, process))
  }
}

function explainRefusal(errno: number, op: number, process: number): string {
  switch (errno) {
    case 1:
      return op === Op.end
        ? 'process 0 is the agent itself and cannot be ended'
        : op === Op.fork
          ? `only the agent itself (process 0) can fork, not process ${process}`
          : 'the agent will not do this to itself: the machine would be lost; do it in a forked process'
    case 3:
      return `there is no process ${process}: it was never forked, or has been ended`
    case 10:
      return `process ${process} has died; end it to learn its wait status`
    case 14:
      return "the agent's scratch memory cannot be accessed any more: it was unmapped, or given to a protected guest"
    case 22:
      return `the request for operation ${op} makes no sense: its sizes do not fit each other`
    case 38:
      return `the agent knows no operation ${op}`
    case 90:
      return 'the request or the answer asked for is larger than the agent can hold'
    default:
      return `the agent refused operation ${op} with errno ${errno}`
  }
}

/** One operation: payload in, payload out. @throws AgentRefusal, AgentGoneError */
export async function request(port: AgentPort, op: Op, process: number, payload: Uint8Array): Promise<Uint8Array> {
  const answer = decodeFrame(await port.exchange(encodeRequest(op, process, payload)))
  if (answer.status !== 0) throw new AgentRefusal(answer.status, op, process)
  return answer.payload
}

const NOTHING = new Uint8Array(0)

/** Who the process is and where its scratch memory lies. */
export async function hello(port: AgentPort, process = 0): Promise<Hello> {
  return decodeHello(await request(port, Op.hello, process, NOTHING))
}

/** One system call. A failed call is a negative result, not an exception. */
export async function syscall(port: AgentPort, call: SyscallRequest, process = 0): Promise<SyscallAnswer> {
  return decodeSyscall(await request(port, Op.syscall, process, encodeSyscall(call)))
}

/**
 * Load bytes of the process's own address space, any number: long ranges take several requests and end at the first
 * fault. `width` is the widest that address and size allow unless given.
 */
export async function peek(port: AgentPort, address: bigint, bytes: number, process = 0, width?: Width): Promise<PeekAnswer> {
  const size = width ?? widestAccess(address, bytes)
  const all = new Uint8Array(bytes)
  const step = MOST_PEEK_BYTES - (MOST_PEEK_BYTES % size)
  let at = 0
  do {
    const part = Math.min(step, bytes - at)
    const answer = decodePeek(await request(port, Op.peek, process, encodePeek(address + BigInt(at), part, size)))
    all.set(answer.bytes, at)
    at += answer.bytes.length
    if (answer.fault !== null) return { bytes: all.subarray(0, at), fault: answer.fault }
  } while (at < bytes)
  return { bytes: all, fault: null }
}

/** Store bytes into the process's own address space; like `peek`. */
export async function poke(port: AgentPort, address: bigint, data: Uint8Array, process = 0, width?: Width): Promise<PokeAnswer> {
  const size = width ?? widestAccess(address, data.length)
  const step = MOST_POKE_BYTES - (MOST_POKE_BYTES % size)
  let at = 0
  do {
    const part = data.subarray(at, at + step)
    const answer = decodePoke(await request(port, Op.poke, process, encodePoke(address + BigInt(at), part, size)))
    at += answer.stored
    if (answer.fault !== null) return { stored: at, fault: answer.fault }
  } while (at < data.length)
  return { stored: at, fault: null }
}

/** A copy of the agent's process. Gives its number for the other functions' `process`, or -errno. */
export async function fork(port: AgentPort): Promise<number> {
  return decodeNumber(await request(port, Op.fork, 0, NOTHING), Op.fork)
}

/** End a forked process and wait for it. Gives its wait status: 0 after an orderly end, the signal that killed it. */
export async function end(port: AgentPort, process: number): Promise<number> {
  return decodeNumber(await request(port, Op.end, process, NOTHING), Op.end)
}
