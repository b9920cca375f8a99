import { type Check, endingWords, fail, firstEvent, type LabEvent, type LessonRun, type Outcome, recorded, stateWords } from '../../checks.ts'

const OWNED = 0
const SHARED_OWNED = 1
const BORROWED = 2
const NOPAGE = 3
const PAGE = 0x4000_1000

/** The donation of the page that the guest lends. */
async function pageLent(run: LessonRun): Promise<number | null> {
  const gfn = new RegExp(`^0x${(PAGE / 4096).toString(16)}$`)
  const event = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest', details: { gfn } })
  return event?.physical ?? null
}

/** The guest's first call of that name, and when the guest went on: a call that EL2 answers is over before the next switch. */
async function guestCall(run: LessonRun, call: string): Promise<{ event: LabEvent; until: number } | null> {
  const events = await run.events()
  const event = events.find(one => one.kind === 'guest-hypercall' && one.text.includes(call))
  if (event === undefined) return null
  const next = events.find(one => one.kind === 'abort' && one.instructions > event.instructions)
  return { event, until: next === undefined ? Number.MAX_SAFE_INTEGER : next.instructions }
}

const rule = (run: LessonRun) => firstEvent(run, { kind: 'violation' })

/** What the guest told of a call: 0 is success. */
const told = (run: LessonRun, name: string) => String(recorded(run, name) ?? 'nothing')

const lent: Check = {
  id: 'lent',
  title: 'The guest lends a page: record, guest\'s entry and host\'s stage 2 say so',
  step: 'share',
  explanations: {
    'no-guest': 'The guest never came to its call. [The console](lab:view/console) and [the trace](lab:view/trace) show how far it got.',
    'not-yet':
      'The guest got -3: the hypervisor refuses. Behind the three changes x0 must be 0; the line that puts -EPERM there has to go.',
    record:
      'The host was let in, and the record still says `GUEST_OWNED`: the guest\'s alone, `NOPAGE` for the host. All later checks ask the record. The guest could not take the page back (it is not lent, says the record), and a teardown would treat as private what the host could read all along.',
    entry:
      'The guest\'s own entry still says `OWNED`: bits 56:55 are 0. The record says that the host has borrowed the page, and nobody says that it has lent it. When the guest wants the page back, `guest_page_in_state` looks at these bits.',
    host:
      'Record and guest say that the page is lent, and the host\'s stage 2 still has the annotation: the host that touches the page gets an abort, for EL2 decides that by the table [host_stage2_idmap, mini].',
    other: 'The page is lent, and what the host reads or what the guest reads back is not what the other has written. Is it the *page* that the entries lead to?',
  },
  async test(run) {
    const page = await pageLent(run)
    const call = await guestCall(run, 'MEM_SHARE')
    if (page === null || call === null) return fail('no-guest', endingWords(run))
    const state = await run.ownership(page, call.until)
    const entry = state.mappedBy[0]?.state
    const seen = `${stateWords(state)}; the guest got ${told(run, 'share')}, the host's load gave ${told(run, 'lent')}`
    if (state.host === NOPAGE && entry === OWNED) return fail('not-yet', seen)
    if (state.host !== BORROWED) return fail('record', seen)
    if (entry !== SHARED_OWNED) return fail('entry', seen)
    if (recorded(run, 'lent') === 'SEGV_ACCERR' || state.donatedTo !== null) return fail('host', seen)
    return recorded(run, 'lent') === 0x600d_600d && recorded(run, 'reply') === 0xcafen ? 'pass' : fail('other', `${seen}; the guest read ${told(run, 'reply')}`)
  },
}

const takenBack: Check = {
  id: 'taken-back',
  title: 'The guest takes it back: the page is private again, and the host faults',
  step: 'unshare',
  explanations: {
    first: 'First lend a page: the check above has not passed yet.',
    'not-yet': 'MEM_UNSHARE gives -3: the second gap still refuses. Behind the changes x0 must be 0.',
    host:
      'The guest believes that the page is its own again, and the host\'s stage 2 still maps it: the host reads everything that the guest writes from now on. The lab stopped the machine for that. The host\'s entry must become what it was before the page was lent.',
    zero:
      'The host\'s entry is zero now, and zero means "the host\'s, not used yet". At the next touch EL2 maps the page for the host again, for this entry is what it decides by [host_stage2_idmap, mini]. What was there before the page was lent?',
    entry: 'The host has lost the page, and the guest\'s entry still says `SHARED_OWNED`. A rule fell: lent, and nobody has borrowed it.',
    record: 'The page\'s record still says that the host has borrowed it. For the next one who asks it is lent.',
    read: 'The guest\'s call succeeded, and the host still reads the page.',
  },
  async test(run) {
    const page = await pageLent(run)
    const call = await guestCall(run, 'MEM_UNSHARE')
    if (page === null || call === null || (await lent.test(run)) !== 'pass') return fail('first', `MEM_SHARE gave ${told(run, 'share')}`)
    const state = await run.ownership(page, call.until)
    const entry = state.mappedBy[0]?.state
    const fell = await rule(run)
    const seen = fell === undefined ? `${stateWords(state)}; the guest got ${told(run, 'unshare')}, the host's load gave ${told(run, 'back')}` : fell.text
    if (state.host === BORROWED && entry === SHARED_OWNED && state.donatedTo === null) return fail('not-yet', seen)
    if (state.host !== NOPAGE) return fail('record', seen)
    if (entry !== OWNED) return fail('entry', seen)
    if (state.donatedTo === null) return fail(/stage 2 lets/.test(fell?.text ?? '') ? 'host' : 'zero', seen)
    return recorded(run, 'back') === 'SEGV_ACCERR' ? 'pass' : fail('read', seen)
  },
}

const once: Check = {
  id: 'once',
  title: 'Taking back what is not lent is refused, and every rule holds',
  step: 'look',
  explanations: {
    accepted: 'The guest took the page back a second time, and the hypervisor agreed: the check of the state, above the gap, no longer decides.',
    fell: 'A rule of the lab\'s checker fell. Select it in [the events](lab:view/events): it names the page and the call.',
    early: 'The guest did not come to its last call. The checks above tell why.',
  },
  async test(run) {
    const fell = await rule(run)
    if (fell !== undefined) return fail('fell', fell.text)
    const again = recorded(run, 'again')
    if (typeof again !== 'bigint') return fail('early', told(run, 'again'))
    return again === 0n ? fail('accepted', 'the second MEM_UNSHARE gave 0') : 'pass'
  },
}

export const checks: readonly Check[] = [lent, takenBack, once]

export const outcomes: Readonly<Record<string, Outcome>> = {
  twice: async run => {
    const again = recorded(run, 'again')
    if (typeof again !== 'bigint' || (await takenBack.test(run)) !== 'pass') return null
    return again === 0n ? 'fine' : 'refused'
  },
}
