import { describe, expect, it } from 'vitest'
import { sys } from '../cpu/encoding.ts'
import { GenericTimer } from './timer.ts'

const CNTFRQ = sys(3, 3, 14, 0, 0)
const CNTPCT = sys(3, 3, 14, 0, 1)
const CNTVCT = sys(3, 3, 14, 0, 2)
const P_TVAL = sys(3, 3, 14, 2, 0)
const P_CTL = sys(3, 3, 14, 2, 1)
const P_CVAL = sys(3, 3, 14, 2, 2)
const V_CTL = sys(3, 3, 14, 3, 1)
const V_CVAL = sys(3, 3, 14, 3, 2)
const VOFF = sys(3, 4, 14, 0, 3)
const HP_CTL = sys(3, 4, 14, 2, 1)
const HP_CVAL = sys(3, 4, 14, 2, 2)

function bench() {
  const time = { ns: 0, changed: 0 }
  const levels = { physical: false, virtual: false, hyp: false }
  const timer = new GenericTimer(
    { now: () => time.ns, deadlineChanged: () => void time.changed++ },
    {
      physical: { set: (v) => void (levels.physical = v) },
      virtual: { set: (v) => void (levels.virtual = v) },
      hyp: { set: (v) => void (levels.hyp = v) },
    },
  )
  const read = (r: number): bigint => timer.readSystemRegister(r, 2)!
  const write = (r: number, v: bigint): void => void timer.writeSystemRegister(r, v, 2)
  return { time, levels, timer, read, write }
}

describe('GenericTimer', () => {
  it('counts a tick every 16 ns', () => {
    const { time, read, write } = bench()
    expect(read(CNTFRQ)).toBe(62_500_000n)
    time.ns = 15
    expect(read(CNTPCT)).toBe(0n)
    time.ns = 16
    expect(read(CNTPCT)).toBe(1n)
    time.ns = 1600
    write(VOFF, 30n)
    expect(read(CNTVCT)).toBe(70n)
    write(VOFF, 101n)
    expect(read(CNTVCT)).toBe(0xffff_ffff_ffff_ffffn)
  })

  it('raises its line at the exact nanosecond of its deadline', () => {
    const { time, levels, timer, read, write } = bench()
    time.ns = 1000 // count 62
    write(P_CVAL, 100n)
    expect(timer.nextDeadline()).toBe(Infinity)
    write(P_CTL, 1n)
    expect(timer.nextDeadline()).toBe(1600)
    expect(read(P_CTL)).toBe(1n)
    time.ns = 1599
    timer.update()
    expect(levels.physical).toBe(false)
    time.ns = 1600
    timer.update()
    expect(levels.physical).toBe(true)
    expect(read(P_CTL)).toBe(5n)
    expect(timer.nextDeadline()).toBe(Infinity)
    write(P_CTL, 3n)
    expect(levels.physical).toBe(false)
    expect(read(P_CTL)).toBe(7n)
    write(P_CTL, 1n)
    write(P_CVAL, 200n)
    expect(levels.physical).toBe(false)
    expect(timer.nextDeadline()).toBe(3200)
  })

  it('TVAL is a signed 32-bit distance', () => {
    const { time, levels, read, write } = bench()
    time.ns = 16_000 // count 1000
    write(P_TVAL, 0xffff_ffffn)
    expect(read(P_CVAL)).toBe(999n)
    write(P_CTL, 1n)
    expect(levels.physical).toBe(true)
    write(P_TVAL, 50n)
    expect(levels.physical).toBe(false)
    expect(read(P_CVAL)).toBe(1050n)
    time.ns += 160
    expect(read(P_TVAL)).toBe(40n)
  })

  it('the virtual timer compares with the offset counter, also before its zero', () => {
    const { time, levels, timer, write } = bench()
    time.ns = 160 // count 10
    write(VOFF, 50n)
    write(V_CVAL, 10n)
    write(V_CTL, 1n)
    expect(levels.virtual).toBe(true) // 10 - 50 is a huge unsigned count
    expect(timer.nextDeadline()).toBe(50 * 16)
    time.ns = 50 * 16
    timer.update()
    expect(levels.virtual).toBe(false)
    expect(timer.nextDeadline()).toBe(60 * 16)
    write(VOFF, 0n)
    expect(levels.virtual).toBe(true)
  })

  it('takes the earliest of the deadlines and leaves out masked and far ones', () => {
    const { timer, write, levels } = bench()
    write(P_CVAL, 500n)
    write(P_CTL, 1n)
    write(HP_CVAL, 300n)
    write(HP_CTL, 1n)
    expect(timer.nextDeadline()).toBe(4800)
    write(HP_CTL, 3n)
    expect(timer.nextDeadline()).toBe(8000)
    write(P_CVAL, 0xffff_ffff_ffff_ffffn)
    expect(timer.nextDeadline()).toBe(Infinity)
    write(HP_CVAL, 0n)
    write(HP_CTL, 1n)
    expect(levels.hyp).toBe(true)
    timer.reset()
    expect(levels.hyp).toBe(false)
  })

  it('tells the clock of every change, and knows no other register', () => {
    const { time, timer, write } = bench()
    write(P_CVAL, 1n)
    write(P_CTL, 1n)
    expect(time.changed).toBe(2)
    expect(timer.writeSystemRegister(CNTPCT, 0n, 2)).toBe(false)
    expect(timer.writeSystemRegister(CNTFRQ, 0n, 1)).toBe(false)
    expect(timer.readSystemRegister(sys(3, 4, 14, 3, 1), 2)).toBeUndefined()
  })
})
