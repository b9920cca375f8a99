import { assemble } from '../isa/assemble.ts'
import { formatDiagnostic } from '../isa/assemble-lexer.ts'
import { allRows } from '../isa/table.ts'

export interface HeaderFields {
  readonly textOffset?: bigint
  readonly imageSize?: bigint
  /** Bit 0 big-endian, bits 2:1 page size (1 = 4K, 2 = 16K, 3 = 64K), bit 3 anywhere. */
  readonly flags?: bigint
  readonly magic?: number
}

const HEADER_BYTES = 64

/**
 * A bare-metal arm64 Image for tests: the 64-byte header of Documentation/arch/arm64/booting.rst and code behind it.
 * @throws Error with the assembler's messages.
 */
export function bareMetalImage(source: string, header: HeaderFields = {}): Uint8Array {
  const result = assemble(`b code\n.skip ${HEADER_BYTES - 4}\ncode:\n${source}\n`, { file: 'test.s', origin: 0n, rows: allRows })
  if (result.diagnostics.length > 0) throw new Error(result.diagnostics.map(formatDiagnostic).join('\n'))
  const end = Math.max(...result.sections.map((s) => Number(s.address) + s.bytes.length))
  const image = new Uint8Array(Math.ceil(end / 4096) * 4096)
  for (const s of result.sections) image.set(s.bytes, Number(s.address))
  const view = new DataView(image.buffer)
  view.setBigUint64(8, header.textOffset ?? 0n, true)
  view.setBigUint64(16, header.imageSize ?? BigInt(image.length), true)
  view.setBigUint64(24, header.flags ?? 0xan, true)
  view.setUint32(56, header.magic ?? 0x644d5241, true)
  return image
}

/** PSCI SYSTEM_OFF. */
export const POWER_OFF = `
  ldr x0, =0x84000008
  smc #0
  b .
`
