/**
 * A second opinion on who owns each page, for tests: computed straight from a dump of RAM and the line that the kernel
 * prints about its reservation. It shares nothing with `inspect/`: no symbols, no types, no registers. It knows three formats
 * (the 8-byte record of a page, stage 2 descriptors, the annotation of a donated page) and finds the host's and the
 * guests' tables by what tables look like.
 *
 * Holds for machines with one bank of RAM, 4 KB pages and a 40-bit IPA: then the pool starts with the records.
 */
export interface ReadPage {
  readonly host: string
  readonly hyp: string
  readonly owner: string
}

const STATES = ['OWNED', 'SHARED_OWNED', 'SHARED_BORROWED', 'NOPAGE']
const RAM_BASE = 0x40000000
const PAGE = 4096

/** @param ram the dump; @param console what the kernel printed. */
export function readIndependently(ram: Uint8Array, console: string): ReadPage[] {
  const reserved = /kvm .*: Reserved (\d+) MiB at (0x[0-9a-f]+)/.exec(console)
  if (reserved === null) throw new Error('the console does not say where the hypervisor has its memory')
  return new Reading(ram, Number(reserved[2]), Number(reserved[1]) << 20).pages()
}

class Reading {
  private readonly words: Uint32Array
  private readonly count: number

  constructor(
    ram: Uint8Array,
    private readonly pool: number,
    private readonly poolBytes: number,
  ) {
    this.words = new Uint32Array(ram.buffer, ram.byteOffset, ram.length / 4)
    this.count = ram.length / PAGE
  }

  pages(): ReadPage[] {
    const hostRoot = this.findHostRoot()
    const handles = new Map<number, number>() // page -> handle, of private guest pages
    const pages: ReadPage[] = []
    const borrowed: number[] = []
    for (let i = 0; i < this.count; i++) {
      const record = this.word(this.pool + 8 * i)
      const host = STATES[(record >>> 24) & 15] ?? 'UNKNOWN'
      const hyp = STATES[((record >>> 28) & 15) ^ 3] ?? 'UNKNOWN'
      let owner = 'unknown'
      if (hyp === 'OWNED' || hyp === 'SHARED_OWNED') owner = 'hyp'
      else if (host === 'OWNED' || host === 'SHARED_OWNED') owner = 'host'
      else if (host === 'NOPAGE') {
        const [low, high] = this.hostEntry(hostRoot, RAM_BASE + i * PAGE)
        if (high >>> 28 === 2 && ((low >>> 1) & 7) === 2) {
          const handle = (low >>> 4) & 0xffff
          handles.set(i, handle)
          owner = `vm ${handle} gfn ${(high & 0x0fffffff) * 4096 + (low >>> 20)}`
        }
      } else borrowed.push(i)
      pages.push({ host, hyp, owner })
    }
    for (const i of borrowed) pages[i] = { ...pages[i]!, owner: this.ownerByGuestTables(i, pages, handles) }
    return pages
  }

  private word(physical: number): number {
    return this.words[(physical - RAM_BASE) >>> 2] ?? 0
  }

  private inRam(physical: number): boolean {
    return physical >= RAM_BASE && physical < RAM_BASE + this.count * PAGE
  }

  /** 1 GB of devices at 0 as a block, a table for the gigabyte of RAM after it, and every leaf below is identity. */
  private findHostRoot(): number {
    for (let at = this.pool; at < this.pool + this.poolBytes; at += 2 * PAGE) {
      const device = this.word(at)
      if ((device & 3) !== 1 || (device & 0xfffff000) !== 0 || (this.word(at + 4) & 0xffff) !== 0) continue
      if ((this.word(at + 8) & 3) === 3 && this.isIdentity((this.word(at + 8) & 0xfffff000) >>> 0)) return at
    }
    throw new Error('no table in the pool looks like the root of the host')
  }

  private isIdentity(level2: number): boolean {
    if (!this.inRam(level2)) return false
    let leaves = 0
    for (let i = 0; i < 512; i++) {
      const entry = this.word(level2 + 8 * i)
      if ((entry & 3) !== 1) continue
      if ((entry & 0xffe00000) >>> 0 !== RAM_BASE + i * 0x200000) return false
      leaves++
    }
    return leaves > 0
  }

  private hostEntry(root: number, ipa: number): [number, number] {
    let at = root + 8 * Math.floor(ipa / 2 ** 30)
    for (const shift of [21, 12]) {
      if ((this.word(at) & 3) !== 3) break
      at = ((this.word(at) & 0xfffff000) >>> 0) + 8 * ((ipa >>> shift) & 511)
    }
    return [this.word(at), this.word(at + 4)]
  }

  /**
   * A page that a guest shares with the host is mapped in the guest's tables, in a page of the hypervisor, with
   * software bit 55. Which guest: the one whose private pages are mapped from the same tables.
   */
  private ownerByGuestTables(page: number, pages: readonly ReadPage[], handles: ReadonlyMap<number, number>): string {
    const physical = RAM_BASE + page * PAGE
    for (const [table, index] of this.entriesTo(physical, pages, 0x01800000, 0x00800000)) {
      for (let k = 0; k < 512; k++) {
        const neighbour = ((this.word(table + 8 * k) & 0xfffff000) >>> 0) - RAM_BASE
        const handle = handles.get(neighbour / PAGE)
        if (handle === undefined) continue
        for (const [level2, index2] of this.entriesTo(table, pages, 0, 0)) {
          for (const [root, index1] of this.entriesTo(level2, pages, 0, 0)) {
            // The root is two pages; the second holds the upper half.
            const upper = root % (2 * PAGE) === 0 ? 0 : 512
            return `vm ${handle} gfn ${(upper + index1) * 2 ** 18 + index2 * 512 + index}`
          }
        }
      }
    }
    return 'unknown'
  }

  /** Valid entries with this output address in pages of the hypervisor: table and index. */
  private *entriesTo(
    output: number,
    pages: readonly ReadPage[],
    highMask: number,
    highValue: number,
  ): Generator<[number, number]> {
    for (let i = 0; i < this.count; i++) {
      if (pages[i]!.owner !== 'hyp') continue
      const first = (i * PAGE) >>> 2
      for (let k = 0; k < 512; k++) {
        const low = this.words[first + 2 * k]!
        if ((low & 3) !== 3 || (low & 0xfffff000) >>> 0 !== output) continue
        const high = this.words[first + 2 * k + 1]!
        if ((high & 0xffff) === 0 && (high & highMask) === highValue) yield [RAM_BASE + i * PAGE, k]
      }
    }
  }
}
