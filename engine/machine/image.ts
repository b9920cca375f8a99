import { ImageError } from './boot-error.ts'

/** The header of an arm64 kernel Image (Linux, Documentation/arch/arm64/booting.rst). Bytes. */
export interface ImageHeader {
  /** Load address = a 2 MiB boundary + this. */
  readonly textOffset: number
  /** Memory the running kernel needs from its load address, its BSS included. */
  readonly imageSize: number
}

const HEADER_BYTES = 64
const OFFSET_TEXT_OFFSET = 8
const OFFSET_IMAGE_SIZE = 16
const OFFSET_FLAGS = 24
const OFFSET_MAGIC = 56
const OFFSET_PE = 60
/** 'ARM\x64' little-endian. */
const MAGIC = 0x644d5241

const FLAG_BIG_ENDIAN = 1
/** Flags 2:1: page size; 0 = not said, 1 = 4 KiB. */
const PAGE_SIZES = ['unspecified', '4K', '16K', '64K']

/** Kernels before 3.17 have no image_size; then text_offset is this, as the boot protocol says. */
const OLD_TEXT_OFFSET = 0x80000

/**
 * Check a kernel Image and read its header.
 * @throws ImageError with a fault and a sentence that says what to do.
 */
export function parseImage(image: Uint8Array): ImageHeader {
  if (image.length === 0) throw new ImageError('empty', 'the kernel file is empty')
  refuseCompressed(image)
  if (image.length < HEADER_BYTES) {
    throw new ImageError(
      image[0] === 0x4d && image[1] === 0x5a ? 'truncated' : 'not-arm64',
      `the kernel file has only ${image.length} bytes; an arm64 Image begins with a header of ${HEADER_BYTES}`,
    )
  }
  const view = new DataView(image.buffer, image.byteOffset, image.length)
  if (view.getUint32(OFFSET_MAGIC, true) !== MAGIC) throw new ImageError('not-arm64', whatItIs(image, view))

  const flags = view.getUint32(OFFSET_FLAGS, true)
  if (flags & FLAG_BIG_ENDIAN) {
    throw new ImageError(
      'big-endian',
      'the kernel is big-endian; this machine is little-endian: build it with CONFIG_CPU_LITTLE_ENDIAN',
    )
  }
  const page = (flags >> 1) & 3
  if (page > 1) {
    throw new ImageError(
      'page-size',
      `the kernel uses ${PAGE_SIZES[page]} pages; this CPU has 4K pages only: use a kernel built with CONFIG_ARM64_4K_PAGES`,
    )
  }
  refuseTruncated(image, view)

  const imageSize = safeInteger(view, OFFSET_IMAGE_SIZE, 'image_size')
  if (imageSize === 0) return { textOffset: OLD_TEXT_OFFSET, imageSize: image.length }
  const textOffset = safeInteger(view, OFFSET_TEXT_OFFSET, 'text_offset')
  if (textOffset % 0x1000 !== 0) {
    throw new ImageError('bad-header', `the kernel's text_offset 0x${textOffset.toString(16)} is not a multiple of 4 KiB`)
  }
  return { textOffset, imageSize: Math.max(imageSize, image.length) }
}

function safeInteger(view: DataView, offset: number, name: string): number {
  const value = Number(view.getBigUint64(offset, true))
  if (!Number.isSafeInteger(value)) {
    throw new ImageError('bad-header', `the kernel's header is damaged: ${name} is 0x${value.toString(16)}`)
  }
  return value
}

interface Magic {
  readonly bytes: readonly number[]
  readonly what: string
  readonly unpack: string
}

const COMPRESSED: readonly Magic[] = [
  { bytes: [0x1f, 0x8b], what: 'gzip', unpack: 'gunzip -c FILE > Image' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], what: 'xz', unpack: 'xz -dc FILE > Image' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'zstd', unpack: 'zstd -dc FILE > Image' },
  { bytes: [0x04, 0x22, 0x4d, 0x18], what: 'lz4', unpack: 'lz4 -dc FILE > Image' },
  { bytes: [0x02, 0x21, 0x4c, 0x18], what: 'lz4', unpack: 'lz4 -dc FILE > Image' },
  { bytes: [0x42, 0x5a, 0x68], what: 'bzip2', unpack: 'bunzip2 -c FILE > Image' },
]

/** EFI zboot: 'MZ', then 'zimg', payload offset and size, and the compression's name at 24. */
const OFFSET_ZBOOT = 4
const OFFSET_ZBOOT_COMPRESSION = 24

