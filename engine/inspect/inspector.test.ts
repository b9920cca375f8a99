import { describe, expect, it } from 'vitest'
import { Slot } from '../cpu/register-slots.ts'
import { CpuState, RAM_BASE, SYSREG_BASE } from '../cpu/state.ts'
import { Btf } from './btf.ts'
import { HypPageLayout } from './hyp-page.ts'
import { AnnotationFormat } from './invalid-annotation.ts'
import { Inspector } from './inspector.ts'
import { ownershipJson, ownershipReport } from './ownership-report.ts'
import { descriptorFields } from './descriptor.ts'
import { kallsymsTables, pkvmTypes, random, type SyntheticSymbol } from './synthetic-image.test-double.ts'
import { stage2Tables } from './translation-regimes.ts'

const PA = 0x40000000
const KERNEL = 0x40200000
const RAM_BYTES = 8 << 20
/** Hypervisor VA = PA + this, for everything but the vmemmap. */
const HYP_DISTANCE = 0x8000_0000_0000n - 0x4000_0000n
const VMEMMAP_VA = 0x6000_0000_0000n

const VARIABLES = [
  'tainted_mask',
  'kvm_mode',
  'kimage_voffset',
  '__kvm_nvhe___hyp_vmemmap',
  '__kvm_nvhe_hyp_physvirt_offset',
  '__kvm_nvhe_vm_table',
  '__kvm_nvhe_hyp_memblock_nr',
  '__kvm_nvhe_hyp_memory',
  '__kvm_nvhe_host_mmu',
  '__kvm_nvhe_kvm_init_params',
]
const variableOffset = (name: string) => 0x1000 + VARIABLES.indexOf(name) * 64

function image(options: { symbols?: boolean; types?: boolean } = {}): Uint8Array {
  const bytes = new Uint8Array(0x20000)
  const btf = pkvmTypes()
  const symbols: SyntheticSymbol[] = [
    { name: '_text', type: 'T', offset: 0 },
    { name: '__kvm_nvhe_handle_trap', type: 't', offset: 0x800 },
    ...VARIABLES.map((name) => ({ name, type: 'd', offset: variableOffset(name) })),
    ...(options.types === false
      ? []
      : [
          { name: '__start_BTF', type: 'R', offset: 0x4000 },
          { name: '__stop_BTF', type: 'R', offset: 0x4000 + btf.length },
        ]),
    // As many as give more than one marker.
    ...Array.from({ length: 600 }, (_, i) => ({ name: `data_${i}`, type: 'd', offset: 0x2000 + i * 8 })),
    { name: '_end', type: 'B', offset: 0x20000 },
  ]
  bytes.set(btf, 0x4000)
  if (options.symbols !== false) bytes.set(kallsymsTables(symbols, 0x10000), 0x10000)
  return bytes
}

/** A machine in which pKVM runs: VM 0x1000 has page 0x40600000 to itself and shares 0x40601000 with the host. */
class Fake {
  readonly cpu = { state: new CpuState(new ArrayBuffer(RAM_BASE + RAM_BYTES)) }
  readonly boot = { kernelStart: KERNEL }
  private nextTable = 0x40400000

