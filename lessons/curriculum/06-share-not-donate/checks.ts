import {
  callOf, type Check, calls, endingWords, eventsBetween, fail, firstEvent, type LabEvent, type LessonRun, type Outcome, pageOfGuest,
  recorded, stateWords, vmsMade,
} from '../../checks.ts'

/** Where guest.s puts its letter: the third page of its memory. */
const MAIL = 0x4000_2000
const OWNED = 0
const SHARED_OWNED = 1

/** The VM of the run, whichever kind it is. */
const theVm = async (run: LessonRun) => (await vmsMade(run))[0]

/** The event with which the host lent the page MAIL to the VM. */
async function lent(run: LessonRun, vm: number, page: number): Promise<LabEvent | undefined> {
  return (await run.events()).find(
    event => event.kind === 'ownership' && event.physical === page && event.change?.after.mappedBy.some(({ handle }) => handle === vm) === true,
  )
}

const number = (value: unknown) => (typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined)

const shared: Check = {
  id: 'shared',
  title: 'The guest wrote a letter, and its page was lent to the VM for that',
  step: 'touch',
  explanations: {
    'no-vm': 'No VM ran. Does the script get as far as `vcpu.run()`? [The trace](lab:view/trace) shows its last call.',
    protected:
      'This VM is a protected one, so its pages are donated, and the host has lost them: that is what the next lessons are about. Here we want to know what happens to a VM that is **not** protected, type 0.',
    untouched:
      'The guest never touched the page, so there was nothing to lend: the host made a promise with its memory slot, and the hypervisor has not heard of it. It is the **guest** that has to store.',
    'host-alone':
      'The page has a letter, and the host wrote it. See where the first event of the page stands in [the trace](lab:view/trace): when the host read it, the guest had not touched it yet, and the hypervisor had not heard of it. Let the **guest** store before it rings.',
    'not-lent': 'The page is not in the state that lending leaves it in. Look it up in [the events](lab:view/events): what was done with it?',
  },
  async test(run) {
    const vm = await theVm(run)
    if (vm === undefined) return fail('no-vm', endingWords(run))
    if ((await vmsMade(run, 'normal')).length === 0) return fail('protected', 'the VM that came to life is protected')
    const page = await pageOfGuest(run, vm, MAIL)
    const event = page === null ? undefined : await lent(run, vm, page)
    const letter = number(recorded(run, 'letter'))
    if (page === null || event === undefined) return fail(letter ? 'host-alone' : 'untouched', 'no page was ever lent for guest address 0x40002000')
    const state = await run.ownership(page, event.instructions)
    if (state.host !== SHARED_OWNED) return fail('not-lent', stateWords(state))
    const firstRun = calls(run, 'vcpu.run')[0]
    if (firstRun !== undefined && event.instructions > firstRun.ended) {
      return fail(letter ? 'host-alone' : 'untouched', 'the guest touched the page only in its second run')
    }
    return letter ? 'pass' : fail('untouched', `the script recorded the letter ${letter}`)
  },
}

const reply: Check = {
  id: 'reply',
  title: 'The host answered on the same page, and the guest saw it',
  step: 'shared',
  explanations: {
    silent: 'The guest did not ring a second time, or the script recorded nothing under `heard`. How far did the script get? [The trace](lab:view/trace) shows its last call.',
    'own-letter':
      'The guest found its own letter. Whatever the host wrote was there too early (then the guest\'s letter went over it) or too late (then the guest had rung already). Each `vcpu.run()` lasts from one ring to the next: yours has to stand between the two.',
    zero: 'The guest found 0. Write a number that says something.',
  },
  async test(run) {
    const heard = number(recorded(run, 'heard'))
    if (heard === undefined) return fail('silent', `the answer "heard" was not recorded; ${endingWords(run)}`)
    if (heard === 0) return fail('zero', 'the guest rang with 0')
    return heard === number(recorded(run, 'letter')) ? fail('own-letter', `the guest rang with 0x${heard.toString(16)}, its own letter`) : 'pass'
  },
}

const given: Check = {
  id: 'given',
  title: 'To whom pages were donated for this VM',
  step: 'tables',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    guest:
      'The guest was given nothing for good: all that it touched has `VM ...: SHARED_BORROWED` in its event, and the host still `SHARED_OWNED`. Look for the events that leave the host with `NOPAGE`, and see who is `OWNED` in them.',
    nobody:
      'The guest\'s RAM is on loan, right. But search [the events](lab:view/events) of the first `KVM_RUN` for "donated": they are other pages, and the host has `NOPAGE` of them afterwards.',
  },
  async test(run) {
    const chosen = run.answers['given']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    if (chosen === 'hyp') return 'pass'
    return fail(chosen === 'guest' ? 'guest' : 'nobody', `"${chosen}" was chosen`)
  },
}

const home: Check = {
  id: 'home',
  title: 'The VM is gone, and its page is the host\'s alone',
  step: 'home',
  explanations: {
    alive: 'The VM is still there: its descriptor is open, and the page is still on loan. Close it at the end of the script.',
    lent: 'The VM is gone and its page is not back. That should not happen; look the page up in [the events](lab:view/events).',
  },
  async test(run) {
    const vm = await theVm(run)
    const page = vm === undefined ? null : await pageOfGuest(run, vm, MAIL)
    if (vm === undefined || page === null) return fail('alive', 'there was no loan that could end')
    if ((await firstEvent(run, { kind: 'vm', text: 'destroyed', vm })) === undefined) return fail('alive', stateWords(await run.ownership(page)))
    const state = await run.ownership(page)
    return state.host === OWNED && state.mappedBy.length === 0 ? 'pass' : fail('lent', stateWords(state))
  },
}

export const checks: readonly Check[] = [shared, reply, given, home]

export const outcomes: Readonly<Record<string, Outcome>> = {
  when: async run => {
    const vm = await theVm(run)
    const page = vm === undefined ? null : await pageOfGuest(run, vm, MAIL)
    if (vm === undefined || page === null) return null
    const during = async (name: string) => {
      const call = calls(run, name)[0]
      const events = call === undefined ? [] : await eventsBetween(run, call.began, call.ended)
      return events.some(event => callOf(event) === '__pkvm_host_share_guest' && event.physical === page)
    }
    if (await during('vm.addMemory')) return 'slot'
    if (await during('ram.load')) return 'load'
    return 'touch'
  },
  reply: async run => {
    const heard = number(recorded(run, 'heard'))
    const write = calls(run).find(call => /^(ram|mem)\.write/.test(call.name) && Number(/0x[0-9a-f]+/.exec(call.text)?.[0] ?? 0) === MAIL)
    if (write === undefined) return null
    if (write.error !== null) return 'fault'
    if (heard === undefined) return null
    return heard === number(recorded(run, 'letter')) ? null : 'seen'
  },
}
