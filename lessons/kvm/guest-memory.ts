import { needBigint, needBytes, needInteger, needValue } from './arguments.ts'
import { ProgramImage } from './guest-image.ts'
import type { GuestImage, GuestMemory } from './lab.d.ts'
import { littleEndian, wordOf } from './kvm-structs.ts'
import { OwnMapping } from './mapping.ts'
import type { VmmProcess } from './process.ts'
import { showValue, type Span } from './trace.ts'

/** What a slot needs of its VM. */
export interface SlotOwner {
  /** `KVM_SET_USER_MEMORY_REGION` with 0 bytes. */
  deleteSlot(span: Span, slot: number): Promise<void>
}

/** RAM of a guest, by guest physical address, as the host reaches it. */
export class SlotMemory extends OwnMapping implements GuestMemory {
  constructor(
    process: VmmProcess,
    private readonly owner: SlotOwner,
    readonly slot: number,
    readonly guestAddress: bigint,
    address: bigint,
    bytes: number,
  ) {
    super(process, address, bytes)
  }

  override get traceName(): string {
    return `ram${this.slot === 0 ? '' : this.slot}`
  }

  async load(program: GuestImage | Uint8Array, at?: bigint): Promise<bigint> {
    return this.traced('load', [program, at], async span => {
      const image = program instanceof ProgramImage ? program : null
      const bytes = image === null ? needBytes('ram.load', 'its first argument, unless guest(…) made it,', program) : image.bytes
      const start = image === null || at !== undefined ? needBigint('ram.load', 'guestAddress', at) : image.address
      await this.process.store(span, this.place('ram.load', start, bytes.length, image === null ? 'These bytes' : image.file), bytes)
      return image === null ? start : start + (image.entry - image.address)
    })
  }

  hostAddress(guestAddress: bigint): bigint {
    return this.place('ram.hostAddress', needBigint('ram.hostAddress', 'guestAddress', guestAddress), 0)
  }

  async read(guestAddress: bigint, bytes: number): Promise<Uint8Array> {
    return this.traced('read', [guestAddress, bytes], span => {
      needInteger('ram.read', 'bytes', bytes, { most: this.bytes })
      return this.process.load(span, this.at('ram.read', guestAddress, bytes), bytes)
    })
  }

  async write(guestAddress: bigint, bytes: Uint8Array): Promise<void> {
    return this.traced('write', [guestAddress, bytes], span => {
      needBytes('ram.write', 'bytes', bytes)
      return this.process.store(span, this.at('ram.write', guestAddress, bytes.length), bytes)
    })
  }

  async read32(guestAddress: bigint): Promise<number> {
    return this.traced('read32', [guestAddress], async span =>
      Number(wordOf(await this.process.load(span, this.at('ram.read32', guestAddress, 4, 4n), 4, 4))),
    )
  }

  async write32(guestAddress: bigint, value: number): Promise<void> {
    return this.traced('write32', [guestAddress, value], span => {
      const bytes = littleEndian(needValue('ram.write32', 'value', value, 32), 4)
      return this.process.store(span, this.at('ram.write32', guestAddress, 4, 4n), bytes, 4)
    })
  }

  async read64(guestAddress: bigint): Promise<bigint> {
    return this.traced('read64', [guestAddress], async span =>
      wordOf(await this.process.load(span, this.at('ram.read64', guestAddress, 8, 8n), 8, 8)),
    )
  }

  async write64(guestAddress: bigint, value: bigint | number): Promise<void> {
    return this.traced('write64', [guestAddress, value], span => {
      const bytes = littleEndian(needValue('ram.write64', 'value', value), 8)
      return this.process.store(span, this.at('ram.write64', guestAddress, 8, 8n), bytes, 8)
    })
  }

  async readText(guestAddress: bigint, mostBytes = 256): Promise<string> {
    return this.traced('readText', [guestAddress], async span => {
      needInteger('ram.readText', 'mostBytes', mostBytes, { least: 1, most: this.bytes })
      needBigint('ram.readText', 'guestAddress', guestAddress)
      const left = Number(this.guestAddress - guestAddress) + this.bytes
      const bytes = Math.max(1, Math.min(mostBytes, left))
      const text = await this.process.load(span, this.at('ram.readText', guestAddress, bytes), bytes)
      const end = text.indexOf(0)
      return new TextDecoder().decode(end < 0 ? text : text.subarray(0, end))
    })
  }

  async removeSlot(): Promise<void> {
    return this.traced('removeSlot', [], span => this.owner.deleteSlot(span, this.slot))
  }

  private at(call: string, guestAddress: unknown, bytes: number, multipleOf = 1n): bigint {
    return this.place(call, needBigint(call, 'guestAddress', guestAddress, { multipleOf }), bytes)
  }

  /** Address in the VMM's process. @throws RangeError outside the slot */
  private place(call: string, guestAddress: bigint, bytes: number, what = 'The range'): bigint {
    const offset = guestAddress - this.guestAddress
    if (offset < 0n || offset + BigInt(bytes) > BigInt(this.bytes)) {
      const end = this.guestAddress + BigInt(this.bytes) - 1n
      throw new RangeError(
        `${call}: ${what}, ${bytes} bytes at ${showValue(guestAddress)}, does not fit slot ${this.slot}, ` +
          `which is guest address ${showValue(this.guestAddress)} to ${showValue(end)}.`,
      )
    }
    return this.address + offset
  }

  private traced<T>(name: string, args: readonly unknown[], body: (span: Span) => Promise<T>): Promise<T> {
    const shown = args.filter(arg => arg !== undefined).map(showValue)
    return this.process.tracer.span(null, `${this.traceName}.${name}(${shown.join(', ')})`, async span => body(span))
  }
}
