import { type Check, calls, endingWords, eventsBetween, failedCall, fail, type LessonRun, type Outcome, recorded, vmsMade } from '../../checks.ts'

/** Where guest.s starts, and where the host leaves its note. */
const PROGRAM = 0x4000_0000
const PAGE_SIZE = 4096

/** Guest addresses of the pages donated to the protected VM, in the order in which they left; up to a moment. */
async function donated(run: LessonRun, upTo = Number.POSITIVE_INFINITY): Promise<readonly number[]> {
  const [vm] = await vmsMade(run, 'protected')
  const pages: number[] = []
  for (const event of await run.events()) {
    const before = event.change?.before.donatedTo
    const after = event.change?.after.donatedTo
    if (vm === undefined || event.instructions > upTo || after?.handle !== vm || before?.handle === vm) continue
    for (let page = 0; page < (event.pages ?? 1); page++) pages.push((after.gfn + page) * PAGE_SIZE)
  }
  return pages
}

const words = (pages: Iterable<number>) => [...pages].map(page => `0x${page.toString(16)}`).join(', ') || 'none'

const lost: Check = {
  id: 'lost',
  title: 'The script found the pages that the host had lost at the first ring',
  step: 'touch',
  explanations: {
    'no-vm': 'No protected VM ran. How far did the script get? See [the trace](lab:view/trace).',
    empty: 'The list is empty. The loop has to try each page: load a word of it as the host, and add the page when the load fails.',
    program:
      'You have the data and not the program. The guest *fetched* its instructions from the first page, and that was its first touch of all: see the abort "instruction fetch of IPA 0x40000000" in [the events](lab:view/events). Try all eight.',
    late:
      'These pages are gone, but most of them went later, when the guest ran on. The question is which had left at the **first** ring; so the loop has to stand before the second `vcpu.run()`.',
    kept: 'There are pages in the list that the host still has. Add a page only when the load failed: `attempt` gives `ok: false` then.',
    missed: 'Pages are missing from the list. Compare it with the donations in [the events](lab:view/events).',
  },
  async test(run) {
    const firstRun = calls(run, 'vcpu.run')[0]
    const gone = await donated(run, firstRun?.ended)
    if (firstRun === undefined || gone.length === 0) return fail('no-vm', endingWords(run))
    const told = recorded(run, 'lost')
    const list = Array.isArray(told) ? told.map(Number) : []
    const seen = `the script says ${words(list)}; donated were ${words(gone)}`
    if (list.length === 0) return fail('empty', seen)
    const later = await donated(run)
    if (list.some(page => !later.includes(page))) return fail('kept', seen)
    if (list.some(page => !gone.includes(page))) return fail('late', seen)
    if (gone.every(page => list.includes(page))) return 'pass'
    return fail(list.includes(PROGRAM) ? 'missed' : 'program', seen)
  },
}

const note: Check = {
  id: 'note',
  title: 'What the host had left on the page, the guest found',
  step: 'touch',
  explanations: {
    silent: 'The guest has not rung, or the script recorded nothing as `found`.',
    empty: 'The guest found 0. The host has to write its note before the guest first touches the page; afterwards it cannot.',
  },
  async test(run) {
    const found = recorded(run, 'found')
    if (typeof found !== 'bigint' && typeof found !== 'number') return fail('silent', endingWords(run))
    return Number(found) === 0 ? fail('empty', 'the guest rang with 0') : 'pass'
  },
}

const entry: Check = {
  id: 'entry',
  title: 'What the annotation says',
  step: 'annotation',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    address:
      'That is what the entry said while it was a mapping. Where the page is, EL2 need not note: the host\'s stage 2 is one to one, so the place of the entry tells it. Compare bits 59:20 of the two entries with the guest\'s addresses of the two pages.',
    other: 'EL2 has to know whom to ask about this page, and which one it is there. Compare bits 59:20 with the guest\'s address of the page, and bits 19:4 with the number of the VM.',
  },
  async test(run) {
    const chosen = run.answers['entry']
    if (chosen === undefined) return fail('unanswered', 'nothing was chosen')
    if (chosen === 'guest') return 'pass'
    return fail(chosen === 'address' ? 'address' : 'other', `"${chosen}" was chosen`)
  },
}

const refused: Check = {
  id: 'refused',
  title: 'With three pages allowed, the host was refused another',
  step: 'limit',
  explanations: {
    'no-run': 'The guest was not run again after its first ring. See [the trace](lab:view/trace) for how far the script got.',
    privileged:
      'The limit was three pages, and more than three are pinned: nobody was held to it. The process is root, and root has `CAP_IPC_LOCK`. Give up root before the guest runs on.',
    roomy: '`KVM_RUN` never ended with `ENOMEM`: the limit was not lower than what the guest needed. Let it run into the limit of three pages once.',
  },
  async test(run) {
    if (failedCall(run, 'vcpu.run', 'ENOMEM') !== undefined) return 'pass'
    if (calls(run, 'vcpu.run').length < 2) return fail('no-run', endingWords(run))
    const dropped = calls(run).some(call => call.error === null && /set(res)?uid|capset/.test(call.text))
    return fail(dropped ? 'roomy' : 'privileged', `${(await donated(run)).length} pages were donated, and no KVM_RUN was refused`)
  },
}

const enough: Check = {
  id: 'enough',
  title: 'The limit is what the guest needs, to the page, and the guest came to its end',
  step: 'limit',
  explanations: {
    short:
      'The guest has not rung a second time: the last `KVM_RUN` ended with `ENOMEM` again. It touches more pages than `NEEDED` allows. Its program is one of them.',
    generous:
      'The guest got there, and the limit is higher than what it needs. Pages that it never touches never leave the host, and cost nothing. Count the donations to the VM in [the events](lab:view/events).',
    unknown: 'The script has not recorded the limit at its end. It does so in its last line.',
  },
  async test(run) {
    const pages = (await donated(run)).length
    const limit = recorded(run, 'limit')
    const last = calls(run, 'vcpu.run').at(-1)
    if (last === undefined || last.error !== null) return fail('short', `${pages} pages were donated; ${last?.error?.code ?? 'no run'}`)
    if (typeof limit !== 'number') return fail('unknown', endingWords(run))
    return limit === pages ? 'pass' : fail(limit > pages ? 'generous' : 'short', `the limit is ${limit} pages, and ${pages} were donated`)
  },
}

export const checks: readonly Check[] = [lost, note, entry, refused, enough]

export const outcomes: Readonly<Record<string, Outcome>> = {
  note: async run => {
    const found = recorded(run, 'found')
    return typeof found !== 'bigint' && typeof found !== 'number' ? null : Number(found) === 0 ? 'zero' : 'kept'
  },
  limit: async run => {
    const call = failedCall(run, 'vcpu.run', 'ENOMEM')
    if (call === undefined) return null
    const gone = (await eventsBetween(run, call.began, call.ended)).filter(event => event.kind === 'ownership' && event.change?.after.donatedTo)
    return gone.length === 0 ? 'none' : 'one'
  },
}
