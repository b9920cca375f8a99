/**
 * The state of every interrupt: what the distributor (SPIs, INTID 32 and up) and the redistributor (SGIs 0-15, PPIs
 * 16-31) of a one-PE GICv3 keep per INTID. Bit n of word w belongs to INTID 32 w + n.
 *
 * Register layouts: Arm IHI 0069, sections 12.9 (GICD_*) and 12.11 (GICR_*). The SGI frame of the redistributor lays out
 * its registers at the same offsets as the distributor, so both use `readRegister` and `writeRegister`.
 */

/** 16 SGIs, 16 PPIs and 256 SPIs, as QEMU's `virt`. */
export const INTIDS = 288
const WORDS = INTIDS / 32

/** INTID returned when there is nothing to acknowledge. */
export const SPURIOUS = 1023

/** Priorities have five implemented bits, as the CPU interface's. The others read as zero. */
export const PRIORITY_MASK = 0xf8

export const Group = { zero: 0, one: 1 } as const

export class InterruptBank {
  readonly group = new Uint32Array(WORDS)
  readonly enabled = new Uint32Array(WORDS)
  /** Pending by an edge, by software (ISPENDR) or, for an SGI, by ICC_SGI*R. */
  readonly latched = new Uint32Array(WORDS)
  /** The input wires. */
  readonly level = new Uint32Array(WORDS)
  readonly active = new Uint32Array(WORDS)
  /** 1 = edge-triggered. */
  readonly edge = new Uint32Array(WORDS)
  /** 1 = GICD_IROUTER names the one PE there is. SGIs and PPIs always do. */
  readonly routed = new Uint32Array(WORDS)
  readonly priority = new Uint8Array(INTIDS)

  constructor() {
    this.reset()
  }

  /** Everything but the wires, which belong to the devices. */
  reset(): void {
    for (const words of [this.group, this.enabled, this.latched, this.active, this.edge]) words.fill(0)
    this.priority.fill(0)
    this.routed.fill(0xffffffff)
    this.edge[0] = 0xffff
  }

  /** The state of every interrupt, wires included, for `restore`. */
  save() {
    const { group, enabled, latched, level, active, edge, routed, priority } = this
    return {
      group: group.slice(),
      enabled: enabled.slice(),
      latched: latched.slice(),
      level: level.slice(),
      active: active.slice(),
      edge: edge.slice(),
      routed: routed.slice(),
      priority: priority.slice(),
    }
  }

  restore(saved: ReturnType<InterruptBank['save']>): void {
    this.group.set(saved.group)
    this.enabled.set(saved.enabled)
    this.latched.set(saved.latched)
    this.level.set(saved.level)
    this.active.set(saved.active)
    this.edge.set(saved.edge)
    this.routed.set(saved.routed)
    this.priority.set(saved.priority)
  }

  pendingWord(word: number): number {
    return this.latched[word]! | (this.level[word]! & ~this.edge[word]!)
  }

  isPending(intid: number): boolean {
    return ((this.pendingWord(intid >> 5) >>> (intid & 31)) & 1) === 1
  }

  groupOf(intid: number): 0 | 1 {
    return (((this.group[intid >> 5]! >>> (intid & 31)) & 1) as 0 | 1)
  }

  /** Drive an input wire. @returns false when nothing changed. */
  setLevel(intid: number, level: boolean): boolean {
    const word = intid >> 5
    const bit = 1 << (intid & 31)
    const was = (this.level[word]! & bit) !== 0
    if (was === level) return false
    if (level) {
      this.level[word]! |= bit
      if (this.edge[word]! & bit) this.latched[word]! |= bit
    } else {
      this.level[word]! &= ~bit
    }
    return true
  }

  latch(intid: number): void {
    this.latched[intid >> 5]! |= 1 << (intid & 31)
  }

  /** Pending to active. A wire that stays high makes a level-sensitive interrupt active and pending. */
  acknowledge(intid: number): void {
    const word = intid >> 5
    const bit = 1 << (intid & 31)
    this.active[word]! |= bit
    this.latched[word]! &= ~bit
  }

  /** INTIDs that are not implemented are ignored. */
  deactivate(intid: number): void {
    if (intid < INTIDS) this.active[intid >> 5]! &= ~(1 << (intid & 31))
  }

