import { describe, expect, it } from 'vitest'
import { INT_RT, INT_RX, INT_TX, Pl011 } from './pl011.ts'

const DR = 0
const FR = 0x18
const LCR_H = 0x2c
const CR = 0x30
const IFLS = 0x34
const IMSC = 0x38
const RIS = 0x3c
const MIS = 0x40
const ICR = 0x44

function bench() {
  const out: number[] = []
  const state = { level: false }
  const uart = new Pl011('uart0', { set: (v) => void (state.level = v) }, (b) => void out.push(b))
  const read = (o: number): number => Number(uart.read(o, 4))
  const write = (o: number, v: number): void => uart.write(o, 4, BigInt(v))
  return { out, state, uart, read, write }
}

describe('Pl011', () => {
  it('has the reset values and identification that QEMU shows', () => {
    const { read } = bench()
    expect(read(FR)).toBe(0x90)
    expect(read(CR)).toBe(0x300)
    expect(read(IFLS)).toBe(0x12)
    expect([0xfe0, 0xfe4, 0xfe8, 0xfec, 0xff0, 0xff4, 0xff8, 0xffc].map(read)).toEqual([
      0x11, 0x10, 0x14, 0, 0x0d, 0xf0, 0x05, 0xb1,
    ])
  })

  it('transmits at once and raises TX', () => {
    const { out, state, read, write } = bench()
    write(DR, 0x141)
    expect(out).toEqual([0x41])
    expect(read(RIS)).toBe(INT_TX)
    expect(state.level).toBe(false)
    write(IMSC, INT_TX)
    expect(state.level).toBe(true)
    expect(read(MIS)).toBe(INT_TX)
    write(ICR, INT_TX)
    expect(state.level).toBe(false)
    expect(read(FR)).toBe(0x90)
  })

  it('without FIFO holds one character; the rest waits and nothing is lost', () => {
    const { state, uart, read, write } = bench()
    write(IMSC, INT_RX)
    uart.receive([1, 2, 3])
    expect(read(FR)).toBe(0xc0)
    expect(state.level).toBe(true)
    expect([read(DR), read(DR), read(DR)]).toEqual([1, 2, 3])
    expect(state.level).toBe(false)
    expect(read(FR)).toBe(0x90)
    expect(read(DR)).toBe(0)
  })

  it('with FIFO: RX at the trigger level, RT below it', () => {
    const { state, uart, read, write } = bench()
    write(LCR_H, 0x70)
    write(IMSC, INT_RX | INT_RT)
    uart.receive([1, 2])
    expect(read(RIS)).toBe(INT_RT)
    expect(state.level).toBe(true)
    uart.receive([3, 4, 5, 6, 7, 8])
    expect(read(RIS)).toBe(INT_RT | INT_RX)
    read(DR)
    expect(read(RIS)).toBe(INT_RT)
    for (let i = 0; i < 7; i++) read(DR)
    expect(read(RIS)).toBe(0)
    expect(state.level).toBe(false)
  })

  it('a flood of input neither overruns nor disappears', () => {
    const { uart, read, write } = bench()
    write(LCR_H, 0x10)
    uart.receive(Array.from({ length: 200_000 }, (_, i) => i & 0xff))
    expect(read(FR) & 0x40).toBe(0x40)
    let wrong = 0
    for (let i = 0; i < 200_000; i++) if (read(DR) !== (i & 0xff)) wrong++
    expect(wrong).toBe(0)
    expect(uart.unread).toBe(0)
  })

  it('loopback', () => {
    const { out, read, write } = bench()
    write(CR, 0x381)
    write(DR, 0x55)
    expect(out).toEqual([])
    expect(read(DR)).toBe(0x55)
  })
})
