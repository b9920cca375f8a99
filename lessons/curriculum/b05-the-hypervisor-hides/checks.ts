import { type Check, endingWords, fail, hypPanic, type LessonRun, type Outcome, stateWords } from '../../checks.ts'

const PAGE = 4096
const HOST_OWNED = 0
const NOPAGE = 3
const HYP_OWNS = 0
/** Sections of the image that are the hypervisor's, by the names of their ends. */
const SECTIONS = ['hyp_text', 'hyp_idmap_text', 'hyp_rodata', 'hyp_data', 'hyp_bss'] as const

interface SeenPage {
  readonly section: string
  readonly physical: number
  readonly first: boolean
  /** What the record says. */
  readonly recorded: boolean
  /** The host's entry names the hypervisor. */
  readonly annotated: boolean
  readonly words: string
}

async function pagesOf(run: LessonRun): Promise<readonly SeenPage[]> {
  const seen: SeenPage[] = []
  for (const section of SECTIONS) {
    const [start, end] = [await run.resolve(`__${section}_start`), await run.resolve(`__${section}_end`)]
    if (!start.known || !end.known) continue
    for (let physical = start.value; physical < end.value; physical += PAGE) {
      const state = await run.ownership(physical)
      const { hostWalk } = await run.page(physical)
      const entry = hostWalk.known ? hostWalk.value.steps.at(-1)?.kind : undefined
      const walk = hostWalk.known ? hostWalk.value.result : hostWalk.why
      seen.push({
        section,
        physical,
        first: physical === start.value,
        recorded: state.host === NOPAGE && state.hyp === HYP_OWNS,
        annotated: entry === 'donated',
        words: `.${section.replaceAll('_', '.')} at 0x${physical.toString(16)}: ${stateWords(state)}; host's stage 2: ${walk}`,
      })
    }
  }
  return seen
}

const sections: Check = {
  id: 'sections',
  title: 'Every page of the hypervisor\'s sections is its own, in the book and in the host\'s map',
  step: 'own',
  unbooted: true,
  explanations: {
    'all-open': 'The hypervisor\'s own text is still the host\'s, by the record as well as by the map: the host can read it, write it, and execute it. Both parts are needed, the loop and the list of sections.',
    reachable: 'The record says that the page is the hypervisor\'s, and the host can reach it all the same. The record is what decisions are made on; the processor does not read it. What it reads is the host\'s stage 2, and there the entry was 0: "not touched yet". When the host touched the neighbourhood it got a block of 2 MB with your page in it.',
    record: 'The host cannot reach the page, and the record still says that it is the host\'s alone. The next call that asks the record will be told so: the host could lend the hypervisor its own page, or donate it to a guest.',
    'first-page': 'The first page of the section is taken, the next is not. The range has an end, in `x1`; go on, page by page, until it is reached.',
    forgotten: 'A whole section was left out. The hypervisor has five in the image: text, the page where its MMU is switched on, read-only data, data, and what is zero at the beginning. That last one holds its stack, and the host\'s registers while EL2 works.',
    virtual:
      'The hypervisor panicked: it looked for a record where there is none. The addresses in `x0` and `x1` are addresses *at EL2*, `HYP_LINEAR` above the physical ones; records and the host\'s map go by physical addresses. `hyp_pa to, from, scratch` converts.',
    panicked: 'The hypervisor panicked while it set itself up. The console has its last words.',
    stuck: 'The system did not come up, and there is no panic. Does the loop end?',
  },
  async test(run) {
    const panic = hypPanic(run)
    if (!run.ready) {
      if (panic === null) return fail('stuck', endingWords(run))
      const what = `HYP panic: ${panic.why}, ESR_EL2 0x${panic.esr.toString(16)}, FAR_EL2 0x${panic.far.toString(16)}`
      return fail(panic.exceptionClass === 0x25 ? 'virtual' : 'panicked', what)
    }
    const pages = await pagesOf(run)
    const open = pages.find(page => !page.recorded || !page.annotated)
    if (pages.length === 0) return fail('stuck', 'the sections are nowhere to be found')
    if (open === undefined) return 'pass'
    if (open.recorded) return fail('reachable', open.words)
    if (open.annotated) return fail('record', open.words)
    if (pages.every(page => !page.recorded && !page.annotated)) return fail('all-open', open.words)
    return fail(open.first ? 'forgotten' : 'first-page', open.words)
  },
}

const hostKeeps: Check = {
  id: 'host-keeps',
  title: 'The host keeps what is its own, and works as before',
  step: 'own',
  explanations: {
    'no-vm': 'The probe could not make a VM.',
    'too-much': 'A page of the host\'s own text is not the host\'s any more. A section ends where its `_end` says; the next page is someone else\'s.',
  },
  async test(run) {
    if (run.script?.answers['vm'] !== true) return fail('no-vm', endingWords(run))
    const text = await run.resolve('start_kernel')
    if (!text.known) return fail('no-vm', text.why)
    const state = await run.ownership(text.value)
    return state.host === HOST_OWNED && state.hyp === NOPAGE ? 'pass' : fail('too-much', stateWords(state))
  },
}

const notYours: Check = {
  id: 'not-yours',
  title: 'The host cannot lend the hypervisor a page of the hypervisor',
  step: 'ask',
  explanations: {
    'not-made': 'Find the page number of `hyp_stack` in the inspector, and call `host_share_hyp` with it in the hypercall console.',
    lent: 'The host has lent the hypervisor the hypervisor\'s own stack, and the hypervisor agreed. Its record says that the page is the host\'s.',
    other: 'The call came to another end than `-EPERM`.',
  },
  async test(run) {
    const stack = await run.resolve('hyp_stack')
    if (!stack.known) return fail('not-made', stack.why)
    const call = run.hostCalls.find(({ name, text }) => name.endsWith('host_share_hyp') && text.includes(`pfn 0x${Math.floor(stack.value / PAGE).toString(16)}`))
    if (call === undefined) return fail('not-made', run.hostCalls.map(({ text }) => text).join(', ') || 'no call was made by hand')
    if (call.result === '-EPERM') return 'pass'
    return fail(call.result === '0' ? 'lent' : 'other', `${call.text}: ${call.result || call.end}`)
  },
}

export const checks: readonly Check[] = [sections, hostKeeps, notYours]

export const outcomes: Readonly<Record<string, Outcome>> = {
  now: async run => {
    if (!run.ready) return null
    const [page] = await pagesOf(run)
    if (page === undefined) return null
    return page.annotated ? null : 'all'
  },
  zero: async run => {
    const pages = run.ready ? await pagesOf(run) : []
    return pages.some(page => page.recorded && !page.annotated) ? 'mapped' : null
  },
}
