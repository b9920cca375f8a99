import type { GuestLeaf } from '../guest-leaves.ts'
import { StateCode } from '../hyp-page.ts'
import type { PageFacts } from './page-facts.ts'

/**
 * What must hold of every page whenever the hypervisor hands the processor back. These are the lab's rules, not the
 * kernel's code: they say what pKVM promises, and are asked of any system that keeps its record of pages.
 */
export const RULES = {
  'one-owner': 'Every page has exactly one owner.',
  'borrowed-is-shared': 'Borrowed means that someone shares it with you, and shared that someone borrows it.',
  'tables-agree': 'The record of pages, the host\'s stage 2, the hypervisor\'s stage 1 and the guests\' stage 2 tell the same.',
  'host-kept-out': 'No page of the hypervisor or private page of a protected guest is within the host\'s reach.',
  'freed-is-zero': 'A private page is zero when it leaves its owner.',
} as const
export type Rule = keyof typeof RULES

export interface Broken {
  readonly rule: Rule
  /** What is so, one sentence without the page's address. */
  readonly text: string
}

/** What the rules need to know of the system besides the page. */
export interface Setting {
  /** Whether the VM of this handle is a protected one; undefined when it is not known (reserved, or gone). */
  isProtected(handle: number): boolean | undefined
  /** Pages that the host may read and execute though the hypervisor owns them: its text. */
  mayHostRead(physical: number): boolean
  /** Pages of the kernel's image that the hypervisor reads and nobody writes: its view of them is no claim. */
  mayHypRead(physical: number): boolean
}

const owns = (state: number) => state === StateCode.owned || state === StateCode.sharedOwned
const NAMES = ['OWNED', 'SHARED_OWNED', 'SHARED_BORROWED', 'NOPAGE', 'an unknown state']
const name = (state: number) => NAMES[state] ?? NAMES[4]!
const vm = (leaf: { handle: number; gfn: number }) => `VM 0x${leaf.handle.toString(16)} (gfn 0x${leaf.gfn.toString(16)})`

/** @returns the rules that a page breaks; none for a sound one. */
export function judge(page: PageFacts, setting: Setting): Broken[] {
  const broken: Broken[] = []
  const add = (rule: Rule, text: string) => broken.push({ rule, text })
  if (page.host === StateCode.unknown || page.hyp === StateCode.unknown) {
    add('tables-agree', 'its record holds a state that does not exist')
    return broken
  }
  owners(page, add)
  shares(page, add)
  hostTables(page, setting, add)
  hypTables(page, setting, add)
  guestTables(page, setting, add)
  return broken
}

type Add = (rule: Rule, text: string) => void

function owners(page: PageFacts, add: Add): void {
  const claims = [
    ...(owns(page.host) ? ['the host'] : []),
    ...(owns(page.hyp) ? ['the hypervisor'] : []),
    ...page.guests.filter((leaf) => owns(leaf.state)).map(vm),
  ]
  if (claims.length > 1) add('one-owner', `it has ${claims.length} owners: ${claims.join(' and ')}`)
  if (claims.length > 0) return
  // A donation is one call, and so is the way back: the host's annotation never stands alone for an owner. It does after
  // __pkvm_finalize_teardown_vm of a VM whose pages were not asked back. Linux's host always asks; by hand it can be had on
  // 7.2 and 7.3, whose hypervisor does not look: such pages are lost until reset.
  const { hostEntry } = page
  const given = hostEntry.kind === 'donated' && hostEntry.owner === 'vm' ? `, though the host's stage 2 says it was given to ${vm(hostEntry)}` : ''
  add('one-owner', `nobody owns it: the host has ${name(page.host)}, the hypervisor ${name(page.hyp)}, and no VM has it${given}`)
}

