/**
 * The GIC against QEMU's: a bare-metal program performs random register accesses at EL2 and at EL1 (where HCR_EL2 gives
 * it the virtual interface) and prints every result. The same list runs on the bare model, and the same program on the
 * whole lab machine. Skipped without QEMU and a cross-assembler. GIC_ORACLE_SEED and GIC_ORACLE_OPS choose another sample.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sys } from '../cpu/encoding.ts'
import { Gic } from '../devices/gic/gic.ts'
import { Machine } from './machine.ts'

const QEMU = 'qemu-system-aarch64'
const GCC = 'aarch64-linux-gnu-gcc'
const OBJCOPY = 'aarch64-linux-gnu-objcopy'
const missing = [QEMU, GCC, OBJCOPY].filter((tool) => spawnSync(tool, ['--version']).status !== 0)
if (missing.length > 0) console.warn(`GIC oracle test skipped: ${missing.join(', ')} not installed`)

const GICD = 0x08000000
const GICR_SGI = 0x080b0000

type Fields = readonly [number, number, number, number, number]
const REGISTERS = {
  PMR: [3, 0, 4, 6, 0],
  IAR0: [3, 0, 12, 8, 0],
  EOIR0: [3, 0, 12, 8, 1],
  HPPIR0: [3, 0, 12, 8, 2],
  BPR0: [3, 0, 12, 8, 3],
  AP0R0: [3, 0, 12, 8, 4],
  AP1R0: [3, 0, 12, 9, 0],
  DIR: [3, 0, 12, 11, 1],
  RPR: [3, 0, 12, 11, 3],
  SGI1R: [3, 0, 12, 11, 5],
  ASGI1R: [3, 0, 12, 11, 6],
  SGI0R: [3, 0, 12, 11, 7],
  IAR1: [3, 0, 12, 12, 0],
  EOIR1: [3, 0, 12, 12, 1],
  HPPIR1: [3, 0, 12, 12, 2],
  BPR1: [3, 0, 12, 12, 3],
  CTLR: [3, 0, 12, 12, 4],
  IGRPEN0: [3, 0, 12, 12, 6],
  IGRPEN1: [3, 0, 12, 12, 7],
  ICH_AP0R0: [3, 4, 12, 8, 0],
  ICH_AP1R0: [3, 4, 12, 9, 0],
  ICH_HCR: [3, 4, 12, 11, 0],
  ICH_MISR: [3, 4, 12, 11, 2],
  ICH_EISR: [3, 4, 12, 11, 3],
  ICH_ELRSR: [3, 4, 12, 11, 5],
  ICH_VMCR: [3, 4, 12, 11, 7],
  LR0: [3, 4, 12, 12, 0],
  LR1: [3, 4, 12, 12, 1],
  LR2: [3, 4, 12, 12, 2],
  LR3: [3, 4, 12, 12, 3],
} as const satisfies Record<string, Fields>
type Register = keyof typeof REGISTERS
const NAMES = Object.keys(REGISTERS) as Register[]
const READ_ONLY = new Set<Register>(['IAR0', 'HPPIR0', 'RPR', 'IAR1', 'HPPIR1', 'ICH_MISR', 'ICH_EISR', 'ICH_ELRSR'])
const WRITE_ONLY = new Set<Register>(['EOIR0', 'DIR', 'SGI1R', 'ASGI1R', 'SGI0R', 'EOIR1'])

/** What a word of the list asks the program to do. */
const Kind = { end: 0, read: 1, write: 2, el2: 3, el1: 4 } as const

interface Op {
  readonly kind: number
  /** A physical address, or the number of an instruction of the stub table. */
  readonly at: number
  readonly value: bigint
  readonly text: string
}

/** Two stubs a register, MRS then MSR; an impossible direction is a NOP that is never called. */
function stubs(): string {
  return NAMES.map((name) => {
    const [op0, op1, crn, crm, op2] = REGISTERS[name]
    const generic = `S${op0}_${op1}_C${crn}_C${crm}_${op2}`
    const mrs = WRITE_ONLY.has(name) ? 'nop' : `mrs x0, ${generic}`
    const msr = READ_ONLY.has(name) ? 'nop' : `msr ${generic}, x0`
    return ` ${mrs}\n ret\n ${msr}\n ret`
  }).join('\n')
}

