/**
 * VMSAv8-64 descriptors, 4 KB granule (Arm ARM D8.3), decoded into named fields with what each value means.
 */

export type DescriptorKind = 'invalid' | 'table' | 'block' | 'page'

export interface DecodedField {
  /** As in the Arm ARM. */
  readonly name: string
  /** Highest and lowest bit. */
  readonly bits: readonly [number, number]
  readonly value: bigint
  readonly meaning: string
}

/** What decides how a descriptor is read. */
export interface DescriptorFormat {
  readonly stage: 1 | 2
  /** FEAT_LPA2 in force (TCR.DS): output address bits 51:50 are in bits 9:8. */
  readonly lpa2: boolean
  /** A regime with one privilege level (EL2 without E2H): AP[1] is RES1 and bit 54 is XN. */
  readonly onePrivilege: boolean
  /** MAIR_ELx of stage 1. */
  readonly mair?: bigint
}

/** Kind of a descriptor at a level, from its low two bits. With 4 KB pages level 0 has no blocks unless LPA2. */
export function descriptorKind(low: number, level: number, lpa2: boolean): DescriptorKind {
  if ((low & 1) === 0) return 'invalid'
  if ((low & 2) !== 0) return level === 3 ? 'page' : 'table'
  return level === 3 || level < (lpa2 ? 0 : 1) ? 'invalid' : 'block'
}

/** Output or next-level table address of a valid descriptor. */
export function outputAddress(low: number, high: number, lpa2: boolean): number {
  const page = (low & 0xfffff000) >>> 0
  if (!lpa2) return (high & 0xffff) * 2 ** 32 + page
  return ((low >>> 8) & 3) * 2 ** 50 + (high & 0x3ffff) * 2 ** 32 + page
}

/** log2 of the bytes that one entry of a level maps. */
export function levelShift(level: number): number {
  return 39 - 9 * level
}

const field = (
  entry: bigint,
  name: string,
  top: number,
  bottom: number,
  meaning: (v: number) => string,
): DecodedField => {
  const value = BigInt.asUintN(top - bottom + 1, entry >> BigInt(bottom))
  return { name, bits: [top, bottom], value, meaning: meaning(Number(value)) }
}

const SHAREABILITY = ['non-shareable', 'reserved', 'outer shareable', 'inner shareable']
const STAGE2_AP = ['no access', 'read-only', 'write-only', 'read and write']
const STAGE2_XN = ['executable', 'executable at EL0 only', 'not executable', 'executable at EL1 only']
const STAGE2_ATTR: Readonly<Record<number, string>> = {
  0: 'Device-nGnRnE',
  1: 'Device-nGnRE',
  2: 'Device-nGRE',
  3: 'Device-GRE',
  5: 'Normal, Non-cacheable (with FWB: Non-cacheable)',
  6: 'Write-Back whatever stage 1 says (FWB)',
  7: 'as stage 1 says (FWB), or Normal, outer Non-cacheable, inner Write-Back',
  15: 'Normal, Write-Back',
}

/** Memory type named by a MAIR attribute byte (Arm ARM, MAIR_EL1). */
export function memoryType(attribute: number): string {
  if ((attribute & 0xf0) === 0)
    return ['Device-nGnRnE', 'Device-nGnRE', 'Device-nGRE', 'Device-GRE'][(attribute >> 2) & 3]!
  if (attribute === 0xff) return 'Normal, Write-Back'
  if (attribute === 0x44) return 'Normal, Non-cacheable'
  if (attribute === 0xf0) return 'Normal, Tagged'
  return `Normal, outer 0x${(attribute >> 4).toString(16)} inner 0x${(attribute & 15).toString(16)}`
}

