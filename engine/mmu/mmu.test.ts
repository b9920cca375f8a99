import { describe, expect, it } from 'vitest'
import { Cpu } from '../cpu/cpu.ts'
import { sys } from '../cpu/encoding.ts'
import { GuestException } from '../cpu/exception.ts'
import { Slot } from '../cpu/register-slots.ts'
import { CpuState, Off, RAM_BASE } from '../cpu/state.ts'
import { Decoder } from '../isa/decode.ts'

const RAM = 0x40000000
const BYTES = 0x800000
const VALID = 0x1n
const TABLE = 0x3n
const PAGE = 0x3n
const AF = 0x400n
const AP_USER = 0x40n
const AP_READ_ONLY = 0x80n
const UXN = 1n << 54n
const PXN = 1n << 53n
/** Stage 2: normal memory, readable, writable. */
const S2_RW = 0x3cn | 0xc0n

function machine() {
  const state = new CpuState(new ArrayBuffer(RAM_BASE + BYTES))
  const cpu = new Cpu({
    state,
    decoder: new Decoder([], new Set()),
    bus: { read: () => 0n, write: () => {} },
    ramBase: RAM,
    ramBytes: BYTES,
    features: new Set(['fp', 'crc32', 'lse']),
  })
  const poke = (pa: number, v: bigint) => state.dataView.setBigUint64(RAM_BASE + pa - RAM, v, true)
  const go = (el: number) => {
    cpu.setReg(Slot.ELR_EL2, 0n)
    cpu.setReg(Slot.SPSR_EL2, BigInt(el === 0 ? 0x3c0 : 0x3c1 | (el << 2)))
    if (el !== 2) cpu.event('eret', 0, 0xd69f03e0)
    expect(state.el).toBe(el)
  }
  const translate = (va: bigint, access: 0 | 1 | 2 = 0, unprivileged = false) =>
    cpu.mmu.translate(Number(va & 0xffffffffn), Number(va >> 32n), access, unprivileged)
  const fault = (va: bigint, access: 0 | 1 | 2 = 0, unprivileged = false): GuestException => {
    try {
      translate(va, access, unprivileged)
    } catch (e) {
      if (e instanceof GuestException) return e
      throw e
    }
    throw new Error('no fault')
  }
  return { cpu, state, poke, go, translate, fault }
}

const L1 = RAM + 0x10000
const L2 = RAM + 0x11000
const L3 = RAM + 0x12000

/** 39-bit TTBR0 space: VA 0x4000_0000 + n MB; L3 pages at VA 0x4000_0000..., a 2 MB block at VA 0x4020_0000. */
function stage1(m: ReturnType<typeof machine>) {
  const { cpu, poke } = m
  poke(L1 + 8, BigInt(L2) | TABLE)
  poke(L2, BigInt(L3) | TABLE)
  poke(L2 + 8, BigInt(RAM + 0x200000) | VALID | AF | UXN)
  poke(L3, BigInt(RAM + 0x5000) | PAGE | AF) // EL1 RW
  poke(L3 + 8, BigInt(RAM + 0x6000) | PAGE | AF | AP_READ_ONLY | UXN) // EL1 RO
  poke(L3 + 16, BigInt(RAM + 0x7000) | PAGE | AF | AP_USER | PXN) // EL0 RWX
  poke(L3 + 24, BigInt(RAM + 0x8000) | PAGE) // no AF
  poke(L3 + 32, (1n << 40n) | PAGE | AF) // beyond the output size
  poke(L3 + 40, 0x09000000n | PAGE | AF | 4n) // a device
  cpu.setReg(Slot.MAIR_EL1, 0x00ffn)
  cpu.sysWrite(sys(3, 0, 2, 0, 0), BigInt(L1) | (5n << 48n))
  cpu.sysWrite(sys(3, 0, 2, 0, 2), 25n | (1n << 23n) | (25n << 16n) | (2n << 32n) | (1n << 36n) | (1n << 37n))
  cpu.sysWrite(sys(3, 0, 1, 0, 0), 1n)
}

