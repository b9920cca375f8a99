import { allEvents, type Check, endingWords, errorOf, fail, firstEvent, type LessonRun, type Outcome, pageOfGuest, recorded, stateWords, vmsMade } from '../../checks.ts'

const SECRET = 0x4000_1000
const DIARY = 0x4000_2000

/** The VM under attack, and where its two pages are. Null when it never ran. */
async function victim(run: LessonRun): Promise<{ vm: number; secret: number; diary: number } | null> {
  const [vm] = await vmsMade(run, 'protected')
  if (vm === undefined) return null
  const [secret, diary] = [await pageOfGuest(run, vm, SECRET), await pageOfGuest(run, vm, DIARY)]
  return secret === null || diary === null ? null : { vm, secret, diary }
}

/** How often an access to the page by a process (EL0) or by the host's kernel (EL1) was answered with an exception. */
async function turnedBack(run: LessonRun, page: number, access: 'read' | 'write', el: number): Promise<number> {
  const aborts = await allEvents(run, { kind: 'abort', physical: page, details: { who: 'host', access, resolved: /^injected/ } })
  return aborts.filter(event => event.el === el).length
}

const front: Check = {
  id: 'front',
  title: 'Loads, stores and system calls of the host were turned back at SECRET',
  step: 'front',
  explanations: {
    'no-guest': 'The guest did not come to its first rings. The trace tells which call failed, and why.',
    process: 'The process should try it both ways: one load, one store. The first two attacks of the script do.',
    kernel: 'The kernel has not tried yet. Add two attacks at the mark: `mem.readByKernel` is a `write(2)` from the page, `mem.writeByKernel` a `read(2)` into it.',
    'kernel-half': 'The kernel tried one direction. It should both read from the page and write to it.',
  },
  async test(run) {
    const at = await victim(run)
    if (at === null) return fail('no-guest', endingWords(run))
    const tried = async (access: 'read' | 'write', el: number) => (await turnedBack(run, at.secret, access, el)) > 0
    if (!(await tried('read', 0)) || !(await tried('write', 0))) return fail('process', 'there is no abort of a process at the page, or only one')
    const [reads, writes] = [await tried('read', 1), await tried('write', 1)]
    if (reads && writes) return 'pass'
    return reads || writes ? fail('kernel-half', `the kernel only ${reads ? 'read' : 'wrote'}`) : fail('kernel', 'there is no abort of the kernel at the page')
  },
}

const accomplice: Check = {
  id: 'accomplice',
  title: 'Neither a normal nor a protected accomplice got the page',
  step: 'accomplice',
  explanations: {
    'own-memory':
      'The accomplice ran and was not denied anything: it has pages of its own, as any VM. `addMemory` maps fresh memory. To attack, its slot must be over memory that the first VM has: `setMemoryRegion` takes the address in the process.',
    'not-run': 'The accomplice was made and never ran. A slot is a plan: no page moves, and EL2 is asked nothing, until a vCPU touches it.',
    'one-kind': 'One of the two kinds was tried. The host asks EL2 differently for a normal VM and for a protected one; try both.',
    granted: 'EL2 gave the page to a second VM. If that is so, it is worth a report: look at the page\'s history.',
  },
  async test(run) {
    const at = await victim(run)
    if (at === null) return fail('not-run', endingWords(run))
    const asked = [
      ...(await allEvents(run, { kind: 'hypercall', call: '__pkvm_host_share_guest', physical: at.secret })),
      ...(await allEvents(run, { kind: 'hypercall', call: '__pkvm_host_donate_guest', physical: at.secret })).slice(1),
    ]
    if (asked.some(event => errorOf(event) === null)) return fail('granted', asked.find(event => errorOf(event) === null)!.text)
    if (asked.length === 0) {
      const others = (await vmsMade(run)).length > 1
      return others ? fail('own-memory', 'EL2 was never asked for the page again') : fail('not-run', 'EL2 never heard of another VM')
    }
    const kinds = new Set(asked.map(event => event.text.split('(')[0]))
    return kinds.size === 2 ? 'pass' : fail('one-kind', asked[0]!.text)
  },
}

const byHand: Check = {
  id: 'by-hand',
  title: 'Two hypercalls by hand were refused',
  step: 'hypercalls',
  explanations: {
    none: 'No hypercall was made by hand since the script ran. Open the hypercall panel while the VM is still there.',
    'not-theirs': 'EL2 shared the page with itself, because it was the host\'s by then: it had been taken from the guest before. Then there is no denial to explain. Force another page, not this one.',
    'other-page':
      'That call was not about the page of SECRET. It takes a page **number**, the physical address without its last twelve bits: the script prints it, and the panel shows how EL2 reads your argument.',
    'no-finalize': 'SECRET was refused. Now the other one: `__pkvm_finalize_teardown_vm` with the handle of the VM, as the list of VMs shows it.',
    'other-vm': 'No protected VM that is alive has that handle. The list of VMs tells which there are.',
    ended:
      'The teardown of the VM had begun by then, by your own hand. A host may end a guest at any time, and learns nothing by it. The attack is the last call **without** the first.',
  },
  async test(run) {
    const at = await victim(run)
    if (run.hostCalls.length === 0 || at === null) return fail('none', 'no hypercall was made by hand')
    const shares = run.hostCalls.filter(call => call.name.endsWith('host_share_hyp'))
    const number = `0x${(at.secret / 4096).toString(16)})`
    const share = shares.find(call => call.text.includes(number))
    if (share === undefined) return fail(shares.length === 0 ? 'none' : 'other-page', shares[0]?.text ?? 'there is no __pkvm_host_share_hyp among them')
    if (share.result !== '-EPERM') return fail('not-theirs', `${share.text} gave ${share.result}`)
    const last = run.hostCalls.filter(call => call.name.endsWith('finalize_teardown_vm'))
    if (last.length === 0) return fail('no-finalize', 'there is no __pkvm_finalize_teardown_vm among them')
    if (run.hostCalls.some(call => call.name.endsWith('start_teardown_vm') && call.result === '0')) return fail('ended', 'its teardown was begun by hand')
    // -EINVAL on Debian's kernels, -EBUSY on mini-pKVM: refused is refused.
    const live = (await run.vms()).filter(vm => vm.protected && vm.state === 'live').map(vm => `0x${vm.handle.toString(16)})`)
    const refused = last.some(call => call.result.startsWith('-E') && live.some(handle => call.text.includes(handle)))
    return refused ? 'pass' : fail('other-vm', `${last[0]!.text} gave ${last[0]!.result}`)
  },
}

