import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { type EventKind, EventLog, feed, FilteredEvents, LANES } from './event-log.ts'
import { InspectionClient } from './inspection-client.ts'

const event = (sequence: number, kind: EventKind = 'hypercall', more: Partial<LabEvent> = {}): LabEvent => ({
  sequence,
  instructions: sequence * 100,
  kind,
  el: 1,
  pc: '0xffff800080000000',
  symbol: 'here',
  text: `event ${sequence}`,
  callChain: [],
  details: {},
  ...more,
})
const batch = (from: number, to: number, dropped = 0) => ({
  events: Array.from({ length: to - from }, (_, i) => event(from + i)),
  dropped,
})
const ALL: ReadonlySet<EventKind> = new Set(LANES.flatMap(lane => [...lane.kinds]))

describe('EventLog', () => {
  it('keeps order, ignores what it has already, counts what the Worker lost', () => {
    const log = new EventLog()
    log.append(batch(0, 10))
    log.append(batch(5, 12, 3))
    expect(log.events.map(e => e.sequence)).toEqual([...Array(12).keys()])
    expect(log.dropped).toBe(3)
  })

  it('takes back what has not happened on a machine that went back', () => {
    const log = new EventLog()
    const filtered = new FilteredEvents()
    const filter = { kinds: ALL, text: '' }
    log.append(batch(0, 10))
    filtered.update(log, filter)
    log.cutAfter(20)
    log.cutAfter(6)
    expect(log.events.map(e => e.sequence)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(log.lanes[0]).toEqual(log.events)
    log.append(batch(7, 12))
    expect(filtered.update(log, filter)).toEqual(log.events)
  })

  it('lets old events go, and says how many', () => {
    const log = new EventLog(100)
    for (let at = 0; at < 1000; at += 7) log.append(batch(at, at + 7))
    expect(log.events.length).toBeLessThanOrEqual(100)
    expect(log.events.length).toBeGreaterThanOrEqual(90)
    expect(log.forgotten + log.events.length).toBe(1001)
    expect(log.lanes[0]).toEqual(log.events)
    expect(log.last?.sequence).toBe(1000)
  })

  it('keeps lanes in order of time although a call is entered when it returns', () => {
    const log = new EventLog()
    const times = [500, 900, 700, 800, 600]
    log.append({ events: times.map((instructions, i) => event(i, 'hypercall', { instructions })), dropped: 0 })
    expect(log.lanes[0]?.map(e => e.instructions)).toEqual([500, 600, 700, 800, 900])
    expect(log.events.map(e => e.instructions)).toEqual(times)
  })

  it('starts anew with each machine', () => {
    const client = new InspectionClient()
    const log = new EventLog()
    feed(log, client)
    client.machineMade(() => {})
    client.receive({ type: 'newEvents', ...batch(0, 3) })
    client.machineMade(() => {})
    client.receive({ type: 'newEvents', ...batch(0, 2) })
    expect(log.events.length).toBe(2)
  })

  it('puts every kind of the protocol into one lane', () => {
    const kinds: EventKind[] = ['hypercall', 'guest-hypercall', 'smc', 'world-switch', 'abort', 'ownership', 'vm', 'vcpu', 'taint', 'gate', 'violation']
    expect([...ALL].sort()).toEqual(kinds.sort())
    const log = new EventLog()
    log.append({ events: [event(0), event(1, 'taint'), event(2, 'taint')], dropped: 0 })
    expect(log.first('taint')?.sequence).toBe(1)
    expect(log.first('gate')).toBeUndefined()
  })
})

describe('FilteredEvents', () => {
  it('agrees with filtering the whole log, however the events came', () => {
    const log = new EventLog(50)
    const view = new FilteredEvents()
    const filter = { kinds: ALL, text: '3' }
    for (let at = 0; at < 200; at += 9) {
      log.append(batch(at, at + 9))
      expect(view.update(log, filter)).toEqual(log.events.filter(e => e.text.includes('3')))
    }
    log.clear()
    expect(view.update(log, filter)).toEqual([])
    log.append(batch(0, 5))
    expect(view.update(log, filter).map(e => e.sequence)).toEqual([3])
  })

  it('looks into symbol and call chain, whatever the case', () => {
    const log = new EventLog()
    log.append({
      events: [event(0, 'taint', { symbol: 'add_taint' }), event(1, 'vm', { callChain: ['kvm_arch_init_vm'] }), event(2)],
      dropped: 0,
    })
    const found = (text: string, kinds: ReadonlySet<EventKind> = ALL) => new FilteredEvents().update(log, { kinds, text }).map(e => e.sequence)
    expect(found('ADD_T')).toEqual([0])
    expect(found('init_vm')).toEqual([1])
    expect(found('', new Set<EventKind>(['hypercall']))).toEqual([2])
  })
})
