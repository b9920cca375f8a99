import { UnknownError } from './known.ts'
import type { TypeField, TypeTable } from './type-table.ts'

/**
 * `struct hyp_page`, pKVM's record of one physical page (arch/arm64/kvm/hyp/include/nvhe/memory.h). Layout and names of
 * states come from the kernel's BTF. `__hyp_state_comp` holds the state XOR that of "no page", so that an all-zero
 * record means owned by the host and absent from the hypervisor; the XOR itself is code, not data.
 */
export const PAGE_STATES = ['OWNED', 'SHARED_OWNED', 'SHARED_BORROWED', 'NOPAGE', 'UNKNOWN'] as const
export type PageState = (typeof PAGE_STATES)[number]
/** Indices into PAGE_STATES: the lab's own numbers, whatever the kernel's are. */
export const StateCode = { owned: 0, sharedOwned: 1, sharedBorrowed: 2, noPage: 3, unknown: 4 } as const

/** Labels of `enum pkvm_page_state`, by the lab's code. */
const LABELS = ['PKVM_PAGE_OWNED', 'PKVM_PAGE_SHARED_OWNED', 'PKVM_PAGE_SHARED_BORROWED', 'PKVM_NOPAGE']

/** A bit-field within the 64 bits of a record. */
interface BitField {
  readonly word: number
  readonly shift: number
  readonly mask: number
}

export interface HypPage {
  readonly raw: bigint
  readonly host: PageState
  readonly hyp: PageState
  readonly refcount: number
  /** Order of a free block of the hypervisor's allocator whose first page this is; null on any other page. */
  readonly order: number | null
  /** How many normal guests the host shares the page with; null when this kernel does not count. */
  readonly hostShareGuestCount: number | null
}

export class HypPageLayout {
  /** Bytes of a record, a multiple of 4. */
  readonly bytes: number
  /** Code of the host's and the hypervisor's state by the raw value of the field. */
  readonly hostCodes: Uint8Array
  readonly hypCodes: Uint8Array
  readonly hostState: BitField
  readonly hypState: BitField
  private readonly refcount: BitField
  private readonly order: BitField
  private readonly guestCount: BitField | null

  /** @throws UnknownType, UnknownError when this kernel keeps page states in another way. */
  constructor(types: TypeTable) {
    this.bytes = types.sizeOfNamed('hyp_page')
    if (this.bytes % 4 !== 0 || this.bytes > 64)
      throw new UnknownError(`struct hyp_page has ${this.bytes} bytes, a layout this lab does not know`)
    this.hostState = place(firstField(types, ['__host_state', 'host_state']))
    this.hypState = place(firstField(types, ['__hyp_state_comp']))
    this.refcount = place(types.field('hyp_page', 'refcount'))
    this.order = place(types.field('hyp_page', 'order'))
    this.guestCount = types.has('hyp_page', 'host_share_guest_count')
      ? place(types.field('hyp_page', 'host_share_guest_count'))
      : null
    const values = types.enumValues('pkvm_page_state')
    const numbers = LABELS.map((label) => {
      const value = values.get(label)
      if (value === undefined) throw new UnknownError(`enum pkvm_page_state of this kernel has no ${label}`)
      return Number(value)
    })
    this.hostCodes = codes(this.hostState, numbers, 0)
    this.hypCodes = codes(this.hypState, numbers, numbers[StateCode.noPage]!)
  }

  /** @param words the record's 32-bit words. */
  decode(words: ArrayLike<number>): HypPage {
    const get = (f: BitField) => (words[f.word]! >>> f.shift) & f.mask
    let raw = 0n
    for (let i = this.bytes / 4 - 1; i >= 0; i--) raw = (raw << 32n) | BigInt(words[i]! >>> 0)
    const order = get(this.order)
    return {
      raw,
      host: PAGE_STATES[this.hostCodes[get(this.hostState)]!]!,
      hyp: PAGE_STATES[this.hypCodes[get(this.hypState)]!]!,
      refcount: get(this.refcount),
      order: order === this.order.mask ? null : order,
      hostShareGuestCount: this.shareCount(words),
    }
  }

  /** The member `hostShareGuestCount` alone. */
  shareCount(words: ArrayLike<number>): number | null {
    const { guestCount } = this
    return guestCount === null ? null : ((words[guestCount.word]! >>> guestCount.shift) & guestCount.mask) >>> 0
  }

  /** The fields of a record as they lie in it, high to low: raw values, with their highest and lowest bit. */
  fieldsOf(raw: bigint): { name: string; bits: string; value: string }[] {
    const noPage = this.hypCodes.indexOf(StateCode.owned)
    const fields: [string, BitField | null][] = [
      ['VM shares', this.guestCount],
      [`hyp state ^ ${noPage}`, this.hypState],
      ['host state', this.hostState],
      ['order', this.order],
      ['refcount', this.refcount],
    ]
    return fields
      .flatMap(([name, f]) => (f === null ? [] : [{ name, bottom: f.word * 32 + f.shift, width: 32 - Math.clz32(f.mask), mask: f.mask }]))
      .sort((a, b) => b.bottom - a.bottom)
      .map(({ name, bottom, width, mask }) => ({
        name,
        bits: `${bottom + width - 1}:${bottom}`,
        value: String((raw >> BigInt(bottom)) & BigInt(mask >>> 0)),
      }))
  }
}

function firstField(types: TypeTable, names: readonly string[]): TypeField {
  const name = names.find((n) => types.has('hyp_page', n))
  if (name === undefined)
    throw new UnknownError(
      `struct hyp_page of this kernel has no ${names[0]}: it keeps page states in a way this lab does not know`,
    )
  return types.field('hyp_page', name)
}

function place(f: TypeField): BitField {
  const shift = (f.offset % 4) * 8 + f.bit
  if (shift + f.bits > 32)
    throw new UnknownError('a field of struct hyp_page crosses a word, a layout this lab does not know')
  return { word: Math.floor(f.offset / 4), shift, mask: f.bits === 32 ? 0xffffffff : 2 ** f.bits - 1 }
}

function codes(field: BitField, numbers: readonly number[], xor: number): Uint8Array {
  if (field.mask > 0xffff) throw new UnknownError('a page state is wider than this lab knows')
  const table = new Uint8Array(field.mask + 1).fill(StateCode.unknown)
  numbers.forEach((value, code) => {
    const raw = value ^ xor
    if (raw < table.length) table[raw] = code
  })
  return table
}
