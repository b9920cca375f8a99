/**
 * Priority arithmetic that the physical and the virtual CPU interface share: five priority bits and five preemption
 * bits, so one Active Priorities register a group, whose bit n stands for group priority n << 3 (Arm IHI 0069, 4.8).
 */

export const PRIORITY_BITS = 5
/** The smallest binary points: with five preemption bits the split cannot be finer. */
export const BPR0_MIN = 2
export const BPR1_MIN = 3
export const IDLE_PRIORITY = 0xff

/** ICC_CTLR_EL1's and ICV_CTLR_EL1's read-only part: A3V, IDbits = 24 bits, PRIbits. */
export const CTLR_FIXED = 0x8000 | (1 << 11) | ((PRIORITY_BITS - 1) << 8)

/** Mask of the group priority in an 8-bit priority. @param bpr0 the binary point as Group 0 counts it. */
export function groupPriorityMask(bpr0: number): number {
  return (0xff << (bpr0 + 1)) & 0xff
}

/** The running priority that a pair of Active Priorities registers means. */
export function runningPriority(ap0r0: number, ap1r0: number): number {
  const all = ap0r0 | ap1r0
  return all === 0 ? IDLE_PRIORITY : lowestBit(all) << (8 - PRIORITY_BITS)
}

export function priorityBit(groupPriority: number): number {
  return 1 << (groupPriority >> (8 - PRIORITY_BITS))
}

export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word)
}
