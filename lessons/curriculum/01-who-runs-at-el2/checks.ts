import { type Check, consoleLines, endingWords, fail, firstEvent, type LessonRun, type Outcome, recorded, type Verdict } from '../../checks.ts'

/** What KVM says once it is up, [kvm_arm_init, 7.2.13, 7.3.4]. */
const MODE = /(VHE|Protected nVHE|Hyp nVHE) mode initialized successfully/

/** The mode that this machine's KVM named on the console. */
const named = (run: LessonRun) => MODE.exec(consoleLines(run, MODE)[0] ?? '')?.[1]

const modeLine: Check = {
  id: 'mode-line',
  title: 'The script records the message in which KVM names its mode',
  step: 'boot',
  explanations: {
    nothing: 'The script has not recorded any message under the name `mode`. It does so with `answer(\'mode\', ...)`, in its first part.',
    'boot-line':
      'That line is about the processors: the firmware left them at EL2. The kernel says it before KVM is there, and says it also when KVM stays off. Look for the line in which **KVM** speaks of a **mode**.',
    'other-line': 'This is a message about KVM, but it names no mode. Read the printed lines to the last.',
    unsaid: 'The kernel has no such message here: KVM is off on this machine. Boot with one of the three command lines of this lesson.',
  },
  async test(run) {
    const line = recorded(run, 'mode')
    const mode = named(run)
    if (mode === undefined) return fail('unsaid', 'no line on the console names a mode of KVM')
    if (line === undefined || line === 'nothing') return fail('nothing', `the answer "mode" was not recorded; ${endingWords(run)}`)
    const text = String(line)
    if (MODE.exec(text)?.[1] === mode) return 'pass'
    return fail(text.includes('started at EL2') ? 'boot-line' : 'other-line', `the script recorded "${text}"`)
  },
}

const guestLevel: Check = {
  id: 'guest-level',
  title: 'A guest ran and told its exception level',
  step: 'guest',
  explanations: {
    'no-guest': 'No guest ran. The second part of the script makes the VM and runs it; does the script get that far?',
    silent: 'A guest ran, and the script recorded no answer `guest`: the guest has to store its number to an address that no memory is behind.',
    zero: 'The guest said 0. It still stores the number that it was given; it should read `CurrentEL`.',
    'not-shifted': 'The guest said 4. `CurrentEL` has the level in bits 3:2, so 4 is binary 01 00: the level is there, two places too high.',
    other: 'That is not what `CurrentEL` holds in this guest. Shift it down by two places and store it unchanged.',
  },
  async test(run) {
    const ran = await firstEvent(run, { kind: 'world-switch', text: /→ VM/ })
    const ranWithoutTable = run.script?.calls.some(call => call.name.endsWith('.run') && call.error === null) === true
    if (ran === undefined && !ranWithoutTable) return fail('no-guest', endingWords(run))
    const told = recorded(run, 'guest')
    if (typeof told !== 'bigint' && typeof told !== 'number') return fail('silent', 'the answer "guest" was not recorded')
    if (Number(told) === 1) return 'pass'
    const which = Number(told) === 0 ? 'zero' : Number(told) === 4 ? 'not-shifted' : 'other'
    return fail(which, `the guest said ${Number(told)}`)
  },
}

/** The learner's whole script on a machine booted in one of the modes. */
function ranIn(mode: 'nvhe' | 'absent' | 'protected', says: string, title: string): Check {
  return {
    id: mode,
    title,
    step: 'modes',
    explanations: {
      'not-yet': `This needs a run on a machine booted ${mode === 'absent' ? 'without `kvm-arm.mode`' : `with \`kvm-arm.mode=${mode}\``}. What passed on other machines stays passed.`,
      incomplete: 'The machine is the right one, and the script did not get both answers there. Look at the checks above.',
      unheld: 'The machine is the right one, and EL2 does not do there what this mode promises. Boot it again and run the script once it is up.',
    },
    async test(run) {
      if (run.settings.mode !== mode) return fail('not-yet', `this run was with ${run.settings.mode === 'absent' ? 'no kvm-arm.mode' : `kvm-arm.mode=${run.settings.mode}`}`)
      const both: readonly Verdict[] = [await modeLine.test(run), await guestLevel.test(run)]
      if (named(run) !== says || both.some(verdict => verdict !== 'pass')) return fail('incomplete', endingWords(run))
      const { phase } = await run.facts()
      // pKVM's own variables say whether the host runs under stage 2.
      const wanted = mode === 'protected' ? 'enforced' : 'off'
      if (phase.known && phase.value !== wanted) return fail('unheld', `pKVM is ${phase.value}`)
      return 'pass'
    },
  }
}

const who: Check = {
  id: 'who',
  title: 'In which of the three the host kernel ran at EL2',
  step: 'modes',
  explanations: {
    unanswered: 'The question at the end of the step is not answered yet.',
    'nvhe-host':
      'With `nvhe` a *part* of KVM runs at EL2, a few pages of code that switch worlds. The host kernel calls it by `HVC`, and an `HVC` comes from below: see the exception level of the host\'s calls in the events.',
    'protected-host':
      'With `protected` even less than before: the host kernel has given EL2 away and can not take it back. See the exception level of its calls in the events.',
    'boot-only':
      'All of them *started* there, and left it in the first instructions. The question is where the host was when your script asked. See the exception level of its calls in the events.',
  },
  async test(run) {
    const given = run.answers['who']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    if (given === 'none') return 'pass'
    const explanation = { nvhe: 'nvhe-host', protected: 'protected-host' }[given] ?? 'boot-only'
    return fail(explanation, `"${given}" was chosen`)
  },
}

export const checks: readonly Check[] = [
  modeLine,
  guestLevel,
  ranIn('nvhe', 'Hyp nVHE', 'The same on a machine booted with kvm-arm.mode=nvhe'),
  ranIn('absent', 'Hyp nVHE', 'The same on a machine booted without kvm-arm.mode'),
  ranIn('protected', 'Protected nVHE', 'The same on a machine booted with kvm-arm.mode=protected, where the host is held to its own memory'),
  who,
]

export const outcomes: Readonly<Record<string, Outcome>> = {
  line: async run => (consoleLines(run, 'All CPU(s) started at EL2').length > 0 ? 'started' : null),
  level: async run => {
    const told = recorded(run, 'guest')
    return told === undefined || (await guestLevel.test(run)) !== 'pass' ? null : `el${Number(told)}`
  },
  absent: async run => (run.settings.mode === 'absent' && named(run) === 'Hyp nVHE' ? 'hyp' : null),
}
