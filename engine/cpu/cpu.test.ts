import { describe, expect, it } from 'vitest'
import { Decoder } from '../isa/decode.ts'
import { Cpu } from './cpu.ts'
import { sys } from './encoding.ts'
import { BusError, GuestException } from './exception.ts'
import type { SystemRegisterDevice } from './port.ts'
import { Slot } from './register-slots.ts'
import { directRegister, REGISTERS } from './register-table.ts'
import { CpuState, ModeBit, Off, RAM_BASE } from './state.ts'
import { loadStoreIss } from './syndrome.ts'

const HCR_EL2 = sys(3, 4, 1, 1, 0)
const SCTLR_EL1 = sys(3, 0, 1, 0, 0)
const RAM = 0x40000000

function processor(devices: SystemRegisterDevice[] = []) {
  const state = new CpuState(new ArrayBuffer(RAM_BASE + 0x10000))
  const cpu = new Cpu({
    state,
    decoder: new Decoder([], new Set()),
    bus: { read: () => 0n, write: () => {} },
    ramBase: RAM,
    ramBytes: 0x10000,
    devices,
    resetAddress: RAM,
  })
  /** ERET from EL2 to a level on its own stack, with DAIF as given. */
  const go = (el: number, daif = 0x3c0, pc = 0x40000000n) => {
    cpu.setReg(Slot.ELR_EL2, pc)
    cpu.setReg(Slot.SPSR_EL2, BigInt(daif | (el << 2) | (el === 0 ? 0 : 1)))
    cpu.event('eret', 0, 0)
    expect(state.el).toBe(el)
  }
  const thrown = (f: () => void): GuestException => {
    try {
      f()
    } catch (e) {
      if (e instanceof GuestException) return e
      throw e
    }
    throw new Error('nothing was thrown')
  }
  /** Let `word` be the instruction at the PC. */
  const word = (w: number) => {
    state.u32[(RAM_BASE + Number(state.pc) - RAM) / 4] = w
  }
  return { cpu, state, go, thrown, word }
}

describe('reset', () => {
  it('starts at EL2 with everything masked and the ID registers of the model', () => {
    const { cpu, state } = processor()
    expect(state.el).toBe(2)
    expect(state.daif).toBe(0x3c0)
    expect(state.pc).toBe(0x40000000n)
    expect(cpu.sysRead(sys(3, 0, 4, 2, 2))).toBe(8n)
    expect(cpu.sysRead(sys(3, 0, 0, 4, 0))).toBe(0x1100000001000111n)
    expect(cpu.sysRead(sys(3, 0, 0, 6, 0))).toBe(0x210000n)
    expect(cpu.sysRead(sys(3, 0, 0, 7, 1))).toBe(0n)
    expect(cpu.sysRead(sys(3, 0, 0, 2, 7))).toBe(0n)
    expect(state.i32[Off.codeKey >> 2]! & 0xff).toBe(2 | ModeBit.spSel | ModeBit.alignCheck)
  })
  it('has no encoding twice and no slot with two resets', () => {
    const slots = REGISTERS.filter((r) => r.slot >= 0).map((r) => r.slot)
    expect(new Set(slots).size).toBe(slots.length)
  })
})

