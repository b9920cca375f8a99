/** A hostile host for tests of mini-pKVM's hypervisor: any call with any arguments, and now and then what works. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GFN, type HypRig, type Step } from './hyp-host.test-double.ts'

const here = dirname(fileURLToPath(import.meta.url))
export const sources = Object.fromEntries(
  readdirSync(here, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^(mini-pkvm\.s|(hyp|include)[\\/].*\.s)$/.test(path))
    .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(here, path), 'utf8')]),
)

export const RAM = 0x40000000
export const MIB = 1 << 20
/** Where the tests' pool is, in 128 MiB of RAM. */
export const POOL = RAM + 96 * MIB
export const POOL_BYTES = 4 * MIB
/** Pages of the host that the tests use. */
export const KVM = RAM + 32 * MIB
export const VCPU = KVM + 0x1000
export const HYP_VM = KVM + 0x2000
export const HYP_VCPU = KVM + 0x3000
export const PGD = KVM + 0x4000
export const MEMCACHE = KVM + 0x8000
// (Apart from the pool in the low bits of the page number too: an entry of the TLB lives longer that way.)
export const PAGE_A = RAM + 48 * MIB + 0x77000
export const PAGE_B = PAGE_A + 0x1000

export const pfn = (address: number) => address / 4096

/** Linear congruential, so that every run is the same. */
export function random(seed: number): (below: number) => number {
  let state = BigInt(seed)
  return (below) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n)
    return Number((state >> 33n) % BigInt(below))
  }
}

/** Calls of a host that has lost its mind: mostly plausible arguments, so that they get far, and some wild ones. */
function madStep(next: (below: number) => number): Step {
  const pages = [KVM, VCPU, HYP_VM, HYP_VCPU, PGD, PGD + 4096, MEMCACHE, MEMCACHE + 4096, PAGE_A, PAGE_B, PAGE_B + 4096]
  const wild = [0n, 1n, 0xffffffffffffffffn, 1n << 63n, BigInt(POOL), 0x9000000n, 0x40200000n, 0x48000000n, (1n << 52n) | 0x42000n]
  const page = () => BigInt(pages[next(pages.length)]!)
  const number = () => (next(8) === 0 ? BigInt(next(0x10000)) : BigInt(next(4)))
  const arguments_ = (): bigint => {
    switch (next(10)) {
      case 0:
        return wild[next(wild.length)]!
      case 1:
        return page() / 4096n + BigInt(next(2))
      case 2:
      case 3:
        return page() / 4096n
      case 4:
      case 5:
        return page()
      case 6:
        return BigInt(0x1000 + next(4))
      case 7:
        return BigInt(GFN + next(4))
      default:
        return number()
    }
  }
  const kind = next(20)
  if (kind === 0) return { load: page() }
  if (kind <= 3) return { store: page() + BigInt(next(60)) * 8n, value: arguments_() }
  const calls = [1, 7, 9, 9, 0x1d, 0x1d, 0x1d, 0x1e, 0x1f, 0x1f, 0x20, 0x20, 0x21, 0x26, 0x27, 0x28, 0x28, 0x28, 0x29, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x2f, 0x30, 0x31]
  const call = next(30) === 0 ? next(0x40) : calls[next(calls.length)]!
  const handle = BigInt(0x1000 + next(3))
  const gfn = BigInt(GFN + next(3))
  // The right kind of argument for the call, most of the time.
  const right: Record<number, readonly bigint[]> = {
    9: [BigInt(VCPU)],
    0x1d: [page() / 4096n],
    0x1e: [page() / 4096n],
    0x1f: [page() / 4096n, gfn],
    0x20: [page() / 4096n, gfn, 1n, 7n],
    0x21: [handle, gfn, 1n],
    0x27: [handle],
    0x28: [next(2) ? BigInt(KVM) : page(), page(), next(2) ? BigInt(PGD) : page()],
    0x29: [handle, next(2) ? BigInt(VCPU) : page(), page()],
    0x2b: [page()],
    0x2c: [handle, gfn],
    0x2d: [handle],
    0x2e: [handle],
    0x2f: [handle, number(), 0n],
  }
  const args = next(4) === 0 ? undefined : right[call]
  return { call, args: args ?? [arguments_(), arguments_(), arguments_(), arguments_()] }
}

