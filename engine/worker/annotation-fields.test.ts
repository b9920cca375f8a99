import { describe, expect, it } from 'vitest'
import type { Btf } from '../inspect/btf.ts'
import { AnnotationFormat } from '../inspect/invalid-annotation.ts'
import { explainAnnotation, explainLeaf } from './annotation-fields.ts'
import { withTarget } from './inspection-answers.ts'
import type { WalkView } from './inspection-protocol.ts'

/** The enums as Debian's 7.2 and 7.3 have them. */
const ENUMS: Record<string, Map<string, bigint>> = {
  kvm_invalid_pte_type: new Map([
    ['KVM_INVALID_PTE_TYPE_LOCKED', 1n],
    ['KVM_HOST_INVALID_PTE_TYPE_DONATION', 2n],
    ['KVM_GUEST_INVALID_PTE_TYPE_POISONED', 3n],
  ]),
  pkvm_component_id: new Map([
    ['PKVM_ID_HOST', 0n],
    ['PKVM_ID_HYP', 1n],
    ['PKVM_ID_GUEST', 2n],
  ]),
}
const format = new AnnotationFormat({ enumValues: (name: string) => ENUMS[name] ?? new Map() } as unknown as Btf)

function walkTo(entry: string, kind = 'invalid', fields: WalkView['steps'][number]['fields'] = []): WalkView {
  const step = { regime: 'stage 2 of the host', level: 3, tableAddress: 0x5fa3d000, index: 163, entryAddress: 0x5fa3d518, entry, kind, fields }
  return { steps: [step], result: 'as walked' }
}

describe('annotations of stage 2 entries', () => {
  it.each([
    ['0x2000004000010014', 'given to VM 0x1001, where it is gfn 0x40000', 'donated'],
    ['0x2000004000310014', 'given to VM 0x1001, where it is gfn 0x40003', 'donated'],
    ['0x2000000000000002', 'given to the hypervisor', 'donated'],
    ['0x3000000000000000', 'took this page back by force', 'poisoned'],
    ['0x0000000000000000', 'the entry is all zero', 'empty'],
  ])('%s: %s', (entry, words, kind) => {
    const view = explainAnnotation(walkTo(entry), format)
    expect(view.result).toContain(words)
    expect(view.steps[0]?.kind).toBe(kind)
  })

  it('shows where handle and gfn are', () => {
    const fields = explainAnnotation(walkTo('0x2000004000010014'), format).steps[0]?.fields
    expect(fields?.map(({ name, value }) => `${name} = ${value}`)).toEqual(['type 63:60 = 0x2', 'gfn 59:20 = 0x40000', 'handle 19:4 = 0x1001', 'owner 3:1 = 0x2'])
  })

  it('leaves alone what it does not know, and what is mapped', () => {
    for (const view of [walkTo('0x9000000000000010'), walkTo('0x443d77ff', 'page')]) expect(explainAnnotation(view, format)).toBe(view)
  })
})

describe('mappings', () => {
  const fields = [
    { name: 'S2AP', value: '0x3', meaning: 'read and write' },
    { name: 'XN', value: '0x0', meaning: 'executable' },
  ]
  it('says what they allow, and what a VM holds', () => {
    expect(explainLeaf(walkTo('0x443d77ff', 'page', fields)).result).toBe('as walked; read and write, executable')
    // The kernel's numbers: 0 OWNED, 1 SHARED_OWNED, 2 SHARED_BORROWED, 3 NOPAGE.
    const codes = [0, 1, 2, 3]
    expect(explainLeaf(walkTo('0x00800000443c97ff', 'page', fields), codes).result).toContain('SHARED_OWNED by the VM')
    expect(explainLeaf(walkTo('0x01000000424df7ff', 'page', fields), codes).result).toContain('SHARED_BORROWED by the VM')
  })
})

describe('targets of branches', () => {
  it('are named where they lie in the kernel', () => {
    const nameOf = (target: number) => (target === 0x41303560 ? 'memcpy' : null)
    expect(withTarget('bl 0x41303560', nameOf)).toBe('bl 0x41303560 <memcpy>')
    expect(withTarget('tbnz w0, #5, 0x41303560', nameOf)).toBe('tbnz w0, #5, 0x41303560 <memcpy>')
    expect(withTarget('b.ne 0x41303564', nameOf)).toBe('b.ne 0x41303564')
    expect(withTarget('adrp x0, 0x41303560', nameOf)).toBe('adrp x0, 0x41303560')
    expect(withTarget('mov x0, #0x41303560', nameOf)).toBe('mov x0, #0x41303560')
  })
})
