import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { kernelOf, skipLoudly } from '../../cli/oracle.ts'
import { sharingInitrd } from '../../cli/sharing-guest.test-double.ts'
import { Machine } from '../../machine/machine.ts'
import { StateCode } from '../hyp-page.ts'
import { Inspector } from '../inspector.ts'
import { InvariantChecker } from '../invariants/checker.ts'
import { type BrokenPage, checkEveryPage } from '../invariants/full-check.ts'
import { need } from '../known.ts'
import { OwnerCode, type OwnershipMap } from '../ownership.ts'
import { EventLog } from './event-log.ts'
import type { LogEvent, PageOwnership } from './log-event.ts'

const APPEND = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'
const PAGE = 4096

interface Moment {
  readonly name: string
  readonly sequence: number
  readonly map: OwnershipMap
  /** The lab's rules, of every page. */
  readonly broken: readonly BrokenPage[]
}

/** Boot to power-off; a map when pKVM has begun, and whenever the console shows one of these. */
function bootWithMaps(
  image: Uint8Array,
  marks: readonly string[],
  force: boolean,
): { log: EventLog; checker: InvariantChecker; moments: Moment[]; console: string; hash: string } {
  let console = ''
  const decoder = new TextDecoder()
  const machine = Machine.create({
    image,
    initrd: sharingInitrd(force),
    append: APPEND,
    ramMiB: 512,
    console: (bytes) => {
      console += decoder.decode(bytes)
    },
  })
  const inspector = new Inspector(machine, image)
  const log = new EventLog(machine, inspector.kernel)
  const checker = new InvariantChecker(machine, inspector.kernel)
  log.checker = checker
  const moments: Moment[] = []
  const take = (name: string) => moments.push({ name, sequence: log.total, map: need(inspector.ownership()), broken: checkEveryPage(inspector.kernel) })
  const left = [...marks]
  let vms = false
  for (;;) {
    // Short slices only where something is looked for.
    const stop = machine.run(vms ? 20_000 : 2_000_000)
    if (moments.length === 0 && inspector.ownership().known) take('pKVM has begun')
    vms ||= console.includes('vm.normal.type')
    if (left.length > 0 && console.includes(left[0]!)) take(left.shift()!)
    if (stop.kind === 'off') break
    if (stop.kind === 'idle') machine.skipIdle()
    if (machine.instructions > 3e9) throw new Error('the guest did not power off')
  }
  take('power-off')
  return { log, checker, moments, console, hash: machine.hash() }
}

/** Ownership of page i of a map in the terms of the log. */
function inMap(map: OwnershipMap, i: number): string {
  const owner = map.owner[i] === OwnerCode.vm ? map.guestPage.get(i)! : null
  const borrowers = (map.borrowers.get(i) ?? []).map((b) => `${b.handle}/${b.gfn}`)
  return `${map.host[i]} ${map.hyp[i]} ${owner === null ? '' : `${owner.handle}/${owner.gfn}`} [${borrowers.sort().join()}]`
}

function inLog(o: PageOwnership, distance: number): string {
  const owning = o.mappedBy.find((m) => m.state !== StateCode.sharedBorrowed)
  // Both the host's annotation and the guest's own table must name the owner; when they differ nothing matches.
  const named = o.donatedTo ?? owning
  const agree =
    o.donatedTo === null ||
    owning === undefined ||
    (o.donatedTo.handle === owning.handle && o.donatedTo.gfn === owning.gfn)
  const owner = named === undefined ? '' : agree ? `${named.handle}/${named.gfn + distance}` : 'two'
  const borrowers = o.mappedBy
    .filter((m) => m.state === StateCode.sharedBorrowed)
    .map((m) => `${m.handle}/${m.gfn + distance}`)
  return `${o.host} ${o.hyp} ${owner} [${borrowers.sort().join()}]`
}

/** Pages that differ between two moments without an event that leads there, and events that lead elsewhere. */
function unexplained(events: readonly LogEvent[], a: Moment, b: Moment): string[] {
  const last = new Map<number, string>()
  for (const e of events) {
    if (e.kind !== 'ownership' || e.sequence <= a.sequence || e.sequence > b.sequence) continue
    const first = (e.physical! - a.map.ramBase) / PAGE
    for (let k = 0; k < (e.pages ?? 1); k++) last.set(first + k, inLog(e.change!.after, k))
  }
  const found: string[] = []
  for (let i = 0; i < a.map.pages; i++) {
    const now = inMap(b.map, i)
    const told = last.get(i) ?? inMap(a.map, i)
    if (told !== now)
      found.push(`page ${(a.map.ramBase + i * PAGE).toString(16)} is ${now} at ${b.name}; the log says ${told}`)
  }
  return found
}

const series = ['7.2', '7.3']
const missing = series.filter((s) => kernelOf(s) === undefined)
skipLoudly(missing.length > 0, `event log on ${missing.join(' and ')}: fetch kernels first (npx pkvm-lab kernel)`)

