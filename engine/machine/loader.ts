import { CommandLineError, DeviceTreeError, ImageError, InitrdError, RamSizeError } from './boot-error.ts'
import { type DeviceTreeOptions, deviceTreeBlob } from './device-tree.ts'
import { FdtError, readFdt } from './fdt.ts'
import { parseImage } from './image.ts'
import { MemoryMap, RAM_MAX, RAM_MIN } from './memory-map.ts'

const MIB = 1024 * 1024
const PAGE = 0x1000
/** The boot protocol: the Image lies at a 2 MiB boundary plus text_offset, the device tree is at most 2 MiB. */
const IMAGE_ALIGN = 2 * MIB
const DTB_MAX = 2 * MIB
/** QEMU's boot code occupies the first page of RAM, so an Image with a smaller text_offset moves up by 2 MiB. */
const RESERVED_AT_BASE = PAGE
/** arm64's COMMAND_LINE_SIZE, the NUL included. */
const COMMAND_LINE_SIZE = 2048

export interface BootFiles {
  readonly image: Uint8Array
  readonly initrd?: Uint8Array | undefined
  /** Kernel command line; goes to /chosen/bootargs. */
  readonly bootargs?: string
  /** A device tree instead of the board's own. It is passed on as it is. */
  readonly deviceTree?: Uint8Array | undefined
  /** Where to put the initrd: a physical address. By default as QEMU does. */
  readonly initrdAddress?: number | undefined
  readonly rngSeed?: Uint8Array | undefined
  readonly kaslrSeed?: Uint8Array | undefined
  readonly cpuCompatible?: string
}

/**
 * The state in which the boot protocol wants the CPU: PC = `entry` and X0 = `dtb` (physical addresses), X1-X3 = 0, EL2,
 * MMU off, all interrupts masked.
 */
export interface BootState {
  readonly entry: number
  readonly dtb: number
  readonly dtbBytes: number
  /** Physical address of the Image's first byte, and of the end of the memory it needs. */
  readonly kernelStart: number
  readonly kernelEnd: number
  readonly initrd: { readonly start: number; readonly end: number } | undefined
}

/**
 * @param ramBytes 128..2048 MiB, a whole number of MiB.
 * @throws RamSizeError
 */
export function checkRamSize(ramBytes: number): void {
  if (!Number.isInteger(ramBytes / MIB) || ramBytes < RAM_MIN || ramBytes > RAM_MAX) {
    const asked = Number.isFinite(ramBytes) ? `${ramBytes / MIB} MiB of RAM` : 'this amount of RAM'
    throw new RamSizeError(
      `${asked} cannot be given to the machine; choose a whole number from ${RAM_MIN / MIB} to ${RAM_MAX / MIB}`,
    )
  }
}

/**
 * Put kernel, initrd and device tree into RAM where QEMU's `virt` would put them.
 *
 * @param ram guest RAM; byte 0 is physical address 0x40000000. Assumed to be zero.
 * @throws RamSizeError, ImageError, InitrdError, CommandLineError, DeviceTreeError; then RAM is unchanged.
 */
export function loadBootFiles(ram: Uint8Array, files: BootFiles): BootState {
  checkRamSize(ram.length)
  const header = parseImage(files.image)
  const bootargs = checkCommandLine(files.bootargs ?? '')

  const base = MemoryMap.ramBase
  const end = base + ram.length
  const offset = header.textOffset < RESERVED_AT_BASE ? header.textOffset + IMAGE_ALIGN : header.textOffset
  const kernelStart = base + offset
  const kernelEnd = kernelStart + header.imageSize
  if (kernelEnd > end) {
    throw new ImageError(
      'does-not-fit',
      `the kernel needs ${Math.ceil((kernelEnd - base) / MIB)} MiB of RAM and the machine has ${ram.length / MIB}; ` +
        'give it more (-m)',
    )
  }

  const initrd = placeInitrd(files, base, end, kernelStart, kernelEnd)
  const afterInitrd = initrd?.end ?? defaultInitrdStart(base, end, kernelEnd)
  const dtbBlob = files.deviceTree ?? ownDeviceTree(files, ram.length, bootargs, initrd)
  if (files.deviceTree !== undefined) checkDeviceTree(files.deviceTree)
  let dtb = roundUp(Math.max(afterInitrd, kernelEnd), DTB_MAX)
  if (dtb + dtbBlob.length > end) {
    // No 2 MiB boundary is left above the initrd. The boot protocol is content with one page.
    dtb = roundUp(Math.max(afterInitrd, kernelEnd), PAGE)
    if (dtb + dtbBlob.length > end) {
      throw new InitrdError('kernel and initrd leave no room in RAM for the device tree; give the machine more (-m)')
    }
  }

  ram.set(files.image, kernelStart - base)
  if (initrd !== undefined) ram.set(files.initrd!, initrd.start - base)
  ram.set(dtbBlob, dtb - base)
  return { entry: kernelStart, dtb, dtbBytes: dtbBlob.length, kernelStart, kernelEnd, initrd }
}

