import { Bus } from '../devices/bus.ts'
import type { Clock } from '../devices/device.ts'
import { Gic, type InterruptOutputs, type InterruptRouting } from '../devices/gic/gic.ts'
import { Pl011 } from '../devices/pl011.ts'
import { Pl031 } from '../devices/pl031.ts'
import { type FirmwareActions, PsciFirmware } from '../devices/psci.ts'
import { GenericTimer } from '../devices/timer.ts'
import type { SystemRegisterDevice } from '../cpu/port.ts'
import { Intid, MemoryMap } from './memory-map.ts'

export interface BoardOptions {
  readonly clock: Clock
  /** HCR_EL2.IMO and FMO of the CPU, read at each access to an ICC_* register. */
  readonly routing: InterruptRouting
  /** The CPU's interrupt inputs; called on change only. */
  readonly onLines: InterruptOutputs
  readonly firmware: FirmwareActions
  /** Bytes that the guest writes to its first and second UART. */
  readonly uart0: (byte: number) => void
  readonly uart1: (byte: number) => void
  /** What the RTC shows at virtual time 0: seconds since 1970-01-01 UTC, 0..2^32-1. */
  readonly rtcStartSeconds: number
}

/**
 * Everything around the CPU and RAM, wired as in QEMU's `virt`: the machine composes it with the CPU and the engine.
 *
 * Physical addresses without RAM or a device (QEMU's flash at 0 among them, which is not there) answer with a bus error.
 */
export class Board {
  readonly gic: Gic
  readonly timer: GenericTimer
  readonly uart0: Pl011
  readonly uart1: Pl011
  readonly rtc: Pl031
  readonly firmware: PsciFirmware
  readonly bus: Bus
  /** Owners of system registers, in the order the CPU asks them. */
  readonly systemRegisterDevices: readonly SystemRegisterDevice[]

  constructor(options: BoardOptions) {
    const { clock } = options
    this.gic = new Gic({ routing: options.routing, onLines: options.onLines })
    const line = this.gic.line.bind(this.gic)
    this.timer = new GenericTimer(clock, {
      physical: line(Intid.physicalTimer),
      virtual: line(Intid.virtualTimer),
      hyp: line(Intid.hypTimer),
    })
    this.uart0 = new Pl011('uart0', line(Intid.uart0), options.uart0)
    this.uart1 = new Pl011('uart1', line(Intid.uart1), options.uart1)
    this.rtc = new Pl031(clock, line(Intid.rtc), options.rtcStartSeconds)
    this.firmware = new PsciFirmware(options.firmware)
    this.bus = new Bus([
      { device: this.gic.distributor, ...MemoryMap.gicDistributor },
      { device: this.gic.redistributor, ...MemoryMap.gicRedistributor },
      { device: this.uart0, ...MemoryMap.uart0 },
      { device: this.rtc, ...MemoryMap.rtc },
      { device: this.uart1, ...MemoryMap.uart1 },
    ])
    this.systemRegisterDevices = [this.timer, this.gic]
  }

  /** Virtual nanoseconds (absolute) of the next moment at which `update` must be called, or Infinity. */
  nextDeadline(): number {
    return Math.min(this.timer.nextDeadline(), this.rtc.nextDeadline())
  }

  /** Let timers that have reached their deadline raise their interrupts. */
  update(): void {
    this.timer.update()
    this.rtc.update()
  }

  /** Every device by name, for `restore`. The firmware keeps nothing. */
  save() {
    return {
      gic: this.gic.save(),
      timer: this.timer.save(),
      uart0: this.uart0.save(),
      uart1: this.uart1.save(),
      rtc: this.rtc.save(),
    }
  }

  restore(saved: ReturnType<Board['save']>): void {
    this.gic.restore(saved.gic)
    this.timer.restore(saved.timer)
    this.uart0.restore(saved.uart0)
    this.uart1.restore(saved.uart1)
    this.rtc.restore(saved.rtc)
  }

  /** The devices' reset state. Time goes on. */
  reset(): void {
    this.timer.reset()
    this.uart0.reset()
    this.uart1.reset()
    this.rtc.reset()
    this.gic.reset()
  }
}