  constructor() {
    this.register(Slot.SCTLR_EL2, 1n)
    this.register(Slot.TCR_EL2, 16n)
    this.register(Slot.HCR_EL2, 1n)
    const root = this.table()
    this.register(Slot.TTBR0_EL2, BigInt(root))
    // vmemmap: 8 bytes a page from PA 0; the records of RAM lie in pages of 512.
    for (let page = 0; page < RAM_BYTES / 4096; page += 512)
      this.map1(root, VMEMMAP_VA + BigInt((PA / 4096 + page) * 8), 0x40300000 + page * 8)
    for (let pa = PA; pa < PA + RAM_BYTES; pa += 4096) this.map1(root, BigInt(pa) + HYP_DISTANCE, pa)
    this.variable('kvm_mode', 1n)
    this.variable('kimage_voffset', 0xffff_8000_0000_0000n - BigInt(KERNEL))
    this.variable('__kvm_nvhe___hyp_vmemmap', VMEMMAP_VA)
    this.variable('__kvm_nvhe_hyp_physvirt_offset', BigInt.asUintN(64, -HYP_DISTANCE))
    this.variable('__kvm_nvhe_hyp_memblock_nr', 1n)
    this.set(KERNEL + variableOffset('__kvm_nvhe_hyp_memory'), BigInt(PA), BigInt(RAM_BYTES))
    // VTCR_EL2: T0SZ 24, SL0 1 (start at level 1, two tables).
    const host = this.table(2)
    this.set(KERNEL + variableOffset('__kvm_nvhe_host_mmu') + 8, BigInt(host), (1n << 6n) | 24n)
    this.leaf(host, 0x40600000, 0x2000_0000_0000_0004n | (0x1000n << 4n) | (0x40000n << 20n))
    this.record(0x600, 0x03000000)
    this.record(0x601, 0x02000000)
    this.record(0x602, 0x33000000)
    this.record(0x603, 0x11000001)
    // vm_table and the VM.
    this.variable('__kvm_nvhe_vm_table', 0x40500000n + HYP_DISTANCE)
    const guest = this.table(2)
    this.leaf(guest, 0x40000000, 0x40600000n | 0x7ffn)
    this.leaf(guest, 0x40001000, 0x40601000n | 0x7ffn | (1n << 55n))
    this.set(0x40500000, 0x40501000n + HYP_DISTANCE, 0xa110ca7edn)
    // created_vcpus, then at 8: arch = vmid, pgd_phys, vtcr, then at 40: handle, is_protected, is_dying.
    this.set(0x40501000, 1n, 1n, BigInt(guest), (1n << 6n) | 24n, 0n, 0x1000n | (1n << 16n), 0x40502000n + HYP_DISTANCE)
    this.set(0x40502000, 0n, 1n)
  }

  ram(): Uint8Array {
    return this.cpu.state.bytes.subarray(RAM_BASE, RAM_BASE + RAM_BYTES)
  }
  register(slot: number, value: bigint): void {
    this.cpu.state.u64[(SYSREG_BASE >> 3) + slot] = value
  }
  set(physical: number, ...values: bigint[]): void {
    for (const [i, v] of values.entries()) this.cpu.state.u64[(physical - PA + RAM_BASE) / 8 + i] = v
  }
  get(physical: number): bigint {
    return this.cpu.state.u64[(physical - PA + RAM_BASE) / 8]!
  }
  variable(name: string, value: bigint): void {
    this.set(KERNEL + variableOffset(name), value)
  }
  record(page: number, value: number): void {
    this.set(0x40300000 + page * 8, BigInt(value))
  }
  private table(pages = 1): number {
    const at = this.nextTable
    this.nextTable += pages * 4096
    return at
  }
  private descend(at: number): number {
    if ((this.get(at) & 1n) === 0n) this.set(at, BigInt(this.table()) | 3n)
    return Number(this.get(at) & 0xffff_ffff_f000n)
  }
  private map1(root: number, va: bigint, pa: number): void {
    let table = root
    for (const shift of [39n, 30n, 21n]) table = this.descend(table + Number((va >> shift) & 511n) * 8)
    this.set(table + Number((va >> 12n) & 511n) * 8, BigInt(pa) | 0x743n)
  }
  /** A level 3 entry of stage 2 tables that start at level 1. */
  leaf(root: number, ipa: number, entry: bigint): void {
    const level2 = this.descend(root + Math.floor(ipa / 2 ** 30) * 8)
    const level3 = this.descend(level2 + ((ipa >>> 21) & 511) * 8)
    this.set(level3 + ((ipa >>> 12) & 511) * 8, entry)
  }
}

