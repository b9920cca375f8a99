import { beforeEach, describe, expect, it } from 'vitest'
import { Machine } from '../machine/machine.ts'
import { InspectionDesk } from './inspection.ts'
import type { InspectionMessage } from './inspection-protocol.ts'

/** A bare-metal Image: a branch to itself, no symbols, no types. */
function bareImage(): Uint8Array {
  const image = new Uint8Array(4096)
  const view = new DataView(image.buffer)
  view.setUint32(0, 0x14000010, true)
  view.setBigUint64(16, 4096n, true)
  view.setBigUint64(24, 0b1010n, true)
  view.setUint32(56, 0x644d5241, true)
  view.setUint32(64, 0x14000000, true)
  return image
}

describe('the inspection desk, on a machine without a kernel', () => {
  let posted: InspectionMessage[]
  let time: number
  let desk: InspectionDesk
  const of = <T extends InspectionMessage['type']>(type: T) =>
    posted.filter((message): message is Extract<InspectionMessage, { type: T }> => message.type === type)

  beforeEach(() => {
    posted = []
    time = 0
    desk = new InspectionDesk({ post: message => posted.push(message), now: () => time })
    const image = bareImage()
    desk.adopt({ machine: Machine.create({ image, append: '', ramMiB: 128, console: () => {} }), image })
  })

  it('sends nothing unasked, and nothing without a machine', () => {
    desk.tick(false)
    desk.adopt(null)
    desk.receive({ type: 'subscribeOwnership', hertz: 10 })
    desk.tick(true)
    expect(posted).toEqual([])
  })

  it('says why owners are unknown, once, and names what the loader placed', () => {
    desk.receive({ type: 'subscribeOwnership', hertz: 10 })
    for (time = 0; time < 1000; time += 20) desk.tick(false)
    const frames = of('ownership')
    expect(frames).toHaveLength(1)
    expect(frames[0]?.why).toMatch(/kallsyms/)
    expect(frames[0]?.pages).toBe(32768)
    expect(frames[0]?.host.every(state => state === 4)).toBe(true)
    expect(frames[0]?.regions.map(region => region.name)).toEqual(['kernel image', 'device tree'])
  })

  it('sends facts no faster than asked, and at once when the machine stops', () => {
    desk.receive({ type: 'subscribeFacts', hertz: 5 })
    for (time = 0; time < 1000; time += 10) desk.tick(false)
    const facts = of('facts')
    expect(facts.length).toBeGreaterThanOrEqual(4)
    expect(facts.length).toBeLessThanOrEqual(6)
    expect(facts[0]?.taint.known).toBe(false)
    expect(facts[0]?.ownership.known).toBe(false)
    desk.tick(true)
    expect(of('facts')).toHaveLength(facts.length + 1)
    desk.receive({ type: 'subscribeFacts', hertz: 0 })
    time += 1000
    desk.tick(true)
    expect(of('facts')).toHaveLength(facts.length + 1)
  })

  it('answers questions with what can be known', () => {
    desk.receive({ type: 'inspectPage', id: 7, physical: 0x4020_0040 })
    const detail = of('pageDetail')[0]
    expect(detail?.id).toBe(7)
    expect(detail?.detail.physical).toBe(0x4020_0000)
    expect(detail?.detail.host.known).toBe(false)
    expect(detail?.detail.contents[3]).toBe(0x14)
    desk.receive({ type: 'resolve', id: 8, text: '0x40200040' })
    desk.receive({ type: 'resolve', id: 9, text: 'tainted_mask' })
    desk.receive({ type: 'resolve', id: 10, text: 'pa:0x1000' })
    expect(of('resolved').map(({ id, answer }) => [id, answer.known])).toEqual([[8, true], [9, false], [10, false]])
  })
})
