import { allEvents, type Check, endingWords, fail, firstEvent, type LessonRun, type Outcome, pageOfGuest, recorded, vmsMade } from '../../checks.ts'

const FIRST_PAGE = 0x4000_1000
const SECOND_PAGE = 0x4000_2000

const secretOf = (run: LessonRun) => run.assembled.find(({ file }) => file === 'guest.s')?.symbols['SECRET']

async function page(run: LessonRun, address: number): Promise<number | null> {
  const [vm] = await vmsMade(run, 'protected')
  return vm === undefined ? null : pageOfGuest(run, vm, address)
}

/** The rule fell on that page of the guest. */
async function fell(run: LessonRun, address: number): Promise<boolean> {
  const physical = await page(run, address)
  return physical !== null && (await firstEvent(run, { kind: 'violation', physical, details: { rule: 'freed-is-zero' } })) !== undefined
}

const forced: Check = {
  id: 'forced',
  title: 'By force: the kernel takes a page, with the secret on it',
  step: 'force',
  explanations: {
    'no-guest': 'The guest did not ring. [The trace](lab:view/trace) and [the console](lab:view/console) show how far it came.',
    'not-tried': 'Nothing is recorded under `forced`. Ask the kernel for the 8 bytes at `ram.hostAddress(SECOND_PAGE)`.',
    'other-page': 'A word was read, and no page was taken from the guest for it. Is it `SECOND_PAGE`, and did the guest run before?',
    zero: 'The kernel got an empty page. That is what a sound hypervisor gives; this step asks about one that does not zero. Reset hyp/reclaim.s, build, run again.',
  },
  async test(run) {
    if (recorded(run, 'ring') !== 'mmio') return fail('no-guest', endingWords(run))
    const word = recorded(run, 'forced')
    if (word === undefined) return fail('not-tried', endingWords(run))
    if (word === secretOf(run) && (await fell(run, SECOND_PAGE))) return 'pass'
    const taken = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_force_reclaim_guest_page' })
    return fail(taken === undefined ? 'other-page' : 'zero', `the kernel read ${String(word)}`)
  },
}

const left: Check = {
  id: 'left',
  title: 'By waiting: the process finds the secret when the VM is gone',
  step: 'wait',
  explanations: {
    'not-tried': 'Nothing is recorded under `left`. Close the VM, then read `FIRST_PAGE` with `ram.read64`: the memory stays mapped.',
    early: 'The process looked while the VM was still there, and took an abort: the page was the guest\'s. It comes home when the VM is closed. Look after that.',
    zero: 'The page came home empty. A sound hypervisor does that; this step asks about one that does not zero. Reset hyp/reclaim.s, build, run again.',
  },
  async test(run) {
    const word = recorded(run, 'left')
    if (word === undefined) return fail('not-tried', endingWords(run))
    if (word === null) return fail('early', 'the load ended in an abort')
    if (word === secretOf(run) && (await fell(run, FIRST_PAGE))) return 'pass'
    return fail('zero', `the process read ${String(word)}`)
  },
}

const mended: Check = {
  id: 'mended',
  title: 'Mended: whichever way a private page comes home, it is empty',
  step: 'mend',
  explanations: {
    idle: 'One of the two ways was not tried in this run, so nothing is shown. Leave both in the script.',
    'by-force':
      'The page that comes home at the end of the VM is empty, the one that the host takes by force is not. There are two ways home, and there may be a third one day. They have one function in common: what each of them must do belongs there.',
    'by-waiting': 'The page that is taken by force is empty, the one that comes home at the end of the VM is not. Both ways go through one function: zero there.',
    'wrong-page':
      'Something was zeroed, and it was not this page. `hyp_poison_page` takes its page in x0; what was in x0 here is what the call before left behind, the guest\'s VTTBR_EL2: that is the address of its tables. It has wiped them, and knows nothing of the guest\'s other pages any more.',
    both: 'The secret comes home both ways, as before. Is the new code on the way of `take_guest_page`?',
    fell: 'Both words are 0, and a rule fell all the same. Select it in [the events](lab:view/events): a page has more than one word.',
  },
  async test(run) {
    const [byForce, byWaiting] = [recorded(run, 'forced'), recorded(run, 'left')]
    const lost = (await firstEvent(run, { kind: 'vm', text: 'destroyed' })) === undefined
    const seen = `by force ${String(byForce)}, by waiting ${String(byWaiting)}`
    if (byForce === secretOf(run) && lost) return fail('wrong-page', `${seen}; ${endingWords(run)}; the VM did not come to its end`)
    if (byForce === undefined || byWaiting === undefined || byWaiting === null) return fail('idle', `${seen}; ${endingWords(run)}`)
    if (byForce !== 0n && byWaiting !== 0n) return fail('both', seen)
    if (byForce !== 0n) return fail('by-force', seen)
    if (byWaiting !== 0n) return fail('by-waiting', seen)
    const rules = await allEvents(run, { kind: 'violation' })
    return rules[0] === undefined ? 'pass' : fail('fell', rules[0].text)
  },
}

const order: Check = {
  id: 'order',
  title: 'When a page is zeroed',
  step: 'order',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    early: 'As long as the guest has the page it can write to it: another of its vCPUs, between the last zero and the change of its tables. Then there is a secret again on a page that counts as clean.',
    late:
      'On this machine nobody would see the difference: the host has no CPU until EL2 returns. On one with two, the host\'s other CPU may load from the page from the moment on when it can, and the zeros are not all there yet.',
  },
  async test(run) {
    const chosen = run.answers['order']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    return chosen === 'between' ? 'pass' : fail(chosen === 'early' ? 'early' : 'late', `"${chosen}" was chosen`)
  },
}

export const checks: readonly Check[] = [forced, left, mended, order]

export const outcomes: Readonly<Record<string, Outcome>> = {
  left: async run => {
    const word = recorded(run, 'left')
    if (word === 0n) return 'zero'
    return word === secretOf(run) ? 'secret' : null
  },
}