function refuseCompressed(image: Uint8Array): void {
  for (const { bytes, what, unpack } of COMPRESSED) {
    if (startsWith(image, 0, bytes)) {
      throw new ImageError('compressed', `the kernel is compressed with ${what}; unpack it first: ${unpack}`)
    }
  }
  if (startsWith(image, 0, [0x4d, 0x5a]) && startsWith(image, OFFSET_ZBOOT, [0x7a, 0x69, 0x6d, 0x67])) {
    if (image.length < HEADER_BYTES) throw new ImageError('truncated', 'the kernel file ends inside its header')
    const view = new DataView(image.buffer, image.byteOffset, image.length)
    let compression = ''
    for (let i = OFFSET_ZBOOT_COMPRESSION; i < OFFSET_ZBOOT_COMPRESSION + 8 && image[i]! >= 0x20; i++) {
      compression += String.fromCharCode(image[i]! & 0x7f)
    }
    const tool = compression.startsWith('zstd') ? 'zstd -dc' : compression.startsWith('xz') ? 'xz -dc' : 'gunzip -c'
    throw new ImageError(
      'compressed',
      `the kernel is an EFI zboot image, compressed with ${compression}; unpack the Image inside it first: ` +
        `dd if=FILE iflag=skip_bytes,count_bytes skip=${view.getUint32(8, true)} count=${view.getUint32(12, true)} | ` +
        `${tool} > Image`,
    )
  }
}

/** A sentence about a file without the arm64 magic. */
function whatItIs(image: Uint8Array, view: DataView): string {
  const advice = 'an arm64 Linux Image (arch/arm64/boot/Image) is needed'
  if (startsWith(image, 0, [0x7f, 0x45, 0x4c, 0x46])) {
    const aarch64 = view.getUint16(18, true) === 183
    return aarch64
      ? 'the kernel file is an ELF program, not an Image; convert it: aarch64-linux-gnu-objcopy -O binary vmlinux Image'
      : `the kernel file is an ELF program for another architecture; ${advice}`
  }
  if (startsWith(image, 0x202, [0x48, 0x64, 0x72, 0x53])) return `the kernel is for x86 (a bzImage); ${advice}`
  if (startsWith(image, 0x24, [0x18, 0x28, 0x6f, 0x01])) return `the kernel is for 32-bit Arm (a zImage); ${advice}`
  if (startsWith(image, 0x30, [0x52, 0x49, 0x53, 0x43, 0x56])) return `the kernel is for RISC-V; ${advice}`
  if (startsWith(image, 0, [0x27, 0x05, 0x19, 0x56])) return `the kernel file is wrapped for U-Boot (uImage); ${advice}`
  if (startsWith(image, 0, [0xd0, 0x0d, 0xfe, 0xed])) {
    return `the kernel file is a device tree or a FIT image, not a kernel; ${advice}`
  }
  return `the kernel file is not an arm64 Image (no "ARM\\x64" at byte 56); ${advice}`
}

/**
 * The header's image_size counts memory, not file bytes, so it cannot tell a truncated file. A kernel with an EFI stub is
 * also a PE program whose section table says where the file's data end.
 */
function refuseTruncated(image: Uint8Array, view: DataView): void {
  if (view.getUint16(0, true) !== 0x5a4d) return
  const cut = (needed: number): ImageError =>
    new ImageError(
      'truncated',
      `the kernel file is truncated: it has ${image.length} bytes of at least ${needed}; copy or download it again`,
    )
  const pe = view.getUint32(OFFSET_PE, true)
  if (pe + 24 > image.length) throw cut(pe + 24)
  if (view.getUint32(pe, true) !== 0x4550) return
  const sections = view.getUint16(pe + 6, true)
  const table = pe + 24 + view.getUint16(pe + 20, true)
  if (table + 40 * sections > image.length) throw cut(table + 40 * sections)
  let end = 0
  for (let i = 0; i < sections; i++) {
    const sizeOfRawData = view.getUint32(table + 40 * i + 16, true)
    const pointerToRawData = view.getUint32(table + 40 * i + 20, true)
    if (sizeOfRawData !== 0) end = Math.max(end, pointerToRawData + sizeOfRawData)
  }
  if (end > image.length) throw cut(end)
}

function startsWith(data: Uint8Array, offset: number, bytes: readonly number[]): boolean {
  return bytes.every((b, i) => data[offset + i] === b)
}
