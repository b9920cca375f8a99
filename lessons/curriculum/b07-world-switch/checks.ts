import { allEvents, type Check, endingWords, fail, firstEvent, hypPanic, inOrder, type LessonRun, type Outcome, recorded } from '../../checks.ts'

const DABT_CUR = 0x25

/** Where EL1 went on, each time that a vCPU was entered. */
async function entries(run: LessonRun): Promise<readonly number[]> {
  return (await allEvents(run, { kind: 'vcpu', text: / runs at 0x/ })).map(event => Number(event.details['pc']))
}

const entryOf = (run: LessonRun) => run.assembled.find(({ file }) => file === 'guest.s')?.symbols['_start']

function panicWords(run: LessonRun): string {
  const panic = hypPanic(run)
  return panic === null ? endingWords(run) : `HYP panic: ${panic.why}, at 0x${panic.place.toString(16)} of the listing, FAR_EL2 0x${panic.far.toString(16)}`
}

const enters: Check = {
  id: 'enters',
  title: 'The guest is entered at its first instruction',
  step: 'enter',
  explanations: {
    'not-yet':
      '`__kvm_vcpu_run` gave -EINVAL, and no instruction of the guest was executed: the first gap still returns to its caller. `eret` has to take the place of the four lines that do.',
    pointer:
      'The hypervisor took an abort itself, while it loaded the guest\'s registers: it read from an address that is none of its own. Which register points to the context, and is it overwritten before the last one is loaded? [The console](lab:view/console) has the panic; look its place up in the listing.',
    astray:
      'EL1 went on where it had been, with the guest\'s tables under it: `eret` goes to `ELR_EL2`, and that still held the address behind the *host\'s* call. In the guest\'s stage 2 there is nothing at that address. Load `ELR_EL2` and `SPSR_EL2` from the context.',
    other: 'The guest was not entered. [The console](lab:view/console) shows how far the machine got.',
  },
  async test(run) {
    const [first] = await entries(run)
    if (first === undefined) {
      const panic = hypPanic(run)
      if (panic !== null) return fail(panic.exceptionClass === DABT_CUR ? 'pointer' : 'other', panicWords(run))
      const refused = await firstEvent(run, { kind: 'hypercall', call: '__kvm_vcpu_run', details: { result: '-EINVAL' } })
      return fail(refused === undefined ? 'other' : 'not-yet', refused?.text ?? endingWords(run))
    }
    return first === Number(entryOf(run)) ? 'pass' : fail('astray', `EL1 went on at 0x${first.toString(16)}, and the guest begins at 0x${Number(entryOf(run)).toString(16)}`)
  },
}

const comesBack: Check = {
  id: 'comes-back',
  title: 'The guest\'s first abort ends in a switch back to the host',
  step: 'enter',
  explanations: {
    first: 'First the guest has to be entered.',
    'host-vectors':
      'The guest aborted, and EL2 took it for an abort of the *host*: the vectors in force were the host\'s. So the guest\'s registers went to `host_ctxt`, a page was mapped in the host\'s stage 2 for it, and it was sent to try again. `VBAR_EL2` must be `__kvm_hyp_vector` while a guest runs.',
    other: 'The guest ran, and never left by an abort that ended at the host.',
  },
  async test(run) {
    const entered = await enters.test(run)
    if (entered !== 'pass') return fail('first', panicWords(run))
    const passed = await inOrder(run, { kind: 'vcpu', text: ' runs at ' }, { kind: 'world-switch', text: '→ host' })
    if (passed.length === 2) return 'pass'
    const again = await firstEvent(run, { kind: 'vcpu', text: /leaves: .*tried again/ })
    return again === undefined ? fail('other', panicWords(run)) : fail('host-vectors', again.text)
  },
}

