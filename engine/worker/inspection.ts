import { Inspector } from '../inspect/inspector.ts'
import type { InspectedMachine, KernelData } from '../inspect/kernel-data.ts'
import { type BootPlaces, fixedRegions, vmRegions } from '../inspect/regions.ts'
import { pageDetail, resolveText } from './inspection-answers.ts'
import type { HostCallDesk } from './host-call-desk.ts'
import type { FactsFrame, GateState, InspectionMessage, InspectionRequest, LabEvent } from './inspection-protocol.ts'
import { OwnershipFrames } from './ownership-frames.ts'

/** A machine that can be looked into: the engine's Machine, with the Image it was booted from. */
export interface Inspectable {
  readonly machine: InspectedMachine & { readonly boot: BootPlaces; readonly instructions: number }
  readonly image: Uint8Array
  /** What was read of the Image already. */
  readonly kernel?: KernelData
  /** The log of what happened, where one is kept. */
  readonly events?: EventSource
  /** Calls to the hypervisor by hand, where there is one. */
  readonly hostCalls?: HostCallDesk
  /** The reconstruction of CONFIG_PROTECTED_VM_UAPI, where the kernel has a place for it. */
  readonly gate?: { state(): GateState; set(option: 'y' | 'n'): void }
}

/** What is asked of an event log. */
export interface EventSource {
  /** Events with a sequence above `after`, oldest first. */
  after(sequence: number, limit: number): LabEvent[]
  /** Events about one page, oldest first. */
  ofPage(physical: number): LabEvent[]
  readonly total: number
  readonly dropped: number
  /** Invariants that fell since the last question. */
  takeViolations?(): LabEvent[]
}

export interface DeskHost {
  post(message: InspectionMessage, transfer?: ArrayBuffer[]): void
  /** Milliseconds of wall clock. */
  now(): number
}

/** The share of time that frames may take from the machine. */
const FRAME_SHARE = 0.03
/** Ticks that a machine may be caught inside EL2, in the middle of a change, before it is looked at all the same. */
const EL2_PATIENCE = 25
const EVENT_BATCH = 2000
/** Frames that may come ahead of their time when VMs change. */
const BURST = 12
/** Instructions between looks at the table of VMs while the machine is to pause there; a VM's whole life can be 10^6. */
const WATCHFUL_SLICE = 20_000

class Subscription {
  hertz = 0
  /** When the next frame is due, and what the last one cost, in milliseconds. */
  due = 0
  cost = 0
  /** Nothing was sent yet of what there is now. */
  fresh = true

  /** While the machine runs the first frame has time: nobody sees one before, and a small system boots meanwhile. */
  begin(hertz: number, now: number): void {
    this.hertz = hertz
    this.due = now + 1000 / hertz
    this.fresh = true
  }

  isDue(now: number): boolean {
    return this.hertz > 0 && now >= this.due
  }

  done(started: number, ended: number, share: number): void {
    this.fresh = false
    this.cost = ended - started
    this.due = ended + Math.max(1000 / this.hertz - this.cost, this.cost / share - this.cost)
  }
}

/** Answers the page's questions about the inside of one machine at a time, between its slices. */
export class InspectionDesk {
  private subject: Inspectable | null = null
  private inspector: Inspector | null = null
  private frames: OwnershipFrames | null = null
  private ownership = new Subscription()
  private facts = new Subscription()
  private eventsOn = false
  private eventsSent = 0
  private inEl2 = 0
  private burst = BURST
  private pauseOnVms = false
  private pauseOnViolation = true

  constructor(private readonly host: DeskHost) {}

  /** A new machine, or none. Subscriptions end with the machine they were made for. */
  adopt(subject: Inspectable | null): void {
    this.subject = subject
    this.inspector = null
    this.frames = null
    this.ownership = new Subscription()
    this.facts = new Subscription()
    this.eventsOn = false
    this.eventsSent = 0
    this.inEl2 = 0
    this.burst = BURST
    this.pauseOnVms = false
    this.pauseOnViolation = true
  }

  /** The machine went back to an earlier moment, with `events` in its log: what is shown of it is told anew. */
  restored(events: number): void {
    this.frames = null
    this.ownership.begin(this.ownership.hertz, this.host.now())
    this.facts.begin(this.facts.hertz, this.host.now())
    this.eventsSent = Math.min(this.eventsSent, events)
    this.inEl2 = 0
    this.burst = BURST
  }

  /** Instructions that may pass until the next `tick`. */
  get sliceLimit(): number {
    return this.pauseOnVms && this.frames?.vmsReadable === true ? WATCHFUL_SLICE : Number.POSITIVE_INFINITY
  }

