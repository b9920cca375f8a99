import {
  type ApiCall, type Check, calls, callsLike, endingWords, eventsDuring, fail, firstEvent, inOrder, type LessonRun, type Outcome, pageOfGuest, recorded,
  stateWords, vmsMade,
} from '../../checks.ts'

/** Bit of the kernel's taint mask, [pkvm_init_host_vm, 7.2.13, 7.3.4]. */
const TAINT_USER = 64
const PROTECTED = 1n << 31n
/** Where guest.s starts. */
const PROGRAM = 0x4000_0000

/** The calls of KVM_CREATE_VM with their arguments. */
function creations(run: LessonRun): readonly { call: ApiCall; type: bigint }[] {
  return callsLike(run, /KVM_CREATE_VM/).flatMap(call => {
    const argument = /KVM_CREATE_VM, (0x[0-9a-f]+|\d+)/.exec(call.text)?.[1]
    return argument === undefined ? [] : [{ call, type: BigInt(argument) }]
  })
}

/** The creation that asked for protection and was granted. */
const granted = (run: LessonRun) => creations(run).find(({ call, type }) => call.error === null && (type & PROTECTED) !== 0n)?.call

const bit31: Check = {
  id: 'bit31',
  title: 'The script asked for a protected VM, and the kernel made one',
  step: 'bit',
  explanations: {
    'no-vm': 'The script never called `KVM_CREATE_VM`. [The trace](lab:view/trace) shows how far it got.',
    normal: 'The VM was made without bit 31, so it is a normal one: a type of 0 asks for nothing. Bits are counted from 0; bit 0 is the one worth 1.',
    signed:
      'In JavaScript `1 << 31` works on *signed* numbers of 32 bits and gives -2147483648. A type is a number without a sign, so nothing was asked of the kernel at all. Shift a `bigint` instead, which has as many bits as it needs: it begins as `1n`.',
    'unknown-bit': 'The kernel refused with `EINVAL`: the type has a bit that means nothing on arm64. Bits are counted from 0, so the lowest is bit 0, worth 1. Which bit does the script print?',
    refused: 'The type is right, and the kernel refused it. Does this machine run under pKVM, and is its gate open? See [the machine](lab:view/machine).',
  },
  async test(run) {
    const all = creations(run)
    const newest = all.at(-1)
    if (newest === undefined) return fail(/createVm: .*not -/.test(endingWords(run)) ? 'signed' : 'no-vm', endingWords(run))
    if (granted(run) !== undefined) return 'pass'
    const seen = `KVM_CREATE_VM got 0x${newest.type.toString(16)} and gave ${newest.call.error?.code ?? 'a descriptor'}`
    if (newest.call.error === null) return fail('normal', seen)
    return fail(newest.type & ~(PROTECTED | 0xffn) ? 'unknown-bit' : 'refused', seen)
  },
}

const early: Check = {
  id: 'early',
  title: 'The kernel was tainted before the VM ran',
  step: 'early',
  explanations: {
    'no-vm': 'There is no protected VM yet whose taint could be asked for. See the check above.',
    late:
      'You asked when the guest had run already. Tainted it was, but that does not tell when it came: the first `KVM_RUN` might have done it. Ask between `createVm` and `run`.',
    before: 'You asked before `KVM_CREATE_VM`, and the kernel was clean. Ask once the VM is made, and before it runs.',
    replaced:
      'You asked in time, and then the answer `taint` or `word` was recorded again after the run. Only the newest answer of a name counts: take the two away that stand in part 3.',
    unrecorded: 'You looked at the right moment, and the answer `taint` is missing. Record it with `answer(\'taint\', ...)`.',
  },
  async test(run) {
    const made = granted(run)
    if (made === undefined) return fail('no-vm', endingWords(run))
    const firstRun = calls(run, 'vcpu.run')[0]
    const asked = calls(run, 'host.taint')
    const between = asked.filter(call => call.began >= made.ended && (firstRun === undefined || call.ended <= firstRun.began))
    const told = recorded(run, 'taint')
    if (between.length === 0) {
      // Part 4 asks too, so "late" is the rule; a script that ended early may have asked only at first.
      const after = asked.some(call => call.began >= made.ended)
      return fail(after ? 'late' : 'before', `${asked.length} questions for the taint, none between KVM_CREATE_VM and KVM_RUN`)
    }
    if (told === undefined) return fail('unrecorded', 'no answer "taint"')
    // The word is the program's own when the host read it; an errno when it was read after the run.
    if (typeof recorded(run, 'word') === 'string') return fail('replaced', `the answer "word" is ${String(recorded(run, 'word'))}`)
    return (Number(told) & TAINT_USER) !== 0 ? 'pass' : fail('before', `the answer "taint" is ${String(told)}`)
  },
}