const hostBack: Check = {
  id: 'host-back',
  title: 'Afterwards the host\'s calls and aborts are the host\'s again',
  step: 'back',
  explanations: {
    first: 'First the guest has to come back.',
    'guest-vectors':
      'The world switch back took place, the host went on, and its next exception at EL2 ended in a panic: `VBAR_EL2` still pointed to the vectors for a *guest*. They look for a vCPU on the stack that is not there. The host\'s vectors belong back, before the host runs.',
  },
  async test(run) {
    if ((await comesBack.test(run)) !== 'pass') return fail('first', panicWords(run))
    return hypPanic(run) === null ? 'pass' : fail('guest-vectors', panicWords(run))
  },
}

const tellsWhy: Check = {
  id: 'tells-why',
  title: 'The host learns of the abort, and gives the guest a page',
  step: 'back',
  explanations: {
    first: 'First the host has to go on.',
    nothing:
      'The guest came back, and the host did not give it a page: `arch.fault.esr_el2` was 0. Exception class 0 is "unknown", so the host concluded that the guest had executed an undefined instruction, and gave it that exception: it goes on at `VBAR_EL1` + 0x200. ESR_EL2, FAR_EL2 and HPFAR_EL2 must be stored while they still hold what they say.',
    elsewhere:
      'The host gave the guest a page, at another address than the one that it touched. That address is put together from `HPFAR_EL2` and the low bits of `FAR_EL2` [kvm_handle_guest_abort, mini]: is each in its own member?',
    refused: 'The host was told of an abort, and no page came of it. Compare `arch.fault` with what [the events](lab:view/events) say of the abort.',
  },
  async test(run) {
    if ((await hostBack.test(run)) !== 'pass') return fail('first', panicWords(run))
    const gfn = Number(entryOf(run)) / 4096
    const donated = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest' })
    if (donated !== undefined) return Number(donated.details['gfn']) === gfn ? 'pass' : fail('elsewhere', donated.text)
    const [, second] = await entries(run)
    return fail(second !== undefined && second !== Number(entryOf(run)) ? 'nothing' : 'refused', `the guest went on at 0x${(second ?? 0).toString(16)}, and KVM_RUN: ${String(recorded(run, 'first'))}`)
  },
}

const registers: Check = {
  id: 'registers',
  title: 'The guest has the registers that the VMM gave it, and keeps them',
  step: 'back',
  explanations: {
    first: 'The guest has not rung yet; the checks above tell why.',
    x7: 'The guest rang, and x7 was not what the VMM had set. Is each register loaded from its own place, x0 and x1 from offset 0?',
    lost: 'The first ring was right. Then the guest was away once more for its page, and came back with other registers than it had: compare what `__guest_exit` stores with what you load.',
  },
  async test(run) {
    const [first, second] = [recorded(run, 'first'), recorded(run, 'second')]
    if (typeof first !== 'bigint') return fail('first', `KVM_RUN: ${String(first)}; ${panicWords(run)}`)
    if (first !== 0x5a5an) return fail('x7', `the guest rang with 0x${first.toString(16)}`)
    return second === 0x7778n ? 'pass' : fail('lost', `the second ring: ${String(second)}`)
  },
}

const times: Check = {
  id: 'times',
  title: 'How often the guest was entered',
  step: 'look',
  explanations: {
    unanswered: 'The question at the end is not answered yet.',
    rings: 'It rang twice; but the guest also left for pages that it did not have. Each time the host gave one, and entered it again without telling the VMM.',
    other: 'Count "runs at" in [the events](lab:view/events), from the first to the second ring.',
  },
  async test(run) {
    const chosen = run.answers['times']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    const counted = (await entries(run)).length
    const right = { 2: 'two', 4: 'four', 5: 'five' }[counted]
    if (chosen === right) return 'pass'
    return fail(chosen === 'two' ? 'rings' : 'other', `"${chosen}" was chosen`)
  },
}

export const checks: readonly Check[] = [enters, comesBack, hostBack, tellsWhy, registers, times]

export const outcomes: Readonly<Record<string, Outcome>> = {
  abort: async run => ((await comesBack.test(run)) === 'pass' ? 'el2' : null),
}