  receive(request: InspectionRequest): void {
    const { subject } = this
    if (subject === null) return
    switch (request.type) {
      case 'subscribeOwnership':
        this.ownership.begin(request.hertz, this.host.now())
        break
      case 'subscribeFacts':
        this.facts.begin(request.hertz, this.host.now())
        break
      case 'pauseOnVms':
        this.pauseOnVms = request.on
        break
      case 'pauseOnViolation':
        this.pauseOnViolation = request.on
        break
      case 'subscribeEvents':
        this.eventsOn = request.on
        this.eventsSent = subject.events?.total ?? 0
        break
      case 'inspectPage':
        this.inspectPage(request.id, request.physical)
        break
      case 'resolve':
        this.host.post({ type: 'resolved', id: request.id, answer: resolveText(this.look(subject), request.text) })
        break
      case 'events':
        this.host.post({
          type: 'eventList',
          id: request.id,
          events: subject.events?.after(request.after, request.limit) ?? [],
          dropped: subject.events?.dropped ?? 0,
          total: subject.events?.total ?? 0,
        })
        break
      case 'hostCallList':
        this.host.post(subject.hostCalls?.list(request.id) ?? { type: 'hostCallNames', id: request.id, calls: [], why: NO_CALLS })
        break
      case 'hostCall':
        this.host.post(subject.hostCalls?.call(request) ?? { type: 'hostCallDone', id: request.id, ok: false, message: NO_CALLS })
        this.facts.due = 0
        break
      case 'setGate':
        subject.gate?.set(request.option)
        this.facts.due = 0
        break
    }
  }

  /**
   * Between two slices: sends what is due.
   * @param stopped the machine stands still: what is owed is sent now
   * @returns whether the machine is to pause here
   */
  tick(stopped: boolean): boolean {
    const { subject } = this
    if (subject === null) return false
    const vmsChanged = this.frames?.vmsChanged() ?? false
    const now = this.host.now()
    if (this.facts.hertz > 0 && (stopped || this.facts.isDue(now))) {
      this.host.post(this.factsFrame(subject))
      this.facts.done(now, this.host.now(), FRAME_SHARE)
    }
    const due = this.ownership.isDue(now)
    if (due && !vmsChanged && this.burst < BURST) this.burst++
    if (this.ownership.hertz > 0 && (stopped || due || (vmsChanged && this.burst-- > 0))) this.sendOwnership(subject, stopped)
    if (this.eventsOn) this.sendEvents(subject)
    const fallen = subject.events?.takeViolations?.() ?? []
    if (fallen.length > 0) this.host.post({ type: 'violations', events: fallen })
    if (fallen.length > 0 && this.pauseOnViolation && !stopped) return true
    return vmsChanged && this.pauseOnVms && !stopped
  }

  private sendOwnership(subject: Inspectable, stopped: boolean): void {
    // EL2 changes several tables for one change of owner; between slices it is rarely in the middle of it.
    if (!stopped && subject.machine.cpu.state.el === 2 && this.inEl2++ < EL2_PATIENCE) return
    this.inEl2 = 0
    const inspector = this.look(subject)
    this.frames ??= new OwnershipFrames(inspector, subject.machine.boot)
    const started = this.host.now()
    const frame = this.frames.next(subject.machine.instructions, this.ownership.fresh)
    this.ownership.done(started, this.host.now(), FRAME_SHARE)
    if (frame === null) return
    this.host.post(frame, [frame.host.buffer as ArrayBuffer, frame.hyp.buffer as ArrayBuffer, frame.owner.buffer as ArrayBuffer])
  }

  private sendEvents({ events }: Inspectable): void {
    if (events === undefined || events.total === this.eventsSent) return
    const fresh = events.after(this.eventsSent, EVENT_BATCH)
    if (fresh.length === 0) return
    this.eventsSent = fresh.at(-1)?.sequence ?? this.eventsSent
    this.host.post({ type: 'newEvents', events: fresh, dropped: events.dropped })
  }

  private factsFrame(subject: Inspectable): FactsFrame {
    const inspector = this.look(subject)
    const mode = inspector.mode()
    const taint = inspector.taint()
    const vms = inspector.vms()
    return {
      type: 'facts',
      instructions: subject.machine.instructions,
      mode: mode.kvmMode,
      phase: mode.phase,
      taint: taint.known
        ? { known: true, value: { mask: taint.value.value, letters: taint.value.flags.map(flag => ({ ...flag })) } }
        : taint,
      ownership: vms.known ? { known: true, value: true } : vms,
      gate: subject.gate?.state() ?? NO_GATE,
    }
  }

  private inspectPage(id: number, physical: number): void {
    const { subject } = this
    if (subject === null) return
    const inspector = this.look(subject)
    const map = inspector.ownership()
    const regions = [...fixedRegions(inspector.kernel, subject.machine.boot), ...(map.known ? vmRegions(inspector.kernel, map.value) : [])]
    const detail = pageDetail(inspector, physical, map, regions, subject.events?.ofPage(physical) ?? [])
    this.host.post({ type: 'pageDetail', id, detail }, [detail.contents.buffer as ArrayBuffer])
  }

  /** Reading the kernel's own tables takes some hundred milliseconds: done when somebody first asks. */
  private look(subject: Inspectable): Inspector {
    this.inspector ??= new Inspector(subject.machine, subject.kernel ?? subject.image)
    return this.inspector
  }
}

const NO_CALLS = 'No calls can be made on this machine.'

const NO_GATE: GateState = {
  available: false,
  why: 'this machine has no place for the gate',
  option: 'y',
  refused: 0,
  symbol: '',
}
