/** The hypervisor of mini-pKVM with a test's own host: every transition and its refusals, and the same on QEMU. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StateCode } from '../../engine/inspect/hyp-page.ts'
import { OwnerCode } from '../../engine/inspect/ownership.ts'
import { Machine } from '../../engine/machine/machine.ts'
import { hostileHost, HYP_VCPU, HYP_VM, KVM, MEMCACHE, MIB, PAGE_A, PAGE_B, pfn, PGD, POOL, POOL_BYTES, RAM, random, sources, VCPU } from './hostile-host.test-double.ts'
import { buildWithTestHost, GFN, guestCode, HypRig, makeVm, type Step, type VmMaker } from './hyp-host.test-double.ts'

const EPERM = -1
const ENOENT = -2
const ENOMEM = -12
const EBUSY = -16
const EAGAIN = -11
const EINVAL = -22
const EHWPOISON = -133


/** After __pkvm_init and __pkvm_prot_finalize. */
function protectedRig(ramMiB = 128, files = sources, options: Readonly<Record<string, boolean>> = {}): HypRig {
  const rig = new HypRig(files, ramMiB, options)
  expect(rig.call('__pkvm_init', POOL, POOL_BYTES)).toBe(0)
  expect(rig.call('__pkvm_prot_finalize')).toBe(0)
  return rig
}

const PAGES = { kvm: KVM, vcpu: VCPU, hypVm: HYP_VM, hypVcpu: HYP_VCPU, pgd: PGD, memcache: MEMCACHE, code: PAGE_A }

/** A VM with one vCPU, loaded, and `code` as its first page's content; every call succeeds. @returns its handle */
function newVm(rig: HypRig, isProtected: boolean, code: Uint8Array = new Uint8Array()): number {
  const host: VmMaker = {
    call(name, ...args) {
      const result = rig.call(name, ...args)
      if (name !== '__pkvm_reserve_vm') expect([name, result]).toEqual([name, 0])
      return result
    },
    store: (address, value) => rig.store(address, value),
    constant: (name) => rig.constant(name),
  }
  return makeVm(host, PAGES, isProtected, code)
}

const vcpuField = (rig: HypRig, name: string) => Number(rig.peek(VCPU + rig.constant(`kvm_vcpu.${name}`)))
const exceptionClass = (rig: HypRig) => vcpuField(rig, 'arch.fault.esr_el2') >>> 26
/** Code of the host's state, the hypervisor's, and the owner of a page. */
function stateOf(rig: HypRig, address: number): [number, number, number] {
  const map = rig.inspector.ownership()
  if (!map.known) throw new Error(map.why)
  expect(map.value.conflicts).toEqual([])
  const i = (address - RAM) / 4096
  return [map.value.host[i]!, map.value.hyp[i]!, map.value.owner[i]!]
}
const { owned, sharedOwned, sharedBorrowed, noPage } = StateCode
const HOST_ALONE = [owned, noPage, OwnerCode.host]
const HYP_ALONE = [noPage, owned, OwnerCode.hyp]
const LENT_TO_HYP = [sharedOwned, sharedBorrowed, OwnerCode.host]
const LENT_TO_GUEST = [sharedOwned, noPage, OwnerCode.host]
const GUEST_ALONE = [noPage, noPage, OwnerCode.vm]
const LENT_TO_HOST = [sharedBorrowed, noPage, OwnerCode.vm]

/** ESR_EL1 of a host's load that stage 2 refused. */
const REFUSED = expect.objectContaining({ esr: expect.any(Number) })

const SHARER = `
        ldr     w0, =0x86000000
        hvc     #0
        mov     x19, x0
        ldr     w0, =0xc6000002
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        add     x19, x19, x0
        ldr     x1, =0x40001000
        ldr     w0, =0xc6000003
        hvc     #0
        add     x19, x19, x0
        ldr     x1, =0x40001000
        ldr     x2, =0x600d600d
        str     x2, [x1]
        mov     x4, #0x09000000
        str     w19, [x4]
        ldr     w0, =0xc6000004
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        str     w0, [x4]
1:      wfi
        b       1b
`

