import { describe, expect, it } from 'vitest'
import { sys } from '../../cpu/encoding.ts'
import { Gic } from './gic.ts'

const PMR = sys(3, 0, 4, 6, 0)
const IAR0 = sys(3, 0, 12, 8, 0)
const EOIR0 = sys(3, 0, 12, 8, 1)
const BPR0 = sys(3, 0, 12, 8, 3)
const AP1R0 = sys(3, 0, 12, 9, 0)
const DIR = sys(3, 0, 12, 11, 1)
const RPR = sys(3, 0, 12, 11, 3)
const SGI1R = sys(3, 0, 12, 11, 5)
const SGI0R = sys(3, 0, 12, 11, 7)
const IAR1 = sys(3, 0, 12, 12, 0)
const EOIR1 = sys(3, 0, 12, 12, 1)
const HPPIR1 = sys(3, 0, 12, 12, 2)
const BPR1 = sys(3, 0, 12, 12, 3)
const CTLR = sys(3, 0, 12, 12, 4)
const SRE1 = sys(3, 0, 12, 12, 5)
const IGRPEN0 = sys(3, 0, 12, 12, 6)
const IGRPEN1 = sys(3, 0, 12, 12, 7)
const SRE2 = sys(3, 4, 12, 9, 5)
const ICH_AP1R0 = sys(3, 4, 12, 9, 0)
const ICH_HCR = sys(3, 4, 12, 11, 0)
const ICH_VTR = sys(3, 4, 12, 11, 1)
const ICH_MISR = sys(3, 4, 12, 11, 2)
const ICH_EISR = sys(3, 4, 12, 11, 3)
const ICH_ELRSR = sys(3, 4, 12, 11, 5)
const ICH_VMCR = sys(3, 4, 12, 11, 7)
const lrOf = (n: number): number => sys(3, 4, 12, 12, n)

function bench() {
  const lines = { irq: false, fiq: false, virq: false, vfiq: false, changes: 0 }
  const routing = { imo: false, fmo: false }
  const gic = new Gic({
    routing,
    onLines: (irq, fiq, virq, vfiq) => {
      Object.assign(lines, { irq, fiq, virq, vfiq, changes: lines.changes + 1 })
    },
  })
  const read = (r: number, el = 1): number => {
    const v = gic.readSystemRegister(r, el)
    if (v === undefined) throw new Error(`no register ${r.toString(16)}`)
    return Number(v)
  }
  const write = (r: number, v: number | bigint, el = 1): void => {
    if (!gic.writeSystemRegister(r, BigInt(v), el)) throw new Error(`no register ${r.toString(16)}`)
  }
  const d = (o: number): number => Number(gic.distributor.read(o, 4))
  const setD = (o: number, v: number, bytes = 4): void => gic.distributor.write(o, bytes, BigInt(v))
  const r = (o: number): number => Number(gic.redistributor.read(o, 4))
  const setR = (o: number, v: number, bytes = 4): void => gic.redistributor.write(o, bytes, BigInt(v))
  /** Group 1, enabled, with this priority. */
  const arm = (intid: number, priority: number, group: 0 | 1 = 1): void => {
    const [frame, set] = intid < 32 ? ([0x10000, setR] as const) : ([0, setD] as const)
    const get = intid < 32 ? r : d
    const word = (intid >> 5) * 4
    const bit = 2 ** (intid & 31)
    const groups = get(frame + 0x80 + word)
    set(frame + 0x80 + word, (group ? groups | bit : groups & ~bit) >>> 0)
    set(frame + 0x400 + intid, priority, 1)
    set(frame + 0x100 + word, bit)
  }
  const open = (): void => {
    setD(0, 3)
    write(PMR, 0xff)
    write(IGRPEN0, 1)
    write(IGRPEN1, 1)
  }
  return { gic, lines, routing, read, write, d, setD, r, setR, arm, open }
}

