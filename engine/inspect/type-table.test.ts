import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { assemble } from '../isa/assemble.ts'
import { allRows } from '../isa/table.ts'
import { HypPageLayout } from './hyp-page.ts'
import { AnnotationFormat } from './invalid-annotation.ts'
import { AssemblerTypes, UnknownType } from './type-table.ts'

function types(source: string): AssemblerTypes {
  const result = assemble(source, { rows: allRows, include: (path) => INCLUDES[path] })
  expect(result.diagnostics).toEqual([])
  return new AssemblerTypes(new Map([...result.symbols].filter(([name]) => !result.labels.has(name))))
}

const FOLDER = new URL('../../lessons/mini-pkvm/include/', import.meta.url)
const INCLUDES: Record<string, string> = existsSync(FOLDER)
  ? Object.fromEntries(readdirSync(FOLDER).map((n) => [n, readFileSync(new URL(n, FOLDER), 'utf8')]))
  : {}

const VM = `
        .struct 0
vm.handle:          .skip 4
vm.size:            .skip 4
vm.mmu.pgd:         .skip 8
vm.name:            .skip 16
vm.vcpus:           .skip 32
vm.sizeof:
        .equ vm.name.bytes, 10
        .equ vm.vcpus.count, 4
        .equ vm.vcpus.bytes, 32
        .equ color.RED, 1
        .equ color.GREEN, 2
        .equ flags.low.shift, 3
        .equ flags.low.width, 7
        .equ flags.word, 8
        .equ flags.word.shift, 33
        .equ flags.word.width, 2
        .equ flags.sizeof, 16`

describe('types of an assembled system', () => {
  const it_ = types(VM)
  it('places members; one reaches to the next unless its size is said', () => {
    expect(it_.field('vm', 'handle')).toEqual({ offset: 0, bit: 0, bits: 32 })
    expect(it_.field('vm', 'mmu.pgd')).toEqual({ offset: 8, bit: 0, bits: 64 })
    expect(it_.field('vm', 'name')).toEqual({ offset: 16, bit: 0, bits: 80 })
    expect(it_.sizeOfNamed('vm')).toBe(64)
  })
  it('takes a member named size for a member', () => {
    expect(it_.field('vm', 'size')).toEqual({ offset: 4, bit: 0, bits: 32 })
    expect(it_.has('vm', 'name.bytes')).toBe(false)
  })
  it('finds elements of arrays', () => {
    expect(it_.field('vm', 'vcpus[3]')).toEqual({ offset: 56, bit: 0, bits: 64 })
  })
  it('finds bit-fields, of the first word where no member is named', () => {
    expect(it_.field('flags', 'low')).toEqual({ offset: 0, bit: 3, bits: 7 })
    expect(it_.field('flags', 'word')).toEqual({ offset: 12, bit: 1, bits: 2 })
  })
  it('lists enums', () => {
    expect([...it_.enumValues('color')]).toEqual([
      ['RED', 1n],
      ['GREEN', 2n],
    ])
  })
  it('says in a sentence what is not there', () => {
    expect(it_.has('vm', 'gone')).toBe(false)
    expect(it_.has('nothing', 'gone')).toBe(false)
    expect(() => it_.field('vm', 'gone')).toThrow(UnknownType)
    expect(() => it_.field('nothing', 'x')).toThrow('this system says nothing of nothing')
    expect(() => it_.sizeOfNamed('color')).toThrow(/color\.sizeof is missing/)
    expect(() => it_.enumValues('nothing')).toThrow(UnknownType)
  })
})

describe.skipIf(INCLUDES['structs.s'] === undefined)("mini-pKVM's own layouts", () => {
  const own = types('.include "constants.s"\n.include "macros.s"\n.include "structs.s"\n.include "hypercalls.s"')
  it('are what the readers of page records and of annotations need', () => {
    const layout = new HypPageLayout(own)
    // Host state 1, hypervisor's state 3 stored as its XOR with NOPAGE, two VM shares.
    const page = layout.decode([0x01_00_0001 | (0 << 28), 2])
    expect(page).toMatchObject({ host: 'SHARED_OWNED', hyp: 'NOPAGE', refcount: 1, hostShareGuestCount: 2 })
    const low = (2 << 1) | (0x1000 << 4)
    expect(new AnnotationFormat(own).decode(low, 0x20000000)).toMatchObject({ kind: 'donated', owner: 'vm', handle: 0x1000 })
  })
  it('have every member that inspect/ asks for', () => {
    for (const [struct, ...members] of [
      ['pkvm_hyp_vm', 'kvm.arch.pkvm.handle', 'kvm.arch.pkvm.is_protected', 'kvm.arch.mmu.vtcr', 'kvm.arch.mmu.pgd_phys', 'kvm.arch.mmu.vmid', 'kvm.created_vcpus'],
      ['pkvm_hyp_vcpu', 'loaded_hyp_vcpu', 'vcpu.arch.ctxt.regs.pc'],
      ['host_mmu', 'arch.mmu.pgd_phys', 'arch.mmu.vtcr'],
      ['memblock_region', 'base', 'size'],
    ] as const) {
      for (const member of members) expect(own.field(struct, member).bits, `${struct}.${member}`).toBe(64)
    }
    expect(own.enumValues('__kvm_host_smccc_func').get('__KVM_HOST_SMCCC_FUNC___pkvm_init')).toBe(1n)
  })
})
