import type { Distributor } from './distributor.ts'
import { INTIDS, type InterruptBank, PRIORITY_MASK, SPURIOUS } from './interrupt-bank.ts'
import {
  BPR0_MIN,
  BPR1_MIN,
  CTLR_FIXED,
  IDLE_PRIORITY,
  groupPriorityMask,
  lowestBit,
  priorityBit,
  runningPriority,
} from './priorities.ts'

const CTLR_CBPR = 1
const CTLR_EOIMODE = 2

/**
 * The physical CPU interface: what the ICC_* registers name at EL2, and at EL1 unless HCR_EL2 routes interrupts to EL2
 * (Arm IHI 0069, 12.2). One security state: Group 0 is signalled as FIQ, Group 1 as IRQ. The interface without EL3
 * behaves as a Non-secure one, so ICC_BPR1 counts from one more than ICC_BPR0.
 *
 * Methods that change state leave it to the caller (`Gic`) to recompute the lines.
 */
export class CpuInterface {
  readonly bank: InterruptBank
  readonly #distributor: Distributor
  pmr = 0
  bpr0 = BPR0_MIN
  bpr1 = BPR1_MIN
  /** ICC_CTLR_EL1's writable bits: CBPR, EOImode. */
  ctlr = 0
  /** ICC_IGRPEN0_EL1 in bit 0, ICC_IGRPEN1_EL1 in bit 1. */
  groupsEnabled = 0
  ap0r0 = 0
  ap1r0 = 0
  /** INTID of the highest priority pending interrupt, or SPURIOUS; kept by `update`. */
  pending = SPURIOUS

  constructor(bank: InterruptBank, distributor: Distributor) {
    this.bank = bank
    this.#distributor = distributor
  }

  reset(): void {
    this.pmr = 0
    this.bpr0 = BPR0_MIN
    this.bpr1 = BPR1_MIN
    this.ctlr = 0
    this.groupsEnabled = 0
    this.ap0r0 = 0
    this.ap1r0 = 0
    this.pending = SPURIOUS
  }

  save() {
    const { pmr, bpr0, bpr1, ctlr, groupsEnabled, ap0r0, ap1r0, pending } = this
    return { pmr, bpr0, bpr1, ctlr, groupsEnabled, ap0r0, ap1r0, pending }
  }

  restore(saved: ReturnType<CpuInterface['save']>): void {
    this.pmr = saved.pmr
    this.bpr0 = saved.bpr0
    this.bpr1 = saved.bpr1
    this.ctlr = saved.ctlr
    this.groupsEnabled = saved.groupsEnabled
    this.ap0r0 = saved.ap0r0
    this.ap1r0 = saved.ap1r0
    this.pending = saved.pending
  }

  update(): void {
    this.pending = this.bank.highestPending(this.groupsEnabled & this.#distributor.groupsEnabled)
  }

  /** Whether the pending interrupt is signalled to the PE. */
  get signals(): boolean {
    if (this.pending === SPURIOUS) return false
    const priority = this.bank.priority[this.pending]!
    if (priority >= this.pmr) return false
    const running = runningPriority(this.ap0r0, this.ap1r0)
    if (running === IDLE_PRIORITY) return true
    const mask = this.#mask(this.bank.groupOf(this.pending))
    return (priority & mask) < (running & mask)
  }

  #mask(group: 0 | 1): number {
    return groupPriorityMask(group === 0 || this.ctlr & CTLR_CBPR ? this.bpr0 : this.bpr1 - 1)
  }

  /** ICC_IAR0_EL1, ICC_IAR1_EL1. @returns the INTID acknowledged, or 1023. */
  acknowledge(group: 0 | 1): number {
    const intid = this.pending
    if (!this.signals || this.bank.groupOf(intid) !== group) return SPURIOUS
    const bit = priorityBit(this.bank.priority[intid]! & this.#mask(group))
    if (group === 0) this.ap0r0 = (this.ap0r0 | bit) >>> 0
    else this.ap1r0 = (this.ap1r0 | bit) >>> 0
    this.bank.acknowledge(intid)
    return intid
  }

  /** ICC_HPPIR0_EL1, ICC_HPPIR1_EL1. */
  highestPending(group: 0 | 1): number {
    return this.pending !== SPURIOUS && this.bank.groupOf(this.pending) === group ? this.pending : SPURIOUS
  }

  /** ICC_EOIR0_EL1, ICC_EOIR1_EL1: priority drop, and with EOImode 0 deactivation. */
  endOfInterrupt(group: 0 | 1, intid: number): void {
    if (intid >= INTIDS) return
    // Only the group that is running may drop its priority.
    const running = this.ap0r0 | this.ap1r0
    if (running === 0) return
    const bit = 1 << lowestBit(running)
    if (group === 0) {
      if (!(this.ap0r0 & bit)) return
      this.ap0r0 = (this.ap0r0 & ~bit) >>> 0
    } else {
      if (!(this.ap1r0 & bit)) return
      this.ap1r0 = (this.ap1r0 & ~bit) >>> 0
    }
    if (!(this.ctlr & CTLR_EOIMODE)) this.bank.deactivate(intid)
  }

  /** ICC_DIR_EL1: deactivation apart, EOImode 1. With EOImode 0 the write is ignored. */
  deactivate(intid: number): void {
    if (this.ctlr & CTLR_EOIMODE) this.bank.deactivate(intid)
  }

  /**
   * ICC_SGI0R_EL1, ICC_SGI1R_EL1, ICC_ASGI1R_EL1. The one PE has affinity 0.0.0.0; a request for "all but self" reaches
   * nobody. The SGI becomes pending only when GICR_IGROUPR0 puts it in the group asked for.
   */
  generateSgi(value: bigint, group: 0 | 1): void {
    const allButSelf = (value >> 40n) & 1n
    const affinity = value & 0x00fff0ff00ff0000n // Aff3, RS, Aff2, Aff1
    if (allButSelf || affinity !== 0n || !(value & 1n)) return
    const intid = Number((value >> 24n) & 15n)
    if (this.bank.groupOf(intid) === group) this.bank.latch(intid)
  }

  get running(): number {
    return runningPriority(this.ap0r0, this.ap1r0)
  }

  get control(): number {
    return CTLR_FIXED | this.ctlr
  }
  set control(value: number) {
    this.ctlr = value & (CTLR_CBPR | CTLR_EOIMODE)
  }

  setPmr(value: number): void {
    this.pmr = value & PRIORITY_MASK
  }

  setBpr0(value: number): void {
    this.bpr0 = Math.max(value & 7, BPR0_MIN)
  }

  /** With CBPR the one binary point is ICC_BPR0: this register shows it and ignores writes. */
  get binaryPoint1(): number {
    return this.ctlr & CTLR_CBPR ? Math.min(this.bpr0 + 1, 7) : this.bpr1
  }
  set binaryPoint1(value: number) {
    if (!(this.ctlr & CTLR_CBPR)) this.bpr1 = Math.max(value & 7, BPR1_MIN)
  }

  setGroupEnabled(group: 0 | 1, enabled: boolean): void {
    if (enabled) this.groupsEnabled |= 1 << group
    else this.groupsEnabled &= ~(1 << group)
  }
}
