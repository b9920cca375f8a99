import type { AccessOptions } from '../isa/builder.ts'
import { Access, type AccessKind, type CpuPort } from '../cpu/port.ts'
import { type CpuState, ModeBit, Off, RAM_BASE, TLB_BASE, TLB_ENTRIES } from '../cpu/state.ts'

const PAGE = 4096
const CODE_KEY = Off.codeKey >> 2
const CONTEXT = Off.context >> 2
const CONTEXT_UNPRIVILEGED = Off.contextUnprivileged >> 2

/** Tier 0's way to guest memory: TLB probe, translation, devices, page crossings, alignment faults. */
export class EvaluatedMemory {
  private readonly state: CpuState

  constructor(private readonly cpu: CpuPort) {
    this.state = cpu.state
  }

  /**
   * Linear-memory address of an access that stays within a page, or 0 for the bus.
   *
   *     e = TLB[(va >> 12) & mask]
   *     if e.tag[access] == (va & ~0xfff | context): return va + e.delta
   *     else: walk the tables
   */
  private locate(low: number, high: number, access: AccessKind, unprivileged: boolean, bytes = 1): number {
    const { i32 } = this.state
    const entry = (TLB_BASE >> 2) + ((low >>> 12) & (TLB_ENTRIES - 1)) * 8
    const tag = (low & ~0xfff) | i32[unprivileged ? CONTEXT_UNPRIVILEGED : CONTEXT]!
    if (i32[entry + 2 * access] === tag && i32[entry + 2 * access + 1] === high) return (low + i32[entry + 6]!) >>> 0
    const host = this.cpu.mmu.translate(low, high, access, unprivileged)
    // RAM that is mapped as Device memory, which the TLB never holds.
    if (host !== 0 && low & (bytes - 1) && this.cpu.mmu.device) this.cpu.alignmentFault(address(low, high), access === Access.write)
    return host
  }

  private checkWatchpoints(low: number, high: number, bytes: number, write: boolean, unprivileged: boolean): void {
    if (this.state.i32[CODE_KEY]! & ModeBit.tier0Only) this.cpu.checkWatchpoints?.(address(low, high), bytes, write, unprivileged)
  }

  private checkAlignment(low: number, high: number, bytes: number, options: AccessOptions, write: boolean): void {
    const alignment = options.alignment ?? bytes
    if (low & (alignment - 1) && (options.aligned === true || this.state.i32[CODE_KEY]! & ModeBit.alignCheck)) {
      this.cpu.alignmentFault(address(low, high), write)
    }
  }

  /** Load `bytes` bytes into `out` at `at`. */
  load(low: number, high: number, bytes: number, options: AccessOptions, out: Uint8Array, at: number): void {
    const access = options.forWrite === true ? Access.write : Access.read
    this.checkAlignment(low, high, bytes, options, access === Access.write)
    const unprivileged = options.unprivileged === true
    const inPage = PAGE - (low & 0xfff)
    if (bytes > inPage) {
      // A page crossing: both halves must translate before anything is returned.
      const [nextLow, nextHigh] = plus(low, high, inPage)
      this.locate(nextLow, nextHigh, access, unprivileged)
      this.loadInPage(low, high, inPage, access, unprivileged, out, at)
      this.loadInPage(nextLow, nextHigh, bytes - inPage, access, unprivileged, out, at + inPage)
      this.checkWatchpoints(low, high, bytes, access === Access.write, unprivileged)
      return
    }
    this.loadInPage(low, high, bytes, access, unprivileged, out, at)
    this.checkWatchpoints(low, high, bytes, access === Access.write, unprivileged)
  }

