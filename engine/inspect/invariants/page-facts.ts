import type { PageOwnership } from '../events/log-event.ts'
import type { GuestLeaf } from '../guest-leaves.ts'
import type { HypPageLayout } from '../hyp-page.ts'
import type { AnnotationFormat, InvalidAnnotation } from '../invalid-annotation.ts'
import type { KernelData } from '../kernel-data.ts'
import { attempt } from '../known.ts'
import { OwnershipReader } from '../ownership.ts'
import { endOfWalk, type TranslationTables } from '../page-table-walk.ts'

const PAGE = 4096

/** What the hardware lets someone do with a page. */
export interface Access {
  readonly read: boolean
  readonly write: boolean
}

export const NO_ACCESS: Access = { read: false, write: false }

/** Of a walk that leads out of RAM. */
const NOTHING = { kind: 'invalid', low: 0, high: 0 } as const

/**
 * Everything that the system says of one page of RAM: the pair in the record of pages, and what each of the tables
 * lets its user do.
 */
export interface PageFacts {
  readonly physical: number
  /** StateCode of the host and of the hypervisor. */
  readonly host: number
  readonly hyp: number
  /** How many normal guests the host says it shares the page with; null where this kernel does not count. */
  readonly shareCount: number | null
  readonly guests: readonly GuestLeaf[]
  /** The host's stage 2. */
  readonly hostAccess: Access
  /** What stands in the host's entry when it maps nothing. */
  readonly hostEntry: InvalidAnnotation
  /** Stage 1 of the hypervisor. */
  readonly hypAccess: Access
}

/** Reads the facts about single pages. What guests map comes from who follows their tables. */
export class PageFactsReader {
  private readonly layout: HypPageLayout
  private readonly annotations: AnnotationFormat
  private readonly reader: OwnershipReader
  private readonly linearOffset: bigint

  /** @throws UnknownError, UnknownType when this kernel keeps ownership in a way this lab does not know. */
  constructor(private readonly kernel: KernelData) {
    this.reader = new OwnershipReader(kernel)
    this.layout = this.reader.pageLayout
    this.annotations = this.reader.annotationFormat
    this.linearOffset = kernel.memory.s64(kernel.hypAddress('hyp_physvirt_offset'))
  }

  get ownership(): OwnershipReader {
    return this.reader
  }

  /** The tables in force, to be read once for many pages. @throws UnknownError */
  tables(): { readonly host: TranslationTables; readonly hyp: TranslationTables } {
    return { host: this.reader.hostTables(), hyp: this.kernel.hypTables() }
  }

  /**
   * @param page index from the start of RAM; @param guests the leaves that lead to it
   * @param hypAccess when it is known already; else the hypervisor's linear mapping of the page is looked up
   * @throws UnknownError when the tables lead out of RAM
   */
  facts(page: number, known: Pick<PageOwnership, 'host' | 'hyp'>, guests: readonly GuestLeaf[], tables: ReturnType<PageFactsReader['tables']>, hypAccess?: Access): PageFacts {
    const physical = this.kernel.memory.base + page * PAGE
    const { low, high, kind } = endOfWalk(this.kernel.memory, tables.host, physical) ?? NOTHING
    const mapped = kind !== 'invalid'
    return {
      physical,
      host: known.host,
      hyp: known.hyp,
      shareCount: this.shareCount(page, tables.hyp),
      guests,
      hostAccess: mapped ? { read: (low & 0x40) !== 0, write: (low & 0x80) !== 0 } : NO_ACCESS,
      hostEntry: mapped ? { kind: 'none' } : this.annotations.decode(low, high),
      hypAccess: hypAccess ?? this.hypAccess(tables.hyp, physical),
    }
  }

  private shareCount(page: number, tables: TranslationTables): number | null {
    const record = attempt(() => this.reader.recordAddress(this.kernel.memory.base / PAGE + page, tables))
    return record.known ? this.layout.shareCount(this.kernel.memory.words(record.value, this.layout.bytes / 4)) : null
  }

  private hypAccess(tables: TranslationTables, physical: number): Access {
    const va = BigInt.asUintN(tables.inputBits, BigInt(physical) - this.linearOffset)
    const { low, kind } = endOfWalk(this.kernel.memory, tables, Number(va)) ?? NOTHING
    return kind === 'invalid' ? NO_ACCESS : stage1Access(low)
  }
}

/** AP[2:1] of a regime with one privilege level: bit 7 set is read-only. */
export function stage1Access(low: number): Access {
  return { read: true, write: (low & 0x80) === 0 }
}
