import type { Cpu } from '../../cpu/cpu.ts'
import type { CpuObserver } from '../../cpu/port.ts'
import { HCR } from '../../cpu/control-bits.ts'
import { Slot } from '../../cpu/register-slots.ts'
import { type CpuState, RAM_BASE, SYSREG_BASE } from '../../cpu/state.ts'
import { EC } from '../../cpu/syndrome.ts'
import { descriptorKind, levelShift } from '../descriptor.ts'
import { type InspectedMachine, KernelData } from '../kernel-data.ts'
import { attempt } from '../known.ts'
import { HYP_PREFIX, type Symboliser } from '../symboliser.ts'
import { readTaint } from '../taint.ts'
import { readVmTable } from '../vm-table.ts'
import { CallChains, CodeNames, NO_RETURNS } from './call-chain.ts'
import { CurrentTask } from './current-task.ts'
import { EventRing } from './event-ring.ts'
import { callText, type HostCall, HostCalls, hostResultText } from './hypercalls.ts'
import type { EventKind, LogEvent, PageOwnership, RawChain, RawEvent } from './log-event.ts'
import { changeText, continues, handleText, ownershipText } from './ownership-words.ts'
import { type LeafWrite, OwnershipWatch, type PageChange, type SlotChange } from './ownership-watch.ts'
import { smcccResult, smcccText } from './smccc.ts'
import { accessWords, exitWords, faultWords, isAbort, VECTOR_NAMES } from './syndrome-words.ts'

const PAGE = 4096
const SYSREG = SYSREG_BASE >> 3

/** The machine as the log needs it. A `Machine` is one. */
export interface LoggedMachine extends InspectedMachine {
  readonly cpu: Cpu
  readonly instructions: number
}

/** When and where something was done. */
interface Moment {
  readonly instructions: number
  readonly el: number
  readonly pc: bigint
  readonly chain: RawChain
}

/** A call by the host that has not returned. */
interface HostRequest extends Moment {
  readonly kind: 'hypercall' | 'smc'
  readonly call: HostCall | null
  readonly text: string
  readonly args: Record<string, string>
  readonly task: string | undefined
}

/** From an exception into EL2 to the ERET out of it. */
interface Stay extends Moment {
  /** VMID of the guest that was interrupted, 0 for the host. */
  readonly world: number
  readonly vector: number
  readonly ec: number
  readonly iss: number
  readonly far: bigint
  /** Address that stage 2 did not translate; of aborts only. */
  readonly ipa: number
  readonly returnAddress: bigint
  readonly task: string | undefined
  /** HVC of a guest. */
  readonly guestCall: string | null
}

interface KnownVm {
  readonly handle: number
  readonly slot: number
  readonly protected: boolean | null
}

/**
 * The log of what passes between host, hypervisor and guests, and of every page that changes hands. It listens to the
 * CPU (`CpuObserver`): the guest's run is the same with and without it. Names are looked up when events are read.
 *
 * Events of one stay at EL2 are put in order of instructions when it ends; a hypercall has the instruction count of its
 * HVC and is entered when it returns, which for `__kvm_vcpu_run` is after what the guest did.
 */
export class EventLog implements CpuObserver {
  readonly watched: Uint8Array
  /** Failures of the log itself, each told once. A sound run has none. */
  readonly faults: string[] = []
  private readonly ring: EventRing
  private readonly kernel: KernelData
  private readonly state: CpuState
  private readonly chains: CallChains
  private readonly calls: HostCalls
  private readonly task: CurrentTask
  private readonly symboliser: Symboliser | null
  private readonly names: CodeNames
  private readonly taintAt: number | null
  private readonly vmTableAt: number | null
  private ownership: OwnershipWatch<Moment> | null = null
  private whyNoOwnership: string
  private attached = false
  private staged: RawEvent[] = []
  private stay: Stay | null = null
  private request: HostRequest | null = null
  private firmware: (Moment & { readonly text: string }) | null = null
  private world = 0
  /** VMs by VMID. */
  private readonly vms = new Map<number, KnownVm>()
  private readonly slotHandles = new Map<number, number>()
  private loaded: { readonly handle: number; readonly index: number } | null = null
  private running = false

