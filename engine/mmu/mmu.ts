import { GuestException, Target } from '../cpu/exception.ts'
import type { AccessKind, MmuPort } from '../cpu/port.ts'
import { lowWord, Slot } from '../cpu/register-slots.ts'
import { type CpuState, Off, RAM_BASE } from '../cpu/state.ts'
import { AbortIss, EC, FaultStatus, loadStoreIss } from '../cpu/syndrome.ts'
import { DevicePages } from './device-pages.ts'
import { Tlb } from './tlb.ts'
import { Permission, stage1On, Walker } from './walk.ts'

const CONTEXT = Off.context >> 2
const CONTEXT_UNPRIVILEGED = Off.contextUnprivileged >> 2
const EL = Off.el >> 2

/**
 * The memory management unit: TLB in front of the walker, faults turned into exceptions.
 *
 * Virtual addresses come as two unsigned 32-bit halves. RAM that is mapped as Device memory gets a linear address like
 * any RAM, with `device` set so that the caller checks alignment, but no TLB tags.
 */
export class Mmu implements MmuPort {
  readonly tlb: Tlb
  readonly walker: Walker
  /** Physical page numbers whose stores must take the slow path: they never get a write tag. Use `watch`. */
  readonly watchedPages = new Set<number>()
  /** 1 for each page of RAM that stores may have reached: all that were ever translated for writing. */
  readonly written: Uint8Array
  physical = 0
  device = false
  /** Address and kind of the last translate, for faults that come later (the bus, alignment). */
  lastLow = 0
  lastHigh = 0
  lastAccess: AccessKind = 0
  /** While set, faults report a cache maintenance operation (ISS.CM = WnR = 1). */
  maintenance = false

  private readonly devicePages = new DevicePages()
  private readonly i32: Int32Array
  private readonly u32: Uint32Array
  private readonly ramBase: number
  private readonly ramEnd: number

  /** @param ramBase physical address of RAM; @param ramBytes its size. */
  constructor(state: CpuState, ramBase: number, ramBytes: number) {
    this.i32 = state.i32
    this.u32 = state.u32
    this.ramBase = ramBase
    this.ramEnd = ramBase + ramBytes
    this.written = new Uint8Array(ramBytes / 4096)
    this.tlb = new Tlb(state)
    this.walker = new Walker(state, ramBase, ramBytes)
  }

  translate(vaLow: number, vaHigh: number, access: AccessKind, unprivileged: boolean): number {
    vaLow >>>= 0
    vaHigh >>>= 0
    this.lastLow = vaLow
    this.lastHigh = vaHigh
    this.lastAccess = access
    const context = this.i32[unprivileged ? CONTEXT_UNPRIVILEGED : CONTEXT]!
    const w = this.tlb.probe(vaLow, vaHigh, context, access)
    if (w >= 0) {
      const u32 = this.u32
      this.physical = u32[w + 7]! * 4096 + (vaLow & 0xfff)
      this.device = false
      return (vaLow + u32[w + 6]!) >>> 0
    }
    if (this.isDevicePage(vaLow, vaHigh, context, access)) return 0
    if (access === 2 && (vaLow & 3) !== 0) {
      throw new GuestException(EC.pcAlignment, 0, Target.usual, join(vaLow, vaHigh))
    }
    const linear = this.walk(vaLow, vaHigh, access, unprivileged, context)
    if (linear < 0) throw this.abort(vaLow, vaHigh, access)
    if (linear === 0 && access === 2) throw this.externalAbort()
    return linear
  }

  tryTranslate(vaLow: number, vaHigh: number, access: AccessKind, unprivileged: boolean): number {
    vaLow >>>= 0
    vaHigh >>>= 0
    const context = this.i32[unprivileged ? CONTEXT_UNPRIVILEGED : CONTEXT]!
    const w = this.tlb.probe(vaLow, vaHigh, context, access)
    if (w >= 0) return (vaLow + this.u32[w + 6]!) >>> 0
    if (this.isDevicePage(vaLow, vaHigh, context, access)) return 0
    const linear = this.walk(vaLow, vaHigh, access, unprivileged, context)
    if (linear <= 0) return 0
    // Device memory and watched pages are tier 0's business.
    return this.tlb.probe(vaLow, vaHigh, context, access) >= 0 ? linear : 0
  }

  /** Send every store to these physical pages down the slow path from now on. */
  watch(...physicalPages: readonly number[]): void {
    for (const page of physicalPages) this.watchedPages.add(page)
    this.tlb.dropWriters(new Set(physicalPages))
  }

  unwatch(physicalPage: number): void {
    this.watchedPages.delete(physicalPage)
  }

