import { describe, expect, it } from 'vitest'
import { ModeBit, Off, RAM_BASE } from '../cpu/state.ts'
import { makeBatch } from './differential/compare.ts'
import { IMAGE_BASE } from './differential/program.ts'
import { Part, RECORD_BYTES } from './differential/record.ts'
import { ExecutionEngine } from './engine.ts'
import { FlatCpu } from './flat-cpu.test-double.ts'

const HLT = 0xd4400000
const B_NEXT = 0x14000001

function words(cpu: FlatCpu, offset: number, list: readonly number[]): void {
  list.forEach((w, i) => {
    cpu.state.u32[((RAM_BASE + offset) >> 2) + i] = w
  })
}

interface Seen {
  x: bigint[]
  v: bigint[]
  nzcv: number
  fpsr: number
  pc: bigint
  budget: number
  why: string
  memory: string
  interrupts?: bigint[]
}

function snapshot(cpu: FlatCpu, from = 0, bytes = 0): Seen {
  const { state } = cpu
  return {
    x: [...state.x],
    v: [...state.u64.subarray(Off.v >> 3, (Off.v >> 3) + 64)],
    nzcv: state.nzcv(),
    fpsr: state.i32[Off.fpsr >> 2]!,
    pc: state.pc,
    budget: state.i32[Off.budget >> 2]!,
    why: String(cpu.halted),
    memory: Buffer.from(state.bytes.subarray(RAM_BASE + from, RAM_BASE + from + bytes)).toString('hex'),
  }
}

const BASE = 0x40000000

/** Run a program at BASE in slices of `slice` instructions. */
function run(program: readonly number[], tier1: boolean, slice: number, prepare: (cpu: FlatCpu) => void = () => {}, mode = 0): Seen {
  const cpu = new FlatCpu(BASE, 0x20000, mode)
  words(cpu, 0, program)
  cpu.state.pc = BigInt(BASE)
  cpu.state.x[31] = BigInt(BASE + 0x10000)
  prepare(cpu)
  const engine = new ExecutionEngine(cpu, cpu.memory, { tier1, hotThreshold: 4, batch: 2 })
  cpu.codeCache = engine
  for (let i = 0; i < 20_000 && !cpu.waiting; i++) {
    cpu.state.i32[Off.budget >> 2] = slice
    // An interrupt with each slice: only a program that unmasks them will see it, and must at the same place.
    if (mode !== 0) cpu.state.i32[Off.irqPending >> 2] = 1
    engine.run()
  }
  return { ...snapshot(cpu, 0x8000, 0x9000), interrupts: cpu.interrupts }
}