describe('register values as QEMU shows them', () => {
  it('distributor', () => {
    const { d, setD, gic } = bench()
    expect(d(0)).toBe(0x50)
    setD(0, 0xffffffff)
    expect(d(0)).toBe(0x53)
    expect(d(4)).toBe(0x03780008) // 288 INTIDs, no LPIs
    expect(d(8)).toBe(0x43b)
    expect(d(0xc)).toBe(0)
    expect([0xffd0, 0xffe0, 0xffe4, 0xffe8, 0xffec, 0xfff0, 0xfff4, 0xfff8, 0xfffc].map(d)).toEqual([
      0x44, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1,
    ])
    setD(0x80, 0xffffffff)
    expect(d(0x80)).toBe(0) // INTIDs 0-31 are the redistributor's
    setD(0x120, 0xffffffff)
    expect(d(0x120)).toBe(0xffffffff)
    setD(0x124, 0xffffffff)
    expect(d(0x124)).toBe(0)
    setD(0xc08, 0xffffffff)
    expect(d(0xc08)).toBe(0xaaaaaaaa)
    setD(0x404, 0xffffffff)
    expect(d(0x404)).toBe(0)
    setD(0xd04, 0xffffffff)
    expect(d(0xd04)).toBe(0)
    gic.distributor.write(0x6100, 8, 0xffff_ffff_ffff_ffffn)
    expect(gic.distributor.read(0x6100, 8)).toBe(0xff_00ff_ffffn)
    setD(0x420, 0x12345678)
    expect(d(0x420)).toBe(0x10305078)
    setD(0x421, 0xff, 1)
    expect(gic.distributor.read(0x421, 1)).toBe(0xf8n)
    expect(gic.distributor.read(0x420, 2)).toBe(0xf878n)
  })

  it('redistributor', () => {
    const { r, setR } = bench()
    expect(r(0)).toBe(0)
    expect(r(8)).toBe(0x01000010)
    expect(r(12)).toBe(0)
    expect(r(0x14)).toBe(6)
    setR(0x14, 0)
    expect(r(0x14)).toBe(0)
    expect(r(0xffe0)).toBe(0x93)
    expect(r(0xffe8)).toBe(0x3b)
    expect(r(0x10c00)).toBe(0xaaaaaaaa)
    setR(0x10c04, 0xffffffff)
    expect(r(0x10c04)).toBe(0xaaaaaaaa)
    setR(0x10c00, 0)
    expect(r(0x10c00)).toBe(0xaaaaaaaa)
    setR(0x10080, 0xffffffff)
    expect(r(0x10080)).toBe(0xffffffff)
    setR(0x10084, 0xffffffff)
    expect(r(0x10084)).toBe(0)
  })

  it('CPU interface', () => {
    const { read, write } = bench()
    expect(read(SRE1)).toBe(7)
    expect(read(SRE2, 2)).toBe(15)
    expect(read(CTLR)).toBe(0x8c00)
    write(CTLR, 0xffffffff)
    expect(read(CTLR)).toBe(0x8c03)
    write(CTLR, 0)
    expect([read(BPR0), read(BPR1)]).toEqual([2, 3])
    write(BPR0, 0)
    write(BPR1, 0)
    expect([read(BPR0), read(BPR1)]).toEqual([2, 3])
    write(PMR, 0xff)
    expect(read(PMR)).toBe(0xf8)
    expect(read(RPR)).toBe(0xff)
    expect(read(HPPIR1)).toBe(1023)
    write(CTLR, 1)
    write(BPR1, 7)
    expect(read(BPR1)).toBe(3) // CBPR: BPR0 + 1
  })

  it('virtual interface control', () => {
    const { read, write } = bench()
    expect(read(ICH_VTR, 2)).toBe(0x90b80003)
    write(ICH_VMCR, 0xffffffff, 2)
    expect(read(ICH_VMCR, 2)).toBe(0xf8fc021b) // QEMU keeps all eight bits of VPMR here
    write(ICH_VMCR, 0, 2)
    expect(read(ICH_VMCR, 2)).toBe(0x004c0008)
    write(ICH_HCR, 0xffffffff, 2)
    expect(read(ICH_HCR, 2)).toBe(0xf8007cff)
    expect(read(ICH_MISR, 2)).toBe(0xae)
    expect(read(ICH_EISR, 2)).toBe(0)
    expect(read(ICH_ELRSR, 2)).toBe(15)
  })

  it('has no register in the wrong direction, and none of the absent ones', () => {
    const { gic } = bench()
    expect(gic.readSystemRegister(EOIR1, 1)).toBeUndefined()
    expect(gic.readSystemRegister(SGI1R, 1)).toBeUndefined()
    expect(gic.writeSystemRegister(IAR1, 0n, 1)).toBe(false)
    expect(gic.writeSystemRegister(ICH_VTR, 0n, 2)).toBe(false)
    expect(gic.readSystemRegister(lrOf(4), 2)).toBeUndefined()
    expect(gic.readSystemRegister(sys(3, 0, 12, 8, 5), 1)).toBeUndefined()
  })
})