describe.each(series.filter((s) => kernelOf(s) !== undefined))('a boot and the probe on %s', (name) => {
  it('explains every change of ownership, the taint, and who called whom', { timeout: 300_000 }, () => {
    const image = new Uint8Array(readFileSync(kernelOf(name)!))
    // On one of the kernels the host also takes a page back by force.
    const force = name === '7.3'
    const marks = ['vm.normal.run=', 'vm.normal.close=', 'vm.protected.run=', 'vm.protected.close=']
    const { log, checker, moments, console } = bootWithMaps(image, marks, force)
    expect(console).toContain('vm.protected.exit=KVM_EXIT_MMIO')
    expect(log.limits()).toEqual([])
    expect(log.dropped).toBe(0)
    const events = log.after(0)
    expect(events.map((e) => e.sequence)).toEqual(events.map((_, i) => i + 1))

    expect(moments.map((m) => m.name)).toEqual(['pKVM has begun', ...marks, 'power-off'])
    for (let i = 1; i < moments.length; i++) expect(unexplained(events, moments[i - 1]!, moments[i]!)).toEqual([])
    expect(checker.violations).toEqual([])
    expect(checker.pages).toBeGreaterThan(60)
    expect(checker.surveyed).toBe(true)
    for (const { name, broken } of moments) expect([name, broken]).toEqual([name, []])
    // The comparison compares something: guest pages, a shared one, hypervisor pages.
    const running = moments.find((m) => m.name === 'vm.protected.run=')!.map
    const protectedVm = running.vms.find((v) => v.vm.protected.known && v.vm.protected.value)!
    expect(protectedVm).toMatchObject({ owned: 3, shared: 1 })
    expect(unexplained([], moments[2]!, moments[3]!).length).toBeGreaterThan(10)

    // Who set the taint.
    const taints = events.filter((e) => e.kind === 'taint')
    expect(taints).toHaveLength(1)
    expect(taints[0]!.symbol).toMatch(/^add_taint\+/)
    expect(taints[0]!.text).toMatch(/tainted_mask 0 → 64: U/)
    const callers = taints[0]!.callChain.map((c) => c.replace(/\+.*/, ''))
    expect(callers.slice(0, 3)).toEqual(['add_taint', 'pkvm_init_host_vm', 'kvm_arch_init_vm'])
    expect(callers).toContain('__arm64_sys_ioctl')
    expect(taints[0]!.details.task).toBe('init[1]')

    // A page of the VM from its donation to its end.
    const [index, page] = [...running.guestPage].find(([, p]) => p.gfn === 0x40000)!
    const history = log.history(running.ramBase + index * PAGE + 0x123)
    const donated = history.filter((e) => e.kind === 'ownership').slice(-2)
    expect(donated[0]!.text).toContain(`donated by the host to VM 0x${page.handle.toString(16)} gfn 0x40000`)
    const path = donated[0]!.callChain.join(' ')
    expect(path).toMatch(
      /__pkvm_host_donate_guest\+\S+ \(EL2\).*handle___pkvm_host_donate_guest.*kvm_handle_guest_abort.*__arm64_sys_ioctl/,
    )
    expect(donated[1]!.text).toMatch(/taken back by the host from VM/)
    expect(
      history.some(
        (e) => e.kind === 'hypercall' && /^__pkvm_host_donate_guest\(pfn 0x\w+, gfn 0x40000\) = 0$/.test(e.text),
      ),
    ).toBe(true)

    // Hypercalls by the kernel's own names, the life of the VMs, the guest's own calls.
    const texts = (kind: string) => events.filter((e) => e.kind === kind).map((e) => e.text)
    expect(texts('hypercall').filter((t) => /^(host call|hvc) /.test(t))).toEqual([])
    for (const call of [
      '__pkvm_init(',
      '__pkvm_prot_finalize() = 0',
      '__pkvm_reserve_vm() = 0x1000',
      '__kvm_vcpu_run(',
      '__pkvm_vcpu_load(',
    ]) {
      expect(texts('hypercall').some((t) => t.startsWith(call))).toBe(true)
    }
    const life = [
      'VM 0x1000 reserved',
      'normal VM 0x1000 created',
      'VM 0x1000: its teardown begins',
      'VM 0x1000 destroyed',
    ]
    // The second protected VM never runs, so the hypervisor only reserves a place for it.
    const again = ['VM 0x1000 reserved', 'VM 0x1000 unreserved']
    expect(texts('vm')).toEqual([...life, ...life.map((t) => t.replace('normal', 'protected')), ...again])
    expect(
      texts('guest-hypercall').filter((t) => t.includes('MEM_SHARE(ipa 0x40002000') && t.endsWith('= 0x0')),
    ).toHaveLength(1)
    expect(
      texts('ownership').filter((t) => t.includes('shared with the host by its owner VM 0x1000 gfn 0x40003')),
    ).toHaveLength(2)
    // The host's two attempts to read the guest's page.
    expect(
      texts('abort').filter((t) => t.startsWith('host: read of') && t.includes('injected into EL1')),
    ).not.toHaveLength(0)
    expect(texts('abort').filter((t) => /exception inside|elsewhere/.test(t))).toEqual([])
    expect(
      texts('ownership').filter((t) => /taken back by the host from VM 0x1000 gfn 0x40001 by force/.test(t)),
    ).toHaveLength(force ? 1 : 0)
    expect(texts('smc').at(-1)).toBe('SYSTEM_OFF()')
  })
})
