import {
  allEvents, callOf, type Check, calls, callsLike, endingWords, fail, failedCall, firstEvent, type LabEvent, type LessonRun, type Outcome, pageOfGuest, recorded,
  stateWords, vmsMade,
} from '../../checks.ts'

/** Where guest.s has its secret: the second page of its memory. */
const SECRET = 0x4000_1000
const OWNED = 0
/** User addresses end below, the kernel's begin far above. */
const USER_END = 1n << 55n

interface Scene {
  readonly vm: number
  readonly page: number
  /** When the page went to the guest. */
  readonly donated: LabEvent
  /** When the host took it back by force; undefined when it has not. */
  readonly forced: LabEvent | undefined
  /** Reads and writes of the host that EL2 refused, oldest first. */
  readonly refused: readonly LabEvent[]
}

/** The life of the secret's page, or null when it never went to a protected VM. */
async function scene(run: LessonRun): Promise<Scene | null> {
  const [vm] = await vmsMade(run, 'protected')
  const page = vm === undefined ? null : await pageOfGuest(run, vm, SECRET)
  if (vm === undefined || page === null) return null
  const donated = (await run.events()).find(event => event.physical === page && event.change?.after.donatedTo?.handle === vm)
  if (donated === undefined) return null
  const forced = await firstEvent(run, { kind: 'ownership', physical: page, text: 'by force' })
  const refused = await allEvents(run, { kind: 'abort', physical: page, details: { who: 'host', resolved: /^injected/ } })
  return { vm, page, donated, forced, refused }
}

const atUserAddress = (event: LabEvent) => BigInt(event.details['va'] ?? '0') < USER_END
const refusedLoad = ({ refused }: Scene) => refused.find(event => event.el === 0)
const refusedCopy = ({ refused }: Scene) => refused.find(event => event.el === 1 && atUserAddress(event))

/** The host's own loads of the script. */
const loads = (run: LessonRun) => calls(run).filter(call => /^(mem|ram)\.read(32|64|Text)?$/.test(call.name))

const load: Check = {
  id: 'load',
  title: 'A load of the VMM was refused',
  step: 'load',
  explanations: {
    'no-secret': 'The guest has not touched its secret\'s page, or the VM is not protected: nothing has left the host. See [the trace](lab:view/trace).',
    missing: 'The VMM has made no load from the secret\'s page. The first peek of the script does: `mem.read(address, 8)`.',
    early:
      'The load worked because the page was still the host\'s: it leaves with the guest\'s **first touch**, and the guest had not run yet. What you read is what was there before the secret. Peek after the first ring.',
    forced:
      'The load worked because the page was the host\'s again. The way by `/proc/self/mem` takes it by force, so it must be the last of the three; see the order in [the trace](lab:view/trace).',
    another: 'The load worked, and it read another page: one that this guest has never touched, so the host still has it. The secret is at `SECRET`.',
  },
  async test(run) {
    const all = await scene(run)
    if (all === null) return fail('no-secret', endingWords(run))
    if (refusedLoad(all) !== undefined) return 'pass'
    const good = loads(run).filter(call => call.error === null)
    if (good.length === 0) return fail('missing', endingWords(run))
    const seen = `${good[0]!.text} went well`
    if (good.every(call => call.ended <= all.donated.instructions)) return fail('early', seen)
    return fail(all.forced !== undefined && good.some(call => call.ended > all.forced!.instructions) ? 'forced' : 'another', seen)
  },
}

const call: Check = {
  id: 'call',
  title: 'The kernel could not copy from there either',
  step: 'call',
  explanations: {
    missing: 'The kernel has not been asked to copy from the secret\'s page. Which method of `mem` lets the *kernel* read a user\'s address?',
    forced: 'The kernel copied without trouble, for the page was the host\'s again: it had been taken by force before. See the order in [the trace](lab:view/trace).',
    unnoted: 'The kernel was refused, and the script has not noted what came of it. Note it under the name `call`.',
  },
  async test(run) {
    const all = await scene(run)
    const asked = calls(run, 'mem.readByKernel')
    if (all === null || refusedCopy(all) === undefined) return fail(asked.some(({ error }) => error === null) ? 'forced' : 'missing', endingWords(run))
    return recorded(run, 'call') === 'EFAULT' ? 'pass' : fail('unnoted', `the answer "call" is ${String(recorded(run, 'call'))}`)
  },
}

