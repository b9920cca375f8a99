import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Btf, BtfError } from './btf.ts'
import { Kallsyms } from './kallsyms.ts'
import { btfWriter, pkvmTypes, random } from './synthetic-image.test-double.ts'

describe('BTF', () => {
  const btf = Btf.parse(pkvmTypes())

  it('finds members through nesting, anonymous unions and typedefs', () => {
    expect(btf.offsetOf('pkvm_hyp_vm', 'kvm.arch.pkvm.handle')).toBe(40)
    expect(btf.field('pkvm_hyp_vm', 'kvm.arch.pkvm.is_dying')).toMatchObject({ offset: 43, bit: 0, bits: 8 })
    expect(btf.offsetOf('pkvm_hyp_vm', 'kvm.arch.mmu.vtcr')).toBe(24)
    expect(btf.offsetOf('pkvm_hyp_vm', 'vcpus[3]')).toBe(48 + 24)
    expect(btf.sizeOfNamed('pkvm_hyp_vm')).toBe(48)
  })

  it('finds bit-fields', () => {
    expect(btf.field('hyp_page', '__hyp_state_comp')).toMatchObject({ offset: 3, bit: 4, bits: 4 })
  })

  it('reads enums of 32 and 64 bits, negative values too', () => {
    expect(btf.enumValues('pkvm_page_state').get('PKVM_NOPAGE')).toBe(3n)
    expect(btf.enumValues('kvm_pgtable_prot').get('KVM_PGTABLE_PROT_SW1')).toBe(1n << 56n)
  })

  it('says what is missing', () => {
    expect(() => btf.field('pkvm_hyp_vm', 'kvm.nothing')).toThrow(
      new BtfError('struct pkvm_hyp_vm of this kernel has no member kvm.nothing'),
    )
    expect(() => btf.field('no_such', 'a')).toThrow(BtfError)
    expect(() => btf.enumValues('hyp_page')).toThrow(BtfError)
    expect(btf.has('hyp_page', 'pkvm')).toBe(false)
  })

  it('ends on types that name themselves', () => {
    const w = btfWriter()
    w.typedef('loop', 1)
    w.struct('inside', 8, [['', 2, 0]])
    w.struct('cube', 8, [['a', 4, 0]])
    w.array(4, 1)
    const b = Btf.parse(w.done())
    expect(() => b.resolve(1)).toThrow(BtfError)
    expect(() => b.field('inside', 'x')).toThrow(BtfError)
    expect(() => b.sizeOf(4)).toThrow(BtfError)
  })

  it('answers damage with a BtfError or with something else that is readable, never otherwise', () => {
    const sound = pkvmTypes()
    for (let seed = 1; seed <= 3000; seed++) {
      const next = random(seed * 7919)
      let bytes = sound.slice()
      for (let n = next() % 4; n >= 0; n--) bytes[next() % bytes.length] = next()
      if (next() % 4 === 0) bytes = bytes.slice(0, next() % bytes.length)
      readEverything(bytes)
    }
  })
})

/** Every question that can be asked; only a BtfError may come out. */
function readEverything(bytes: Uint8Array): void {
  const ask = (f: () => unknown) => {
    try {
      f()
    } catch (e) {
      expect(e).toBeInstanceOf(BtfError)
    }
  }
  ask(() => {
    const b = Btf.parse(bytes)
    for (const [struct, path] of [
      ['pkvm_hyp_vm', 'kvm.arch.pkvm.handle'],
      ['hyp_page', '__host_state'],
      ['pkvm_hyp_vm', 'vcpus[2]'],
    ] as const) {
      ask(() => b.field(struct, path))
    }
    for (const name of ['pkvm_page_state', 'kvm_pgtable_prot', 'kvm_mode']) ask(() => b.enumValues(name))
    for (let id = 0; id < Math.min(b.count, 100); id++) {
      ask(() => b.members(id))
      ask(() => b.sizeOf(id))
      ask(() => b.name(id))
    }
  })
}

const kernels = fileURLToPath(new URL('../../.cache/kernels', import.meta.url))
const versions = existsSync(kernels) ? readdirSync(kernels).filter((v) => existsSync(join(kernels, v, 'Image'))) : []
if (versions.length === 0) console.warn('SKIPPED: no kernels in .cache/kernels (npx pkvm-lab kernel fetch)')

describe.each(versions)('the Image of %s', (version) => {
  it('carries the types of its hypervisor', () => {
    const image = readFileSync(join(kernels, version, 'Image'))
    const btf = Btf.inImage(image, Kallsyms.parse(image))
    expect(btf.field('hyp_page', '__host_state')).toMatchObject({ offset: 3, bit: 0, bits: 4 })
    expect(btf.field('pkvm_hyp_vm', 'kvm.arch.pkvm.handle').bits).toBe(16)
    expect(btf.sizeOfNamed('pkvm_hyp_vm')).toBe(btf.offsetOf('pkvm_hyp_vm', 'vcpus'))
    expect(btf.enumValues('__kvm_host_smccc_func').get('__KVM_HOST_SMCCC_FUNC___kvm_vcpu_run')).toBe(9n)
  })
})
