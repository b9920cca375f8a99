import { allEvents, type Check, endingWords, fail, firstEvent, type LessonRun, type Outcome, pageOfGuest, recorded, vmsMade } from '../../checks.ts'

const PRIVATE_PAGE = 0x4000_1000
const LENT_PAGE = 0x4000_2000

const secretOf = (run: LessonRun) => run.assembled.find(({ file }) => file === 'guest.s')?.symbols['SECRET']

/** The pages that the guest has, by their guest addresses. */
async function pages(run: LessonRun): Promise<readonly (number | null)[]> {
  const [vm] = await vmsMade(run, 'protected')
  return vm === undefined ? [null, null] : Promise.all([PRIVATE_PAGE, LENT_PAGE].map(address => pageOfGuest(run, vm, address)))
}

/** Rules that fell because of a translation that the TLB still had. */
const stale = (run: LessonRun) => allEvents(run, { kind: 'violation', text: 'TLB', details: { rule: 'host-kept-out' } })

const rang = (run: LessonRun) => ['first', 'second', 'third'].every(name => recorded(run, name) === 'mmio')
const looked = (run: LessonRun) => ['private', 'returned'].every(name => recorded(run, name) !== undefined)

const read: Check = {
  id: 'read',
  title: 'Without the invalidation the host reads both secrets',
  step: 'attack',
  explanations: {
    'no-guest': 'The guest did not ring three times. [The console](lab:view/console) and [the trace](lab:view/trace) show how far it came.',
    'not-looked': 'The host has not looked at both pages yet: nothing is recorded under `private`, or under `returned`.',
    early:
      'The host found no secret, because there was none yet: the page was still its own. Each `vcpu.run()` lasts until the next ring; look after the ring that you mean.',
    refused: 'The host took an abort. A sound hypervisor does that; this step asks what happens **without** the invalidation. Reset hyp/host-stage2.s, build, run again.',
  },
  async test(run) {
    if (!rang(run)) return fail('no-guest', endingWords(run))
    if (!looked(run)) return fail('not-looked', ['private', 'returned'].filter(name => recorded(run, name) === undefined).join(', '))
    const found = [recorded(run, 'private'), recorded(run, 'returned')]
    if (found.every(word => word === secretOf(run))) return 'pass'
    return fail(found.includes(null) ? 'refused' : 'early', `private ${String(found[0])}, returned ${String(found[1])}`)
  },
}

const cause: Check = {
  id: 'cause',
  title: 'What let the host in',
  step: 'rule',
  explanations: {
    sound: 'No rule fell in this run. Is the invalidation still missing?',
    unanswered: 'The question of this step is not answered yet.',
    table: 'Select the page in [the inspector](lab:view/page): the host\'s stage 2 names the guest as the owner, and the entry is not valid. A walk would have ended in a fault. There was no walk.',
    record: 'The record is right: `NOPAGE` for the host. But no load asks the record; it is there for the hypervisor\'s decisions. What does a load go through?',
  },
  async test(run) {
    if ((await stale(run)).length === 0) return fail('sound', 'host-kept-out did not fall')
    const chosen = run.answers['cause']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    return chosen === 'tlb' ? 'pass' : fail(chosen === 'table' ? 'table' : 'record', `"${chosen}" was chosen`)
  },
}

const mended: Check = {
  id: 'mended',
  title: 'Mended: the host faults on both pages, and may still read what was lent',
  step: 'mend',
  explanations: {
    honest: 'The guest does not get through its three rings any more, or the host cannot read what the guest lent it. [The console](lab:view/console) says what stopped it.',
    idle: 'The host has not looked at both pages, so nothing is shown. Leave the two lines in the script.',
    taken:
      'The host still reads the page that it gave away: its old translation is in the TLB. A barrier does not remove it, `dsb` makes *walks* see the new entry. EL2\'s own translations are others: this one is of the host at EL1 and EL0, under its VMID. And it is when an entry goes that the old one is in use somewhere; when one appears, nobody can have kept what was not there.',
    'one-way':
      'You tell the TLB when the host donates, and not when a guest takes back what it lent. Any change that takes an entry away leaves the old one with the CPU, whoever asked for it: the place to tell the TLB is where the entry is stored.',
    fell: 'The host is kept out of these two pages, and a rule fell on another. Select it in [the events](lab:view/events): which call took the page from the host?',
  },
  async test(run) {
    if (!rang(run) || recorded(run, 'lent') === null) return fail('honest', endingWords(run))
    if (!looked(run)) return fail('idle', 'one of the two looks is missing')
    const stays = await stale(run)
    const [kept, returned] = [recorded(run, 'private'), recorded(run, 'returned')]
    if (kept !== null || returned !== null) {
      const seen = `the host loads ${String(kept)} and ${String(returned)}; the TLB held ${stays.length} translations for too long`
      return fail(kept === null ? 'one-way' : 'taken', seen)
    }
    const rule = await firstEvent(run, { kind: 'violation' })
    if (rule !== undefined) return fail('fell', rule.text)
    const aborts = await Promise.all(
      (await pages(run)).map(page => (page === null ? undefined : firstEvent(run, { kind: 'abort', physical: page, details: { who: 'host', access: 'read', resolved: /^injected/ } }))),
    )
    return aborts.every(abort => abort !== undefined) ? 'pass' : fail('idle', 'the host took no abort on one of the pages')
  },
}

const order: Check = {
  id: 'order',
  title: 'Why the store comes first',
  step: 'order',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    either:
      'On this machine either order passes, and that is its weakness, not a proof: it has one CPU, and that CPU does not run ahead. Think of a second one that loads from the page between the invalidation and the store.',
    entry: 'The hypervisor finds the entry by a walk of its own, in software. It does not use the TLB for that.',
  },
  async test(run) {
    const chosen = run.answers['order']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    return chosen === 'refill' ? 'pass' : fail(chosen === 'either' ? 'either' : 'entry', `"${chosen}" was chosen`)
  },
}

export const checks: readonly Check[] = [read, cause, mended, order]

export const outcomes: Readonly<Record<string, Outcome>> = {
  stale: async run => {
    const word = recorded(run, 'private')
    if (word === null) return 'fault'
    if (word === undefined || !rang(run)) return null
    return word === secretOf(run) ? 'secret' : 'old'
  },
}
