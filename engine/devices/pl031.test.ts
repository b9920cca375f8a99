import { describe, expect, it } from 'vitest'
import { Pl031 } from './pl031.ts'

const S = 1_000_000_000

function bench() {
  const time = { ns: 0, changed: 0 }
  const state = { level: false }
  const rtc = new Pl031(
    { now: () => time.ns, deadlineChanged: () => void time.changed++ },
    { set: (v) => void (state.level = v) },
    1_700_000_000,
  )
  const read = (o: number): number => Number(rtc.read(o, 4))
  const write = (o: number, v: number): void => rtc.write(o, 4, BigInt(v))
  return { time, state, rtc, read, write }
}

describe('Pl031', () => {
  it('counts virtual seconds from its start time', () => {
    const { time, read, write } = bench()
    expect(read(0)).toBe(1_700_000_000)
    time.ns = 2 * S - 1
    expect(read(0)).toBe(1_700_000_001)
    write(8, 5)
    expect(read(0)).toBe(5)
    time.ns = 12 * S
    expect(read(0)).toBe(16)
    expect(read(0xc)).toBe(1)
    expect([0xfe0, 0xfe4, 0xfe8, 0xff0].map(read)).toEqual([0x31, 0x10, 0x14, 0x0d])
  })

  it('raises its interrupt at the match, masked by IMSC, until cleared', () => {
    const { time, state, rtc, read, write } = bench()
    write(0x10, 1)
    write(4, 1_700_000_003)
    expect(rtc.nextDeadline()).toBe(3 * S)
    time.ns = 3 * S - 1
    rtc.update()
    expect(state.level).toBe(false)
    time.ns = 3 * S
    rtc.update()
    expect(state.level).toBe(true)
    expect(read(0x18)).toBe(1)
    expect(rtc.nextDeadline()).toBe(Infinity)
    write(0x1c, 1)
    expect(state.level).toBe(false)
  })
})
