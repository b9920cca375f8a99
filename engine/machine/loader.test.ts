import { describe, expect, it } from 'vitest'
import { BootError, CommandLineError, DeviceTreeError, ImageError, InitrdError, RamSizeError } from './boot-error.ts'
import { deviceTreeBlob } from './device-tree.ts'
import { readFdt } from './fdt.ts'
import { parseImage } from './image.ts'
import { checkRamSize, loadBootFiles } from './loader.ts'

const MIB = 1024 * 1024

interface ImageOptions {
  fileBytes?: number
  textOffset?: number
  imageSize?: number
  flags?: number
  /** With an EFI stub: end of the data of its one section. */
  peEnd?: number
}

function makeImage(options: ImageOptions = {}): Uint8Array {
  const image = new Uint8Array(options.fileBytes ?? 0x10000)
  const view = new DataView(image.buffer)
  view.setUint32(0, 0x14000010, true)
  view.setBigUint64(8, BigInt(options.textOffset ?? 0), true)
  view.setBigUint64(16, BigInt(options.imageSize ?? 0x20000), true)
  view.setBigUint64(24, BigInt(options.flags ?? 0xa), true)
  view.setUint32(56, 0x644d5241, true)
  if (options.peEnd !== undefined) {
    view.setUint16(0, 0x5a4d, true)
    view.setUint32(60, 64, true)
    view.setUint32(64, 0x4550, true)
    view.setUint16(70, 1, true)
    view.setUint16(84, 0, true)
    view.setUint32(88 + 16, options.peEnd - 0x1000, true)
    view.setUint32(88 + 20, 0x1000, true)
  }
  return image
}

function fault(image: Uint8Array): string {
  try {
    parseImage(image)
  } catch (e) {
    if (e instanceof ImageError) return `${e.fault}: ${e.message}`
    throw e
  }
  return 'fine'
}

const bytes = (...b: number[]): Uint8Array => {
  const r = new Uint8Array(4096)
  r.set(b)
  return r
}

describe('parseImage', () => {
  it('reads the header', () => {
    expect(parseImage(makeImage())).toEqual({ textOffset: 0, imageSize: 0x20000 })
    expect(parseImage(makeImage({ imageSize: 0 }))).toEqual({ textOffset: 0x80000, imageSize: 0x10000 })
    expect(parseImage(makeImage({ peEnd: 0x10000 }))).toEqual({ textOffset: 0, imageSize: 0x20000 })
  })

  it('names the fault and what to do', () => {
    expect(fault(new Uint8Array(0))).toMatch(/^empty/)
    expect(fault(bytes())).toMatch(/^not-arm64: .*needed/)
    expect(fault(bytes(0x1f, 0x8b))).toMatch(/^compressed: .*gunzip -c FILE > Image/)
    expect(fault(bytes(0x28, 0xb5, 0x2f, 0xfd))).toMatch(/^compressed: .*zstd -dc/)
    expect(fault(bytes(0xfd, 0x37, 0x7a, 0x58, 0x5a))).toMatch(/^compressed: .*xz -dc/)
    const zboot = bytes(0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67, 0, 0x10, 0, 0, 0, 0x20)
    zboot.set([0x67, 0x7a, 0x69, 0x70], 24)
    expect(fault(zboot)).toMatch(/^compressed: .*EFI zboot.*gzip.*skip=4096 count=8192 \| gunzip/)
    const elf = bytes(0x7f, 0x45, 0x4c, 0x46)
    elf[18] = 183
    expect(fault(elf)).toMatch(/^not-arm64: .*objcopy -O binary/)
    elf[18] = 62
    expect(fault(elf)).toMatch(/^not-arm64: .*another architecture/)
    const bzImage = bytes(0x4d, 0x5a)
    bzImage.set([0x48, 0x64, 0x72, 0x53], 0x202)
    expect(fault(bzImage)).toMatch(/^not-arm64: .*x86/)
    expect(fault(bytes(0xd0, 0x0d, 0xfe, 0xed))).toMatch(/^not-arm64: .*FIT/)
    expect(fault(makeImage({ flags: 0xb }))).toMatch(/^big-endian: .*CONFIG_CPU_LITTLE_ENDIAN/)
    expect(fault(makeImage({ flags: 0xe }))).toMatch(/^page-size: .*64K/)
    expect(fault(makeImage({ flags: 0xc }))).toMatch(/^page-size: .*16K/)
    expect(fault(makeImage({ flags: 0x8 }))).toBe('fine')
    expect(fault(makeImage().subarray(0, 40))).toMatch(/^not-arm64: .*40 bytes/)
    expect(fault(makeImage({ peEnd: 0x10000 }).subarray(0, 0xffff))).toMatch(/^truncated: .*65535 bytes.*65536/)
    expect(fault(makeImage({ peEnd: 0x10000 }).subarray(0, 64))).toMatch(/^truncated/)
    expect(fault(makeImage({ textOffset: 0x123 }))).toMatch(/^bad-header/)
    const damaged = makeImage()
    damaged.fill(0xff, 16, 24)
    expect(fault(damaged)).toMatch(/^bad-header: .*image_size/)
  })

  it('random bytes never do anything but throw ImageError', () => {
    let seed = 777
    const good = makeImage({ peEnd: 0x1000 + 0x800, fileBytes: 0x2000 })
    for (let i = 0; i < 3000; i++) {
      const copy = good.slice(0, 1 + (seed % good.length))
      for (let k = 0; k < 6; k++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
        copy[(seed >>> 8) % Math.min(copy.length, 160)] = seed & 0xff
      }
      try {
        parseImage(copy)
      } catch (e) {
        expect(e).toBeInstanceOf(ImageError)
      }
    }
  })
})