describe('the inspector', () => {
  const fake = new Fake()
  const inspector = new Inspector(fake, image())

  it('reads the pair of states and the owner of every page', () => {
    const report = ownershipReport(inspector)
    expect(report.unknown).toBeUndefined()
    const pages = [...report.pages]
    expect(pages.length).toBe(2048)
    expect(pages[0]).toEqual({ host: 'OWNED', hyp: 'NOPAGE', owner: 'host' })
    expect(pages[0x600]).toEqual({ host: 'NOPAGE', hyp: 'NOPAGE', owner: { handle: 0x1000, gfn: 0x40000 } })
    expect(pages[0x601]).toEqual({ host: 'SHARED_BORROWED', hyp: 'NOPAGE', owner: { handle: 0x1000, gfn: 0x40001 } })
    expect(pages[0x602]).toEqual({ host: 'NOPAGE', hyp: 'OWNED', owner: 'hyp' })
    expect(pages[0x603]).toEqual({ host: 'SHARED_OWNED', hyp: 'SHARED_BORROWED', owner: 'host' })
    expect(report.conflicts).toEqual([])
    expect(report.vms).toEqual([
      {
        handle: 0x1000,
        protected: true,
        state: 'live',
        vmid: 1,
        vcpus: [{ index: 0, loaded: true }],
        owned: 1,
        shared: 1,
        borrowed: 0,
        poisoned: 0,
      },
      {
        handle: 0x1001,
        protected: null,
        state: 'reserved',
        vmid: null,
        vcpus: [],
        owned: 0,
        shared: 0,
        borrowed: 0,
        poisoned: 0,
      },
    ])
    expect(JSON.parse([...ownershipJson(ownershipReport(inspector))].join('')).pages.length).toBe(2048)
  })

  it('explains a page', () => {
    const page = inspector.page(0x40600123)
    expect(page.record).toMatchObject({
      known: true,
      value: { raw: 0x03000000n, host: 'NOPAGE', hyp: 'NOPAGE', order: 0 },
    })
    expect(page.hostWalk).toMatchObject({ known: true, value: { result: { kind: 'invalid', level: 3 } } })
    expect(inspector.page(KERNEL + 0x1000).symbol).toBe('tainted_mask')
  })

  it('walks the tables of a guest', () => {
    const walk = inspector.walkGuest(0x1000, 0x40001234n)
    if (!walk.known) throw new Error(walk.why)
    expect(walk.value.result).toEqual({ kind: 'mapped', output: 0x40601234, level: 3, bytes: 4096 })
    expect(walk.value.steps.map((s) => [s.level, s.index, s.kind])).toEqual([
      [1, 1, 'table'],
      [2, 0, 'table'],
      [3, 1, 'page'],
    ])
    expect(inspector.walkGuest(0x2000, 0n).known).toBe(false)
  })

  it('walks EL2', () => {
    const walk = inspector.walkVirtual(0x40501008n + HYP_DISTANCE, 2)
    expect(walk).toMatchObject({
      known: true,
      value: { stage1: { result: { kind: 'mapped', output: 0x40501008 } }, stage2: null },
    })
    expect(inspector.walkVirtual(1n << 60n, 2)).toMatchObject({
      known: true,
      value: { stage1: { result: { kind: 'out-of-range' } } },
    })
  })

  it('names addresses of EL1, of EL2 and physical ones', () => {
    if (!inspector.kernel.symboliser.known) throw new Error('no symboliser')
    const s = inspector.kernel.symboliser.value
    expect(s.describe(0xffff_8000_0000_0804n, 1)).toBe('__kvm_nvhe_handle_trap+0x4')
    expect(s.describe(BigInt(KERNEL) + HYP_DISTANCE + 0x800n, 2)).toBe('__kvm_nvhe_handle_trap')
    expect(s.describe(BigInt(KERNEL), 2)).toBe('_text')
    expect(s.describe(0x1234n, 1)).toBe('0x1234')
    expect(s.hypVirtualOf('_text')).toBe(BigInt(KERNEL) + HYP_DISTANCE)
  })

  it('reads the taint', () => {
    fake.variable('tainted_mask', 64n)
    expect(inspector.taint()).toEqual({
      known: true,
      value: { value: 64, flags: [{ bit: 6, letter: 'U', meaning: 'taint requested by userspace application' }] },
    })
  })
})

describe('what cannot be known', () => {
  const why = (bytes: Uint8Array, prepare?: (f: Fake) => void) => {
    const fake = new Fake()
    prepare?.(fake)
    const report = ownershipReport(new Inspector(fake, bytes))
    expect([...report.pages].every((p) => p.owner === 'unknown')).toBe(true)
    return report.unknown
  }

  it('without symbols', () => expect(why(image({ symbols: false }))).toMatch(/kallsyms/))
  it('without types', () => expect(why(image({ types: false }))).toMatch(/CONFIG_DEBUG_INFO_BTF/))
  it('before pKVM is asked for', () =>
    expect(why(image(), (f) => f.variable('kvm_mode', 0n))).toMatch(/protected mode is off/))
  it('before the record is complete', () =>
    expect(why(image(), (f) => f.variable('__kvm_nvhe_vm_table', 0n))).toMatch(/not finished/))
  it('a mode from the future is unknown; the records still tell who owns what', () => {
    const fake = new Fake()
    fake.variable('kvm_mode', 77n)
    const report = ownershipReport(new Inspector(fake, image()))
    expect(report.mode).toBe('unknown')
    expect([...report.pages][0x602]!.owner).toBe('hyp')
  })
  it('an empty Image', () => expect(why(new Uint8Array(0))).toBeDefined())
})