describe('initialisation', () => {
  it('checks what it is given', () => {
    const rig = new HypRig(sources)
    expect(() => rig.call('__pkvm_host_share_hyp', pfn(PAGE_A))).toThrow('not supported')
    expect(() => rig.call('__pkvm_prot_finalize')).toThrow('not supported')
    expect(rig.call('__pkvm_init', POOL + 4096, POOL_BYTES)).toBe(EINVAL)
    expect(rig.call('__pkvm_init', POOL, 0)).toBe(ENOMEM)
    expect(rig.call('__pkvm_init', RAM, POOL_BYTES)).toBe(EINVAL)
    expect(rig.call('__pkvm_init', RAM + 126 * MIB, POOL_BYTES)).toBe(EINVAL)
    expect(rig.call('__pkvm_init', 0n - BigInt(2 * MIB), POOL_BYTES)).toBe(EINVAL)
    expect(rig.call('__pkvm_init', POOL, POOL_BYTES)).toBe(0)
    expect(rig.call('__pkvm_init', POOL, POOL_BYTES)).toBe(EPERM)
    expect(rig.call('__pkvm_prot_finalize')).toBe(0)
    expect(rig.call('__pkvm_prot_finalize')).toBe(EPERM)
    expect(() => rig.call('__pkvm_init', POOL, POOL_BYTES)).toThrow('not supported')
    expect(rig.step({ call: 0x32, args: [] }).x0).toBe(0xffffffffffffffffn)
  })

  it('costs little, hides the hypervisor, and the lab reads it', () => {
    const rig = protectedRig()
    expect(rig.machine.instructions).toBeLessThan(60_000)
    expect(rig.inspector.mode()).toMatchObject({ kvmMode: { value: 'protected' }, phase: { value: 'enforced' } })
    for (const at of [POOL, POOL + POOL_BYTES - 4096]) expect(stateOf(rig, at)).toEqual(HYP_ALONE)
    for (const name of ['hyp_memory', 'handle_host_hcall', 'hyp_stack', '__pkvm_init_switch_pgd', 'host_hcall']) {
      const page = rig.symbol(name) & ~0xfff
      expect([name, stateOf(rig, page)]).toEqual([name, HYP_ALONE])
      expect([name, rig.load(page)]).toEqual([name, REFUSED])
    }
    // A data abort, translation fault, on a walk of stage 1: the mark by which the host knows.
    const refused = rig.load(POOL)
    expect('esr' in refused && [refused.esr >>> 26, refused.esr & 0x80]).toEqual([0x25, 0x80])
    expect(stateOf(rig, PAGE_A)).toEqual(HOST_ALONE)
    expect(rig.load(PAGE_A)).toEqual({ value: 0n })
    expect(rig.load(0x09000018)).not.toEqual(REFUSED)
  })

  it('holds for every size of RAM', () => {
    for (const ramMiB of [130, 512, 1024]) {
      const rig = new HypRig(sources, ramMiB)
      const bytes = Math.floor(((ramMiB * MIB) / 512 + (ramMiB * MIB) / 256 + 0x220000) / (2 * MIB)) * 2 * MIB
      expect(rig.call('__pkvm_init', POOL, bytes - 2 * MIB)).toBe(ENOMEM)
      expect(rig.call('__pkvm_init', POOL, bytes)).toBe(0)
      if (ramMiB === 512) expect(rig.machine.instructions).toBeLessThan(100_000)
      expect(rig.call('__pkvm_prot_finalize')).toBe(0)
      const last = RAM + ramMiB * MIB - 4096
      expect(rig.load(last)).toEqual({ value: 0n })
      expect(rig.call('__pkvm_host_share_hyp', pfn(last))).toBe(0)
      expect(rig.call('__pkvm_host_share_hyp', pfn(last + 4096))).toBe(EPERM)
      expect(stateOf(rig, last)).toEqual(LENT_TO_HYP)
    }
  })
})

describe('host and hypervisor', () => {
  it('lends and takes back', () => {
    const rig = protectedRig()
    const share = (at: number) => rig.call('__pkvm_host_share_hyp', pfn(at))
    const unshare = (at: number) => rig.call('__pkvm_host_unshare_hyp', pfn(at))
    expect(unshare(PAGE_A)).toBe(EPERM)
    expect(share(PAGE_A)).toBe(0)
    expect(stateOf(rig, PAGE_A)).toEqual(LENT_TO_HYP)
    expect(share(PAGE_A)).toBe(EPERM)
    expect(unshare(PAGE_A)).toBe(0)
    expect(stateOf(rig, PAGE_A)).toEqual(HOST_ALONE)
    expect(share(POOL)).toBe(EPERM)
    expect(share(rig.symbol('hyp_stack') & ~0xfff)).toBe(EPERM)
    expect(share(0x09000000)).toBe(EPERM)
    expect(share(RAM - 4096)).toBe(EPERM)
  })
})

