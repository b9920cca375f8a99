/** What the operations of wire.ts carry, as typed values: encoders of requests and decoders of answers. */
import {
  ANSWER,
  DEFAULT_LIMIT_MICROSECONDS,
  HEADER_BYTES,
  MOST_ANSWER_BYTES,
  MOST_REQUEST_BYTES,
  type Op,
  Op as Operation,
  PROTOCOL_VERSION,
} from './wire.ts'

/** A frame taken apart. */
export interface Frame {
  /** Operation, without the answer's bit. */
  op: number
  answer: boolean
  process: number
  sequence: number
  /** Answers: 0, or the errno with which the agent refused the request. */
  status: number
  payload: Uint8Array
}

/** What the agent says about a process that it serves. */
export interface Hello {
  version: number
  /** Process id in the guest. */
  pid: number
  pageSize: number
  /** Memory of the process that requests may use as they like: `in` of a system call is put at its start. */
  scratchAddress: bigint
  scratchBytes: number
}

export interface SyscallRequest {
  /** arm64 number, include/uapi/asm-generic/unistd.h. */
  number: number
  /** Up to six arguments; negative ones are sign-extended to 64 bits. */
  args?: readonly (bigint | number)[]
  /**
   * After so many microseconds of the machine's time a signal interrupts the call (-EINTR).
   * 0 or absent: DEFAULT_LIMIT_MICROSECONDS.
   */
  limitMicroseconds?: number
  /** Put at the start of scratch memory before the call; at most MOST_IN_BYTES. */
  in?: Uint8Array
  /** What is wanted back of scratch memory after the call; at most MOST_OUT_BYTES. */
  out?: { offset: number; bytes: number }
}

export interface SyscallAnswer {
  /** As the kernel returned it: -errno on failure. */
  result: bigint
  out: Uint8Array
}

/** A load or store that raised a signal. */
export interface Fault {
  /** 11 SIGSEGV, 7 SIGBUS. */
  signal: number
  /** si_code: with SIGSEGV 1 is SEGV_MAPERR (nothing mapped), 2 SEGV_ACCERR (mapped, not allowed). */
  code: number
  address: bigint
}

/** Size of each load or store in bytes. */
export type Width = 1 | 2 | 4 | 8

export interface PeekAnswer {
  /** Bytes read before the fault, or all. */
  bytes: Uint8Array
  fault: Fault | null
}

export interface PokeAnswer {
  /** Bytes stored before the fault, or all. */
  stored: number
  fault: Fault | null
}

const SYSCALL_BYTES = 72
const MEMORY_BYTES = 16
/** Most bytes that one `syscall` brings into scratch memory, or one `poke` stores. More takes several requests. */
export const MOST_IN_BYTES = MOST_REQUEST_BYTES - HEADER_BYTES - SYSCALL_BYTES
export const MOST_POKE_BYTES = MOST_REQUEST_BYTES - HEADER_BYTES - MEMORY_BYTES
export const MOST_OUT_BYTES = MOST_ANSWER_BYTES - HEADER_BYTES - 8
export const MOST_PEEK_BYTES = MOST_ANSWER_BYTES - HEADER_BYTES - MEMORY_BYTES

/** The request makes no sense, or the answer does not fit the request. */
export class AgentProtocolError extends Error {
  override readonly name = 'AgentProtocolError'
}

/** @throws AgentProtocolError when it would be larger than MOST_REQUEST_BYTES. */
export function encodeRequest(op: Op, process: number, payload: Uint8Array, sequence = 0): Uint8Array {
  const bytes = HEADER_BYTES + payload.length
  if (bytes > MOST_REQUEST_BYTES) {
    throw new AgentProtocolError(`a request of ${bytes} bytes is too large: the agent takes ${MOST_REQUEST_BYTES} at a time`)
  }
  return encodeFrame({ op, answer: false, process, sequence, status: 0, payload })
}

/** The bytes of a frame; no check of sizes. */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + frame.payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length, true)
  view.setUint16(4, frame.answer ? frame.op | ANSWER : frame.op, true)
  view.setUint16(6, frame.process, true)
  view.setUint32(8, frame.sequence >>> 0, true)
  view.setUint32(12, frame.status, true)
  bytes.set(frame.payload, HEADER_BYTES)
  return bytes
}

/** @throws AgentProtocolError when the bytes are not one whole frame. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const view = viewOf(bytes)
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== bytes.length) {
    throw new AgentProtocolError(`these ${bytes.length} bytes are not a frame of the agent`)
  }
  const op = view.getUint16(4, true)
  return {
    op: op & ~ANSWER,
    answer: (op & ANSWER) !== 0,
    process: view.getUint16(6, true),
    sequence: view.getUint32(8, true),
    status: view.getUint32(12, true),
    payload: bytes.subarray(HEADER_BYTES),
  }
}

/** Microseconds of the machine's time after which the agent itself ends what the request asks for. */
export function requestLimit(frame: Frame): number {
  if (frame.op !== Operation.syscall || frame.payload.length < 8) return 0
  return viewOf(frame.payload).getUint32(4, true) || DEFAULT_LIMIT_MICROSECONDS
}