describe('damage', () => {
  it('of RAM and registers never throws', () => {
    const bytes = image()
    const fake = new Fake()
    const sound = fake.ram().slice()
    const inspector = new Inspector(fake, bytes)
    for (let seed = 1; seed <= 300; seed++) {
      const next = random(seed * 6151)
      fake.ram().set(sound)
      // Tables, variables and the VM, where damage matters.
      for (let n = next() % 40; n >= 0; n--) {
        const area = [0x200000, 0x300000, 0x400000, 0x500000][next() % 4]!
        fake.ram()[area + (next() % 0x8000)] = next()
      }
      if (next() % 3 === 0) fake.register(Slot.TCR_EL2, BigInt(next()))
      if (next() % 3 === 0) fake.register(Slot.TTBR0_EL2, BigInt(next()))
      const report = ownershipReport(inspector)
      let count = 0
      for (const _ of report.pages) count++
      expect(count).toBe(2048)
      inspector.page(PA + (next() % RAM_BYTES))
      inspector.walkGuest(0x1000, BigInt(next()))
      inspector.walkVirtual((BigInt(next()) << 32n) | BigInt(next()), next() % 3)
    }
  })
})

describe('formats as observed on running kernels', () => {
  const btf = Btf.parse(pkvmTypes())
  const layout = new HypPageLayout(btf)
  const annotations = new AnnotationFormat(btf)

  it.each([
    [0x0000000000000000n, 'OWNED', 'NOPAGE', 0, 0, 0],
    [0x0000000033000000n, 'NOPAGE', 'OWNED', 0, 0, 0],
    [0x0000000033090000n, 'NOPAGE', 'OWNED', 0, 9, 0],
    [0x0000000033ff0000n, 'NOPAGE', 'OWNED', 0, null, 0],
    [0x0000000011000001n, 'SHARED_OWNED', 'SHARED_BORROWED', 1, 0, 0],
    [0x0000000101000000n, 'SHARED_OWNED', 'NOPAGE', 0, 0, 1],
    [0x0000000003000000n, 'NOPAGE', 'NOPAGE', 0, 0, 0],
    [0x0000000002000000n, 'SHARED_BORROWED', 'NOPAGE', 0, 0, 0],
    [0x000000000f000000n, 'UNKNOWN', 'NOPAGE', 0, 0, 0],
  ])('hyp_page %s', (raw, host, hyp, refcount, order, hostShareGuestCount) => {
    const words = [Number(raw & 0xffffffffn), Number(raw >> 32n)]
    expect(layout.decode(words)).toEqual({ raw, host, hyp, refcount, order, hostShareGuestCount })
  })

  it.each([
    [0x0n, { kind: 'none' }],
    [0x2000000000000002n, { kind: 'donated', owner: 'hyp' }],
    [0x2000004000010014n, { kind: 'donated', owner: 'vm', handle: 0x1001, gfn: 0x40000 }],
    [0x2000004000310014n, { kind: 'donated', owner: 'vm', handle: 0x1001, gfn: 0x40003 }],
    [0x3000000000000000n, { kind: 'poisoned' }],
    [0x1000000000000000n, { kind: 'locked' }],
    [0x7000000000000000n, { kind: 'unknown', raw: 0x7000000000000000n }],
  ])('annotation 0x%s', (raw, expected) => {
    expect(annotations.decode(Number(raw & 0xffffffffn), Number(raw >> 32n))).toEqual(expected)
  })

  it('stage 2 leaves', () => {
    const meaning = (entry: bigint, name: string) =>
      descriptorFields(entry, 3, { stage: 2, lpa2: false, onePrivilege: false }).find((f) => f.name === name)?.meaning
    expect(meaning(0x00400000412fa77fn, 'S2AP')).toBe('read-only')
    expect(meaning(0x00400000412fa77fn, 'XN')).toBe('not executable')
    expect(meaning(0x00400000412fa77fn, 'output address')).toBe('0x412fa000, 4 KB')
    expect(meaning(0x00800000443c97ffn, 'software')).toMatch(/^0x1 /)
    expect(meaning(0x443d77ffn, 'MemAttr')).toBe('Normal, Write-Back')
  })

  it.each([
    [0x80223558n, 40, 1, 2],
    [0x802a3558n, 40, 1, 2],
    [0x1802e358cn, 52, 0, 16],
  ])('VTCR_EL2 0x%s', (vtcr, bits, level, pages) => {
    const tables = stage2Tables('', vtcr, 0)
    expect(tables).toMatchObject({ inputBits: bits, startLevel: level })
    expect(2 ** (tables.inputBits - (39 - 9 * tables.startLevel)) / 512).toBe(pages)
  })
})