function defaultInitrdStart(base: number, end: number, kernelEnd: number): number {
  return roundUp(Math.max(base + Math.min((end - base) / 2, 128 * MIB), kernelEnd), PAGE)
}

function placeInitrd(
  files: BootFiles,
  base: number,
  end: number,
  kernelStart: number,
  kernelEnd: number,
): { start: number; end: number } | undefined {
  const { initrd } = files
  if (initrd === undefined) return undefined
  if (initrd.length === 0) throw new InitrdError('the initrd file is empty; leave it out or give a cpio archive')
  let start = files.initrdAddress ?? defaultInitrdStart(base, end, kernelEnd)
  if (files.initrdAddress === undefined && start + initrd.length > end) {
    // QEMU would refuse: try directly above the kernel.
    start = roundUp(kernelEnd, PAGE)
  }
  const initrdEnd = start + initrd.length
  if (start < base || initrdEnd > end) {
    const size = Math.ceil(initrd.length / MIB)
    throw new InitrdError(
      files.initrdAddress === undefined
        ? `the initrd of ${size} MiB does not fit into ${(end - base) / MIB} MiB of RAM beside the kernel; ` +
            'give the machine more (-m)'
        : `the initrd of ${size} MiB at 0x${start.toString(16)} is not wholly in RAM ` +
            `(0x${base.toString(16)} to 0x${(end - 1).toString(16)})`,
    )
  }
  if (start < kernelEnd && initrdEnd > kernelStart) {
    throw new InitrdError(
      `the initrd at 0x${start.toString(16)} overlaps the kernel, which occupies 0x${kernelStart.toString(16)} to ` +
        `0x${(kernelEnd - 1).toString(16)}; put it above`,
    )
  }
  return { start, end: initrdEnd }
}

function ownDeviceTree(
  files: BootFiles,
  ramBytes: number,
  bootargs: string,
  initrd: DeviceTreeOptions['initrd'],
): Uint8Array {
  return deviceTreeBlob({
    ramBytes,
    bootargs,
    initrd,
    rngSeed: files.rngSeed,
    kaslrSeed: files.kaslrSeed,
    ...(files.cpuCompatible === undefined ? {} : { cpuCompatible: files.cpuCompatible }),
  })
}

function checkDeviceTree(blob: Uint8Array): void {
  if (blob.length > DTB_MAX) throw new DeviceTreeError('the device tree is larger than the 2 MiB that the kernel accepts')
  try {
    readFdt(blob)
  } catch (e) {
    if (e instanceof FdtError) throw new DeviceTreeError(e.message)
    throw e
  }
}

/** @throws CommandLineError */
export function checkCommandLine(bootargs: string): string {
  if (bootargs.includes('\0')) throw new CommandLineError('the kernel command line contains a NUL character')
  const bytes = new TextEncoder().encode(bootargs).length
  if (bytes >= COMMAND_LINE_SIZE) {
    throw new CommandLineError(
      `the kernel command line has ${bytes} bytes; the kernel keeps ${COMMAND_LINE_SIZE - 1}: shorten it`,
    )
  }
  return bootargs
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to
}