describe('physical interrupts', () => {
  it('level-sensitive: acknowledge, priority drop and deactivation, then again while the wire is high', () => {
    const { gic, lines, read, write, arm, open, d } = bench()
    open()
    arm(33, 0xa0)
    gic.setLine(33, true)
    expect(lines.irq).toBe(true)
    expect(lines.fiq).toBe(false)
    expect(read(HPPIR1)).toBe(33)
    expect(read(IAR1)).toBe(33)
    expect(lines.irq).toBe(false)
    expect(read(RPR)).toBe(0xa0)
    expect(d(0x304) & 2).toBe(2)
    expect(d(0x204) & 2).toBe(2) // active and pending
    expect(read(IAR1)).toBe(1023)
    write(EOIR1, 33)
    expect(read(RPR)).toBe(0xff)
    expect(lines.irq).toBe(true)
    expect(read(IAR1)).toBe(33)
    gic.setLine(33, false)
    write(EOIR1, 33)
    expect(lines.irq).toBe(false)
  })

  it('EOImode 1: EOIR drops the priority, DIR deactivates', () => {
    const { gic, lines, read, write, arm, open } = bench()
    open()
    write(CTLR, 2)
    arm(33, 0xa0)
    arm(34, 0xb0)
    gic.setLine(33, true)
    expect(read(IAR1)).toBe(33)
    gic.setLine(34, true)
    expect(lines.irq).toBe(false) // lower priority than what runs
    write(EOIR1, 33)
    expect(lines.irq).toBe(true)
    expect(read(IAR1)).toBe(34) // 33 is still active
    write(EOIR1, 34)
    expect(lines.irq).toBe(false)
    write(DIR, 33)
    expect(lines.irq).toBe(true)
    expect(read(IAR1)).toBe(33)
  })

  it('DIR does nothing with EOImode 0', () => {
    const { gic, read, write, arm, open, d } = bench()
    open()
    arm(33, 0xa0)
    gic.setLine(33, true)
    read(IAR1)
    write(DIR, 33)
    expect(d(0x304)).toBe(2)
  })

  it('edge-triggered: one pulse, one interrupt; a pulse while active pends again', () => {
    const { gic, lines, read, write, arm, open, setD } = bench()
    open()
    setD(0xc08, 8) // INTID 33 edge
    arm(33, 0xa0)
    gic.setLine(33, true)
    gic.setLine(33, false)
    expect(lines.irq).toBe(true)
    expect(read(IAR1)).toBe(33)
    gic.setLine(33, true)
    write(EOIR1, 33)
    expect(read(IAR1)).toBe(33)
    write(EOIR1, 33)
    expect(read(IAR1)).toBe(1023)
  })

  it('priority order, ties by INTID, and the priority mask', () => {
    const { gic, lines, read, write, arm, open } = bench()
    open()
    arm(40, 0xa0)
    arm(35, 0xa0)
    arm(200, 0x80)
    for (const i of [40, 35, 200]) gic.setLine(i, true)
    write(PMR, 0x80)
    expect(lines.irq).toBe(false)
    expect(read(IAR1)).toBe(1023)
    expect(read(HPPIR1)).toBe(200)
    write(PMR, 0x88)
    expect(lines.irq).toBe(true)
    expect(read(IAR1)).toBe(200)
    write(EOIR1, 200)
    gic.setLine(200, false)
    write(PMR, 0xf8)
    expect(read(IAR1)).toBe(35)
  })

  it('preemption by group priority: the binary point decides, and EOIs come back in reverse order', () => {
    const { gic, lines, read, write, arm, open } = bench()
    open()
    arm(33, 0xa0)
    arm(34, 0x88)
    gic.setLine(33, true)
    expect(read(IAR1)).toBe(33)
    write(BPR1, 6) // group priority is bits 7:6: 0xa0 and 0x88 are equal
    gic.setLine(34, true)
    expect(lines.irq).toBe(false)
    write(BPR1, 3)
    expect(lines.irq).toBe(true)
    expect(read(IAR1)).toBe(34)
    expect(read(RPR)).toBe(0x88)
    expect(read(AP1R0)).toBe((1 << (0xa0 >> 3)) | (1 << (0x88 >> 3)))
    write(EOIR1, 34)
    expect(read(RPR)).toBe(0xa0)
    write(EOIR1, 33)
    expect(read(RPR)).toBe(0xff)
  })

  it('Group 0 comes as FIQ and by the group 0 registers', () => {
    const { gic, lines, read, write, arm, open, setD } = bench()
    open()
    arm(33, 0xa0, 0)
    gic.setLine(33, true)
    expect(lines).toMatchObject({ irq: false, fiq: true })
    expect(read(IAR1)).toBe(1023)
    expect(read(IAR0)).toBe(33)
    write(EOIR1, 33)
    expect(read(RPR)).toBe(0xa0)
    write(EOIR0, 33)
    expect(read(RPR)).toBe(0xff)
    setD(0, 2)
    expect(lines.fiq).toBe(false)
  })

  it('a disabled group does not hide the other one', () => {
    const { gic, lines, write, arm, open } = bench()
    open()
    arm(33, 0x10, 0)
    arm(34, 0xa0, 1)
    gic.setLine(33, true)
    gic.setLine(34, true)
    expect(lines).toMatchObject({ irq: false, fiq: true })
    write(IGRPEN0, 0)
    expect(lines).toMatchObject({ irq: true, fiq: false })
  })

  it('an SPI routed to another affinity does not arrive', () => {
    const { gic, lines, arm, open } = bench()
    open()
    arm(33, 0xa0)
    gic.distributor.write(0x6000 + 8 * 33, 8, 1n)
    gic.setLine(33, true)
    expect(lines.irq).toBe(false)
    gic.distributor.write(0x6000 + 8 * 33, 4, 0n)
    expect(lines.irq).toBe(true)
  })

  it('SGIs: to self, to others, to all but self, and group mismatch', () => {
    const { lines, read, write, arm, open } = bench()
    open()
    arm(3, 0xa0)
    write(SGI1R, (3n << 24n) | 2n)
    write(SGI1R, (3n << 24n) | 1n | (1n << 16n))
    write(SGI1R, (3n << 24n) | 1n | (1n << 40n))
    write(SGI0R, (3n << 24n) | 1n)
    expect(lines.irq).toBe(false)
    write(SGI1R, (3n << 24n) | 1n)
    expect(read(IAR1)).toBe(3)
    write(EOIR1, 3)
    expect(lines.irq).toBe(false)
  })

  it('software pending, ICPENDR and ICENABLER', () => {
    const { lines, arm, open, setD } = bench()
    open()
    arm(64, 0)
    setD(0x208, 1)
    expect(lines.irq).toBe(true)
    setD(0x288, 1)
    expect(lines.irq).toBe(false)
    setD(0x208, 1)
    setD(0x188, 1)
    expect(lines.irq).toBe(false)
  })

  it('tells the CPU only about changes', () => {
    const { gic, lines, arm, open } = bench()
    open()
    arm(33, 0xa0)
    expect(lines.changes).toBe(0)
    gic.setLine(33, true)
    gic.setLine(33, true)
    expect(lines.changes).toBe(1)
  })
})

