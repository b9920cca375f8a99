/** Power of two. A machine has few devices, and each page of one is used for reads and for writes. */
const ENTRIES = 32

/**
 * Translations of pages outside RAM, which the TLB has no tags for: without them each access to a device register would
 * walk the tables. As in the TLB, an entry holds for one context number and goes with any invalidation.
 */
export class DevicePages {
  private readonly pages = new Float64Array(ENTRIES)
  private readonly tagLow = new Uint32Array(ENTRIES)
  private readonly tagHigh = new Uint32Array(ENTRIES)
  /** `generation * 8 + access * 2 + device`, so 0 is never a match once the generation counts from 1. */
  private readonly state = new Float64Array(ENTRIES)
  /** Of the last hit: mapped as Device memory. */
  device = false

  /** @returns the physical address of the page, or -1. */
  find(vaLow: number, vaHigh: number, context: number, access: number, generation: number): number {
    const i = indexOf(vaLow, access)
    if (this.tagLow[i] !== ((vaLow & 0xfffff000) | context) >>> 0 || this.tagHigh[i] !== vaHigh) return -1
    const known = this.state[i]! - (generation + 1) * 8 - access * 2
    if (known !== 0 && known !== 1) return -1
    this.device = known === 1
    return this.pages[i]!
  }

  add(vaLow: number, vaHigh: number, context: number, access: number, generation: number, page: number, device: boolean): void {
    const i = indexOf(vaLow, access)
    this.tagLow[i] = (vaLow & 0xfffff000) | context
    this.tagHigh[i] = vaHigh
    this.state[i] = (generation + 1) * 8 + access * 2 + (device ? 1 : 0)
    this.pages[i] = page
  }
}

function indexOf(vaLow: number, access: number): number {
  return ((vaLow >>> 12) * 2 + access) & (ENTRIES - 1)
}
