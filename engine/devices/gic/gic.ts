import type { SystemRegisterDevice } from '../../cpu/port.ts'
import type { InterruptLine } from '../device.ts'
import { sys } from '../../cpu/encoding.ts'
import { CpuInterface } from './cpu-interface.ts'
import { Distributor } from './distributor.ts'
import { InterruptBank } from './interrupt-bank.ts'
import { Redistributor } from './redistributor.ts'
import { VTR, VirtualInterface } from './virtual-interface.ts'

/** PPI of the virtual CPU interface's maintenance interrupt. */
export const MAINTENANCE_INTID = 25

const ICC_PMR_EL1 = sys(3, 0, 4, 6, 0)
const ICC_IAR0_EL1 = sys(3, 0, 12, 8, 0)
const ICC_EOIR0_EL1 = sys(3, 0, 12, 8, 1)
const ICC_HPPIR0_EL1 = sys(3, 0, 12, 8, 2)
const ICC_BPR0_EL1 = sys(3, 0, 12, 8, 3)
const ICC_AP0R0_EL1 = sys(3, 0, 12, 8, 4)
const ICC_AP1R0_EL1 = sys(3, 0, 12, 9, 0)
const ICC_DIR_EL1 = sys(3, 0, 12, 11, 1)
const ICC_RPR_EL1 = sys(3, 0, 12, 11, 3)
const ICC_SGI1R_EL1 = sys(3, 0, 12, 11, 5)
const ICC_ASGI1R_EL1 = sys(3, 0, 12, 11, 6)
const ICC_SGI0R_EL1 = sys(3, 0, 12, 11, 7)
const ICC_IAR1_EL1 = sys(3, 0, 12, 12, 0)
const ICC_EOIR1_EL1 = sys(3, 0, 12, 12, 1)
const ICC_HPPIR1_EL1 = sys(3, 0, 12, 12, 2)
const ICC_BPR1_EL1 = sys(3, 0, 12, 12, 3)
const ICC_CTLR_EL1 = sys(3, 0, 12, 12, 4)
const ICC_SRE_EL1 = sys(3, 0, 12, 12, 5)
const ICC_IGRPEN0_EL1 = sys(3, 0, 12, 12, 6)
const ICC_IGRPEN1_EL1 = sys(3, 0, 12, 12, 7)
const ICH_AP0R0_EL2 = sys(3, 4, 12, 8, 0)
const ICH_AP1R0_EL2 = sys(3, 4, 12, 9, 0)
const ICC_SRE_EL2 = sys(3, 4, 12, 9, 5)
const ICH_HCR_EL2 = sys(3, 4, 12, 11, 0)
const ICH_VTR_EL2 = sys(3, 4, 12, 11, 1)
const ICH_MISR_EL2 = sys(3, 4, 12, 11, 2)
const ICH_EISR_EL2 = sys(3, 4, 12, 11, 3)
const ICH_ELRSR_EL2 = sys(3, 4, 12, 11, 5)
const ICH_VMCR_EL2 = sys(3, 4, 12, 11, 7)
const ICH_LR0_EL2 = sys(3, 4, 12, 12, 0)
const ICH_LR3_EL2 = sys(3, 4, 12, 12, 3)

/** SRE, DFB and DIB are fixed at one: there is no memory-mapped CPU interface and no bypass. Enable too at EL2. */
const SRE_EL1 = 7n
const SRE_EL2 = 15n

/** HCR_EL2.IMO and FMO: whether EL1 sees the virtual interface. */
export interface InterruptRouting {
  readonly imo: boolean
  readonly fmo: boolean
}

/** The interrupt inputs of the CPU, as levels. */
export type InterruptOutputs = (irq: boolean, fiq: boolean, virq: boolean, vfiq: boolean) => void

/**
 * A GICv3 for one PE: distributor, redistributor, and the system registers of its physical and virtual CPU interface.
 * One security state, affinity routing, no ITS and no LPIs, four list registers, five priority bits, as the GIC that
 * QEMU's `virt` machine gives a Cortex-A72 (except that GICD_TYPER.ITLinesNumber counts all 288 INTIDs).
 *
 * `readSystemRegister` answers only for registers that can be read and `writeSystemRegister` for those that can be
 * written, so that the wrong direction becomes UNDEFINED. The CPU checks the exception level and the traps beforehand
 * (`cpu/traps.ts`, ICH_HCR_EL2.TC, TALL0, TALL1, TDIR among them).
 */
