import { type Known, attempt } from '../known.ts'
import type { KernelData } from '../kernel-data.ts'
import { readTaint } from '../taint.ts'

const BYTES = 8

/** `tainted_mask` under watch. */
export class TaintWatch {
  /** Its physical address, or why it has none. */
  readonly address: Known<number>

  constructor(private readonly kernel: KernelData) {
    this.address = attempt(() => kernel.address('tainted_mask'))
  }

  /**
   * A store was done somewhere in its page.
   * @returns what became of the mask, or null when it is what it was
   */
  stored(
    physical: number,
    old: Uint8Array,
  ): { readonly text: string; readonly details: Record<string, string> } | null {
    if (!this.address.known) return null
    const at = this.address.value
    if (physical >= at + BYTES || physical + old.length <= at) return null
    const { memory } = this.kernel
    const before = memory.u64Before(at, physical, old)
    const after = memory.u64(at)
    if (after === before) return null
    const taint = readTaint(this.kernel)
    const flags = taint.known ? taint.value.flags.filter((f) => ((before >> BigInt(f.bit)) & 1n) === 0n) : []
    const set = flags.map((f) => `${f.letter} (${f.meaning})`).join(', ')
    return {
      text: `tainted_mask ${before} → ${after}${set === '' ? '' : `: ${set}`}`,
      details: { before: String(before), after: String(after), ...(set === '' ? {} : { set }) },
    }
  }
}
