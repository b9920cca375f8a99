import { describe, expect, it } from 'vitest'
import { assemble, flatImage } from '../isa/assemble.ts'
import { formatDiagnostic } from '../isa/assemble-lexer.ts'
import { allRows } from '../isa/table.ts'
import { Machine } from './machine.ts'
import { GateError, type GateSite } from './v3-gate.ts'

/**
 * Calls `create(kvm, type)` for ever, every other time with bit 31 in the type. x19 counts the calls, x20 the refusals,
 * x21 the protected VMs made.
 */
const PROGRAM = `
        b       start
        .long   0
        .quad   0, 0x400000, 0xa, 0, 0, 0
        .ascii  "ARM\\x64"
        .long   0
start:  mov     x19, #0
        mov     x20, #0
        mov     x21, #0
1:      add     x19, x19, #1
        mov     x0, #0x1000
        lsl     x1, x19, #31            // bit 31: an odd count
        and     x1, x1, #0x80000000
        mov     x2, #-1
        bl      create
        cmn     w0, #22
        cinc    x20, x20, eq
        b       1b
create: tbz     x1, #31, 2f
        add     x21, x21, #1
2:      mov     x0, #3
        ret
`

const result = assemble(PROGRAM, { file: 'gate.s', rows: allRows })
expect(result.diagnostics.map(formatDiagnostic)).toEqual([])
const image = flatImage(result).bytes
/** Four instructions before the end. */
const SITE: GateSite = { symbol: 'create', offset: image.length - 16 }

function machineWith(tier1: boolean, gateSite: GateSite | string = SITE): Machine {
  return Machine.create({ image, append: '', ramMiB: 128, console: () => {}, tier1, gateSite })
}

const x = (machine: Machine, n: number) => Number(machine.cpu.state.x[n])

describe('PROTECTED_VM_UAPI=n', () => {
  it('refuses what has bit 31, before the function does anything, and nothing else', () => {
    const machine = machineWith(true)
    machine.setGate('n')
    machine.run(100_000)
    expect(x(machine, 21)).toBe(0)
    expect(machine.gate).toMatchObject({ available: true, option: 'n', symbol: 'create' })
    expect(Math.abs(x(machine, 20) - x(machine, 19) / 2)).toBeLessThanOrEqual(1)
    expect(Math.abs(machine.gate.refused - x(machine, 20))).toBeLessThanOrEqual(1)
  })

  it('is -EINVAL in W0', () => {
    const machine = machineWith(false)
    machine.setGate('n')
    while (machine.gate.refused === 0) machine.run(1)
    expect(machine.cpu.state.x[0]).toBe(0xffff_ffean)
    // Back at the caller, the entry itself having retired.
    expect(machine.cpu.state.pc).toBe(machine.cpu.state.x[30])
  })

  it('is an input: logged with its count, and the same run in both tiers', () => {
    const runs = [true, false].map((tier1) => {
      const machine = machineWith(tier1)
      machine.run(12_345)
      machine.setGate('n')
      machine.setGate('n')
      machine.run(23_456)
      machine.setGate('y')
      machine.run(34_567)
      return { hash: machine.hash(), inputs: machine.inputLog.inputs, refused: machine.gate.refused, made: x(machine, 21) }
    })
    expect(runs[0]).toEqual(runs[1])
    expect(runs[0]!.inputs).toEqual([
      { instructions: 12_345, kind: 'gate', option: 'n' },
      { instructions: 35_801, kind: 'gate', option: 'y' },
    ])
    expect(runs[0]!.refused).toBeGreaterThan(900)
    expect(runs[0]!.made).toBeGreaterThan(900)
  })

  it('says why when there is no place for it', () => {
    const machine = machineWith(true, 'this kernel has no function')
    machine.setGate('y')
    expect(() => machine.setGate('n')).toThrow(GateError)
    expect(machine.gate).toEqual({ available: false, why: 'this kernel has no function', option: 'y', refused: 0, symbol: '' })
    expect(machine.inputLog.inputs).toEqual([])
  })
})
