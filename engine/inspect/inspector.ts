import type { HypPage } from './hyp-page.ts'
import { type InspectedMachine, KernelData, type KernelDescription } from './kernel-data.ts'
import { attempt, type Known, need, UnknownError } from './known.ts'
import { type ModeView, readMode } from './mode.ts'
import { type OwnershipMap, OwnershipReader } from './ownership.ts'
import { translate, type Walk, walk } from './page-table-walk.ts'
import { placeText } from './symboliser.ts'
import { readTaint, type Taint } from './taint.ts'
import { currentStage2, el1Stage1, el2Stage1 } from './translation-regimes.ts'
import { readVmTable, type VmView } from './vm-table.ts'

const PAGE = 4096

/** Everything about one physical page. */
export interface PageView {
  readonly physical: number
  readonly record: Known<HypPage>
  readonly recordAddress: Known<number>
  /** The host's stage 2 walk for the page. */
  readonly hostWalk: Known<Walk>
  /** The symbol at the page's first byte, for pages of the kernel's image. */
  readonly symbol: string | null
}

/**
 * The lab's window into a running machine: read-only, on any kernel, never throwing because of what it finds there.
 * Making one takes some hundred milliseconds; each question then reads the machine as it is at that moment.
 */
export class Inspector {
  readonly kernel: KernelData
  private readonly reader: Known<OwnershipReader>

  /** @param kernel its data, its description, or the Image that the machine was booted with. */
  constructor(machine: InspectedMachine, kernel: KernelData | KernelDescription | Uint8Array) {
    this.kernel = kernel instanceof KernelData ? kernel : new KernelData(machine, kernel)
    this.reader = attempt(() => new OwnershipReader(this.kernel))
  }

  mode(): ModeView {
    return readMode(this.kernel)
  }

  taint(): Known<Taint> {
    return readTaint(this.kernel)
  }

  vms(): Known<VmView[]> {
    return attempt(() => {
      this.checkPhase()
      return readVmTable(this.kernel)
    })
  }

  ownership(): Known<OwnershipMap> {
    return attempt(() => {
      this.checkPhase()
      return need(this.reader).read()
    })
  }

  /** The reader of pKVM's record, once there is a record. */
  recordReader(): Known<OwnershipReader> {
    return attempt(() => {
      this.checkPhase()
      return need(this.reader)
    })
  }

  /** @param physical any address in the page. */
  page(physical: number): PageView {
    const start = physical - (physical % PAGE)
    const recordAddress = attempt(() => {
      this.checkPhase()
      return need(this.reader).recordAddress(start / PAGE)
    })
    const place = this.kernel.symboliser.known ? this.kernel.symboliser.value.atPhysical(start) : undefined
    return {
      physical: start,
      recordAddress,
      record: attempt(() => {
        const { pageLayout } = need(this.reader)
        const at = need(recordAddress)
        return pageLayout.decode(
          Array.from({ length: pageLayout.bytes / 4 }, (_, i) => this.kernel.memory.u32(at + 4 * i)),
        )
      }),
      hostWalk: attempt(() => {
        this.checkPhase()
        return walk(this.kernel.memory, need(this.reader).hostTables(), BigInt(start))
      }),
      symbol: place === undefined ? null : placeText(place),
    }
  }

  /**
   * Translate a virtual address as EL1&0 or EL2 does now, step by step.
   * @returns the walk of stage 1 (null while it is off) and of stage 2 (null while off, or when stage 1 fails).
   */
  walkVirtual(va: bigint, el: number): Known<{ readonly stage1: Walk | null; readonly stage2: Walk | null }> {
    return attempt(() => {
      const registers = this.kernel.registers()
      const { memory } = this.kernel
      if (el === 2) {
        const tables = el2Stage1(registers)
        return { stage1: tables === null ? null : walk(memory, tables, va), stage2: null }
      }
      const stage2 = currentStage2(registers)
      const tables = el1Stage1(registers, va)
      if (tables === null && (registers.SCTLR_EL1 & 1n) !== 0n)
        throw new UnknownError('TCR_EL1 disables this half of the address space')
      const place = stage2 === null ? undefined : (ipa: number) => translate(memory, stage2, BigInt(ipa))
      const first = tables === null ? null : walk(memory, tables, va, place)
      const ipa = first === null ? va : first.result.kind === 'mapped' ? BigInt(first.result.output) : null
      return { stage1: first, stage2: stage2 === null || ipa === null ? null : walk(memory, stage2, ipa) }
    })
  }

  /** Translate a guest's address of its physical memory. @param handle of the VM. */
  walkGuest(handle: number, ipa: bigint): Known<Walk> {
    return attempt(() => {
      const vm = need(this.vms()).find((v) => v.handle === handle)
      if (vm === undefined) throw new UnknownError(`there is no VM 0x${handle.toString(16)}`)
      return walk(this.kernel.memory, need(vm.stage2), ipa)
    })
  }

  /** @throws UnknownError with what stands in the way of knowing who owns a page. */
  private checkPhase(): void {
    switch (need(this.mode().phase)) {
      case 'absent':
        throw new UnknownError('this kernel has no pKVM')
      case 'off':
        throw new UnknownError(
          'protected mode is off (kvm-arm.mode=protected is not in force), so nobody keeps a record of who owns a page',
        )
      case 'pending':
        throw new UnknownError('the hypervisor has not finished its record of pages yet')
      default:
    }
  }
}
