import { type Check, endingWords, fail, type LessonRun, type Outcome, recorded } from '../../checks.ts'

type ByHand = LessonRun['hostCalls'][number]

const CALLS = 0xc600_0000n
const ERROR = 1n << 63n

/** What the second CPU was told to call, or null where a call came alone: its function id stays in x9. */
function beside(call: ByHand): number | null {
  const x9 = BigInt(call.registers[9] ?? '0')
  return x9 > CALLS && x9 < CALLS + 0x1_0000n ? Number(x9 - CALLS) : null
}

const DONATE_GUEST = 0x1f

/** Calls by hand with a donation by a second CPU at the same moment. */
const races = (run: LessonRun, name: string) => run.hostCalls.filter(call => call.name === name && beside(call) === DONATE_GUEST)
const bothWon = (call: ByHand) => call.result === '0' && BigInt(call.registers[10] ?? '0') === 0n
const oneWon = (call: ByHand) => call.result === '-EPERM' && BigInt(call.registers[10] ?? '0') < ERROR
const twoOwners = (call: ByHand) => call.events.some(event => event.kind === 'violation' && event.details['rule'] === 'one-owner')
const told = (call: ByHand) => `${call.text} = ${call.result}, the other ${call.registers[10] ?? ''}`

const race: Check = {
  id: 'race',
  title: 'Two CPUs give the same page away, and both succeed',
  step: 'race',
  explanations: {
    'no-guest': 'The guest did not ring. [The trace](lab:view/trace) and [the console](lab:view/console) show how far it came.',
    none: 'No `__pkvm_host_donate_guest` was made by hand. Run the script, and call it from [the hypercall console](lab:view/hypercall).',
    'not-loaded': 'The hypervisor answered -EINVAL: it gives to the VM whose vCPU is loaded, and the host kernel has put it down after the run. Call `__pkvm_vcpu_load` first.',
    alone:
      'You made the calls one after the other. The second then sees what the first has done, and is refused: no lock is needed for that. Hand both in *at once*: the other CPU\'s goes into x9 and up of the same call.',
    apart: 'Two donations at once, and each got its way, rightly: they are about different pages, or one of them never was the host\'s. Put the **same** pfn into both.',
    refused: 'One of the two was refused, as it should be in a sound system. Here the look still has to be outside the lock. Reset the two sources, build, and do it again.',
  },
  async test(run) {
    if (recorded(run, 'ring') !== 'mmio') return fail('no-guest', endingWords(run))
    const made = run.hostCalls.filter(call => call.name === '__pkvm_host_donate_guest')
    const [first] = made
    if (first === undefined) return fail('none', `${run.hostCalls.length} calls by hand`)
    const pairs = races(run, '__pkvm_host_donate_guest')
    if (pairs.some(call => bothWon(call) && twoOwners(call))) return 'pass'
    const words = made.map(told).join('; ')
    if (made.every(call => call.result === '-EINVAL')) return fail('not-loaded', words)
    if (pairs.length === 0) return fail('alone', words)
    return fail(pairs.some(oneWon) ? 'refused' : 'apart', words)
  },
}

const cross: Check = {
  id: 'cross',
  title: 'Two different calls race just as well',
  step: 'cross',
  explanations: {
    none: 'No `__pkvm_host_share_hyp` was made by hand together with a donation in x9 to x11.',
    refused: 'One of the two was refused: these two do not race (any more), or the page was not the host\'s alone to begin with. Take the page recorded as `other`, with the sources as they came.',
    unanswered: 'The question of this step is not answered yet.',
    wrong: 'Not these. Select the [violation](lab:view/events) of the second race: its text names both.',
  },
  async test(run) {
    const pairs = races(run, '__pkvm_host_share_hyp')
    if (pairs.length === 0) return fail('none', run.hostCalls.map(call => call.text).join(', '))
    if (!pairs.some(call => bothWon(call) && twoOwners(call))) return fail('refused', pairs.map(told).join('; '))
    const chosen = run.answers['owners']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    return chosen === 'host' ? 'pass' : fail('wrong', `"${chosen}" was chosen`)
  },
}

const mended: Check = {
  id: 'mended',
  title: 'Mended: of two at once, one gets -EPERM',
  step: 'mend',
  explanations: {
    honest: 'The guest does not run any more. [The console](lab:view/console) says what the hypervisor refused.',
    idle: 'Not both races were run in this build: two donations of the same page, and a share with a donation of the same page.',
    donate:
      'Two donations of one page still both succeed. What decides must be *read* with the lock held: not only the comparison, the load of the record as well. A value from before the lock is an answer to an old question.',
    share:
      'Two donations are told apart, a donation and a share are not. A lock protects nothing by itself: it works when **everybody** who changes the record looks and changes under it. One function that does not is enough.',
    neither: 'Of two calls at once none succeeds any more. The one that comes first should.',
    fell: 'One of the two is refused each time, and a rule fell all the same. Select it in [the events](lab:view/events).',
  },
  async test(run) {
    if (recorded(run, 'ring') !== 'mmio') return fail('honest', endingWords(run))
    const donations = races(run, '__pkvm_host_donate_guest')
    const shares = races(run, '__pkvm_host_share_hyp')
    if (donations.length === 0 || shares.length === 0) return fail('idle', `${donations.length} and ${shares.length} races`)
    const all = [...donations, ...shares]
    for (const [pairs, explanation] of [[donations, 'donate'], [shares, 'share']] as const) {
      const lost = pairs.find(bothWon)
      if (lost !== undefined) return fail(explanation, told(lost))
    }
    const rule = (await run.events()).find(event => event.kind === 'violation')
    if (rule !== undefined) return fail('fell', rule.text)
    return all.some(call => !oneWon(call)) ? fail('neither', all.map(told).join('; ')) : 'pass'
  },
}

const held: Check = {
  id: 'held',
  title: 'For how long the lock is held',
  step: 'held',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    twice:
      'Each half is fine by itself, and between them the lock is free: another CPU comes in, and what was found is old again. (Here the second CPU comes once, where the lock is first asked for; so this machine would let it pass.)',
    change: 'Then two looks may see the same free page, one after the other, and both go on to change it. That is where this lesson began.',
  },
  async test(run) {
    const chosen = run.answers['held']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    return chosen === 'through' ? 'pass' : fail(chosen === 'twice' ? 'twice' : 'change', `"${chosen}" was chosen`)
  },
}

export const checks: readonly Check[] = [race, cross, mended, held]

export const outcomes: Readonly<Record<string, Outcome>> = {
  results: async run => {
    const [pair] = races(run, '__pkvm_host_donate_guest')
    if (pair === undefined) return null
    if (bothWon(pair)) return 'both'
    return oneWon(pair) ? 'one' : 'none'
  },
}
