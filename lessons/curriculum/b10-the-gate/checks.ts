import { type Check, calls, endingWords, eventsDuring, fail, callOf, type LessonRun, type Outcome, recorded } from '../../checks.ts'

const TAINT_USER = 64

interface Cell {
  readonly id: string
  readonly gate: 'y' | 'n'
  readonly mode: 'protected' | 'other'
  readonly expert?: 'n'
}

const machine = ({ gate, mode, expert }: Cell) =>
  expert === undefined ? `option ${gate}, mode ${mode === 'protected' ? 'protected' : 'nvhe'}` : 'EXPERT off, mode protected'

function isThere(run: LessonRun, cell: Cell): boolean {
  const expert = run.settings.options['EXPERT'] ?? run.settings.options['CONFIG_EXPERT'] ?? 'y'
  if ((run.settings.mode === 'protected') !== (cell.mode === 'protected')) return false
  return expert === (cell.expert ?? 'y') && (cell.expert !== undefined || run.settings.gate === cell.gate)
}

/** Calls to the hypervisor that the newest createVm caused, the one for a protected VM. */
async function askedFor(run: LessonRun): Promise<readonly string[]> {
  const events = await eventsDuring(run, calls(run, 'dev.createVm').at(-1))
  return events.filter(event => event.kind === 'hypercall').map(callOf)
}

/** One row of the truth table, on the machine that it speaks of. */
function row(cell: Cell, title: string, step: string): Check {
  const opens = cell.gate === 'y' && cell.mode === 'protected' && cell.expert === undefined
  return {
    id: cell.id,
    title,
    step,
    explanations: {
      'not-yet': `This needs a run on a machine with ${machine(cell)}. What passed on other machines stays passed.`,
      'no-run': 'The machine is the right one, and the probe did not come to its end there.',
      'normal-refused':
        'A *normal* VM was refused as well. The option is about bit 31 only: KVM without it has to work as it always did. Where does your check look at x20?',
      'normal-tainted':
        'A normal VM tainted the kernel. The taint says "something was used that may still change"; normal VMs are no such thing, and whoever uses them would find all their bug reports refused. Go round the call when x20 is 0.',
      closed: 'Option and mode both say yes, and the protected VM was refused. Is the condition the right way round: `.if CONFIG_PROTECTED_VM_UAPI == 0`?',
      untainted:
        'The protected VM was made, and the kernel is not tainted: whoever reads a bug report from this machine does not learn that an interface was used that nobody promised yet. Third gap.',
      open: 'The option says no, and a protected VM was made all the same: an option that nobody asks for does nothing. Second gap.',
      leaked:
        'The errno is right, and it comes too late: the hypervisor had reserved a handle for the VM by then, and nobody gives it back. There are 255; a program that asks often enough takes them all. See `__pkvm_reserve_vm` in [the events](lab:view/events), and how many VMs are left.',
      'tainted-anyway': 'The VM was refused, and the kernel is tainted: nothing was used, so there is nothing to mark.',
      shown:
        'EXPERT is off, and the option was y all the same. Its entry in Kconfig must say that it depends on `EXPERT`: then the menu hides it, and a wish for it, from a file or from habit, is not heard.',
    },
    async test(run) {
      if (!isThere(run, cell)) return fail('not-yet', `this run was with option ${run.settings.gate}, mode ${run.settings.mode}`)
      const [normal, guarded] = [recorded(run, 'normal'), recorded(run, 'protected')]
      const [before, after] = [Number(recorded(run, 'taint before')), Number(recorded(run, 'taint after'))]
      if (guarded === undefined || recorded(run, 'taint after') === undefined) return fail('no-run', endingWords(run))
      const seen = `normal: ${String(normal)}, taint ${before}; protected: ${String(guarded)}, taint ${after}`
      if (normal !== 'VM') return fail('normal-refused', seen)
      if (before !== 0) return fail('normal-tainted', seen)
      if (opens) {
        if (guarded !== 'VM') return fail('closed', seen)
        return after === TAINT_USER ? 'pass' : fail('untainted', seen)
      }
      if (guarded !== 'EINVAL') return fail(cell.expert === undefined ? 'open' : 'shown', seen)
      const asked = await askedFor(run)
      if (asked.includes('__pkvm_reserve_vm')) return fail('leaked', `${seen}; hypercalls meanwhile: ${asked.join(', ')}`)
      return after === 0 ? 'pass' : fail('tainted-anyway', seen)
    },
  }
}

export const checks: readonly Check[] = [
  row({ id: 'y-protected', gate: 'y', mode: 'protected' }, 'Option y, mode protected: a VM, and the taint', 'taint'),
  row({ id: 'n-protected', gate: 'n', mode: 'protected' }, 'Option n, mode protected: EINVAL before a handle is reserved, no taint', 'check'),
  row({ id: 'y-other', gate: 'y', mode: 'other' }, 'Option y, another mode: EINVAL, no taint', 'all'),
  row({ id: 'n-other', gate: 'n', mode: 'other' }, 'Option n, another mode: EINVAL, no taint', 'all'),
  row({ id: 'expert', gate: 'y', mode: 'protected', expert: 'n' }, 'EXPERT off: the option cannot be set', 'all'),
]

export const outcomes: Readonly<Record<string, Outcome>> = {
  // Of the two refusals one is by the mode alone, the other by the option alone.
  where: async run => {
    const alone = (run.settings.mode === 'protected') !== (run.settings.gate === 'y')
    if (!alone || recorded(run, 'protected') !== 'EINVAL') return null
    return (await askedFor(run)).includes('__pkvm_reserve_vm') ? 'hyp' : 'option'
  },
}
