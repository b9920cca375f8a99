/** A memory-mapped device. Offsets are relative to the device's base; values are unsigned and fit `bytes`. */
export interface Device {
  readonly name: string
  read(offset: number, bytes: number): bigint
  write(offset: number, bytes: number, value: bigint): void
}

/**
 * Virtual time. The counter of the generic timer is a function of retired instructions plus skipped idle time:
 * one instruction is one nanosecond, the counter runs at 62.5 MHz (16 ns a tick), as QEMU's `-icount shift=0`.
 */
export interface Clock {
  /** Virtual nanoseconds since reset: a safe integer. Exact to the instruction. */
  now(): number
  /** A device changed its deadline: the run loop must recompute the budget. */
  deadlineChanged(): void
}

/** A level-sensitive interrupt wire. */
export interface InterruptLine {
  set(level: boolean): void
}