function shares(page: PageFacts, add: Add): void {
  const { host, hyp, guests } = page
  const sharing = guests.filter((leaf) => leaf.state === StateCode.sharedOwned)
  const borrowing = guests.filter((leaf) => leaf.state === StateCode.sharedBorrowed)
  if (host === StateCode.sharedBorrowed && hyp !== StateCode.sharedOwned && sharing.length === 0) {
    add('borrowed-is-shared', 'the host borrows it and nobody shares it')
  }
  if (hyp === StateCode.sharedBorrowed && host !== StateCode.sharedOwned && sharing.length === 0) {
    add('borrowed-is-shared', `the hypervisor borrows it and nobody shares it: the host has ${name(host)}`)
  }
  for (const leaf of borrowing) {
    if (host !== StateCode.sharedOwned) add('borrowed-is-shared', `${vm(leaf)} borrows it and the host does not share it: it has ${name(host)}`)
  }
  if (host === StateCode.sharedOwned && hyp !== StateCode.sharedBorrowed && borrowing.length === 0) {
    add('borrowed-is-shared', 'the host shares it and nobody borrows it')
  }
  for (const leaf of sharing) {
    if (host !== StateCode.sharedBorrowed && hyp !== StateCode.sharedBorrowed) {
      add('borrowed-is-shared', `${vm(leaf)} shares it and nobody borrows it`)
    }
  }
  if (page.shareCount !== null && page.shareCount !== borrowing.length) {
    add('tables-agree', `its record counts ${page.shareCount} normal guests that borrow it, and ${borrowing.length} map it`)
  }
}

function hostTables(page: PageFacts, setting: Setting, add: Add): void {
  const { host, hyp, hostAccess, hostEntry } = page
  const reach = hostAccess.write ? 'write' : hostAccess.read ? 'read' : null
  if (host === StateCode.noPage && reach !== null && !(reach === 'read' && setting.mayHostRead(page.physical))) {
    const whose = owns(hyp) ? 'the hypervisor\'s' : 'a guest\'s'
    add('host-kept-out', `it is ${whose}, and the host's stage 2 lets the host ${reach} it`)
  }
  if (host !== StateCode.noPage && hostEntry.kind === 'donated' && hostEntry.owner !== 'host') {
    const to = hostEntry.owner === 'vm' ? vm(hostEntry) : 'the hypervisor'
    add('tables-agree', `the host's stage 2 says it was given to ${to}, its record that the host has ${name(host)}`)
  }
  if (hostEntry.kind === 'unknown') add('tables-agree', `the host's entry for it, 0x${hostEntry.raw.toString(16)}, means nothing`)
  if (host === StateCode.noPage && hostEntry.kind === 'none' && reach === null && !owns(hyp)) {
    add('tables-agree', 'the host does not have it and its stage 2 names no new owner: the next access would map it again')
  }
  if (hostEntry.kind === 'donated' && hostEntry.owner === 'hyp' && !owns(hyp)) {
    add('tables-agree', `the host's stage 2 says the hypervisor has it, its record ${name(hyp)}`)
  }
  if (hostEntry.kind === 'donated' && hostEntry.owner === 'vm') {
    const { handle, gfn } = hostEntry
    const other = page.guests.find((leaf) => owns(leaf.state) && (leaf.handle !== handle || leaf.gfn !== gfn))
    if (other !== undefined) add('tables-agree', `the host's stage 2 says it was given to ${vm(hostEntry)}, and ${vm(other)} has it`)
  }
}

function hypTables(page: PageFacts, setting: Setting, add: Add): void {
  const { hyp, hypAccess } = page
  if (hyp === StateCode.noPage && hypAccess.read && (hypAccess.write || !setting.mayHypRead(page.physical))) {
    add('tables-agree', 'the hypervisor\'s stage 1 maps it, and its record says that the hypervisor does not have it')
  }
  // What the hypervisor borrows it maps when it needs it, and not before.
  if (owns(hyp) && !hypAccess.read) add('tables-agree', `the hypervisor has ${name(hyp)} of it, and its stage 1 does not map it`)
}

function guestTables(page: PageFacts, setting: Setting, add: Add): void {
  for (const leaf of page.guests) guestLeaf(leaf, setting, add)
}

function guestLeaf(leaf: GuestLeaf, setting: Setting, add: Add): void {
  const isProtected = setting.isProtected(leaf.handle)
  if (leaf.state === StateCode.unknown || leaf.state === StateCode.noPage) {
    add('tables-agree', `the entry of ${vm(leaf)} that maps it has no state`)
  }
  if (isProtected === false && owns(leaf.state)) add('tables-agree', `${vm(leaf)} is a normal VM and its entry says that it owns the page`)
  if (isProtected === true && leaf.state === StateCode.sharedBorrowed) {
    add('tables-agree', `${vm(leaf)} is a protected VM and borrows a page of the host`)
  }
}
