import { PAGE_STATES, StateCode } from '../hyp-page.ts'
import type { GuestPage } from '../guest-leaves.ts'
import type { PageOwnership } from './log-event.ts'

const owned = StateCode.owned
const sharedOwned = StateCode.sharedOwned
const borrowed = StateCode.sharedBorrowed
const noPage = StateCode.noPage

export function handleText(handle: number): string {
  return `VM 0x${handle.toString(16)}`
}

function placeText(p: GuestPage): string {
  return `${handleText(p.handle)} gfn 0x${p.gfn.toString(16)}`
}

/** `host NOPAGE, hyp NOPAGE; donated to VM 0x1000 gfn 0x40000; VM 0x1000 gfn 0x40000: OWNED`. */
export function ownershipText(o: PageOwnership): string {
  const parts = [`host ${PAGE_STATES[o.host]}, hyp ${PAGE_STATES[o.hyp]}`]
  if (o.donatedTo !== null) parts.push(`the host's tables: donated to ${placeText(o.donatedTo)}`)
  for (const m of o.mappedBy) parts.push(`${placeText(m)}: ${PAGE_STATES[m.state]}`)
  return parts.join('; ')
}

/** What happened, as a verb phrase with the page as its subject: "donated to VM 0x1000 gfn 0x40000". */
export function changeText(before: PageOwnership, after: PageOwnership): string {
  const gained = after.mappedBy.find((m) => !before.mappedBy.some((n) => n.handle === m.handle && n.gfn === m.gfn))
  const lost = before.mappedBy.find((m) => !after.mappedBy.some((n) => n.handle === m.handle && n.gfn === m.gfn))
  const guest = after.donatedTo ?? gained
  const was = before.donatedTo ?? lost
  const host = (a: number, b: number) => before.host === a && after.host === b
  const hyp = (a: number, b: number) => before.hyp === a && after.hyp === b
  if (host(owned, noPage) && hyp(noPage, owned)) return 'donated by the host to the hypervisor'
  if (host(noPage, owned) && hyp(owned, noPage)) return 'given back to the host by the hypervisor'
  if (host(owned, noPage) && guest) return `donated by the host to ${placeText(guest)}`
  if (host(owned, sharedOwned) && hyp(noPage, borrowed)) return 'shared by the host with the hypervisor'
  if (host(sharedOwned, owned) && hyp(borrowed, noPage)) return 'no longer shared with the hypervisor'
  if (host(owned, sharedOwned) && gained) return `shared by the host with ${placeText(gained)}`
  if (host(sharedOwned, owned) && lost) return `no longer shared with ${placeText(lost)}`
  if (host(noPage, borrowed)) return `shared with the host by its owner${sharer(after)}`
  if (host(borrowed, noPage)) return `no longer shared with the host by its owner${sharer(after)}`
  if ((host(noPage, owned) || host(borrowed, owned)) && was) return `taken back by the host from ${placeText(was)}`
  if (gained && !lost) return `mapped by ${placeText(gained)}`
  if (lost && !gained) return `unmapped from ${placeText(lost)}`
  return `${ownershipText(before)} became ${ownershipText(after)}`
}

function sharer(o: PageOwnership): string {
  const guest = o.mappedBy[0] ?? o.donatedTo
  return guest ? ` ${placeText(guest)}` : ''
}

/** Does the second page of a run differ from the first only in what must differ from page to page? */
export function continues(first: PageOwnership, next: PageOwnership, distance: number): boolean {
  const follows = (a: GuestPage, b: GuestPage) => a.handle === b.handle && b.gfn === a.gfn + distance
  return (
    first.host === next.host &&
    first.hyp === next.hyp &&
    (first.donatedTo === null) === (next.donatedTo === null) &&
    (first.donatedTo === null || follows(first.donatedTo, next.donatedTo!)) &&
    first.mappedBy.length === next.mappedBy.length &&
    first.mappedBy.every((m, i) => m.state === next.mappedBy[i]!.state && follows(m, next.mappedBy[i]!))
  )
}
