import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { initSources } from '../cli/initrd-command.ts'
import { miniFiles } from '../cli/mini-command.ts'
import { kernelOf, projectRoot, skipLoudly } from '../cli/oracle.ts'
import { StateCode } from '../inspect/hyp-page.ts'
import { Inspector } from '../inspect/inspector.ts'
import { KernelData } from '../inspect/kernel-data.ts'
import { need } from '../inspect/known.ts'
import { configureSystem } from '../../lessons/mini-pkvm/system.ts'
import { buildInitrd } from '../machine/init-program.ts'
import { Machine } from '../machine/machine.ts'
import { CheckpointSlot } from './checkpoint-slot.ts'
import { type LoggedEvents, logEvents } from './event-source.ts'
import { HostCallDesk } from './host-call-desk.ts'
import type { HostCallAnswer } from './inspection-protocol.ts'
import { openImage } from './system-image.ts'

const APPEND = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'
const PAGE = 4096
/** pKVM protects itself by then, and the lab's init has not made its VMs. */
const READY = 440_000_000
const RANDOM_CALLS = { '7.2': 500, '7.3': 100 }

function runTo(machine: Machine, target: number): void {
  while (machine.instructions < target) {
    const { kind } = machine.run(target - machine.instructions)
    if (kind === 'idle') machine.skipIdle()
    else if (kind !== 'budget') return
  }
}

/** A generator of numbers that repeats. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Arguments of page numbers and addresses that are another on every machine. */
interface Places {
  /** Page numbers: of the host's own, of the hypervisor, behind the end of RAM. */
  readonly free: number
  readonly hyp: number
  readonly end: number
}
const NO_HANDLES = [0, 0xfff, 0x1000, 0x1001, 0x2000, -1]
const UART = 0x9000
/** What a host gets that asks for nonsense while there is no VM, on Linux and on mini-pKVM. */
const nonsense = ({ free, hyp, end }: Places): (readonly [result: string, call: string, ...args: number[]])[] => [
  ...[hyp, 0x1234, UART, end, 2 ** 40].flatMap(pfn => [['-EPERM', '__pkvm_host_share_hyp', pfn] as const, ['-EPERM', '__pkvm_host_unshare_hyp', pfn] as const]),
  ['-EPERM', '__pkvm_host_unshare_hyp', free],
  ['-EAGAIN', '__pkvm_force_reclaim_guest_page', free * PAGE],
  ['-EAGAIN', '__pkvm_force_reclaim_guest_page', free * PAGE + 8],
  ['-EFAULT', '__pkvm_force_reclaim_guest_page', UART * PAGE],
  ['-EFAULT', '__pkvm_force_reclaim_guest_page', end * PAGE],
  ...NO_HANDLES.flatMap(handle => [
    ['-EINVAL', '__pkvm_start_teardown_vm', handle] as const,
    ['-EINVAL', '__pkvm_finalize_teardown_vm', handle] as const,
    ['-EINVAL', '__pkvm_reclaim_dying_guest_page', handle, 0x40000] as const,
    ['-EINVAL', '__pkvm_host_unshare_guest', handle, 0x40000, 1] as const,
  ]),
  ['-EINVAL', '__pkvm_host_donate_guest', free, 0x40000],
  ['-EINVAL', '__pkvm_host_share_guest', free, 0x40000, 1, 7],
  ['-EINVAL', '__pkvm_vcpu_in_poison_fault'],
]

/** The same table with the answers that this machine gives. */
function answersTo(table: ReturnType<typeof nonsense>, call: (name: string, ...args: number[]) => HostCallAnswer): ReturnType<typeof nonsense> {
  return table.map(([, name, ...args]) => {
    const { end, result } = call(name, ...args)
    return [end === 'returned' ? result : end, name, ...args]
  })
}

