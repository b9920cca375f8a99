import type { OwnershipFrame, PageStateCode, Region } from '../../engine/worker/inspection-protocol.ts'

/** Codes of the inspection protocol. */
export const State = { owned: 0, sharedOwned: 1, sharedBorrowed: 2, noPage: 3, unknown: 4 } as const
export const Owner = { host: 0, hyp: 1, vm: 2, unknown: 3 } as const

export const PAGE_BYTES = 4096

export const STATE_NAMES: readonly string[] = ['OWNED', 'SHARED_OWNED', 'SHARED_BORROWED', 'NOPAGE', 'unknown']

/** What a guest holds of a page. */
export interface GuestHold {
  handle: number
  gfn: number
  borrowed: boolean
}

/** Neighbouring pages of equal state and use. `start` counts pages from the start of RAM (or of a guest's space). */
export interface Run {
  start: number
  count: number
  host: PageStateCode
  hyp: PageStateCode
  owner: number
  /** The VM that holds these pages; gfn of the first. */
  guest: GuestHold | null
  /** Innermost region, empty where none is known. */
  region: string
  /** Physical page of `start`; null where a guest's space maps nothing. */
  page: number | null
}

/**
 * Single pages taken out of their runs, so that each of them is a run of its own and no fold hides it.
 * @param pages physical pages, counted from the start of RAM
 */
export function apart(runs: readonly Run[], pages: readonly number[]): Run[] {
  if (pages.length === 0) return [...runs]
  const sorted = [...new Set(pages)].sort((a, b) => a - b)
  return runs.flatMap(run => {
    const { page, count, guest } = run
    if (page === null || count === 1) return [run]
    const inside = sorted.filter(one => page <= one && one < page + count)
    const edges = [...new Set([0, ...inside.flatMap(one => [one - page, one - page + 1]), count])].sort((a, b) => a - b)
    return edges.slice(0, -1).map((from, i): Run => ({
      ...run,
      start: run.start + from,
      count: (edges[i + 1] as number) - from,
      page: page + from,
      guest: guest === null ? null : { ...guest, gfn: guest.gfn + from },
    }))
  })
}

/** Smallest region over each page, as cuts: region `names[i]` holds from page `at[i]` to `at[i + 1]`. */
export function regionCuts(regions: readonly Region[], ramBase: number, pages: number): { at: number[]; names: string[] } {
  const clipped = regions
    .map(region => ({
      name: region.name,
      bytes: region.bytes,
      start: Math.max(0, Math.floor((region.physical - ramBase) / PAGE_BYTES)),
      end: Math.min(pages, Math.ceil((region.physical + region.bytes - ramBase) / PAGE_BYTES)),
    }))
    .filter(region => region.end > region.start)
    .sort((a, b) => a.bytes - b.bytes)
  const edges = [...new Set([0, ...clipped.flatMap(region => [region.start, region.end])])].filter(edge => edge < pages).sort((a, b) => a - b)
  const at: number[] = []
  const names: string[] = []
  for (const edge of edges) {
    const name = clipped.find(region => region.start <= edge && edge < region.end)?.name ?? ''
    if (names.at(-1) === name && at.length > 0) continue
    at.push(edge)
    names.push(name)
  }
  return { at, names }
}

/** Guest pages by physical page. A page that several VMs map keeps the owner, else the first. */
export function guestHolds(frame: Pick<OwnershipFrame, 'guest'>): Map<number, GuestHold> {
  const holds = new Map<number, GuestHold>()
  for (const { page, handle, gfn, borrowed } of frame.guest) {
    const known = holds.get(page)
    if (known === undefined || (known.borrowed && !borrowed)) holds.set(page, { handle, gfn, borrowed })
  }
  return holds
}