  /**
   * Starts to log at once; make it before the machine runs, so that nothing is missed.
   * @param kernel of the Inspector of this machine, or the Image that was booted.
   */
  constructor(
    private readonly machine: LoggedMachine,
    kernel: KernelData | Uint8Array,
    ringEntries?: number,
  ) {
    this.kernel = kernel instanceof KernelData ? kernel : new KernelData(machine, kernel)
    this.ring = new EventRing(ringEntries)
    this.state = machine.cpu.state
    this.watched = new Uint8Array(this.kernel.memory.ram.length / PAGE)
    this.chains = new CallChains(this.kernel)
    this.calls = new HostCalls(this.kernel)
    this.task = new CurrentTask(this.kernel, this.state)
    this.symboliser = this.kernel.symboliser.known ? this.kernel.symboliser.value : null
    this.names = new CodeNames(this.symboliser)
    const taint = attempt(() => this.kernel.address('tainted_mask'))
    this.taintAt = taint.known ? taint.value : null
    const table = attempt(() => this.kernel.hypAddress('vm_table'))
    this.vmTableAt = table.known ? table.value : null
    this.whyNoOwnership = table.known ? 'pKVM has not started' : table.why
    this.start()
  }

  /** Events forgotten because newer ones came. */
  get dropped(): number {
    return this.ring.dropped
  }

  /** Events ever logged: the sequence number of the newest. */
  get total(): number {
    this.flush()
    return this.ring.last
  }

  /** Sentences about what this log cannot know of this kernel. */
  limits(): string[] {
    const limits: string[] = []
    if (this.symboliser === null) limits.push(`Code has addresses instead of names: ${reason(this.kernel.symbols)}`)
    if (this.calls.unknown !== null) limits.push(`Hypercalls have numbers instead of names: ${this.calls.unknown}`)
    if (!this.attached) limits.push(`Changes of ownership and VMs are not seen: ${this.whyNoOwnership}`)
    if (this.taintAt === null) limits.push('The taint is not watched: this kernel has no tainted_mask that the lab can find')
    return [...limits, ...this.faults]
  }

  /** Events with a greater sequence number, oldest first. */
  after(sequence: number, limit?: number): LogEvent[] {
    this.flush()
    return this.ring.after(sequence, limit).map((e) => this.readable(e))
  }

  /** What happened to a page, oldest first. @param physical any address in it. */
  history(physical: number): LogEvent[] {
    this.flush()
    const page = Math.floor(physical / PAGE)
    const about = (e: RawEvent) => {
      if (e.physical === undefined) return false
      const first = Math.floor(e.physical / PAGE)
      return page >= first && page < first + (e.pages ?? 1)
    }
    return this.ring.after(0).filter(about).map((e) => this.readable(e))
  }

  /** Enter something that others did to the machine at this moment, such as a flip of a switch. */
  record(kind: EventKind, text: string, details: Record<string, string> = {}): void {
    this.emit({ ...this.here(), kind, text, details })
    if (this.stay === null) this.flush()
  }

  /** The learner has flipped the reconstructed build option (machine/v3-gate.ts). */
  gateSet(option: 'y' | 'n'): void {
    this.record('gate', `CONFIG_PROTECTED_VM_UAPI=${option} from here on`, { by: 'the learner' })
  }

  /** It has refused a protected VM, at the present instruction. */
  gateRefused(): void {
    this.record('gate', 'protected VM refused: -EINVAL, CONFIG_PROTECTED_VM_UAPI=n', { result: '-22 (EINVAL)', ...taskDetail(this.task.name()) })
  }

  /** Begin to listen; resumes after `stop`. */
  start(): void {
    this.machine.cpu.observer = this
    if (this.taintAt !== null) this.watchPage(Math.floor(this.taintAt / PAGE))
    this.tryAttach()
  }

