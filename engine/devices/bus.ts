import type { BusPort } from '../cpu/port.ts'
import { BusError } from '../cpu/exception.ts'
import type { Device } from './device.ts'

const PAGE = 0x1000

/** A device at its place. Base and size in bytes, multiples of 4 KiB. */
export interface Mapping {
  readonly device: Device
  readonly base: number
  readonly size: number
}

/**
 * The physical address space outside RAM. An access goes to the one device whose window holds all of its bytes; anything
 * else, read or write, is a `BusError`, which the CPU turns into a synchronous external abort.
 *
 * The windows cover a small span, so a table of its 4 KiB pages finds the device.
 */
export class Bus implements BusPort {
  readonly mappings: readonly Mapping[]
  readonly #first: number
  readonly #end: number
  /** Per page of [first, end): index into `mappings` plus one, 0 = nothing. */
  readonly #pages: Uint8Array

  /** @throws RangeError when windows overlap, or are not made of whole pages. */
  constructor(mappings: readonly Mapping[]) {
    this.mappings = mappings
    let first = Infinity
    let end = 0
    for (const m of mappings) {
      if (m.base % PAGE !== 0 || m.size % PAGE !== 0 || m.size <= 0) {
        throw new RangeError(`the window of ${m.device.name} is not a whole number of 4 KiB pages`)
      }
      first = Math.min(first, m.base)
      end = Math.max(end, m.base + m.size)
    }
    this.#first = mappings.length > 0 ? first : 0
    this.#end = end
    this.#pages = new Uint8Array((this.#end - this.#first) / PAGE)
    mappings.forEach((m, i) => {
      const from = (m.base - this.#first) / PAGE
      for (let p = from; p < from + m.size / PAGE; p++) {
        if (this.#pages[p] !== 0) throw new RangeError(`the window of ${m.device.name} overlaps another device's`)
        this.#pages[p] = i + 1
      }
    })
  }

  read(physical: number, bytes: number): bigint {
    const m = this.#find(physical, bytes)
    if (m === undefined) throw new BusError(physical, false)
    return m.device.read(physical - m.base, bytes)
  }

  write(physical: number, bytes: number, value: bigint): void {
    const m = this.#find(physical, bytes)
    if (m === undefined) throw new BusError(physical, true)
    m.device.write(physical - m.base, bytes, value)
  }

  #find(physical: number, bytes: number): Mapping | undefined {
    if (physical < this.#first || physical >= this.#end) return undefined
    const m = this.mappings[this.#pages[Math.floor((physical - this.#first) / PAGE)]! - 1]
    return m !== undefined && physical + bytes <= m.base + m.size ? m : undefined
  }
}
