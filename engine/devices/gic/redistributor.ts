import type { Device } from '../device.ts'
import { IIDR } from './distributor.ts'
import { peripheralId, readSized, writeSized } from './frame.ts'
import type { InterruptBank } from './interrupt-bank.ts'

const SGI_FRAME = 0x10000
const GICR_IPRIORITYR = SGI_FRAME + 0x400

const GICR_IIDR = 0x0004
const GICR_TYPER = 0x0008
const GICR_WAKER = 0x0014
/** Last redistributor of the region, CommonLPIAff as QEMU's; no LPIs; affinity 0.0.0.0, processor number 0. */
const TYPER_LOW = 0x01000010
const WAKER_PROCESSOR_SLEEP = 2
const WAKER_CHILDREN_ASLEEP = 4

/**
 * GICR: the redistributor of the one PE, RD frame and SGI frame of 64 KiB each (Arm IHI 0069, 12.10 and 12.11).
 *
 * GICR_WAKER keeps its handshake, but as in QEMU a redistributor that was never woken still forwards interrupts.
 */
export class Redistributor implements Device {
  readonly name = 'gicr'
  readonly bank: InterruptBank
  readonly #changed: () => void
  processorSleep = true

  constructor(bank: InterruptBank, changed: () => void) {
    this.bank = bank
    this.#changed = changed
  }

  reset(): void {
    this.processorSleep = true
  }

  read(offset: number, bytes: number): bigint {
    return readSized(offset, bytes, (o) => this.#readWord(o))
  }

  write(offset: number, bytes: number, value: bigint): void {
    if (offset >= GICR_IPRIORITYR && offset < GICR_IPRIORITYR + 32 && bytes < 4) {
      for (let i = 0; i < bytes; i++) {
        this.bank.setPriority(offset - GICR_IPRIORITYR + i, Number((value >> BigInt(8 * i)) & 0xffn), 0, 0)
      }
    } else {
      writeSized(offset, bytes, value, (o, v) => {
        if (o >= SGI_FRAME) this.bank.writeRegister(o - SGI_FRAME, v, 0, 0)
        else if (o === GICR_WAKER) this.processorSleep = (v & WAKER_PROCESSOR_SLEEP) !== 0
      })
    }
    this.#changed()
  }

  #readWord(offset: number): number {
    if (offset >= SGI_FRAME) {
      return this.bank.readRegister(offset - SGI_FRAME, 0, 0) ?? peripheralId(offset - SGI_FRAME, 0x93)
    }
    switch (offset) {
      case GICR_IIDR:
        return IIDR
      case GICR_TYPER:
        return TYPER_LOW
      case GICR_WAKER:
        return this.processorSleep ? WAKER_PROCESSOR_SLEEP | WAKER_CHILDREN_ASLEEP : 0
    }
    // CTLR, PROPBASER, PENDBASER and the LPI registers are RAZ/WI without LPIs.
    return peripheralId(offset, 0x93)
  }
}
