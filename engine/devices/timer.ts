import type { SystemRegisterDevice } from '../cpu/port.ts'
import type { Clock, InterruptLine } from './device.ts'
import { sys } from '../cpu/encoding.ts'

/** CNTFRQ_EL0 in Hz: QEMU's default, 16 virtual nanoseconds a tick. */
export const COUNTER_HZ = 62_500_000
const NANOSECONDS_PER_TICK = 16

const CNTFRQ_EL0 = sys(3, 3, 14, 0, 0)
const CNTPCT_EL0 = sys(3, 3, 14, 0, 1)
const CNTVCT_EL0 = sys(3, 3, 14, 0, 2)
const CNTP_TVAL_EL0 = sys(3, 3, 14, 2, 0)
const CNTP_CTL_EL0 = sys(3, 3, 14, 2, 1)
const CNTP_CVAL_EL0 = sys(3, 3, 14, 2, 2)
const CNTV_TVAL_EL0 = sys(3, 3, 14, 3, 0)
const CNTV_CTL_EL0 = sys(3, 3, 14, 3, 1)
const CNTV_CVAL_EL0 = sys(3, 3, 14, 3, 2)
const CNTVOFF_EL2 = sys(3, 4, 14, 0, 3)
const CNTHP_TVAL_EL2 = sys(3, 4, 14, 2, 0)
const CNTHP_CTL_EL2 = sys(3, 4, 14, 2, 1)
const CNTHP_CVAL_EL2 = sys(3, 4, 14, 2, 2)

/** CNT*_CTL */
const CTL_ENABLE = 1
const CTL_IMASK = 2
const CTL_ISTATUS = 4

const WRAP = 1n << 64n

/** One comparator of the generic timer (Arm ARM, D12.2.4). */
class Comparator {
  control = 0
  compare = 0n
  readonly line: InterruptLine

  constructor(line: InterruptLine) {
    this.line = line
  }

  /** @param count the 64-bit counter that this timer compares with, its offset subtracted. */
  met(count: bigint): boolean {
    return (this.control & CTL_ENABLE) !== 0 && count >= this.compare
  }

  controlAt(count: bigint): bigint {
    return BigInt(this.control | (this.met(count) ? CTL_ISTATUS : 0))
  }

  /** Ticks from `count` until the output may change: reaching CVAL, or the wrap of an offset counter. */
  ticksToChange(count: bigint): bigint | undefined {
    if ((this.control & (CTL_ENABLE | CTL_IMASK)) !== CTL_ENABLE) return undefined
    return count >= this.compare ? WRAP - count : this.compare - count
  }

  drive(count: bigint): void {
    this.line.set(this.met(count) && !(this.control & CTL_IMASK))
  }
}

/**
 * The generic timer of the PE: the system counter, the EL1 physical timer (CNTP), the virtual timer (CNTV) and the EL2
 * physical timer (CNTHP). The counter is floor(virtual nanoseconds / 16): exact, so that a run repeats bit for bit.
 *
 * CNTKCTL_EL1 and CNTHCTL_EL2 are registers of the CPU, which checks accesses by them.
 */
export class GenericTimer implements SystemRegisterDevice {
  readonly #clock: Clock
  readonly #physical: Comparator
  readonly #virtual: Comparator
  readonly #hyp: Comparator
  #offset = 0n
  #frequency = BigInt(COUNTER_HZ)

  /** @param lines the PPIs: `physical` INTID 30, `virtual` 27, `hyp` 26 on QEMU's `virt`. */
  constructor(clock: Clock, lines: { physical: InterruptLine; virtual: InterruptLine; hyp: InterruptLine }) {
    this.#clock = clock
    this.#physical = new Comparator(lines.physical)
    this.#virtual = new Comparator(lines.virtual)
    this.#hyp = new Comparator(lines.hyp)
  }

