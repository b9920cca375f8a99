import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { countColumns, firstAt, nearest, pan, zoom } from './timeline-scale.ts'

const events = [10, 20, 20, 50, 99, 100].map((instructions, sequence) => ({ instructions, sequence }) as LabEvent)

describe('timeline', () => {
  it('counts every event of the span once', () => {
    expect([...countColumns(events, { from: 0, to: 100 }, 10)]).toEqual([0, 1, 2, 0, 0, 1, 0, 0, 0, 2])
    expect([...countColumns(events, { from: 20, to: 50 }, 3)]).toEqual([2, 0, 1])
    expect(countColumns([], { from: 0, to: 1 }, 4)).toEqual(new Uint32Array(4))
  })

  it('finds by time', () => {
    expect(firstAt(events, 20)).toBe(1)
    expect(firstAt(events, 101)).toBe(6)
    expect(nearest(events, 47, 5)?.instructions).toBe(50)
    expect(nearest(events, 60, 5)).toBeUndefined()
  })

  it('zooms about a point that stays, and back to the whole run', () => {
    const closer = zoom({ from: 0, to: 100_000 }, 25_000, 2, 100_000)
    expect(closer).toEqual({ from: 12_500, to: 62_500 })
    expect(zoom(closer!, 25_000, 0.1, 100_000)).toBeNull()
    expect(zoom({ from: 0, to: 100_000 }, 100_000, 1e9, 100_000)).toEqual({ from: 99_800, to: 100_000 })
    expect(pan({ from: 10, to: 20 }, -50, 100)).toEqual({ from: 0, to: 10 })
    expect(pan({ from: 10, to: 20 }, 500, 100)).toEqual({ from: 90, to: 100 })
  })
})