export class Gic implements SystemRegisterDevice {
  readonly bank = new InterruptBank()
  readonly distributor: Distributor
  readonly redistributor: Redistributor
  readonly cpuInterface: CpuInterface
  readonly virtualInterface: VirtualInterface
  readonly #routing: InterruptRouting
  readonly #outputs: InterruptOutputs
  #lines = 0

  constructor(options: { routing: InterruptRouting; onLines: InterruptOutputs }) {
    this.#routing = options.routing
    this.#outputs = options.onLines
    const update = (): void => this.update()
    this.distributor = new Distributor(this.bank, update)
    this.redistributor = new Redistributor(this.bank, update)
    this.cpuInterface = new CpuInterface(this.bank, this.distributor)
    this.virtualInterface = new VirtualInterface(this.bank)
  }

  reset(): void {
    this.bank.reset()
    this.distributor.reset()
    this.redistributor.reset()
    this.cpuInterface.reset()
    this.virtualInterface.reset()
    this.update()
  }

  /** The whole controller, for `restore`. */
  save() {
    return {
      bank: this.bank.save(),
      distributor: this.distributor.save(),
      processorSleep: this.redistributor.processorSleep,
      cpuInterface: this.cpuInterface.save(),
      virtualInterface: this.virtualInterface.save(),
      lines: this.#lines,
    }
  }

  /** The CPU is not told: its inputs are restored with its own state. */
  restore(saved: ReturnType<Gic['save']>): void {
    this.bank.restore(saved.bank)
    this.distributor.restore(saved.distributor)
    this.redistributor.processorSleep = saved.processorSleep
    this.cpuInterface.restore(saved.cpuInterface)
    this.virtualInterface.restore(saved.virtualInterface)
    this.#lines = saved.lines
  }

  /** The input wire of a PPI (16..31) or SPI (32..287). */
  line(intid: number): InterruptLine {
    return { set: (level) => this.setLine(intid, level) }
  }

  setLine(intid: number, level: boolean): void {
    if (this.bank.setLevel(intid, level)) this.update()
  }

