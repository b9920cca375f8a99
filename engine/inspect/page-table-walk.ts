import {
  type DecodedField,
  type DescriptorFormat,
  type DescriptorKind,
  descriptorFields,
  descriptorKind,
  levelShift,
  outputAddress,
} from './descriptor.ts'
import type { GuestMemory } from './guest-memory.ts'
import { UnknownError } from './known.ts'

/** A set of translation tables, 4 KB granule, and how it is entered. */
export interface TranslationTables extends DescriptorFormat {
  /** For the reader: "stage 2 of the host", "stage 1 of EL2 (TTBR0_EL2)". */
  readonly name: string
  /** Physical address (an IPA where stage 1 runs under stage 2) of the first table. */
  readonly root: number
  /** Width of the input address. */
  readonly inputBits: number
  /** -1 (LPA2 only) to 3. At this level up to 16 tables may be concatenated. */
  readonly startLevel: number
  /** The upper range of stage 1 of EL1&0: bits above inputBits are ones. */
  readonly upper?: boolean
  /** Top-byte-ignore is on: bits 63:56 do not take part. */
  readonly ignoreTopByte?: boolean
}

export interface WalkStep {
  readonly level: number
  /** Address of the table that is looked into, for concatenated tables of the first. */
  readonly table: number
  readonly index: number
  /** Highest and lowest bit of the input address that make the index. */
  readonly indexBits: readonly [number, number]
  /** Physical address of the entry, after stage 2 where that applies to tables. */
  readonly entryAddress: number
  readonly entry: bigint
  readonly kind: DescriptorKind
  readonly fields: readonly DecodedField[]
}

export type WalkResult =
  | { readonly kind: 'mapped'; readonly output: number; readonly level: number; readonly bytes: number }
  /** No translation; `entry` is the invalid descriptor, which may carry an annotation. */
  | { readonly kind: 'invalid'; readonly level: number; readonly entry: bigint }
  | { readonly kind: 'out-of-range'; readonly why: string }
  /** The walk was led to an address that is not RAM. */
  | { readonly kind: 'lost'; readonly level: number; readonly address: number }

export interface Walk {
  readonly tables: TranslationTables
  readonly input: bigint
  readonly steps: readonly WalkStep[]
  readonly result: WalkResult
}

/** Where a table at this address lies physically; undefined when its own translation fails. */
export type TablePlace = (address: number) => number | undefined

const ENTRY_BYTES = 8
const TABLE_BYTES = 4096
/** Tables visited by one enumeration: far above those of any real guest, so that a table that names itself ends. */
const TABLE_LIMIT = 100_000

/**
 * Walk and explain every step. Never throws.
 * @param place given when the tables' addresses are themselves translated (stage 1 under stage 2).
 */
export function walk(memory: GuestMemory, tables: TranslationTables, input: bigint, place?: TablePlace): Walk {
  const steps: WalkStep[] = []
  const end = (result: WalkResult): Walk => ({ tables, input, steps, result })
  const address = inRange(tables, input)
  if (address === null) {
    return end({
      kind: 'out-of-range',
      why: `these tables translate ${tables.inputBits}-bit addresses of the ${tables.upper ? 'upper' : 'lower'} range`,
    })
  }
  let table = tables.root
  for (let level = tables.startLevel; ; level++) {
    const shift = levelShift(level)
    const top = level === tables.startLevel ? tables.inputBits : shift + 9
    const index = Math.floor(address / 2 ** shift) % 2 ** (top - shift)
    // Each concatenated table is a page of its own to a stage 2 below.
    const wanted = table + index * ENTRY_BYTES
    const entryAddress = place === undefined ? wanted : place(wanted)
    if (entryAddress === undefined || !memory.has(entryAddress, ENTRY_BYTES))
      return end({ kind: 'lost', level, address: wanted })
    const entry = memory.u64(entryAddress)
    const low = Number(entry & 0xffffffffn)
    const high = Number(entry >> 32n)
    const kind = descriptorKind(low, level, tables.lpa2)
    steps.push({
      level,
      table,
      index,
      indexBits: [top - 1, shift],
      entryAddress,
      entry,
      kind,
      fields: descriptorFields(entry, level, tables),
    })
    if (kind === 'invalid') return end({ kind: 'invalid', level, entry })
    const output = outputAddress(low, high, tables.lpa2)
    if (kind !== 'table') {
      const bytes = 2 ** shift
      return end({ kind: 'mapped', output: output - (output % bytes) + (address % bytes), level, bytes })
    }
    table = output
  }
}