/** The fields of a descriptor, lowest first. @param entry the 64-bit word. */
export function descriptorFields(entry: bigint, level: number, format: DescriptorFormat): DecodedField[] {
  const low = Number(entry & 0xffffffffn)
  const high = Number(entry >> 32n)
  const kind = descriptorKind(low, level, format.lpa2)
  const fields = [
    field(entry, 'valid', 0, 0, (v) => (v ? 'valid' : "invalid: any use faults, bits 63:1 are the software's")),
  ]
  if (kind === 'invalid') return fields
  fields.push(field(entry, 'type', 1, 1, (v) => (v ? (level === 3 ? 'page' : 'table') : 'block')))
  const address = outputAddress(low, high, format.lpa2)
  const top = format.lpa2 ? 49 : 47
  if (kind === 'table') {
    fields.push({
      name: 'next-level table',
      bits: [top, 12],
      value: BigInt(address),
      meaning: `0x${address.toString(16)}`,
    })
    if (format.stage === 1) {
      fields.push(field(entry, 'PXNTable', 59, 59, (v) => (v ? 'nothing below is executable at EL1' : 'no limit')))
      fields.push(
        field(entry, format.onePrivilege ? 'XNTable' : 'UXNTable', 60, 60, (v) =>
          v ? 'nothing below is executable' : 'no limit',
        ),
      )
      fields.push(
        field(
          entry,
          'APTable',
          62,
          61,
          (v) => ['no limit', 'no EL0 access below', 'read-only below', 'read-only, no EL0 access below'][v]!,
        ),
      )
    }
    return fields
  }
  if (format.stage === 2) stage2Leaf(fields, entry, format)
  else stage1Leaf(fields, entry, format)
  const size = 2 ** levelShift(level)
  const base = address - (address % size)
  fields.push({
    name: 'output address',
    bits: [top, levelShift(level)],
    value: BigInt(base),
    meaning: `0x${base.toString(16)}, ${bytesInWords(size)}`,
  })
  return fields.sort((a, b) => a.bits[1] - b.bits[1])
}

function stage2Leaf(fields: DecodedField[], entry: bigint, format: DescriptorFormat): void {
  fields.push(
    field(entry, 'MemAttr', 5, 2, (v) => STAGE2_ATTR[v] ?? `0b${v.toString(2).padStart(4, '0')}`),
    field(entry, 'S2AP', 7, 6, (v) => STAGE2_AP[v]!),
    field(entry, 'AF', 10, 10, (v) => (v ? 'accessed' : 'access flag clear: faults')),
    field(entry, 'XN', 54, 53, (v) => STAGE2_XN[v]!),
    field(entry, 'software', 58, 55, (v) =>
      v === 0 ? 'none' : `0x${v.toString(16)} (KVM keeps the page state of a guest here)`,
    ),
  )
  if (!format.lpa2) fields.push(field(entry, 'SH', 9, 8, (v) => SHAREABILITY[v]!))
}

function stage1Leaf(fields: DecodedField[], entry: bigint, format: DescriptorFormat): void {
  const { mair } = format
  fields.push(
    field(entry, 'AttrIndx', 4, 2, (v) =>
      mair === undefined ? `MAIR attribute ${v}` : memoryType(Number((mair >> BigInt(8 * v)) & 0xffn)),
    ),
    field(entry, 'AP[2:1]', 7, 6, (v) =>
      format.onePrivilege
        ? v & 2
          ? 'read-only'
          : 'read and write'
        : ['read and write, EL0 none', 'read and write, EL0 too', 'read-only, EL0 none', 'read-only, EL0 too'][v]!,
    ),
    field(entry, 'AF', 10, 10, (v) => (v ? 'accessed' : 'access flag clear: faults')),
    field(entry, 'nG', 11, 11, (v) => (v ? 'for this ASID only' : 'global')),
    field(entry, 'DBM', 51, 51, (v) => (v ? 'dirty bit modifier' : 'no')),
    field(entry, 'Contiguous', 52, 52, (v) => (v ? 'one of 16 alike' : 'no')),
  )
  if (!format.lpa2) fields.push(field(entry, 'SH', 9, 8, (v) => SHAREABILITY[v]!))
  if (format.onePrivilege) fields.push(field(entry, 'XN', 54, 54, (v) => (v ? 'not executable' : 'executable')))
  else {
    fields.push(
      field(entry, 'PXN', 53, 53, (v) => (v ? 'not executable when privileged' : 'executable when privileged')),
    )
    fields.push(field(entry, 'UXN', 54, 54, (v) => (v ? 'not executable at EL0' : 'executable at EL0')))
  }
  fields.push(field(entry, 'software', 58, 55, (v) => (v === 0 ? 'none' : `0x${v.toString(16)}`)))
}

function bytesInWords(bytes: number): string {
  if (bytes >= 2 ** 30) return `${bytes / 2 ** 30} GB`
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MB` : `${bytes / 1024} KB`
}