  reset(): void {
    for (const timer of [this.#physical, this.#virtual, this.#hyp]) {
      timer.control = 0
      timer.compare = 0n
    }
    this.#offset = 0n
    this.#frequency = BigInt(COUNTER_HZ)
    this.update()
  }

  /** The comparators and the offset, for `restore`. The wires are the GIC's to keep, the count is the clock's. */
  save() {
    const of = ({ control, compare }: Comparator) => ({ control, compare })
    return {
      physical: of(this.#physical),
      virtual: of(this.#virtual),
      hyp: of(this.#hyp),
      offset: this.#offset,
      frequency: this.#frequency,
    }
  }

  restore(saved: ReturnType<GenericTimer['save']>): void {
    for (const [timer, was] of [
      [this.#physical, saved.physical],
      [this.#virtual, saved.virtual],
      [this.#hyp, saved.hyp],
    ] as const) {
      timer.control = was.control
      timer.compare = was.compare
    }
    this.#offset = saved.offset
    this.#frequency = saved.frequency
  }

  /** CNTPCT_EL0 now, in ticks. */
  get count(): number {
    return Math.floor(this.#clock.now() / NANOSECONDS_PER_TICK)
  }

  #virtualCount(): bigint {
    return BigInt.asUintN(64, BigInt(this.count) - this.#offset)
  }

  /** Drive the PPIs from the present count. The run loop calls it when a deadline is reached. */
  update(): void {
    const count = BigInt(this.count)
    this.#physical.drive(count)
    this.#hyp.drive(count)
    this.#virtual.drive(BigInt.asUintN(64, count - this.#offset))
  }

  /** Virtual nanoseconds (absolute) at which a PPI changes next, or Infinity. */
  nextDeadline(): number {
    const now = this.count
    const count = BigInt(now)
    return Math.min(
      deadline(now, this.#physical.ticksToChange(count)),
      deadline(now, this.#hyp.ticksToChange(count)),
      deadline(now, this.#virtual.ticksToChange(BigInt.asUintN(64, count - this.#offset))),
    )
  }

  readSystemRegister(encoding: number, _el: number): bigint | undefined {
    switch (encoding) {
      case CNTFRQ_EL0:
        return this.#frequency
      case CNTPCT_EL0:
        return BigInt(this.count)
      case CNTVCT_EL0:
        return this.#virtualCount()
      case CNTVOFF_EL2:
        return this.#offset
    }
    const timer = this.#timerOf(encoding)
    if (timer === undefined) return undefined
    const count = timer === this.#virtual ? this.#virtualCount() : BigInt(this.count)
    switch (encoding & 7) {
      case 0:
        // TVAL is UNKNOWN while the timer is off; this shows the same difference.
        return BigInt.asUintN(32, timer.compare - count)
      case 1:
        return timer.controlAt(count)
      default:
        return timer.compare
    }
  }

  writeSystemRegister(encoding: number, value: bigint, el: number): boolean {
    if (encoding === CNTFRQ_EL0) {
      // Writable at the highest exception level only; it informs software and drives nothing.
      if (el < 2) return false
      this.#frequency = value & 0xffffffffn
      return true
    }
    if (encoding === CNTVOFF_EL2) {
      this.#offset = value
    } else {
      const timer = this.#timerOf(encoding)
      if (timer === undefined) return false
      switch (encoding & 7) {
        case 0: {
          const count = timer === this.#virtual ? this.#virtualCount() : BigInt(this.count)
          timer.compare = BigInt.asUintN(64, count + BigInt.asIntN(32, value))
          break
        }
        case 1:
          timer.control = Number(value & 3n)
          break
        default:
          timer.compare = value
      }
    }
    this.update()
    this.#clock.deadlineChanged()
    return true
  }

  #timerOf(encoding: number): Comparator | undefined {
    switch (encoding) {
      case CNTP_TVAL_EL0:
      case CNTP_CTL_EL0:
      case CNTP_CVAL_EL0:
        return this.#physical
      case CNTV_TVAL_EL0:
      case CNTV_CTL_EL0:
      case CNTV_CVAL_EL0:
        return this.#virtual
      case CNTHP_TVAL_EL2:
      case CNTHP_CTL_EL2:
      case CNTHP_CVAL_EL2:
        return this.#hyp
      default:
        return undefined
    }
  }
}

function deadline(count: number, ticks: bigint | undefined): number {
  if (ticks === undefined) return Infinity
  const at = (count + Number(ticks)) * NANOSECONDS_PER_TICK
  return at <= Number.MAX_SAFE_INTEGER ? at : Infinity
}
