import { callOf, type Check, endingWords, fail, hypPanic, type LessonRun, type Outcome, recorded } from '../../checks.ts'

/** The calls that should not exist, by what is wrong with them. */
const WRONG_NUMBERS = [
  { what: 'beyond', wrong: 0x3a },
  { what: 'hole', wrong: 0x8 },
] as const

const firstCall = async (run: LessonRun) => (await run.bootEvents()).find(event => callOf(event) === '__pkvm_init')

const starts: Check = {
  id: 'starts',
  title: 'The first call reaches its function, and KVM comes up',
  step: 'number',
  unbooted: true,
  explanations: {
    unheard: 'Every call is still answered with -1: see [the events](lab:view/events), and the line of KVM in the console. The number has to find its way to the table, and from there to a function; all three parts are needed.',
    arguments:
      'The call reached `__pkvm_init`, and the function refused what it was given. It takes the start of its memory in `x0` and the size in `x1`. The caller had put its function identifier in `x0`, and the arguments *behind* it.',
    panicked: 'EL2 went to a place where it cannot execute anything, and panicked. The address is in the console, as `ELR_EL2`. How does your code make an address of the table\'s word? The word is 32 bits, signed, and counts from the table.',
    silent: 'The system did not come up, and there is no panic. Look at what the events tell last.',
  },
  async test(run) {
    const panic = hypPanic(run)
    if (panic !== null && !run.ready) return fail('panicked', `HYP panic: ${panic.why}, ESR_EL2 0x${panic.esr.toString(16)}`)
    if (!run.ready) return fail('silent', endingWords(run))
    const first = await firstCall(run)
    if (recorded(run, 'api') === 12) return 'pass'
    const result = first?.details['result'] ?? 'nothing'
    return fail(/^-E/.test(result) ? 'arguments' : 'unheard', first?.text ?? 'no call was seen')
  },
}

const unknown: Check = {
  id: 'unknown',
  title: 'Two calls that do not exist are refused, and the machine goes on',
  step: 'unknown',
  explanations: {
    'not-made': 'Make the two calls in the hypercall console: `0x3a` and `0x8`, each without arguments.',
    beyond:
      'Call `0x3a` was not refused. The table ends before it, and what lies behind is whatever the assembler put there: EL2 took it for a distance, and jumped. Any host could choose the number. Compare it with `HOST_CALLS` before the table is asked.',
    hole: 'Call `0x8` was not refused. Its word in the table is 0: no function. A distance of 0 leads to the table itself, which is data, and EL2 tried to execute it.',
  },
  async test(run) {
    for (const { what, wrong } of WRONG_NUMBERS) {
      const call = run.hostCalls.find(({ number }) => number === wrong)
      if (call === undefined) return fail('not-made', run.hostCalls.length === 0 ? 'no call was made by hand' : `made so far: ${run.hostCalls.map(({ text }) => text).join(', ')}`)
      if (call.end !== 'returned' || call.status !== 'NOT_SUPPORTED') return fail(what, `${call.text}: ${call.end}, ${call.status} ${call.result}`)
    }
    return 'pass'
  },
}

export const checks: readonly Check[] = [starts, unknown]

export const outcomes: Readonly<Record<string, Outcome>> = {
  // What it was at the start; later there is nothing to be seen of it.
  silence: async run => {
    if (!run.ready) return hypPanic(run) === null ? 'dead' : 'panic'
    return (await firstCall(run))?.details['result'] === '0' ? null : 'up'
  },
}