describe('virtual interrupts', () => {
  const PENDING = 1n << 62n
  const HW = 1n << 61n
  const GROUP1 = 1n << 60n
  const EOI = 1n << 41n
  const lr = (intid: number, priority: number, flags: bigint): bigint =>
    BigInt(intid) | (BigInt(priority) << 48n) | flags

  function guest() {
    const b = bench()
    b.open()
    b.routing.imo = true
    b.routing.fmo = true
    b.write(ICH_HCR, 1, 2)
    b.write(ICH_VMCR, 0xf8000002, 2)
    return b
  }

  it('the guest sees list registers, the physical interface stays untouched', () => {
    const { lines, read, write } = guest()
    write(lrOf(0), lr(27, 0xa0, PENDING | GROUP1), 2)
    expect(lines.virq).toBe(true)
    expect(read(HPPIR1)).toBe(27)
    expect(read(HPPIR1, 2)).toBe(1023)
    expect(read(IAR1)).toBe(27)
    expect(lines.virq).toBe(false)
    expect(read(RPR)).toBe(0xa0)
    expect(read(RPR, 2)).toBe(0xff)
    expect(read(ICH_AP1R0, 2)).toBe(1 << (0xa0 >> 3))
    expect(read(ICH_ELRSR, 2)).toBe(14)
    write(EOIR1, 27)
    expect(read(ICH_ELRSR, 2)).toBe(15)
    expect(read(RPR)).toBe(0xff)
  })

  it('a list register with HW deactivates the physical interrupt', () => {
    const { gic, lines, read, write, arm } = guest()
    arm(27, 0x80)
    write(CTLR, 2, 2)
    gic.setLine(27, true)
    expect(read(IAR1, 2)).toBe(27)
    write(EOIR1, 27, 2)
    expect(lines.irq).toBe(false)
    write(lrOf(1), lr(27, 0xa0, PENDING | GROUP1 | HW | (27n << 32n)), 2)
    expect(read(IAR1)).toBe(27)
    write(EOIR1, 27)
    expect(lines.irq).toBe(true) // its wire is still high
  })

  it('EOImode 1 in the guest: EOIR drops, DIR deactivates, unknown INTIDs count', () => {
    const { read, write } = guest()
    write(CTLR, 2)
    expect(read(ICH_VMCR, 2) & 0x200).toBe(0x200)
    write(lrOf(0), lr(40, 0xa0, PENDING | GROUP1), 2)
    expect(read(IAR1)).toBe(40)
    write(EOIR1, 40)
    expect(read(RPR)).toBe(0xff)
    expect(read(ICH_ELRSR, 2)).toBe(14)
    write(DIR, 41)
    expect(read(ICH_HCR, 2) >>> 27).toBe(1)
    write(DIR, 40)
    expect(read(ICH_ELRSR, 2)).toBe(15)
  })

  it('EOI of an interrupt in no list register counts in EOIcount, mode 0', () => {
    const { read, write } = guest()
    write(ICH_AP1R0, 1 << 20, 2)
    write(EOIR1, 99)
    expect(read(ICH_HCR, 2) >>> 27).toBe(1)
    expect(read(ICH_AP1R0, 2)).toBe(0)
    write(EOIR1, 99)
    expect(read(ICH_HCR, 2) >>> 27).toBe(1) // nothing was running
  })

  it('the maintenance interrupt: EOI, underflow, no pending', () => {
    const { lines, read, write, arm } = guest()
    arm(25, 0x80)
    write(lrOf(2), lr(50, 0xa0, PENDING | GROUP1 | EOI), 2)
    expect(read(ICH_EISR, 2)).toBe(0)
    expect(read(IAR1)).toBe(50)
    write(EOIR1, 50)
    expect(read(ICH_EISR, 2)).toBe(4)
    expect(read(ICH_ELRSR, 2)).toBe(11)
    expect(read(ICH_MISR, 2)).toBe(1)
    expect(lines.irq).toBe(true)
    expect(read(IAR1, 2)).toBe(25)
    write(lrOf(2), 0, 2)
    write(EOIR1, 25, 2)
    expect(lines.irq).toBe(false)
    write(ICH_HCR, 1 | (1 << 3), 2)
    expect(read(ICH_MISR, 2)).toBe(8)
    expect(lines.irq).toBe(true)
    write(ICH_HCR, 1 << 3, 2)
    expect(lines.irq).toBe(false) // En = 0
  })

  it('virtual priorities: mask, preemption, both groups', () => {
    const { lines, read, write } = guest()
    write(IGRPEN0, 1)
    write(lrOf(0), lr(40, 0xa0, PENDING | GROUP1), 2)
    write(PMR, 0xa0)
    expect(lines.virq).toBe(false)
    write(PMR, 0xf0)
    expect(read(IAR1)).toBe(40)
    write(lrOf(1), lr(41, 0x80, PENDING), 2)
    expect(lines).toMatchObject({ virq: false, vfiq: true })
    expect(read(IAR1)).toBe(1023)
    expect(read(IAR0)).toBe(41)
    expect(read(RPR)).toBe(0x80)
    write(EOIR0, 41)
    expect(read(RPR)).toBe(0xa0)
  })

  it('ICH_HCR_EL2.En = 0 silences the guest', () => {
    const { lines, read, write } = guest()
    write(lrOf(0), lr(40, 0xa0, PENDING | GROUP1), 2)
    write(ICH_HCR, 0, 2)
    expect(lines.virq).toBe(false)
    expect(read(IAR1)).toBe(1023)
  })

  it('a special INTID in a list register is used up without becoming active', () => {
    const { read, write } = guest()
    write(lrOf(0), lr(1021, 0xa0, PENDING | GROUP1), 2)
    expect(read(IAR1)).toBe(1021)
    expect(read(ICH_ELRSR, 2)).toBe(15)
    expect(read(RPR)).toBe(0xff)
  })
})