const intact: Check = {
  id: 'intact',
  title: 'Two refused reads had changed nothing for the guest',
  step: 'call',
  explanations: {
    silent: 'The guest did not run again after the two peeks. How far did the script get? See [the trace](lab:view/trace).',
    forced:
      'The guest could not ring a second time: its page had been taken by force before. The third peek belongs behind the guest\'s second run, where the script has a place for it.',
    changed: 'The guest rang with something else than its secret. Who wrote to the page? See its events.',
  },
  async test(run) {
    const all = await scene(run)
    const second = calls(run, 'vcpu.run')[1]
    if (all === null || second === undefined) return fail('silent', endingWords(run))
    if (all.forced !== undefined && all.forced.instructions < second.ended) return fail('forced', `the page was taken before the second run: ${all.forced.text}`)
    if ((await run.ownership(all.page, second.ended)).donatedTo?.handle !== all.vm) return fail('changed', 'the page is no longer the guest\'s')
    return recorded(run, 'intact') === true ? 'pass' : fail('changed', 'the second ring was not the secret')
  },
}

const taken: Check = {
  id: 'taken',
  title: 'The kernel faulted on its own map and took the page by force, empty',
  step: 'force',
  explanations: {
    missing: 'Nobody has taken the page yet. The third peek goes by `/proc/self/mem`; which method of `mem` is that?',
    unnoted: 'The page was taken, and what the host read there is not noted. Note it under the name `proc`.',
    full: 'There is something else than zeros in what the host read. Was it the page of the secret?',
    gone: 'The page was taken, and it is not the host\'s now. See its events.',
  },
  async test(run) {
    const all = await scene(run)
    if (all?.forced === undefined) return fail('missing', all === null ? endingWords(run) : stateWords(await run.ownership(all.page)))
    const told = recorded(run, 'proc')
    if (!(told instanceof Uint8Array)) return fail('unnoted', `the answer "proc" is ${String(told)}`)
    if (told.some(byte => byte !== 0)) return fail('full', 'not all bytes are zero')
    const state = await run.ownership(all.page, all.forced.instructions)
    return state.host === OWNED ? 'pass' : fail('gone', stateWords(state))
  },
}

const zeros: Check = {
  id: 'zeros',
  title: 'Who cleaned the page',
  step: 'force',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    host:
      'The host kernel does clear fresh pages; but this was not one, and the host could not have cleared it without a right to it. It got that right when `__pkvm_force_reclaim_guest_page` returned. If cleaning were left to the host, a hostile one would not do it.',
    guest: 'The guest did not run between the host\'s fault and the host\'s read: there is no world switch to it in [the events](lab:view/events). It was not asked, nor told.',
  },
  async test(run) {
    const chosen = run.answers['zeros']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    if (chosen === 'hyp') return 'pass'
    return fail(chosen === 'host' ? 'host' : 'guest', `"${chosen}" was chosen`)
  },
}

/** KVM_RUN of the guest whose page is gone. */
const stopped = (run: LessonRun) => callsLike(run, /KVM_RUN/).find(({ error, result }) => error?.code === 'EFAULT' || result?.includes('EFAULT') === true)

const poison: Check = {
  id: 'poison',
  title: 'The guest was stopped at its next touch, and EL2 said why',
  step: 'guest',
  explanations: {
    untaken: 'The guest still has its page, so nothing stops it. The third peek comes first.',
    idle: 'The page was taken, and the guest was not run again after that. Does the script get to its last run?',
    unasked: 'The run ended, but not because of a poisoned page. See the guest\'s last abort in [the events](lab:view/events).',
  },
  async test(run) {
    const all = await scene(run)
    if (all?.forced === undefined) return fail('untaken', 'the page was not taken by force')
    if (stopped(run) === undefined) return fail('idle', endingWords(run))
    const asked = (await run.events()).find(event => callOf(event) === '__pkvm_vcpu_in_poison_fault' && event.instructions > all.forced!.instructions)
    return asked?.details['result'] === '1' || asked?.details['result'] === '0x1' ? 'pass' : fail('unasked', asked?.text ?? 'EL2 was not asked about a poisoned page')
  },
}

export const checks: readonly Check[] = [load, call, intact, taken, zeros, poison]

export const outcomes: Readonly<Record<string, Outcome>> = {
  call: async run => {
    const all = await scene(run)
    return all !== null && refusedCopy(all) !== undefined && failedCall(run, 'mem.readByKernel', 'EFAULT') !== undefined ? 'efault' : null
  },
  proc: async run => ((await taken.test(run)) === 'pass' ? 'zeros' : null),
  guest: async run => ((await poison.test(run)) === 'pass' ? 'stops' : null),
}
