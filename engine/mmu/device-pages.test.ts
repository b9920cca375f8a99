import { describe, expect, it } from 'vitest'
import { DevicePages } from './device-pages.ts'

describe('DevicePages', () => {
  it('finds what was added, for this access, context and generation only', () => {
    const pages = new DevicePages()
    expect(pages.find(0, 0, 0, 0, 0)).toBe(-1)
    pages.add(0x8000_1234, 0xffff_8000, 5, 1, 7, 0x0904_0000, true)
    expect(pages.find(0x8000_1ffc, 0xffff_8000, 5, 1, 7)).toBe(0x0904_0000)
    expect(pages.device).toBe(true)
    expect(pages.find(0x8000_1ffc, 0xffff_8000, 5, 0, 7)).toBe(-1)
    expect(pages.find(0x8000_1ffc, 0xffff_8000, 6, 1, 7)).toBe(-1)
    expect(pages.find(0x8000_1ffc, 0xffff_8000, 5, 1, 8)).toBe(-1)
    expect(pages.find(0x8000_1ffc, 0x00ff_8000, 5, 1, 7)).toBe(-1)
    expect(pages.find(0x8000_2ffc, 0xffff_8000, 5, 1, 7)).toBe(-1)
  })

  it('keeps reads and writes of a page apart, and Device from Normal', () => {
    const pages = new DevicePages()
    pages.add(0x1000, 0, 1, 0, 0, 0x0900_0000, false)
    pages.add(0x1000, 0, 1, 1, 0, 0x0901_0000, true)
    expect(pages.find(0x1000, 0, 1, 0, 0)).toBe(0x0900_0000)
    expect(pages.device).toBe(false)
    expect(pages.find(0x1000, 0, 1, 1, 0)).toBe(0x0901_0000)
  })
})
