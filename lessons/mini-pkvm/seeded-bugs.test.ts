/**
 * The invariant checker against bugs that were put into mini-pKVM's hypervisor one at a time: each breaks one line or two,
 * and a host that does a bit of everything runs into it. The checker must name the rule; on the unbroken system nothing.
 */
import { describe, expect, it } from 'vitest'
import { EventLog } from '../../engine/inspect/events/event-log.ts'
import { InvariantChecker, type Violation } from '../../engine/inspect/invariants/checker.ts'
import type { Rule } from '../../engine/inspect/invariants/rules.ts'
import { MIB, pfn, POOL, POOL_BYTES, RAM, sources } from './hostile-host.test-double.ts'
import { GFN, guestCode, HypRig, makeVm, type VmMaker } from './hyp-host.test-double.ts'

/** Pages of the host for one VM, its structures first. */
function pagesAt(start: number) {
  const page = (i: number) => start + i * 4096
  return { kvm: page(0), vcpu: page(1), hypVm: page(2), hypVcpu: page(3), pgd: page(4), memcache: page(8), code: page(0x77), data: (i: number) => page(0x77 + i) }
}
type Pages = ReturnType<typeof pagesAt>
const FIRST = pagesAt(RAM + 32 * MIB)
const SECOND = pagesAt(RAM + 48 * MIB)

/** A guest that stores to its second page, lends it to the host, leaves, takes it back, and leaves for good. */
const GUEST = `
        ldr     x1, =0x40001000
        ldr     x2, =0x600d600d
        str     x2, [x1]
        ldr     w0, =0xc6000003
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        mov     x4, #0x09000000
        str     w0, [x4]
        ldr     x1, =0x40001000
        ldr     w0, =0xc6000004
        mov     x2, #0
        mov     x3, #0
        hvc     #0
1:      wfi
        b       1b
`

/** Carries on when a call fails: with a bug in it anything may. */
class Host implements VmMaker {
  constructor(private readonly rig: HypRig) {}

  constant(name: string): number {
    return this.rig.constant(name)
  }

  call(name: string, ...args: readonly (number | bigint)[]): number {
    try {
      return this.rig.call(name, ...args)
    } catch {
      return Number.NaN
    }
  }

  load(address: number): void {
    try {
      this.rig.load(address)
    } catch {
      // As above.
    }
  }

  store(address: number, value: number | bigint): void {
    try {
      this.rig.store(address, Number.isNaN(value) ? 0 : value)
    } catch {
      // As above.
    }
  }

  /** The host goes over the trapped instruction. */
  skip(pages: Pages): void {
    const pc = pages.vcpu + this.rig.constant('kvm_vcpu.arch.ctxt.regs.pc')
    this.store(pc, this.rig.peek(pc) + 4n)
  }
}

/** A bit of everything, as a host that means well and one that does not would do it. */
function everything(rig: HypRig): void {
  const host = new Host(rig)
  const code = guestCode(GUEST)
  host.call('__pkvm_init', POOL, POOL_BYTES)
  host.call('__pkvm_prot_finalize')
  host.call('__pkvm_host_share_hyp', pfn(SECOND.data(9)))
  host.call('__pkvm_host_share_hyp', pfn(POOL))
  host.call('__pkvm_host_unshare_hyp', pfn(SECOND.data(9)))

  const protectedVm = makeVm(host, FIRST, true, code)
  // What is beside it first: the block of 2 MB is split then, and the TLB emptied for that.
  host.call('__pkvm_host_donate_guest', pfn(FIRST.data(2)), GFN + 2)
  host.load(FIRST.data(0))
  host.load(FIRST.data(1))
  host.call('__pkvm_host_donate_guest', pfn(FIRST.data(0)), GFN)
  host.call('__pkvm_host_donate_guest', pfn(FIRST.data(1)), GFN + 1)
  host.call('__pkvm_host_donate_guest', pfn(FIRST.data(0)), GFN + 3)
  host.call('__pkvm_host_donate_guest', pfn(FIRST.hypVm), GFN + 4)
  host.call('__kvm_vcpu_run', FIRST.vcpu)
  host.load(FIRST.data(1))
  host.skip(FIRST)
  host.call('__kvm_vcpu_run', FIRST.vcpu)
  host.call('__pkvm_force_reclaim_guest_page', FIRST.data(1))
  host.call('__pkvm_vcpu_put')

  const normalVm = makeVm(host, SECOND, false, code)
  host.call('__pkvm_host_share_guest', pfn(SECOND.data(0)), GFN, 1, 7)
  host.call('__pkvm_host_share_guest', pfn(SECOND.data(1)), GFN + 1, 1, 7)
  host.call('__pkvm_host_share_guest', pfn(FIRST.data(0)), GFN + 2, 1, 7)
  host.call('__kvm_vcpu_run', SECOND.vcpu)
  host.call('__pkvm_host_unshare_guest', normalVm, GFN + 1, 1)
  host.call('__pkvm_vcpu_put')
  host.call('__pkvm_start_teardown_vm', normalVm)
  host.call('__pkvm_host_unshare_guest', normalVm, GFN, 1)
  host.call('__pkvm_finalize_teardown_vm', normalVm)

  host.call('__pkvm_start_teardown_vm', protectedVm)
  host.call('__pkvm_finalize_teardown_vm', protectedVm)
  for (let i = 0; i < 5; i++) host.call('__pkvm_reclaim_dying_guest_page', protectedVm, GFN + i)
  host.call('__pkvm_finalize_teardown_vm', protectedVm)
  for (const pages of [FIRST, SECOND]) {
    host.call('__pkvm_host_unshare_hyp', pfn(pages.kvm))
    host.call('__pkvm_host_unshare_hyp', pfn(pages.vcpu))
  }
}