describe('stage 1 of EL1&0', () => {
  it('maps pages and blocks, and fills the TLB', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    expect(m.translate(0x40000123n)).toBe(RAM_BASE + 0x5123)
    expect(m.cpu.mmu.physical).toBe(RAM + 0x5123)
    expect(m.translate(0x40234567n, 1)).toBe(RAM_BASE + 0x234567)
    const context = m.state.i32[Off.context >> 2]!
    expect(m.cpu.mmu.tlb.probe(0x40234000, 0, context, 1)).toBeGreaterThan(0)
    expect(m.translate(0x40234560n, 0)).toBe(RAM_BASE + 0x234560)
  })
  it('ignores the tag byte with TBI', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    expect(m.translate(0xab00000040000010n)).toBe(RAM_BASE + 0x5010)
  })
  it('reports faults with their levels', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    expect(m.fault(0x40001000n, 1)).toMatchObject({ ec: 0x24, iss: 0x4f, far: 0x40001000n, target: 0 })
    expect(m.fault(0x40003000n)).toMatchObject({ iss: 0x0b })
    expect(m.fault(0x40004000n)).toMatchObject({ iss: 0x03 })
    expect(m.fault(0x40006000n)).toMatchObject({ iss: 0x07 })
    expect(m.fault(0x40400000n)).toMatchObject({ iss: 0x06 })
    expect(m.fault(0x80000000n)).toMatchObject({ iss: 0x05 })
    expect(m.fault(0x8000000000n)).toMatchObject({ iss: 0x04 })
    expect(m.fault(0xffffff8000000000n)).toMatchObject({ iss: 0x04 })
    expect(m.fault(0x40002000n, 2)).toMatchObject({ ec: 0x20, iss: 0x0f })
    expect(m.fault(0x40000000n, 0, true)).toMatchObject({ iss: 0x0f })
    expect(m.translate(0x40005010n)).toBe(0)
    expect(m.cpu.mmu).toMatchObject({ physical: 0x09000010, device: true })
  })
  it('gives EL0 its own permissions', () => {
    const m = machine()
    stage1(m)
    m.go(0)
    expect(m.translate(0x40002000n, 2)).toBe(RAM_BASE + 0x7000)
    expect(m.fault(0x40000000n)).toMatchObject({ iss: 0x0f })
    expect(m.fault(0x40001000n, 2)).toMatchObject({ ec: 0x20, iss: 0x0f })
    m.cpu.takeException(m.fault(0x40000000n))
    expect(m.cpu.reg(Slot.ESR_EL1)).toBe(0x9200000fn)
    expect(m.state.el).toBe(1)
  })
  it('does not give watched pages a write tag', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    m.translate(0x40000000n, 1)
    m.cpu.mmu.watch((RAM + 0x5000) / 4096)
    const context = m.state.i32[Off.context >> 2]!
    expect(m.cpu.mmu.tlb.probe(0x40000000, 0, context, 1)).toBe(-1)
    expect(m.translate(0x40000000n, 1)).toBe(RAM_BASE + 0x5000)
    expect(m.cpu.mmu.tryTranslate(0x40000000, 0, 1, false)).toBe(0)
    expect(m.cpu.mmu.tryTranslate(0x40000000, 0, 0, false)).toBe(RAM_BASE + 0x5000)
  })
})

describe('TLBI', () => {
  it('by address drops the page and only then the new mapping shows', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    m.translate(0x40000000n)
    m.poke(L3, BigInt(RAM + 0x9000) | PAGE | AF)
    expect(m.translate(0x40000000n)).toBe(RAM_BASE + 0x5000)
    m.cpu.sysOp(sys(1, 0, 8, 3, 7), 0x40000n)
    expect(m.translate(0x40000000n)).toBe(RAM_BASE + 0x9000)
  })
  it('by one address of a block drops every piece of it', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    m.translate(0x40234000n)
    m.translate(0x40201000n)
    m.poke(L2 + 8, 0n)
    m.cpu.sysOp(sys(1, 0, 8, 7, 1), 0x40234n)
    expect(m.fault(0x40201000n)).toMatchObject({ iss: 0x06 })
    expect(m.fault(0x40234000n)).toMatchObject({ iss: 0x06 })
  })
  it('by ASID and all gives new contexts', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    for (const [op, v] of [[sys(1, 0, 8, 3, 2), 0n], [sys(1, 0, 8, 7, 0), 0n]] as const) {
      const before = m.state.i32[Off.context >> 2]
      m.cpu.sysOp(op, v)
      expect(m.state.i32[Off.context >> 2] === before).toBe(op === sys(1, 0, 8, 3, 2))
    }
  })
  it('tells the code cache when instructions came from the page', () => {
    const m = machine()
    stage1(m)
    let forgotten = 0
    m.cpu.codeCache = { invalidateLine() {}, invalidateAll() {}, forgetLookups: () => forgotten++ }
    m.go(1)
    m.translate(0x40000000n, 2)
    m.translate(0x40001000n, 0)
    m.cpu.sysOp(sys(1, 0, 8, 3, 7), 0x40001n)
    expect(forgotten).toBe(0)
    m.cpu.sysOp(sys(1, 0, 8, 3, 7), 0x40000n)
    expect(forgotten).toBe(1)
  })
  it('knows of fetches after the page was read', () => {
    const m = machine()
    stage1(m)
    let forgotten = 0
    m.cpu.codeCache = { invalidateLine() {}, invalidateAll() {}, forgetLookups: () => forgotten++ }
    m.go(1)
    const context = m.state.i32[Off.context >> 2]!
    m.translate(0x40000000n, 0)
    expect(m.cpu.mmu.tlb.probe(0x40000000, 0, context, 2)).toBe(-1)
    m.translate(0x40000000n, 2)
    expect(m.cpu.mmu.tlb.probe(0x40000000, 0, context, 2)).toBeGreaterThan(0)
    m.cpu.sysOp(sys(1, 0, 8, 3, 7), 0x40000n)
    expect(forgotten).toBe(1)
  })
  it('is trapped by HCR_EL2.TTLB', () => {
    const m = machine()
    m.cpu.sysWrite(sys(3, 4, 1, 1, 0), 1n << 25n)
    m.go(1)
    expect(() => m.cpu.sysOp(sys(1, 0, 8, 7, 0), 0n)).toThrow(GuestException)
  })
  it('survives the end of the context numbers', () => {
    const m = machine()
    stage1(m)
    m.go(1)
    for (let asid = 0; asid < 5000; asid++) {
      m.cpu.sysWrite(sys(3, 0, 2, 0, 0), BigInt(L1) | (BigInt(asid) << 48n))
      expect(m.translate(0x40000000n)).toBe(RAM_BASE + 0x5000)
      expect(m.state.i32[Off.context >> 2]! & ~4095).toBe(0)
    }
  })
})