describe('a protected VM', () => {
  it('runs, shares, and comes to its end', () => {
    const rig = protectedRig()
    const handle = newVm(rig, true, guestCode(SHARER))
    expect(handle).toBe(0x1000)
    expect(stateOf(rig, HYP_VM)).toEqual(HYP_ALONE)
    expect(rig.load(HYP_VM)).toEqual(REFUSED)
    expect(rig.call('__pkvm_host_unshare_hyp', pfn(KVM))).toBe(EBUSY)
    expect(rig.call('__pkvm_host_share_guest', pfn(PAGE_A), GFN, 1, 7)).toBe(EINVAL)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN)).toBe(0)
    expect(stateOf(rig, PAGE_A)).toEqual(GUEST_ALONE)
    expect(rig.load(PAGE_A)).toEqual(REFUSED)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN + 1)).toBe(EPERM)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_B), GFN)).toBe(EPERM)
    expect(stateOf(rig, PAGE_B)).toEqual(HOST_ALONE)

    // It shares a page that it does not have yet: the host sees a store to it.
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    expect(vcpuField(rig, 'arch.fault.esr_el2')).toBe(0x90000047)
    expect(vcpuField(rig, 'arch.fault.hpfar_el2')).toBe((GFN + 1) << 4)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_B), GFN + 1)).toBe(0)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    // Features, then the granule, then 0 from the share.
    expect(vcpuField(rig, 'arch.ctxt.regs.regs') + 0).toBe(0)
    expect(Number(rig.peek(VCPU + 19 * 8))).toBe(0x1d + 4096)
    expect(vcpuField(rig, 'arch.fault.hpfar_el2')).toBe(0x9000 << 4)
    expect(stateOf(rig, PAGE_B)).toEqual(LENT_TO_HOST)
    expect(rig.load(PAGE_B)).toEqual({ value: 0x600d600dn })
    expect(rig.call('__pkvm_host_share_hyp', pfn(PAGE_B))).toBe(EPERM)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_B), GFN + 2)).toBe(EPERM)

    const pc = VCPU + rig.constant('kvm_vcpu.arch.ctxt.regs.pc')
    rig.store(pc, rig.peek(pc) + 4n)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    expect(stateOf(rig, PAGE_B)).toEqual(GUEST_ALONE)
    expect(rig.load(PAGE_B)).toEqual(REFUSED)
    rig.store(pc, rig.peek(pc) + 4n)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    expect(exceptionClass(rig)).toBe(0x01)

    expect(rig.call('__pkvm_start_teardown_vm', handle)).toBe(EBUSY)
    expect(rig.call('__pkvm_vcpu_put')).toBe(0)
    expect(rig.call('__pkvm_reclaim_dying_guest_page', handle, GFN)).toBe(EINVAL)
    expect(rig.call('__pkvm_start_teardown_vm', handle)).toBe(0)
    expect(rig.call('__pkvm_start_teardown_vm', handle)).toBe(EINVAL)
    expect(rig.call('__pkvm_vcpu_load', handle, 0, 0)).toBe(EINVAL)
    expect(rig.call('__pkvm_finalize_teardown_vm', handle)).toBe(EBUSY)
    expect(rig.call('__pkvm_reclaim_dying_guest_page', handle, GFN)).toBe(0)
    expect(rig.call('__pkvm_reclaim_dying_guest_page', handle, GFN)).toBe(ENOENT)
    expect(rig.call('__pkvm_reclaim_dying_guest_page', handle, GFN + 1)).toBe(0)
    expect(rig.call('__pkvm_finalize_teardown_vm', handle)).toBe(0)
    expect(rig.call('__pkvm_finalize_teardown_vm', handle)).toBe(EINVAL)
    // Private pages come back empty.
    expect(rig.load(PAGE_A)).toEqual({ value: 0n })
    expect(rig.load(PAGE_B)).toEqual({ value: 0n })

    // What the hypervisor had comes back in a list: a vCPU, a VM, two first tables, two more tables.
    expect(Number(rig.peek(KVM + rig.constant('kvm.arch.pkvm.teardown_mc.nr_pages')))).toBe(6)
    const back: number[] = []
    for (let at = Number(rig.peek(KVM + rig.constant('kvm.arch.pkvm.teardown_mc.head'))); at !== 0; ) {
      back.push(at)
      const next = rig.load(at)
      at = 'value' in next ? Number(next.value) : 0
    }
    expect(back.sort()).toEqual([HYP_VM, HYP_VCPU, PGD, PGD + 4096, MEMCACHE, MEMCACHE + 4096].sort())
    for (const page of [...back, PAGE_A, PAGE_B]) expect(stateOf(rig, page)).toEqual(HOST_ALONE)
    expect(rig.call('__pkvm_host_unshare_hyp', pfn(KVM))).toBe(0)
    expect(rig.call('__pkvm_host_unshare_hyp', pfn(VCPU))).toBe(0)
  })

  it('loses a page to the host by force, not its content', () => {
    const rig = protectedRig()
    const handle = newVm(rig, true, guestCode('1: wfi\n b 1b\n .quad 0x5ec4e7'))
    expect(rig.call('__pkvm_force_reclaim_guest_page', PAGE_A)).toBe(EAGAIN)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN)).toBe(0)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    expect(rig.call('__pkvm_vcpu_in_poison_fault')).toBe(0)
    expect(rig.call('__pkvm_force_reclaim_guest_page', PAGE_A + 8)).toBe(EAGAIN)
    expect(rig.call('__pkvm_force_reclaim_guest_page', HYP_VM)).toBe(EAGAIN)
    expect(rig.call('__pkvm_force_reclaim_guest_page', PAGE_A)).toBe(0)
    expect(rig.load(PAGE_A + 8)).toEqual({ value: 0n })
    expect(stateOf(rig, PAGE_A)).toEqual(HOST_ALONE)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    expect(rig.call('__pkvm_vcpu_in_poison_fault')).toBe(1)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN)).toBe(EHWPOISON)
    expect(rig.call('__pkvm_vcpu_put')).toBe(0)
    expect(rig.call('__pkvm_start_teardown_vm', handle)).toBe(0)
    expect(rig.call('__pkvm_finalize_teardown_vm', handle)).toBe(0)
  })

  it('leaves for an interrupt of the host', () => {
    const rig = protectedRig()
    newVm(rig, true, guestCode('add x0, x0, #1\n b . - 4'))
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN)).toBe(0)
    const distributor = 0x08000000
    rig.storeWord(distributor, 0x12)
    rig.storeWord(distributor + 0x84, -1 >>> 0)
    rig.storeWord(distributor + 0x104, 2)
    // UARTIMSC.TXIM, and a byte to send.
    rig.storeWord(0x09000038, 0x20)
    rig.storeWord(0x09000000, 0x2e)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(0)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(0)
  })

  it('cannot be given the mode of the hypervisor', () => {
    const rig = protectedRig()
    newVm(rig, true, guestCode('mrs x0, currentel\n 1: wfi\n b 1b'))
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN)).toBe(0)
    for (const [mode, el] of [[0x3c9, 4], [0x3cd, 4], [0x1d3, 4], [0x3c5, 4], [0x3c4, 4]] as const) {
      rig.store(VCPU + rig.constant('kvm_vcpu.arch.ctxt.regs.pc'), GFN * 4096)
      rig.store(VCPU + rig.constant('kvm_vcpu.arch.ctxt.regs.pstate'), mode)
      expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
      expect(Number(rig.peek(VCPU))).toBe(el)
    }
  })
})

