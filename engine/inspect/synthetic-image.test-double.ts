/** Small Images for tests: the tables of a kernel, written as the kernel's own tools would write them. */

/** xorshift32: the same seed gives the same damage. */
export function random(seed: number): () => number {
  let s = seed | 0 || 1
  return () => {
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    return s >>> 0
  }
}

class Bytes {
  private readonly list: number[] = []

  get length(): number {
    return this.list.length
  }
  u8(...values: number[]): void {
    for (const v of values) this.list.push(v & 0xff)
  }
  u16(v: number): void {
    this.u8(v, v >> 8)
  }
  u32(v: number): void {
    this.u8(v, v >> 8, v >> 16, v >> 24)
  }
  text(s: string): void {
    for (const c of s) this.u8(c.charCodeAt(0))
    this.u8(0)
  }
  align(n: number): void {
    while (this.list.length % n !== 0) this.list.push(0)
  }
  append(more: Uint8Array): void {
    for (const b of more) this.list.push(b)
  }
  done(): Uint8Array {
    return Uint8Array.from(this.list)
  }
}

export interface SyntheticSymbol {
  readonly name: string
  readonly type: string
  readonly offset: number
}

/**
 * The kallsyms tables of scripts/kallsyms.c. Printable characters stand for themselves; two tokens abbreviate.
 * @param at where in the Image they will lie; a multiple of 4.
 */
export function kallsymsTables(symbols: readonly SyntheticSymbol[], at: number): Uint8Array {
  const out = new Bytes()
  const tokens = Array.from({ length: 256 }, (_, i) =>
    i > 32 && i < 127 ? String.fromCharCode(i) : i === 1 ? '__kvm_nvhe_' : i === 2 ? 'hyp' : '',
  )
  out.u32(symbols.length)
  const namesStart = out.length
  const markers: number[] = []
  symbols.forEach((s, i) => {
    if (i % 256 === 0) markers.push(out.length - namesStart)
    const text = (s.type + s.name).replaceAll('__kvm_nvhe_', '\x01').replaceAll('hyp', '\x02')
    const codes = [...text].map((c) => c.charCodeAt(0))
    if (codes.length >= 0x80) out.u8((codes.length & 0x7f) | 0x80, codes.length >> 7)
    else out.u8(codes.length)
    out.u8(...codes)
  })
  out.align(4)
  for (const m of markers) out.u32(m)
  const starts: number[] = []
  const tableStart = out.length
  for (const t of tokens) {
    starts.push(out.length - tableStart)
    out.text(t)
  }
  out.align(4)
  for (const s of starts) out.u16(s)
  out.align(4)
  for (const s of symbols) out.u32(s.offset - (at + out.length))
  return out.done()
}

export interface BtfWriter {
  /** @returns the type's id. */
  int(name: string, bytes: number): number
  pointer(to: number): number
  array(of: number, count: number): number
  typedef(name: string, to: number): number
  struct(
    name: string,
    bytes: number,
    members: readonly [name: string, type: number, bit: number, width?: number][],
    union?: boolean,
  ): number
  enum(name: string, values: readonly [name: string, value: number][]): number
  enum64(name: string, values: readonly [name: string, value: bigint][]): number
  done(): Uint8Array
}

/** BTF version 1, as pahole writes it. */
export function btfWriter(): BtfWriter {
  const types = new Bytes()
  const strings = new Bytes()
  strings.u8(0)
  let count = 0
  const string = (s: string) => {
    if (s === '') return 0
    const at = strings.length
    strings.text(s)
    return at
  }
  const record = (name: string, kind: number, length: number, flag: boolean, sizeOrType: number) => {
    types.u32(string(name))
    types.u32((kind << 24) | length | (flag ? 0x80000000 : 0))
    types.u32(sizeOrType)
    return ++count
  }
  return {
    int: (name, bytes) => {
      const id = record(name, 1, 0, false, bytes)
      types.u32(bytes * 8)
      return id
    },
    pointer: (to) => record('', 2, 0, false, to),
    array: (of, n) => {
      const id = record('', 3, 0, false, 0)
      types.u32(of)
      types.u32(of)
      types.u32(n)
      return id
    },
    typedef: (name, to) => record(name, 8, 0, false, to),
    struct: (name, bytes, members, union = false) => {
      const bitFields = members.some((m) => m[3] !== undefined)
      const id = record(name, union ? 5 : 4, members.length, bitFields, bytes)
      for (const [n, type, bit, width] of members) {
        types.u32(string(n))
        types.u32(type)
        types.u32(bitFields ? ((width ?? 0) << 24) | bit : bit)
      }
      return id
    },
    enum: (name, values) => {
      const id = record(name, 6, values.length, false, 4)
      for (const [n, v] of values) {
        types.u32(string(n))
        types.u32(v)
      }
      return id
    },
    enum64: (name, values) => {
      const id = record(name, 19, values.length, false, 8)
      for (const [n, v] of values) {
        types.u32(string(n))
        types.u32(Number(v & 0xffffffffn))
        types.u32(Number(v >> 32n))
      }
      return id
    },
    done: () => {
      const out = new Bytes()
      out.u16(0xeb9f)
      out.u8(1, 0)
      out.u32(24)
      out.u32(0)
      out.u32(types.length)
      out.u32(types.length)
      out.u32(strings.length)
      out.append(types.done())
      out.append(strings.done())
      return out.done()
    },
  }
}

