import { callOf, type Check, endingWords, fail, hypPanic, type LessonRun, type Outcome, recorded, wordAt } from '../../checks.ts'

/** `BOOT_CPU_MODE_EL2`, as in Linux. */
const BOOT_CPU_MODE_EL2 = 0xe12n
const EC_INSTRUCTION_ABORT_SAME_LEVEL = 0x21
const EC_ILLEGAL_STATE = 0x0e

/** The host has its own MMU on: `host_start` writes this first. Nothing of it is known while the host has not run at EL1. */
const hostRan = async (run: LessonRun) => ((await wordAt(run, 'kimage_voffset')) ?? 0n) !== 0n

const leaves: Check = {
  id: 'leaves',
  title: 'The host kernel runs at EL1, and comes up',
  step: 'leave',
  unbooted: true,
  explanations: {
    'same-level':
      'The hypervisor panicked before there was a host. `ESR_EL2` begins with `0x86`: class `0x21`, an instruction abort **taken without a change in exception level**. The processor was at EL2 when it executed the host\'s code: the host switched on the MMU *of EL1*, jumped to a virtual address, and at EL2 there is no such map. A branch cannot leave a level, and `ERET` goes where the mode in `SPSR_EL2` says, bits 3:0. Which mode is EL1 with its own stack pointer?',
    'illegal-return':
      'The hypervisor panicked with class `0x0e`, an illegal execution state: `ERET` was asked for something that this processor does not do, such as a level above the present one, or a reserved mode. Look at the value in `SPSR_EL2`.',
    panicked: 'The hypervisor panicked. The console has its last words: the top six bits of `ESR_EL2` are the class of the exception, `ELR_EL2` is where it was.',
    astray:
      'The machine runs and says nothing, and the host never executed its first instructions. `ERET` continues at the address in `ELR_EL2`. If nothing was written there, that is wherever the register happened to point, and from there the processor goes from one fault to the next.',
    'no-tree':
      'The host did run at EL1, with its MMU on, and stopped before its first message. It learns from the device tree where RAM and the console are, and finds the tree by `x0`, as the firmware passed it. What is in `x0` when your `ERET` is executed?',
    el1t:
      'The host came as far as starting its first process, and was lost there. It runs at EL1, and with the wrong stack pointer: mode `0x4` (EL1t) makes `sp` mean `SP_EL0`, which belongs to the programs. As soon as there is a program the kernel has no stack. Mode `0x5` (EL1h) has a stack pointer of its own.',
    stuck: 'The host began and did not come to its first process. The last line of the console tells how far it got; compare what you changed with the original, file by file.',
  },
  async test(run) {
    if (run.ready) return 'pass'
    const panic = hypPanic(run)
    if (panic !== null) {
      const { exceptionClass, esr } = panic
      const which = exceptionClass === EC_INSTRUCTION_ABORT_SAME_LEVEL ? 'same-level' : exceptionClass === EC_ILLEGAL_STATE ? 'illegal-return' : 'panicked'
      return fail(which, `HYP panic: ${panic.why}, ESR_EL2 0x${esr.toString(16)}`)
    }
    if (!(await hostRan(run))) return fail('astray', 'the host\'s first instructions were not executed at EL1')
    if (!run.console.includes('Booting mini-pKVM')) return fail('no-tree', 'the host ran at EL1 and printed nothing')
    return fail(run.console.includes('Run /init') ? 'el1t' : 'stuck', endingWords(run))
  },
}

const remembers: Check = {
  id: 'remembers',
  title: '__boot_cpu_mode remembers that the machine began at EL2',
  step: 'leave',
  explanations: {
    forgot: 'The host looks at `__boot_cpu_mode` to know whether there is a hypervisor to call. It should hold `BOOT_CPU_MODE_EL2`, `0xe12`, stored before EL2 is left: nobody at EL1 can find out later.',
  },
  async test(run) {
    const mode = await wordAt(run, '__boot_cpu_mode')
    return mode === BOOT_CPU_MODE_EL2 ? 'pass' : fail('forgot', `__boot_cpu_mode is 0x${(mode ?? 0n).toString(16)}`)
  },
}

const comesBack: Check = {
  id: 'comes-back',
  title: 'The host called EL2 from EL1, was answered, and KVM is there',
  step: 'back',
  explanations: {
    'no-call': 'The host is up, and no call of it arrived at EL2. It makes the first, `__pkvm_init`, when `__boot_cpu_mode` says that somebody is there to answer.',
    refused: 'The host called, and EL2 did not do what it was asked for. See the result of `__pkvm_init` in the events.',
    'no-kvm': 'EL2 answered, and the probe could not open `/dev/kvm`. The console tells why the host thinks so.',
  },
  async test(run) {
    if (!run.ready) return fail('no-call', endingWords(run))
    const events = await run.bootEvents()
    const init = events.find(event => callOf(event) === '__pkvm_init')
    if (init === undefined) return fail('no-call', 'no hypercall while the system booted')
    if (init.details['result'] !== '0') return fail('refused', init.text)
    if (recorded(run, 'api') !== 12) return fail('no-kvm', endingWords(run))
    return 'pass'
  },
}

const level: Check = {
  id: 'level',
  title: 'From which level the first call came, and where it was answered',
  step: 'back',
  explanations: {
    unanswered: 'The question at the end of the step is not answered yet. Select the first hypercall in the events: it tells from where it came.',
    el0: 'At EL0 there was nobody yet when the first call was made: look for `Run /init` in the console, and for the call before it. And at EL0 `HVC` is undefined; a program asks its kernel, by `SVC`.',
    branch: 'A branch goes to another address and stays at the same level. The host can neither read nor execute the hypervisor\'s pages. What changes the level is an exception, and where it arrives is written in `VBAR_EL2`.',
  },
  async test(run) {
    const given = run.answers['way']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    if (given !== 'hvc') return fail(given === 'branch' ? 'branch' : 'el0', `"${given}" was chosen`)
    const first = run.ready ? (await run.bootEvents()).find(event => event.kind === 'hypercall') : undefined
    return first?.el === 1 ? 'pass' : fail('unanswered', 'there was no call yet: make the host come up first')
  },
}

export const checks: readonly Check[] = [leaves, remembers, comesBack, level]

export const outcomes: Readonly<Record<string, Outcome>> = {
  jump: async run => (!run.ready && hypPanic(run)?.exceptionClass === EC_INSTRUCTION_ABORT_SAME_LEVEL ? 'panic' : null),
  first: async run => {
    const first = run.ready ? (await run.bootEvents()).find(event => event.kind === 'hypercall') : undefined
    return first === undefined ? null : callOf(first) === '__pkvm_init' ? 'init' : 'vm'
  },
}