  /** Recompute the outputs from everything else, and tell the CPU when they changed. */
  update(): void {
    const virtual = this.virtualInterface
    this.bank.setLevel(MAINTENANCE_INTID, virtual.maintenance)
    const physical = this.cpuInterface
    physical.update()
    let lines: number = 0
    if (physical.signals) lines = this.bank.groupOf(physical.pending) === 1 ? 1 : 2
    const signals = virtual.signals
    if (signals === 2) lines |= 4
    else if (signals === 1) lines |= 8
    if (lines === this.#lines) return
    this.#lines = lines
    this.#outputs((lines & 1) !== 0, (lines & 2) !== 0, (lines & 4) !== 0, (lines & 8) !== 0)
  }

  /** IRQ in bit 0, FIQ in 1, vIRQ in 2, vFIQ in 3. */
  get lines(): number {
    return this.#lines
  }

  readSystemRegister(encoding: number, el: number): bigint | undefined {
    const virtual = this.virtualInterface
    const g0 = this.#interface(el, this.#routing.fmo)
    const g1 = this.#interface(el, this.#routing.imo)
    const both = this.#interface(el, this.#routing.imo || this.#routing.fmo)
    switch (encoding) {
      case ICC_IAR0_EL1:
        return this.#acknowledge(g0, 0)
      case ICC_IAR1_EL1:
        return this.#acknowledge(g1, 1)
      case ICC_HPPIR0_EL1:
        return BigInt(g0.highestPending(0))
      case ICC_HPPIR1_EL1:
        return BigInt(g1.highestPending(1))
      case ICC_PMR_EL1:
        return BigInt(both === virtual ? virtual.vpmr : this.cpuInterface.pmr)
      case ICC_RPR_EL1:
        return BigInt(both.running)
      case ICC_CTLR_EL1:
        return BigInt(both.control)
      case ICC_BPR0_EL1:
        return BigInt(g0 === virtual ? virtual.vbpr0 : this.cpuInterface.bpr0)
      case ICC_BPR1_EL1:
        return BigInt(g1.binaryPoint1)
      case ICC_AP0R0_EL1:
        return BigInt(g0.ap0r0)
      case ICC_AP1R0_EL1:
        return BigInt(g1.ap1r0)
      case ICC_IGRPEN0_EL1:
        return BigInt(g0.groupsEnabled & 1)
      case ICC_IGRPEN1_EL1:
        return BigInt(g1.groupsEnabled >> 1)
      case ICC_SRE_EL1:
        return SRE_EL1
      case ICC_SRE_EL2:
        return SRE_EL2
      case ICH_HCR_EL2:
        return BigInt(virtual.hcr)
      case ICH_VTR_EL2:
        return BigInt(VTR)
      case ICH_VMCR_EL2:
        return BigInt(virtual.vmcr)
      case ICH_MISR_EL2:
        return BigInt(virtual.misr)
      case ICH_EISR_EL2:
        return BigInt(virtual.eisr)
      case ICH_ELRSR_EL2:
        return BigInt(virtual.elrsr)
      case ICH_AP0R0_EL2:
        return BigInt(virtual.ap0r0)
      case ICH_AP1R0_EL2:
        return BigInt(virtual.ap1r0)
    }
    if (encoding >= ICH_LR0_EL2 && encoding <= ICH_LR3_EL2) return virtual.lr(encoding - ICH_LR0_EL2)
    return undefined
  }

  writeSystemRegister(encoding: number, value: bigint, el: number): boolean {
    const low = Number(value & 0xffffffffn)
    if (!this.#write(encoding, value, low, el)) return false
    this.update()
    return true
  }

  #write(encoding: number, value: bigint, low: number, el: number): boolean {
    const virtual = this.virtualInterface
    const g0 = this.#interface(el, this.#routing.fmo)
    const g1 = this.#interface(el, this.#routing.imo)
    const both = this.#interface(el, this.#routing.imo || this.#routing.fmo)
    switch (encoding) {
      case ICC_EOIR0_EL1:
        g0.endOfInterrupt(0, low & 0xffffff)
        return true
      case ICC_EOIR1_EL1:
        g1.endOfInterrupt(1, low & 0xffffff)
        return true
      case ICC_DIR_EL1:
        both.deactivate(low & 0xffffff)
        return true
      case ICC_PMR_EL1:
        both.setPmr(low)
        return true
      case ICC_CTLR_EL1:
        both.control = low
        return true
      case ICC_BPR0_EL1:
        g0.setBpr0(low)
        return true
      case ICC_BPR1_EL1:
        g1.binaryPoint1 = low
        return true
      case ICC_AP0R0_EL1:
        g0.ap0r0 = low
        return true
      case ICC_AP1R0_EL1:
        g1.ap1r0 = low
        return true
      case ICC_IGRPEN0_EL1:
        g0.setGroupEnabled(0, (low & 1) !== 0)
        return true
      case ICC_IGRPEN1_EL1:
        g1.setGroupEnabled(1, (low & 1) !== 0)
        return true
      case ICC_SGI1R_EL1:
        this.cpuInterface.generateSgi(value, 1)
        return true
      case ICC_SGI0R_EL1:
      // The other security state's Group 1 does not exist; the request counts as one for Group 0, as in QEMU.
      case ICC_ASGI1R_EL1:
        this.cpuInterface.generateSgi(value, 0)
        return true
      case ICC_SRE_EL1:
      case ICC_SRE_EL2:
        return true
      case ICH_HCR_EL2:
        virtual.setHcr(low)
        return true
      case ICH_VMCR_EL2:
        virtual.vmcr = low
        return true
      case ICH_AP0R0_EL2:
        virtual.ap0r0 = low
        return true
      case ICH_AP1R0_EL2:
        virtual.ap1r0 = low
        return true
    }
    if (encoding >= ICH_LR0_EL2 && encoding <= ICH_LR3_EL2) {
      virtual.setLr(encoding - ICH_LR0_EL2, value)
      return true
    }
    return false
  }

  #interface(el: number, routedToEl2: boolean): CpuInterface | VirtualInterface {
    return el === 1 && routedToEl2 ? this.virtualInterface : this.cpuInterface
  }

  #acknowledge(from: CpuInterface | VirtualInterface, group: 0 | 1): bigint {
    const intid = from.acknowledge(group)
    this.update()
    return BigInt(intid)
  }
}
