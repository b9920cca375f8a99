import { allEvents, type Check, endingWords, fail, firstEvent, type LessonRun, type Outcome, recorded, vmsMade } from '../../checks.ts'

const VAULT = 0x4000_1000
const TABLE_GFN = 0x40002
const DOORBELL = 0x1000_0000

/** Which of the sixteen pages the guest touched: the one that was donated to it. Null when the guest never got there. */
async function touched(run: LessonRun): Promise<number | null> {
  for (const { details } of await allEvents(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest', details: { result: '0' } })) {
    const distance = Number(details['gfn']) - TABLE_GFN
    if (distance >= 0 && distance < 16) return distance
  }
  return null
}

/** Whether the guest stored to that place of its doorbell. */
const rang = async (run: LessonRun, offset: number) =>
  (await firstEvent(run, { kind: 'abort', details: { who: /^VM/, ipa: `0x${(DOORBELL + offset).toString(16)}` } })) !== undefined

const key: Check = {
  id: 'key',
  title: 'The host has the guest\'s key',
  step: 'registers',
  explanations: {
    'no-guest': 'No protected guest came to its first ring. The trace tells where the script stopped, and why.',
    unread: 'The script has no key yet. The memory is closed to it; at the mark it should ask for a register.',
    other: 'That is a register of the guest, or was, but not the one with the key. The third block of `guest.s` says in which it is kept; and ask at the first ring, before anything is changed.',
  },
  async test(run) {
    const digit = await touched(run)
    if (digit === null || !(await rang(run, 0))) return fail('no-guest', endingWords(run))
    const told = recorded(run, 'key')
    if (typeof told !== 'bigint' || told === 0n) return fail('unread', 'the answer "key" is empty')
    // The key fills 64 bits, everything else that this guest keeps in registers is an address or a small number.
    return told >> 32n !== 0n && Number(told & 15n) === digit ? 'pass' : fail('other', `the script recorded 0x${told.toString(16)}`)
  },
}

const digit: Check = {
  id: 'digit',
  title: 'The host knows which page the guest looked into',
  step: 'pages',
  explanations: {
    unread: 'The script has not found the page yet: the answer `digit` is still -1.',
    inverted: 'That page can be read, like fourteen others. It is the one that **cannot** be read that tells something: it is the only one that left the host.',
    other: 'That is not the page that the guest touched. Look for `__pkvm_host_donate_guest` in the events: gfn 0x40002 is the first of the table.',
  },
  async test(run) {
    const page = await touched(run)
    const told = recorded(run, 'digit')
    if (told === undefined || told === -1 || page === null) return fail('unread', page === null ? 'the guest touched none of them' : 'no page was named')
    if (Number(told) === page) return 'pass'
    const inTable = Number(told) >= 0 && Number(told) < 16
    return fail(inTable ? 'inverted' : 'other', `the script said ${String(told)}, the guest touched ${page}`)
  },
}

const door: Check = {
  id: 'door',
  title: 'The guest opened a door that it had locked',
  step: 'change',
  explanations: {
    locked: 'The guest found its door locked and rang at DOORBELL + 8. Between the two rings it tests `w23`, and nobody had changed it by then.',
    nowhere: 'The guest came to neither of the two rings. If its `pc` was changed before the second ring, it never made the test.',
  },
  async test(run) {
    if (await rang(run, 16)) return 'pass'
    return (await rang(run, 8)) ? fail('locked', 'the guest rang at DOORBELL + 8') : fail('nowhere', endingWords(run))
  },
}

const diary: Check = {
  id: 'diary',
  title: 'The guest shared its vault because the host said so, and the host read the diary',
  step: 'borrow',
  explanations: {
    'no-call': 'The guest did not come to `call`. At the mark, give it the arguments of `MEM_SHARE` in x0 to x3, and a `pc`.',
    skipped:
      'The guest rang at DOORBELL + 24, and there is no `MEM_SHARE` in the events: it ran the instruction **after** the `hvc`. The guest had stopped in the middle of a store. Before it goes on, KVM completes that store, and steps `pc` over it: over what you had just put there.',
    'other-page': 'The guest called `MEM_SHARE`, for another page. x1 wants the address of the vault.',
    refused: 'EL2 refused the call. The event has the arguments as they arrived: x1 the first byte of a page of the guest, x2 and x3 zero.',
    unread: 'The page is shared, and the script has no text from it. The diary begins 0x100 bytes into the vault.',
  },
  async test(run) {
    const [vm] = await vmsMade(run, 'protected')
    const calls = vm === undefined ? [] : await allEvents(run, { kind: 'guest-hypercall', call: 'MEM_SHARE', vm })
    if (calls.length === 0) return (await rang(run, 24)) ? fail('skipped', 'the guest rang with what was in x0 before') : fail('no-call', endingWords(run))
    const granted = calls.filter(event => event.details['result'] === '0x0')
    if (granted.length === 0) return fail('refused', calls[0]!.text)
    if (!granted.some(event => event.text.includes(`ipa 0x${VAULT.toString(16)}`))) return fail('other-page', granted[0]!.text)
    const text = recorded(run, 'diary')
    return typeof text === 'string' && text.includes(' ') ? 'pass' : fail('unread', `the script read ${String(text)}`)
  },
}

/** A question with one right choice, whose other choices have an explanation of the same name. */
function asked(id: string, step: string, title: string, right: string, explanations: Readonly<Record<string, string>>): Check {
  return {
    id,
    title,
    step,
    explanations: { unanswered: 'The question at the end of the step is not answered yet.', ...explanations },
    async test(run) {
      const given = run.answers[id]
      if (given === undefined) return fail('unanswered', 'nothing was chosen')
      return given === right ? 'pass' : fail(given, `"${given}" was chosen`)
    },
  }
}

const rule = asked('rule', 'borrow', 'Which rule EL2 broke', 'none', {
  host: 'Look at the event: `MEM_SHARE` came from the vCPU of the VM. The host made no call about this page. It only wrote a few registers before it let the guest go on.',
  reserved: 'They were zero, because you wrote zeros there. EL2 did look.',
})

const dma = asked('dma', 'untried', 'What this lesson can say of devices', 'untried', {
  held: 'A stage 2 stands between a **processor** and memory. A device with DMA is no processor: its accesses do not pass there. Whatever holds them back has to stand between the device and memory, and the script found nothing of the kind on this machine.',
  open: 'That may be so on some machine, and it was not seen here: there is no device on this one that could have tried. What was not tried can not be claimed, in either direction.',
})

export const checks: readonly Check[] = [key, digit, door, diary, rule, dma]

export const outcomes: Readonly<Record<string, Outcome>> = {
  // The register was asked for at the first ring: either it was given or it was not.
  registers: async run => {
    const call = run.script?.calls.find(one => one.name === 'vcpu.get' || one.name === 'vcpu.registers')
    if (call === undefined) return null
    return call.error !== null ? 'denied' : (await key.test(run)) === 'pass' ? 'given' : null
  },
}