/** Cuts physical memory into runs. One pass over the pages; a frame of half a gigabyte takes about a millisecond. */
export function runsOf(frame: OwnershipFrame): Run[] {
  const { host, hyp, owner, pages } = frame
  const cuts = regionCuts(frame.regions, frame.ramBase, pages)
  const holds = guestHolds(frame)
  const runs: Run[] = []
  let cut = 0
  const guestOf = (page: number): GuestHold | null => (holds.size === 0 ? null : (holds.get(page) ?? null))
  let guest = guestOf(0)
  for (let page = 0; page < pages; page++) {
    let fresh = page === 0
    if (page === cuts.at[cut + 1]) {
      cut++
      fresh = true
    }
    if (!fresh && (host[page] !== host[page - 1] || hyp[page] !== hyp[page - 1] || owner[page] !== owner[page - 1])) fresh = true
    if (holds.size > 0) {
      const now = guestOf(page)
      if (now?.handle !== guest?.handle || now?.borrowed !== guest?.borrowed) fresh = true
      guest = now
    }
    if (fresh) {
      runs.push({
        start: page,
        count: 1,
        host: (host[page] ?? 4) as PageStateCode,
        hyp: (hyp[page] ?? 4) as PageStateCode,
        owner: owner[page] ?? Owner.unknown,
        guest,
        region: cuts.names[cut] ?? '',
        page,
      })
    } else (runs.at(-1) as Run).count++
  }
  return runs
}

/** A guest's own view: its pages in the order of its addresses, and the holes between them. Index = gfn. */
export function guestRuns(frame: OwnershipFrame, handle: number): Run[] {
  const mine = frame.guest.filter(entry => entry.handle === handle).sort((a, b) => a.gfn - b.gfn)
  const runs: Run[] = []
  let next: number | null = null
  for (const { page, gfn, borrowed } of mine) {
    if (next !== null && gfn > next) {
      runs.push({ start: next, count: gfn - next, host: 3, hyp: 3, owner: Owner.unknown, guest: null, region: 'nothing mapped', page: null })
    }
    next = gfn + 1
    const host = (frame.host[page] ?? 4) as PageStateCode
    const last = runs.at(-1)
    const follows =
      last !== undefined &&
      last.page !== null &&
      last.start + last.count === gfn &&
      last.page + last.count === page &&
      last.host === host &&
      last.guest?.borrowed === borrowed
    if (follows) last.count++
    else {
      runs.push({
        start: gfn,
        count: 1,
        host,
        hyp: (frame.hyp[page] ?? 4) as PageStateCode,
        owner: frame.owner[page] ?? Owner.unknown,
        guest: { handle, gfn, borrowed },
        region: '',
        page,
      })
    }
  }
  return runs
}

/** Whether a run is in the named selection of the filter: `state:…`, `vm:0x…`, `region:…` or `all`. */
export function matches(run: Run, filter: string): boolean {
  const colon = filter.indexOf(':')
  const kind = filter.slice(0, colon)
  const value = filter.slice(colon + 1)
  switch (kind) {
    case 'state':
      if (value === 'host') return run.owner === Owner.host
      if (value === 'hyp') return run.owner === Owner.hyp
      if (value === 'vm') return run.owner === Owner.vm
      if (value === 'shared') return isShared(run)
      return run.owner === Owner.unknown
    case 'vm':
      return run.guest?.handle === Number(value) || run.region.startsWith(`VM ${value} `)
    case 'region':
      return run.region === value
    default:
      return true
  }
}

export function isShared(run: Run): boolean {
  const shared = (state: number) => state === State.sharedOwned || state === State.sharedBorrowed
  return shared(run.host) || shared(run.hyp) || run.guest?.borrowed === true
}

export function ownerWords(run: Run): string {
  switch (run.owner) {
    case Owner.host:
      return 'host'
    case Owner.hyp:
      return 'hypervisor'
    case Owner.vm:
      return run.guest === null ? 'a VM' : `VM 0x${run.guest.handle.toString(16)}`
    default:
      return run.page === null ? 'nobody' : 'unknown'
  }
}
