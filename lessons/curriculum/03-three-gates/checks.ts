import { allEvents, type Check, callsLike, consoleLines, endingWords, fail, firstEvent, type LessonRun, type Outcome, recorded, taintMask } from '../../checks.ts'

const TAINT_USER = 64
/** `KVM_CREATE_VM` with bit 31, as the trace shows the system call. */
const PROTECTED = /KVM_CREATE_VM, 0x80000000/
const WARNING = 'protected VMs are experimental'

/** Where the two gates stood that can be closed. */
async function gates(run: LessonRun): Promise<{ option: 'y' | 'n'; line: string }> {
  const { gate } = await run.facts()
  return { option: gate.option, line: run.settings.mode }
}

const bit: Check = {
  id: 'bit',
  title: 'The script asks for protected VMs',
  step: 'ask',
  explanations: {
    'no-vm': 'The script never got as far as `KVM_CREATE_VM`. The trace shows the last call that it made, and what came of it.',
    ordinary: 'VMs were asked for, and bit 31 was not set: see the argument of `KVM_CREATE_VM` in [the trace](lab:view/trace). To these VMs none of the gates applies; they are made everywhere.',
  },
  async test(run) {
    if (callsLike(run, PROTECTED).length > 0) return 'pass'
    return fail(callsLike(run, 'KVM_CREATE_VM').length === 0 ? 'no-vm' : 'ordinary', endingWords(run))
  },
}

const open: Check = {
  id: 'open',
  title: 'With both gates open the VM is made, and the kernel is tainted for it',
  step: 'ask',
  explanations: {
    'not-yet': 'This needs a run with the option at `y` on a machine booted with `kvm-arm.mode=protected`.',
    ordinary: 'No VM with bit 31 was made in this run.',
    refused: 'Both gates are open and the VM was refused all the same. Does the call ask for anything else besides `protected: true`?',
    stale: 'The VM was made and the kernel is tainted, and the script recorded another value for `after`. When did it read it? A value in a variable does not change when the kernel does.',
  },
  async test(run) {
    const { option, line } = await gates(run)
    if (option !== 'y' || line !== 'protected') return fail('not-yet', `this run was with the option at ${option} and mode ${line}`)
    if (callsLike(run, PROTECTED).length === 0) return fail('ordinary', endingWords(run))
    if (recorded(run, 'result') !== 'made') return fail('refused', `"result" is ${String(recorded(run, 'result'))}`)
    const mask = (await taintMask(run)) ?? 0
    if (Number(recorded(run, 'after') ?? 0) !== mask || (mask & TAINT_USER) === 0) return fail('stale', `"after" is ${String(recorded(run, 'after'))}, and the kernel says ${mask}`)
    return 'pass'
  },
}

/** The script on a machine where at least one gate is closed: refused, and nothing marked. */
function closed(id: string, option: 'y' | 'n', line: 'protected' | 'nvhe', title: string): Check {
  return {
    id,
    title,
    step: 'close',
    explanations: {
      'not-yet': `This row of the table is missing: a run with the option at \`${option}\`, booted with \`kvm-arm.mode=${line}\`.`,
      ordinary: 'The gates stand as this row wants them, and no VM with bit 31 was asked for.',
      'not-recorded': 'The gates stand as this row wants them. Let the script record what `KVM_CREATE_VM` said as `result`; it does so unless it ends before.',
      marked: 'The refusal was recorded, and `after` is not what `before` was. A VM that is not made leaves no mark: where do the two values come from?',
    },
    async test(run) {
      const now = await gates(run)
      if (now.option !== option || now.line !== line) return fail('not-yet', `this run was with the option at ${now.option} and mode ${now.line}`)
      if (callsLike(run, PROTECTED).length === 0) return fail('ordinary', endingWords(run))
      if (recorded(run, 'result') !== 'EINVAL') return fail('not-recorded', `"result" is ${String(recorded(run, 'result'))}; ${endingWords(run)}`)
      return recorded(run, 'after') === recorded(run, 'before') ? 'pass' : fail('marked', `${String(recorded(run, 'before'))} before, ${String(recorded(run, 'after'))} after`)
    },
  }
}

const heard: Check = {
  id: 'heard',
  title: 'Whom EL2 heard of',
  step: 'who',
  explanations: {
    unanswered: 'The first question of the step is not answered yet.',
    line: 'Without pKVM there is no hypercall in `createVm` at all: the kernel turns the bit down by itself. Look for events of the kind `hypercall` in a run with `nvhe`.',
    neither: 'Look at the run with `n` and `protected` again. Before the refusal two pages were shared with the hypervisor, and after it they were taken back.',
  },
  async test(run) {
    const given = run.answers['heard']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    return given === 'option' ? 'pass' : fail(given === 'neither' ? 'neither' : 'line', `"${given}" was chosen`)
  },
}

const stops: Check = {
  id: 'stops',
  title: 'Which of the three only takes notes',
  step: 'who',
  explanations: {
    unanswered: 'The second question of the step is not answered yet.',
    refused: 'That gate has refused: look at the row of the table where it alone was closed.',
  },
  async test(run) {
    const given = run.answers['stops']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    return given === 'taint' ? 'pass' : fail('refused', `"${given}" was chosen`)
  },
}

export const checks: readonly Check[] = [
  bit,
  open,
  closed('option', 'n', 'protected', 'Refused with only the option closed'),
  closed('both', 'n', 'nvhe', 'Refused with both closed'),
  closed('line', 'y', 'nvhe', 'Refused with only the command line closed'),
  heard,
  stops,
]

export const outcomes: Readonly<Record<string, Outcome>> = {
  // At `y` nothing of the lab stands in the way: what the kernel does there is its own doing.
  gone: async run => {
    const { option, line } = await gates(run)
    const made = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_reserve_vm' })
    return option === 'y' && line === 'protected' && made !== undefined && recorded(run, 'result') === 'made' ? 'gone' : null
  },
  notes: async run => {
    const made = (await allEvents(run, { kind: 'hypercall', call: '__pkvm_reserve_vm' })).length
    const printed = consoleLines(run, WARNING).length
    return made < 2 || printed === 0 ? null : printed === 1 ? 'once' : 'each'
  },
  error: async run => {
    const { option, line } = await gates(run)
    const result = recorded(run, 'result')
    return option === 'n' && line === 'protected' && typeof result === 'string' && result !== 'made' ? result.toLowerCase() : null
  },
}