  /** Stop listening and give the watched pages free. Events stay. */
  stop(): void {
    this.flush()
    this.ownership?.detach()
    this.ownership = null
    this.attached = false
    if (this.taintAt !== null) this.unwatchPage(Math.floor(this.taintAt / PAGE))
    this.stay = null
    this.request = null
    if (this.machine.cpu.observer === this) this.machine.cpu.observer = undefined
  }

  /** Memory and registers were replaced by a snapshot's: forget what was derived from the old ones, and all events. */
  resynchronise(): void {
    this.stop()
    this.ring.clear()
    this.vms.clear()
    this.slotHandles.clear()
    this.loaded = null
    this.world = this.currentWorld()
    this.running = this.world !== 0
    this.start()
  }

  // ---- what the CPU tells -------------------------------------------------------------------------------------------

  watchedStore(linear: number, old: Uint8Array): void {
    this.guarded(() => {
      if (this.ownership?.stored(linear, old) === true) return
      const physical = linear - RAM_BASE + this.kernel.memory.base
      const taint = this.taintAt
      if (taint !== null && physical < taint + 8 && physical + old.length > taint) this.taintStored(physical - taint, old)
    })
  }

  exceptionTaken(source: number, target: number, vector: number, returnAddress: bigint): void {
    // With HCR_EL2.TGE the kernel itself is at EL2 and this is a system call, a page fault, an interrupt.
    if (target !== 2 || this.machine.cpu.low(Slot.HCR_EL2) & HCR.TGE) return
    if (source === 2) this.guarded(() => this.nested(vector, returnAddress))
    else this.guarded(() => this.enter(source, vector, returnAddress))
  }

  exceptionReturned(source: number, target: number): void {
    if (source !== 2 || target === 2) return
    if (this.stay === null && this.machine.cpu.low(Slot.HCR_EL2) & HCR.TGE) return
    this.guarded(() => this.leave())
  }

  firmwareCalled(): void {
    this.guarded(() => {
      const pc = this.state.pc - 4n
      this.firmware = { ...this.here(pc), text: smcccText(this.arguments()) }
    })
  }

  firmwareReturned(): void {
    const call = this.firmware
    if (call === null) return
    this.firmware = null
    const { text, ...moment } = call
    if (WITHOUT_RETURN.test(text)) {
      this.emit({ ...moment, kind: 'smc', text, details: { to: 'firmware' } })
      this.flush()
      return
    }
    const result = smcccResult(this.state.x[0]!)
    this.emit({ ...moment, kind: 'smc', text: `${text} = ${result}`, details: { result, to: 'firmware' } })
    if (this.stay === null) this.flush()
  }

  // ---- into EL2 and out ---------------------------------------------------------------------------------------------

  private enter(source: number, vector: number, returnAddress: bigint): void {
    const world = this.world
    const esr = Number(this.sysreg(Slot.ESR_EL2) & 0xffff_ffffn)
    const ec = vector === 0 ? esr >>> 26 : -1
    const iss = esr & 0x1ffffff
    const pc = ec === EC.hvc64 ? returnAddress - 4n : returnAddress
    const { x } = this.state
    const guest = world !== 0
    const chain: RawChain = guest
      ? [{ el: source, pc, lr: null, returns: NO_RETURNS, guest: true }]
      : this.chains.read(source, pc, x[30]!, x[29]!)
    const instructions = this.machine.instructions
    const far = this.sysreg(Slot.FAR_EL2)
    const task = guest ? undefined : this.task.name()
    this.stay = {
      instructions,
      el: source,
      pc,
      chain,
      world,
      vector,
      ec,
      iss,
      far,
      ipa: isAbort(ec) ? Number((this.sysreg(Slot.HPFAR_EL2) >> 4n) & 0xff_ffff_ffffn) * PAGE + Number(far & 0xfffn) : -1,
      returnAddress,
      task,
      guestCall: guest && ec === EC.hvc64 ? smcccText(this.arguments()) : null,
    }
    if (guest) return
    const moment = { instructions, el: source, pc, chain, task }
    if (ec === EC.hvc64) {
      const call = this.calls.decode(this.arguments(), !this.attached)
      const args = Object.fromEntries(call.args.map((a) => [a.name, `0x${a.value.toString(16)}`]))
      this.request = { ...moment, kind: 'hypercall', call, text: callText(call), args }
    } else if (ec === EC.smc64) {
      this.request = { ...moment, kind: 'smc', call: null, text: smcccText(this.arguments()), args: {} }
    }
  }

