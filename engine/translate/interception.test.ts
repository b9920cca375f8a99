import { describe, expect, it } from 'vitest'
import { Off, RAM_BASE } from '../cpu/state.ts'
import { ExecutionEngine } from './engine.ts'
import { FlatCpu } from './flat-cpu.test-double.ts'

const BASE = 0x40000000
// mov x0,#0; mov x1,#200; 1: mov x2,x1; bl f; add x0,x0,x2; subs x1,x1,#1; b.ne 1b; hlt #0; f: mov x2,#3; add x2,x2,#1; ret
const PROGRAM = [
  0xd2800000, 0xd2801901, 0xaa0103e2, 0x94000005, 0x8b020000, 0xf1000421, 0x54ffff81, 0xd4400000, 0xd2800062, 0x91000442, 0xd65f03c0,
]
const F = BASE + 4 * 8

interface Ending {
  readonly x0: bigint
  readonly asked: number
  readonly budget: number
}

/** Run the program; from slice `on` to slice `off` the instruction at `address` returns at once for even x1. */
function run(tier1: boolean, slice: number, on: number, off: number, address = F): Ending {
  const cpu = new FlatCpu(BASE, 0x20000)
  PROGRAM.forEach((w, i) => {
    cpu.state.u32[(RAM_BASE >> 2) + i] = w
  })
  cpu.state.pc = BigInt(BASE)
  const engine = new ExecutionEngine(cpu, cpu.memory, { tier1, hotThreshold: 4, batch: 1 })
  let asked = 0
  for (let i = 0; !cpu.waiting; i++) {
    if (i === on) {
      engine.interceptAt(address, () => {
        asked++
        expect(cpu.state.pc).toBe(BigInt(address))
        return cpu.state.x[1]! % 2n === 0n ? cpu.state.x[30]! : undefined
      })
    }
    if (i === off) engine.interceptAt(address, undefined)
    cpu.state.i32[Off.budget >> 2] = slice
    engine.run()
  }
  return { x0: cpu.state.x[0]!, asked, budget: cpu.state.i32[Off.budget >> 2]! }
}

describe('interceptAt', () => {
  it('asks before the instruction and goes where it is told', () => {
    // Odd x1: f gives 4. Even: x1 itself, summed over 2..200.
    expect(run(false, 1_000_000, 0, -1)).toMatchObject({ x0: 100n * 4n + 10100n, asked: 200 })
  })

  it('in the middle of a straight run of instructions', () => {
    // f+4 is skipped for even x1: 3 instead of 4.
    expect(run(true, 1_000_000, 0, -1, F + 4)).toMatchObject({ x0: 700n, asked: 200 })
  })

  it('does nothing while it is off', () => {
    expect(run(true, 1_000_000, -1, -1)).toMatchObject({ x0: 800n, asked: 0 })
  })

  it('is the same in both tiers, switched on and off among hot code', () => {
    for (const slice of [7, 100, 333]) {
      const on = Math.floor(600 / slice)
      const off = Math.floor(1100 / slice)
      const a = run(false, slice, on, off)
      expect(a.asked).toBeGreaterThan(20)
      expect(run(true, slice, on, off)).toEqual(a)
    }
  })
})