function violations(files: Readonly<Record<string, string>>): { found: readonly Violation[]; checker: InvariantChecker; log: EventLog } {
  const rig = new HypRig(files)
  const log = new EventLog(rig.machine, rig.inspector.kernel)
  const checker = new InvariantChecker(rig.machine, rig.inspector.kernel)
  log.checker = checker
  everything(rig)
  return { found: checker.violations, checker, log }
}

interface Bug {
  readonly name: string
  readonly file: string
  /** Label that the change comes behind, where `from` alone would be ambiguous. */
  readonly behind?: string
  readonly from: string
  readonly to: string
  readonly rule: Rule
}

const CHECK_DONATE = '        mov     x0, x19\n        mov     w1, #HOST_OWNED\n        bl      check_page_state\n        cbnz    x0, 9f\n        ldr     x0, [x22]\n'
const state = (name: string) => `        mov     w1, #${name}\n        bl      set_page_state\n`

const TAKE_PAGE =
  `        bl      guest_stage2_set\n        mov     x0, x19\n        bl      hyp_poison_page\n        mov     x0, x19\n${state('HOST_OWNED')}` +
  '        mov     x0, x19\n        mov     x1, #0\n        bl      host_stage2_set_page\n'

const COUNT_DOWN = '        ldr     x1, [x21, #pkvm_hyp_vm.nr_pages]\n        sub     x1, x1, #1\n        str     x1, [x21, #pkvm_hyp_vm.nr_pages]\n'

