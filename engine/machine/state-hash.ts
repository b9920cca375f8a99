import { type CpuState, Off, RAM_BASE, SYSREG_BASE, SYSREG_SLOTS } from '../cpu/state.ts'

/**
 * A 64-bit hash of everything the guest could tell apart: general-purpose and vector registers, PC, PSTATE, system
 * registers and all of RAM. Caches (TLB, translations, lazy flags) have no say in it. Not cryptographic: for comparing runs.
 * @param ramBytes size of guest RAM, a multiple of 4.
 * @returns 16 lower-case hex digits.
 */
export function stateHash(state: CpuState, ramBytes: number): string {
  const { u32, i32 } = state
  const hash = new Hash()
  hash.words(u32, Off.x >> 2, 64)
  hash.words(u32, Off.pc >> 2, 2)
  hash.word(state.nzcv())
  for (const offset of [Off.daif, Off.el, Off.spSel, Off.ssIl, Off.exclusiveBytes, Off.fpcr, Off.fpsr]) hash.word(i32[offset >> 2]!)
  hash.words(u32, Off.v >> 2, 128)
  hash.words(u32, SYSREG_BASE >> 2, SYSREG_SLOTS * 2)
  hash.words(u32, RAM_BASE >> 2, ramBytes >> 2)
  return hash.digest()
}

/** Two 32-bit lanes of multiply, rotate and xor over words, with the primes of FNV and Murmur3's finish. */
class Hash {
  private a = 0x811c9dc5 | 0
  private b = 0x9747b28c | 0

  word(w: number): void {
    this.a = Math.imul(this.a ^ w, 0x01000193)
    this.b = Math.imul(((this.b << 13) | (this.b >>> 19)) ^ w, 0x85ebca6b)
  }

  words(from: Uint32Array, start: number, count: number): void {
    let { a, b } = this
    for (let i = start, end = start + count; i < end; i++) {
      const w = from[i]!
      a = Math.imul(((a << 5) | (a >>> 27)) ^ w, 0x01000193)
      b = Math.imul(((b << 13) | (b >>> 19)) ^ w, 0x85ebca6b)
    }
    this.a = a
    this.b = b
  }

  digest(): string {
    return [this.a, this.b ^ this.a].map((lane) => finish(lane).toString(16).padStart(8, '0')).join('')
  }
}

function finish(h: number): number {
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