describe('exception levels', () => {
  it('bank the stack pointer', () => {
    const { cpu, state, go } = processor()
    state.x[31] = 0x2000n
    cpu.sysWrite(sys(3, 4, 4, 1, 0), 0x1000n)
    cpu.sysWrite(sys(3, 0, 4, 1, 0), 0x500n)
    go(1)
    expect(state.x[31]).toBe(0x1000n)
    cpu.msrImm(0, 5, 0)
    expect(state.x[31]).toBe(0x500n)
    state.x[31] = 0x510n
    cpu.msrImm(0, 5, 1)
    expect(state.x[31]).toBe(0x1000n)
    expect(cpu.sysRead(sys(3, 0, 4, 1, 0))).toBe(0x510n)
    cpu.takeException(new GuestException(0x16, 0, 2))
    expect(state.x[31]).toBe(0x2000n)
  })
  it('SVC from EL0 enters EL1 at +0x400 with the next instruction in ELR', () => {
    const { cpu, state, go, thrown } = processor()
    cpu.sysWrite(sys(3, 0, 12, 0, 0), 0xffff000000010000n)
    go(0, 0)
    state.setNzcv(6)
    cpu.takeException(thrown(() => cpu.event('svc', 42, 0)))
    expect(state.el).toBe(1)
    expect(state.pc).toBe(0xffff000000010400n)
    expect(cpu.reg(Slot.ELR_EL1)).toBe(0x40000004n)
    expect(cpu.reg(Slot.SPSR_EL1)).toBe(0x60000000n)
    expect(cpu.reg(Slot.ESR_EL1)).toBe(0x5600002an)
    expect(state.daif).toBe(0x3c0)
    cpu.event('eret', 0, 0)
    expect(state.el).toBe(0)
    expect(state.nzcv()).toBe(6)
  })
  it('HCR_EL2.TGE sends EL0 exceptions to EL2', () => {
    const { cpu, state, go, thrown } = processor()
    cpu.sysWrite(HCR_EL2, 1n << 27n)
    go(0)
    cpu.takeException(thrown(() => cpu.event('svc', 0, 0)))
    expect(state.el).toBe(2)
    expect(cpu.reg(Slot.ESR_EL2) >> 26n).toBe(0x15n)
  })
  it('an illegal return keeps the level and sets PSTATE.IL', () => {
    const { cpu, state, go, thrown } = processor()
    go(1)
    for (const spsr of [0x3c9n, 0x3d0n, 0x3c1n, 0x3c6n]) {
      cpu.setReg(Slot.SPSR_EL1, spsr)
      cpu.setReg(Slot.ELR_EL1, 0x40000100n)
      cpu.event('eret', 0, 0)
      expect(state.el).toBe(1)
      expect(state.pc).toBe(0x40000100n)
      expect(state.i32[Off.codeKey >> 2]! & ModeBit.tier0Only).toBe(ModeBit.tier0Only)
      const e = thrown(() => cpu.checkBeforeInstruction())
      expect(e.ec).toBe(0x0e)
      cpu.takeException(e)
      expect(cpu.reg(Slot.SPSR_EL1) & 0x100000n).toBe(0x100000n)
      expect(state.i32[Off.codeKey >> 2]! & ModeBit.tier0Only).toBe(0)
    }
  })
  it('HVC and SMC go where HCR_EL2 says', () => {
    const { cpu, state, go, thrown } = processor()
    let calls = 0
    cpu.firmware = { call: () => calls++ }
    go(1)
    cpu.event('smc', 0, 0)
    expect(calls).toBe(1)
    expect(state.pc).toBe(0x40000004n)
    cpu.takeException(thrown(() => cpu.event('hvc', 1, 0)))
    expect(cpu.reg(Slot.ELR_EL2)).toBe(0x40000008n)
    cpu.sysWrite(HCR_EL2, 1n << 19n)
    go(1)
    cpu.takeException(thrown(() => cpu.event('smc', 0, 0)))
    expect(cpu.reg(Slot.ELR_EL2)).toBe(0x40000000n)
    expect(cpu.reg(Slot.ESR_EL2)).toBe(0x5e000000n)
    cpu.sysWrite(HCR_EL2, 1n << 29n)
    go(1)
    expect(thrown(() => cpu.event('hvc', 0, 0)).ec).toBe(0)
    expect(calls).toBe(1)
  })
  it('a bus error becomes a synchronous external abort at the last translated address', () => {
    const { cpu, state } = processor()
    cpu.mmu.translate(0x12345678, 0, 1, false)
    cpu.takeException(new BusError(0x12345678, true))
    expect(state.el).toBe(2)
    expect(cpu.reg(Slot.ESR_EL2)).toBe(0x96000050n)
    expect(cpu.reg(Slot.FAR_EL2)).toBe(0x12345678n)
  })
  it('passes on what is not the guest’s doing', () => {
    const { cpu } = processor()
    expect(() => cpu.takeException(new RangeError('bug'))).toThrow(RangeError)
  })
})