const S2_ROOT = RAM + 0x20000
const S2_L2 = RAM + 0x22000
const S2_L3 = RAM + 0x23000
/** VTCR_EL2 as a 40-bit IPA space: level 1 root, two concatenated tables. */
const VTCR = 0x80023558n

function stage2(m: ReturnType<typeof machine>) {
  const { cpu, poke } = m
  poke(S2_ROOT + 8, BigInt(S2_L2) | TABLE)
  // The second of the concatenated tables: IPA 2^39.
  poke(S2_ROOT + 4096, BigInt(RAM) | VALID | AF | S2_RW)
  for (let i = 0; i < 4; i++) poke(S2_L2 + i * 8, BigInt(RAM + i * 0x200000) | VALID | AF | S2_RW)
  cpu.sysWrite(sys(3, 4, 2, 1, 2), VTCR)
  cpu.sysWrite(sys(3, 4, 2, 1, 0), BigInt(S2_ROOT) | (3n << 48n))
  cpu.sysWrite(sys(3, 4, 1, 1, 0), 0x80000001n)
}

describe('stage 2', () => {
  it('translates through blocks and the second concatenated root table', () => {
    const m = machine()
    stage2(m)
    m.go(1)
    expect(m.translate(0x40005000n)).toBe(RAM_BASE + 0x5000)
    expect(m.translate(0x8000006000n)).toBe(RAM_BASE + 0x6000)
  })
  it('faults to EL2 with HPFAR_EL2 and the instruction syndrome', () => {
    const m = machine()
    stage2(m)
    m.go(1)
    m.state.pc = 0x40100000n
    // ldrsh w3, [x1]
    m.state.u32[(RAM_BASE + 0x100000) / 4] = 0x79c00023
    const e = m.fault(0x9000008n, 0)
    expect(e).toMatchObject({ ec: 0x24, target: 2, ipa: 0x9000008, far: 0x9000008n })
    expect(e.iss).toBe((1 << 24) | (1 << 22) | (1 << 21) | (3 << 16) | 0x05)
    m.cpu.takeException(e)
    expect(m.state.el).toBe(2)
    expect(m.cpu.reg(Slot.HPFAR_EL2)).toBe(0x90000n)
    expect(m.cpu.reg(Slot.ESR_EL2) >> 26n).toBe(0x24n)
    expect(m.cpu.reg(Slot.ELR_EL2)).toBe(0x40100000n)
    expect(m.state.pc).toBe(0x400n)
  })
  it('reports a stage 1 table without stage 2 mapping as S1PTW with the IPA of the table', () => {
    const m = machine()
    stage2(m)
    stage1(m)
    m.cpu.setReg(Slot.TTBR0_EL1, BigInt(L1) | (5n << 48n))
    m.poke(L1 + 16, 0x7f000003n)
    m.go(1)
    expect(m.translate(0x40000000n)).toBe(RAM_BASE + 0x5000)
    const e = m.fault(0x80201000n, 1)
    expect(e).toMatchObject({ ec: 0x24, target: 2, iss: 0x80 | 0x40 | 0x06, ipa: 0x7f000000 + 8, far: 0x80201000n })
    expect(m.fault(0x80201000n, 2)).toMatchObject({ ec: 0x20, target: 2, iss: 0x86, ipa: 0x7f000008 })
  })
  it('combines permissions and keeps page granularity under a stage 1 block', () => {
    const m = machine()
    stage2(m)
    stage1(m)
    m.poke(S2_L2 + 8, BigInt(S2_L3) | TABLE)
    m.poke(S2_L3 + 0x34 * 8, BigInt(RAM + 0x300000) | PAGE | AF | 0x3cn | 0x40n) // read-only
    m.go(1)
    expect(m.translate(0x40234010n)).toBe(RAM_BASE + 0x300010)
    expect(m.fault(0x40234010n, 1)).toMatchObject({ target: 2, ipa: RAM + 0x234010 })
    expect(m.fault(0x40234010n, 1).iss & 0x7f).toBe(0x4f)
    expect(m.fault(0x40235000n, 0).iss & 0x3f).toBe(0x07)
  })
  it('keeps VMIDs apart and forgets one with VMALLS12E1', () => {
    const m = machine()
    stage2(m)
    m.go(1)
    const first = m.state.i32[Off.context >> 2]
    m.translate(0x40005000n)
    m.cpu.takeException(new GuestException(0x16, 0, 2))
    m.cpu.sysWrite(sys(3, 4, 2, 1, 0), BigInt(S2_ROOT) | (4n << 48n))
    m.go(1)
    expect(m.state.i32[Off.context >> 2]).not.toBe(first)
    m.cpu.takeException(new GuestException(0x16, 0, 2))
    m.cpu.sysWrite(sys(3, 4, 2, 1, 0), BigInt(S2_ROOT) | (3n << 48n))
    m.go(1)
    expect(m.state.i32[Off.context >> 2]).toBe(first)
    m.cpu.takeException(new GuestException(0x16, 0, 2))
    m.cpu.sysOp(sys(1, 4, 8, 3, 6), 0n)
    m.go(1)
    expect(m.state.i32[Off.context >> 2]).not.toBe(first)
  })
})