  private leave(): void {
    const stay = this.stay
    const leaf = this.ownership?.lastLeaf ?? null
    if (this.ownership !== null) {
      this.ownershipEvents(this.ownership.takeChanges())
      for (const slot of this.ownership.takeSlotChanges()) this.slotEvent(slot)
    }
    const world = this.currentWorld()
    if (stay !== null) {
      if (stay.world !== 0) this.guestExit(stay, world, leaf)
      else if (isAbort(stay.ec)) this.hostAbort(stay, world, leaf)
      else if (stay.ec !== EC.hvc64 && stay.ec !== EC.smc64) this.hostTrap(stay)
    }
    const request = this.request
    if (world === 0 && request !== null) {
      this.request = null
      this.returned(request)
    }
    if (world !== this.world) this.switchWorld(world)
    this.tryAttach()
    this.stay = null
    this.flush()
  }

  /** An exception taken from EL2 to EL2. */
  private nested(vector: number, returnAddress: bigint): void {
    if (this.kernelAtEl2()) return
    const esr = Number(this.sysreg(Slot.ESR_EL2) & 0xffff_ffffn)
    const what = vector === 0 ? exitWords((esr >>> 26) & ~1, esr & 0x1ffffff) : VECTOR_NAMES[vector]!
    this.emit({
      ...this.here(returnAddress),
      kind: 'abort',
      text: `exception inside the hypervisor: ${what}`,
      details: { esr: `0x${esr.toString(16)}`, far: hex(this.sysreg(Slot.FAR_EL2)) },
    })
  }

  private returned(request: HostRequest): void {
    const { x } = this.state
    const { kind, call, args, task, text, ...moment } = request
    const result = call === null ? smcccResult(x[0]!) : hostResultText(call, x[0]!, x[1]!)
    const details: Record<string, string> = { from: 'host', ...args, ...(result === '' ? {} : { result }), ...taskDetail(task) }
    if (kind === 'smc') details.to = 'trapped by the hypervisor'
    details.returned = String(this.machine.instructions)
    const handle = call?.args.find((a) => a.name === 'handle')
    const pfn = call?.args.find((a) => a.name === 'pfn')
    const phys = call?.name === '__pkvm_force_reclaim_guest_page' ? call.args[0] : undefined
    const physical = pfn !== undefined ? Number(pfn.value) * PAGE : phys !== undefined ? Number(phys.value) : undefined
    if (call?.name === '__pkvm_vcpu_load') this.loaded = { handle: Number(call.args[0]!.value), index: Number(call.args[1]!.value) }
    const vm = handle !== undefined ? Number(handle.value) : call?.name.endsWith('_guest') ? this.loaded?.handle : undefined
    if (call?.name === '__pkvm_vcpu_put') this.loaded = null
    this.emit({
      ...moment,
      kind,
      text: result === '' ? text : `${text} = ${result}`,
      details,
      ...(physical === undefined ? {} : { physical }),
      ...(vm === undefined ? {} : { vm }),
    })
    if (call?.name === '__pkvm_start_teardown_vm' && result === '0') {
      this.emit({ ...moment, kind: 'vm', text: `${handleText(vm!)}: its teardown begins`, details: { ...taskDetail(task) }, vm: vm! })
    }
  }

