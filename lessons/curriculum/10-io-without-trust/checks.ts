import { allEvents, type Check, endingWords, eventsBetween, fail, firstEvent, type LabEvent, type LessonRun, type Outcome, pageOfGuest, recorded, stateWords, vmsMade } from '../../checks.ts'

const BUFFER = 0x4000_2000
/** What vmm.ts leaves in the page for the guest. */
const REPLY = 0x0c0f_fee0n

/** The page that a MEM_SHARE or MEM_UNSHARE names, and its two reserved arguments. */
function asked(event: LabEvent) {
  const [, ipa = '0', arg2 = '0', arg3 = '0'] = /ipa (0x[0-9a-f]+), arg2 (0x[0-9a-f]+), arg3 (0x[0-9a-f]+)/.exec(event.text) ?? []
  return { ipa: Number(ipa), reserved: Number(arg2) !== 0 || Number(arg3) !== 0, granted: Number(event.details['result'] ?? NaN) === 0 }
}

const sharings = async (run: LessonRun, call: string) => (await allEvents(run, { kind: 'guest-hypercall', call })).map(asked)

/** The first of those calls about BUFFER that EL2 granted. */
const grant = async (run: LessonRun, call: string) =>
  (await allEvents(run, { kind: 'guest-hypercall', call })).find(event => asked(event).granted && asked(event).ipa === BUFFER)

/** What the host noted at a ring: the names of the pages that it could read, or null when the guest did not ring there. */
function readable(run: LessonRun, ring: string): string | null {
  const names = recorded(run, `readable ${ring}`)
  return Array.isArray(names) ? names.join(', ') : null
}

const shared: Check = {
  id: 'shared',
  title: 'The guest shared BUFFER with the host, and no other page',
  step: 'share',
  explanations: {
    'no-guest': 'No protected guest ran. The trace tells which call of the host failed, and why.',
    none: 'The guest did not call `MEM_SHARE`. Mark 1 in `guest.s` still rings with a zero of its own, which looks just like success: a result says something only if something was asked.',
    convention:
      'The guest got -1, *not supported*, and the event tells that the **host** answered. Function numbers that begin with 0x86 follow the 32-bit convention, those with 0xc6 the 64-bit one. They are different functions: EL2 does not know 0x86000003 and passes it on to the host, which does not know it either.',
    'other-page':
      'EL2 did what you asked: it shared that page. It is not the one with the message. There is nobody between the guest and this mistake: the hypervisor cannot know which pages are meant to be secret. See which page the host can read at the second ring.',
    unaligned:
      'The guest got -3, *invalid parameter*. The address is inside BUFFER and not its beginning. A stage 2 knows only whole pages, and EL2 refuses to guess whether you knew that you were about to share all 4096 bytes.',
    reserved: 'The guest got -3, *invalid parameter*. x2 and x3 are reserved and must be zero; EL2 looks at them.',
    refused: 'EL2 refused. The event has the arguments as they arrived: compare them with the table in the step.',
  },
  async test(run) {
    const [vm] = await vmsMade(run, 'protected')
    if (vm === undefined) return fail('no-guest', endingWords(run))
    const calls = await sharings(run, 'MEM_SHARE')
    if (calls.length === 0) {
      return recorded(run, 'shared') === -1n ? fail('convention', 'the call that the guest made returned -1') : fail('none', 'there is no MEM_SHARE in the events')
    }
    const wrong = calls.find(call => call.granted && call.ipa !== BUFFER)
    if (wrong !== undefined) return fail('other-page', `the guest shared the page at 0x${wrong.ipa.toString(16)}`)
    if (calls.some(call => call.granted)) return 'pass'
    const { ipa, reserved } = calls[0]!
    const which = reserved ? 'reserved' : ipa % 4096 !== 0 ? 'unaligned' : 'refused'
    return fail(which, `MEM_SHARE of 0x${ipa.toString(16)} was refused`)
  },
}

const heard: Check = {
  id: 'heard',
  title: 'At the second ring the host read the message, and nothing else',
  step: 'share',
  explanations: {
    'no-ring': 'The guest did not come to its second ring. If it touched an address without memory, it got an exception and has nobody to take it: the events show where it runs in circles.',
    'too-late': 'The host looked at the second ring and BUFFER was not shared yet. The guest did share it, after that. Order matters: a device that is told of a buffer looks at once.',
    more: 'The host could read more than BUFFER.',
    empty: 'The host could read the page and found no text at its beginning. Something overwrote the message.',
  },
  async test(run) {
    const names = readable(run, 'shared')
    if (names === null) return fail('no-ring', endingWords(run))
    if (names === '') return fail('too-late', 'the host could read no page at the second ring')
    if (names !== 'BUFFER') return fail('more', `the host could read ${names}`)
    const message = recorded(run, 'message')
    return typeof message === 'string' && message.length > 0 ? 'pass' : fail('empty', 'the host read an empty text')
  },
}