function program(ops: readonly Op[]): string {
  return `
  b start
  .long 0
  .quad 0, 0x400000, 0xa, 0, 0, 0
  .ascii "ARM\\x64"
  .long 0
start:
  adr x0, vectors
  msr vbar_el2, x0
  mov x0, #0x80000000
  orr x0, x0, #0x18
  msr hcr_el2, x0
  ldr x0, =0x30d00800
  msr sctlr_el1, x0
  mov x0, #15
  msr S3_4_C12_C9_5, x0
  isb
  adr x19, list
  adr x28, stubs
  ldr x27, =0x09000000
next:
  ldr w20, [x19]
  ldr w21, [x19, #4]
  ldr x0, [x19, #8]
  add x19, x19, #16
  mov x1, #0
  cmp w20, #1
  b.lo finish
  b.eq 1f
  cmp w20, #3
  b.lo 2f
  add x21, x28, x21, lsl #3
  b.eq 3f
  adr x2, at_el1
  msr elr_el2, x2
  mov x2, #0x3c5
  msr spsr_el2, x2
  // Physical interrupts go to EL2 whatever PSTATE says: hold them back with the priority mask for the while.
  mrs x26, S3_0_C4_C6_0
  msr S3_0_C4_C6_0, xzr
  isb
  eret
1: ldr w0, [x21]
  b show
2: str w0, [x21]
  b show
3: blr x21
  isb
  b show
back:
  msr S3_0_C4_C6_0, x26
  isb
show:
  mrs x2, isr_el1
  bl hex
  mov x0, x1
  bl hex
  mov x0, x2
  bl hex
  mov w5, #10
  str w5, [x27]
  b next
finish:
  ldr x0, =0x84000008
  smc #0
at_el1:
  blr x21
  isb
  mrs x1, isr_el1
  hvc #0
hex:
  mov x4, #60
1: lsr x5, x0, x4
  and x5, x5, #15
  cmp x5, #10
  add x6, x5, #48
  add x7, x5, #87
  csel x5, x6, x7, lt
  str w5, [x27]
  subs x4, x4, #4
  b.ge 1b
  mov w5, #32
  str w5, [x27]
  ret
  .balign 2048
vectors:
  .rept 8
  b dead
  .balign 128
  .endr
  b back
  .balign 128
dead:
  mov w5, #33
  str w5, [x27]
  b finish
  .balign 16
stubs:
${stubs()}
  .ltorg
  .balign 16
list:
${ops.map((o) => ` .long ${o.kind}, ${o.at}\n .quad 0x${o.value.toString(16)}`).join('\n')}
 .quad 0, 0
`
}

