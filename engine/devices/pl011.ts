import type { Device, InterruptLine } from './device.ts'
import { primeCellId } from './primecell.ts'

/** Register offsets (Arm DDI 0183, table 3-1). */
const UARTDR = 0x000
const UARTRSR = 0x004
const UARTFR = 0x018
const UARTILPR = 0x020
const UARTIBRD = 0x024
const UARTFBRD = 0x028
const UARTLCR_H = 0x02c
const UARTCR = 0x030
const UARTIFLS = 0x034
const UARTIMSC = 0x038
const UARTRIS = 0x03c
const UARTMIS = 0x040
const UARTICR = 0x044
const UARTDMACR = 0x048

const FR_RXFE = 0x10
const FR_RXFF = 0x40
const FR_TXFE = 0x80

const LCR_FEN = 0x10
const CR_LBE = 0x80
/** TXE and RXE, as after reset. */
const CR_RESET = 0x300
const IFLS_RESET = 0x12

export const INT_RX = 0x10
export const INT_TX = 0x20
export const INT_RT = 0x40
const INT_ALL = 0x7ff

const FIFO_DEPTH = 16
/** Receive trigger levels of UARTIFLS.RXIFLSEL in characters: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO. */
const RX_TRIGGER = [2, 4, 8, 12, 14]

/**
 * PL011 UART. Transmission takes no time: a character written to UARTDR is at the sink at once and the transmit FIFO is
 * always empty. Line speed, parity and modem lines are registers only. As in QEMU, characters pass even while UARTCR
 * has the UART disabled, because boot code that trusts its loader never enables it.
 *
 * Input beyond the receive FIFO waits outside the UART, so nothing is lost; it moves in as software reads.
 * The receive timeout, 32 bit times on a real line, is immediate.
 */
export class Pl011 implements Device {
  readonly name: string
  readonly #line: InterruptLine
  readonly #sink: (byte: number) => void
  #fifo: number[] = []
  /** Input that has not reached the FIFO: bytes from #next on. Taken by index, as large inputs make shift() slow. */
  #waiting: number[] = []
  #next = 0
  #lcr = 0
  #cr = CR_RESET
  #ifls = IFLS_RESET
  #imsc = 0
  #ris = 0
  #ilpr = 0
  #ibrd = 0
  #fbrd = 0
  #dmacr = 0

  /** @param sink gets each transmitted byte, 0..255, at the instruction that writes it. */
  constructor(name: string, line: InterruptLine, sink: (byte: number) => void) {
    this.name = name
    this.#line = line
    this.#sink = sink
  }

  reset(): void {
    this.#fifo = []
    this.#waiting = []
    this.#next = 0
    this.#lcr = 0
    this.#cr = CR_RESET
    this.#ifls = IFLS_RESET
    this.#imsc = 0
    this.#ris = 0
    this.#ilpr = 0
    this.#ibrd = 0
    this.#fbrd = 0
    this.#dmacr = 0
    this.#updateLine()
  }

  /** Everything the guest could tell apart, for `restore`. The interrupt wire is the GIC's to keep. */
  save() {
    return {
      fifo: [...this.#fifo],
      waiting: this.#waiting.slice(this.#next),
      lcr: this.#lcr,
      cr: this.#cr,
      ifls: this.#ifls,
      imsc: this.#imsc,
      ris: this.#ris,
      ilpr: this.#ilpr,
      ibrd: this.#ibrd,
      fbrd: this.#fbrd,
      dmacr: this.#dmacr,
    }
  }

  restore(saved: ReturnType<Pl011['save']>): void {
    this.#fifo = [...saved.fifo]
    this.#waiting = [...saved.waiting]
    this.#next = 0
    this.#lcr = saved.lcr
    this.#cr = saved.cr
    this.#ifls = saved.ifls
    this.#imsc = saved.imsc
    this.#ris = saved.ris
    this.#ilpr = saved.ilpr
    this.#ibrd = saved.ibrd
    this.#fbrd = saved.fbrd
    this.#dmacr = saved.dmacr
  }

  /** Bytes from outside. The caller does this at a definite instruction count and logs it. */
  receive(bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i++) this.#waiting.push(bytes[i]! & 0xff)
    this.#refill()
  }

