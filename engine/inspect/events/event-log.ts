import type { Cpu } from '../../cpu/cpu.ts'
import type { CpuObserver } from '../../cpu/port.ts'
import { HCR } from '../../cpu/control-bits.ts'
import { Slot } from '../../cpu/register-slots.ts'
import { RAM_BASE } from '../../cpu/state.ts'
import { EC } from '../../cpu/syndrome.ts'
import { type InspectedMachine, KernelData, type KernelDescription } from '../kernel-data.ts'
import type { StayReport, Violation } from '../invariants/checker.ts'
import { RULES } from '../invariants/rules.ts'
import { attempt } from '../known.ts'
import { CallChains, CodeNames, NO_RETURNS } from './call-chain.ts'
import { CurrentTask } from './current-task.ts'
import { EventRing } from './event-ring.ts'
import { Guests } from './guests.ts'
import { callText, HostCalls } from './hypercalls.ts'
import type { EventKind, LogEvent, RawChain, RawEvent } from './log-event.ts'
import { type Draft, hex, type HostRequest, type Moment, momentOf, type Stay, taskDetail } from './moment.ts'
import { foundEvents, ownershipEvents } from './ownership-events.ts'
import { OwnershipWatch, type PageChange } from './ownership-watch.ts'
import { ProcessorView } from './processor-view.ts'
import { smcccResult, smcccText } from './smccc.ts'
import { type Ending, guestStay, hostStay, reasonWords, requestReturned } from './stay-events.ts'
import { exitWords, isAbort, VECTOR_NAMES } from './syndrome-words.ts'
import { TaintWatch } from './taint-watch.ts'

const PAGE = 4096
/** Failures of the log itself that are kept. */
const MOST_FAULTS = 100
/** PSCI calls that do not come back. */
const WITHOUT_RETURN = /^(SYSTEM_OFF|SYSTEM_RESET|CPU_OFF)/

/** The machine as the log needs it. A `Machine` is one. */
export interface LoggedMachine extends InspectedMachine {
  readonly cpu: Cpu
  readonly instructions: number
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
  /** Told at the end of each stay at EL2, once ownership is followed; what it returns is logged. */
  checker: { stayEnded(report: StayReport): readonly Violation[] } | null = null
  /** Failures of the log itself, each told once. A sound run has none. */
  readonly faults: string[] = []
  private readonly ring: EventRing
  private readonly kernel: KernelData
  private readonly processor: ProcessorView
  private readonly chains: CallChains
  private readonly names: CodeNames
  private readonly calls: HostCalls
  private readonly task: CurrentTask
  private readonly taint: TaintWatch
  private readonly guests: Guests
  /** Where the hypervisor keeps the address of its table of VMs; null on kernels without. */
  private readonly vmTableAt: number | null
  private ownership: OwnershipWatch<Moment> | null = null
  private whyNoOwnership: string
  private staged: RawEvent[] = []
  private stay: Stay | null = null
  private request: HostRequest | null = null
  private firmware: (Moment & { readonly text: string }) | null = null
  /** VMID of the guest below EL2, 0 for the host. */
  private world = 0

  /**
   * Starts to log at once; make it before the machine runs, so that nothing is missed.
   * @param kernel of the Inspector of this machine, or the description or Image of what was booted.
   */
  constructor(
    private readonly machine: LoggedMachine,
    kernel: KernelData | KernelDescription | Uint8Array,
    ringEntries?: number,
  ) {
    this.kernel = kernel instanceof KernelData ? kernel : new KernelData(machine, kernel)
    this.ring = new EventRing(ringEntries)
    this.processor = new ProcessorView(machine.cpu.state)
    this.watched = new Uint8Array(this.kernel.memory.ram.length / PAGE)
    this.chains = new CallChains(this.kernel)
    this.names = new CodeNames(this.kernel.symboliser.known ? this.kernel.symboliser.value : null)
    this.calls = new HostCalls(this.kernel)
    this.task = new CurrentTask(this.kernel, machine.cpu.state)
    this.taint = new TaintWatch(this.kernel)
    this.guests = new Guests(this.kernel)
    const table = attempt(() => this.kernel.hypAddress('vm_table'))
    this.vmTableAt = table.known ? table.value : null
    this.whyNoOwnership = table.known ? 'pKVM has not started' : table.why
    this.start()
  }