function run(command: string, args: string[]): string {
  const r = spawnSync(command, args, { timeout: 300_000, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (r.status !== 0) throw new Error(`${command}: ${r.stderr} ${r.error ?? ''}`)
  return r.stdout
}

/** Assemble the program for this list. */
function build(ops: readonly Op[], dir: string): string {
  const [source, elf, image] = ['t.S', 't.elf', 't.img'].map((f) => join(dir, f)) as [string, string, string]
  writeFileSync(source, program(ops))
  run(GCC, ['-nostdlib', '-static', '-Wl,-Ttext=0', '-Wl,--build-id=none', '-o', elf, source])
  run(OBJCOPY, ['-O', 'binary', elf, image])
  return image
}

function lines(output: string): string[] {
  return output
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length > 0)
}

function runInQemu(image: string): string[] {
  const machine = 'virt,virtualization=on,gic-version=3,its=off'
  return lines(
    run(QEMU, ['-M', machine, '-cpu', 'cortex-a72', '-m', '128', '-nic', 'none', '-nographic', '-kernel', image]),
  )
}

function runInLab(image: string): string[] {
  let output = ''
  const machine = Machine.create({
    image: readFileSync(image),
    append: '',
    ramMiB: 128,
    console: (bytes) => {
      output += Buffer.from(bytes).toString('latin1')
    },
  })
  expect(machine.run(100_000_000).kind).toBe('off')
  return lines(output)
}

class Generator {
  readonly ops: Op[] = []
  readonly expected: string[] = []
  readonly #gic: Gic
  #isr = 0
  #virtualIsr = 0
  #seed: number
  readonly #acknowledged: number[][] = [[], []]

  constructor(seed: number) {
    this.#seed = seed
    this.#gic = new Gic({
      routing: { imo: true, fmo: true },
      onLines: (irq, fiq, virq, vfiq) => {
        this.#isr = (irq ? 0x80 : 0) | (fiq ? 0x40 : 0)
        this.#virtualIsr = (virq ? 0x80 : 0) | (vfiq ? 0x40 : 0)
      },
    })
  }

  random(n: number): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#seed / 0x100000000) * n)
  }

  pick<T>(...of: readonly T[]): T {
    return of[this.random(of.length)]!
  }

  mmio(address: number, value?: number): void {
    const [device, offset] =
      address < 0x080a0000
        ? [this.#gic.distributor, address - GICD]
        : [this.#gic.redistributor, address - 0x080a0000]
    let result: bigint
    if (value === undefined) result = device.read(offset, 4)
    else {
      result = BigInt(value >>> 0)
      device.write(offset, 4, result)
    }
    const kind = value === undefined ? Kind.read : Kind.write
    const text = `${value === undefined ? 'read' : 'write'} ${address.toString(16)}`
    this.#record({ kind, at: address, value: BigInt((value ?? 0) >>> 0), text }, result, false)
  }

  system(el: 1 | 2, name: Register, value?: bigint): bigint {
    const encoding = sys(...(REGISTERS[name] as Fields))
    let result: bigint
    if (value === undefined) result = this.#gic.readSystemRegister(encoding, el)!
    else {
      result = value
      if (!this.#gic.writeSystemRegister(encoding, value, el)) throw new Error(name)
    }
    const at = 2 * NAMES.indexOf(name) + (value === undefined ? 0 : 1)
    const text = `EL${el} ${value === undefined ? 'read' : 'write'} ${name}`
    this.#record({ kind: el === 2 ? Kind.el2 : Kind.el1, at, value: value ?? 0n, text }, result, el === 1)
    return result
  }

  compare(who: string, got: readonly string[]): void {
    const wrong = this.ops.findIndex((_, i) => got[i] !== this.expected[i]!.trim())
    if (wrong < 0) return
    const from = Math.max(0, wrong - 25)
    const trace = this.ops
      .slice(from, wrong + 1)
      .map((o, k) => `${from + k} ${o.text} ${o.value.toString(16)} -> ${this.expected[from + k]} | ${got[from + k]}`)
    throw new Error(`access ${wrong} differs (model | ${who}):\n${trace.join('\n')}`)
  }

  #record(op: Op, result: bigint, el1: boolean): void {
    this.ops.push(op)
    const hex = (v: bigint): string => v.toString(16).padStart(16, '0')
    this.expected.push(`${hex(result)} ${hex(BigInt(el1 ? this.#virtualIsr : 0))} ${hex(BigInt(this.#isr))} `)
  }

  setUp(): void {
    this.mmio(GICD, 3)
    for (const el of [2, 1] as const) {
      this.system(el, 'PMR', 0xf8n)
      this.system(el, 'IGRPEN0', 1n)
      this.system(el, 'IGRPEN1', 1n)
    }
    this.system(2, 'ICH_HCR', 1n)
    this.mmio(GICR_SGI + 0x80, 0xff00ff00)
    this.mmio(GICD + 0x84, 0xf0f0f0f0)
    this.mmio(GICR_SGI + 0x100, -1)
    this.mmio(GICD + 0x104, -1)
  }

  /** An INTID to end: mostly one that was acknowledged, the latest first. */
  #intid(el: 1 | 2): bigint {
    const list = this.#acknowledged[el - 1]!
    if (list.length > 0 && this.random(8) > 0) {
      const i = this.random(4) === 0 ? this.random(list.length) : list.length - 1
      return BigInt(this.random(2) ? list[i]! : list.splice(i, 1)[0]!)
    }
    return BigInt(this.pick(0, 5, 16, 25, 27, 33, 40, 63, 300, 1021, 1023))
  }

  #bits(): number {
    return (this.random(0x10000) | (this.random(0x10000) << 16)) >>> 0
  }

  step(): void {
    const priorities = (): number =>
      [0, 8, 16, 24].reduce((r, shift) => r | (this.pick(0, 0x20, 0x40, 0x80, 0x88, 0xa0, 0xb8, 0xf0, 0xf8) << shift), 0)
    const frame = this.pick(GICR_SGI, GICD + 4)
    const bit = 1 << this.random(32)
    switch (this.random(26)) {
      case 0:
        this.mmio(frame + this.pick(0x200, 0x200, 0x200, 0x280), bit)
        return
      case 1:
        this.mmio(frame + this.pick(0x100, 0x100, 0x180), bit)
        return
      case 2:
        this.mmio(frame + this.pick(0x300, 0x380, 0x380), bit)
        return
      case 3:
        if (frame === GICR_SGI) {
          this.mmio(GICR_SGI + 0x400 + 4 * this.random(8), priorities())
          return
        }
        this.mmio(GICD + 0x420 + 4 * this.random(8), priorities())
        return
      case 4: {
        const register = this.pick(0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380)
        this.mmio(frame + register)
        return
      }
      case 5:
        if (this.random(4)) return
        this.mmio(this.pick(GICR_SGI + 0xc04, GICD + 0xc08), this.random(0x10000) * 0x10002 & 0xaaaaaaaa)
        return
      case 6:
        this.system(2, this.pick<Register>('SGI1R', 'SGI0R', 'ASGI1R'), (BigInt(this.random(16)) << 24n) | 1n)
        return
      case 7: {
        const high = this.pick(0x40000000, 0x40000000, 0x50000000, 0xc0000000, 0x90000000, 0, 0x70000000, 0x60000000)
        const priority = this.pick(0, 0x20, 0x40, 0x80, 0x88, 0xa0, 0xf0, 0xf8) << 16
        const intid = this.pick(0, 5, 16, 27, 33, 40, 63, 100, 1021, 8192)
        const more = high & 0x20000000 ? this.pick(27, 33, 40, 50) : this.pick(0, 0x200)
        const value = (BigInt((high | priority | more) >>> 0) << 32n) | BigInt(intid)
        this.system(2, this.pick<Register>('LR0', 'LR1', 'LR2', 'LR3'), value)
        return
      }
      case 8:
        // Without VGrp0DIE: QEMU 7.2 tests VENG1 where the architecture says VENG0.
        this.system(2, 'ICH_HCR', BigInt((this.random(256) & ~0x20) | (this.random(8) ? 1 : 0)))
        return
      case 9:
        this.system(2, this.pick<Register>('ICH_MISR', 'ICH_EISR', 'ICH_ELRSR', 'ICH_VMCR', 'ICH_HCR', 'LR0', 'LR3'))
        return
      case 10:
      case 11:
      case 12:
      case 13: {
        const el = this.pick<1 | 2>(1, 2)
        const intid = Number(this.system(el, this.pick<Register>('IAR0', 'IAR1')))
        if (intid < 1020) this.#acknowledged[el - 1]!.push(intid)
        return
      }
      case 14:
      case 15:
      case 16: {
        const el = this.pick<1 | 2>(1, 2)
        this.system(el, this.pick<Register>('EOIR0', 'EOIR1', 'EOIR1', 'DIR'), this.#intid(el))
        return
      }
      case 17: {
        const el = this.pick<1 | 2>(1, 2)
        this.system(el, this.pick<Register>('PMR', 'BPR0', 'BPR1', 'CTLR', 'RPR', 'HPPIR0', 'HPPIR1', 'AP0R0', 'AP1R0'))
        return
      }
      case 18:
        this.system(this.pick<1 | 2>(1, 2), 'PMR', BigInt(this.pick(0xf8, 0xf8, 0xf0, 0xa0, 0x80, 0x40)))
        return
      case 19:
        this.system(this.pick<1 | 2>(1, 2), this.pick<Register>('BPR0', 'BPR1'), BigInt(this.random(8)))
        return
      case 20:
        if (this.random(2)) return
        this.system(this.pick<1 | 2>(1, 2), 'CTLR', BigInt(this.random(4)))
        return
      case 21:
        if (this.random(6)) return
        this.system(2, this.pick<Register>('ICH_AP0R0', 'ICH_AP1R0', 'AP0R0', 'AP1R0'), 0n)
        return
      case 22:
        this.mmio(frame + 0x80, this.#bits())
        return
      case 23: {
        // The low three bits of VPMR, which QEMU keeps, stay out.
        const vmcr = (this.pick(0xf8, 0xf8, 0xf0, 0xa0) << 24) | (this.random(64) << 18) | (this.random(4) << 8)
        this.system(2, 'ICH_VMCR', BigInt((vmcr | this.pick(0, 0x10) | this.pick(0, 1, 2, 3, 3, 3)) >>> 0))
        return
      }
      case 24:
        this.system(1, this.pick<Register>('IGRPEN0', 'IGRPEN1'), BigInt(this.random(4) ? 1 : 0))
        return
      case 25:
        // The distributor's enables; the CPU interface's would show that QEMU lets a disabled group hide the other.
        if (this.random(3)) return
        this.mmio(GICD, this.pick(0, 1, 2, 3, 3, 3))
        return
    }
  }
}

describe('GIC against QEMU', () => {
  const seed = Number(process.env['GIC_ORACLE_SEED'] ?? 20240611)
  const count = Number(process.env['GIC_ORACLE_OPS'] ?? 4000)
  it.skipIf(missing.length > 0)(
    `gives the same results and lines for ${count} random accesses, seed ${seed}`,
    () => {
      const g = new Generator(seed)
      g.setUp()
      while (g.ops.length < count) g.step()
      const dir = mkdtempSync(join(tmpdir(), 'gic-oracle-'))
      try {
        const image = build(g.ops, dir)
        g.compare('QEMU', runInQemu(image))
        g.compare('the machine', runInLab(image))
      } finally {
        rmSync(dir, { recursive: true })
      }
    },
    120_000,
  )
})
