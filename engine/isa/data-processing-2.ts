import type { AccessBytes } from './builder.ts'
import { type Row, row } from './row.ts'

/** Data processing (2 source): division, variable shifts, CRC32. */

/** CRC32B .. CRC32CX: `sz` is the log2 of the data's bytes; only the X forms have sf = 1. */
function crc32(sz: '00' | '01' | '10' | '11', castagnoli: '0' | '1'): Row {
  const log2 = Number.parseInt(sz, 2)
  const letter = 'bhwx'.charAt(log2)
  const variant = `${castagnoli === '1' ? 'c' : ''}${letter}`
  const data = log2 === 3 ? 'X' : 'W'
  return row({
    name: `CRC32${variant.toUpperCase()}`,
    pattern: `${sz === '11' ? '1' : '0'} 0 0 11010110 Rm:5 010 ${castagnoli} ${sz} Rn:5 Rd:5`,
    syntax: `crc32${variant} {W:Rd}, {W:Rn}, {${data}:Rm}`,
    feature: 'crc32',
    meaning: (t, f) => {
      const data = t.reg(f.Rm, log2 === 3 ? 1 : 0)
      t.setReg(f.Rd, 0, t.crc32(t.reg(f.Rn, 0), data, (1 << log2) as AccessBytes, castagnoli === '1'))
    },
  })
}

export const rows: readonly Row[] = [
  row({
    name: 'UDIV',
    pattern: 'sf:1 0 0 11010110 Rm:5 000010 Rn:5 Rd:5',
    syntax: 'udiv {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.udiv(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'SDIV',
    pattern: 'sf:1 0 0 11010110 Rm:5 000011 Rn:5 Rd:5',
    syntax: 'sdiv {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.sdiv(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'LSLV',
    pattern: 'sf:1 0 0 11010110 Rm:5 001000 Rn:5 Rd:5',
    syntax: 'lslv {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    aliases: [{ syntax: 'lsl {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}', when: () => true }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.shl(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'LSRV',
    pattern: 'sf:1 0 0 11010110 Rm:5 001001 Rn:5 Rd:5',
    syntax: 'lsrv {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    aliases: [{ syntax: 'lsr {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}', when: () => true }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.lsr(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'ASRV',
    pattern: 'sf:1 0 0 11010110 Rm:5 001010 Rn:5 Rd:5',
    syntax: 'asrv {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    aliases: [{ syntax: 'asr {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}', when: () => true }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.asr(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  row({
    name: 'RORV',
    pattern: 'sf:1 0 0 11010110 Rm:5 001011 Rn:5 Rd:5',
    syntax: 'rorv {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}',
    aliases: [{ syntax: 'ror {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}', when: () => true }],
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.ror(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)),
  }),
  ...(['00', '01', '10', '11'] as const).flatMap((sz) => [crc32(sz, '0'), crc32(sz, '1')]),
]