describe('interrupts', () => {
  it('go to EL1, masked by PSTATE.I, and from EL2 nowhere without IMO', () => {
    const { cpu, state, go } = processor()
    cpu.setInterrupts(true, false, false, false)
    state.daif = 0
    expect(cpu.takeInterrupt()).toBe(false)
    go(1, 0x80)
    expect(cpu.takeInterrupt()).toBe(false)
    expect(cpu.sysRead(sys(3, 0, 12, 1, 0))).toBe(0x80n)
    cpu.msrImm(3, 7, 2)
    expect(cpu.takeInterrupt()).toBe(true)
    expect(state.pc).toBe(0x280n)
    expect(cpu.reg(Slot.ELR_EL1)).toBe(0x40000000n)
  })
  it('with HCR_EL2.IMO are taken to EL2 whatever PSTATE.I says below it', () => {
    const { cpu, state, go } = processor()
    cpu.sysWrite(HCR_EL2, 0x10n)
    cpu.setInterrupts(true, false, false, false)
    go(1, 0x3c0)
    expect(cpu.takeInterrupt()).toBe(true)
    expect(state.el).toBe(2)
    expect(state.pc).toBe(0x480n)
  })
  it('virtual ones are taken to EL1 only with IMO and below EL2', () => {
    const { cpu, state, go } = processor()
    cpu.setInterrupts(false, false, true, false)
    expect(state.i32[Off.irqPending >> 2]).toBe(0)
    cpu.sysWrite(HCR_EL2, 0x10n)
    expect(state.i32[Off.irqPending >> 2]).not.toBe(0)
    state.daif = 0
    expect(cpu.takeInterrupt()).toBe(false)
    go(1, 0)
    expect(cpu.takeInterrupt()).toBe(true)
    expect(state.el).toBe(1)
  })
  it('HCR_EL2.VSE is a virtual SError that taking clears', () => {
    const { cpu, state, go } = processor()
    cpu.sysWrite(HCR_EL2, 0x120n)
    go(1, 0)
    expect(cpu.takeInterrupt()).toBe(true)
    expect(state.pc).toBe(0x380n)
    expect(cpu.reg(Slot.ESR_EL1)).toBe(0xbe000000n)
    expect(cpu.reg(Slot.HCR_EL2) & 0x100n).toBe(0n)
  })
  it('WFI waits until one is pending, masked or not', () => {
    const { cpu, go } = processor()
    go(1)
    cpu.event('wfi', 0, 0)
    expect(cpu.isWaiting()).toBe(true)
    cpu.setInterrupts(true, false, false, false)
    expect(cpu.isWaiting()).toBe(false)
    cpu.event('wfi', 0, 0)
    expect(cpu.isWaiting()).toBe(false)
  })
})

