/**
 * A bare-metal Image that uses only UART, GIC, timers and PSCI: the same console in QEMU and in the lab. Skipped without
 * QEMU and a cross-assembler.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Machine } from './machine.ts'

const TOOLS = ['qemu-system-aarch64', 'aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-objcopy']
const missing = TOOLS.filter((tool) => spawnSync(tool, ['--version']).status !== 0)
if (missing.length > 0) console.warn(`SKIPPED: bare-metal test, ${missing.join(', ')} not installed`)

/**
 * EL2 and then EL1: three ticks of each timer by interrupt and WFI, an SGI, a UART transmit interrupt, PSCI answers. An
 * interrupt prints its INTID; the handler silences its source.
 */
const PROGRAM = `
  b start
  .long 0
  .quad 0, 0x400000, 0xa, 0, 0, 0
  .ascii "ARM\\x64"
  .long 0
start:
  ldr x27, =0x09000000
  adr x0, vectors
  msr vbar_el2, x0
  msr vbar_el1, x0
  mov x0, #15
  msr S3_4_C12_C9_5, x0
  isb
  ldr x1, =0x08000000          // GICD: group 1 and both groups on
  mov w0, #3
  str w0, [x1]
  mov w0, #-1
  str w0, [x1, #0x84]
  mov w0, #2                   // SPI 1, the UART
  str w0, [x1, #0x104]
  ldr x1, =0x080a0000
  str wzr, [x1, #0x14]
1: ldr w0, [x1, #0x14]
  tbnz w0, #2, 1b
  ldr x1, =0x080b0000
  mov w0, #-1
  str w0, [x1, #0x80]
  str w0, [x1, #0x100]
  mov x0, #0xff
  msr S3_0_C4_C6_0, x0
  mov x0, #1
  msr S3_0_C12_C12_7, x0
  mov x0, #0x18                // IMO, FMO: interrupts come to EL2
  orr x0, x0, #0x80000000
  msr hcr_el2, x0
  isb
  mrs x0, currentel
  bl hex
  bl ticks
  mov x0, #0x80000000          // from here EL1 takes its own interrupts
  msr hcr_el2, x0
  ldr x0, =0x30d00800
  msr sctlr_el1, x0
  mov x0, #3
  msr cnthctl_el2, x0
  msr cntvoff_el2, xzr
  adr x0, el1
  msr elr_el2, x0
  mov x0, #0x3c5
  msr spsr_el2, x0
  eret
el1:
  mrs x0, currentel
  bl hex
  bl ticks
  ldr x0, =0x84000000
  smc #0
  bl hex
  ldr x0, =0x84000006
  smc #0
  bl hex
  ldr x0, =0xdeadbeef
  smc #0
  bl hex
  ldr x0, =0x84000008
  smc #0
  b .

ticks:
  mov x18, x30
  mov x26, #3
2: mov x0, #2000
  msr cntp_tval_el0, x0
  mov x0, #1
  msr cntp_ctl_el0, x0
  bl wait
  mov x0, #1500
  msr cntv_tval_el0, x0
  mov x0, #1
  msr cntv_ctl_el0, x0
  bl wait
  subs x26, x26, #1
  b.ne 2b
  ldr x0, =0x05000001
  msr S3_0_C12_C11_5, x0
  isb
  bl wait
  mov w0, #0x20                // UART: transmit interrupt on
  str w0, [x27, #0x44]
  str w0, [x27, #0x38]
  mov w0, #46
  str w0, [x27]
  bl wait
  ret x18

/* Sleep until the handler has run once: it sets x25. */
wait:
  mov x25, #0
1: wfi
  msr daifclr, #2
  isb
  msr daifset, #2
  cbz x25, 1b
  ret

irq:
  stp x0, x1, [x28, #-64]!
  stp x4, x5, [x28, #16]
  stp x6, x7, [x28, #32]
  str x30, [x28, #48]
  mrs x0, S3_0_C12_C12_0
  mov x1, x0
  bl hex
  msr cntp_ctl_el0, xzr
  msr cntv_ctl_el0, xzr
  cmp x1, #33
  b.ne 1f
  str wzr, [x27, #0x38]
1: isb
  msr S3_0_C12_C12_1, x1
  mov x25, #1
  ldr x30, [x28, #48]
  ldp x6, x7, [x28, #32]
  ldp x4, x5, [x28, #16]
  ldp x0, x1, [x28], #64
  eret

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
  mov w5, #10
  str w5, [x27]
  ret

  .balign 2048
vectors:
  .rept 5
  b dead
  .balign 128
  .endr
  adr x28, stack
  b irq
  .balign 128
  .rept 10
  b dead
  .balign 128
  .endr
dead:
  mov w5, #33
  str w5, [x27]
  ldr x0, =0x84000008
  smc #0
  b .
  .ltorg
  .balign 16
  .skip 256
stack:
`

describe('bare metal', () => {
  it.skipIf(missing.length > 0)('UART, GIC, timers and PSCI at EL2 and EL1: the console equals QEMU\'s', () => {
    const dir = mkdtempSync(join(tmpdir(), 'bare-metal-'))
    try {
      const run = (command: string, args: string[]): string => {
        const r = spawnSync(command, args, { timeout: 300_000, encoding: 'utf8' })
        if (r.status !== 0) throw new Error(`${command}: ${r.stderr} ${r.error ?? ''}`)
        return r.stdout
      }
      const [source, elf, path] = ['t.S', 't.elf', 't.img'].map((f) => join(dir, f)) as [string, string, string]
      writeFileSync(source, PROGRAM)
      run('aarch64-linux-gnu-gcc', ['-nostdlib', '-static', '-Wl,-Ttext=0', '-Wl,--build-id=none', '-o', elf, source])
      run('aarch64-linux-gnu-objcopy', ['-O', 'binary', elf, path])
      const machineType = 'virt,virtualization=on,gic-version=3'
      const reference = run('qemu-system-aarch64', [
        '-M', machineType, '-cpu', 'cortex-a72', '-m', '128', '-nic', 'none', '-nographic', '-kernel', path,
      ])

      // Three ticks of CNTP (30) and CNTV (27), SGI 5 and the UART (33), at EL2 and again at EL1.
      const intids = [30, 27, 30, 27, 30, 27, 5, 33].map((n) => n.toString(16).padStart(16, '0'))
      expect(reference.match(/0{14}(?:1e|1b|05|21)/g)).toEqual([...intids, ...intids])

      for (const tier1 of [false, true]) {
        let output = ''
        const machine = Machine.create({
          image: readFileSync(path),
          append: '',
          ramMiB: 128,
          tier1,
          console: (bytes) => {
            output += Buffer.from(bytes).toString('latin1')
          },
        })
        let stop = machine.run(10_000_000)
        for (let skips = 0; stop.kind === 'idle' && skips < 100; skips++) {
          machine.skipIdle()
          stop = machine.run(10_000_000)
        }
        expect(output).toBe(reference.replaceAll('\r', ''))
        expect(stop.kind).toBe('off')
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
