import { type InterruptBank, PRIORITY_MASK, SPURIOUS } from './interrupt-bank.ts'
import {
  BPR0_MIN,
  BPR1_MIN,
  CTLR_FIXED,
  IDLE_PRIORITY,
  PRIORITY_BITS,
  groupPriorityMask,
  lowestBit,
  priorityBit,
  runningPriority,
} from './priorities.ts'

export const LIST_REGISTERS = 4

/** ICH_HCR_EL2 */
const HCR_EN = 1
const HCR_UIE = 1 << 1
const HCR_LRENPIE = 1 << 2
const HCR_NPIE = 1 << 3
const HCR_VGRP0EIE = 1 << 4
const HCR_VGRP0DIE = 1 << 5
const HCR_VGRP1EIE = 1 << 6
const HCR_VGRP1DIE = 1 << 7
/** EOIcount 31:27, TDIR, TSEI, TALL1, TALL0, TC, and the enables 7:0. */
const HCR_WRITABLE = 0xf8007cff

/** ICH_VTR_EL2: PRIbits, PREbits, IDbits = 24 bits, A3V, nV4 (no direct injection), TDS, ListRegs. */
export const VTR =
  (((PRIORITY_BITS - 1) << 29) |
    ((PRIORITY_BITS - 1) << 26) |
    (1 << 23) |
    (1 << 21) |
    (1 << 20) |
    (1 << 19) |
    (LIST_REGISTERS - 1)) >>>
  0

/** ICH_MISR_EL2 */
const MISR_EOI = 1
const MISR_U = 2
const MISR_LRENP = 4
const MISR_NP = 8
const MISR_VGRP0E = 16
const MISR_VGRP0D = 32
const MISR_VGRP1E = 64
const MISR_VGRP1D = 128

/** A list register's upper word: State 63:62, HW 61, Group 60, Priority 55:48, pINTID 44:32 or EOI 41. */
const LR_PENDING = 0x40000000
const LR_ACTIVE = 0x80000000
const LR_STATE = 0xc0000000
const LR_HW = 0x20000000
const LR_GROUP1 = 0x10000000
const LR_EOI = 0x200
/** Bits 59:56 and 47:45 are RES0, and so are the priority bits that are not implemented. */
const LR_HIGH_WRITABLE = 0xf0f81fff

const FIRST_SPECIAL_INTID = 1020
const FIRST_LPI = 8192

/**
 * The virtual CPU interface: ICH_* for the hypervisor, ICV_* for the guest that uses the names ICC_* at EL1 while
 * HCR_EL2.IMO or FMO is set (Arm IHI 0069, chapter 6 and 12.3, 12.4).
 *
 * Methods that change state leave it to the caller (`Gic`) to recompute the lines.
 */
export class VirtualInterface {
  readonly #physical: InterruptBank
  hcr = 0
  /** Upper and lower words of ICH_LR<n>_EL2. */
  readonly lrHigh = new Uint32Array(LIST_REGISTERS)
  readonly lrLow = new Uint32Array(LIST_REGISTERS)
  ap0r0 = 0
  ap1r0 = 0
  /** The fields of ICH_VMCR_EL2, which are also the guest's ICV_PMR, ICV_BPR0/1, ICV_CTLR and ICV_IGRPEN0/1. */
  vpmr = 0
  vbpr0 = BPR0_MIN
  vbpr1 = BPR1_MIN
  eoiMode = false
  cbpr = false
  /** VENG0 in bit 0, VENG1 in bit 1. */
  groupsEnabled = 0

  /** @param physical where a list register with HW = 1 deactivates its physical interrupt. */
  constructor(physical: InterruptBank) {
    this.#physical = physical
  }

  reset(): void {
    this.hcr = 0
    this.lrHigh.fill(0)
    this.lrLow.fill(0)
    this.ap0r0 = 0
    this.ap1r0 = 0
    this.vmcr = 0
  }

  save() {
    const { hcr, ap0r0, ap1r0, vpmr, vbpr0, vbpr1, eoiMode, cbpr, groupsEnabled } = this
    const lists = { lrHigh: this.lrHigh.slice(), lrLow: this.lrLow.slice() }
    return { hcr, ...lists, ap0r0, ap1r0, vpmr, vbpr0, vbpr1, eoiMode, cbpr, groupsEnabled }
  }

  restore(saved: ReturnType<VirtualInterface['save']>): void {
    this.hcr = saved.hcr
    this.lrHigh.set(saved.lrHigh)
    this.lrLow.set(saved.lrLow)
    this.ap0r0 = saved.ap0r0
    this.ap1r0 = saved.ap1r0
    this.vpmr = saved.vpmr
    this.vbpr0 = saved.vbpr0
    this.vbpr1 = saved.vbpr1
    this.eoiMode = saved.eoiMode
    this.cbpr = saved.cbpr
    this.groupsEnabled = saved.groupsEnabled
  }

