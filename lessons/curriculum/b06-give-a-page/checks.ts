import { type Check, callOf, endingWords, errorOf, fail, firstEvent, type LabEvent, type LessonRun, type Outcome, recorded, stateWords } from '../../checks.ts'

/** Of a page's history the newest; without a moment the tables are summed up, and a table that lacks something does not show. */
const NOW = Number.MAX_SAFE_INTEGER
const NOPAGE = 3
const CALL = '__pkvm_host_donate_guest'

/** The first donation that the hypervisor agreed to. */
async function donation(run: LessonRun): Promise<{ event: LabEvent; page: number } | null> {
  const event = (await run.events()).find(one => callOf(one) === CALL && one.details['result'] === '0')
  return event?.physical === undefined ? null : { event, page: event.physical }
}

/** The last entry of the host's walk to a page, as far as the walk says. */
async function hostEntry(run: LessonRun, page: number): Promise<string> {
  const { hostWalk } = await run.page(page)
  return hostWalk.known ? hostWalk.value.result : hostWalk.why
}

const given: Check = {
  id: 'given',
  title: 'The hypervisor agrees to a donation',
  step: 'places',
  explanations: {
    'not-asked': 'The host never asked for a donation: it did not come so far. [The console](lab:view/console) shows where it is.',
    'not-yet':
      'The hypervisor was asked, and answered -EPERM with all its checks passed: that is the line below the second gap. Once the three places are written, it has to go; otherwise what stands behind it never runs.',
    refused: 'The hypervisor refused with an error of its own checks. They stand above the gap: did one of them change?',
  },
  async test(run) {
    if ((await donation(run)) !== null) return 'pass'
    const asked = await firstEvent(run, { kind: 'hypercall', call: CALL })
    if (asked === undefined) return fail('not-asked', endingWords(run))
    return fail(errorOf(asked) === 'EPERM' ? 'not-yet' : 'refused', asked.text)
  },
}

const recordedState: Check = {
  id: 'recorded',
  title: 'The record says that the host no longer has the page',
  step: 'places',
  explanations: {
    none: 'There is no donation to look at yet.',
    unchanged:
      'The tables changed, and the record still says that the page is the host\'s. Every later check asks the record, not the tables: the host could donate the same page to a second VM, and would be believed. The lab\'s rules compare the two, and one fell.',
    other: 'The record was changed, and not to `GUEST_OWNED`: for a donated page the host has `NOPAGE`, and the hypervisor too.',
  },
  async test(run) {
    const made = await donation(run)
    if (made === null) return fail('none', 'nothing was donated')
    const state = await run.ownership(made.page, NOW)
    if (state.host === NOPAGE && state.hyp === NOPAGE) return 'pass'
    return fail(state.host === 0 ? 'unchanged' : 'other', stateWords(state))
  },
}

const annotated: Check = {
  id: 'annotated',
  title: 'The host\'s stage 2 names the VM and its page number',
  step: 'annotate',
  explanations: {
    none: 'There is no donation to look at yet.',
    zero:
      'The page left the host\'s stage 2, and a zero took its place. Zero means "not used yet": the next time the host touches the page, EL2 maps it again, for it decides by this entry alone [host_stage2_idmap, mini]. `guest_annotation` has to give an entry that names the owner.',
    'still-mapped':
      'The record says that the guest has the page, and the host\'s stage 2 still maps it: the host reads and writes on. The annotation must get there, by `host_stage2_set_page`.',
    misplaced:
      'There is an annotation, and it names another VM or another page number than the donation was for. Compare [the inspector](lab:view/page)\'s walk with the table of bits: the handle begins at bit 4, the gfn at bit 20.',
  },
  async test(run) {
    const made = await donation(run)
    if (made === null) return fail('none', 'nothing was donated')
    const { donatedTo } = await run.ownership(made.page, NOW)
    const gfn = Number(made.event.details['gfn'])
    if (donatedTo !== null && donatedTo.handle === made.event.vm && donatedTo.gfn === gfn) return 'pass'
    const entry = await hostEntry(run, made.page)
    return fail(donatedTo !== null ? 'misplaced' : /not mapped|nothing|zero|no entry/i.test(entry) ? 'zero' : 'still-mapped', `the host's stage 2: ${entry}`)
  },
}

const mapped: Check = {
  id: 'mapped',
  title: 'The guest has the page, and runs',
  step: 'places',
  explanations: {
    none: 'There is no donation to look at yet.',
    nowhere:
      'The host has lost the page and the guest has not got it: it belongs to a VM that cannot reach it. The guest touches its address again, aborts again, and the host, which believes that the page is there, sends it back. Write the entry at the address in x22.',
    other: 'The guest\'s entry is there, and it did not ring. Is it the *page* that the entry leads to, and are all bits of `PAGE_S2` in it?',
  },
  async test(run) {
    const made = await donation(run)
    if (made === null) return fail('none', 'nothing was donated')
    const state = await run.ownership(made.page, NOW)
    if (state.mappedBy.length === 0) return fail('nowhere', `${stateWords(state)}; KVM_RUN: ${String(recorded(run, 'ran'))}`)
    return recorded(run, 'ran') === 'mmio' ? 'pass' : fail('other', `KVM_RUN: ${String(recorded(run, 'ran'))}`)
  },
}

const outOfReach: Check = {
  id: 'out-of-reach',
  title: 'The host that touches the page gets SIGSEGV, and every rule holds',
  step: 'look',
  explanations: {
    read: 'The host read the page of a protected guest. Show the page in [the inspector](lab:view/page): who does the host\'s stage 2 say it belongs to?',
    fell: 'A rule of the lab\'s checker fell. Select it in [the events](lab:view/events): it names the page and the call.',
  },
  async test(run) {
    const rule = await firstEvent(run, { kind: 'violation' })
    if (rule !== undefined) return fail('fell', rule.text)
    const peek = recorded(run, 'peek')
    return peek === 'SEGV_ACCERR' ? 'pass' : fail('read', `the host's load gave ${String(peek)}`)
  },
}

export const checks: readonly Check[] = [given, recordedState, annotated, mapped, outOfReach]

export const outcomes: Readonly<Record<string, Outcome>> = {
  touch: async run => {
    const made = await donation(run)
    if (made === null) return null
    const { donatedTo } = await run.ownership(made.page, NOW)
    return donatedTo === null ? null : 'owner'
  },
}