  /**
   * The pending interrupt of highest priority that is enabled, inactive, routed here and in a group that `groups`
   * allows; the lowest INTID among equals.
   * @param groups bit 0: Group 0 may be forwarded, bit 1: Group 1.
   * @returns the INTID, or SPURIOUS.
   */
  highestPending(groups: number): number {
    let best = SPURIOUS
    let bestPriority = 0x100
    if (groups === 0) return best
    for (let w = 0; w < WORDS; w++) {
      let candidates = this.pendingWord(w) & this.enabled[w]! & ~this.active[w]! & this.routed[w]!
      if (groups === 1) candidates &= ~this.group[w]!
      else if (groups === 2) candidates &= this.group[w]!
      while (candidates !== 0) {
        const bit = 31 - Math.clz32(candidates & -candidates)
        candidates &= candidates - 1
        const p = this.priority[w * 32 + bit]!
        if (p < bestPriority) {
          bestPriority = p
          best = w * 32 + bit
        }
      }
    }
    return best
  }

  /**
   * Read an aligned 32-bit register of the per-interrupt range.
   * @param firstWord, lastWord which words this frame has: 0..0 for the SGI frame, 1..8 for the distributor. The rest is
   *   RAZ/WI, as affinity routing demands.
   * @returns undefined when the offset is not a per-interrupt register.
   */
  readRegister(offset: number, firstWord: number, lastWord: number): number | undefined {
    if (offset >= 0x080 && offset < 0x400) {
      const w = (offset >> 2) & 31
      const has = w >= firstWord && w <= lastWord
      switch (offset >> 7) {
        case 0x080 >> 7:
          return has ? this.group[w]! : 0
        case 0x100 >> 7: // ISENABLER
        case 0x180 >> 7: // ICENABLER
          return has ? this.enabled[w]! : 0
        case 0x200 >> 7: // ISPENDR
        case 0x280 >> 7: // ICPENDR
          return has ? this.pendingWord(w) >>> 0 : 0
        default: // ISACTIVER, ICACTIVER
          return has ? this.active[w]! : 0
      }
    }
    if (offset >= 0x400 && offset < 0x800) {
      const intid = offset - 0x400
      if (intid >> 5 < firstWord || intid >> 5 > lastWord) return 0
      const p = this.priority
      return (p[intid]! | (p[intid + 1]! << 8) | (p[intid + 2]! << 16) | (p[intid + 3]! << 24)) >>> 0
    }
    if (offset >= 0xc00 && offset < 0xd00) {
      const half = (offset - 0xc00) >> 2
      const w = half >> 1
      if (w < firstWord || w > lastWord) return 0
      return spread((this.edge[w]! >>> ((half & 1) * 16)) & 0xffff)
    }
    return undefined
  }

  /** Write an aligned 32-bit register of the per-interrupt range. @returns false when the offset is not one. */
  writeRegister(offset: number, value: number, firstWord: number, lastWord: number): boolean {
    if (offset >= 0x080 && offset < 0x400) {
      const w = (offset >> 2) & 31
      if (w < firstWord || w > lastWord) return true
      switch (offset >> 7) {
        case 0x080 >> 7:
          this.group[w] = value
          break
        case 0x100 >> 7:
          this.enabled[w]! |= value
          break
        case 0x180 >> 7:
          this.enabled[w]! &= ~value
          break
        case 0x200 >> 7:
          this.latched[w]! |= value
          break
        case 0x280 >> 7:
          this.latched[w]! &= ~value
          break
        case 0x300 >> 7:
          this.active[w]! |= value
          break
        default:
          this.active[w]! &= ~value
      }
      return true
    }
    if (offset >= 0x400 && offset < 0x800) {
      for (let i = 0; i < 4; i++) this.setPriority(offset - 0x400 + i, value >>> (8 * i), firstWord, lastWord)
      return true
    }
    if (offset >= 0xc00 && offset < 0xd00) {
      const half = (offset - 0xc00) >> 2
      const w = half >> 1
      // GICR_ICFGR0 is fixed: SGIs are edge-triggered.
      if (half === 0 || w < firstWord || w > lastWord) return true
      const shift = (half & 1) * 16
      this.edge[w] = (this.edge[w]! & ~(0xffff << shift)) | (gather(value) << shift)
      return true
    }
    return false
  }

  /** A byte of IPRIORITYR. */
  setPriority(intid: number, value: number, firstWord: number, lastWord: number): void {
    if (intid >> 5 >= firstWord && intid >> 5 <= lastWord) this.priority[intid] = value & PRIORITY_MASK
  }
}

/** 16 bits to the odd bits of a word (ICFGR has two bits an interrupt, the upper one says edge). */
function spread(bits: number): number {
  let r = 0
  for (let i = 0; i < 16; i++) r |= ((bits >>> i) & 1) << (2 * i + 1)
  return r >>> 0
}

function gather(word: number): number {
  let r = 0
  for (let i = 0; i < 16; i++) r |= ((word >>> (2 * i + 1)) & 1) << i
  return r
}
