import { describe, expect, it } from 'vitest'
import { BusError } from '../cpu/exception.ts'
import { Bus } from './bus.ts'
import type { Device } from './device.ts'

function device(name: string, log: string[]): Device {
  return {
    name,
    read: (offset, bytes) => {
      log.push(`${name} read ${offset} ${bytes}`)
      return 7n
    },
    write: (offset, bytes, value) => void log.push(`${name} write ${offset} ${bytes} ${value}`),
  }
}

describe('Bus', () => {
  const log: string[] = []
  const bus = new Bus([
    { device: device('a', log), base: 0x9000000, size: 0x1000 },
    { device: device('b', log), base: 0x8000000, size: 0x20000 },
  ])

  it('finds the device and gives it offsets', () => {
    expect(bus.read(0x9000018, 4)).toBe(7n)
    bus.write(0x801fffc, 4, 5n)
    expect(log).toEqual(['a read 24 4', 'b write 131068 4 5'])
  })

  it('answers nothing elsewhere, and not across the end of a window', () => {
    for (const at of [0, 0x7ffffff, 0x8020000, 0x8ffffff, 0x9001000, 0x9000ffd, 0xff_ffff_ffff]) {
      expect(() => bus.read(at, 4), at.toString(16)).toThrow(BusError)
      expect(() => bus.write(at, 4, 0n), at.toString(16)).toThrow(BusError)
    }
  })

  it('refuses overlapping or ragged windows', () => {
    const d = device('d', [])
    expect(() => new Bus([{ device: d, base: 0, size: 0x2000 }, { device: d, base: 0x1000, size: 0x1000 }])).toThrow(
      RangeError,
    )
    expect(() => new Bus([{ device: d, base: 0x10, size: 0x1000 }])).toThrow(RangeError)
  })
})