describe('system register traps', () => {
  it('report the access in the syndrome', () => {
    const { cpu, go, thrown, word } = processor()
    cpu.sysWrite(HCR_EL2, 1n << 26n)
    go(1)
    word(0xd5182007 | 0) // msr ttbr0_el1, x7
    const e = thrown(() => cpu.sysWrite(sys(3, 0, 2, 0, 0), 0n))
    expect(e).toMatchObject({ ec: 0x18, target: 2 })
    expect(e.iss).toBe((3 << 20) | (2 << 10) | (7 << 5))
    expect(() => cpu.sysRead(sys(3, 0, 2, 0, 0))).not.toThrow()
  })
  it('HCR_EL2.TID3 traps the whole ID space at EL1, EL0 is undefined', () => {
    const { cpu, go, thrown } = processor()
    cpu.sysWrite(HCR_EL2, 1n << 18n)
    go(1)
    expect(thrown(() => cpu.sysRead(sys(3, 0, 0, 7, 6)))).toMatchObject({ ec: 0x18, target: 2 })
    cpu.takeException(new GuestException(0x16, 0, 2))
    go(0)
    expect(thrown(() => cpu.sysRead(sys(3, 0, 0, 4, 0)))).toMatchObject({ ec: 0, target: 0 })
  })
  it('EL0 sees what SCTLR_EL1 lets it', () => {
    const { cpu, go, thrown } = processor()
    go(0)
    for (const f of [
      () => cpu.sysRead(sys(3, 3, 0, 0, 1)),
      () => cpu.msrImm(3, 6, 2),
      () => cpu.sysRead(sys(3, 3, 4, 2, 1)),
      () => cpu.sysOp(sys(1, 3, 7, 11, 1), 0x40000000n),
      () => cpu.checkZva(),
    ]) {
      expect(thrown(f)).toMatchObject({ ec: 0x18, target: 0 })
    }
    expect(cpu.sysRead(sys(3, 3, 0, 0, 7))).toBe(0x14n)
    cpu.takeException(new GuestException(0x16, 0, 2))
    cpu.sysWrite(SCTLR_EL1, 0x0400c200n)
    go(0)
    expect(cpu.sysRead(sys(3, 3, 0, 0, 1))).toBe(0x84448004n)
    expect(cpu.sysRead(sys(3, 3, 0, 0, 7))).toBe(4n)
    cpu.checkZva()
    cpu.sysOp(sys(1, 3, 7, 11, 1), 0x40000000n)
  })
  it('WFI at EL0 traps to EL1 without nTWI, to EL2 with TWI', () => {
    const { cpu, go, thrown } = processor()
    go(0)
    expect(thrown(() => cpu.event('wfi', 0, 0))).toMatchObject({ ec: 1, iss: 0x1e00000, target: 0 })
    cpu.takeException(new GuestException(0x16, 0, 2))
    cpu.sysWrite(HCR_EL2, 1n << 13n)
    go(1)
    expect(thrown(() => cpu.event('wfi', 0, 0))).toMatchObject({ ec: 1, target: 2 })
  })
  it('floating point traps by CPACR_EL1 and CPTR_EL2, and the mode says so', () => {
    const { cpu, state, go, thrown } = processor()
    const trapped = () => (state.i32[Off.codeKey >> 2]! & ModeBit.fpTrap) !== 0
    expect(trapped()).toBe(false)
    go(1)
    expect(trapped()).toBe(true)
    expect(thrown(() => cpu.checkFp())).toMatchObject({ ec: 7, iss: 0x1e00000, target: 0 })
    cpu.sysWrite(sys(3, 0, 1, 0, 2), 0x300000n)
    expect(trapped()).toBe(false)
    cpu.checkFp()
    cpu.takeException(new GuestException(0x16, 0, 2))
    cpu.sysWrite(sys(3, 4, 1, 1, 2), 0x400n)
    expect(trapped()).toBe(true)
    go(1)
    expect(thrown(() => cpu.checkFp())).toMatchObject({ ec: 7, target: 2 })
  })
  it('timer registers obey CNTKCTL_EL1 and CNTHCTL_EL2', () => {
    const timer: SystemRegisterDevice = { readSystemRegister: () => 7n, writeSystemRegister: () => true }
    const { cpu, go, thrown } = processor([timer])
    cpu.sysWrite(sys(3, 4, 14, 1, 0), 0n)
    go(1)
    expect(thrown(() => cpu.sysRead(sys(3, 3, 14, 0, 1)))).toMatchObject({ ec: 0x18, target: 2 })
    expect(thrown(() => cpu.sysWrite(sys(3, 3, 14, 2, 1), 1n))).toMatchObject({ ec: 0x18, target: 2 })
    expect(cpu.sysRead(sys(3, 3, 14, 0, 2))).toBe(7n)
    cpu.takeException(new GuestException(0x16, 0, 2))
    go(0)
    expect(thrown(() => cpu.sysRead(sys(3, 3, 14, 0, 2)))).toMatchObject({ ec: 0x18, target: 0 })
  })
  it('unknown encodings are undefined and reported', () => {
    const { cpu, thrown } = processor()
    const seen: number[] = []
    cpu.onUndefined = (encoding) => seen.push(encoding)
    expect(thrown(() => cpu.sysRead(sys(3, 3, 9, 12, 0))).ec).toBe(0)
    expect(thrown(() => cpu.sysWrite(sys(3, 0, 0, 0, 0), 0n)).ec).toBe(0)
    expect(thrown(() => cpu.sysOp(sys(1, 0, 7, 9, 0), 0n)).ec).toBe(0)
    expect(thrown(() => cpu.msrImm(0, 4, 1)).ec).toBe(0)
    expect(seen).toHaveLength(4)
  })
  it('registers that nothing traps can be reached directly', () => {
    expect(directRegister(sys(3, 0, 4, 1, 0), false, 1, true)).toBe(0x800)
    expect(directRegister(sys(3, 0, 4, 1, 0), false, 1, false)).toBe(0)
    expect(directRegister(sys(3, 3, 13, 0, 3), true, 0, false)).toBe(0)
    expect(directRegister(SCTLR_EL1, false, 1, true)).toBe(0)
  })
})

