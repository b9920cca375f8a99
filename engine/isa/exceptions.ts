import type { SystemEvent } from './builder.ts'
import { type Row, row } from './row.ts'

/** Exception generation, exception return, and the permanently undefined UDF. */
function generating(event: SystemEvent, opc: '000' | '001' | '010', LL: '00' | '01' | '10' | '11'): Row {
  return row({
    name: event.toUpperCase(),
    pattern: `11010100 ${opc} imm16:16 000 ${LL}`,
    syntax: `${event} {uimm:imm16}`,
    ends: true,
    meaning: (t, f) => t.event(event, f.imm16),
  })
}

function debugChange(event: SystemEvent, LL: '01' | '10' | '11'): Row {
  return row({
    name: event.toUpperCase(),
    pattern: `11010100 101 imm16:16 000 ${LL}`,
    syntax: `${event} {uimm:imm16}`,
    aliases: [{ syntax: event, when: (f) => f.imm16 === 0, fill: () => ({ imm16: 0 }) }],
    ends: true,
    meaning: (t, f) => t.event(event, f.imm16),
  })
}

export const rows: readonly Row[] = [
  generating('svc', '000', '01'),
  generating('hvc', '000', '10'),
  generating('smc', '000', '11'),
  generating('brk', '001', '00'),
  generating('hlt', '010', '00'),
  debugChange('dcps1', '01'),
  debugChange('dcps2', '10'),
  debugChange('dcps3', '11'),
  row({
    name: 'ERET',
    pattern: '1101011 0100 11111 000000 11111 00000',
    syntax: 'eret',
    ends: true,
    meaning: (t) => t.event('eret'),
  }),
  row({
    name: 'DRPS',
    pattern: '1101011 0101 11111 000000 11111 00000',
    syntax: 'drps',
    ends: true,
    meaning: (t) => t.event('drps'),
  }),
  row({
    name: 'UDF',
    pattern: '0000000000000000 imm16:16',
    syntax: 'udf {uimm:imm16}',
    ends: true,
    meaning: (t, f) => t.event('undefined', f.imm16),
  }),
]