  private hostAbort(stay: Stay, world: number, leaf: LeafWrite | null): void {
    let resolved = 'returned elsewhere'
    if (world !== 0) resolved = 'a guest was entered'
    else if (this.state.pc === stay.returnAddress) resolved = leafWords(leaf, null, stay.ipa) ?? 'tried again'
    else if (this.atEl1Vector()) resolved = `injected into EL1 (ESR_EL1 ${hex(this.sysreg(Slot.ESR_EL1))})`
    this.abortEvent(stay, `host: ${accessWords(stay.ec, stay.iss)} of 0x${stay.ipa.toString(16)}, ${faultWords(stay.iss)}: ${resolved}`, {
      who: 'host',
      resolved,
      physical: stay.ipa - (stay.ipa % PAGE),
    })
  }

  private hostTrap(stay: Stay): void {
    const what = stay.ec < 0 ? VECTOR_NAMES[stay.vector]! : exitWords(stay.ec, stay.iss)
    const { instructions, el, pc, chain } = stay
    this.emit({ instructions, el, pc, chain, kind: 'abort', text: `host trapped into the hypervisor: ${what}`, details: { who: 'host', ...taskDetail(stay.task) } })
  }

  private guestExit(stay: Stay, world: number, leaf: LeafWrite | null): void {
    const { instructions, el, pc, chain } = stay
    const vm = this.vms.get(stay.world)?.handle
    const about = vm === undefined ? {} : { vm }
    const stays = world === stay.world
    const who = this.vcpuWords(stay.world)
    if (stay.guestCall !== null) {
      const result = stays ? smcccResult(this.state.x[0]!) : ''
      this.emit({
        instructions, el, pc, chain,
        kind: 'guest-hypercall',
        text: stays ? `${who}: ${stay.guestCall} = ${result}` : `${who}: ${stay.guestCall}, handed on to the host`,
        details: { from: who, ...(stays ? { result } : { 'answered by': 'host' }) },
        ...about,
      })
    }
    let resolved = stays ? 'dealt with by the hypervisor' : 'exit to the host'
    if (stay.ipa >= 0) {
      if (stays && this.state.pc === stay.returnAddress) resolved = leafWords(leaf, vm ?? null, stay.ipa) ?? 'tried again'
      else if (stays && this.atEl1Vector()) resolved = "injected into the guest's EL1"
      const page = vm === undefined ? undefined : this.ownership?.pageOfGfn(vm, Math.floor(stay.ipa / PAGE))
      this.abortEvent(stay, `${who}: ${accessWords(stay.ec, stay.iss)} of IPA 0x${stay.ipa.toString(16)}, ${faultWords(stay.iss)}: ${resolved}`, {
        who,
        resolved,
        ...(page === undefined ? {} : { physical: this.kernel.memory.base + page * PAGE }),
        ...about,
      })
    }
    const reason = stay.ec < 0 ? VECTOR_NAMES[stay.vector]! : exitWords(stay.ec, stay.iss)
    this.emit({ instructions, el, pc, chain, kind: 'vcpu', text: `${who} leaves: ${reason}: ${resolved}`, details: { reason, resolved }, ...about })
    if (!stays) this.running = false
  }

  private abortEvent(stay: Stay, text: string, about: { who: string; resolved: string; physical?: number; vm?: number }): void {
    const { instructions, el, pc, chain } = stay
    const { who, resolved, ...place } = about
    this.emit({
      instructions, el, pc, chain,
      kind: 'abort',
      text,
      details: {
        who,
        va: hex(stay.far),
        ipa: `0x${stay.ipa.toString(16)}`,
        access: accessWords(stay.ec, stay.iss),
        fault: faultWords(stay.iss),
        resolved,
        ...taskDetail(stay.task),
      },
      ...place,
    })
  }

  private switchWorld(world: number): void {
    const from = this.worldWords(this.world)
    const to = this.worldWords(world)
    const vm = this.vms.get(world === 0 ? this.world : world)?.handle
    const about = vm === undefined ? {} : { vm }
    // Told of the code that asked for it: the host's HVC, or what the guest was at.
    const { el, pc, chain } = this.stay ?? this.here()
    const moment = { instructions: this.machine.instructions, el, pc, chain }
    const details = { from, to, vttbr: hex(this.sysreg(Slot.VTTBR_EL2)) }
    this.emit({ ...moment, kind: 'world-switch', text: `${from} → ${to}`, details, ...about })
    this.world = world
    if (world !== 0 && !this.running) {
      this.running = true
      const who = this.vcpuWords(world)
      this.emit({ ...moment, kind: 'vcpu', text: `${who} runs at 0x${this.state.pc.toString(16)}`, details: { pc: hex(this.state.pc) }, ...about })
    }
  }