const readable: Check = {
  id: 'readable',
  title: 'The host read the guest\'s program before the VM ran',
  step: 'early',
  explanations: {
    unread: 'The host has not read the program between `createVm` and `run`. Load one word of it with `ram.read32`, and record it as `word`.',
    unrecorded: 'The host read the program, and the answer `word` is missing. Record what `ram.read32` gave.',
    other: 'That is not the first word of the guest\'s program. The program begins at `program.entry`, and it has to be loaded before you read it.',
  },
  async test(run) {
    const made = granted(run)
    const firstRun = calls(run, 'vcpu.run')[0]
    const reads = calls(run).filter(
      call => /^(ram|mem)\.read/.test(call.name) && call.error === null && made !== undefined && call.began >= made.ended && (firstRun === undefined || call.ended <= firstRun.began),
    )
    if (reads.length === 0) return fail('unread', endingWords(run))
    const word = recorded(run, 'word')
    if (typeof word !== 'number' && typeof word !== 'bigint') return fail('unrecorded', 'no answer "word"')
    const bytes = run.assembled[0]?.bytes
    if (bytes === undefined) return 'pass'
    const first = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
    return Number(word) === first ? 'pass' : fail('other', `the answer "word" is 0x${Number(word).toString(16)}`)
  },
}

const lost: Check = {
  id: 'lost',
  title: 'With the first run the VM came to EL2, and its program left the host',
  step: 'slot',
  explanations: {
    'never-ran':
      'This VM never came to EL2. Its number was reserved and given back, see [the events](lab:view/events), and the kernel is tainted all the same. That is a finding; but for this step the VM has to run once.',
    disorder: 'The events are not in the order that this step is about: number reserved, kernel tainted, VM created at EL2. Which one is missing in [the events](lab:view/events)?',
    kept: 'The VM ran and the host still has its page. Look the page up in [the events](lab:view/events).',
  },
  async test(run) {
    const [vm] = await vmsMade(run, 'protected')
    if (vm === undefined) return fail('never-ran', endingWords(run))
    const steps = await inOrder(
      run,
      { kind: 'vm', text: 'reserved', vm },
      { kind: 'taint', details: { after: String(TAINT_USER) } },
      { kind: 'vm', text: 'created', vm },
      { kind: 'world-switch', text: /→ VM/ },
    )
    if (steps.length < 4) return fail('disorder', `the first ${steps.length} of the four are there`)
    const page = await pageOfGuest(run, vm, PROGRAM)
    const given = page === null ? undefined : await firstEvent(run, { kind: 'ownership', physical: page, text: 'donated' })
    if (page === null || given === undefined) return fail('kept', 'nothing was donated for the program\'s page')
    const state = await run.ownership(page, given.instructions)
    return state.donatedTo?.handle === vm ? 'pass' : fail('kept', stateWords(state))
  },
}

const slot: Check = {
  id: 'slot',
  title: 'What the hypervisor had of the VM before it ran',
  step: 'slot',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    less: 'In `dev.createVm` the host did call: find `__pkvm_reserve_vm` in [the events](lab:view/events), and the number that it brought back.',
    whole:
      'It is called protected in the script, and in the host kernel, so it seems that EL2 must know. But the only call about a VM in `dev.createVm` has no arguments, so it cannot have told *what kind* of VM. The event `protected VM ... created` stands much later.',
  },
  async test(run) {
    const chosen = run.answers['slot']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    if (chosen === 'number') return 'pass'
    return fail(chosen === 'vm' ? 'whole' : 'less', `"${chosen}" was chosen`)
  },
}

export const checks: readonly Check[] = [bit31, early, readable, lost, slot]

export const outcomes: Readonly<Record<string, Outcome>> = {
  when: async run => {
    for (const [choice, name] of [['create', 'dev.createVm'], ['vcpu', 'vm.createVcpu'], ['run', 'vcpu.run']] as const) {
      for (const call of calls(run, name)) if ((await eventsDuring(run, call)).some(event => event.kind === 'taint')) return choice
    }
    return null
  },
  stays: async run => {
    const told = recorded(run, 'end')
    if (granted(run) === undefined || (typeof told !== 'number' && typeof told !== 'bigint')) return null
    return (Number(told) & TAINT_USER) === 0 ? 'clean' : 'stays'
  },
}
