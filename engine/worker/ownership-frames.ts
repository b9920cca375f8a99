import type { Inspector } from '../inspect/inspector.ts'
import { attempt } from '../inspect/known.ts'
import { OwnershipReader } from '../inspect/ownership.ts'
import { type BootPlaces, fixedRegions, initMemoryFreed, type RamRegion, vmRegions } from '../inspect/regions.ts'
import type { OwnershipFrame, VmSummary } from './inspection-protocol.ts'

const PAGE = 4096
const UNKNOWN_STATE = 4
const UNKNOWN_OWNER = 3

/**
 * Makes ownership frames of a machine, and knows cheaply whether a new one would differ. pKVM's record of pages, one
 * megabyte for half a gigabyte of RAM, is compared with a copy: a tenth of the time of reading and explaining it.
 */
export class OwnershipFrames {
  private readonly records: OwnershipReader | null
  /** Where the record of pages lies in RAM, once it exists: offsets from the start of RAM, in 32-bit words. */
  private places: { start: number; words: number }[] | null = null
  private copy: Int32Array | null = null
  private readonly words: Int32Array
  private regions: RamRegion[] | null = null
  private regionsComplete = false
  private freed = false
  private lastWhy: string | null = null
  private lastVms = ''

  constructor(
    private readonly inspector: Inspector,
    private readonly boot: BootPlaces,
  ) {
    const { ram } = inspector.kernel.memory
    this.words = new Int32Array(ram.buffer, ram.byteOffset, ram.length >> 2)
    const reader = attempt(() => new OwnershipReader(inspector.kernel))
    this.records = reader.known ? reader.value : null
  }

  /**
   * A frame of this moment.
   * @param always also when nothing changed since the last frame
   * @returns null when nothing did
   */
  next(instructions: number, always: boolean): OwnershipFrame | null {
    if (!always && !this.changed()) return null
    const map = this.inspector.ownership()
    const { memory } = this.inspector.kernel
    const pages = memory.ram.length / PAGE
    const head = { type: 'ownership' as const, instructions, ramBase: memory.base, pages }
    if (!map.known) {
      if (!always && this.lastWhy === map.why) return null
      this.lastWhy = map.why
      return {
        ...head,
        why: map.why,
        host: new Uint8Array(pages).fill(UNKNOWN_STATE),
        hyp: new Uint8Array(pages).fill(UNKNOWN_STATE),
        owner: new Uint8Array(pages).fill(UNKNOWN_OWNER),
        guest: [],
        vms: [],
        regions: fixedRegions(this.inspector.kernel, this.boot),
        conflicts: [],
      }
    }
    this.lastWhy = null
    this.remember()
    const { value } = map
    const guest: OwnershipFrame['guest'] = []
    for (const [page, { handle, gfn }] of value.guestPage) guest.push({ page, handle, gfn, borrowed: false })
    for (const [page, list] of value.borrowers) for (const { handle, gfn } of list) guest.push({ page, handle, gfn, borrowed: true })
    guest.sort((a, b) => a.page - b.page || a.handle - b.handle)
    const vms = value.vms.map((entry): VmSummary => ({
      handle: entry.vm.handle,
      protected: entry.vm.protected.known && entry.vm.protected.value,
      state: entry.vm.state,
      vcpus: entry.vm.vcpus.map(vcpu => ({ index: vcpu.index, loaded: vcpu.loaded, pc: vcpu.pc.known ? `0x${vcpu.pc.value.toString(16)}` : '' })),
      pagesOwned: entry.owned,
      pagesShared: entry.shared,
      pagesBorrowed: entry.borrowed,
      pagesPoisoned: entry.poisoned,
    }))
    return {
      ...head,
      why: null,
      host: value.host,
      hyp: value.hyp,
      owner: value.owner,
      guest,
      vms,
      regions: [...this.fixed(), ...vmRegions(this.inspector.kernel, value)],
      conflicts: value.conflicts.slice(0, 20),
    }
  }

  /** The pool's parts, the per-CPU pages and the stack come late in the boot; then nothing moves any more. */
  private fixed(): RamRegion[] {
    const freed = initMemoryFreed(this.inspector.kernel)
    if (this.regions === null || !this.regionsComplete || freed !== this.freed) {
      this.freed = freed
      this.regions = fixedRegions(this.inspector.kernel, this.boot)
      this.regionsComplete = this.regions.some(region => region.name === 'vmemmap') && this.regions.some(region => region.name === 'hyp stack')
    }
    return this.regions
  }

  /** Whether the hypervisor has a table of VMs by now. */
  get vmsReadable(): boolean {
    return this.copy !== null
  }

  /** Whether VMs came, went or changed since the last frame: a hundredth of a millisecond. */
  vmsChanged(): boolean {
    return this.copy !== null && this.vmsNow() !== this.lastVms
  }

  private changed(): boolean {
    const { places, copy, words } = this
    if (places === null || copy === null) return true
    let at = 0
    for (const { start, words: count } of places) {
      for (let i = start, end = start + count; i < end; i++) if (words[i] !== copy[at++]) return true
    }
    return this.vmsNow() !== this.lastVms
  }

  /** VMs come and go by entries of a table that is not part of the record of pages. */
  private vmsNow(): string {
    const vms = this.inspector.vms()
    return vms.known ? vms.value.map(vm => `${vm.handle}${vm.state}${vm.vcpus.map(vcpu => (vcpu.loaded ? '+' : '-')).join('')}`).join() : ''
  }

  private remember(): void {
    this.places ??= this.findRecords()
    if (this.places === null) return
    this.copy ??= new Int32Array(this.places.reduce((sum, place) => sum + place.words, 0))
    let at = 0
    for (const { start, words } of this.places) {
      this.copy.set(this.words.subarray(start, start + words), at)
      at += words
    }
    this.lastVms = this.vmsNow()
  }

  private findRecords(): { start: number; words: number }[] | null {
    const { records } = this
    if (records === null) return null
    const { memory } = this.inspector.kernel
    const found = attempt(() => {
      const places: { start: number; words: number }[] = []
      const each = records.pageLayout.bytes
      for (const block of records.trackedMemory()) {
        const end = Math.min(block.base + block.size, memory.end)
        for (let physical = Math.max(block.base, memory.base); physical < end; physical += PAGE) {
          const start = (records.recordAddress(physical / PAGE) - memory.base) / 4
          const last = places.at(-1)
          if (last !== undefined && last.start + last.words === start) last.words += each / 4
          else places.push({ start, words: each / 4 })
          // The records of one page of records lie side by side: one translation serves them all.
          const more = Math.min(Math.floor((PAGE - ((start * 4) % PAGE)) / each), (end - physical) / PAGE) - 1
          places.at(-1)!.words += (more * each) / 4
          physical += more * PAGE
        }
      }
      return places
    })
    return found.known ? found.value : null
  }
}