  // ---- ownership, VMs, taint ----------------------------------------------------------------------------------------

  private ownershipEvents(changes: readonly PageChange<Moment>[]): void {
    for (let i = 0; i < changes.length; ) {
      const first = changes[i]!
      let pages = 1
      while (i + pages < changes.length && this.joins(first, changes[i + pages]!, pages)) pages++
      this.ownershipEvent(first, pages)
      i += pages
    }
  }

  private joins(first: PageChange<Moment>, next: PageChange<Moment>, distance: number): boolean {
    return (
      next.page === first.page + distance &&
      next.moment.pc === first.moment.pc &&
      continues(first.before, next.before, distance) &&
      continues(first.after, next.after, distance)
    )
  }

  private ownershipEvent(change: PageChange<Moment>, pages: number): void {
    const { before, after } = change
    const physical = this.kernel.memory.base + change.page * PAGE
    const what = `${changeText(before, after)}${change.forced ? ' by force' : ''}`
    const vm = after.donatedTo?.handle ?? after.mappedBy[0]?.handle ?? before.donatedTo?.handle ?? before.mappedBy[0]?.handle
    this.emit({
      ...change.moment,
      kind: 'ownership',
      text: `${pagesText(physical, pages)}: ${what}`,
      details: { before: ownershipText(before), after: ownershipText(after), action: what, ...this.cause() },
      physical,
      ...(pages === 1 ? {} : { pages }),
      ...(vm === undefined ? {} : { vm }),
      change: { before, after },
    })
  }

  private cause(): Record<string, string> {
    const stay = this.stay
    const task = taskDetail(stay?.task ?? this.request?.task)
    if (stay?.guestCall) return { cause: `guest: ${stay.guestCall}` }
    if (stay !== null && stay.world !== 0) return { cause: `guest: ${stay.ec < 0 ? VECTOR_NAMES[stay.vector]! : exitWords(stay.ec, stay.iss)}`, ...task }
    if (this.request !== null) return { cause: this.request.text, ...task }
    return stay === null ? {} : { cause: exitWords(stay.ec, stay.iss), ...task }
  }

  private slotEvent(change: SlotChange<Moment>): void {
    const { slot, value, moment } = change
    if (value === 0n) {
      const handle = this.slotHandles.get(slot)
      this.slotHandles.delete(slot)
      const live = [...this.vms].find(([, vm]) => vm.slot === slot)
      if (live !== undefined) this.vms.delete(live[0])
      const text = `${handle === undefined ? `the VM in slot ${slot}` : handleText(handle)} ${live === undefined ? 'unreserved' : 'destroyed'}`
      this.emit({ ...moment, kind: 'vm', text, details: { slot: String(slot), ...this.cause() }, ...(handle === undefined ? {} : { vm: handle }) })
      return
    }
    const vm = readVmTable(this.kernel).find((v) => v.slot === slot)
    if (vm === undefined) return
    this.slotHandles.set(slot, vm.handle)
    const live = vm.address === value
    if (live) {
      const isProtected = vm.protected.known ? vm.protected.value : null
      if (vm.vmid.known) this.vms.set(vm.vmid.value, { handle: vm.handle, slot, protected: isProtected })
      this.ownership?.adoptVm(vm)
      this.ownershipEvents(this.ownership?.takeChanges() ?? [])
    }
    const kind = live && vm.protected.known ? (vm.protected.value ? 'protected ' : 'normal ') : ''
    const text = live ? `${kind}${handleText(vm.handle)} created` : `${handleText(vm.handle)} reserved`
    const vmid: Record<string, string> = vm.vmid.known ? { vmid: String(vm.vmid.value) } : {}
    this.emit({ ...moment, kind: 'vm', text, details: { slot: String(slot), ...vmid, ...this.cause() }, vm: vm.handle })
  }

