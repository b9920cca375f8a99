import { UnknownError } from './known.ts'
import type { TypeField } from './type-table.ts'

/** Guest RAM by physical address, for reading only. */
export class GuestMemory {
  private readonly view: DataView

  /** @param ram guest RAM itself; @param base physical address of its first byte. */
  constructor(
    readonly ram: Uint8Array,
    readonly base: number,
  ) {
    this.view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength)
  }

  get end(): number {
    return this.base + this.ram.length
  }

  /** Do so many bytes from a physical address lie in RAM? */
  has(physical: number, bytes: number): boolean {
    return physical >= this.base && physical + bytes <= this.end
  }

  /** @throws UnknownError outside RAM. */
  u32(physical: number): number {
    return this.view.getUint32(this.at(physical, 4), true)
  }

  /** @throws UnknownError outside RAM. */
  u64(physical: number): bigint {
    return this.view.getBigUint64(this.at(physical, 8), true)
  }

  /**
   * The 64-bit word as it was before a store that has just been done.
   * @param stored where it stored; @param old what was there
   * @throws UnknownError outside RAM.
   */
  u64Before(physical: number, stored: number, old: Uint8Array): bigint {
    const word = this.bytes(physical, 8)
    for (let i = 0; i < 8; i++) word[i] = old[physical + i - stored] ?? word[i]!
    return new DataView(word.buffer).getBigUint64(0, true)
  }

  /** The two's complement number in a 64-bit word. @throws UnknownError outside RAM. */
  s64(physical: number): bigint {
    return this.view.getBigInt64(this.at(physical, 8), true)
  }

  /** A member of the structure at `physical`, unsigned; fields of up to 64 bits. @throws UnknownError outside RAM. */
  field(physical: number, field: TypeField): bigint {
    const bytes = Math.ceil((field.bit + field.bits) / 8)
    if (bytes > 8) throw new UnknownError('this member is longer than 64 bits')
    const start = this.at(physical + field.offset, bytes)
    let value = 0n
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.ram[start + i]!)
    return BigInt.asUintN(field.bits, value >> BigInt(field.bit))
  }

  /** A view, not a copy, of 32-bit words from an aligned address. @throws UnknownError outside RAM. */
  words(physical: number, count: number): Int32Array {
    return new Int32Array(this.ram.buffer, this.ram.byteOffset + this.at(physical, count * 4), count)
  }

  /** A copy of so many bytes. @throws UnknownError outside RAM. */
  bytes(physical: number, count: number): Uint8Array {
    const at = this.at(physical, count)
    return this.ram.slice(at, at + count)
  }

  /** A NUL-terminated string of at most `limit` bytes. @throws UnknownError outside RAM. */
  text(physical: number, limit = 256): string {
    let text = ''
    for (let at = this.at(physical, 1); at < this.ram.length && this.ram[at] !== 0 && text.length < limit; at++) {
      text += String.fromCharCode(this.ram[at]!)
    }
    return text
  }

  private at(physical: number, bytes: number): number {
    if (this.has(physical, bytes)) return physical - this.base
    throw new UnknownError(`0x${physical.toString(16)} is not in RAM`)
  }
}