  /** ICH_VMCR_EL2. VFIQEn reads as one and VAckCtl as zero: the guest's interface has system registers only. */
  get vmcr(): number {
    return (
      ((this.vpmr << 24) |
        (this.vbpr0 << 21) |
        (this.vbpr1 << 18) |
        (this.eoiMode ? 1 << 9 : 0) |
        (this.cbpr ? 1 << 4 : 0) |
        (1 << 3) |
        this.groupsEnabled) >>>
      0
    )
  }
  set vmcr(value: number) {
    this.vpmr = (value >>> 24) & PRIORITY_MASK
    this.vbpr0 = Math.max((value >>> 21) & 7, BPR0_MIN)
    this.vbpr1 = Math.max((value >>> 18) & 7, BPR1_MIN)
    this.eoiMode = (value & (1 << 9)) !== 0
    this.cbpr = (value & (1 << 4)) !== 0
    this.groupsEnabled = value & 3
  }

  setHcr(value: number): void {
    this.hcr = (value & HCR_WRITABLE) >>> 0
  }

  setLr(n: number, value: bigint): void {
    this.lrLow[n] = Number(value & 0xffffffffn)
    this.lrHigh[n] = Number(value >> 32n) & LR_HIGH_WRITABLE
  }

  lr(n: number): bigint {
    return (BigInt(this.lrHigh[n]!) << 32n) | BigInt(this.lrLow[n]!)
  }

  /** ICH_EISR_EL2: list registers whose guest has done an EOI that was asked to be reported. */
  get eisr(): number {
    let r = 0
    for (let i = 0; i < LIST_REGISTERS; i++) {
      if ((this.lrHigh[i]! & (LR_STATE | LR_HW | LR_EOI)) >>> 0 === LR_EOI) r |= 1 << i
    }
    return r
  }

  /** ICH_ELRSR_EL2: list registers free for use. */
  get elrsr(): number {
    let r = 0
    for (let i = 0; i < LIST_REGISTERS; i++) {
      const high = this.lrHigh[i]!
      if ((high & LR_STATE) === 0 && (high & LR_HW || !(high & LR_EOI))) r |= 1 << i
    }
    return r
  }

  /** ICH_MISR_EL2: why the maintenance interrupt is raised. */
  get misr(): number {
    const hcr = this.hcr
    let valid = 0
    let pending = 0
    for (let i = 0; i < LIST_REGISTERS; i++) {
      const state = (this.lrHigh[i]! & LR_STATE) >>> 0
      if (state !== 0) valid++
      if (state === LR_PENDING) pending++
    }
    const g0 = this.groupsEnabled & 1
    const g1 = this.groupsEnabled & 2
    let r = 0
    if (this.eisr) r |= MISR_EOI
    if (hcr & HCR_UIE && valid <= 1) r |= MISR_U
    if (hcr & HCR_LRENPIE && hcr >>> 27 !== 0) r |= MISR_LRENP
    if (hcr & HCR_NPIE && pending === 0) r |= MISR_NP
    if (hcr & HCR_VGRP0EIE && g0) r |= MISR_VGRP0E
    if (hcr & HCR_VGRP0DIE && !g0) r |= MISR_VGRP0D
    if (hcr & HCR_VGRP1EIE && g1) r |= MISR_VGRP1E
    if (hcr & HCR_VGRP1DIE && !g1) r |= MISR_VGRP1D
    return r
  }

  get maintenance(): boolean {
    return (this.hcr & HCR_EN) !== 0 && this.misr !== 0
  }

