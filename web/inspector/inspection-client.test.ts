import { describe, expect, it } from 'vitest'
import type { FactsFrame, InspectionRequest } from '../../engine/worker/inspection-protocol.ts'
import { InspectionClient, MachineGoneError } from './inspection-client.ts'

const facts = { type: 'facts', instructions: 1 } as FactsFrame

function connected() {
  const client = new InspectionClient()
  const sent: InspectionRequest[] = []
  client.machineMade(request => sent.push(request))
  return { client, sent }
}

describe('InspectionClient', () => {
  it('gives each answer to the question with its id', async () => {
    const { client, sent } = connected()
    const first = client.resolve('a')
    const second = client.resolve('b')
    const ids = sent.map(request => ('id' in request ? request.id : 0))
    client.receive({ type: 'resolved', id: ids[1]!, answer: { known: false, why: 'second' } })
    client.receive({ type: 'resolved', id: ids[0]!, answer: { known: false, why: 'first' } })
    expect(await first).toEqual({ known: false, why: 'first' })
    expect(await second).toEqual({ known: false, why: 'second' })
  })

  it('refuses questions without a machine, and those a reset leaves open', async () => {
    await expect(new InspectionClient().resolve('x')).rejects.toThrow(MachineGoneError)
    const { client } = connected()
    const open = client.inspectPage(0x4000_0000)
    client.machineGone()
    await expect(open).rejects.toThrow(MachineGoneError)
  })

  it('lets only the next machine stop early, and none after a reset', () => {
    const client = new InspectionClient()
    const made = () => {
      const sent: InspectionRequest[] = []
      client.machineMade(request => sent.push(request))
      return sent
    }
    client.pauseNextAt(77)
    expect(made()).toEqual([{ type: 'pauseAt', instructions: 77 }])
    expect(made()).toEqual([])
    client.pauseNextAt(78)
    client.machineGone()
    expect(made()).toEqual([])
  })

  it('subscribes at the highest wish and ends with the last watcher', () => {
    const { client, sent } = connected()
    const slow = client.watchFacts(2, () => {})
    const fast = client.watchFacts(10, () => {})
    slow()
    fast()
    expect(sent.map(request => (request.type === 'subscribeFacts' ? request.hertz : null))).toEqual([2, 10, 10, 0])
  })

  it('subscribes again with each new machine', () => {
    const client = new InspectionClient()
    const seen: number[] = []
    client.watchFacts(4, frame => seen.push(frame.instructions))
    client.watchEvents(() => {})
    client.watchStart(() => seen.push(-1))
    client.watchEnd(() => seen.push(-2))
    for (let machine = 0; machine < 2; machine++) {
      const sent: InspectionRequest[] = []
      client.machineMade(request => sent.push(request))
      expect(sent).toEqual([
        { type: 'subscribeFacts', hertz: 4 },
        { type: 'subscribeEvents', on: true },
      ])
      client.receive(facts)
    }
    client.machineGone()
    client.receive(facts)
    expect(seen).toEqual([-1, 1, -1, 1, -2])
  })
})