describe.each(['7.2', '7.3'] as const)('hypercalls by hand on Linux %s', version => {
  const kernel = kernelOf(version)
  describe.skipIf(skipLoudly(kernel === undefined, `no kernel ${version} in .cache/kernels (npx pkvm-lab kernel fetch)`))('in protected mode', () => {
    let machine: Machine
    let log: LoggedEvents
    let desk: HostCallDesk
    let inspector: Inspector
    let start: CheckpointSlot
    let text = ''
    let id = 0

    beforeAll(() => {
      const image = readFileSync(kernel!)
      machine = Machine.create({
        image,
        initrd: buildInitrd({ sources: initSources(projectRoot) }),
        append: APPEND,
        ramMiB: 128,
        console: bytes => {
          text += String.fromCharCode(...bytes)
        },
      })
      const data = new KernelData(machine, image)
      log = logEvents(machine, data)
      desk = new HostCallDesk(machine, data, log)
      inspector = new Inspector(machine, data)
      start = new CheckpointSlot(machine, log)
      runTo(machine, READY)
      start.keep()
    })

    const call = (name: string, ...args: (string | number)[]): HostCallAnswer => {
      const done = desk.call({ type: 'hostCall', id: ++id, call: name, args: args.map(String) })
      if (!done.ok) throw new Error(done.message)
      return done.answer
    }
    const refusal = (name: string, ...args: string[]): string => {
      const done = desk.call({ type: 'hostCall', id: ++id, call: name, args })
      return done.ok ? 'it was made' : done.message
    }
    /** A page of the host that nobody else has, and one of the hypervisor. */
    const pages = () => {
      const map = need(inspector.ownership())
      const base = inspector.kernel.memory.base / PAGE
      const free = map.host.findLastIndex((state, page) => state === StateCode.owned && map.hyp[page] === StateCode.noPage)
      const hyp = map.host.findIndex((state, page) => state === StateCode.noPage && map.hyp[page] === StateCode.owned)
      return { free: base + free, hyp: base + hyp, end: base + map.host.length }
    }

    it('lists the calls of this kernel with their arguments', () => {
      const { calls, why } = desk.list(7)
      expect(why).toBe('')
      expect(calls.length).toBeGreaterThan(40)
      expect(calls.find(it => it.name === '__pkvm_host_share_hyp')).toEqual({ name: '__pkvm_host_share_hyp', number: 0x1d, args: ['pfn'] })
      expect(calls.find(it => it.name === '__pkvm_reserve_vm')?.args).toEqual([])
    })

    it('shares a page, refuses to share it twice, takes it back, and puts the host’s registers back', () => {
      start.restore()
      const { free } = pages()
      const before = call('__pkvm_reserve_vm')
      expect(before).toMatchObject({ end: 'returned', status: 'SUCCESS', undone: false, site: '__arm_smccc_hvc' })
      start.restore()
      const registers = () => [...machine.cpu.state.x, machine.cpu.state.pc, BigInt(machine.cpu.state.nzcv()), BigInt(machine.cpu.state.daif)]
      // The first call goes on to a safe point; from there nothing of the host moves.
      const first = call('host_share_hyp', `0x${free.toString(16)}`)
      expect(first).toMatchObject({ end: 'returned', status: 'SUCCESS', result: '0', rule: '', name: '__pkvm_host_share_hyp' })
      expect(first.events.some(e => e.kind === 'ownership' && e.physical === free * PAGE)).toBe(true)
      expect(first.events.some(e => e.kind === 'hypercall' && e.text.includes(`__pkvm_host_share_hyp(pfn 0x${free.toString(16)}) = 0`))).toBe(true)
      const here = registers()
      const again = call('host_share_hyp', free)
      expect(again).toMatchObject({ result: '-EPERM' })
      expect(again.rule).toMatch(/owns alone/)
      expect(again.events.filter(e => e.kind === 'ownership')).toEqual([])
      expect(call('__pkvm_host_unshare_hyp', free)).toMatchObject({ result: '0' })
      expect(call('host_unshare_hyp', free)).toMatchObject({ result: '-EPERM' })
      expect(registers()).toEqual(here)
      expect(machine.inputLog.inputs.map(input => input.kind)).toEqual(Array(4).fill('host-call'))
    })

    it('refuses the hypervisor’s own page, what is not memory, and numbers that it does not have', () => {
      start.restore()
      const { hyp } = pages()
      expect(call('host_share_hyp', hyp).result).toBe('-EPERM')
      expect(call('host_share_hyp', 0x1234).result).toMatch(/^-E/)
      expect(call('0xfff0')).toMatchObject({ status: 'NOT_SUPPORTED', result: '' })
      // What sets the hypervisor up is closed.
      expect(call('__pkvm_init', 0, 0, 0, 0)).toMatchObject({ status: 'NOT_SUPPORTED' })
      expect(call('__pkvm_prot_finalize')).toMatchObject({ result: '-EPERM' })
    })

    it('answers nonsense with the errnos that mini-pKVM has too', () => {
      start.restore()
      const table = nonsense(pages())
      expect(answersTo(table, call)).toEqual(table)
    })

    it('says in one sentence what it cannot make, and changes nothing', () => {
      start.restore()
      const hash = machine.hash()
      expect(refusal('host_shear_hyp', '1')).toMatch(/no host call “host_shear_hyp”/)
      expect(refusal('tlb_flush_vmid', '1')).toMatch(/is __kvm_tlb_flush_vmid or __pkvm_tlb_flush_vmid: write which/)
      expect(refusal('host_share_hyp')).toMatch(/takes pfn: 0 of 1/)
      expect(refusal('host_share_hyp', 'page')).toMatch(/not a 64-bit number/)
      expect(refusal('host_share_hyp', '0x10000000000000000')).toMatch(/not a 64-bit number/)
      expect(refusal('0x84000000')).toMatch(/not the number of a host call/)
      expect(machine.hash()).toBe(hash)
    })

    it('runs again as it did, given the same call at the same instruction', () => {
      const { free } = pages()
      const run = () => {
        start.restore()
        call('host_share_hyp', free)
        runTo(machine, READY + 20_000_000)
        return machine.hash()
      }
      expect(run()).toBe(run())
    })

    it('tells a panic of the hypervisor, and goes back to before it or lets the host tell it too', () => {
      // These handlers of both versions read what the host calls its struct kvm_s2_mmu without a check.
      start.restore()
      const hash = machine.hash()
      const request = { type: 'hostCall' as const, id: 1, call: '__kvm_tlb_flush_vmid', args: ['0xffff000000dead00'] }
      const told = desk.call(request)
      if (!told.ok) throw new Error(told.message)
      expect(told.answer).toMatchObject({ end: 'panic', undone: true, status: '' })
      expect(told.answer.rule).toMatch(/^The hypervisor panicked: data abort: read, translation fault.* at \w+\+0x.*put back to before the call\.$/)
      expect(told.answer.events.some(e => e.text.startsWith('exception inside the hypervisor'))).toBe(true)
      start.restore()
      expect(machine.hash()).toBe(hash)
      text = ''
      const kept = desk.call({ ...request, onPanic: 'keep' })
      expect(kept.ok && kept.answer).toMatchObject({ end: 'panic', undone: false })
      runTo(machine, machine.instructions + 20_000_000)
      expect(text).toMatch(/Kernel panic - not syncing: HYP panic/)
      expect(log.after(0, 1e6).length).toBe(log.total)
    })

    it(`survives ${RANDOM_CALLS[version]} random calls, tells what became of each, and the host goes on to its end`, () => {
      start.restore()
      const pick = random(version === '7.2' ? 72 : 73)
      const map = need(inspector.ownership())
      const base = inspector.kernel.memory.base
      // Pages that are not the host's alone, and odd numbers: what the host owns is its own to lose.
      const taken = [...map.host.keys()].filter(page => map.host[page] !== StateCode.owned)
      const argument = (name: string): bigint => {
        if (name === 'pfn' || name === 'phys') {
          const page = BigInt(base / PAGE + taken[pick(taken.length)]!)
          return name === 'pfn' ? page : page << 12n
        }
        const kind = pick(4)
        if (kind === 0) return BigInt(pick(16))
        if (kind === 1) return 0x1000n + BigInt(pick(8))
        if (kind === 2) return BigInt(pick(2 ** 31)) << BigInt(pick(33))
        return BigInt.asUintN(64, -BigInt(pick(4096)))
      }
      // Those that act on structures of the host's own choosing, or on state that its KVM relies on.
      const calls = desk.list(1).calls.filter(it => it.number >= 0x1d && !/tlb_flush|vcpu_load|init_vm|init_vcpu|reserve_vm/.test(it.name))
      const ends: Record<string, number> = {}
      for (let i = 0; i < RANDOM_CALLS[version]; i++) {
        const { name, args } = calls[pick(calls.length)]!
        const answer = call(name, ...args.map(argument).map(String))
        const key = answer.end === 'returned' ? `${answer.name} ${answer.status} ${answer.result}` : `${answer.name} ${answer.end}: ${answer.rule}`
        ends[key] = (ends[key] ?? 0) + 1
        if (answer.end !== 'returned') expect(answer.rule).toMatch(/^The /)
      }
      text = ''
      runTo(machine, READY + 200_000_000)
      expect(text).toContain('vm.protected.exit=KVM_EXIT_MMIO')
      expect(machine.run(1).kind).toBe('off')
    })
  })
})