const ASKED: Readonly<Record<string, string>> = {
  'share-hyp': '__pkvm_host_share_hyp',
  'share-guest': '__pkvm_host_share_guest',
  donate: '__pkvm_host_donate_guest',
}

const hostAsked: Check = {
  id: 'asked',
  title: 'What the host had to ask for',
  step: 'share',
  explanations: {
    unanswered: 'The question at the end of the step is not answered yet.',
    'share-hyp': 'The host made such calls, for pages of its own: the structures of the VM and of its vCPU, before the guest ran. None of them is about BUFFER. Filter the events by that page.',
    'share-guest': 'That call lends pages of the host to a *normal* guest. Here it is not in the events at all.',
    donate: 'That is how BUFFER left the host, when the guest first wrote to it. Look at what is between the guest\'s `MEM_SHARE` and its ring.',
  },
  async test(run) {
    const given = run.answers['asked']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    if (given !== 'none') return fail(given, `${ASKED[given] ?? given} was chosen`)
    return 'pass'
  },
}

const reply: Check = {
  id: 'reply',
  title: 'The guest has what the host wrote',
  step: 'reply',
  explanations: {
    zero:
      'The guest told a zero. Either mark 2 still sets `w21` to zero, or the load comes too early: the host writes its reply when it is rung, so before the second ring there is nothing in the page yet. To the guest a ring is one store; to the host it is the moment to act.',
    other: 'The guest told another number than the one that the host wrote. Look at what the trace shows of `ram.write32`, and at which address the guest loads.',
    'no-ring': 'The guest did not come to its fourth ring.',
  },
  async test(run) {
    const told = recorded(run, 'reply')
    if (told === undefined) return fail('no-ring', endingWords(run))
    if (told === REPLY) return 'pass'
    if (told === 0n) return fail('zero', 'the guest told 0')
    return fail('other', `the guest told 0x${BigInt.asUintN(32, told as bigint).toString(16)}`)
  },
}

const takenBack: Check = {
  id: 'taken-back',
  title: 'At the third ring BUFFER was the guest\'s alone again',
  step: 'unshare',
  explanations: {
    none: 'The guest did not call `MEM_UNSHARE`, and the host goes on reading the page. A second `MEM_SHARE` is no toggle: see what it returned.',
    refused: 'EL2 refused. It takes back only pages that are shared, named by the address of their first byte, with x2 and x3 zero.',
    'too-late': 'The page was taken back, and the host had looked before that. The ring comes after the call.',
    still: 'The call succeeded, and at the third ring the host still had the page. See the page\'s history.',
  },
  async test(run) {
    const calls = await sharings(run, 'MEM_UNSHARE')
    if (calls.length === 0) return fail('none', 'there is no MEM_UNSHARE in the events')
    const granted = await grant(run, 'MEM_UNSHARE')
    if (granted === undefined) return fail('refused', `MEM_UNSHARE of 0x${calls[0]!.ipa.toString(16)} was refused`)
    if (readable(run, 'unshared') !== '') return fail('too-late', `at the third ring the host could read ${readable(run, 'unshared') ?? 'nothing yet'}`)
    const [vm] = await vmsMade(run, 'protected')
    const page = vm === undefined ? null : await pageOfGuest(run, vm, BUFFER)
    const change = (await eventsBetween(run, granted.instructions, Infinity)).find(event => event.kind === 'ownership' && event.physical === page)
    if (page === null || change === undefined) return fail('still', 'no change of ownership followed')
    const state = await run.ownership(page, change.instructions)
    return state.donatedTo?.handle === vm ? 'pass' : fail('still', stateWords(state))
  },
}

export const checks: readonly Check[] = [shared, heard, hostAsked, reply, takenBack]

export const outcomes: Readonly<Record<string, Outcome>> = {
  before: async run => {
    const names = readable(run, 'before')
    return names === null ? null : names === '' ? 'none' : names === 'BUFFER' ? 'message' : 'all'
  },
  after: async run => {
    // It says something only when the host wrote a reply and the page came back.
    const taken = await firstEvent(run, { kind: 'guest-hypercall', call: 'MEM_UNSHARE', details: { result: '0x0' } })
    const told = recorded(run, 'after')
    if (taken === undefined || !readable(run, 'shared')?.includes('BUFFER')) return null
    return told === REPLY ? 'reply' : told === 0n ? 'zero' : null
  },
}