describe('AT', () => {
  it('fills PAR_EL1 with the address or the fault', () => {
    const m = machine()
    stage1(m)
    stage2(m)
    m.go(1)
    m.cpu.sysOp(sys(1, 0, 7, 8, 0), 0x40000000n)
    expect(m.cpu.reg(Slot.PAR_EL1) & 0xff0000fffffff001n).toBe(0xff00000000000000n | BigInt(RAM + 0x5000))
    m.cpu.sysOp(sys(1, 0, 7, 8, 1), 0x40001000n)
    expect(m.cpu.reg(Slot.PAR_EL1)).toBe(0x81fn)
    m.cpu.sysOp(sys(1, 0, 7, 8, 2), 0x40001000n)
    expect(m.cpu.reg(Slot.PAR_EL1)).toBe(0x81fn)
  })
  it('reports a stage 2 fault of AT S12E1R at EL2 in PAR_EL1', () => {
    const m = machine()
    stage1(m)
    stage2(m)
    m.poke(S2_L2, 0n)
    m.cpu.sysOp(sys(1, 4, 7, 8, 4), 0x40000000n)
    // S, PTW, RES1, level 2 translation fault
    expect(m.cpu.reg(Slot.PAR_EL1)).toBe(0xb0dn)
  })
})

describe('the EL2 regime', () => {
  it('uses TTBR0_EL2 and XN', () => {
    const m = machine()
    const { cpu, poke } = m
    poke(L1 + 8, BigInt(L2) | TABLE)
    poke(L2, BigInt(RAM) | VALID | AF | UXN)
    cpu.setReg(Slot.MAIR_EL2, 0xffn)
    cpu.sysWrite(sys(3, 4, 2, 0, 0), BigInt(L1))
    cpu.sysWrite(sys(3, 4, 2, 0, 2), 25n | (2n << 16n))
    cpu.sysWrite(sys(3, 4, 1, 0, 0), 1n)
    expect(m.translate(0x40001000n, 1)).toBe(RAM_BASE + 0x1000)
    expect(m.fault(0x40001000n, 2)).toMatchObject({ ec: 0x20, iss: 0x0e })
    expect(m.fault(0xffff000040001000n)).toMatchObject({ iss: 0x04 })
    cpu.takeException(m.fault(0x80000000n))
    expect(cpu.reg(Slot.ESR_EL2)).toBe(0x96000005n)
    expect(m.state.pc).toBe(0x200n)
  })
})