describe('a normal VM', () => {
  it('borrows pages of the host', () => {
    const rig = protectedRig()
    const handle = newVm(rig, false, guestCode(SHARER))
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN)).toBe(EINVAL)
    expect(rig.call('__pkvm_host_share_guest', pfn(PAGE_A), GFN, 2, 7)).toBe(EINVAL)
    expect(rig.call('__pkvm_host_share_guest', pfn(PAGE_A), GFN, 1, 8)).toBe(EINVAL)
    expect(rig.call('__pkvm_host_share_guest', pfn(PAGE_A), GFN, 1, 7)).toBe(0)
    expect(rig.call('__pkvm_host_share_guest', pfn(PAGE_A), GFN, 1, 7)).toBe(EPERM)
    expect(rig.call('__pkvm_host_share_guest', pfn(PAGE_A), GFN + 5, 1, 4)).toBe(0)
    expect(rig.call('__pkvm_host_share_guest', pfn(POOL), GFN + 6, 1, 7)).toBe(EPERM)
    expect(rig.call('__pkvm_host_share_guest', pfn(KVM), GFN + 6, 1, 7)).toBe(EPERM)
    expect(stateOf(rig, PAGE_A)).toEqual(LENT_TO_GUEST)
    expect(rig.call('__pkvm_host_share_hyp', pfn(PAGE_A))).toBe(EPERM)
    // Its calls are the host's to answer.
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    expect(exceptionClass(rig)).toBe(0x16)
    expect(rig.load(PAGE_A)).not.toEqual(REFUSED)
    expect(rig.call('__pkvm_host_unshare_guest', handle, GFN, 1)).toBe(0)
    expect(stateOf(rig, PAGE_A)).toEqual(LENT_TO_GUEST)
    expect(rig.call('__pkvm_host_unshare_guest', handle, GFN, 1)).toBe(ENOENT)
    expect(rig.call('__pkvm_vcpu_put')).toBe(0)
    expect(rig.call('__pkvm_start_teardown_vm', handle)).toBe(0)
    expect(rig.call('__pkvm_reclaim_dying_guest_page', handle, GFN + 5)).toBe(EPERM)
    expect(rig.call('__pkvm_finalize_teardown_vm', handle)).toBe(EBUSY)
    expect(rig.call('__pkvm_host_unshare_guest', handle, GFN + 5, 1)).toBe(0)
    expect(stateOf(rig, PAGE_A)).toEqual(HOST_ALONE)
    expect(rig.call('__pkvm_finalize_teardown_vm', handle)).toBe(0)
  })

  it('runs without protection too, and a protected one does not', () => {
    const rig = new HypRig(sources)
    expect(rig.call('__pkvm_init', POOL, POOL_BYTES)).toBe(0)
    expect(rig.inspector.mode().phase).toMatchObject({ value: 'table' })
    const handle = newVm(rig, false, guestCode('1: wfi\n b 1b'))
    expect(rig.call('__pkvm_host_share_guest', pfn(PAGE_A), GFN, 1, 7)).toBe(0)
    expect(rig.call('__kvm_vcpu_run', VCPU)).toBe(2)
    expect(exceptionClass(rig)).toBe(0x01)
    expect(rig.call('__pkvm_vcpu_put')).toBe(0)
    const other = rig.call('__pkvm_reserve_vm')
    expect(other).toBe(handle + 1)
    rig.store(KVM + rig.constant('kvm.arch.pkvm.handle'), other)
    rig.store(KVM + rig.constant('kvm.arch.pkvm.is_protected'), 1)
    expect(rig.call('__pkvm_init_vm', KVM, PAGE_B, PGD + 0x2000)).toBe(EINVAL)
  })
})

