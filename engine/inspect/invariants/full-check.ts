import { outputAddress } from '../descriptor.ts'
import { StateCode } from '../hyp-page.ts'
import type { KernelData } from '../kernel-data.ts'
import { attempt, UnknownError } from '../known.ts'
import { forEachLeaf, type TranslationTables } from '../page-table-walk.ts'
import { readVmTable } from '../vm-table.ts'
import { type Access, NO_ACCESS, PageFactsReader, stage1Access } from './page-facts.ts'
import type { PageStates } from '../ownership.ts'
import { type Broken, judge, type Setting } from './rules.ts'

const PAGE = 4096
const NOBODY: readonly never[] = []

export interface BrokenPage extends Broken {
  /** Physical address of the page. */
  readonly physical: number
}

/** Ranges of the kernel's image that host and hypervisor may see both, by the names of their ends. */
const HYP_TEXT = [
  ['__hyp_idmap_text_start', '__hyp_idmap_text_end'],
  ['__hyp_text_start', '__hyp_text_end'],
] as const
const HYP_READS = [
  ['__start_rodata', '__end_rodata'],
  ['__bss_start', '__bss_stop'],
] as const

/** What the rules ask about the system, as it is now. */
export function settingOf(kernel: KernelData): Setting {
  const vms = attempt(() => readVmTable(kernel))
  const known = new Map<number, boolean>()
  if (vms.known) for (const vm of vms.value) if (vm.protected.known) known.set(vm.handle, vm.protected.value)
  const text = ranges(kernel, HYP_TEXT)
  const readOnly = ranges(kernel, HYP_READS)
  const within = (list: readonly Range[], at: number) => list.some((range) => at >= range.start && at < range.end)
  return {
    isProtected: (handle) => known.get(handle),
    mayHostRead: (physical) => within(text, physical),
    mayHypRead: (physical) => within(readOnly, physical) || within(text, physical),
  }
}

interface Range {
  readonly start: number
  readonly end: number
}

function ranges(kernel: KernelData, names: readonly (readonly [string, string])[]): Range[] {
  return names.flatMap(([first, last]) =>
    kernel.has(first) && kernel.has(last)
      ? [{ start: Math.floor(kernel.address(first) / PAGE) * PAGE, end: Math.ceil(kernel.address(last) / PAGE) * PAGE }]
      : [],
  )
}

/**
 * Ask every rule of every page of RAM. Reads all tables anew, and all records unless they are known; a few milliseconds
 * for 512 MB. Ask it while EL2 is not at work.
 * @param known the pair of every page, as `OwnershipReader.states` reads it
 * @throws UnknownError, UnknownType when there is no record of pages, or it cannot be read
 */
export function checkEveryPage(kernel: KernelData, known?: PageStates): BrokenPage[] {
  const reader = new PageFactsReader(kernel)
  const states = known ?? reader.ownership.states()
  const tables = reader.tables()
  const { byPage: guests, conflicts } = reader.ownership.guestLeaves(readVmTable(kernel))
  if (conflicts[0] !== undefined) throw new UnknownError(conflicts[0])
  const hypAccess = hypMappings(kernel, tables.hyp)
  const setting = settingOf(kernel)
  // Nearly all pages are simply the host's and in no table: those are passed over, four by one look.
  const inTables = annotated(kernel, tables.host)
  for (const page of guests.keys()) inTables[page] = 1
  for (const page of hypAccess.keys()) inTables[page] = 1
  const [hosts, hyps, tabled] = [words(states.host), words(states.hyp), words(inTables)]
  const broken: BrokenPage[] = []
  for (let page = 0; page < inTables.length; page++) {
    while (page % 4 === 0 && hosts[page >> 2] === ALL_OWNED && hyps[page >> 2] === ALL_NO_PAGE && tabled[page >> 2] === 0) page += 4
    if (page >= inTables.length) break
    const host = states.host[page]!
    const hyp = states.hyp[page]!
    // Memory that pKVM keeps no record of (no-map regions) is nobody's business here.
    if (host === StateCode.unknown && hyp === StateCode.unknown) continue
    if (host === StateCode.owned && hyp === StateCode.noPage && inTables[page] === 0) continue
    const facts = reader.facts(page, { host, hyp }, guests.get(page) ?? NOBODY, tables, hypAccess.get(page) ?? NO_ACCESS)
    for (const rule of judge(facts, setting)) broken.push({ ...rule, physical: facts.physical })
  }
  return broken
}

/** Four pages of the host and of nobody else, in a word. */
const ALL_OWNED = StateCode.owned * 0x0101_0101
const ALL_NO_PAGE = StateCode.noPage * 0x0101_0101

/** The bytes of four pages at a time; RAM is a multiple of as many. */
function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

/** What the hypervisor's stage 1 maps of RAM, by page index. */
function hypMappings(kernel: KernelData, tables: TranslationTables): Map<number, Access> {
  const { memory } = kernel
  const found = new Map<number, Access>()
  forEachLeaf(memory, tables, (_input, level, low, high) => {
    if ((low & 1) === 0) return
    const bytes = 2 ** (39 - 9 * level)
    const output = outputAddress(low, high, tables.lpa2)
    const start = output - (output % bytes)
    const access = stage1Access(low)
    for (let at = Math.max(start, memory.base); at < Math.min(start + bytes, memory.end); at += PAGE) {
      const page = (at - memory.base) / PAGE
      if (access.write || !found.has(page)) found.set(page, access)
    }
  })
  return found
}

/** 1 for the pages that the host's stage 2 says were given away, by page index. */
function annotated(kernel: KernelData, tables: TranslationTables): Uint8Array {
  const { memory } = kernel
  const found = new Uint8Array(memory.ram.length / PAGE)
  forEachLeaf(memory, tables, (input, level, low) => {
    if ((low & 1) !== 0) return
    const bytes = 2 ** (39 - 9 * level)
    for (let at = Math.max(input, memory.base); at < Math.min(input + bytes, memory.end); at += PAGE) {
      found[(at - memory.base) / PAGE] = 1
    }
  })
  return found
}
