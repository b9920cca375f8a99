import { type Row, row } from './row.ts'

/** Prefetch memory: a hint, there is nothing to warm. */
const meaning = () => {}

export const rows: readonly Row[] = [
  row({
    name: 'PRFM (immediate)',
    pattern: '11 111 0 01 10 imm12:12 Rn:5 Rt:5',
    syntax: 'prfm {prfop:Rt}, [{XSP:Rn}, {uimm*8:imm12}]',
    meaning,
  }),
  row({
    name: 'PRFUM',
    pattern: '11 111 0 00 10 0 imm9:9 00 Rn:5 Rt:5',
    syntax: 'prfum {prfop:Rt}, [{XSP:Rn}, {simm:imm9}]',
    aliases: [{ syntax: 'prfm {prfop:Rt}, [{XSP:Rn}, {simm:imm9}]', when: () => false }],
    meaning,
  }),
  row({
    name: 'PRFM (register)',
    pattern: '11 111 0 00 10 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5',
    syntax: 'prfm {prfop:Rt}, [{XSP:Rn}, {memx:option,S,Rm,3}]',
    when: (f) => (f.option & 2) !== 0,
    meaning,
  }),
  row({
    name: 'PRFM (literal)',
    pattern: '11 011 0 00 imm19:19 Rt:5',
    syntax: 'prfm {prfop:Rt}, {rel:imm19}',
    meaning,
  }),
]