/** One wrong line each. `from` must be there once. */
const BUGS: readonly Bug[] = [
  { name: 'a donation does not ask who has the page', file: 'hyp/guest-pages.s', from: CHECK_DONATE, to: '        ldr     x0, [x22]\n', rule: 'one-owner' },
  { name: 'the TLB is not told that the host lost a page', file: 'hyp/host-stage2.s', from: '        mov     x1, x19\n        bl      tlb_flush_ipa\n', to: '', rule: 'host-kept-out' },
  { name: 'a private page comes back as it was', file: 'hyp/reclaim.s', from: '        bl      hyp_poison_page\n', to: '', rule: 'freed-is-zero' },
  { name: 'a donation leaves the page in the host\'s stage 2', file: 'hyp/guest-pages.s', from: '        mov     x1, x0\n        mov     x0, x19\n        bl      host_stage2_set_page\n        orr     x0, x19, #PAGE_S2\n', to: '        orr     x0, x19, #PAGE_S2\n', rule: 'host-kept-out' },
  { name: 'a donation is not recorded', file: 'hyp/guest-pages.s', behind: '__pkvm_host_donate_guest', from: `        mov     x0, x19\n${state('GUEST_OWNED')}`, to: '', rule: 'one-owner' },
  { name: 'a donation names another guest page than it maps', file: 'hyp/guest-pages.s', from: '        orr     x0, x0, x1, lsl #KVM_HOST_DONATION_GFN_SHIFT\n', to: '        add     x1, x1, #1\n        orr     x0, x0, x1, lsl #KVM_HOST_DONATION_GFN_SHIFT\n', rule: 'tables-agree' },
  { name: 'a page lent to a guest is not recorded', file: 'hyp/guest-pages.s', from: `1:      mov     x0, #-EPERM\n        ldr     x1, [x22]\n        cbnz    x1, 9f\n\n        mov     x0, x19\n${state('HOST_LENT_TO_GUEST')}`, to: '1:      mov     x0, #-EPERM\n        ldr     x1, [x22]\n        cbnz    x1, 9f\n', rule: 'borrowed-is-shared' },
  { name: 'guests that borrow a page are not counted', file: 'hyp/guest-pages.s', from: '        add     w1, w1, #1\n', to: '', rule: 'tables-agree' },
  { name: 'a guest\'s entry for a borrowed page says that it owns it', file: 'hyp/guest-pages.s', from: ' | PTE_SHARED_BORROWED | PTE_XN', to: ' | PTE_XN', rule: 'one-owner' },
  { name: 'a page that is lent to a guest was not asked for its owner', file: 'hyp/guest-pages.s', from: '        mov     w1, #HOST_LENT_TO_GUEST\n        bl      check_page_state\n        cbnz    x0, 9f\n1:      mov     x0, #-EPERM', to: '1:      mov     x0, #-EPERM', rule: 'one-owner' },
  { name: 'a guest keeps what it borrowed', file: 'hyp/guest-pages.s', from: '        mov     x0, x21\n        mov     x1, x20\n        mov     x2, x22\n        mov     x3, #0\n        bl      guest_stage2_set\n        mov     x0, x19\n        bl      hyp_phys_to_page\n', to: '        mov     x0, x19\n        bl      hyp_phys_to_page\n', rule: 'borrowed-is-shared' },
  { name: 'a guest lends a page and its entry does not say so', file: 'hyp/guest-pages.s', behind: '__pkvm_guest_share_host', from: '        orr     x3, x23, #PTE_SHARED_OWNED\n', to: '        mov     x3, x23\n', rule: 'borrowed-is-shared' },
  { name: 'a page that a guest lends is not recorded', file: 'hyp/guest-pages.s', behind: '__pkvm_guest_share_host', from: `        mov     x0, x19\n${state('GUEST_LENT_TO_HOST')}`, to: '', rule: 'host-kept-out' },
  { name: 'the host keeps what a guest lent it', file: 'hyp/guest-pages.s', behind: '__pkvm_guest_unshare_host', from: '        mov     x1, x0\n        mov     x0, x19\n        bl      host_stage2_set_page\n', to: '', rule: 'host-kept-out' },
  { name: 'what the hypervisor gets stays in the host\'s stage 2', file: 'hyp/transitions.s', from: '        ldr     x1, =ANNOTATION_HYP\n        bl      host_stage2_set_page\n', to: '', rule: 'host-kept-out' },
  { name: 'what the hypervisor returns it keeps mapped', file: 'hyp/transitions.s', from: '        bl      hyp_unmap_linear\n        mov     x0, x19\n        mov     w1, #HOST_OWNED\n', to: '        mov     x0, x19\n        mov     w1, #HOST_OWNED\n', rule: 'tables-agree' },
  { name: 'a page that is lent to the hypervisor was not asked for its owner', file: 'hyp/transitions.s', from: '        mov     w1, #HOST_OWNED\n        bl      check_page_state\n        cbnz    x0, 9f\n        mov     x0, x19\n        mov     w1, #HOST_LENT_TO_HYP\n', to: '        mov     w1, #HOST_LENT_TO_HYP\n', rule: 'tables-agree' },
  { name: 'a guest keeps a page that the host took back', file: 'hyp/reclaim.s', from: '        mov     x20, x0\n        bl      guest_stage2_set\n', to: '        mov     x20, x0\n', rule: 'one-owner' },
  { name: 'a page that the host asks back is only counted, and the VM goes', file: 'hyp/reclaim.s', behind: '__pkvm_reclaim_dying_guest_page', from: '        bl      take_guest_page\n', to: COUNT_DOWN, rule: 'one-owner' },
  { name: 'a VM goes that still has pages', file: 'hyp/teardown.s', from: '        ldr     x1, [x19, #pkvm_hyp_vm.nr_pages]\n        cbnz    x1, 9f\n', to: '', rule: 'one-owner' },
  { name: 'a guest loses a page and nobody gets it', file: 'hyp/reclaim.s', from: TAKE_PAGE, to: '        bl      guest_stage2_set\n', rule: 'one-owner' },
  { name: 'setup forgets to record the hypervisor\'s data', file: 'hyp/setup.s', from: '        own_section hyp_data\n', to: '', rule: 'tables-agree' },
]

function withBug({ file, behind, from, to }: Bug): Record<string, string> {
  const text = sources[file]!
  const start = behind === undefined ? 0 : text.indexOf(`\n${behind}:`)
  const end = behind === undefined ? text.length : text.indexOf('        unframe', start)
  const part = text.slice(start, end)
  expect(part.split(from).length - 1).toBe(1)
  return { ...sources, [file]: text.slice(0, start) + part.replace(from, () => to) + text.slice(end) }
}

describe('the invariant checker on mini-pKVM', () => {
  it('finds nothing in the unbroken hypervisor', () => {
    const { found, checker, log } = violations(sources)
    expect(found).toEqual([])
    expect(checker.pages).toBeGreaterThan(30)
    expect(checker.surveyed).toBe(true)
    // The test's host has no taint.
    expect(log.limits().filter((limit) => !limit.startsWith('The taint'))).toEqual([])
  })

  it.each(BUGS)('finds: $name', (bug) => {
    const { found, log } = violations(withBug(bug))
    expect(found.map((it) => it.rule)).toContain(bug.rule)
    const told = log.after(0).filter((event) => event.kind === 'violation')
    expect(told.length).toBe(found.length)
    expect(told[0]).toMatchObject({ physical: expect.any(Number), symbol: expect.stringMatching(/./) })
  })
})