/** The types that pKVM's records are read with, in the kernel's layout. */
export function pkvmTypes(): Uint8Array {
  const w = btfWriter()
  const u8 = w.int('unsigned char', 1)
  const u16 = w.int('unsigned short', 2)
  const u32 = w.int('unsigned int', 4)
  const u64 = w.int('unsigned long', 8)
  const pointer = w.pointer(0)
  w.struct('hyp_page', 8, [
    ['refcount', u16, 0],
    ['order', u8, 16],
    ['__host_state', u32, 24, 4],
    ['__hyp_state_comp', u32, 28, 4],
    ['host_share_guest_count', u32, 32],
  ])
  w.enum('pkvm_page_state', [
    ['PKVM_PAGE_OWNED', 0],
    ['PKVM_PAGE_SHARED_OWNED', 1],
    ['PKVM_PAGE_SHARED_BORROWED', 2],
    ['PKVM_NOPAGE', 3],
    ['PKVM_POISON', 4],
  ])
  w.enum('pkvm_component_id', [
    ['PKVM_ID_HOST', 0],
    ['PKVM_ID_HYP', 1],
    ['PKVM_ID_GUEST', 2],
  ])
  w.enum('kvm_invalid_pte_type', [
    ['KVM_INVALID_PTE_TYPE_LOCKED', 1],
    ['KVM_HOST_INVALID_PTE_TYPE_DONATION', 2],
    ['KVM_GUEST_INVALID_PTE_TYPE_POISONED', 3],
  ])
  w.enum('kvm_mode', [
    ['KVM_MODE_DEFAULT', 0],
    ['KVM_MODE_PROTECTED', 1],
    ['KVM_MODE_NV', 2],
    ['KVM_MODE_NONE', 3],
  ])
  w.enum64('kvm_pgtable_prot', [
    ['KVM_PGTABLE_PROT_X', 1n],
    ['KVM_PGTABLE_PROT_SW0', 1n << 55n],
    ['KVM_PGTABLE_PROT_SW1', 1n << 56n],
  ])
  const mmu = w.struct('kvm_s2_mmu', 32, [
    ['vmid', u64, 0],
    ['pgd_phys', u64, 64],
    ['vtcr', u64, 128],
  ])
  const pkvm = w.struct('kvm_protected_vm', 8, [
    ['handle', u16, 0],
    ['is_protected', u8, 16],
    ['is_dying', u8, 24],
  ])
  // As in the kernel, an anonymous union in between.
  const inner = w.struct(
    '',
    8,
    [
      ['pkvm', pkvm, 0],
      ['raw', u64, 0],
    ],
    true,
  )
  const arch = w.struct('kvm_arch', 40, [
    ['mmu', mmu, 0],
    ['', inner, 256],
  ])
  const kvm = w.struct('kvm', 48, [
    ['created_vcpus', u32, 0],
    ['arch', w.typedef('arch_t', arch), 64],
  ])
  w.struct('pkvm_hyp_vm', 48, [
    ['kvm', kvm, 0],
    ['vcpus', w.array(pointer, 0), 384],
  ])
  w.struct('host_mmu', 40, [['arch', arch, 0]])
  w.struct('pkvm_hyp_vcpu', 16, [
    ['pad', u64, 0],
    ['loaded_hyp_vcpu', pointer, 64],
  ])
  w.struct('memblock_region', 24, [
    ['base', u64, 0],
    ['size', u64, 64],
  ])
  return w.done()
}