  /** Bytes received and not yet read by the guest. */
  get unread(): number {
    return this.#fifo.length + this.#waiting.length - this.#next
  }

  read(offset: number, _bytes: number): bigint {
    return BigInt(this.#read(offset & ~3))
  }

  write(offset: number, _bytes: number, value: bigint): void {
    this.#write(offset & ~3, Number(value & 0xffffffffn))
  }

  get #depth(): number {
    return this.#lcr & LCR_FEN ? FIFO_DEPTH : 1
  }

  #refill(): void {
    let arrived = false
    while (this.#next < this.#waiting.length && this.#fifo.length < this.#depth) {
      this.#fifo.push(this.#waiting[this.#next++]!)
      arrived = true
    }
    if (this.#next === this.#waiting.length && this.#next > 0) {
      this.#waiting = []
      this.#next = 0
    }
    if (!arrived) return
    if (this.#fifo.length >= this.#rxTrigger) this.#ris |= INT_RX
    if (this.#lcr & LCR_FEN) this.#ris |= INT_RT
    this.#updateLine()
  }

  get #rxTrigger(): number {
    return this.#lcr & LCR_FEN ? (RX_TRIGGER[(this.#ifls >> 3) & 7] ?? FIFO_DEPTH) : 1
  }

  #read(offset: number): number {
    switch (offset) {
      case UARTDR: {
        const byte = this.#fifo.shift() ?? 0
        if (this.#fifo.length < this.#rxTrigger) this.#ris &= ~INT_RX
        if (this.#fifo.length === 0) this.#ris &= ~INT_RT
        this.#refill()
        this.#updateLine()
        return byte
      }
      case UARTFR:
        return (
          FR_TXFE | (this.#fifo.length === 0 ? FR_RXFE : 0) | (this.#fifo.length >= this.#depth ? FR_RXFF : 0)
        )
      case UARTILPR:
        return this.#ilpr
      case UARTIBRD:
        return this.#ibrd
      case UARTFBRD:
        return this.#fbrd
      case UARTLCR_H:
        return this.#lcr
      case UARTCR:
        return this.#cr
      case UARTIFLS:
        return this.#ifls
      case UARTIMSC:
        return this.#imsc
      case UARTRIS:
        return this.#ris
      case UARTMIS:
        return this.#ris & this.#imsc
      case UARTDMACR:
        return this.#dmacr
      case UARTRSR:
        return 0
      default:
        return primeCellId(offset, [0x11, 0x10, 0x14, 0x00])
    }
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case UARTDR:
        if (this.#cr & CR_LBE) this.receive([value])
        else this.#sink(value & 0xff)
        this.#ris |= INT_TX
        break
      case UARTILPR:
        this.#ilpr = value & 0xff
        break
      case UARTIBRD:
        this.#ibrd = value & 0xffff
        break
      case UARTFBRD:
        this.#fbrd = value & 0x3f
        break
      case UARTLCR_H:
        // Turning the FIFO on or off empties it.
        if ((this.#lcr ^ value) & LCR_FEN) {
          this.#fifo = []
          this.#ris &= ~(INT_RX | INT_RT)
        }
        this.#lcr = value & 0xff
        this.#refill()
        break
      case UARTCR:
        this.#cr = value & 0xff87
        break
      case UARTIFLS:
        this.#ifls = value & 0x3f
        if (this.#fifo.length >= this.#rxTrigger) this.#ris |= INT_RX
        break
      case UARTIMSC:
        this.#imsc = value & INT_ALL
        break
      case UARTICR:
        this.#ris &= ~value
        break
      case UARTDMACR:
        this.#dmacr = value & 7
        break
    }
    this.#updateLine()
  }

  #updateLine(): void {
    this.#line.set((this.#ris & this.#imsc) !== 0)
  }
}
