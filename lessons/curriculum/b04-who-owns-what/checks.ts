import { type Check, endingWords, fail, type HostCallAnswer, hypPanic, type LessonRun, type Outcome, pageOf, type PageState, recorded, stateWords } from '../../checks.ts'

const OWNED = 0
const SHARED_OWNED = 1
const SHARED_BORROWED = 2
const NOPAGE = 3
/** Host NOPAGE, hypervisor OWNED (XOR NOPAGE) in the byte of the two states. */
const HYP_OWNED = 0x33

/** A page of the hypervisor's text. */
const hypPage = async (run: LessonRun) => {
  const told = await run.resolve('check_page_state')
  return told.known ? told.value - (told.value % 4096) : null
}

const recorded_: Check = {
  id: 'recorded',
  title: 'The record of the hypervisor\'s own pages says that they are its own',
  step: 'write',
  unbooted: true,
  explanations: {
    nothing: 'The record of a page of the hypervisor is all zeroes, which means: the host\'s alone. The host\'s stage 2 says otherwise: look the page up in the inspector. `set_page_state` leaves nothing behind yet.',
    'other-byte':
      'Something was written to the record, into another byte. `hyp_page` is 8 bytes: a reference count, an order, **the two states**, a count of guests. Your code reads and writes the same wrong place, so it agrees with itself; but it overwrites the count that is there, and whoever reads the record by its layout sees a page of the host.',
    'no-way-back':
      'The machine does not come back from `set_page_state` or `check_page_state`. `bl` puts the address behind it in `x30`, and the address to which *your* function has to return was in there. Keep it in another register meanwhile; `ret` takes any register.',
    panicked: 'The hypervisor panicked while it set itself up. The console has its last words.',
    other: 'The record of a page of the hypervisor does not say what it should: not the host\'s (NOPAGE), the hypervisor\'s own (OWNED).',
  },
  async test(run) {
    const panic = hypPanic(run)
    if (!run.ready && panic !== null) return fail('panicked', `HYP panic: ${panic.why}, ESR_EL2 0x${panic.esr.toString(16)}`)
    const page = await hypPage(run)
    if (page === null) return fail('other', 'check_page_state is nowhere to be found')
    const init = [...(await run.bootEvents()), ...(await run.events())].some(event => event.kind === 'hypercall')
    if (!run.ready && !init) return fail('no-way-back', endingWords(run))
    const { record } = await run.page(page)
    if (!record.known) return run.ready ? fail('other', record.why) : fail('no-way-back', endingWords(run))
    const raw = BigInt(record.value.raw)
    if (Number((raw >> 24n) & 0xffn) === HYP_OWNED) return run.ready ? 'pass' : fail('no-way-back', endingWords(run))
    const state = stateWords(await run.ownership(page))
    if (raw === 0n) return fail('nothing', `${state}; the record is ${record.value.raw}`)
    return fail(Number(raw & 0xffn) === HYP_OWNED ? 'other-byte' : 'other', `${state}; the record is ${record.value.raw}`)
  },
}

const lent: Check = {
  id: 'lent',
  title: 'The host lent pages to the hypervisor, and has them back',
  step: 'check',
  explanations: {
    refused: 'The host could not lend a page that is its own, so it could not make a VM. `check_page_state` says `-EPERM` although the states are as expected.',
    'no-vm': 'The probe did not come to make its VM.',
    unseen: 'The host lent its pages and no record of it changed.',
  },
  async test(run) {
    const shares = (await run.events()).filter(event => event.kind === 'hypercall' && event.text.startsWith('__pkvm_host_share_hyp('))
    if (shares.length === 0) return fail('no-vm', endingWords(run))
    const denied = shares.find(event => event.details['result'] !== '0' && !run.hostCalls.some(call => call.events.some(other => other.sequence === event.sequence)))
    if (denied !== undefined) return fail('refused', denied.text)
    const changes = (await run.events()).flatMap(event => event.change ?? [])
    const lentPage = ({ host, hyp }: PageState) => host === SHARED_OWNED && hyp === SHARED_BORROWED
    const out = changes.filter(({ before, after }) => before.host === OWNED && lentPage(after)).length
    const back = changes.filter(({ before, after }) => lentPage(before) && after.host === OWNED && after.hyp === NOPAGE).length
    return out > 0 && back > 0 ? 'pass' : fail('unseen', `${shares.length} pages were lent; ${out} records changed, and ${back} changed back`)
  },
}

const refused: Check = {
  id: 'refused',
  title: 'A page cannot be lent twice, and a device not at all',
  step: 'ask',
  explanations: {
    'not-made': 'Make three calls in the hypercall console: `host_share_hyp` twice with the page number that the probe printed, then with `0x9000`.',
    first: 'The first call should succeed: the page is the host\'s alone. Take the number that the probe of *this* run has printed.',
    twice: 'The same page was lent twice, and nobody objected. After the first call its record says `SHARED_OWNED`, and a page that may be lent has to be `OWNED`. Who has not looked? Undoing one of the two loans would leave the hypervisor with a page that the host believes to be free.',
    outside:
      '`0x9000` is the page of the UART, and no RAM: there is no record for it. Your code computed where its record would be, and looked there, in memory that holds something else or is not mapped at all. Anything that a host says is to be doubted, page numbers first: compare with `hyp_memory` before the record is read.',
  },
  async test(run) {
    const page = await pageOf(run, 'answer:page')
    const shares = run.hostCalls.filter(({ name }) => name.endsWith('host_share_hyp'))
    const of = (pfn: number) => shares.filter(call => new RegExp(`pfn 0x${pfn.toString(16)}\\b`).test(call.text))
    if (page === null || recorded(run, 'page') === undefined) return fail('not-made', endingWords(run))
    const [first, second] = of(page / 4096)
    const [uart] = of(0x9000)
    const words = (call: HostCallAnswer) => `${call.text}: ${call.end === 'returned' ? call.result : call.end}`
    if (first !== undefined && first.result !== '0') return fail('first', words(first))
    if (second !== undefined && second.result !== '-EPERM') return fail('twice', words(second))
    if (uart !== undefined && uart.result !== '-EPERM') return fail('outside', words(uart))
    if (first === undefined || second === undefined || uart === undefined) return fail('not-made', `made so far: ${shares.map(words).join(', ') || 'none'}`)
    return 'pass'
  },
}

export const checks: readonly Check[] = [recorded_, lent, refused]

export const outcomes: Readonly<Record<string, Outcome>> = {
  // A page that nobody has touched: its record is zero, and that is the host's.
  zero: async run => {
    const { host, hyp } = await run.ownership(0x4400_0000)
    return host === OWNED && hyp === NOPAGE ? 'host' : null
  },
}
