import {
  allEvents, type Check, endingWords, errorOf, fail, firstEvent, type LessonRun, type Outcome, pageOfGuest, recorded, stateWords, vmsMade,
} from '../../checks.ts'

const SECRET_PAGE = 0x4000_1000
const OWNED = 0

/** What victim.s stores. */
const secretOf = (run: LessonRun) => run.assembled.find(({ file }) => file === 'victim.s')?.symbols['SECRET']

/** The pages that a rule fell on during the run. */
async function fallen(run: LessonRun) {
  return allEvents(run, { kind: 'violation', details: { rule: 'one-owner' } })
}

/** Donations made by hand. */
const donations = (run: LessonRun) => run.hostCalls.filter(call => call.name === '__pkvm_host_donate_guest')

/** Of the host, before anybody else could have it: pages that the hypervisor had when the run began. */
async function ofTheHypervisor(run: LessonRun, call: LessonRun['hostCalls'][number]): Promise<number | null> {
  const pfn = /pfn (0x[0-9a-f]+)/.exec(call.text)?.[1]
  if (pfn === undefined) return null
  const page = Number(pfn) * 4096
  return (await run.ownership(page, run.began)).hyp === OWNED ? page : null
}

const stolen: Check = {
  id: 'stolen',
  title: 'With the check missing, another VM reads the victim\'s secret',
  step: 'attack',
  explanations: {
    victim: 'The victim did not ring. If you have mended the hypervisor already, the machine shows whether your mend lets an honest guest run; for this step use **Reset** on hyp/guest-pages.s first.',
    'one-vm': 'There is one protected VM only. The thief is the second one: `createVm` again.',
    fresh:
      'The thief found nothing of interest: its region is memory of its own. `addMemory` takes fresh memory unless you say `from`: memory that is mapped already. The victim\'s is called `ram`.',
    empty: 'The thief never rang with a value. [The trace](lab:view/trace) shows how far `vcpu1.run()` got, and [the console](lab:view/console) what the host kernel thought of it.',
    refused:
      'The hypervisor refused: -EPERM for the second donation. That is what a sound system does. This step asks what happens **without** the check: use Reset on hyp/guest-pages.s, build, and run again.',
  },
  async test(run) {
    const [victim, thief] = await vmsMade(run, 'protected')
    if (victim === undefined || recorded(run, 'victim') !== 'mmio') return fail('victim', endingWords(run))
    const page = await pageOfGuest(run, victim, SECRET_PAGE)
    if (page === null) return fail('victim', 'the secret\'s page was never donated')
    const second = await allEvents(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest', physical: page })
    if (second.some(event => errorOf(event) === 'EPERM')) return fail('refused', second.map(event => event.text).join(', '))
    if (thief === undefined) return fail('one-vm', 'one protected VM was made')
    const loot = recorded(run, 'loot')
    if (loot === secretOf(run)) return 'pass'
    if (second.length < 2) return fail('fresh', 'the secret\'s page was donated once')
    return fail('empty', `the thief rang with ${String(loot)}`)
  },
}

const owners: Check = {
  id: 'owners',
  title: 'The rule that fell, and on whose behalf',
  step: 'rule',
  explanations: {
    sound: 'No rule has fallen in this run: a page has one owner throughout. Is the second region there, and the check still missing?',
    unanswered: 'The question of this step is not answered yet.',
    host:
      'The host gave the page away when the victim first touched it, and it has `NOPAGE` since then. Read the sentence of [the violation](lab:view/events) to its end: it names both owners.',
    hyp: 'The hypervisor did the wrong thing, but not for itself: it does not have this page. Read the sentence of [the violation](lab:view/events) to its end: it names both owners.',
  },
  async test(run) {
    const [victim] = await vmsMade(run, 'protected')
    const page = victim === undefined ? null : await pageOfGuest(run, victim, SECRET_PAGE)
    if (page === null || !(await fallen(run)).some(event => event.physical === page)) return fail('sound', 'one-owner did not fall on the secret\'s page')
    const chosen = run.answers['owners']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    return chosen === 'guests' ? 'pass' : fail(chosen === 'host' ? 'host' : 'hyp', `"${chosen}" was chosen`)
  },
}

const hand: Check = {
  id: 'hand',
  title: 'By hand: a page of the hypervisor goes to a guest',
  step: 'hand',
  explanations: {
    none: 'No `__pkvm_host_donate_guest` was made by hand in this run. Run the script, and make the calls from [the hypercall console](lab:view/hypercall) afterwards, while both VMs are there.',
    'not-loaded':
      'The hypervisor answered -EINVAL: it donates to the VM whose vCPU is **loaded** on this CPU, and none is. The host kernel puts the vCPU down at the end of each `KVM_RUN`. Call `__pkvm_vcpu_load` first.',
    other: 'A page was donated, and it was not the hypervisor\'s. Take the number of one that [the map](lab:view/map) shows as the hypervisor\'s, such as the page of `loaded_hyp_vcpu`.',
    taken: 'The guest has something at that address already, and the hypervisor looks at that. Take another gfn, such as 0x40002.',
    refused: 'The hypervisor refused with -EPERM. Right for a sound one; here the check should still be missing. Reset hyp/guest-pages.s and do it once more.',
  },
  async test(run) {
    const made = donations(run)
    if (made.length === 0) return fail('none', `${run.hostCalls.length} calls by hand`)
    for (const call of made) if (call.result === '0' && (await ofTheHypervisor(run, call)) !== null) return 'pass'
    const told = made.map(call => `${call.text} = ${call.result}`).join(', ')
    if (made.some(call => call.result === '0')) return fail('other', told)
    if (made.some(call => call.result === '-EINVAL')) return fail('not-loaded', told)
    return fail((await fallen(run)).length > 0 ? 'taken' : 'refused', told)
  },
}

const mended: Check = {
  id: 'mended',
  title: 'Mended: the victim runs, and both attacks get -EPERM',
  step: 'mend',
  explanations: {
    honest:
      'An honest guest no longer runs: the hypervisor refuses a page that the host does have, as [the console](lab:view/console) says. A check that comes after `set_page_state` sees the new owner, not the old one; and one that asks for another state than `HOST_OWNED` refuses those who may.',
    idle: 'Nothing was attacked in this run, so nothing is shown. Leave the second region in the script.',
    stolen:
      'The thief still gets the page. Is the check reached, and does its answer count? `check_page_state` puts 0 or a negative errno into x0, and changes nothing by itself. In [the list](lab:view/code) look at what happens to x0 next.',
    'forbidden-list':
      'The thief is refused, and the hypervisor\'s own page still goes to a guest. Your check asks whether a page is a *guest\'s*. There are more states than that, and more will come: do not list what is forbidden, ask for the one state that is allowed.',
    'by-hand': 'The thief is refused. Now make the calls by hand again on the mended system: the host kernel is polite, a hostile one is not.',
    fell: 'Both are refused, and a rule fell all the same. Select it in [the events](lab:view/events): it names the page and the call.',
  },
  async test(run) {
    const [victim, thief] = await vmsMade(run, 'protected')
    const page = victim === undefined ? null : await pageOfGuest(run, victim, SECRET_PAGE)
    if (recorded(run, 'victim') !== 'mmio' || page === null) return fail('honest', endingWords(run))
    const donated = await allEvents(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest', physical: page })
    if (donated.length < 2 || thief === undefined) return fail('idle', 'nobody asked for the victim\'s page a second time')
    if (!donated.some(event => errorOf(event) === 'EPERM')) return fail('stolen', stateWords(await run.ownership(page)))
    const made = donations(run)
    for (const call of made) {
      const own = await ofTheHypervisor(run, call)
      if (own !== null && call.result === '0') return fail('forbidden-list', stateWords(await run.ownership(own)))
    }
    const rule = await firstEvent(run, { kind: 'violation' })
    if (rule !== undefined) return fail('fell', rule.text)
    return made.some(call => call.result === '-EPERM') ? 'pass' : fail('by-hand', `${made.length} donations by hand`)
  },
}

export const checks: readonly Check[] = [stolen, owners, hand, mended]

export const outcomes: Readonly<Record<string, Outcome>> = {
  steal: async run => {
    const [victim] = await vmsMade(run, 'protected')
    const page = victim === undefined ? null : await pageOfGuest(run, victim, SECRET_PAGE)
    if (page === null) return null
    if (recorded(run, 'loot') === secretOf(run)) return 'reads'
    const asked = await allEvents(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest', physical: page })
    return asked.some(event => errorOf(event) === 'EPERM') ? 'refused' : null
  },
}
