import type { OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import { count } from '../format.ts'
import { fallenWords, useFallen } from '../inspector/fallen-store.ts'
import type { Piece } from './folding.ts'
import { ownerWords, PAGE_BYTES, STATE_NAMES } from './runs.ts'

export interface Description {
  title: string
  /** Label and value. */
  lines: [string, string][]
}

const hex = (n: number) => `0x${n.toString(16)}`

/** A page or fold in words, for the tooltip and for screen readers. */
export function describe(frame: OwnershipFrame, piece: Piece, page: number, guestSpace: boolean): Description {
  const { run } = piece
  const fold = piece.kind === 'fold'
  const offset = (fold ? piece.start : page) - run.start
  const physical = run.page === null ? null : frame.ramBase + (run.page + offset) * PAGE_BYTES
  const title = guestSpace ? `IPA ${hex((run.start + offset) * PAGE_BYTES)}` : hex(physical ?? 0)
  const lines: [string, string][] = []
  if (fold) lines.push(['pages', `${count(piece.count)}, folded`])
  else if (physical !== null) lines.push(['pfn', hex(physical / PAGE_BYTES)])
  if (guestSpace && physical !== null) lines.push(['physical', hex(physical)])
  if (run.page === null) lines.push(['guest', 'maps nothing here'])
  else {
    lines.push(['owner', ownerWords(run)])
    lines.push(['host', STATE_NAMES[run.host] ?? ''], ['hypervisor', STATE_NAMES[run.hyp] ?? ''])
    if (run.guest !== null) {
      lines.push(['guest', `VM ${hex(run.guest.handle)} ${run.guest.borrowed ? 'borrows' : 'owns'} it${fold ? '' : `, gfn ${hex(guestPage(frame, run.page + offset, run.guest.handle) ?? run.guest.gfn)}`}`])
    }
  }
  if (run.region !== '' && run.page !== null) lines.push(['use', run.region])
  const fallen = physical === null || fold ? undefined : useFallen.getState().byPage.get(physical)
  if (fallen !== undefined) lines.push(['does not hold', fallenWords(fallen)])
  return { title, lines }
}

function guestPage(frame: OwnershipFrame, page: number, handle: number): number | undefined {
  return frame.guest.find(entry => entry.page === page && entry.handle === handle)?.gfn
}

export function sentenceOf(description: Description): string {
  return `${description.title}. ${description.lines.map(([label, value]) => `${label}: ${value}`).join(', ')}.`
}