export function decodeHello(payload: Uint8Array): Hello {
  const view = viewOf(need(payload, 32, Operation.hello))
  const hello = {
    version: view.getUint32(0, true),
    pid: view.getUint32(4, true),
    pageSize: Number(view.getBigUint64(8, true)),
    scratchAddress: view.getBigUint64(16, true),
    scratchBytes: Number(view.getBigUint64(24, true)),
  }
  if (hello.version !== PROTOCOL_VERSION) {
    throw new AgentProtocolError(
      `the agent in this initrd speaks version ${hello.version}, the lab version ${PROTOCOL_VERSION}: use the lab's own initrd`,
    )
  }
  return hello
}

/** @throws AgentProtocolError for values out of range. */
export function encodeSyscall(request: SyscallRequest): Uint8Array {
  const data = request.in ?? new Uint8Array(0)
  const args = request.args ?? []
  const out = request.out ?? { offset: 0, bytes: 0 }
  const limit = request.limitMicroseconds ?? 0
  whole('system call number', request.number, 0xffff_ffff)
  whole('time limit in microseconds', limit, 0xffff_ffff)
  whole('offset of the bytes wanted back', out.offset, 0xffff_ffff)
  whole('number of bytes wanted back', out.bytes, MOST_OUT_BYTES)
  if (args.length > 6) throw new AgentProtocolError(`a system call takes at most 6 arguments, not ${args.length}`)
  if (data.length > MOST_IN_BYTES) {
    throw new AgentProtocolError(`${data.length} bytes do not fit one request (${MOST_IN_BYTES}): poke them into scratch memory first`)
  }
  const payload = new Uint8Array(SYSCALL_BYTES + data.length)
  const view = viewOf(payload)
  view.setUint32(0, request.number, true)
  view.setUint32(4, limit, true)
  view.setUint32(8, data.length, true)
  view.setUint32(12, out.offset, true)
  view.setUint32(16, out.bytes, true)
  args.forEach((value, i) => {
    if (typeof value === 'number' && !Number.isInteger(value)) {
      throw new AgentProtocolError(`argument ${i} of the system call is ${value}, which is no integer`)
    }
    view.setBigUint64(24 + 8 * i, BigInt.asUintN(64, BigInt(value)), true)
  })
  payload.set(data, SYSCALL_BYTES)
  return payload
}

export function decodeSyscall(payload: Uint8Array): SyscallAnswer {
  return {
    result: viewOf(need(payload, 8, Operation.syscall)).getBigInt64(0, true),
    out: payload.slice(8),
  }
}

/** @throws AgentProtocolError for sizes out of range or not multiples of the width. */
export function encodePeek(address: bigint, bytes: number, width: Width): Uint8Array {
  checkAccess(address, bytes, width, MOST_PEEK_BYTES)
  return memoryRequest(address, bytes, width, new Uint8Array(0))
}

export function decodePeek(payload: Uint8Array): PeekAnswer {
  return { fault: faultOf(need(payload, 16, Operation.peek)), bytes: payload.slice(16) }
}

/** @throws AgentProtocolError for sizes out of range or not multiples of the width. */
export function encodePoke(address: bigint, data: Uint8Array, width: Width): Uint8Array {
  checkAccess(address, data.length, width, MOST_POKE_BYTES)
  return memoryRequest(address, data.length, width, data)
}

export function decodePoke(payload: Uint8Array): PokeAnswer {
  return { fault: faultOf(need(payload, 24, Operation.poke)), stored: viewOf(payload).getUint32(16, true) }
}

/** `fork`: number of the new process or -errno. `end`: wait status. */
export function decodeNumber(payload: Uint8Array, op: Op): number {
  return Number(viewOf(need(payload, 8, op)).getBigInt64(0, true))
}

/** The widest access that address and size allow. */
export function widestAccess(address: bigint, bytes: number): Width {
  const both = Number(BigInt.asUintN(3, address)) | bytes
  return (both & 1) !== 0 ? 1 : (both & 2) !== 0 ? 2 : (both & 4) !== 0 ? 4 : 8
}

function memoryRequest(address: bigint, bytes: number, width: Width, data: Uint8Array): Uint8Array {
  const payload = new Uint8Array(MEMORY_BYTES + data.length)
  const view = viewOf(payload)
  view.setBigUint64(0, BigInt.asUintN(64, address), true)
  view.setUint32(8, bytes, true)
  view.setUint32(12, width, true)
  payload.set(data, MEMORY_BYTES)
  return payload
}

function checkAccess(address: bigint, bytes: number, width: number, most: number): void {
  whole('number of bytes', bytes, most)
  if (width !== 1 && width !== 2 && width !== 4 && width !== 8) {
    throw new AgentProtocolError(`an access is 1, 2, 4 or 8 bytes wide, not ${width}`)
  }
  if (bytes % width !== 0 || address % BigInt(width) !== 0n) {
    throw new AgentProtocolError(`${bytes} bytes at 0x${address.toString(16)} cannot be accessed ${width} bytes at a time: align them`)
  }
}

function whole(what: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new AgentProtocolError(`the ${what} must be an integer from 0 to ${most}, not ${value}`)
  }
}

function faultOf(payload: Uint8Array): Fault | null {
  const view = viewOf(payload)
  const signal = view.getUint32(0, true)
  return signal === 0 ? null : { signal, code: view.getInt32(4, true), address: view.getBigUint64(8, true) }
}

function need(payload: Uint8Array, bytes: number, op: number): Uint8Array {
  if (payload.length < bytes) {
    throw new AgentProtocolError(`the agent's answer to operation ${op} is ${payload.length} bytes, it should have ${bytes} or more`)
  }
  return payload
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
