import { encode, type Row } from '../../isa/row.ts'
import { allRows } from '../../isa/table.ts'
import { Part, RECORD_BYTES } from './record.ts'

/**
 * The test program: for each sequence a stub that loads all registers from its record, executes the words under test and
 * stores all registers back; at the end write(1, records) and exit(0). It is made of words encoded by the table itself
 * and runs as an ordinary static Linux program.
 */

/** Virtual address of the image's first byte (the ELF header). */
export const IMAGE_BASE = 0x400000
/** Room for the words under test in a stub. */
export const TEST_WORDS = 8
const STUB_WORDS = 24
const FIRST_TEST_WORD = 4
const LITERAL_WORD = 20
const HEADER_BYTES = 0x80
/** Words of the shared load and save routines, and of the final part. */
const ROUTINE_WORDS = 128

const byName = new Map<string, Row>(allRows.map((r) => [r.name, r]))

/** The word of the row called `name`. @throws Error when there is no such row. */
export function word(name: string, fields: Readonly<Record<string, number>>): number {
  const r = byName.get(name)
  if (r === undefined) throw new Error(`no row is called ${name}`)
  return encode(r, fields)
}

export const NOP = 0xd503201f
const systemRegister = {
  nzcv: { o0: 1, op1: 3, CRn: 4, CRm: 2, op2: 0 },
  fpcr: { o0: 1, op1: 3, CRn: 4, CRm: 4, op2: 0 },
  fpsr: { o0: 1, op1: 3, CRn: 4, CRm: 4, op2: 1 },
  tpidr: { o0: 1, op1: 3, CRn: 13, CRm: 0, op2: 2 },
} as const

const ldr = (Rt: number, Rn: number, offset: number) => word('LDR (unsigned offset, X)', { Rt, Rn, imm12: offset >> 3 })
const str = (Rt: number, Rn: number, offset: number) => word('STR (unsigned offset, X)', { Rt, Rn, imm12: offset >> 3 })
const msr = (r: keyof typeof systemRegister, Rt: number) => word('MSR (register)', { ...systemRegister[r], Rt })
const mrs = (r: keyof typeof systemRegister, Rt: number) => word('MRS', { ...systemRegister[r], Rt })
const move = (Rd: number, Rn: number) => word('ADD (immediate)', { sf: 1, Rd, Rn })
const jump = (name: 'B' | 'BL', words: number) => word(name, { imm26: words & 0x3ffffff })
const constant = (Rd: number, value: number) => [
  word('MOVZ', { sf: 1, Rd, imm16: value & 0xffff }),
  word('MOVK', { sf: 1, Rd, imm16: (value >>> 16) & 0xffff, hw: 1 }),
]

/** Everything but X29 (the record) and X30 (the link) from the record. */
function loadRoutine(): number[] {
  const out: number[] = []
  for (let n = 0; n < 32; n += 2) {
    out.push(word('LDP (signed offset, Q)', { Rt: n, Rt2: n + 1, Rn: 29, imm7: (Part.v >> 4) + n }))
  }
  out.push(ldr(0, 29, Part.fpcr), msr('fpcr', 0), ldr(0, 29, Part.fpsr), msr('fpsr', 0))
  out.push(ldr(0, 29, Part.sp), move(31, 0), ldr(0, 29, Part.nzcv), msr('nzcv', 0), word('CLREX', { CRm: 15 }))
  for (let n = 0; n < 29; n++) out.push(ldr(n, 29, 8 * n))
  out.push(word('RET', { Rn: 30 }))
  return out
}

/** The reverse. */
function saveRoutine(): number[] {
  const out: number[] = []
  for (let n = 0; n < 29; n++) out.push(str(n, 29, 8 * n))
  out.push(mrs('nzcv', 0), str(0, 29, Part.nzcv), mrs('fpsr', 0), str(0, 29, Part.fpsr))
  out.push(move(0, 31), str(0, 29, Part.sp))
  for (let n = 0; n < 32; n += 2) {
    out.push(word('STP (signed offset, Q)', { Rt: n, Rt2: n + 1, Rn: 29, imm7: (Part.v >> 4) + n }))
  }
  out.push(word('RET', { Rn: 30 }))
  return out
}

/** write(1, records, bytes) until all is out, then exit(0). */
function finish(address: number, bytes: number): number[] {
  return [
    ...constant(19, address),
    ...constant(20, bytes),
    // again:
    ...constant(0, 1),
    move(1, 19),
    move(2, 20),
    ...constant(8, 64),
    word('SVC', {}),
    word('ADD (shifted register)', { sf: 1, Rd: 19, Rn: 19, Rm: 0 }),
    word('SUBS (shifted register)', { sf: 1, Rd: 20, Rn: 20, Rm: 0 }),
    word('B.cond', { cond: 1, imm19: -9 & 0x7ffff }),
    ...constant(0, 0),
    ...constant(8, 93),
    word('SVC', {}),
  ]
}