  /** Index of the list register with the highest priority pending virtual interrupt, or -1. */
  get #pendingIndex(): number {
    let best = -1
    let bestPriority = 0x100
    for (let i = 0; i < LIST_REGISTERS; i++) {
      const high = this.lrHigh[i]!
      if ((high & LR_STATE) >>> 0 !== LR_PENDING) continue
      if (!(this.groupsEnabled & (high & LR_GROUP1 ? 2 : 1))) continue
      const priority = (high >>> 16) & 0xff
      if (priority < bestPriority) {
        best = i
        bestPriority = priority
      }
    }
    return best
  }

  #mask(group: 0 | 1): number {
    return groupPriorityMask(group === 0 || this.cbpr ? this.vbpr0 : this.vbpr1 - 1)
  }

  #signalled(index: number): boolean {
    if (index < 0 || !(this.hcr & HCR_EN)) return false
    const high = this.lrHigh[index]!
    const priority = (high >>> 16) & 0xff
    if (priority >= this.vpmr) return false
    const running = this.running
    if (running === IDLE_PRIORITY) return true
    const mask = this.#mask(high & LR_GROUP1 ? 1 : 0)
    return (priority & mask) < (running & mask)
  }

  /** The virtual lines: 0 none, 1 vFIQ (Group 0), 2 vIRQ (Group 1). */
  get signals(): 0 | 1 | 2 {
    const i = this.#pendingIndex
    if (!this.#signalled(i)) return 0
    return this.lrHigh[i]! & LR_GROUP1 ? 2 : 1
  }

  get running(): number {
    return runningPriority(this.ap0r0, this.ap1r0)
  }

  /** ICV_HPPIR0_EL1, ICV_HPPIR1_EL1. */
  highestPending(group: 0 | 1): number {
    const i = this.#pendingIndex
    if (i < 0 || (this.lrHigh[i]! & LR_GROUP1 ? 1 : 0) !== group) return SPURIOUS
    return this.lrLow[i]! & 0xffffff
  }

  /** ICV_IAR0_EL1, ICV_IAR1_EL1. */
  acknowledge(group: 0 | 1): number {
    const i = this.#pendingIndex
    if (i < 0 || (this.lrHigh[i]! & LR_GROUP1 ? 1 : 0) !== group || !this.#signalled(i)) return SPURIOUS
    const intid = this.lrLow[i]! & 0xffffff
    if (isSpecial(intid)) {
      // A hypervisor's mistake: the list register is used up and nothing becomes active.
      this.lrHigh[i]! &= ~LR_STATE
      return intid
    }
    const bit = priorityBit((this.lrHigh[i]! >>> 16) & this.#mask(group))
    if (group === 0) this.ap0r0 = (this.ap0r0 | bit) >>> 0
    else this.ap1r0 = (this.ap1r0 | bit) >>> 0
    this.lrHigh[i] = (this.lrHigh[i]! & ~LR_STATE) | LR_ACTIVE
    return intid
  }

  /** ICV_EOIR0_EL1, ICV_EOIR1_EL1. The priority drops before the INTID is looked at. */
  endOfInterrupt(group: 0 | 1, intid: number): void {
    if (isSpecial(intid)) return
    const running = this.ap0r0 | this.ap1r0
    if (running === 0) return
    const n = lowestBit(running)
    const bit = 1 << n
    if (this.ap0r0 & bit) this.ap0r0 = (this.ap0r0 & ~bit) >>> 0
    else this.ap1r0 = (this.ap1r0 & ~bit) >>> 0

    const i = this.#findActive(intid)
    if (i < 0) {
      // In either EOImode, as QEMU and KVM's own emulation do. The hypervisor keeps no count of LPIs.
      if (intid < FIRST_LPI) this.#countEoi()
      return
    }
    const high = this.lrHigh[i]!
    const sameGroup = (high & LR_GROUP1 ? 1 : 0) === group
    const samePriority = ((high >>> 16) & this.#mask(group)) === n << (8 - PRIORITY_BITS)
    // An LPI has no separate deactivation.
    if (sameGroup && samePriority && (!this.eoiMode || intid >= FIRST_LPI)) this.#deactivate(i)
  }

  /** ICV_DIR_EL1. With EOImode 0 the write is ignored. */
  deactivate(intid: number): void {
    if (!this.eoiMode || intid >= FIRST_SPECIAL_INTID) return
    const i = this.#findActive(intid)
    if (i < 0) this.#countEoi()
    else this.#deactivate(i)
  }

  #findActive(intid: number): number {
    for (let i = 0; i < LIST_REGISTERS; i++) {
      if (this.lrHigh[i]! & LR_ACTIVE && this.lrLow[i] === intid) return i
    }
    return -1
  }

  #deactivate(i: number): void {
    const high = this.lrHigh[i]!
    this.lrHigh[i] = high & ~LR_ACTIVE
    if (high & LR_HW) this.#physical.deactivate(high & 0x1fff)
  }

  /** ICH_HCR_EL2.EOIcount is five bits and wraps. */
  #countEoi(): void {
    this.hcr = (this.hcr + 0x08000000) >>> 0
  }

  get control(): number {
    return CTLR_FIXED | (this.eoiMode ? 2 : 0) | (this.cbpr ? 1 : 0)
  }
  set control(value: number) {
    this.eoiMode = (value & 2) !== 0
    this.cbpr = (value & 1) !== 0
  }

  setPmr(value: number): void {
    this.vpmr = value & PRIORITY_MASK
  }

  setBpr0(value: number): void {
    this.vbpr0 = Math.max(value & 7, BPR0_MIN)
  }

  get binaryPoint1(): number {
    return this.cbpr ? Math.min(this.vbpr0 + 1, 7) : this.vbpr1
  }
  set binaryPoint1(value: number) {
    if (!this.cbpr) this.vbpr1 = Math.max(value & 7, BPR1_MIN)
  }

  setGroupEnabled(group: 0 | 1, enabled: boolean): void {
    if (enabled) this.groupsEnabled |= 1 << group
    else this.groupsEnabled &= ~(1 << group)
  }
}

function isSpecial(intid: number): boolean {
  return intid >= FIRST_SPECIAL_INTID && intid < FIRST_LPI
}
