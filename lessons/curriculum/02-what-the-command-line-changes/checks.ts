import { type Check, callOf, consoleLines, endingWords, fail, type LessonRun, type Outcome, recorded, taintMask } from '../../checks.ts'

type Mode = LessonRun['settings']['mode']
const TAINT_WARN = 512

function optionWords(mode: Mode): string {
  return mode === 'absent' ? 'without `kvm-arm.mode`' : `with \`kvm-arm.mode=${mode}\``
}

/** The whole instrument on a machine that was booted with this word. */
function taken(mode: Mode, step: string, title: string, wanted: { device: string; vm: string }): Check {
  return {
    id: mode,
    title,
    step,
    explanations: {
      'not-yet': `This needs a run on a machine booted ${optionWords(mode)}. What passed on other machines stays passed.`,
      ended: 'The script ended before its last line, so it did not measure everything on this machine. Which call ended it? [The trace](lab:view/trace) marks it.',
      'no-errno': 'The script came to its end, and does not say what the kernel said. Record the errno by its name as `device`: the error that `attempt` hands back has it as `code`.',
      vm: 'The script came to its end, and recorded for `vm` something else than came of it. Without a device the reason is the same errno again.',
      taint: 'What was recorded as `taint` is not the kernel’s taint after all that the script did. It is read last, from `/proc/sys/kernel/tainted`.',
    },
    async test(run) {
      if (run.settings.mode !== mode) return fail('not-yet', `this run was on a machine booted ${optionWords(run.settings.mode)}`)
      if (recorded(run, 'taint') === undefined || recorded(run, 'memory') === undefined) return fail('ended', endingWords(run))
      if (recorded(run, 'device') !== wanted.device) return fail('no-errno', `"device" is ${String(recorded(run, 'device'))}`)
      if (recorded(run, 'vm') !== wanted.vm) return fail('vm', `"vm" is ${String(recorded(run, 'vm'))}`)
      return Number(recorded(run, 'taint')) === (await taintMask(run)) ? 'pass' : fail('taint', `"taint" is ${String(recorded(run, 'taint'))}`)
    },
  }
}

/** A question whose answer does not depend on the machine of the newest run. */
function question(id: string, step: string, title: string, right: string, explanations: Readonly<Record<string, string>>, why: (given: string) => string): Check {
  return {
    id,
    title,
    step,
    explanations: { unanswered: 'The question of this step is not answered yet.', ...explanations },
    async test(run) {
      const given = run.answers[id]
      if (given === undefined) return fail('unanswered', 'nothing was chosen')
      return given === right ? 'pass' : fail(why(given), `"${given}" was chosen`)
    },
  }
}

export const checks: readonly Check[] = [
  taken('none', 'instrument', 'Measured without KVM', { device: 'ENOENT', vm: 'ENOENT' }),
  taken('protected', 'instrument', 'Measured with kvm-arm.mode=protected', { device: 'there', vm: 'made' }),
  question(
    'price',
    'cost',
    'What protection costs in memory',
    'six',
    {
      early: 'Compare `memory` of the two runs: the difference is there before the script has asked for any VM.',
      'other-reservation': 'A reservation of 64 MiB is in the console, and it is there on every one of these machines: it is `cma`, and not the hypervisor’s. Look for the line that begins with `kvm`.',
      difference: 'Take the difference of the two values of `memory` and divide it by 1048576.',
    },
    given => (given === 'nothing' ? 'early' : given === 'sixtyfour' ? 'other-reservation' : 'difference'),
  ),
  taken('nested', 'words', 'Measured with a word that is not served', { device: 'there', vm: 'EINVAL' }),
  taken('nvhe', 'words', 'Measured with kvm-arm.mode=nvhe', { device: 'there', vm: 'EINVAL' }),
  taken('absent', 'words', 'Measured without a word', { device: 'there', vm: 'EINVAL' }),
  question(
    'el2',
    'el2',
    'What is at EL2 when KVM is off',
    'stub',
    {
      answered: 'Then nobody could answer an `HVC`. On the machine with `none`, the events of the boot have some, and each has a result.',
      initialised: 'KVM’s hypervisor comes to life by the call `__kvm_hyp_init`. Look for it in the events of the boot, with `none` and with `nvhe`.',
    },
    given => (given === 'kvm' ? 'initialised' : 'answered'),
  ),
]

export const outcomes: Readonly<Record<string, Outcome>> = {
  none: async run => {
    const device = recorded(run, 'device')
    return run.settings.mode === 'none' && typeof device === 'string' && device.startsWith('E') ? device.toLowerCase() : null
  },
  nested: async run => {
    if (run.settings.mode !== 'nested') return null
    if (consoleLines(run, 'KVM disabled').length > 0) return 'off'
    const started = (await run.bootEvents()).some(event => callOf(event) === '__kvm_hyp_init')
    const complained = (((await taintMask(run)) ?? 0) & TAINT_WARN) !== 0 && consoleLines(run, 'Malformed early option').length > 0
    return started && complained ? 'default' : null
  },
}