  private loadInPage(low: number, high: number, bytes: number, access: AccessKind, unprivileged: boolean, out: Uint8Array, at: number): void {
    const host = this.locate(low, high, access, unprivileged, bytes)
    if (host !== 0) {
      const { bytes: memory } = this.state
      for (let i = 0; i < bytes; i++) out[at + i] = memory[host + i]!
      return
    }
    const { mmu, bus } = this.cpu
    const physical = mmu.physical
    if (mmu.device && low & (bytes - 1)) this.cpu.alignmentFault(address(low, high), access === Access.write)
    // Vector registers and odd pieces of a crossing go to the bus in naturally aligned parts.
    for (let done = 0; done < bytes; ) {
      const part = busPart(physical + done, bytes - done)
      let v = bus.read(physical + done, part)
      for (let i = 0; i < part; i++, v >>= 8n) out[at + done + i] = Number(v & 0xffn)
      done += part
    }
  }

  store(low: number, high: number, bytes: number, options: AccessOptions, from: Uint8Array, at: number): void {
    this.checkAlignment(low, high, bytes, options, true)
    const unprivileged = options.unprivileged === true
    const inPage = PAGE - (low & 0xfff)
    if (bytes > inPage) {
      const [nextLow, nextHigh] = plus(low, high, inPage)
      this.locate(low, high, Access.write, unprivileged)
      this.locate(nextLow, nextHigh, Access.write, unprivileged)
      this.checkWatchpoints(low, high, bytes, true, unprivileged)
      this.storeInPage(low, high, inPage, unprivileged, from, at)
      this.storeInPage(nextLow, nextHigh, bytes - inPage, unprivileged, from, at + inPage)
      return
    }
    if (this.state.i32[CODE_KEY]! & ModeBit.tier0Only) {
      this.locate(low, high, Access.write, unprivileged, bytes)
      this.checkWatchpoints(low, high, bytes, true, unprivileged)
    }
    this.storeInPage(low, high, bytes, unprivileged, from, at)
  }

  private storeInPage(low: number, high: number, bytes: number, unprivileged: boolean, from: Uint8Array, at: number): void {
    const host = this.locate(low, high, Access.write, unprivileged, bytes)
    if (host !== 0) {
      const { bytes: memory } = this.state
      const { observer } = this.cpu
      if (observer !== undefined && observer.watched[(host - RAM_BASE) >>> 12] !== 0) {
        const old = memory.slice(host, host + bytes)
        for (let i = 0; i < bytes; i++) memory[host + i] = from[at + i]!
        observer.watchedStore(host, old)
        return
      }
      for (let i = 0; i < bytes; i++) memory[host + i] = from[at + i]!
      return
    }
    const { mmu, bus } = this.cpu
    const physical = mmu.physical
    if (mmu.device && low & (bytes - 1)) this.cpu.alignmentFault(address(low, high), true)
    for (let done = 0; done < bytes; ) {
      const part = busPart(physical + done, bytes - done)
      let v = 0n
      for (let i = part - 1; i >= 0; i--) v = (v << 8n) | BigInt(from[at + done + i]!)
      bus.write(physical + done, part, v)
      done += part
    }
  }

  /** DC ZVA on the 64-byte block at an aligned address. Device memory takes an alignment fault. */
  zeroBlock(low: number, high: number): void {
    const host = this.locate(low, high, Access.write, false)
    if (host === 0 || this.state.i32[CODE_KEY]! & ModeBit.alignCheck && this.cpu.mmu.device) this.cpu.alignmentFault(address(low, high), true)
    const { observer } = this.cpu
    if (observer !== undefined && observer.watched[(host - RAM_BASE) >>> 12] !== 0) {
      const old = this.state.bytes.slice(host, host + 64)
      this.state.bytes.fill(0, host, host + 64)
      observer.watchedStore(host, old)
      return
    }
    this.state.bytes.fill(0, host, host + 64)
  }
}

function address(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

function plus(low: number, high: number, n: number): [number, number] {
  const sum = (low >>> 0) + n
  return [sum | 0, sum > 0xffffffff ? (high + 1) | 0 : high]
}

/** Largest power of two up to 8 that fits `left` bytes and the alignment of the address. */
function busPart(physical: number, left: number): number {
  let part = 8
  while (part > left || physical % part !== 0) part >>= 1
  return part
}
