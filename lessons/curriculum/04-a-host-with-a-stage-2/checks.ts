import { type Check, calls, endingWords, eventsDuring, fail, type LabEvent, type LessonRun, matches, type Outcome, pageOf, recorded, type Verdict } from '../../checks.ts'

const BLOCK = 0x20_0000
/** The host wrote where its stage 2 had no entry, and EL2 made one for 2 MB. */
const NEW_BLOCK = { kind: 'abort', details: { who: 'host', access: /^write/, resolved: /^mapped \(2 MB/ } } as const

const start = (address: number) => address - (address % BLOCK)

async function newBlocks(run: LessonRun): Promise<readonly LabEvent[]> {
  return (await run.events()).filter(event => matches(event, NEW_BLOCK))
}

/** The physical addresses that the script recorded as `pages`. */
function pagesOf(run: LessonRun): readonly number[] {
  const pages = recorded(run, 'pages')
  return Array.isArray(pages) ? pages.map(Number) : []
}

/** The first abort of a new block that holds one of the recorded pages. */
async function mine(run: LessonRun): Promise<LabEvent | undefined> {
  const blocks = new Set(pagesOf(run).map(start))
  return (await newBlocks(run)).find(event => event.physical !== undefined && blocks.has(start(event.physical)))
}

const first: Check = {
  id: 'first',
  title: 'What the first entry was made for',
  step: 'empty',
  explanations: {
    unanswered: 'The question of the first step is not answered yet.',
    fetch: 'Nearly. The host did want its next instruction; but the address of that is translated by stage 1 first, and the tables of stage 1 are in memory too. See what stands in brackets in the first abort.',
    stack: 'The stack came later. The first abort says what was tried, and in brackets on what way.',
    unseen: 'On this machine stage 2 was never switched on for the host. Boot with `kvm-arm.mode=protected`.',
  },
  async test(run) {
    const given = run.answers['first']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    const boot = await run.bootEvents()
    const on = boot.findIndex(event => matches(event, { kind: 'hypercall', call: '__pkvm_prot_finalize' }))
    const abort = boot.slice(Math.max(on, 0)).find(event => event.kind === 'abort')
    if (on < 0 || abort === undefined) return fail('unseen', 'there is no abort of the host after __pkvm_prot_finalize')
    const shown = /walking stage 1/.test(abort.text) ? 'walk' : /fetch/.test(abort.text) ? 'fetch' : 'stack'
    return given === shown ? 'pass' : fail(given === 'fetch' ? 'fetch' : 'stack', `"${given}" was chosen, and it was: ${abort.text}`)
  },
}

const appeared: Check = {
  id: 'appeared',
  title: 'A page of yours is in a block that EL2 mapped for it',
  step: 'more',
  explanations: {
    none: 'The list `pages` is empty. The loop around `mem.map` is still to be written.',
    untouched:
      'Mappings were made, and no physical page is behind them. `mmap` only promises memory; a page comes when somebody touches it, or when `populate` asks for all of them.',
    little: 'Memory was taken, and the kernel had it all lying about: EL2 was not needed for it. Take more, and do not give any back in between.',
    elsewhere: 'EL2 mapped blocks for the host during this run, and none of the addresses in `pages` is in one of them. Record the first page of *each* mapping, as you go.',
  },
  async test(run) {
    const pages = pagesOf(run)
    if (pages.length === 0) return fail('none', endingWords(run))
    if (pages.every(page => page === 0)) return fail('untouched', 'no page of the process was behind these addresses')
    const blocks = await newBlocks(run)
    if (blocks.length === 0) return fail('little', 'no block was mapped for a write of the host')
    return (await mine(run)) === undefined ? fail('elsewhere', `${blocks.length} blocks were mapped, with none of the ${pages.length} pages recorded`) : 'pass'
  },
}

const who: Check = {
  id: 'who',
  title: 'Whose store found no entry',
  step: 'more',
  explanations: {
    unanswered: 'The question of this step is not answered yet.',
    'no-abort': 'There is no such abort in this run to look at. Touch more memory first.',
    script:
      'The process had not stored anything yet. Its new page could hold what another process left there, so somebody has to clear it first: the call chain, read from the top, says who was at it, at EL1.',
    hypervisor: 'EL2 makes the entry and nothing else: the abort was taken *from EL1*, so the store was tried there. See the function at the top of the call chain.',
  },
  async test(run) {
    const given = run.answers['who']
    if (given === undefined) return fail('unanswered', 'nothing was chosen')
    const abort = await mine(run)
    if (abort === undefined) return fail('no-abort', 'no block with one of the pages was mapped')
    const shown = abort.el === 0 ? 'script' : abort.el === 1 ? 'kernel' : 'hypervisor'
    return given === shown ? 'pass' : fail(given === 'script' ? 'script' : 'hypervisor', `"${given}" was chosen, and it was ${abort.symbol} at EL${abort.el}`)
  },
}

/** Whether memory was given back, taken again, and how many new blocks that took; a sentence when it was not. */
async function secondTime(run: LessonRun): Promise<{ blocks: number } | Verdict> {
  const again = await pageOf(run, 'answer:again')
  if (again === null || again === 0) return fail('not-again', endingWords(run))
  const last = calls(run, 'mem.map').at(-1)
  const given = calls(run, 'munmap').filter(call => call.error === null && last !== undefined && call.ended <= last.began)
  const blocks = (await eventsDuring(run, last)).filter(event => matches(event, NEW_BLOCK)).length
  return given.length === 0 ? fail('kept', `nothing was unmapped before the last mapping, and that took ${blocks} new blocks`) : { blocks }
}

const stayed: Check = {
  id: 'stayed',
  title: 'Given back and taken again, without EL2',
  step: 'again',
  explanations: {
    'not-again': 'No physical address is recorded as `again`. Unmap what is in `all`, map 16 MiB with `populate`, and record where the first page is.',
    kept: 'The memory was taken again without being given back: both are in use now, and the kernel had to go to new places once more. See how many blocks EL2 mapped for it. Unmap all of the first before.',
    more: 'What was given back was too little for what was taken then: the kernel had to go to new places. Give all sixteen back first.',
  },
  async test(run) {
    const result = await secondTime(run)
    if (result === 'pass' || 'fail' in result) return result
    return result.blocks === 0 ? 'pass' : fail('more', `${result.blocks} new blocks`)
  },
}

export const checks: readonly Check[] = [first, appeared, who, stayed]

export const outcomes: Readonly<Record<string, Outcome>> = {
  one: async run => {
    const page = await pageOf(run, 'answer:first')
    const taken = calls(run, 'mem.map')[0]
    if (page === null || page === 0 || taken === undefined) return null
    const aborts = (await run.events()).filter(event => event.kind === 'abort' && event.details['who'] === 'host' && event.physical !== undefined)
    return aborts.some(event => Math.floor(event.physical! / 4096) === Math.floor(page / 4096)) ? 'abort' : 'none'
  },
  again: async run => {
    const result = await secondTime(run)
    if (result === 'pass' || 'fail' in result) return null
    return result.blocks === 0 ? 'none' : 'same'
  },
}