/** What a host does that knows how to: long enough to reach what single calls at random never reach. */
function recipe(rig: HypRig, next: (below: number) => number): Step[] {
  const call = (name: string, ...args: number[]): Step => ({ call: rig.constant(`__KVM_HOST_SMCCC_FUNC_${name}`), args: args.map(BigInt) })
  const store = (at: number, value: number): Step => ({ store: BigInt(at), value: BigInt(value) })
  const table = Number(rig.peek(rig.symbol('vm_table'))) - rig.constant('HYP_LINEAR')
  const used = Array.from({ length: 255 }, (_, slot) => slot).filter((slot) => rig.peek(table + slot * 8) !== 0n)
  const handle = 0x1000 + (used[next(8) === 0 ? next(used.length + 1) : 0] ?? 0)
  const gfn = GFN + next(3)
  const page = PAGE_A + next(6) * 4096
  const memcache = MEMCACHE + next(8) * 8192
  switch (next(4)) {
    case 0:
      return [
        ...[HYP_VM, HYP_VCPU, PGD, PGD + 4096, memcache, memcache + 4096].map((at) => call('__pkvm_host_unshare_hyp', pfn(at))),
        call('__pkvm_host_share_hyp', pfn(KVM)),
        call('__pkvm_host_share_hyp', pfn(VCPU)),
        call('__pkvm_reserve_vm'),
        store(KVM + rig.constant('kvm.created_vcpus'), 1),
        store(KVM + rig.constant('kvm.arch.pkvm.handle'), handle),
        store(KVM + rig.constant('kvm.arch.pkvm.is_protected'), next(2)),
        store(VCPU + rig.constant('kvm_vcpu.vcpu_idx'), 0),
        call('__pkvm_init_vm', KVM, HYP_VM, PGD),
        call('__pkvm_init_vcpu', handle, VCPU, HYP_VCPU),
        call('__pkvm_vcpu_load', handle, 0, 0),
      ]
    case 1:
      return [
        call('__pkvm_vcpu_load', handle, 0, 0),
        store(memcache, memcache + 4096),
        store(VCPU + rig.constant('kvm_vcpu.arch.pkvm_memcache.head'), memcache),
        store(VCPU + rig.constant('kvm_vcpu.arch.pkvm_memcache.nr_pages'), 2),
        call('__pkvm_host_donate_guest', pfn(page), gfn),
        call('__pkvm_host_share_guest', pfn(page), gfn, 1, 7),
        store(VCPU + rig.constant('kvm_vcpu.arch.ctxt.regs.pc'), GFN * 4096),
        store(VCPU + rig.constant('kvm_vcpu.arch.ctxt.regs.pstate'), 0x3c5),
        call('__kvm_vcpu_run', VCPU),
      ]
    case 2:
      return [call('__pkvm_force_reclaim_guest_page', page), { load: BigInt(page) }, call('__kvm_vcpu_run', VCPU)]
    default:
      return [
        call('__pkvm_vcpu_put'),
        call('__pkvm_start_teardown_vm', handle),
        ...[0, 1, 2].map((i) => call('__pkvm_reclaim_dying_guest_page', handle, GFN + i)),
        ...[0, 1, 2].map((i) => call('__pkvm_host_unshare_guest', handle, GFN + i, 1)),
        call('__pkvm_finalize_teardown_vm', handle),
      ]
  }
}

/** Steps of a host that is hostile, and now and then competent. */
export function* hostileHost(rig: HypRig, next: (below: number) => number): Generator<Step> {
  for (;;) {
    if (next(3) !== 0) yield madStep(next)
    else {
      for (const step of recipe(rig, next)) {
        if (next(30) === 0) yield madStep(next)
        if (next(30) !== 0) yield step
      }
    }
  }
}
