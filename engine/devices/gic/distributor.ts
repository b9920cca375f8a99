import type { Device } from '../device.ts'
import { INTIDS, type InterruptBank } from './interrupt-bank.ts'
import { peripheralId, readSized, writeSized } from './frame.ts'

const LAST_WORD = INTIDS / 32 - 1

const GICD_CTLR = 0x0000
const GICD_TYPER = 0x0004
const GICD_IIDR = 0x0008
const GICD_IPRIORITYR = 0x0400
const GICD_IROUTER = 0x6000
/** IROUTER: Aff3 in 39:32, Aff2-Aff0 in 23:0. Interrupt_Routing_Mode is RES0 as GICD_TYPER.No1N says. */
const IROUTER_LOW = 0x00ffffff
const IROUTER_HIGH = 0xff

/** GICD_CTLR with one security state (DS) and affinity routing for good (ARE). */
const CTLR_FIXED = 0x50

/** ITLinesNumber 8 (288 INTIDs), IDbits 15 (16 bits), A3V, No1N; no LPIs, no message-based SPIs. */
const TYPER = 0x03780000 | (INTIDS / 32 - 1)
/** Implementer Arm, as QEMU's. */
export const IIDR = 0x43b

/** GICD: the distributor frame of 64 KiB (Arm IHI 0069, 12.9), affinity routing enabled, one security state. */
export class Distributor implements Device {
  readonly name = 'gicd'
  readonly bank: InterruptBank
  readonly #changed: () => void
  /** GICD_CTLR.EnableGrp0 in bit 0, EnableGrp1 in bit 1. */
  groupsEnabled = 0
  readonly #routeLow = new Uint32Array(INTIDS)
  readonly #routeHigh = new Uint32Array(INTIDS)

  /** @param changed called after every write that may change what is pending. */
  constructor(bank: InterruptBank, changed: () => void) {
    this.bank = bank
    this.#changed = changed
  }

  reset(): void {
    this.groupsEnabled = 0
    this.#routeLow.fill(0)
    this.#routeHigh.fill(0)
  }

  /** What is not in the bank, for `restore`. */
  save() {
    return {
      groupsEnabled: this.groupsEnabled,
      routeLow: this.#routeLow.slice(),
      routeHigh: this.#routeHigh.slice(),
    }
  }

  restore(saved: ReturnType<Distributor['save']>): void {
    this.groupsEnabled = saved.groupsEnabled
    this.#routeLow.set(saved.routeLow)
    this.#routeHigh.set(saved.routeHigh)
  }

  read(offset: number, bytes: number): bigint {
    return readSized(offset, bytes, (o) => this.#readWord(o))
  }

  write(offset: number, bytes: number, value: bigint): void {
    if (offset >= GICD_IPRIORITYR && offset < 0x800 && bytes < 4) {
      for (let i = 0; i < bytes; i++) {
        this.bank.setPriority(offset - GICD_IPRIORITYR + i, Number((value >> BigInt(8 * i)) & 0xffn), 1, LAST_WORD)
      }
    } else {
      writeSized(offset, bytes, value, (o, v) => this.#writeWord(o, v))
    }
    this.#changed()
  }

  #readWord(offset: number): number {
    const perInterrupt = this.bank.readRegister(offset, 1, LAST_WORD)
    if (perInterrupt !== undefined) return perInterrupt
    switch (offset) {
      case GICD_CTLR:
        return CTLR_FIXED | this.groupsEnabled
      case GICD_TYPER:
        return TYPER
      case GICD_IIDR:
        return IIDR
    }
    if (offset >= GICD_IROUTER + 8 * 32 && offset < GICD_IROUTER + 8 * INTIDS) {
      const intid = (offset - GICD_IROUTER) >> 3
      return (offset & 4 ? this.#routeHigh : this.#routeLow)[intid]!
    }
    // Everything else, TYPER2 among it, is reserved or an optional feature that is absent: RAZ/WI.
    return peripheralId(offset, 0x92)
  }

  #writeWord(offset: number, value: number): void {
    if (this.bank.writeRegister(offset, value, 1, LAST_WORD)) return
    if (offset === GICD_CTLR) {
      this.groupsEnabled = value & 3
    } else if (offset >= GICD_IROUTER + 8 * 32 && offset < GICD_IROUTER + 8 * INTIDS) {
      const intid = (offset - GICD_IROUTER) >> 3
      if (offset & 4) this.#routeHigh[intid] = value & IROUTER_HIGH
      else this.#routeLow[intid] = value & IROUTER_LOW
      // The PE's affinity is 0.0.0.0.
      const here = this.#routeLow[intid] === 0 && this.#routeHigh[intid] === 0
      const bit = 1 << (intid & 31)
      if (here) this.bank.routed[intid >> 5]! |= bit
      else this.bank.routed[intid >> 5]! &= ~bit
    }
  }
}