  private taintStored(distance: number, old: Uint8Array): void {
    const { memory } = this.kernel
    const at = this.taintAt!
    let before = 0n
    for (let i = 7; i >= 0; i--) {
      const k = i - distance
      before = (before << 8n) | BigInt(k >= 0 && k < old.length ? old[k]! : memory.ram[at + i - memory.base]!)
    }
    const value = memory.u64(at)
    if (value === before) return
    const taint = readTaint(this.kernel)
    const flags = taint.known ? taint.value.flags.filter((f) => ((before >> BigInt(f.bit)) & 1n) === 0n) : []
    const words = flags.map((f) => `${f.letter} (${f.meaning})`).join(', ')
    this.emit({
      ...this.here(),
      kind: 'taint',
      text: `tainted_mask ${before} → ${value}${words === '' ? '' : `: ${words}`}`,
      details: { before: String(before), after: String(value), ...(words === '' ? {} : { set: words }), ...taskDetail(this.task.name()) },
    })
    if (this.stay === null) this.flush()
  }

  private tryAttach(): void {
    if (this.attached || this.vmTableAt === null || this.faults.length > 0) return
    if (this.kernel.memory.u64(this.vmTableAt) === 0n) return
    const watch = attempt(() => {
      const it = new OwnershipWatch<Moment>(this.kernel, { watch: (p) => this.watchPage(p), unwatch: (p) => this.unwatchPage(p) }, () => this.here())
      it.attach()
      return it
    })
    if (!watch.known) {
      this.whyNoOwnership = watch.why
      this.faults.push(`Ownership could not be followed: ${watch.why}`)
      return
    }
    this.ownership = watch.value
    this.attached = true
    for (const vm of readVmTable(this.kernel)) {
      this.slotHandles.set(vm.slot, vm.handle)
      if (vm.vmid.known) this.vms.set(vm.vmid.value, { handle: vm.handle, slot: vm.slot, protected: vm.protected.known ? vm.protected.value : null })
    }
    this.firstLook(watch.value)
  }

  /** The hypervisor takes its pages in bulk before there is anything to watch: told as runs, as they are found. */
  private firstLook(ownership: OwnershipWatch<Moment>): void {
    const { base } = this.kernel.memory
    const moment = this.stay ?? this.here()
    const { el, pc, chain } = moment
    for (const run of ownership.runs()) {
      const physical = base + run.page * PAGE
      const name = this.symboliser?.atPhysical(physical)?.symbol.name
      this.emit({
        instructions: this.machine.instructions, el, pc, chain,
        kind: 'ownership',
        text: `${pagesText(physical, run.pages)}: ${ownershipText(run.ownership)} when the log began to watch`,
        details: {
          after: ownershipText(run.ownership),
          action: 'found when the log began to watch',
          ...(name === undefined ? {} : { place: name.replace(HYP_PREFIX, '') }),
          ...this.cause(),
        },
        physical,
        pages: run.pages,
        change: { before: UNKNOWN_OWNERSHIP, after: run.ownership },
      })
    }
  }

  // ---- small things -------------------------------------------------------------------------------------------------

  private sysreg(slot: number): bigint {
    return this.state.u64[SYSREG + slot]!
  }

  private arguments(): bigint[] {
    return Array.from(this.state.x.subarray(0, 8))
  }

  /** VMID of the guest that runs below EL2, 0 for the host. */
  private currentWorld(): number {
    const hcr = this.sysreg(Slot.HCR_EL2)
    return hcr & HCR_TGE || !(hcr & HCR_VM) ? 0 : Number(this.sysreg(Slot.VTTBR_EL2) >> 48n)
  }

  /** VHE: the kernel runs at EL2, its vectors are in the upper half of the address space. */
  private kernelAtEl2(): boolean {
    return this.sysreg(Slot.VBAR_EL2) >> 63n !== 0n
  }

