/**
 * Writes static AArch64 ELF executables: one program header for each run of sections with the same permissions.
 * Format: ELF-64 (System V gABI, chapters 4 and 5), machine number 183 (ELF for the Arm 64-bit Architecture).
 */
import type { AssembledSection } from '../isa/assemble.ts'

const HEADER_BYTES = 64
const PROGRAM_HEADER_BYTES = 56
const PAGE = 0x1000n
const PT_LOAD = 1
const ET_EXEC = 2
const EM_AARCH64 = 183
const PF_X = 1
const PF_W = 2
const PF_R = 4

/** Pages between the first section and the image's start hold the ELF header, which the kernel does not need mapped. */
interface Segment {
  readonly flags: number
  readonly address: bigint
  readonly sections: AssembledSection[]
}

/**
 * An executable of the sections. .text and .rodata become one segment (read, execute), all others one (read, write), so
 * writable sections must start on a page of their own (`sectionAlignment: 4096`).
 * @param entry address of the first instruction.
 * @throws RangeError when a segment does not start on a page of its own.
 */
export function writeElf(sections: readonly AssembledSection[], entry: bigint): Uint8Array {
  const segments: Segment[] = []
  for (const s of sections) {
    const flags = s.name === '.text' || s.name === '.rodata' ? PF_R | PF_X : PF_R | PF_W
    const last = segments[segments.length - 1]
    if (last?.flags === flags) last.sections.push(s)
    else {
      if (last !== undefined && endOf(last) > (s.address & ~(PAGE - 1n))) {
        throw new RangeError(`section ${s.name} shares a page with sections of other permissions`)
      }
      segments.push({ flags, address: s.address, sections: [s] })
    }
  }
  let size = HEADER_BYTES + PROGRAM_HEADER_BYTES * segments.length
  const placed = segments.map((segment) => {
    // Offset and address are the same modulo the page size.
    const offset = size + Number((segment.address - BigInt(size)) & (PAGE - 1n))
    const held = segment.sections.filter((s) => s.bytes.length > 0)
    const last = held[held.length - 1]
    const fileBytes = last === undefined ? 0 : Number(last.address - segment.address) + last.bytes.length
    size = offset + fileBytes
    return { segment, offset, held, fileBytes }
  })
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  // e_ident: magic, 64-bit, little-endian, version 1, System V
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
  view.setUint16(16, ET_EXEC, true)
  view.setUint16(18, EM_AARCH64, true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, entry, true)
  view.setBigUint64(32, BigInt(HEADER_BYTES), true)
  view.setUint16(52, HEADER_BYTES, true)
  view.setUint16(54, PROGRAM_HEADER_BYTES, true)
  view.setUint16(56, segments.length, true)
  view.setUint16(58, 64, true)
  placed.forEach(({ segment, offset, held, fileBytes }, i) => {
    const at = HEADER_BYTES + i * PROGRAM_HEADER_BYTES
    view.setUint32(at, PT_LOAD, true)
    view.setUint32(at + 4, segment.flags, true)
    view.setBigUint64(at + 8, BigInt(offset), true)
    view.setBigUint64(at + 16, segment.address, true)
    view.setBigUint64(at + 24, segment.address, true)
    view.setBigUint64(at + 32, BigInt(fileBytes), true)
    view.setBigUint64(at + 40, endOf(segment) - segment.address, true)
    view.setBigUint64(at + 48, PAGE, true)
    for (const s of held) out.set(s.bytes, offset + Number(s.address - segment.address))
  })
  return out
}

function endOf(segment: Segment): bigint {
  const last = segment.sections[segment.sections.length - 1]!
  return last.address + BigInt(last.size)
}