/** Where things are in a program of `count` sequences. Addresses are virtual; none depends on the sequences' contents. */
export class Layout {
  readonly recordsAddress: number
  readonly imageBytes: number
  private readonly stubsAddress = IMAGE_BASE + HEADER_BYTES + 4 * ROUTINE_WORDS

  constructor(readonly count: number) {
    const end = this.stubsAddress + 4 * (STUB_WORDS * count + ROUTINE_WORDS)
    // Every other record's scratch memory has a page boundary in its middle.
    this.recordsAddress = ((end + 0xfff) & ~0xfff) + 0xa00
    this.imageBytes = this.recordsAddress + count * RECORD_BYTES - IMAGE_BASE
  }

  stub(i: number): number {
    return this.stubsAddress + 4 * STUB_WORDS * i
  }
  /** Address of the first word under test. */
  test(i: number): number {
    return this.stub(i) + 4 * FIRST_TEST_WORD
  }
  /** Address after the last word under test. */
  testEnd(i: number): number {
    return this.test(i) + 4 * TEST_WORDS
  }
  record(i: number): number {
    return this.recordsAddress + i * RECORD_BYTES
  }
  finish(): number {
    return this.stub(this.count)
  }
}

export interface Sequence {
  /** The row under test. */
  readonly row: Row
  /** Index in `words` of the instruction of that row. */
  readonly at: number
  /** At most TEST_WORDS. */
  readonly words: readonly number[]
  readonly record: Uint8Array
}

/** The ELF file, which is also the memory image from IMAGE_BASE on. */
export function buildProgram(layout: Layout, sequences: readonly Sequence[]): Uint8Array {
  const image = new Uint8Array(layout.imageBytes)
  const view = new DataView(image.buffer)
  const put = (address: number, words: readonly number[]) => {
    words.forEach((w, k) => {
      view.setUint32(address - IMAGE_BASE + 4 * k, w, true)
    })
  }

  const load = IMAGE_BASE + HEADER_BYTES
  const loadWords = loadRoutine()
  const save = load + 4 * loadWords.length
  const saveWords = saveRoutine()
  if (loadWords.length + saveWords.length > ROUTINE_WORDS) throw new Error('the routines outgrew their room')
  put(load, loadWords)
  put(save, saveWords)

  sequences.forEach((s, i) => {
    const at = layout.stub(i)
    const call = (routine: number, index: number) => jump('BL', (routine - (at + 4 * index)) >> 2)
    const literal = (Rt: number, index: number) => word('LDR (literal, X)', { Rt, imm19: LITERAL_WORD - index })
    const tests = Array.from({ length: TEST_WORDS }, (_, k) => s.words[k] ?? NOP)
    const after = FIRST_TEST_WORD + TEST_WORDS
    put(at, [
      literal(29, 0),
      call(load, 1),
      ldr(30, 29, 240),
      ldr(29, 29, 232),
      ...tests,
      msr('tpidr', 30),
      literal(30, after + 1),
      str(29, 30, 232),
      mrs('tpidr', 29),
      str(29, 30, 240),
      move(29, 30),
      call(save, after + 6),
      jump('B', STUB_WORDS - (after + 7)),
      layout.record(i),
      0,
      NOP,
      NOP,
    ])
    image.set(s.record, layout.record(i) - IMAGE_BASE)
  })
  put(layout.finish(), finish(layout.recordsAddress, layout.count * RECORD_BYTES))
  image.set(elfHeader(layout.stub(0), layout.imageBytes), 0)
  return image
}

/** ELF64 header with one program header (System V gABI, chapter 4 and 5): everything readable, writable, executable. */
function elfHeader(entry: number, bytes: number): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES)
  const view = new DataView(out.buffer)
  const u64 = (at: number, v: number) => view.setBigUint64(at, BigInt(v), true)
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 2, true) // ET_EXEC
  view.setUint16(18, 183, true) // EM_AARCH64
  view.setUint32(20, 1, true)
  u64(24, entry)
  u64(32, 64) // program headers follow
  view.setUint16(52, 64, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, 1, true)
  view.setUint32(64, 1, true) // PT_LOAD
  view.setUint32(68, 7, true)
  u64(80, IMAGE_BASE)
  u64(88, IMAGE_BASE)
  u64(96, bytes)
  u64(104, bytes)
  u64(112, 0x1000)
  return out
}