// Assembled with aarch64-linux-gnu-as.
const programs: Record<string, readonly number[]> = {
  // mov x0,#0; mov x1,#1000; 1: add x0,x0,x1; subs x1,x1,#1; b.ne 1b; hlt #0
  sum: [0xd2800000, 0xd2807d01, 0x8b010000, 0xf1000421, 0x54ffffc1, HLT],
  // fill: mov x2,#0x8000; movk x2,#0x4000,lsl 16; mov x3,#512; 1: str x3,[x2],#8; subs x3,x3,#1; b.ne 1b;
  // sub x4,x2,#0x1000; mov x3,#256; 2: ldp x5,x6,[x4],#16; stp x5,x6,[x2],#16; subs x3,x3,#1; b.ne 2b; hlt
  copy: [
    0xd2900002, 0xf2a80002, 0xd2804003, 0xf8008443, 0xf1000463, 0x54ffffc1, 0xd1400444, 0xd2802003, 0xa8c11885, 0xa8811845,
    0xf1000463, 0x54ffffa1, HLT,
  ],
  // nested calls: mov x0,#0; mov x1,#300; 1: bl f; subs x1,x1,#1; b.ne 1b; hlt; f: stp x29,x30,[sp,#-32]!; mov x29,sp;
  // str x1,[sp,#16]; ldr x2,[sp,#16]; add x0,x0,x2; cmp x2,#100; ccmp x2,#50,#4,gt; b.eq g; ldp x29,x30,[sp],#32; ret;
  // g: add x0,x0,#7; ldp x29,x30,[sp],#32; ret
  calls: [
    0xd2800000, 0xd2802581, 0x94000004, 0xf1000421, 0x54ffffc1, HLT, 0xa9be7bfd, 0x910003fd, 0xf9000be1, 0xf9400be2,
    0x8b020000, 0xf101905f, 0xfa52c844, 0x54000060, 0xa8c27bfd, 0xd65f03c0, 0x91001c00, 0xa8c27bfd, 0xd65f03c0,
  ],
  // atomics: 1: ldxr x2,[x3]; add x2,x2,#1; stxr w4,x2,[x3]; cbnz w4,1b; subs x5,x5,#1; b.ne 1b; hlt
  exclusive: [0xd2900003, 0xf2a80003, 0xd2801005, 0xc85f7c62, 0x91000442, 0xc8047c62, 0x35ffffa4, 0xf10004a5, 0x54ffff61, HLT],
  // mixed: mov x19,#300; mov x0,#0x8000; movk x0,#0x4000,lsl #16; add x25,x0,#1,lsl #12; 1: and x1,x19,#7;
  // add x2,x0,x1,lsl #6; dc zva,x2; ldur x3,[x0,#-1]; stur x19,[x25,#-5]; ldur x4,[x25,#-5]; ldp x5,x6,[x0,#-8];
  // casal x4,x19,[x0]; ldadd x19,x7,[x0]; ldxr x8,[x0]; add x8,x8,x19; stxr w9,x8,[x0]; clrex; ldxr x10,[x0];
  // clrex; stxr w11,x8,[x0]; add x20,x20,x11; crc32cx w12,w12,x19; crc32b w13,w13,w19; umulh x14,x8,x4;
  // smulh x15,x8,x12; adds x16,x14,x15; adcs x17,x16,x15; sbc x18,x17,x14; ccmp x17,x18,#5,hi;
  // csel x21,x17,x18,lt; b.vs 2f; add x22,x22,#1; 2: udiv x23,x8,x1; sdiv x24,x15,x1; subs x19,x19,#1; b.ne 1b;
  // hlt #0
  mixed: [
    0xd2802593, 0xd2900000, 0xf2a80000, 0x91400419, 0x92400a61, 0x8b011802, 0xd50b7422, 0xf85ff003, 0xf81fb333,
    0xf85fb324, 0xa97f9805, 0xc8e4fc13, 0xf8330007, 0xc85f7c08, 0x8b130108, 0xc8097c08, 0xd5033f5f, 0xc85f7c0a,
    0xd5033f5f, 0xc80b7c08, 0x8b0b0294, 0x9ad35d8c, 0x1ad341ad, 0x9bc47d0e, 0x9b4c7d0f, 0xab0f01d0, 0xba0f0211,
    0xda0e0232, 0xfa528225, 0x9a92b235, 0x54000046, 0x910006d6, 0x9ac10917, 0x9ac10df8, 0xf1000673, 0x54fffc21,
    0xd4400000,
  ],
  // Patches the function it calls half way, with the maintenance the architecture asks for: mov x0,#0; mov x1,#200; adr x3,f;
  // mov w2,#0x91004000; 1: bl f; sub x1,x1,#1; cmp x1,#100; b.ne 2f; str w2,[x3]; dc cvau,x3; dsb ish; ic ivau,x3; dsb ish; isb;
  // 2: cbnz x1,1b; hlt #0; f: add x0,x0,#1 (becomes #16); ret
  patch: [
    0xd2800000, 0xd2801901, 0x100001e3, 0x52880002, 0x72b22002, 0x9400000c, 0xd1000421, 0xf101903f, 0x540000e1, 0xb9000062,
    0xd50b7b23, 0xd5033b9f, 0xd50b7523, 0xd5033b9f, 0xd5033fdf, 0xb5fffec1, HLT, 0x91000400, 0xd65f03c0,
  ],
}

// mov x0,#0; mov x1,#400; 1: msr daifset,#2; add x0,x0,#1; mrs x4,daif; add x5,x5,x4; ldr x6,[sp]; add x6,x6,#3; str x6,[sp];
// msr daifclr,#2; mul x0,x0,x6; mrs x7,daif; msr daifset,#2; eor x0,x0,x7; msr daif,xzr; msr tpidr_el1,x0; mrs x8,tpidr_el1;
// mrs x9,sp_el0; msr sp_el0,x8; mrs x10,nzcv; mrs x11,currentel; mrs x12,dczid_el0; mrs x13,ctr_el0; subs x1,x1,#1; b.ne 1b; hlt
const masking: readonly number[] = [
  0xd2800000, 0xd2803201, 0xd50342df, 0x91000400, 0xd53b4224, 0x8b0400a5, 0xf94003e6, 0x91000cc6, 0xf90003e6, 0xd50342ff,
  0x9b067c00, 0xd53b4227, 0xd50342df, 0xca070000, 0xd51b423f, 0xd518d080, 0xd538d088, 0xd5384109, 0xd5184108, 0xd53b420a,
  0xd538424b, 0xd53b00ec, 0xd53b002d, 0xf1000421, 0x54fffd41, HLT,
]