describe('the table of VMs', () => {
  it('has 255 places', () => {
    const rig = protectedRig()
    for (let i = 0; i < 255; i++) expect(rig.call('__pkvm_reserve_vm')).toBe(0x1000 + i)
    expect(rig.call('__pkvm_reserve_vm')).toBe(ENOMEM)
    expect(rig.call('__pkvm_unreserve_vm', 0x10fe)).toBe(0)
    expect(rig.call('__pkvm_unreserve_vm', 0x10fe)).toBe(ENOENT)
    expect(rig.call('__pkvm_unreserve_vm', 0x10ff)).toBe(ENOENT)
    expect(rig.call('__pkvm_unreserve_vm', 0xfff)).toBe(ENOENT)
    expect(rig.call('__pkvm_reserve_vm')).toBe(0x10fe)
    expect(rig.call('__pkvm_start_teardown_vm', 0x1000)).toBe(EINVAL)
  })

  it('gives back what it took when it refuses', () => {
    const rig = protectedRig()
    const init = (vm: number, pgd: number) => rig.call('__pkvm_init_vm', KVM, vm, pgd)
    expect(init(HYP_VM, PGD)).toBe(EPERM)
    expect(rig.call('__pkvm_host_share_hyp', pfn(KVM))).toBe(0)
    expect(init(HYP_VM, PGD)).toBe(EINVAL)
    rig.store(KVM + rig.constant('kvm.arch.pkvm.handle'), rig.call('__pkvm_reserve_vm'))
    expect(init(HYP_VM, PGD)).toBe(EINVAL)
    rig.store(KVM + rig.constant('kvm.created_vcpus'), 9)
    expect(init(HYP_VM, PGD)).toBe(EINVAL)
    rig.store(KVM + rig.constant('kvm.created_vcpus'), 1)
    expect(init(HYP_VM, PGD + 4096)).toBe(EINVAL)
    expect(init(HYP_VM + 8, PGD)).toBe(EPERM)
    expect(init(PGD, PGD)).toBe(EPERM)
    expect(init(PGD + 4096, PGD)).toBe(EPERM)
    expect(init(HYP_VM, POOL)).toBe(EPERM)
    for (const page of [HYP_VM, PGD, PGD + 4096]) expect(stateOf(rig, page)).toEqual(HOST_ALONE)
    expect(rig.call('__pkvm_host_unshare_hyp', pfn(KVM))).toBe(0)
  })
})

