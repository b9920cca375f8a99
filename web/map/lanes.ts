import { Owner, type Run, State } from './runs.ts'

/** The three lanes, top to bottom. */
export const LANES = ['host', 'hyp', 'VM'] as const

/** How a lane shows a run: its own, another's that it uses, nothing, or nobody can tell. */
export type Fill = 'solid' | 'hatch' | 'none' | 'unknown'
export type Hue = 'host' | 'hyp' | 'vm' | 'nvm'

export interface LaneFill {
  fill: Fill
  hue: Hue
}

const fillOf = (state: number): Fill =>
  state === State.owned || state === State.sharedOwned ? 'solid' : state === State.sharedBorrowed ? 'hatch' : state === State.unknown ? 'unknown' : 'none'

/** @param isProtected says which VMs are protected, by handle */
export function laneFills(run: Run, isProtected: (handle: number) => boolean): readonly [LaneFill, LaneFill, LaneFill] {
  const guest = run.guest
  return [
    { fill: fillOf(run.host), hue: 'host' },
    { fill: fillOf(run.hyp), hue: 'hyp' },
    {
      fill: guest !== null ? (guest.borrowed ? 'hatch' : 'solid') : run.owner === Owner.vm ? 'solid' : 'none',
      hue: guest !== null && !isProtected(guest.handle) ? 'nvm' : 'vm',
    },
  ]
}

/** A page whose lanes changed between two frames: it moves from the lane that had it. */
export interface Move {
  page: number
  from: number
  to: number
}

interface Snapshot {
  pages: number
  why: string | null
  host: Uint8Array
  hyp: Uint8Array
  owner: Uint8Array
  guest: readonly { page: number; borrowed: boolean }[]
}

/** More changes than this at once are a beginning, not moves to follow. */
const MOST_MOVES = 4000

/** What changed hands between two frames. */
export function movesBetween(before: Snapshot | null, after: Snapshot): Move[] {
  if (before === null || before.why !== null || after.why !== null || before.pages !== after.pages) return []
  const heldBefore = new Set(before.guest.map(entry => entry.page))
  const heldAfter = new Set(after.guest.map(entry => entry.page))
  const moves: Move[] = []
  const has = (frame: Snapshot, held: Set<number>, page: number, lane: number) =>
    lane === 0 ? (frame.host[page] ?? 3) < 3 : lane === 1 ? (frame.hyp[page] ?? 3) < 3 : held.has(page) || frame.owner[page] === Owner.vm
  const look = (page: number) => {
    const ownerBefore = before.owner[page] ?? 0
    const from = ownerBefore === Owner.unknown ? 0 : ownerBefore
    for (let lane = 0; lane < 3; lane++) {
      if (has(after, heldAfter, page, lane) && !has(before, heldBefore, page, lane)) moves.push({ page, from, to: lane })
    }
  }
  for (let page = 0; page < after.pages; page++) {
    if (before.host[page] !== after.host[page] || before.hyp[page] !== after.hyp[page] || before.owner[page] !== after.owner[page]) {
      look(page)
      if (moves.length > MOST_MOVES) return []
    }
  }
  // A page that a second VM borrows changes neither of the two states.
  const seen = new Set(moves.map(move => move.page))
  for (const page of heldAfter) if (!heldBefore.has(page) && !seen.has(page)) look(page)
  return moves
}
