/** Highest context number: it shares a word with the page offset's 12 bits, and 0 means none. */
const MAX_CONTEXT = 4095
const EL2_KEY = 0x10000000

/**
 * Hands out the small numbers that tag TLB and jump-cache entries: one per translation regime, EL0 or not, ASID, VMID,
 * stage 1 on, stage 2 on. To invalidate an ASID or a VMID its numbers are forgotten and never handed out again until
 * they have all been used; then `exhausted` clears everything that holds numbers.
 */
export class Contexts {
  private readonly numbers = new Map<number, number>()
  private next = 1
  /** Grows whenever a number may have changed its owner or a forgotten key may get a new number. */
  generation = 0
  private readonly exhausted: () => void

  /** @param exhausted must drop every TLB entry and every lookup keyed by a context. */
  constructor(exhausted: () => void) {
    this.exhausted = exhausted
  }

  /** The number of the EL1&0 regime with these properties. */
  el10(el0: boolean, asid: number, vmid: number, stage1: boolean, stage2: boolean): number {
    return this.number(el10Key(asid, vmid) + (el0 ? 1 : 0) + (stage1 ? 2 : 0) + (stage2 ? 4 : 0))
  }

  /** The number of the EL2 regime. */
  el2(stage1: boolean): number {
    return this.number(EL2_KEY + (stage1 ? 2 : 0))
  }

  /** VMIDs of the numbers in use that translate for EL1&0 under stage 2, by number. */
  stage2Numbers(): Map<number, number> {
    const vmids = new Map<number, number>()
    for (const [key, number] of this.numbers) if (key < EL2_KEY && (key & 4) !== 0) vmids.set(number, key >>> 19)
    return vmids
  }

  private number(key: number): number {
    const known = this.numbers.get(key)
    if (known !== undefined) return known
    if (this.next > MAX_CONTEXT) this.forgetAll()
    const n = this.next++
    this.numbers.set(key, n)
    return n
  }

  /** TLBI ASIDE1. */
  forgetAsid(asid: number, vmid: number): void {
    const key = el10Key(asid, vmid)
    for (let i = 0; i < 8; i++) this.numbers.delete(key + i)
    this.generation++
  }

  /** TLBI VMALLE1, VMALLS12E1. */
  forgetVmid(vmid: number): void {
    for (const key of this.numbers.keys()) {
      if (key < EL2_KEY && key >>> 19 === vmid) this.numbers.delete(key)
    }
    this.generation++
  }

  /** TLBI ALLE1. */
  forgetEl10(): void {
    for (const key of this.numbers.keys()) if (key < EL2_KEY) this.numbers.delete(key)
    this.generation++
  }

  /** TLBI ALLE2. */
  forgetEl2(): void {
    for (const key of this.numbers.keys()) if (key >= EL2_KEY) this.numbers.delete(key)
    this.generation++
  }

  /** Start numbering anew. */
  forgetAll(): void {
    this.numbers.clear()
    this.next = 1
    this.generation++
    this.exhausted()
  }
}

function el10Key(asid: number, vmid: number): number {
  return ((vmid << 16) | asid) << 3
}
