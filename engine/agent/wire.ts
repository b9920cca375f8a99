/**
 * What the lab and its agent inside the machine say to each other over the second serial port (`/dev/ttyAMA1`).
 * The agent (lessons/init/agent.s) does what it is asked, answers, and waits for the next request. One request is under
 * way at a time. Everything is little-endian; bytes are lost nowhere, so there is no checksum.
 *
 * Frame: a header of 16 bytes, then the payload of the operation.
 *
 * | offset | size | |
 * | --- | --- | --- |
 * | 0 | 4 | bytes of the whole frame, header included |
 * | 4 | 2 | operation; in answers the same with bit 15 set |
 * | 6 | 2 | process: 0 is the agent itself, n the n-th process it forked |
 * | 8 | 4 | sequence, repeated by the answer |
 * | 12 | 4 | status, answers only: 0, or an errno when the request itself made no sense to the agent |
 */
export const HEADER_BYTES = 16
/** A request, header included. More than the 4095 bytes that the tty line discipline holds: the rest waits below it. */
export const MOST_REQUEST_BYTES = 16 * 1024
/** An answer, header included. */
export const MOST_ANSWER_BYTES = 16 * 1024
export const ANSWER = 0x8000

/**
 * Operations. Payload of the request -> payload of the answer:
 *
 * - `hello` () -> u32 protocol version, u32 process id, u64 page size, u64 scratch address, u64 scratch bytes. The agent
 *   sends this answer, with sequence 0, unasked when it is ready.
 * - `syscall` u32 number, u32 limit in microseconds, u32 bytes in, u32 offset out, u32 bytes out, u32 zero,
 *   u64 arguments[6], then the bytes in, which the agent puts at the start of its scratch memory before the call.
 *   -> i64 result as the kernel returned it (-errno), then `bytes out` bytes of scratch memory from `offset out`.
 *   A timer signal interrupts the call when the limit of the machine's time has passed: the result is -EINTR. Limit 0
 *   means DEFAULT_LIMIT_MICROSECONDS, so that no call can hold the agent for good. Status EPERM for calls that would
 *   take the agent itself away: exit (allowed in forked processes), execve, clone, its signals and timer, its descriptors
 *   (200 to 219), unmapping its program, PTRACE_TRACEME.
 * - `peek` u64 address, u32 bytes, u32 width (1, 2, 4 or 8: size of each load; bytes and address are multiples of it)
 *   -> u32 signal (0: none), u32 si_code, u64 fault address, then the bytes before the fault.
 * - `poke` u64 address, u32 bytes, u32 width, then the bytes -> u32 signal, u32 si_code, u64 fault address, u32 bytes
 *   stored, u32 zero.
 * - `fork` () -> i64 number of the new process (1, 2, ...) or -errno. Its requests go through the agent.
 * - `end` () -> i64 wait status of the process, which is gone then; process 0 cannot be ended (status EPERM).
 *
 * Status: EINVAL (payload too short, sizes that do not fit it, an access that is not aligned), EMSGSIZE (larger than
 * the agent takes or may answer), ENOSYS (no such operation), ESRCH (no such process), ECHILD (the process died; `end`
 * still gives its wait status), EFAULT (a system call needs scratch memory that is unmapped, or a guest's), EPERM.
 * A header that cannot be one (length below 16 or above 1 MiB) makes the agent drop what
 * comes until the line has been quiet for 20 ms of the machine's time, and then answer EINVAL.
 */
export const Op = { hello: 1, syscall: 2, peek: 3, poke: 4, fork: 5, end: 6 } as const
export type Op = (typeof Op)[keyof typeof Op]
export const PROTOCOL_VERSION = 1
/** Limit of a system call that names none: ten seconds of the machine's time. */
export const DEFAULT_LIMIT_MICROSECONDS = 10_000_000
