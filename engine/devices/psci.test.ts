import { describe, expect, it } from 'vitest'
import { CpuState, RAM_BASE } from '../cpu/state.ts'
import { PsciFirmware } from './psci.ts'

function bench() {
  const state = new CpuState(new ArrayBuffer(RAM_BASE))
  const done: string[] = []
  const firmware = new PsciFirmware({
    shutdown: () => void done.push('shutdown'),
    reset: () => void done.push('reset'),
    cpuOff: () => void done.push('cpuOff'),
    standby: () => void done.push('standby'),
  })
  const call = (id: number, ...args: (number | bigint)[]): bigint => {
    state.x[0] = BigInt(id)
    args.forEach((a, i) => {
      state.x[i + 1] = BigInt(a)
    })
    firmware.call(state)
    return BigInt.asIntN(64, state.x[0]!)
  }
  return { state, done, call }
}

describe('PsciFirmware', () => {
  it('answers as QEMU does', () => {
    const { call } = bench()
    expect(call(0x84000000)).toBe(0x10001n)
    expect(call(0x80000000)).toBe(-1n)
    expect(call(0x84000006)).toBe(2n)
    expect(call(0x8400000a, 0x84000003)).toBe(0n)
    expect(call(0x8400000a, 0xc4000001)).toBe(0n)
    expect(call(0x8400000a, 0x80000000)).toBe(-1n)
    expect(call(0x8400000a, 0x84000005)).toBe(-1n)
    expect(call(0xc4000003, 0, 0x40000000)).toBe(-4n)
    expect(call(0xc4000003, 5, 0x40000000)).toBe(-2n)
    expect(call(0xc4000004, 0, 0)).toBe(0n)
    expect(call(0xc4000004, 7, 0)).toBe(-2n)
    expect(call(0xc4000005)).toBe(-1n)
    expect(call(0x8400000e)).toBe(-1n)
    expect(call(0x80008000)).toBe(-1n)
    expect(call(0x12345678)).toBe(-1n)
  })

  it('changes nothing but X0, and reads only W registers for SMC32', () => {
    const { state, call } = bench()
    state.x[5] = 99n
    expect(call(0x84000004, 0xff_0000_0000n, 0)).toBe(0n)
    expect(call(0xc4000004, 0xff_0000_0000n, 0)).toBe(-2n)
    expect(state.x[1]).toBe(0xff_0000_0000n)
    expect(state.x[5]).toBe(99n)
  })

  it('acts', () => {
    const { done, call } = bench()
    expect(call(0xc4000001, 0)).toBe(0n)
    expect(call(0xc4000001, 0x10000)).toBe(0n)
    expect(call(0xc4000001, 0x1000000)).toBe(-2n)
    call(0x84000002)
    call(0x84000009)
    call(0x84000008)
    expect(done).toEqual(['standby', 'standby', 'cpuOff', 'reset', 'shutdown'])
  })
})