describe('hypercalls by hand on mini-pKVM', () => {
  it('are its own calls by its own names, with Linux’s answers', async () => {
    const { system } = configureSystem(await miniFiles(join(projectRoot, 'lessons/mini-pkvm')))
    const { image, description } = openImage(system)
    const machine = Machine.create({ image, initrd: buildInitrd({ sources: initSources(projectRoot) }), append: APPEND, ramMiB: 128, console: () => {} })
    const kernel = new KernelData(machine, description)
    const log = logEvents(machine, kernel)
    const desk = new HostCallDesk(machine, kernel, log)
    // Its host runs by then; what comes of the probe's VMs is not what is looked at.
    while (log.total === 0 || machine.exceptionLevel === 2) machine.run(1000)
    const call = (name: string, ...args: (string | number)[]) => {
      const done = desk.call({ type: 'hostCall', id: 1, call: name, args: args.map(String) })
      if (!done.ok) throw new Error(done.message)
      return done.answer
    }
    const map = need(new Inspector(machine, kernel).ownership())
    const base = kernel.memory.base / PAGE
    const free = base + map.host.findLastIndex((state, page) => state === StateCode.owned && map.hyp[page] === StateCode.noPage)
    const hyp = base + map.host.findIndex((state, page) => state === StateCode.noPage && map.hyp[page] === StateCode.owned)
    expect(call('host_share_hyp', free)).toMatchObject({ end: 'returned', status: 'SUCCESS', result: '0' })
    expect(call('host_share_hyp', free)).toMatchObject({ result: '-EPERM' })
    expect(call('host_unshare_hyp', free)).toMatchObject({ result: '0' })
    expect(call('host_share_hyp', hyp)).toMatchObject({ result: '-EPERM' })
    expect(call('0xfff0')).toMatchObject({ status: 'NOT_SUPPORTED' })
    const table = nonsense({ free, hyp, end: base + map.host.length })
    expect(answersTo(table, call)).toEqual(table)
    expect(log.after(0, 1e6).filter(e => e.kind === 'hypercall' && e.text.includes('host_share_hyp')).length).toBe(3 + table.filter(([, name]) => name === '__pkvm_host_share_hyp').length)
  })
})
