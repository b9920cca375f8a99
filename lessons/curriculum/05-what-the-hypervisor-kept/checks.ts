import { allEvents, type Check, endingWords, fail, firstEvent, type LessonRun, type Outcome, pageOf, recorded, stateWords } from '../../checks.ts'

const PAGE = 4096
const HYPERVISOR_OWNS = { host: 3, hyp: 0 }

/** Where the hypervisor's record of the pool's first page really is; null when the script found no page of its pool. */
async function recordOfPool(run: LessonRun): Promise<{ pool: number; record: number } | null> {
  const pool = await pageOf(run, 'answer:pool')
  if (pool === null || pool === 0) return null
  const { record } = await run.page(pool)
  return record.known ? { pool, record: record.value.address } : null
}

const record: Check = {
  id: 'record',
  title: 'The record of the pool’s first page is found',
  step: 'record',
  explanations: {
    'no-pool': 'The script has recorded no `pool`. The lines that take it out of the kernel’s message are still needed.',
    first: 'That is the first record of the table, the one of the first page of RAM. The records of all the pages of RAM that come before the pool stand before yours.',
    'from-zero':
      'The page number is counted from address 0 here. The table has no records for addresses that are not RAM: its first record is for the page at 0x40000000.',
    'one-byte': 'The page is counted rightly, and each record is taken as one byte. A record has 8 bytes.',
    other: 'Another record is at that address, or none. Select the pool’s first page on the map: the inspector tells where its record is. Which calculation leads there from `pool`?',
  },
  async test(run) {
    const found = await recordOfPool(run)
    if (found === null) return fail('no-pool', endingWords(run))
    const told = Number(recorded(run, 'record') ?? 0)
    if (told === found.record) return 'pass'
    const base = found.pool - (found.record - found.pool) / 8 * PAGE
    const known: Record<number, string> = {
      [found.pool]: 'first',
      [found.pool + (found.pool / PAGE) * 8]: 'from-zero',
      [found.pool + (found.pool - base) / PAGE]: 'one-byte',
    }
    return fail(known[told] ?? 'other', `"record" is 0x${told.toString(16)}`)
  },
}

const refused: Check = {
  id: 'refused',
  title: 'The kernel read there, and EL2 gave the fault back to it',
  step: 'read',
  explanations: {
    unread: 'Nobody has read at that address. `readPhysical(neighbour)` reads the page below the pool; the same with `record` is still missing.',
    'not-told': 'The kernel read there and took the abort. Now record what it handed to the script: `answer(\'told\', ...)`.',
    unheld: 'The read was not stopped: on this machine the pool is not out of the host’s reach. Boot with `kvm-arm.mode=protected`.',
  },
  async test(run) {
    const found = await recordOfPool(run)
    if (found === null) return fail('unread', endingWords(run))
    const abort = await firstEvent(run, { kind: 'abort', physical: found.record, details: { who: 'host', access: /^read/ } })
    if (abort === undefined) return fail('unread', `no abort of the host at 0x${found.record.toString(16)}`)
    if (!/^injected/.test(abort.details['resolved'] ?? '')) return fail('unheld', abort.text)
    return recorded(run, 'told') === undefined ? fail('not-told', 'the answer "told" was not recorded') : 'pass'
  },
}

const zeros: Check = {
  id: 'zeros',
  title: 'Whose zeros they were',
  step: 'read',
  explanations: {
    unanswered: 'The question at the end of the step is not answered yet.',
    memory:
      'Then the inspector should show zeros at the record’s address as well. Select its page and look at the bytes there: what is in memory is not what the kernel got.',
    el2: 'EL2 mapped nothing: the event says that the fault was *injected into EL1*, and the host’s entry for the page stays invalid. The host kernel was told that its load had failed. What it made of that was its own doing.',
    same: 'The kernel got what is in the page, so nothing can be told from these zeros. Read at the record’s address, on a machine with `kvm-arm.mode=protected`.',
  },
  async test(run) {
    const given = run.answers['zeros']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    const found = await recordOfPool(run)
    if (found === null) return fail('same', endingWords(run))
    const at = found.record % PAGE
    const { contents } = await run.page(found.record - at)
    if (contents.slice(at, at + 8).every(byte => byte === 0)) return fail('same', 'the record is zero')
    return given === 'kernel' ? 'pass' : fail(given === 'el2' ? 'el2' : 'memory', `"${given}" was chosen`)
  },
}

const asked: Check = {
  id: 'asked',
  title: 'Asked for a page of the hypervisor by hand, and denied',
  step: 'ask',
  explanations: {
    uncalled: 'No hypercall was made by hand since the script ran. Open the hypercall console, choose `host_share_hyp`, and give it the page number.',
    granted:
      'That call was granted: the page it names was the host’s, and the host may share what is its own. On the map it is shared now. The question is about a page of the pool.',
    'no-page': 'The call was denied, and the page it names is none of the hypervisor’s: what is not RAM, or is shared already, is denied too. Give it the page number of the pool.',
  },
  async test(run) {
    const calls = run.hostCalls.filter(call => /share_hyp/.test(call.name))
    if (calls.length === 0) return fail('uncalled', `${run.hostCalls.length} other hypercalls by hand`)
    for (const call of calls) {
      const pfn = /pfn (0x[0-9a-f]+)/.exec(call.text)
      if (pfn === null || call.result !== '-EPERM') continue
      const { host, hyp } = await run.ownership(Number(pfn[1]) * PAGE)
      if (host === HYPERVISOR_OWNS.host && hyp === HYPERVISOR_OWNS.hyp) return 'pass'
    }
    const last = calls.at(-1)!
    return fail(last.result === '0' ? 'granted' : 'no-page', `${last.text} = ${last.result || last.rule}`)
  },
}

const text: Check = {
  id: 'text',
  title: 'What the host may do with the hypervisor’s code',
  step: 'text',
  explanations: {
    unanswered: 'The question at the end of the step is not answered yet.',
    nothing: 'The record says so: the host has no right to the page. But look at the host’s stage 2, the last entry of its walk: this one is *valid*.',
    execute: 'XN is set there: a jump of the host into that page faults. The hypervisor runs it through tables of its own.',
    unseen: 'The machine does not show it so here. Boot with `kvm-arm.mode=protected` and look again.',
  },
  async test(run) {
    const given = run.answers['text']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    const page = await pageOf(run, '__hyp_text_start')
    if (page === null) return fail('unseen', 'there is no __hyp_text_start')
    const { hostWalk } = await run.page(page)
    const words = hostWalk.known ? hostWalk.value.result : hostWalk.why
    if (!/read-only, not executable/.test(words)) return fail('unseen', `${words}; ${stateWords(await run.ownership(page))}`)
    return given === 'read' ? 'pass' : fail(given === 'nothing' ? 'nothing' : 'execute', `"${given}" was chosen`)
  },
}

export const checks: readonly Check[] = [record, refused, zeros, asked, text]

export const outcomes: Readonly<Record<string, Outcome>> = {
  neighbour: async run => {
    const page = await pageOf(run, 'answer:neighbour')
    if (page === null || page <= 0) return null
    // Its block may have been mapped for somebody else before; then this run shows nothing.
    const block = page - (page % 0x20_0000)
    const mapped = (await allEvents(run, { kind: 'abort', details: { who: 'host', resolved: /^mapped/ } })).some(
      event => event.physical !== undefined && event.physical >= block && event.physical <= page,
    )
    return mapped ? 'once' : null
  },
  read: async run => ((await refused.test(run)) === 'pass' ? 'fault' : null),
}