describe('debug', () => {
  it('single-steps EL0 as the step state machine says', () => {
    const { cpu, state, go, thrown } = processor()
    cpu.setReg(Slot.OS_LOCK, 0n)
    go(1)
    cpu.sysWrite(sys(2, 0, 0, 2, 2), 1n)
    cpu.setReg(Slot.SPSR_EL1, 0x200000n)
    cpu.setReg(Slot.ELR_EL1, 0x40000100n)
    cpu.event('eret', 0, 0)
    expect(state.i32[Off.codeKey >> 2]! & ModeBit.tier0Only).toBe(ModeBit.tier0Only)
    cpu.checkBeforeInstruction()
    state.pc += 4n
    cpu.afterInstruction()
    const e = thrown(() => cpu.checkBeforeInstruction())
    cpu.takeException(e)
    expect(cpu.reg(Slot.ESR_EL1)).toBe(0xcb000022n)
    expect(cpu.reg(Slot.ELR_EL1)).toBe(0x40000104n)
    expect(state.i32[Off.codeKey >> 2]! & ModeBit.tier0Only).toBe(0)
  })
  it('stops at an enabled breakpoint', () => {
    const { cpu, go, thrown } = processor()
    cpu.setReg(Slot.OS_LOCK, 0n)
    cpu.sysWrite(sys(2, 0, 0, 2, 2), 1n << 15n)
    cpu.sysWrite(sys(2, 0, 0, 2, 4), 0x40000100n)
    cpu.sysWrite(sys(2, 0, 0, 2, 5), 0x1e5n)
    go(0, 0, 0x40000100n)
    expect(thrown(() => cpu.checkBeforeInstruction())).toMatchObject({ ec: 0x30, iss: 0x22 })
  })
  it('watches bytes for stores', () => {
    const { cpu, state, go, thrown } = processor()
    cpu.setReg(Slot.OS_LOCK, 0n)
    cpu.sysWrite(sys(2, 0, 0, 2, 2), 1n << 15n)
    cpu.sysWrite(sys(2, 0, 0, 1, 6), 0x40000100n)
    // Enabled, EL0, stores, bytes 2 and 3.
    cpu.sysWrite(sys(2, 0, 0, 1, 7), 1n | (2n << 1n) | (2n << 3n) | (0x0cn << 5n))
    go(0, 0)
    expect(state.i32[Off.codeKey >> 2]! & ModeBit.tier0Only).toBe(ModeBit.tier0Only)
    cpu.checkWatchpoints(0x40000100n, 8, false, false)
    cpu.checkWatchpoints(0x40000104n, 4, true, false)
    cpu.checkWatchpoints(0x40000100n, 2, true, false)
    const e = thrown(() => cpu.checkWatchpoints(0x40000100n, 8, true, false))
    expect(e).toMatchObject({ ec: 0x34, iss: 0x62, far: 0x40000102n })
    cpu.takeException(e)
    expect(cpu.reg(Slot.ESR_EL1)).toBe(0xd2000062n)
    cpu.checkWatchpoints(0x40000100n, 8, true, false)
  })
  it('BRK reports its immediate and goes to EL2 with MDCR_EL2.TDE', () => {
    const { cpu, state, go, thrown } = processor()
    cpu.sysWrite(sys(3, 4, 1, 1, 1), 0x100n)
    go(1)
    cpu.takeException(thrown(() => cpu.event('brk', 0x800, 0)))
    expect(state.el).toBe(2)
    expect(cpu.reg(Slot.ESR_EL2)).toBe(0xf2000800n)
  })
})

describe('the instruction syndrome of loads and stores', () => {
  it('covers single-register forms without writeback', () => {
    const iss = (sas: number, sse: number, srt: number, sf: number, ar: number) =>
      (1 << 24) | (sas << 22) | (sse << 21) | (srt << 16) | (sf << 15) | (ar << 14)
    expect(loadStoreIss(0xb9400062)).toBe(iss(2, 0, 2, 0, 0)) // ldr w2, [x3]
    expect(loadStoreIss(0xf9000062)).toBe(iss(3, 0, 2, 1, 0)) // str x2, [x3]
    expect(loadStoreIss(0x39800062)).toBe(iss(0, 1, 2, 1, 0)) // ldrsb x2, [x3]
    expect(loadStoreIss(0x39c00062)).toBe(iss(0, 1, 2, 0, 0)) // ldrsb w2, [x3]
    expect(loadStoreIss(0xb8646862)).toBe(iss(2, 0, 2, 0, 0)) // ldr w2, [x3, x4]
    expect(loadStoreIss(0xb85fc062)).toBe(iss(2, 0, 2, 0, 0)) // ldur w2, [x3, #-4]
    expect(loadStoreIss(0x88dffc62)).toBe(iss(2, 0, 2, 0, 1)) // ldar w2, [x3]
    expect(loadStoreIss(0xc89ffc62)).toBe(iss(3, 0, 2, 1, 1)) // stlr x2, [x3]
    expect(loadStoreIss(0xb8404462)).toBe(0) // ldr w2, [x3], #4
    expect(loadStoreIss(0xa9400c62)).toBe(0) // ldp x2, x3, [x3]
    expect(loadStoreIss(0x885f7c62)).toBe(0) // ldxr w2, [x3]
    expect(loadStoreIss(0x3d400062)).toBe(0) // ldr b2, [x3]
    expect(loadStoreIss(0xf9800062)).toBe(0) // prfm
    expect(loadStoreIss(0xb8240062)).toBe(0) // ldadd
  })
})