  private atEl1Vector(): boolean {
    const offset = this.state.pc - this.sysreg(Slot.VBAR_EL1)
    return offset >= 0n && offset < 0x800n && (offset & 0x7fn) === 0n
  }

  /** Now, with the chain of the code that runs and, from EL2, of the code that called it. */
  private here(pc = this.state.pc): Moment {
    const { x, el } = this.state
    const guest = el < 2 && this.world !== 0 && this.stay === null
    const own: RawChain = guest ? [{ el, pc, lr: null, returns: NO_RETURNS, guest: true }] : this.chains.read(el, pc, x[30]!, x[29]!)
    const chain = el === 2 && this.stay !== null ? [...own, ...this.stay.chain] : own
    return { instructions: this.machine.instructions, el, pc, chain }
  }

  private worldWords(world: number): string {
    if (world === 0) return 'host'
    const vm = this.vms.get(world)
    return vm === undefined ? `guest with VMID ${world}` : handleText(vm.handle)
  }

  private vcpuWords(world: number): string {
    const vm = this.vms.get(world)
    if (vm === undefined) return this.worldWords(world)
    return this.loaded?.handle === vm.handle ? `${handleText(vm.handle)} vCPU ${this.loaded.index}` : handleText(vm.handle)
  }

  private watchPage(page: number): void {
    this.watched[page - this.kernel.memory.base / PAGE] = 1
    this.machine.cpu.mmu.watch(page)
  }

  private unwatchPage(page: number): void {
    this.watched[page - this.kernel.memory.base / PAGE] = 0
    this.machine.cpu.mmu.unwatch(page)
  }

  private emit(event: Omit<RawEvent, 'sequence'>): void {
    this.staged.push({ sequence: 0, ...event })
  }

  private flush(): void {
    if (this.staged.length === 0) return
    const events = this.staged
    this.staged = []
    if (events.length > 1) events.sort((a, b) => a.instructions - b.instructions)
    for (const e of events) this.ring.push(e)
  }

  /** The log must never disturb the machine: what goes wrong in it is kept to be told. */
  private guarded(work: () => void): void {
    try {
      work()
    } catch (e) {
      const why = e instanceof Error ? e.message : String(e)
      const text = `The event log missed something at instruction ${this.machine.instructions}: ${why}`
      if (this.faults.length < 100 && !this.faults.some((f) => f.endsWith(why))) this.faults.push(text)
    }
  }

  private readable(e: RawEvent): LogEvent {
    const { chain, pc, ...rest } = e
    const guest = chain[0]?.guest === true
    return { ...rest, pc: hex(pc), symbol: guest ? '' : this.names.name(pc, e.el), callChain: this.names.chain(chain) }
  }
}

const HCR_VM = 1n
/** PSCI calls that do not come back. */
const WITHOUT_RETURN = /^(SYSTEM_OFF|SYSTEM_RESET|CPU_OFF)/
const HCR_TGE = BigInt(HCR.TGE)
const UNKNOWN_OWNERSHIP: PageOwnership = { host: 4, hyp: 4, donatedTo: null, mappedBy: [] }

function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}

function taskDetail(task: string | undefined): Record<string, string> {
  return task === undefined ? {} : { task }
}

function reason(it: { readonly known: boolean; readonly why?: string }): string {
  return it.why ?? 'unknown'
}

function pagesText(physical: number, pages: number): string {
  return pages === 1 ? `page 0x${physical.toString(16)}` : `${pages} pages from 0x${physical.toString(16)}`
}

/** What was written where stage 2 had faulted, when it was a mapping for that address. */
function leafWords(leaf: LeafWrite | null, vm: number | null, ipa: number): string | null {
  if (leaf === null || leaf.vm !== vm || descriptorKind(leaf.low, leaf.level, false) === 'invalid') return null
  const bytes = 2 ** levelShift(leaf.level)
  if (ipa < leaf.input || ipa >= leaf.input + bytes) return null
  return `mapped (${bytes >= 2 ** 30 ? '1 GB block' : bytes >= 2 ** 21 ? '2 MB block' : '4 KB page'})`
}
