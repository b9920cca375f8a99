import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Inspector } from '../inspect/inspector.ts'
import { Kallsyms } from '../inspect/kallsyms.ts'
import { translate } from '../inspect/page-table-walk.ts'
import { currentStage2, el1Stage1, el2Stage1 } from '../inspect/translation-regimes.ts'
import { Machine } from '../machine/machine.ts'
import { Permission, Walker } from '../mmu/walk.ts'
import { kernelOf, labInitrd, skipLoudly } from './oracle.ts'

const BETWEEN_LOOKS = 4_000_000
/** Functions of both levels whose addresses must be named rightly, in the order the boot comes by them. */
const PLACES = [
  'primary_entry',
  'start_kernel',
  '__kvm_nvhe___pkvm_init',
  'add_taint',
  '__kvm_nvhe___pkvm_host_donate_guest',
]

/**
 * One boot with the probe, looked into all the way: no moment of it may make the inspector throw, doubt itself at EL1,
 * or translate otherwise than the CPU.
 */
for (const series of ['7.2', '7.3']) {
  const kernel = kernelOf(series)
  describe.skipIf(
    skipLoudly(kernel === undefined, `no ${series} kernel in .cache/kernels (npx pkvm-lab kernel fetch ${series})`),
  )(`Linux ${series}`, () => {
    it.each([
      ['without KASLR', undefined],
      ['with KASLR', Uint8Array.of(0x5a, 0xa5, 1, 2, 3, 4, 5, 6)],
    ])('can be looked into at every moment of its boot, %s', async (_, kaslrSeed) => {
      const image = new Uint8Array(readFileSync(kernel!))
      const initrd = new Uint8Array(readFileSync(await labInitrd()))
      const symbols = Kallsyms.parse(image)
      const named: string[] = []
      const machine: Machine = Machine.create({
        image,
        initrd,
        append: 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests',
        ramMiB: 512,
        console: () => {},
        ...(kaslrSeed === undefined ? {} : { kaslrSeed }),
        milestones: PLACES.map((name) => ({ name, offset: symbols.find(name)!.offset })),
        onMilestone: (name) => {
          const { symboliser } = inspector.kernel
          if (!symboliser.known) throw new Error(symboliser.why)
          expect(symboliser.value.describe(machine.cpu.state.pc, machine.exceptionLevel)).toBe(name)
          named.push(name)
        },
      })
      const inspector = new Inspector(machine, image)
      const phases = new Set<string>()
      const reasons = new Set<string>()
      const taints = new Set<number>()
      let compared = 0
      for (let look = 0; ; look++) {
        const stop = machine.run(BETWEEN_LOOKS)
        const mode = inspector.mode()
        if (mode.phase.known) phases.add(mode.phase.value)
        const taint = inspector.taint()
        if (taint.known) taints.add(taint.value.value)
        const map = inspector.ownership()
        if (!map.known) reasons.add(map.why)
        else {
          // In the middle of a change the hypervisor's own tables need not agree.
          if (machine.exceptionLevel < 2) expect(map.value.conflicts).toEqual([])
          expect(map.value.owner.filter((o) => o === 3).length).toBeLessThan(machine.exceptionLevel < 2 ? 1 : 600)
        }
        compared += compareWithCpu(machine, inspector, look)
        if (stop.kind === 'off') break
        if (stop.kind === 'idle') machine.skipIdle()
        else expect(stop.kind).toBe('budget')
      }
      expect(named).toEqual(PLACES)
      const text = inspector.kernel.symboliser.known ? inspector.kernel.symboliser.value.virtualOf('_text') : undefined
      if (kaslrSeed === undefined) expect(text).toBe(0xffff_8000_8000_0000n)
      else expect(text).not.toBe(0xffff_8000_8000_0000n)
      expect([...phases]).toEqual(['off', 'pending', 'table', 'enforced'].filter((p) => phases.has(p)))
      expect(phases).toContain('enforced')
      expect(
        [...reasons].every((r) => /protected mode is off|not finished/.test(r)),
        [...reasons].join('; '),
      ).toBe(true)
      expect([...taints]).toEqual([0, 64])
      expect(compared).toBeGreaterThan(1000)
    })
  })
}

/** Translate places in use now by the inspector and by the CPU's own walker. @returns how many were compared. */
function compareWithCpu(machine: Machine, inspector: Inspector, seed: number): number {
  const { kernel } = inspector
  const registers = kernel.registers()
  const { state } = machine.cpu
  const walker = new Walker(state, kernel.memory.base, kernel.memory.ram.length)
  const candidates: bigint[] = []
  for (let i = 0; i < 31; i++) candidates.push(state.x[i]!)
  candidates.push(state.pc, registers.TTBR0_EL1 & 0xffff_ffff_ffffn)
  for (let i = 0; i < 8; i++)
    candidates.push(0xffff_8000_8000_0000n + BigInt(((seed * 8 + i) * 0x9e3779b1) % 0x2800000))
  let compared = 0
  for (const va of candidates) {
    const low = Number(va & 0xffffffffn)
    const high = Number(va >> 32n)
    const tables = el1Stage1(registers, va)
    if (tables !== null && tables.inputBits >= 40) {
      const stage2 = currentStage2(registers)
      const ok = walker.translate(low, high, 0, false, false, false, false)
      // A walk through stage 2 that faults there cannot be told from an unmapped address by the plain translation.
      if (stage2 === null || Number(registers.VTTBR_EL2 >> 48n) === 0) {
        const mine = translate(kernel.memory, tables, va)
        if (ok) expect(mine, va.toString(16)).toBe(walker.ipa)
        else if (!walker.faultStage2) expect(mine, va.toString(16)).toBeUndefined()
        compared++
      }
    }
    const hyp = el2Stage1(registers)
    if (hyp !== null) {
      const ok = walker.translate(low, high, 0, true, false, false, false)
      expect(translate(kernel.memory, hyp, va), va.toString(16)).toBe(ok ? walker.physical : undefined)
      compared++
    }
    const stage2 = currentStage2(registers)
    if (stage2 !== null && (registers.SCTLR_EL1 & 1n) !== 0n) {
      const ok = walker.translate(low, high, Permission.read, false, false, true, false)
      if (ok) {
        expect(translate(kernel.memory, stage2, BigInt(walker.ipa))).toBe(walker.physical)
        compared++
      }
    }
  }
  return compared
}
