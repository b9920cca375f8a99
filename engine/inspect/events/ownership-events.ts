import { StateCode } from '../hyp-page.ts'
import type { KernelData } from '../kernel-data.ts'
import { HYP_PREFIX } from '../symboliser.ts'
import type { PageOwnership } from './log-event.ts'
import type { Draft, Moment } from './moment.ts'
import { changeText, continues, ownershipText } from './ownership-words.ts'
import type { OwnershipWatch, PageChange } from './ownership-watch.ts'

const PAGE = 4096
const UNKNOWN: PageOwnership = { host: StateCode.unknown, hyp: StateCode.unknown, donatedTo: null, mappedBy: [] }

/**
 * One event a change; neighbours that the same instruction changed in the same way are one.
 * @param base physical address of RAM; @param cause on whose behalf
 */
export function ownershipEvents(
  changes: readonly PageChange<Moment>[],
  base: number,
  cause: Record<string, string>,
): Draft[] {
  const drafts: Draft[] = []
  for (let i = 0; i < changes.length; ) {
    const first = changes[i]!
    let pages = 1
    while (i + pages < changes.length && joins(first, changes[i + pages]!, pages)) pages++
    drafts.push(ownershipEvent(first, pages, base, cause))
    i += pages
  }
  return drafts
}

function joins(first: PageChange<Moment>, next: PageChange<Moment>, distance: number): boolean {
  return (
    next.page === first.page + distance &&
    next.moment.pc === first.moment.pc &&
    next.forced === first.forced &&
    continues(first.before, next.before, distance) &&
    continues(first.after, next.after, distance)
  )
}

function ownershipEvent(change: PageChange<Moment>, pages: number, base: number, cause: Record<string, string>): Draft {
  const { before, after } = change
  const physical = base + change.page * PAGE
  const action = `${changeText(before, after)}${change.forced ? ' by force' : ''}`
  const vm = (after.donatedTo ?? after.mappedBy[0] ?? before.donatedTo ?? before.mappedBy[0])?.handle
  return {
    ...change.moment,
    kind: 'ownership',
    text: `${pagesText(physical, pages)}: ${action}`,
    details: { before: ownershipText(before), after: ownershipText(after), action, ...cause },
    physical,
    ...(pages === 1 ? {} : { pages }),
    ...(vm === undefined ? {} : { vm }),
    change: { before, after },
  }
}

/** The hypervisor takes its pages in bulk before there is anything to watch: told as runs, as they are found. */
export function foundEvents(
  watch: OwnershipWatch<Moment>,
  kernel: KernelData,
  moment: Moment,
  cause: Record<string, string>,
): Draft[] {
  const drafts: Draft[] = []
  for (const { page, pages, ownership } of watch.runs()) {
    const physical = kernel.memory.base + page * PAGE
    const place = kernel.symboliser.known ? kernel.symboliser.value.atPhysical(physical) : undefined
    const words = ownershipText(ownership)
    drafts.push({
      ...moment,
      kind: 'ownership',
      text: `${pagesText(physical, pages)}: ${words} when the log began to watch`,
      details: {
        after: words,
        action: 'found when the log began to watch',
        ...(place === undefined ? {} : { place: place.symbol.name.replace(HYP_PREFIX, '') }),
        ...cause,
      },
      physical,
      pages,
      change: { before: UNKNOWN, after: ownership },
    })
  }
  return drafts
}

function pagesText(physical: number, pages: number): string {
  return pages === 1 ? `page 0x${physical.toString(16)}` : `${pages} pages from 0x${physical.toString(16)}`
}
