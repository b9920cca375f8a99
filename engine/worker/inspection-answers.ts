import { allRows } from '../isa/table.ts'
import { sharedDecoder } from '../isa/shared-decoder.ts'
import { disassemble } from '../isa/disassemble.ts'
import type { Feature } from '../isa/row.ts'
import { PAGE_STATES } from '../inspect/hyp-page.ts'
import type { Inspector } from '../inspect/inspector.ts'
import { attempt, type Known, need, UnknownError } from '../inspect/known.ts'
import type { OwnershipMap } from '../inspect/ownership.ts'
import type { Walk } from '../inspect/page-table-walk.ts'
import type { RamRegion } from '../inspect/regions.ts'
import { placeText } from '../inspect/symboliser.ts'
import { explainAnnotation, explainLeaf } from './annotation-fields.ts'
import type { Answer, LabEvent, PageDetail, PageStateCode, WalkView } from './inspection-protocol.ts'

const PAGE = 4096
const hex = (n: number | bigint) => `0x${n.toString(16)}`
const hex64 = (n: bigint) => `0x${BigInt.asUintN(64, n).toString(16).padStart(16, '0')}`

/** Where code may lie: the kernel's and the hypervisor's text, and what a VM runs. */
const CODE_REGIONS = /text|^VM .* RAM$/

const WORDS: readonly string[] = [
  'owns it, and nobody else may use it',
  'owns it, and lets another use it too',
  'uses it; another owns it',
  'has no right to it',
  'is not known',
]

const asAnswer = <T, U>(it: Known<T>, make: (value: T) => U): Answer<U> =>
  it.known ? { known: true, value: make(it.value) } : { known: false, why: it.why }

/** Everything about the page that holds `physical`, as the inspector shows it. */
export function pageDetail(inspector: Inspector, physical: number, map: Known<OwnershipMap>, regions: readonly RamRegion[], history: LabEvent[]): PageDetail {
  const start = physical - (physical % PAGE)
  const view = inspector.page(start)
  const { memory } = inspector.kernel
  const page = (start - memory.base) / PAGE
  const state = (side: 'host' | 'hyp', who: string): PageDetail['host'] =>
    asAnswer(map, value => {
      const code = (value[side][page] ?? 4) as PageStateCode
      return { state: code, words: `${PAGE_STATES[code]}: ${who} ${WORDS[code]}` }
    })
  const reader = inspector.recordReader()
  const hostView = (walk: Walk): WalkView =>
    reader.known ? explainLeaf(explainAnnotation(walkView(walk), reader.value.annotationFormat)) : walkView(walk)
  const guestView = (walk: Walk): WalkView => (reader.known ? explainLeaf(explainAnnotation(walkView(walk), reader.value.annotationFormat), reader.value.pageLayout.hostCodes) : walkView(walk))
  const guests = map.known ? guestsOf(map.value, page) : []
  const inside = regions.filter(region => start + PAGE > region.physical && start < region.physical + region.bytes)
  const region = inside.sort((a, b) => a.bytes - b.bytes)[0]?.name ?? null
  const contents = memory.has(start, PAGE) ? memory.bytes(start, PAGE) : new Uint8Array(0)
  return {
    physical: start,
    pfn: start / PAGE,
    host: state('host', 'the host'),
    hyp: state('hyp', 'the hypervisor'),
    owner: map.known ? ownerText(map.value, page) : 'unknown',
    record: asAnswer(view.record, record => ({
      raw: hex64(record.raw),
      address: view.recordAddress.known ? view.recordAddress.value : 0,
      fields: reader.known ? reader.value.pageLayout.fieldsOf(record.raw) : [],
    })),
    hostWalk: asAnswer(view.hostWalk, hostView),
    guests: guests.map(({ handle, gfn }) => ({ handle, gfn, walk: asAnswer(inspector.walkGuest(handle, BigInt(gfn) * 4096n), guestView) })),
    // Pages of the image that the kernel has freed keep no name once a VM has them.
    symbol: guests.length > 0 ? null : view.symbol,
    region,
    contents,
    code: region !== null && CODE_REGIONS.test(region) ? codeOf(inspector, start, contents, guests[0]) : [],
    history,
  }
}

function guestsOf(map: OwnershipMap, page: number): { handle: number; gfn: number }[] {
  const own = map.guestPage.get(page)
  return [...(own === undefined ? [] : [own]), ...(map.borrowers.get(page) ?? [])]
}

function ownerText(map: OwnershipMap, page: number): string {
  switch (map.owner[page]) {
    case 0:
      return 'host'
    case 1:
      return 'hypervisor'
    case 2: {
      const guest = map.guestPage.get(page)
      return guest === undefined ? 'a VM' : `VM ${hex(guest.handle)} gfn ${hex(guest.gfn)}`
    }
    default:
      return 'unknown'
  }
}

function walkView(walk: Walk): WalkView {
  const { result } = walk
  const words =
    result.kind === 'mapped'
      ? `${hex(result.output)}, mapped by ${result.bytes === PAGE ? 'a page' : `a block of ${result.bytes / 1024} KiB`} at level ${result.level}`
      : result.kind === 'invalid'
        ? `no translation: the entry at level ${result.level} is ${hex64(result.entry)}`
        : result.kind === 'lost'
          ? `led to ${hex(result.address)} at level ${result.level}, which is not RAM`
          : result.why
  return {
    steps: walk.steps.map(step => ({
      regime: walk.tables.name,
      level: step.level,
      tableAddress: step.table,
      index: step.index,
      entryAddress: step.entryAddress,
      entry: hex64(step.entry),
      kind: step.kind,
      fields: step.fields.map(field => ({ name: field.name, value: hex(field.value), meaning: field.meaning })),
    })),
    result: words,
  }
}