  /** @returns the linear address, 0 for what is not RAM, -1 for a fault that the walker holds. */
  private walk(vaLow: number, vaHigh: number, access: AccessKind, unprivileged: boolean, context: number): number {
    const el = this.i32[EL]!
    const walker = this.walker
    const el0 = el === 0 || (unprivileged && el === 1)
    const need = access === 0 ? Permission.read : access === 1 ? Permission.write : Permission.fetch
    if (!walker.translate(vaLow, vaHigh, need, el === 2, el0, true, access === 2)) return -1
    const physical = walker.physical
    this.physical = physical
    this.device = walker.device
    if (physical < this.ramBase || physical >= this.ramEnd) {
      if (access !== 2) {
        const page = physical - (vaLow & 0xfff)
        this.devicePages.add(vaLow, vaHigh, context, access, this.tlb.generation, page, walker.device)
      }
      return 0
    }
    const linear = RAM_BASE + (physical - this.ramBase)
    if ((walker.permissions & Permission.write) !== 0) this.written[(physical - this.ramBase) >>> 12] = 1
    const flat = !this.stage1Enabled(el)
    // With stage 1 off data is Device memory, but alignment is then checked by mode, so the TLB may hold it.
    if (!walker.device || flat) {
      const p = walker.permissions
      const page = Math.floor(physical / 4096)
      const watched = this.watchedPages.size !== 0 && this.watchedPages.has(page)
      const offset = vaLow & 0xfff
      this.tlb.fill(
        vaLow,
        vaHigh,
        context,
        linear - offset,
        page,
        (p & Permission.read) !== 0,
        (p & Permission.write) !== 0 && !watched,
        (p & Permission.fetch) !== 0,
        access === 2,
        walker.blockShift,
      )
    }
    return linear
  }

  /** A page outside RAM whose translation is known: sets `physical` and `device`. */
  private isDevicePage(vaLow: number, vaHigh: number, context: number, access: AccessKind): boolean {
    if (access === 2) return false
    const page = this.devicePages.find(vaLow, vaHigh, context, access, this.tlb.generation)
    if (page < 0) return false
    this.physical = page + (vaLow & 0xfff)
    this.device = this.devicePages.device
    return true
  }

  private stage1Enabled(el: number): boolean {
    return el === 2 ? (this.u32[SCTLR_EL2]! & 1) !== 0 : stage1On(this.u32[SCTLR_EL1]!, this.u32[HCR_EL2]!)
  }

  /** The exception for the fault that the walker holds. */
  private abort(vaLow: number, vaHigh: number, access: AccessKind): GuestException {
    const walker = this.walker
    const far = join(vaLow, vaHigh)
    const target = walker.faultStage2 ? Target.el2 : Target.usual
    const ipa = walker.faultStage2 ? walker.faultIpa : -1
    let iss = walker.status | (walker.faultOnWalk ? AbortIss.s1ptw : 0)
    if (access === 2) return new GuestException(EC.instructionAbort, iss, target, far, ipa)
    if (this.maintenance) iss |= AbortIss.cm | AbortIss.wnr
    else {
      if (access === 1) iss |= AbortIss.wnr
      if (walker.faultStage2 && !walker.faultOnWalk) iss |= loadStoreIss(this.currentWord())
    }
    return new GuestException(EC.dataAbort, iss, target, far, ipa)
  }

  /** The synchronous external abort for the last translated address. */
  externalAbort(): GuestException {
    const far = join(this.lastLow, this.lastHigh)
    const status = FaultStatus.externalAbort
    if (this.lastAccess === 2) return new GuestException(EC.instructionAbort, status, Target.usual, far)
    const iss = status | (this.lastAccess === 1 ? AbortIss.wnr : 0)
    return new GuestException(EC.dataAbort, iss, Target.usual, far)
  }

  /** The word at the PC, or 0 when it cannot be read. Leaves the walker's results of a fault to the caller's copy. */
  currentWord(): number {
    const low = this.u32[Off.pc >> 2]!
    const high = this.u32[(Off.pc >> 2) + 1]!
    const context = this.i32[CONTEXT]!
    const w = this.tlb.probe(low, high, context, 2)
    if (w >= 0) return this.u32[((low + this.u32[w + 6]!) >>> 0) >>> 2]!
    const el = this.i32[EL]!
    if (!this.walker.translate(low, high, Permission.fetch, el === 2, el === 0, true, true)) return 0
    const physical = this.walker.physical
    if (physical < this.ramBase || physical >= this.ramEnd) return 0
    return this.u32[(physical - this.ramBase + RAM_BASE) / 4]!
  }
}

const HCR_EL2 = lowWord(Slot.HCR_EL2)
const SCTLR_EL1 = lowWord(Slot.SCTLR_EL1)
const SCTLR_EL2 = lowWord(Slot.SCTLR_EL2)

function join(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
