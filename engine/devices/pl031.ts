import type { Clock, Device, InterruptLine } from './device.ts'
import { primeCellId } from './primecell.ts'

/** Register offsets (Arm DDI 0224, table 3-1). */
const RTCDR = 0x00
const RTCMR = 0x04
const RTCLR = 0x08
const RTCCR = 0x0c
const RTCIMSC = 0x10
const RTCRIS = 0x14
const RTCMIS = 0x18
const RTCICR = 0x1c

const NANOSECONDS = 1_000_000_000

/**
 * PL031 real-time clock: counts virtual seconds from a start time that is a parameter of the run, never the host's
 * clock. It cannot be stopped (RTCCR reads as one).
 */
export class Pl031 implements Device {
  readonly name = 'pl031'
  readonly #clock: Clock
  readonly #line: InterruptLine
  readonly #startSeconds: number
  /** What RTCDR shows at virtual time 0. */
  #base: number
  #match = 0
  #load = 0
  #imsc = 0
  #ris = 0
  /** Virtual ns of the coming match, or Infinity. */
  #alarm = Infinity

  /** @param startSeconds seconds since 1970-01-01 UTC at virtual time 0, 0..2^32-1. */
  constructor(clock: Clock, line: InterruptLine, startSeconds: number) {
    this.#clock = clock
    this.#line = line
    this.#startSeconds = startSeconds
    this.#base = startSeconds
  }

  reset(): void {
    this.#base = this.#startSeconds
    this.#match = 0
    this.#load = 0
    this.#imsc = 0
    this.#ris = 0
    this.#alarm = Infinity
    this.#updateLine()
  }

  /** Everything the guest could tell apart, for `restore`. The interrupt wire is the GIC's to keep. */
  save() {
    return {
      base: this.#base,
      match: this.#match,
      load: this.#load,
      imsc: this.#imsc,
      ris: this.#ris,
      alarm: this.#alarm,
    }
  }

  restore(saved: ReturnType<Pl031['save']>): void {
    this.#base = saved.base
    this.#match = saved.match
    this.#load = saved.load
    this.#imsc = saved.imsc
    this.#ris = saved.ris
    this.#alarm = saved.alarm
  }

  /** Seconds, modulo 2^32. */
  get seconds(): number {
    return (this.#base + Math.floor(this.#clock.now() / NANOSECONDS)) % 0x100000000
  }

  /** Virtual nanoseconds of the alarm, or Infinity. */
  nextDeadline(): number {
    return this.#alarm
  }

  update(): void {
    if (this.#clock.now() < this.#alarm) return
    this.#alarm = Infinity
    this.#ris = 1
    this.#updateLine()
  }

  read(offset: number, _bytes: number): bigint {
    return BigInt(this.#read(offset & ~3))
  }

  write(offset: number, _bytes: number, value: bigint): void {
    const word = Number(value & 0xffffffffn)
    switch (offset & ~3) {
      case RTCLR:
        this.#load = word
        this.#base = (word - (Math.floor(this.#clock.now() / NANOSECONDS) % 0x100000000) + 0x100000000) % 0x100000000
        this.#setAlarm()
        break
      case RTCMR:
        this.#match = word
        this.#setAlarm()
        break
      case RTCIMSC:
        this.#imsc = word & 1
        break
      case RTCICR:
        if (word & 1) this.#ris = 0
        break
    }
    this.#updateLine()
  }

  #read(offset: number): number {
    switch (offset) {
      case RTCDR:
        return this.seconds
      case RTCMR:
        return this.#match
      case RTCLR:
        return this.#load
      case RTCCR:
        return 1
      case RTCIMSC:
        return this.#imsc
      case RTCRIS:
        return this.#ris
      case RTCMIS:
        return this.#ris & this.#imsc
      default:
        return primeCellId(offset, [0x31, 0x10, 0x14, 0x00])
    }
  }

  #setAlarm(): void {
    const seconds = (this.#match - this.seconds + 0x100000000) % 0x100000000
    if (seconds === 0) {
      this.#alarm = Infinity
      this.#ris = 1
    } else {
      this.#alarm = (Math.floor(this.#clock.now() / NANOSECONDS) + seconds) * NANOSECONDS
    }
    this.#clock.deadlineChanged()
  }

  #updateLine(): void {
    this.#line.set((this.#ris & this.#imsc) !== 0)
  }
}