const force: Check = {
  id: 'force',
  title: 'DIARY was taken by force: the host read zeros, and the guest could not go on',
  step: 'force',
  explanations: {
    none: 'Nothing was taken by force. `/proc/self/mem` is the way: there the kernel reads the page by an address of its own, at an instruction that is not prepared for a fault.',
    other: 'Another page was taken by force. It should be DIARY.',
    unnoticed: 'The page was taken, and the guest was not run after that. Let it go on until it looks into its diary.',
  },
  async test(run) {
    const at = await victim(run)
    const taken = await allEvents(run, { kind: 'hypercall', call: '__pkvm_force_reclaim_guest_page', details: { result: '0' } })
    if (at === null || taken.length === 0) return fail('none', 'there is no forced reclaim in the events')
    if (!taken.some(event => event.physical === at.diary)) return fail('other', taken[0]!.text)
    const noticed = await firstEvent(run, { kind: 'hypercall', call: '__pkvm_vcpu_in_poison_fault', details: { result: '1' } })
    return noticed === undefined ? fail('unnoticed', 'no vCPU met a poisoned page') : 'pass'
  },
}

const unharmed: Check = {
  id: 'unharmed',
  title: 'After all that, SECRET is the guest\'s alone',
  step: 'force',
  explanations: {
    lost: 'The guest does not have its page any more, so one of your attacks ended it before the others were tried. The page\'s history tells which.',
  },
  async test(run) {
    const at = await victim(run)
    if (at === null) return fail('lost', 'there was no guest')
    const state = await run.ownership(at.secret)
    return state.donatedTo?.handle === at.vm ? 'pass' : fail('lost', stateWords(state))
  },
}

/** A question with one right choice, whose other choices have an explanation of the same name. */
function asked(question: string, id: string, step: string, title: string, right: string, explanations: Readonly<Record<string, string>>): Check {
  return {
    id,
    title,
    step,
    explanations: { unanswered: 'The question at the end of the step is not answered yet.', ...explanations },
    async test(run) {
      const given = run.answers[question]
      if (given === undefined) return fail('unanswered', 'nothing was chosen')
      return given === right ? 'pass' : fail(given, `"${given}" was chosen`)
    },
  }
}

const load = asked('load', 'load', 'front', 'The rule that turned the load back', 'stage2', {
  stage1: 'The process has the page mapped, readable and writable: `mmap` made it so and nothing took it away. `mem.physical` still gives the page, which comes from that very table. The abort event says at which stage it was.',
  guest: 'The guest\'s stage 2 is in force while the guest runs. While the host runs it is not even loaded. Which tables did the host\'s load pass?',
})

const efault = asked('efault', 'efault', 'front', 'Why the kernel got an errno where the process got a signal', 'same', {
  differs: 'Compare the abort events. EL2 does the same for both: it makes an exception at EL1. What differs is the instruction that it is made at.',
  checked: 'There is an abort event of the kernel at that page: it did try, and did not know. Nothing in its own tables told it whose page that is.',
})

const record = asked('accomplice', 'record', 'accomplice', 'What EL2 looked at when it refused the accomplices', 'record', {
  handle: 'A page may go to any VM of the host\'s choice; the handle is no obstacle. What mattered was the state of the page. Select it in the event and look at its record.',
  slots: 'Slots are the host kernel\'s own book-keeping. It made both calls in good faith, and EL2 never sees a slot.',
})

const order = asked('order', 'order', 'hypercalls', 'Why the VM could not be finished', 'dying', {
  host: 'The host may end a VM, at any time: it is the host\'s processor and the host\'s memory. There is an order to it, though. Compare the events of a VM that is closed.',
  running: 'No vCPU was running: the machine stands at a safe point, and the guest with it.',
})

const forceWhy = asked('force', 'force-why', 'force', 'Why EL2 let the host have that page', 'zeroed', {
  gap: 'Look at what the host got: zeros. And at what the guest got: an end, not a page of zeros that it might take for its diary. Which of the two promises was broken, secrecy or integrity? Neither.',
  root: 'EL2 knows nothing of users and privileges. For it there is one host.',
})

export const checks: readonly Check[] = [front, load, efault, accomplice, record, byHand, order, force, unharmed, forceWhy]

export const outcomes: Readonly<Record<string, Outcome>> = {
  kernel: async run => {
    const code = recorded(run, 'kernel reads')
    return code === undefined ? null : code === 'EFAULT' ? 'efault' : code === 'not denied' ? 'data' : 'signal'
  },
  forced: async run => {
    const call = run.script?.calls.find(one => one.name === 'mem.readByProcMem' && one.error === null)
    if (call === undefined) return null
    return /(00 ){3}00/.test(call.result ?? '') ? 'zeros' : 'diary'
  },
}
