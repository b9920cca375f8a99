import { type Check, endingWords, fail, firstEvent, type LessonRun, type Outcome, recorded, stateWords } from '../../checks.ts'

const OWNED = 0
const NOPAGE = 3
/** Of a page's history the newest. */
const NOW = Number.MAX_SAFE_INTEGER

/** The first page that the host asked back, a private one. */
async function page(run: LessonRun): Promise<number | null> {
  const asked = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_reclaim_dying_guest_page' })
  const gfn = asked?.details['gfn']
  if (gfn === undefined) return null
  const given = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest', details: { gfn } })
  return given?.physical ?? null
}

const rule = (run: LessonRun) => firstEvent(run, { kind: 'violation' })

const leftTheGuest: Check = {
  id: 'left-the-guest',
  title: 'The guest loses the page',
  step: 'take',
  explanations: {
    'no-teardown': 'The host never asked for a page back. [The console](lab:view/console) and [the trace](lab:view/trace) show how far the run got.',
    'not-yet':
      'The host asked for the page and was told 0, and nothing has changed for it: the annotation in its stage 2 still names the VM. Each of the four steps is one call; the host\'s part is the last two.',
    'still-mapped':
      'The page went to the host, and the guest\'s stage 2 still leads to it: two owners. The vCPUs of a dying VM do not run, but `take_guest_page` also serves `__pkvm_force_reclaim_guest_page`, where the VM lives and would write to a page that the host uses for something else.',
  },
  async test(run) {
    const at = await page(run)
    if (at === null) return fail('no-teardown', endingWords(run))
    const state = await run.ownership(at, NOW)
    if (state.host === NOPAGE && state.donatedTo !== null) return fail('not-yet', stateWords(state))
    return state.mappedBy.length > 0 ? fail('still-mapped', stateWords(state)) : 'pass'
  },
}

const home: Check = {
  id: 'home',
  title: 'Record and host\'s stage 2 give the page to the host',
  step: 'take',
  explanations: {
    first: 'First the guest has to lose the page.',
    record:
      'The annotation is gone, so the host\'s next touch maps the page; but its record still says `NOPAGE` for the host. It would be nobody\'s: neither to lend nor to donate again, and the next VM that gets it from the host is refused.',
    annotation:
      'The record says that the page is the host\'s, and in the host\'s stage 2 the annotation still names the VM. What EL2 does with an abort of the host it decides by this entry [host_stage2_idmap, mini]: the host faults on a page that is its own.',
  },
  async test(run) {
    const at = await page(run)
    if (at === null || (await leftTheGuest.test(run)) !== 'pass') return fail('first', endingWords(run))
    const state = await run.ownership(at, NOW)
    if (state.host !== OWNED) return fail('record', stateWords(state))
    return state.donatedTo === null ? 'pass' : fail('annotation', stateWords(state))
  },
}

const zeroed: Check = {
  id: 'zeroed',
  title: 'Private pages come home zeroed, and the host reads zero where the secret was',
  step: 'take',
  explanations: {
    first: 'First the page has to come home.',
    secret:
      'The page came home with what was on it: the host has only to read. All that pKVM did for this guest while it lived was in vain. `hyp_poison_page` fills a page with zeros; who may still reach it at that moment?',
    fell: 'A rule of the lab\'s checker fell. Select it in [the events](lab:view/events): it names the page and the call.',
    read: 'The host does not read zero where the secret was.',
  },
  async test(run) {
    if ((await home.test(run)) !== 'pass') return fail('first', endingWords(run))
    const fell = await rule(run)
    if (fell !== undefined) return fail(fell.details['rule'] === 'freed-is-zero' ? 'secret' : 'fell', fell.text)
    const found = recorded(run, 'secret')
    return found === 0n ? 'pass' : fail('read', `the host's load gave ${String(found)}`)
  },
}

const gone: Check = {
  id: 'gone',
  title: 'The VM is gone, and all its pages are the host\'s',
  step: 'calls',
  explanations: {
    finalize: '`__pkvm_finalize_teardown_vm` did not give 0. This hypervisor counts a guest\'s pages, and refuses to forget a VM that still has some: did the count at the end of `take_guest_page` stay?',
  },
  async test(run) {
    const last = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_finalize_teardown_vm' })
    return last?.details['result'] === '0' ? 'pass' : fail('finalize', last?.text ?? endingWords(run))
  },
}

const order: Check = {
  id: 'order',
  title: 'Why the guest loses the page before it is zeroed',
  step: 'between',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    nothing:
      'The lock makes one *call* wait for another. A store by the guest is no call: the processor finds the mapping in the guest\'s stage 2, or in its TLB, and writes. EL2 is not asked.',
    host: 'The host has no mapping at that moment: its touch ends at EL2, and waits for the lock. Who still has one?',
  },
  async test(run) {
    const chosen = run.answers['order']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    return chosen === 'guest' ? 'pass' : fail(chosen === 'host' ? 'host' : 'nothing', `"${chosen}" was chosen`)
  },
}

export const checks: readonly Check[] = [leftTheGuest, home, zeroed, gone, order]

export const outcomes: Readonly<Record<string, Outcome>> = {
  lent: async run => {
    const message = recorded(run, 'message')
    return message === 0x600dn ? 'kept' : message === 0n ? 'zeroed' : null
  },
}
