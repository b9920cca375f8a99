/** Guest programs: assembled before the script starts, found by the script under the name of their source. */
import type { GuestImage } from './lab.d.ts'

/** Guest physical address that guest programs are assembled for: where the lab's guests have their RAM. */
export const GUEST_ORIGIN = 0x4000_0000n

/** A guest program as it is handed to a script: plain data. */
export interface GuestProgram {
  bytes: Uint8Array
  symbols: Readonly<Record<string, bigint>>
  /** Default GUEST_ORIGIN. */
  address?: bigint
}

export class ProgramImage implements GuestImage {
  readonly bytes: Uint8Array
  readonly address: bigint
  readonly entry: bigint
  readonly symbols: Readonly<Record<string, bigint>>

  constructor(
    readonly file: string,
    program: GuestProgram,
  ) {
    this.bytes = program.bytes
    this.address = program.address ?? GUEST_ORIGIN
    this.symbols = Object.freeze({ ...program.symbols })
    this.entry = program.symbols['_start'] ?? this.address
  }

  get traceName(): string {
    return `guest('${this.file}')`
  }

  symbol(name: string): bigint {
    const value = Object.hasOwn(this.symbols, name) ? this.symbols[name] : undefined
    if (value === undefined) {
      throw new Error(`${this.file} has no symbol ${JSON.stringify(name)}; it has ${Object.keys(this.symbols).slice(0, 20).join(', ') || 'none'}.`)
    }
    return value
  }
}