describe('loadBootFiles', () => {
  const ram = (mib = 128): Uint8Array => new Uint8Array(mib * MIB)

  it('places things where QEMU does, and describes them in the device tree', () => {
    const memory = ram(512)
    const initrd = new Uint8Array(5000).fill(0x5a)
    const image = makeImage({ imageSize: 3 * MIB })
    const boot = loadBootFiles(memory, { image, initrd, bootargs: 'quiet' })
    expect(boot.entry).toBe(0x40200000)
    expect(boot.kernelEnd).toBe(0x40500000)
    expect(boot.initrd).toEqual({ start: 0x48000000, end: 0x48000000 + 5000 })
    expect(boot.dtb).toBe(0x48200000)
    expect(memory.subarray(0x200000, 0x200000 + image.length)).toEqual(image)
    expect(memory[0x8000000 + 4999]).toBe(0x5a)
    expect(memory[0x8000000 + 5000]).toBe(0)
    const tree = readFdt(memory.subarray(0x8200000, 0x8200000 + boot.dtbBytes))
    const chosen = tree.children.find((c) => c.name === 'chosen')!
    expect(new TextDecoder().decode(chosen.properties.get('bootargs'))).toBe('quiet\0')
    expect([...chosen.properties.get('linux,initrd-start')!]).toEqual([0, 0, 0, 0, 0x48, 0, 0, 0])
  })

  it('small RAM: the initrd goes to the middle, above a large kernel, or directly above the kernel', () => {
    const initrd = new Uint8Array(1000)
    expect(loadBootFiles(ram(), { image: makeImage(), initrd }).initrd?.start).toBe(0x44000000)
    const large = makeImage({ imageSize: 80 * MIB + 1 })
    expect(loadBootFiles(ram(), { image: large, initrd }).initrd?.start).toBe(0x40000000 + 82 * MIB + 0x1000)
    const big = new Uint8Array(100 * MIB)
    expect(loadBootFiles(ram(), { image: makeImage(), initrd: big }).initrd?.start).toBe(0x40220000)
  })

  it('an Image with a text_offset of its own', () => {
    expect(loadBootFiles(ram(), { image: makeImage({ textOffset: 0x80000 }) }).entry).toBe(0x40080000)
  })

  it('a user device tree is passed on, or refused', () => {
    const deviceTree = deviceTreeBlob({ ramBytes: 128 * MIB, bootargs: 'mine' })
    const memory = ram()
    const boot = loadBootFiles(memory, { image: makeImage(), deviceTree })
    expect(memory.subarray(boot.dtb - 0x40000000, boot.dtb - 0x40000000 + boot.dtbBytes)).toEqual(deviceTree)
    const bad = deviceTree.slice(0, 100)
    expect(() => loadBootFiles(memory, { image: makeImage(), deviceTree: bad })).toThrow(DeviceTreeError)
    expect(() => loadBootFiles(memory, { image: makeImage(), deviceTree: new Uint8Array(3 * MIB) })).toThrow(/2 MiB/)
  })

  it('refuses what cannot work', () => {
    const image = makeImage()
    for (const bytes of [0, -1, 127 * MIB, 2049 * MIB, 128 * MIB + 1, NaN, Infinity]) {
      expect(() => checkRamSize(bytes), String(bytes)).toThrow(RamSizeError)
    }
    checkRamSize(128 * MIB)
    checkRamSize(2048 * MIB)
    const memory = ram()
    expect(() => loadBootFiles(new Uint8Array(MIB), { image })).toThrow(RamSizeError)
    expect(() => loadBootFiles(memory, { image: makeImage({ imageSize: 127 * MIB }) })).toThrow(/needs 129 MiB.*128/)
    expect(() => loadBootFiles(memory, { image: makeImage({ imageSize: 126 * MIB }) })).toThrow(/no room/)
    expect(() => loadBootFiles(memory, { image, initrd: new Uint8Array(0) })).toThrow(InitrdError)
    expect(() => loadBootFiles(memory, { image, initrd: new Uint8Array(127 * MIB) })).toThrow(/does not fit/)
    const initrd = new Uint8Array(MIB)
    expect(() => loadBootFiles(memory, { image, initrd, initrdAddress: 0x40210000 })).toThrow(/overlaps the kernel/)
    expect(() => loadBootFiles(memory, { image, initrd, initrdAddress: 0x3ff00000 })).toThrow(/not wholly in RAM/)
    expect(() => loadBootFiles(memory, { image, initrd, initrdAddress: 0x47f80000 })).toThrow(/not wholly in RAM/)
    expect(() => loadBootFiles(memory, { image, bootargs: 'x'.repeat(2048) })).toThrow(CommandLineError)
    expect(() => loadBootFiles(memory, { image, bootargs: 'a\0b' })).toThrow(CommandLineError)
    loadBootFiles(memory, { image, bootargs: 'x'.repeat(2047) })
    expect(new ImageError('empty', '')).toBeInstanceOf(BootError)
  })

  it('leaves RAM alone when it refuses', () => {
    const memory = ram()
    expect(() => loadBootFiles(memory, { image: makeImage(), initrd: new Uint8Array(0) })).toThrow()
    expect(memory.every((b) => b === 0)).toBe(true)
  })
})