  // ---- for readers --------------------------------------------------------------------------------------------------

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
    const { symbols } = this.kernel
    const limits: string[] = []
    if (!symbols.known) limits.push(`Code has addresses instead of names: ${symbols.why}`)
    if (this.calls.unknown !== null) limits.push(`Hypercalls have numbers instead of names: ${this.calls.unknown}`)
    if (this.ownership === null) limits.push(`Changes of ownership and VMs are not seen: ${this.whyNoOwnership}`)
    if (!this.taint.address.known) limits.push(`The taint is not watched: ${this.taint.address.why}`)
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
    return this.ring
      .after(0)
      .filter(about)
      .map((e) => this.readable(e))
  }

  // ---- for those who steer ------------------------------------------------------------------------------------------

  /** Enter something that others did to the machine at this moment, such as a flip of a switch. */
  record(kind: EventKind, text: string, details: Record<string, string> = {}): void {
    this.guarded(() => this.emit({ ...this.here(), kind, text, details }))
    if (this.stay === null) this.flush()
  }

  /** The learner has flipped the reconstructed build option (machine/v3-gate.ts). */
  gateSet(option: 'y' | 'n'): void {
    this.record('gate', `CONFIG_PROTECTED_VM_UAPI=${option} from here on`, { by: 'the learner' })
  }

  /** It has refused a protected VM, at the present instruction. */
  gateRefused(): void {
    const details = { result: '-22 (EINVAL)', ...taskDetail(this.task.name()) }
    this.record('gate', 'protected VM refused: -EINVAL, CONFIG_PROTECTED_VM_UAPI=n', details)
  }

  /** Begin to listen; resumes after `stop`. */
  start(): void {
    this.machine.cpu.observer = this
    if (this.taint.address.known) this.watchPages(Math.floor(this.taint.address.value / PAGE))
    this.tryAttach()
  }

  /** Stop listening and give the watched pages free. Events stay. */
  stop(): void {
    this.flush()
    this.ownership?.detach()
    this.ownership = null
    if (this.taint.address.known) this.unwatchPage(Math.floor(this.taint.address.value / PAGE))
    this.stay = null
    this.request = null
    this.firmware = null
    if (this.machine.cpu.observer === this) this.machine.cpu.observer = undefined
  }

  /** The log as it is, to go with a checkpoint of the machine; belongs to this log. */
  save() {
    const { ownership, stay, request, firmware, world, whyNoOwnership } = this
    return {
      ring: this.ring.save(),
      // A staged event gets its number when it enters the ring: copies, so that it can get another one.
      staged: this.staged.map((e) => ({ ...e })),
      faults: [...this.faults],
      guests: this.guests.save(),
      ownership: ownership === null ? null : { watch: ownership, state: ownership.save() },
      ...{ stay, request, firmware, world, whyNoOwnership },
    }
  }

  /** The machine was restored to the moment of `save`: so is the log, with the numbers of its events. */
  restore(saved: ReturnType<EventLog['save']>): void {
    this.machine.cpu.observer = this
    if (this.ownership !== saved.ownership?.watch) this.ownership?.detach()
    this.ownership = saved.ownership?.watch ?? null
    if (saved.ownership !== null) saved.ownership.watch.restore(saved.ownership.state)
    if (this.taint.address.known) this.watchPages(Math.floor(this.taint.address.value / PAGE))
    this.ring.restore(saved.ring)
    this.staged = saved.staged.map((e) => ({ ...e }))
    this.faults.splice(0, this.faults.length, ...saved.faults)
    this.guests.restore(saved.guests)
    this.stay = saved.stay
    this.request = saved.request
    this.firmware = saved.firmware
    this.world = saved.world
    this.whyNoOwnership = saved.whyNoOwnership
  }

  /** Memory and registers were replaced by a snapshot's: forget what was derived from the old ones, and all events. */
  resynchronise(): void {
    this.stop()
    this.ring.clear()
    this.guests.clear()
    this.world = this.processor.world()
    this.start()
  }

  // ---- what the CPU tells -------------------------------------------------------------------------------------------

  watchedStore(linear: number, old: Uint8Array): void {
    this.guarded(() => {
      if (this.ownership?.stored(linear, old) === true) return
      const taint = this.taint.stored(linear - RAM_BASE + this.kernel.memory.base, old)
      if (taint === null) return
      const details = { ...taint.details, ...taskDetail(this.task.name()) }
      this.emit({ ...this.here(), kind: 'taint', text: taint.text, details })
      if (this.stay === null) this.flush()
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
      this.firmware = { ...this.here(this.processor.state.pc - 4n), text: smcccText(this.processor.arguments()) }
    })
  }

  firmwareReturned(): void {
    const call = this.firmware
    if (call === null) return
    this.firmware = null
    const last = WITHOUT_RETURN.test(call.text)
    const result = last ? '' : smcccResult(this.processor.state.x[0]!)
    this.emit({
      ...momentOf(call),
      kind: 'smc',
      text: last ? call.text : `${call.text} = ${result}`,
      details: { ...(last ? {} : { result }), to: 'firmware' },
    })
    if (last || this.stay === null) this.flush()
  }

  // ---- into EL2 and out ---------------------------------------------------------------------------------------------

  private enter(source: number, vector: number, returnAddress: bigint): void {
    const { processor, world } = this
    const { x } = processor.state
    const { ec: syndromeClass, iss } = processor.syndrome()
    const ec = vector === 0 ? syndromeClass : -1
    const pc = ec === EC.hvc64 ? returnAddress - 4n : returnAddress
    const guest = world !== 0
    const chain = guest ? guestChain(source, pc) : this.chains.read(source, pc, x[30]!, x[29]!)
    const task = guest ? undefined : this.task.name()
    const moment = { instructions: this.machine.instructions, el: source, pc, chain }
    this.stay = {
      ...moment,
      world,
      vector,
      ec,
      iss,
      far: processor.sysreg(Slot.FAR_EL2),
      ipa: isAbort(ec) ? processor.faultIpa(iss) : -1,
      returnAddress,
      task,
      guestCall: guest && ec === EC.hvc64 ? smcccText(processor.arguments()) : null,
    }
    if (guest) return
    if (ec === EC.hvc64) {
      // Until pKVM has installed its vectors the stub's may answer.
      const call = this.calls.decode(processor.arguments(), this.ownership === null)
      this.request = { ...moment, kind: 'hypercall', call, text: callText(call), task }
    } else if (ec === EC.smc64) {
      this.request = { ...moment, kind: 'smc', call: null, text: smcccText(processor.arguments()), task }
    }
  }

  private leave(): void {
    const { stay, ownership, guests, processor } = this
    const leaf = ownership?.lastLeaf ?? null
    if (ownership !== null) this.changes(ownership)
    const world = processor.world()
    if (stay !== null) {
      const ending: Ending = {
        processor,
        world,
        leaf,
        guests,
        physicalOfGfn: (handle, gfn) => this.physicalOfGfn(handle, gfn),
      }
      if (stay.world !== 0) this.emit(...guestStay(stay, ending))
      else this.emitIf(hostStay(stay, ending))
    }
    if (world === 0 && this.request !== null) this.returned(this.request)
    if (world !== this.world) this.switchWorld(world)
    this.tryAttach()
    this.stay = null
    this.flush()
  }

  /** An exception taken from EL2 to EL2. */
  private nested(vector: number, returnAddress: bigint): void {
    if (this.processor.kernelAtEl2()) return
    const { esr, ec, iss } = this.processor.syndrome()
    // Classes of the same level have the lower level's number plus one.
    const what = vector === 0 ? exitWords(isAbort(ec - 1) ? ec - 1 : ec, iss) : VECTOR_NAMES[vector]!
    const details = { esr: `0x${esr.toString(16)}`, far: hex(this.processor.sysreg(Slot.FAR_EL2)) }
    this.emit({ ...this.here(returnAddress), kind: 'abort', text: `exception inside the hypervisor: ${what}`, details })
  }

  private returned(request: HostRequest): void {
    this.request = null
    const draft = requestReturned(request, this.processor, this.guests, this.machine.instructions)
    const { call } = request
    if (call !== null) this.guests.called(call)
    this.emit(draft)
    if (call?.name === '__pkvm_start_teardown_vm' && draft.details.result === '0') {
      this.emit(this.guests.teardown(momentOf(request), Number(call.args[0]!.value), request.task))
    }
  }

  private switchWorld(world: number): void {
    const from = this.guests.worldWords(this.world)
    const to = this.guests.worldWords(world)
    const vm = this.guests.handleOf(world === 0 ? this.world : world)
    const about = vm === undefined ? {} : { vm }
    // Told of the code that asked for it: the host's HVC, or what the guest was at.
    const moment = { ...momentOf(this.stay ?? this.here()), instructions: this.machine.instructions }
    const details = { from, to, vttbr: hex(this.processor.sysreg(Slot.VTTBR_EL2)) }
    this.emit({ ...moment, kind: 'world-switch', text: `${from} → ${to}`, details, ...about })
    this.world = world
    if (world === 0) return
    const pc = hex(this.processor.state.pc)
    this.emit({
      ...moment,
      kind: 'vcpu',
      text: `${this.guests.vcpuWords(world)} runs at ${pc}`,
      details: { pc },
      ...about,
    })
  }

  // ---- ownership ----------------------------------------------------------------------------------------------------

  /** What the stores of this stay at EL2 have come to. */
  private changes(ownership: OwnershipWatch<Moment>): void {
    const { base } = this.kernel.memory
    const cause = this.cause()
    const changes = ownership.takeChanges()
    this.emit(...ownershipEvents(changes, base, cause))
    for (const slot of ownership.takeSlotChanges()) {
      const draft = this.guests.slotChanged(slot, cause, (vm) => {
        ownership.adoptVm(vm)
        const adopted = ownership.takeChanges()
        this.emit(...ownershipEvents(adopted, base, cause))
        changes.push(...adopted)
      })
      this.emitIf(draft)
    }
    if (this.checker !== null) this.check(this.checker, ownership, changes, cause)
  }

  /** Ask the rules of what this stay has changed. */
  private check(checker: NonNullable<EventLog['checker']>, ownership: OwnershipWatch<Moment>, changes: PageChange<Moment>[], cause: Record<string, string>): void {
    const moment = momentOf(this.stay ?? this.here())
    const call = this.processor.world() === 0 ? (this.request?.call?.name ?? null) : null
    for (const it of checker.stayEnded({ changes, ownership, moment, cause: cause['cause'] ?? '', call })) {
      const details = { rule: it.rule, means: RULES[it.rule], ...cause }
      this.emit({ ...it.moment, kind: 'violation', text: `${RULES[it.rule]} ${it.text}`, details, physical: it.physical, pages: it.pages })
    }
  }

  /** On whose behalf the hypervisor works. */
  private cause(): Record<string, string> {
    const { stay, request } = this
    const task = taskDetail(stay?.task ?? request?.task)
    if (stay !== null && stay.world !== 0) return { cause: `guest: ${stay.guestCall ?? reasonWords(stay)}`, ...task }
    if (request !== null) return { cause: request.text, ...task }
    return stay === null ? {} : { cause: reasonWords(stay), ...task }
  }

  /** Follow ownership as soon as the hypervisor has made its tables. */
  private tryAttach(): void {
    if (this.ownership !== null || this.vmTableAt === null || this.whyNoOwnership.startsWith(GAVE_UP)) return
    if (this.kernel.memory.u64(this.vmTableAt) === 0n) return
    const watch = attempt(() => {
      const pages = { watch: (...pages: number[]) => this.watchPages(...pages), unwatch: (page: number) => this.unwatchPage(page) }
      const it = new OwnershipWatch<Moment>(this.kernel, pages, () => this.here())
      it.attach()
      this.guests.readAll()
      return it
    })
    if (!watch.known) {
      this.whyNoOwnership = `${GAVE_UP} ${watch.why}`
      return
    }
    this.ownership = watch.value
    const moment = { ...momentOf(this.stay ?? this.here()), instructions: this.machine.instructions }
    this.emit(...foundEvents(watch.value, this.kernel, moment, this.cause()))
  }

  private physicalOfGfn(handle: number, gfn: number): number | undefined {
    const page = this.ownership?.pageOfGfn(handle, gfn)
    return page === undefined ? undefined : this.kernel.memory.base + page * PAGE
  }

  // ---- the log itself -----------------------------------------------------------------------------------------------

  /** Now, with the chain of the code that runs and, from EL2, of the code that called it. */
  private here(pc = this.processor.state.pc): Moment {
    const { x, el } = this.processor.state
    const guest = el < 2 && this.world !== 0 && this.stay === null
    const own = guest ? guestChain(el, pc) : this.chains.read(el, pc, x[30]!, x[29]!)
    const chain = el === 2 && this.stay !== null ? [...own, ...this.stay.chain] : own
    return { instructions: this.machine.instructions, el, pc, chain }
  }

  private watchPages(...pages: readonly number[]): void {
    for (const page of pages) this.watched[page - this.kernel.memory.base / PAGE] = 1
    this.machine.cpu.mmu.watch(...pages)
  }

  private unwatchPage(page: number): void {
    this.watched[page - this.kernel.memory.base / PAGE] = 0
    this.machine.cpu.mmu.unwatch(page)
  }

  private emit(...drafts: readonly Draft[]): void {
    for (const draft of drafts) this.staged.push({ sequence: 0, ...draft })
  }

  private emitIf(draft: Draft | null): void {
    if (draft !== null) this.emit(draft)
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
      if (this.faults.length >= MOST_FAULTS || this.faults.some((f) => f.endsWith(why))) return
      this.faults.push(`The event log missed something at instruction ${this.machine.instructions}: ${why}`)
    }
  }

  private readable(e: RawEvent): LogEvent {
    const { chain, pc, ...rest } = e
    const guest = chain[0]?.guest === true
    return { ...rest, pc: hex(pc), symbol: guest ? '' : this.names.name(pc, e.el), callChain: this.names.chain(chain) }
  }
}

const GAVE_UP = 'it could not be followed:'

/** Code of a guest: its PC alone, since nothing is known of its stack. */
function guestChain(el: number, pc: bigint): RawChain {
  return [{ el, pc, lr: null, returns: NO_RETURNS, guest: true }]
}
