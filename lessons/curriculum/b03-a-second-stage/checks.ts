import { allEvents, type Check, endingWords, fail, hypPanic, type LabEvent, type LessonRun, type Outcome, recorded } from '../../checks.ts'

const hostAborts = async (run: LessonRun): Promise<readonly LabEvent[]> =>
  [...(await run.bootEvents()), ...(await run.events())].filter(event => event.kind === 'abort' && event.details['who'] === 'host')

/** It was handed an exception, and cannot even begin with it: the abort is at the host's own vectors. */
const atVectors = (abort: LabEvent) => abort.symbol.startsWith('vectors')

const inForce: Check = {
  id: 'in-force',
  title: 'The host runs under stage 2',
  step: 'force',
  unbooted: true,
  explanations: {
    open: 'The host runs, and its stage 2 is not in force: `HCR_EL2.VM` is 0, so `VTTBR_EL2` is only a number. The hypervisor\'s own note, `kvm_protected_mode_initialized`, says otherwise; the processor does not read notes. See what the probe printed: the host could look into the guest.',
    panicked: 'The hypervisor panicked on the way. The console has its last words.',
    early: 'The system did not come as far as `__pkvm_prot_finalize`.',
  },
  async test(run) {
    const { phase } = await run.facts()
    if (phase.known && phase.value === 'enforced') return 'pass'
    const panic = hypPanic(run)
    if (panic !== null) return fail('panicked', `HYP panic: ${panic.why}, ESR_EL2 0x${panic.esr.toString(16)}`)
    if (!run.ready) return fail('early', endingWords(run))
    return fail('open', `pKVM's phase is "${phase.known ? phase.value : phase.why}"; ${run.script?.prints.join('; ') ?? ''}`)
  },
}

const mapped: Check = {
  id: 'mapped',
  title: 'What the host touches is mapped, page by page, and it comes up',
  step: 'resolve',
  unbooted: true,
  explanations: {
    'not-yet': 'Stage 2 is not in force yet, so the host never runs into it. The check above comes first.',
    refused:
      'The host is refused its own memory. Its stage 2 is empty, so the next instruction it fetched was an abort; it was handed the exception, and the page with its vectors is not mapped either: an abort again, without end. See [the events](lab:view/events). Does your code ask `host_stage2_idmap` for the page, with the address that stage 1 has made (an IPA, not the virtual address that is in `FAR_EL2`), and does it go to `host_exit` when the answer is 0?',
    elsewhere:
      'The host tries the same instruction again and again. So EL2 maps *something* and lets it go on, but not the page that it wanted: see the address in [the events](lab:view/events). `HPFAR_EL2` is not an address. It has the page\'s number, bits 51:12 of the IPA, in its bits 43:4.',
    lost: 'Some pages were mapped, and then the host did not come up. The events before the last tell what it touched.',
  },
  async test(run) {
    const aborts = await hostAborts(run)
    if (run.ready) return aborts.some(event => event.details['resolved']?.startsWith('mapped')) ? 'pass' : fail('not-yet', 'no abort of the host was resolved by mapping')
    const last = aborts.at(-1)
    if (last === undefined) return fail('not-yet', endingWords(run))
    if (atVectors(last)) return fail('refused', last.text)
    const same = aborts.slice(-50).every(event => event.details['ipa'] === last.details['ipa'])
    return fail(same && aborts.length > 50 ? 'elsewhere' : 'lost', last.text)
  },
}

const keptOut: Check = {
  id: 'kept-out',
  title: 'A page that is a guest\'s is refused, and the host is told so',
  step: 'refuse',
  explanations: {
    'no-guest': 'The probe did not come to the point where the host looks at the guest\'s page.',
    forever:
      'The host looked at the guest\'s page and never got an answer. It was not mapped, which is right, and the host was sent back to try again, which it did for ever. `host_stage2_idmap` says `-EPERM` when the page is someone else\'s: then the host has to get an exception.',
    open: 'The host could read the guest\'s page.',
  },
  async test(run) {
    const peek = recorded(run, 'peek')
    if (peek === 'read') return fail('open', run.script?.prints.join('; ') ?? '')
    const aborts = await hostAborts(run)
    if (peek === undefined) {
      const last = aborts.at(-1)
      const again = aborts.slice(-50).filter(event => event.details['resolved'] === 'tried again').length
      return again > 20 ? fail('forever', last?.text ?? '') : fail('no-guest', endingWords(run))
    }
    const injected = (await allEvents(run, { kind: 'abort', details: { who: 'host', resolved: /^injected/ } })).length
    return injected > 0 && peek === 'SEGV_ACCERR' ? 'pass' : fail('no-guest', `the probe recorded ${String(peek)}, ${injected} aborts were injected`)
  },
}

export const checks: readonly Check[] = [inForce, mapped, keptOut]

export const outcomes: Readonly<Record<string, Outcome>> = {
  empty: async run => {
    if (run.ready) return null
    return (await hostAborts(run)).length > 50 ? 'loop' : null
  },
  first: async run => {
    const aborts = (await run.bootEvents()).filter(event => event.kind === 'abort' && event.details['who'] === 'host')
    if (!run.ready || aborts.length === 0) return null
    return aborts.length > 2000 ? 'all' : 'few'
  },
}
