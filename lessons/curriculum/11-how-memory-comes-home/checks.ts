import { type Check, endingWords, fail, firstEvent, lastEvent, type LabEvent, type LessonRun, type Outcome, pageOfGuest, recorded, stateWords, vmsMade } from '../../checks.ts'

const PRIVATE = 0x4000_1000
const DRAFT = 0x4000_3000
const WRITTEN = { private: 0x1111_1111, offer: 0x2222_2222 }

/** The call by which a page of the guest came home, and the change of ownership that it made. */
async function homecoming(run: LessonRun, guestAddress: number): Promise<{ page: number; event: LabEvent } | null> {
  const [vm] = await vmsMade(run, 'protected')
  const page = vm === undefined ? null : await pageOfGuest(run, vm, guestAddress)
  if (page === null) return null
  const event = await lastEvent(run, { kind: 'ownership', physical: page, details: { cause: /^__pkvm_reclaim_dying_guest_page/ } })
  return event === undefined ? null : { page, event }
}

const home: Check = {
  id: 'home',
  title: 'The VM is over, and the guest\'s pages are the host\'s again',
  step: 'close',
  explanations: {
    'no-guest': 'No protected VM ran. The trace tells which call failed, and why.',
    alive:
      'The hypervisor still has the VM. Closing one descriptor takes away one of the reasons why it is there: a VM needs its own, each of its vCPUs has one that needs the VM, and so does the mapping of a `kvm_run` page. The last to go ends it.',
    away: 'The VM is gone and a page is not back. See the page\'s history.',
  },
  async test(run) {
    const [vm] = await vmsMade(run, 'protected')
    if (vm === undefined) return fail('no-guest', endingWords(run))
    const over = await firstEvent(run, { kind: 'vm', vm, text: 'destroyed' })
    if (over === undefined) return fail('alive', `VM 0x${vm.toString(16)} was not destroyed`)
    const page = await pageOfGuest(run, vm, PRIVATE)
    if (page === null) return fail('no-guest', 'the guest never got its page')
    const state = await run.ownership(page)
    return state.host === 0 ? 'pass' : fail('away', stateWords(state))
  },
}

const order: Check = {
  id: 'order',
  title: 'The call that brought PRIVATE home',
  step: 'stages',
  explanations: {
    unanswered: 'The question at the end of the step is not answered yet.',
    start:
      'That call changes no page. It marks the VM as dying, and that is all that it does. See what happened to the page next.',
    finalize:
      'It comes last and cleans up most, and it does give pages back: those of the VM\'s structure, its vCPU and its tables. PRIVATE had come home before. See the cause in the ownership event of that page.',
  },
  async test(run) {
    const given = run.answers['order']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    return given === 'reclaim' ? 'pass' : fail(given, `"${given}" was chosen`)
  },
}

const looked: Check = {
  id: 'looked',
  title: 'The host looked at PRIVATE when it had come home, and found zeros',
  step: 'zeroed',
  explanations: {
    unread: 'The script has no answer for `closed: PRIVATE`. It gets it from `look(\'closed\')`.',
    early: 'The script looked and could not read the page: the VM was not over yet. Look once it is.',
    dirty: 'The host found something in PRIVATE. If the guest of this lesson wrote it, that is worth a report; if your script did, look before you write.',
  },
  async test(run) {
    const word = recorded(run, 'closed: PRIVATE')
    if (word === undefined) return fail('unread', endingWords(run))
    if (typeof word !== 'number') return fail('early', `reading PRIVATE gave ${String(word)}`)
    return word === 0 ? 'pass' : fail('dirty', `the word was 0x${word.toString(16)}`)
  },
}

const tidy: Check = {
  id: 'tidy',
  title: 'DRAFT came home as the guest\'s alone, zeroed by EL2',
  step: 'tidy',
  explanations: {
    'not-shared': 'DRAFT was never shared in this run. The host needs it for a while: share it, ring, and take it back after that.',
    'not-home': 'DRAFT did not come home in this run. First see to it that the VM ends.',
    left: 'The page was still shared when the VM ended, so EL2 gave it back as it was. If the guest called `MEM_UNSHARE`, was it for this page, and before it switched itself off? The events tell.',
    wiped:
      'The guest overwrote its word, and the word is gone. The page was still shared, though: EL2 gave it back unseen, with whatever was in the other 4092 bytes. For one number that is enough. For a page full of them you would have to wipe it all, and a host that looks in between sees each of them.',
    dirty: 'The page came home as a private one, and there is something in it.',
  },
  async test(run) {
    const shared = await firstEvent(run, { kind: 'guest-hypercall', call: 'MEM_SHARE', text: /ipa 0x40003000.* = 0x0/ })
    if (shared === undefined) return fail('not-shared', 'there is no MEM_SHARE of 0x40003000')
    const back = await homecoming(run, DRAFT)
    if (back === null) return fail('not-home', 'no reclaim of the page in the events')
    const before = back.event.change?.before
    const word = recorded(run, 'closed: DRAFT')
    if (before === undefined || before.host === 2) return fail(word === 0 ? 'wiped' : 'left', before === undefined ? 'unknown before' : `before it came home: ${stateWords(before)}`)
    return word === 0 ? 'pass' : fail('dirty', `the word was ${String(word)}`)
  },
}

export const checks: readonly Check[] = [home, order, looked, tidy]

/** What the host found in a page once the VM was over. */
function found(name: 'private' | 'offer'): Outcome {
  return async run => {
    const word = recorded(run, `closed: ${name.toUpperCase()}`)
    if ((await home.test(run)) !== 'pass') return null
    return word === 0 ? 'zero' : word === WRITTEN[name] ? 'kept' : null
  }
}

export const outcomes: Readonly<Record<string, Outcome>> = {
  off: async run => {
    const word = recorded(run, 'switched off: PRIVATE')
    return word === undefined ? null : word === 'SEGV_ACCERR' ? 'none' : 'private'
  },
  private: found('private'),
  offer: found('offer'),
}