const EVERY_FEATURE: ReadonlySet<Feature> = new Set(allRows.flatMap(row => (row.feature === undefined ? [] : [row.feature])))

/** @param guest whose code it is: then addresses are the VM's own. */
function codeOf(inspector: Inspector, physical: number, contents: Uint8Array, guest: { gfn: number } | undefined): PageDetail['code'] {
  const decoder = sharedDecoder(EVERY_FEATURE)
  const view = new DataView(contents.buffer, contents.byteOffset, contents.length)
  const lines: PageDetail['code'] = []
  const { symboliser } = inspector.kernel
  const nameOf = (address: number): string | null => {
    const place = symboliser.known && guest === undefined ? symboliser.value.atPhysical(address) : undefined
    return place === undefined ? null : placeText(place)
  }
  const base = guest === undefined ? physical : guest.gfn * PAGE
  for (let at = 0; at + 4 <= contents.length; at += 4) {
    const word = view.getUint32(at, true)
    lines.push({
      address: nameOf(base + at) ?? hex(base + at),
      word: word.toString(16).padStart(8, '0'),
      text: withTarget(disassemble(decoder, word, BigInt(base + at)), nameOf),
    })
  }
  return lines
}

/** A direct branch with the name of where it goes: `bl 0x41303560 <__kvm_nvhe_memcpy>`. */
export function withTarget(text: string, nameOf: (target: number) => string | null): string {
  const target = /^(?:bl?|b\.\w+|cbn?z|tbn?z)\s.*?(0x[0-9a-f]+)$/.exec(text)?.[1]
  const name = target === undefined ? null : nameOf(Number(target))
  return name === null ? text : `${text} <${name}>`
}

export interface Place {
  physical: number
  explanation: string
  walk: WalkView | null
}

/**
 * Finds a physical address from what the learner typed: `0x43ca3000`, `tainted_mask`, `el1:0xffff...`, `el2:0x...`,
 * `vm 0x1001:0x40000000`. A plain number outside RAM is tried as an address of EL1, then of EL2.
 */
export function resolveText(inspector: Inspector, text: string): Answer<Place> {
  return asAnswer(attempt(() => place(inspector, text.trim())), value => value)
}

function place(inspector: Inspector, text: string): Place {
  const { kernel } = inspector
  if (text === '') throw new UnknownError('Type an address or the name of a symbol')
  const prefixed = /^(pa|el[012]|vm\s*(0x[0-9a-f]+|\d+))\s*:\s*(0x[0-9a-f_]+|\d+)$/i.exec(text)
  const number = prefixed?.[3] ?? (/^(0x[0-9a-f_]+|\d+)$/i.test(text) ? text : undefined)
  if (number === undefined) return bySymbol(inspector, text)
  const value = BigInt(number.replaceAll('_', ''))
  const regime = prefixed?.[1]?.toLowerCase()
  if (regime?.startsWith('vm')) {
    const handle = Number(prefixed?.[2])
    const walk = need(inspector.walkGuest(handle, value))
    return ofWalk(walk, `VM ${hex(handle)} sees this page at ${hex(value)}`)
  }
  if (regime === 'el2') return virtual(inspector, value, 2)
  if (regime === 'el0' || regime === 'el1') return virtual(inspector, value, 1)
  if (value < 1n << 40n && kernel.memory.has(Number(value), 1)) return { physical: Number(value), explanation: `physical address ${hex(value)}`, walk: null }
  if (regime === 'pa') throw new UnknownError(`${hex(value)} is not in RAM, which is ${hex(kernel.memory.base)} to ${hex(kernel.memory.end - 1)}`)
  const first = attempt(() => virtual(inspector, value, 1))
  if (first.known) return first.value
  const second = attempt(() => virtual(inspector, value, 2))
  if (second.known) return second.value
  throw new UnknownError(`${hex(value)} is not in RAM, and neither EL1 nor EL2 maps it now`)
}

function bySymbol(inspector: Inspector, text: string): Place {
  const { kernel } = inspector
  const name = text.replace(/^hyp:\s*/, '__kvm_nvhe_')
  const known = kernel.has(name) ? name : kernel.hasHyp(name) ? `__kvm_nvhe_${name}` : null
  if (known === null) throw new UnknownError(kernel.symbols.known ? `This kernel has no symbol ${text}` : kernel.symbols.why)
  const physical = kernel.address(known)
  return { physical, explanation: `symbol ${known}, at ${hex(physical)} in this machine`, walk: null }
}

function virtual(inspector: Inspector, va: bigint, el: number): Place {
  const { stage1, stage2 } = need(inspector.walkVirtual(va, el))
  const last = stage2 ?? stage1
  if (stage1 !== null && stage1.result.kind !== 'mapped') throw new UnknownError(`EL${el} does not map ${hex(va)} now`)
  if (last === null) {
    if (va < 1n << 40n && inspector.kernel.memory.has(Number(va), 1)) {
      return { physical: Number(va), explanation: `the MMU of EL${el} is off: ${hex(va)} is the physical address`, walk: null }
    }
    throw new UnknownError(`the MMU of EL${el} is off and ${hex(va)} is not in RAM`)
  }
  const place = ofWalk(last, `EL${el} finds ${hex(va)} here`)
  const views = [stage1, stage2].flatMap(walk => (walk === null ? [] : [walkView(walk)]))
  return { ...place, walk: { steps: views.flatMap(view => view.steps), result: views.at(-1)?.result ?? '' } }
}

function ofWalk(walk: Walk, explanation: string): Place {
  if (walk.result.kind !== 'mapped') throw new UnknownError(`${walk.tables.name}: ${walkView(walk).result}`)
  return { physical: walk.result.output, explanation, walk: walkView(walk) }
}