/** The physical address an input address translates to, or undefined. */
export function translate(memory: GuestMemory, tables: TranslationTables, input: bigint): number | undefined {
  const address = inRange(tables, input)
  const entry = address === null ? null : endOfWalk(memory, tables, address)
  if (entry === null || entry.kind === 'invalid') return undefined
  const bytes = 2 ** levelShift(entry.level)
  const output = outputAddress(entry.low, entry.high, tables.lpa2)
  return output - (output % bytes) + (address! % bytes)
}

/** Where a walk ends: a leaf or an invalid entry, never a table's; in halves. */
export interface LastEntry {
  readonly level: number
  readonly kind: DescriptorKind
  readonly low: number
  readonly high: number
}

/**
 * The entry at the end of a walk, without the words of `walk`.
 * @param address input address, within what the tables translate
 * @returns null where the walk leads out of RAM
 */
export function endOfWalk(memory: GuestMemory, tables: TranslationTables, address: number): LastEntry | null {
  let table = tables.root
  for (let level = tables.startLevel; ; level++) {
    const shift = levelShift(level)
    const top = level === tables.startLevel ? tables.inputBits : shift + 9
    const at = table + (Math.floor(address / 2 ** shift) % 2 ** (top - shift)) * ENTRY_BYTES
    if (!memory.has(at, ENTRY_BYTES)) return null
    const low = memory.u32(at)
    const high = memory.u32(at + 4)
    const kind = descriptorKind(low, level, tables.lpa2)
    if (kind !== 'table') return { level, kind, low, high }
    table = outputAddress(low, high, tables.lpa2)
  }
}

/** A non-zero entry that is not a table: a mapping, or an invalid entry with an annotation. */
export type LeafVisitor = (input: number, level: number, low: number, high: number) => void

/**
 * Visit every leaf and every annotated invalid entry, in ascending order of the input address.
 * @param onTable called with the address and level of every table page, the concatenated first ones included.
 * @throws UnknownError when the tables lead out of RAM or in a circle.
 */
export function forEachLeaf(
  memory: GuestMemory,
  tables: TranslationTables,
  visit: LeafVisitor,
  onTable?: (address: number, level: number) => void,
): void {
  let visited = 0
  const descend = (table: number, level: number, base: number, entries: number): void => {
    if (++visited > TABLE_LIMIT)
      throw new UnknownError(`${tables.name}: more tables than memory holds; they form a circle`)
    if (!memory.has(table, entries * ENTRY_BYTES)) {
      throw new UnknownError(`${tables.name}: a level ${level} table at 0x${table.toString(16)} is not in RAM`)
    }
    if (onTable !== undefined)
      for (let at = 0; at < entries * ENTRY_BYTES; at += TABLE_BYTES) onTable(table + at, level)
    const bytes = 2 ** levelShift(level)
    for (let i = 0; i < entries; i++) {
      const low = memory.u32(table + i * ENTRY_BYTES)
      const high = memory.u32(table + i * ENTRY_BYTES + 4)
      if (low === 0 && high === 0) continue
      if (descriptorKind(low, level, tables.lpa2) === 'table')
        descend(outputAddress(low, high, tables.lpa2), level + 1, base + i * bytes, 512)
      else visit(base + i * bytes, level, low, high)
    }
  }
  descend(tables.root, tables.startLevel, 0, 2 ** (tables.inputBits - levelShift(tables.startLevel)))
}

/** The part of the input address that indexes tables, or null when it is outside what they translate. */
function inRange(tables: TranslationTables, input: bigint): number | null {
  const width = tables.ignoreTopByte ? 56 : 64
  let value = BigInt.asUintN(width, input)
  if (tables.upper) value -= (1n << BigInt(width)) - (1n << BigInt(tables.inputBits))
  return value < 0n || value >= 1n << BigInt(tables.inputBits) ? null : Number(value)
}
