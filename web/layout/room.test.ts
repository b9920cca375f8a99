import { describe, expect, it } from 'vitest'
import { roomFor } from './room.ts'

describe('room', () => {
  it('a laptop has the timeline among the lists, a large screen under the map', () => {
    expect(roomFor(1280, 720, false, null)).toEqual({ timelineUnderMap: false, settings: true, tight: true })
    expect(roomFor(1920, 1080, false, null)).toEqual({ timelineUnderMap: true, settings: true, tight: false })
  })

  it('a projector shows fewer panels', () => {
    expect(roomFor(1280, 720, true, null).settings).toBe(false)
    expect(roomFor(1440, 900, true, null).settings).toBe(true)
    expect(roomFor(1920, 1080, true, null)).toEqual({ timelineUnderMap: true, settings: true, tight: false })
  })

  it('does what the learner asked for', () => {
    expect(roomFor(1280, 720, true, true).settings).toBe(true)
    expect(roomFor(1920, 1080, false, false).settings).toBe(false)
  })
})