describe('tier 1 against tier 0', () => {
  for (const [name, program] of Object.entries(programs)) {
    for (const slice of [1_000_000, 37, 1]) {
      it(`${name}, slices of ${slice}`, () => {
        const expected = run(program, false, slice)
        expect(expected.why).toContain('hlt')
        expect(run(program, true, slice)).toEqual(expected)
      })
    }
  }

  for (const slice of [1000, 37, 5]) {
    it(`interrupts and system registers at EL1, slices of ${slice}`, () => {
      const mode = 1 | ModeBit.spSel
      const expected = run(masking, false, slice, undefined, mode)
      expect(expected.why).toContain('hlt')
      expect(expected.interrupts!.length).toBeGreaterThan(5)
      expect(run(masking, true, slice, undefined, mode)).toEqual(expected)
    })
  }

  it('sees patched code after IC IVAU', () => {
    expect(run(programs['patch']!, true, 1_000_000).x[0]).toBe(100n + 1600n)
  })

  it('leaves a store to nowhere to tier 0 at the same instruction, with the same registers', () => {
    // add x1,x1,#8; str x0,[x1]; add x0,x0,#1; b .-12
    const program = [0x91002021, 0xf9000020, 0x91000400, 0x17fffffd]
    const prepare = (cpu: FlatCpu): void => {
      cpu.state.x[1] = BigInt(BASE + 0x1fe00)
    }
    const expected = run(program, false, 1000, prepare)
    expect(expected.why).toContain('no memory')
    expect(run(program, true, 1000, prepare)).toEqual(expected)
  })

  const seed = Number(process.env['SEED'] ?? 1)
  const count = Number(process.env['SEQUENCES'] ?? 2000)
  /** ModeBit set to run under: 0x30 adds the alignment checks. */
  const mode = Number(process.env['MODE'] ?? 0)
  it(`random sequences over the instruction table, seed ${seed}`, { timeout: 600_000 }, () => {
    const perBatch = 500
    const differences: string[] = []
    let translated = 0
    for (let first = 0; first < count; first += perBatch) {
      const batch = makeBatch(seed + first, perBatch, first)
      const size = (batch.image.length + 0xffff) & ~0xffff
      const cpus = [false, true].map((tier1) => {
        const cpu = new FlatCpu(IMAGE_BASE, size, mode)
        return { cpu, engine: new ExecutionEngine(cpu, cpu.memory, { tier1, hotThreshold: 1, batch: 1 }) }
      })
      batch.sequences.forEach((s, i) => {
        const results = cpus.map(({ cpu, engine }) => {
          const start = batch.layout.test(i)
          const at = RAM_BASE + start - IMAGE_BASE
          let seen: Seen | undefined
          // The first run translates, the second runs the translation.
          for (let pass = 0; pass < 2; pass++) {
            cpu.state.bytes.set(batch.image, RAM_BASE)
            // The branch ends the block, so that it is translated before HLT throws.
            cpu.state.u32[(at >> 2) + s.words.length] = B_NEXT
            cpu.state.u32[(at >> 2) + s.words.length + 1] = HLT
            load(cpu, s.record)
            cpu.state.pc = BigInt(start)
            cpu.halted = undefined
            cpu.state.i32[Off.budget >> 2] = 100
            engine.run()
            seen = snapshot(cpu, batch.layout.record(i) + Part.scratch - IMAGE_BASE, RECORD_BYTES - Part.scratch)
          }
          return JSON.stringify(seen, (_, v) => (typeof v === 'bigint' ? `0x${v.toString(16)}` : v))
        })
        if (i === perBatch - 1) translated += cpus[1]!.engine.statistics().blocksTranslated
        if (results[0] !== results[1]) {
          differences.push(`${s.row.name} ${s.words.map((w) => (w >>> 0).toString(16))}\n${firstDifference(results[0]!, results[1]!)}`)
        }
      })
    }
    // All but the few whose first instruction is tier 0's.
    expect(translated).toBeGreaterThan(count * 0.9)
    expect(differences.length, differences.slice(0, 12).join('\n')).toBe(0)
  })
})

function firstDifference(a: string, b: string): string {
  const x = a.split(',')
  const y = b.split(',')
  return x.map((s, i) => (s === y[i] ? '' : `  [${i}] tier0 ${s.slice(0, 200)} tier1 ${y[i]?.slice(0, 200)}`)).filter((s) => s !== '').slice(0, 4).join('\n')
}

function load(cpu: FlatCpu, record: Uint8Array): void {
  const { state } = cpu
  const view = new DataView(record.buffer, record.byteOffset)
  for (let n = 0; n < 32; n++) state.x[n] = view.getBigUint64(Part.x + 8 * n, true)
  for (let n = 0; n < 64; n++) state.u64[(Off.v >> 3) + n] = view.getBigUint64(Part.v + 8 * n, true)
  state.setNzcv(view.getUint32(Part.nzcv, true) >>> 28)
  state.u32[Off.fpcr >> 2] = view.getUint32(Part.fpcr, true)
  state.u32[Off.fpsr >> 2] = view.getUint32(Part.fpsr, true)
  state.i32[Off.exclusiveBytes >> 2] = 0
}
