import { PAGE_STATES } from '../inspect/hyp-page.ts'
import type { AnnotationFormat } from '../inspect/invalid-annotation.ts'
import type { WalkView } from './inspection-protocol.ts'

/** Bits 56:55 of a guest's stage 2 entry hold the kernel's enum pkvm_page_state (kvm_pgtable.h); the host's are zero. */
const STATE_SHIFT = 55n

/**
 * Says what a mapping allows: `read and write, executable`, and for a guest which right it has to the page.
 * @param codeOf the lab's StateCode of the kernel's number, for a guest's tables
 */
export function explainLeaf(view: WalkView, codeOf?: ArrayLike<number>): WalkView {
  const last = view.steps.at(-1)
  if (last === undefined || (last.kind !== 'page' && last.kind !== 'block')) return view
  const meanings = ['S2AP', 'XN'].flatMap(name => last.fields.find(field => field.name === name)?.meaning ?? [])
  if (codeOf !== undefined) {
    const code = codeOf[Number((BigInt(last.entry) >> STATE_SHIFT) & 3n)]
    meanings.unshift(`${PAGE_STATES[code ?? 4] ?? 'UNKNOWN'} by the VM`)
  }
  return meanings.length === 0 ? view : { ...view, result: `${view.result}; ${meanings.join(', ')}` }
}

/**
 * Explains the entry at which a stage 2 walk ended without a translation: pKVM keeps in its unused bits who the page
 * was given to. The fields' places are those of inspect/invalid-annotation.ts.
 */
export function explainAnnotation(view: WalkView, format: AnnotationFormat): WalkView {
  const last = view.steps.at(-1)
  if (last === undefined || last.kind !== 'invalid') return view
  const entry = BigInt(last.entry)
  const annotation = format.decode(Number(entry & 0xffffffffn), Number(entry >> 32n))
  const hex = (value: bigint | number) => `0x${value.toString(16)}`
  const field = (name: string, top: number, bottom: number, meaning: string) => ({
    name: `${name} ${top}:${bottom}`,
    value: hex(BigInt.asUintN(top - bottom + 1, entry >> BigInt(bottom))),
    meaning,
  })
  const ended = (kind: string, result: string, fields: WalkView['steps'][number]['fields']): WalkView => ({
    steps: [...view.steps.slice(0, -1), { ...last, kind, fields: [...last.fields, ...fields] }],
    result,
  })
  switch (annotation.kind) {
    case 'none':
      return ended('empty', 'not mapped: the entry is all zero. RAM of the host is mapped at its first use', [])
    case 'locked':
      return ended('locked', 'not mapped: EL2 is changing this entry now', [field('type', 63, 60, 'locked, break-before-make')])
    case 'poisoned':
      return ended('poisoned', 'not mapped: the host took this page back by force', [field('type', 63, 60, 'poisoned')])
    case 'unknown':
      return view
    default: {
      const type = field('type', 63, 60, 'donated by the host')
      const owner = field('owner', 3, 1, annotation.owner === 'vm' ? 'a VM' : annotation.owner)
      if (annotation.owner !== 'vm') {
        return ended('donated', `not mapped: given to the ${annotation.owner === 'hyp' ? 'hypervisor' : 'host'}`, [type, owner])
      }
      const { handle, gfn } = annotation
      return ended('donated', `not mapped: given to VM ${hex(handle)}, where it is gfn ${hex(gfn)}`, [
        type,
        field('gfn', 59, 20, `page ${hex(gfn)} of the VM, its address ${hex(gfn * 4096)}`),
        field('handle', 19, 4, 'which VM'),
        owner,
      ])
    }
  }
}