/** What each safeguard is for: without it an attack works that is refused with it. */
describe('without one safeguard', () => {
  const without = (file: string, from: string, to = ''): Record<string, string> => {
    expect(sources[file]!.split(from).length).toBe(2)
    return { ...sources, [file]: sources[file]!.replace(from, to) }
  }
  /** Let a protected guest have a page with a secret, and the host look at it while and after. */
  function attack(files: Record<string, string>): { during: unknown; after: unknown; hypAsGuest: number } {
    const rig = protectedRig(128, files)
    const handle = newVm(rig, true, guestCode('1: wfi\n b 1b\n .quad 0x5ec4e7'))
    // A page beside it first: the block of 2 MB is split then, and the TLB emptied for that.
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_B), GFN + 2)).toBe(0)
    expect(rig.load(PAGE_A + 8)).toEqual({ value: 0x5ec4e7n })
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_A), GFN)).toBe(0)
    const during = rig.load(PAGE_A + 8)
    const hypAsGuest = rig.call('__pkvm_host_donate_guest', pfn(HYP_VM), GFN + 1)
    rig.call('__pkvm_vcpu_put')
    rig.call('__pkvm_start_teardown_vm', handle)
    rig.call('__pkvm_reclaim_dying_guest_page', handle, GFN)
    return { during, after: rig.load(PAGE_A + 8), hypAsGuest }
  }
  const SECRET = { value: 0x5ec4e7n }

  it('nothing works with all of them', () => {
    expect(attack(sources)).toEqual({ during: REFUSED, after: { value: 0n }, hypAsGuest: EPERM })
  })

  it('the TLB keeps what was taken away', () => {
    const broken = without('hyp/host-stage2.s', '        mov     x1, x19\n        bl      tlb_flush_ipa\n')
    expect(attack(broken).during).toEqual(SECRET)
  })

  it('a page comes back with what was in it', () => {
    const broken = without('hyp/reclaim.s', '        bl      hyp_poison_page\n')
    expect(attack(broken).after).toEqual(SECRET)
  })

  /** Two CPUs give the same page to the guest, at two of its addresses. */
  function race(files: Record<string, string>): { results: [number, number]; mapped: readonly boolean[] } {
    const rig = protectedRig(128, files, { CONFIG_LOCK_CONTENTION: true })
    const handle = newVm(rig, true)
    expect(rig.call('__pkvm_host_donate_guest', pfn(PAGE_B), GFN + 2)).toBe(0)
    const donate = '__pkvm_host_donate_guest'
    const results = rig.callBeside(donate, [pfn(PAGE_A), GFN], donate, [pfn(PAGE_A), GFN + 1])
    const mapped = [GFN, GFN + 1].map((gfn) => {
      const walk = rig.inspector.walkGuest(handle, BigInt(gfn * 4096))
      return walk.known && walk.value.result.kind === 'mapped' && Number(walk.value.result.output) === PAGE_A
    })
    return { results, mapped }
  }

  it('two CPUs are told apart by the lock', () => {
    expect(race(sources)).toEqual({ results: [EPERM, 0], mapped: [false, true] })
    const check = '        mov     x0, x19\n        mov     w1, #HOST_OWNED\n        bl      check_page_state\n        cbnz    x0, 9f\n'
    const file = 'hyp/guest-pages.s'
    const start = '__pkvm_host_donate_guest:\n        frame   3\n        lsl     x19, x0, #PAGE_SHIFT\n        mov     x20, x1\n'
    const look = '        ldr     x0, [x22]\n        bl      guest_entry_state\n'
    const end = '9:      bl      hyp_spin_unlock\n        unframe 3\n\n// guest_annotation'
    const late = without(file, start, start + check.replace('9f', '8f'))
    const broken = late[file]!.replace(check + look, look).replace(end, end.replace('        unframe 3', '8:      unframe 3'))
    expect(race({ ...late, [file]: broken })).toEqual({ results: [0, 0], mapped: [true, true] })
  })

  it('the host gives away what is not its own', () => {
    const check = '        mov     x0, x19\n        mov     w1, #HOST_OWNED\n        bl      check_page_state\n        cbnz    x0, 9f\n        ldr     x0, [x22]\n'
    const broken = without('hyp/guest-pages.s', check, '        ldr     x0, [x22]\n')
    expect(attack(broken).hypAsGuest).toBe(0)
  })
})

describe('a bug of its own', () => {
  const broken = (file: string, from: string, to: string) => {
    expect(sources[file]).toContain(from)
    return { ...sources, [file]: sources[file]!.replace(from, to) }
  }

  it('is said on the console, and the machine goes off', () => {
    const rig = protectedRig(128, broken('hyp/vm.s', '__pkvm_vcpu_put:\n', '__pkvm_vcpu_put:\n        mov x1, #0x1230\n        ldr x0, [x1]\n'))
    expect(() => rig.call('__pkvm_vcpu_put')).toThrow('off')
    expect(rig.console).toMatch(
      /^\nKernel panic - not syncing: HYP panic: exception at EL2\nESR_EL2 0x000000009600000[4-7] ELR_EL2 0x[0-9a-f]{16} \(in the listing 0x00000000402[0-9a-f]{5}\) FAR_EL2 0x0000000000001230\n$/,
    )
  })

  it('is found when it overruns the stack', () => {
    const rig = protectedRig(128, broken('hyp/vm.s', '__pkvm_vcpu_put:\n', '__pkvm_vcpu_put:\n        frame 0\n        bl __pkvm_vcpu_put\n'))
    expect(() => rig.call('__pkvm_vcpu_put')).toThrow('off')
    expect(rig.console).toContain('HYP panic: stack overflow at EL2')
  })
})

const qemu = spawnSync('qemu-system-aarch64', ['--version']).status === 0
if (!qemu) console.warn('SKIPPED: comparison with QEMU, qemu-system-aarch64 not installed')

describe.skipIf(!qemu)('on QEMU', () => {
  it('answers 2,000 steps as in the lab', () => {
    // The steps come from a run in which the host sees what it has reached.
    const rig = protectedRig()
    const steps = hostileHost(rig, random(99))
    const script: Step[] = [
      { call: 1, args: [BigInt(POOL), BigInt(POOL_BYTES)] },
      { call: 7, args: [] },
    ]
    while (script.length < 2000) {
      const step: Step = steps.next().value
      rig.step(step)
      script.push(step)
    }
    const system = buildWithTestHost(sources, 128, script)
    expect(system.diagnostics).toEqual([])
    let lab = ''
    const machine = Machine.create({
      image: system.image,
      append: '',
      ramMiB: 128,
      console: (bytes) => {
        lab += String.fromCharCode(...bytes)
      },
    })
    expect(machine.run(20_000_000)).toEqual({ kind: 'off' })
    const folder = mkdtempSync(join(tmpdir(), 'mini-pkvm-'))
    try {
      const image = join(folder, 'Image')
      writeFileSync(image, system.image)
      const machineOptions = ['-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'cortex-a72', '-m', '128', '-nic', 'none']
      const run = spawnSync('qemu-system-aarch64', [...machineOptions, '-nographic', '-kernel', image], { input: '', timeout: 300_000 })
      expect(lab.split('\n').length).toBe(2001)
      expect(run.stdout.toString()).toBe(lab)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
