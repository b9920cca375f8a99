import type { Builder } from '../../../engine/isa/builder.ts'
import type { AnyFields, Row } from '../../../engine/isa/row.ts'
import { systemOperation } from '../../../engine/isa/system-operations.ts'
import { systemRegisterName } from '../../../engine/isa/system-register-names.ts'

/*
 * A third implementation of the instruction table's builder: it performs an instruction's meaning in words. So the text
 * says what the machine does, from the one place where that is written.
 */

const CONDITIONS = [
  'equal (Z = 1)',
  'not equal (Z = 0)',
  'carry set, unsigned ≥ (C = 1)',
  'carry clear, unsigned < (C = 0)',
  'negative (N = 1)',
  'positive or zero (N = 0)',
  'overflow (V = 1)',
  'no overflow (V = 0)',
  'unsigned > (C = 1, Z = 0)',
  'unsigned ≤ (C = 0 or Z = 1)',
  'signed ≥ (N = V)',
  'signed < (N ≠ V)',
  'signed > (Z = 0, N = V)',
  'signed ≤ (Z = 1 or N ≠ V)',
  'always',
  'always',
] as const

const EVENTS: Readonly<Record<string, string>> = {
  svc: 'exception to EL1: a call of the operating system',
  hvc: 'exception to EL2: a call of the hypervisor',
  smc: 'exception to EL3, or to EL2 where HCR_EL2.TSC traps it: a call of the firmware',
  brk: 'breakpoint exception',
  hlt: 'halt for an external debugger; UNDEFINED without one',
  dcps1: 'debug state only',
  dcps2: 'debug state only',
  dcps3: 'debug state only',
  drps: 'debug state only',
  eret: 'return from an exception: PSTATE = SPSR_ELx, PC = ELR_ELx of this exception level',
  wfi: 'wait until an interrupt is pending',
  wfe: 'wait for an event',
  sev: 'send an event to all processors',
  sevl: 'send an event to this processor',
  yield: 'a hint: this thread is waiting',
  undefined: 'Undefined Instruction exception',
}

const BARRIERS = {
  dmb: 'memory accesses before it are seen before those after it',
  dsb: 'wait until memory accesses and TLB maintenance before it are complete',
  isb: 'what follows is fetched anew: changes of system registers take effect',
} as const

const PSTATE_FIELDS: Readonly<Record<string, string>> = {
  '0.5': 'SPSel',
  '3.6': 'DAIF, set the bits',
  '3.7': 'DAIF, clear the bits',
}

interface Piece {
  readonly text: string
  /** Needs parentheses as part of something larger. */
  readonly compound: boolean
}

/**
 * What one instruction does, a line each step.
 * @param fields the fields of the instruction word
 * @param pc its address, for branch targets; absent: they are told as distances
 */
export function meaningInWords(row: Row, fields: AnyFields, pc?: bigint): string[] {
  const pieces: Piece[] = []
  const lines: string[] = []
  let indent = ''
  const make = (text: string, compound = false) => pieces.push({ text, compound }) - 1
  const whole = (handle: unknown) => pieces[handle as number]?.text ?? '?'
  const part = (handle: unknown) => {
    const piece = pieces[handle as number]
    return piece === undefined ? '?' : piece.compound ? `(${piece.text})` : piece.text
  }
  const say = (text: string) => void lines.push(indent + text)
  const register = (n: number, sf: number, stack: boolean) =>
    n === 31 ? (stack ? (sf ? 'sp' : 'wsp') : sf ? 'xzr' : 'wzr') : `${sf ? 'x' : 'w'}${n}`
  const binary = (sign: string) => (a: unknown, b: unknown) => make(`${part(a)} ${sign} ${part(b)}`, true)
  const call =
    (name: string) =>
    (...values: unknown[]) =>
      make(`${name}(${values.map(whole).join(', ')})`)
  const target = (offset: number) =>
    pc === undefined
      ? offset === 0
        ? 'here'
        : `${offset > 0 ? '+' : '−'}${Math.abs(offset)} bytes`
      : hex(pc + BigInt(offset))
  const flags = (a: unknown, sign: string, b: unknown) => {
    say(`NZCV from ${part(a)} ${sign} ${part(b)}`)
    return make(`${part(a)} ${sign} ${part(b)}`, true)
  }
  const write = (n: number, sf: number, v: unknown, stack: boolean) => {
    if (n !== 31 || stack) say(`${register(n, sf, stack)} = ${whole(v)}`)
  }
  const amount = (bytes: number) => (bytes === 1 ? '1 byte' : `${bytes} bytes`)

  const known: Partial<Record<keyof Builder, (...values: never[]) => unknown>> = {
    imm: (n: number) => make(number(n)),
    imm64: (n: bigint) => make(n < 4096n ? String(n) : hex(n)),
    pc: (offset: number) =>
      make(
        pc === undefined ? `the address here ${offset >= 0 ? '+' : '−'} ${Math.abs(offset)}` : hex(pc + BigInt(offset)),
        pc === undefined,
      ),
    reg: (n: number, sf: number) => make(n === 31 ? '0' : register(n, sf, false)),
    regSp: (n: number, sf: number) => make(register(n, sf, true)),
    base: (n: number) => make(register(n, 1, true)),
    setReg: (n: number, sf: number, v: unknown) => write(n, sf, v, false),
    setRegSp: (n: number, sf: number, v: unknown) => write(n, sf, v, true),
    add: (a: unknown, b: unknown) => {
      const right = part(b)
      if (right === '0') return a
      if (part(a) === '0') return b
      return right.startsWith('-') ? make(`${part(a)} − ${right.slice(1)}`, true) : make(`${part(a)} + ${right}`, true)
    },
    sub: binary('−'),
    mul: binary('×'),
    udiv: binary('÷'),
    sdiv: binary('÷ (signed)'),
    and: binary('AND'),
    or: (a: unknown, b: unknown) =>
      part(a) === '0' ? b : part(b) === '0' ? a : make(`${part(a)} OR ${part(b)}`, true),
    xor: binary('XOR'),
    shl: (a: unknown, b: unknown) => (part(b) === '0' ? a : make(`${part(a)} << ${part(b)}`, true)),
    lsr: (a: unknown, b: unknown) => (part(b) === '0' ? a : make(`${part(a)} >> ${part(b)}`, true)),
    asr: (a: unknown, b: unknown) => (part(b) === '0' ? a : make(`${part(a)} >> (signed) ${part(b)}`, true)),
    ror: (a: unknown, b: unknown) => (part(b) === '0' ? a : make(`${part(a)} rotated right by ${part(b)}`, true)),
    not: (a: unknown) => make(`NOT ${part(a)}`, true),
    clz: (a: unknown) => make(`leading zeroes of ${part(a)}`, true),
    cls: (a: unknown) => make(`leading sign bits of ${part(a)}`, true),
    rbit: (a: unknown) => make(`bits of ${part(a)} in reverse order`, true),
    rev: (a: unknown, bytes: number) => make(`bytes of ${part(a)} in reverse order in each ${bytes}`, true),
    crc32: (a: unknown, b: unknown, bytes: number, castagnoli: boolean) =>
      make(`CRC-32${castagnoli ? 'C' : ''} of ${amount(bytes)} of ${part(b)} on ${part(a)}`, true),
    sext: (a: unknown, bits: number) => (bits === 64 ? a : make(`low ${bits} bits of ${part(a)}, sign-extended`, true)),
    zext: (a: unknown, bits: number) => (bits === 64 ? a : make(`low ${bits} bits of ${part(a)}`, true)),
    select: (c: unknown, a: unknown, b: unknown) => make(`${part(a)} if ${whole(c)}, else ${part(b)}`, true),
    eq: binary('='),
    ne: binary('≠'),
    ltS: binary('< (signed)'),
    ltU: binary('<'),
    notC: (c: unknown) => make(`not ${part(c)}`, true),
    andC: binary('and'),
    orC: binary('or'),
    bool: (c: unknown) => make(`1 if ${whole(c)}, else 0`, true),
    addFlags: (a: unknown, b: unknown) => flags(a, '+', b),
    subFlags: (a: unknown, b: unknown) => flags(a, '−', b),
    adcFlags: (a: unknown, b: unknown) => flags(a, '+ C +', b),
    adc: binary('+ C +'),
    logicFlags: (v: unknown) => say(`N and Z from ${whole(v)}; C = V = 0`),
    addNzcv: (a: unknown, b: unknown) => make(`flags of ${part(a)} + ${part(b)}`, true),
    subNzcv: (a: unknown, b: unknown) => make(`flags of ${part(a)} − ${part(b)}`, true),
    nzcv: () => make('NZCV'),
    setNzcv: (v: unknown) => say(`NZCV = ${whole(v)}`),
    cond: (n: number) => make(CONDITIONS[n & 15] ?? 'always'),
    load: (address: unknown, bytes: number) => make(`${amount(bytes)} at ${part(address)}`),
    store: (address: unknown, bytes: number, v: unknown) => say(`${amount(bytes)} at ${part(address)} = ${whole(v)}`),
    loadVec: (address: unknown, bytes: number) => make(`${amount(bytes)} at ${part(address)}`),
    storeVec: (address: unknown, bytes: number, v: unknown) =>
      say(`${amount(bytes)} at ${part(address)} = ${whole(v)}`),
    zeroBlock: (address: unknown) => say(`64 bytes around ${whole(address)} = 0`),
    setExclusive: (address: unknown, bytes: number) =>
      say(`the exclusive monitor marks ${amount(bytes)} at ${part(address)}`),
    takeExclusive: () => make('the exclusive monitor still holds the mark'),
    clearExclusive: () => say('the exclusive monitor forgets its mark'),
    ifThen: (c: unknown, body: () => void) => {
      say(`if ${whole(c)}:`)
      indent += '  '
      body()
      indent = indent.slice(2)
    },
    branch: (offset: number) => say(`go to ${target(offset)}`),
    branchIf: (c: unknown, offset: number) => say(`if ${whole(c)}, go to ${target(offset)}`),
    branchReg: (v: unknown) => say(`go to the address in ${whole(v)}`),
    event: (kind: string, imm?: number) =>
      say(`${EVENTS[kind] ?? kind}${imm === undefined || imm === 0 ? '' : `, immediate ${number(imm)}`}`),
    sysRead: (encoding: number) => make(systemRegisterName(encoding).toUpperCase()),
    sysWrite: (encoding: number, v: unknown) => say(`${systemRegisterName(encoding).toUpperCase()} = ${whole(v)}`),
    sysOp: (encoding: number, v: unknown) => {
      const operation = systemOperation((encoding >> 11) & 7, (encoding >> 7) & 15, (encoding >> 3) & 15, encoding & 7)
      if (operation === undefined) say(`system operation ${hex(BigInt(encoding))} with ${whole(v)}`)
      else
        say(
          `${operation.mnemonic.toUpperCase()} ${operation.name.toUpperCase()}${operation.register ? ` with ${whole(v)}` : ''}: ${SYSTEM[operation.mnemonic]}`,
        )
    },
    msrImm: (op1: number, op2: number, imm: number) =>
      say(`PSTATE.${PSTATE_FIELDS[`${op1}.${op2}`] ?? `(${op1}, ${op2})`} = ${number(imm)}`),
    barrier: (kind: keyof typeof BARRIERS) => say(BARRIERS[kind]),
    q: (n: number) => make(`v${n}`),
    setQ: (n: number, v: unknown) => say(`v${n} = ${whole(v)}`),
    lane: (v: unknown, i: number, esize: number) => make(`${part(v)}.${letter(esize)}[${i}]`),
    withLane: (v: unknown, i: number, esize: number, x: unknown) =>
      make(`${part(v)} with .${letter(esize)}[${i}] = ${whole(x)}`, true),
    splat: (x: unknown, esize: number) => make(`${part(x)} in each .${letter(esize)}`, true),
    vec: (lo: unknown, hi: unknown) => (part(hi) === '0' ? lo : make(`${part(hi)} : ${part(lo)}`, true)),
    vec1: (op: string, esize: number, a: unknown) => make(`${op}(${whole(a)}) per ${esize} bits`, true),
    vec2: (op: string, esize: number, a: unknown, b: unknown) =>
      make(`${op}(${whole(a)}, ${whole(b)}) per ${esize} bits`, true),
    vecShift: (op: string, esize: number, a: unknown, by: number) =>
      make(`${op}(${whole(a)}, ${by}) per ${esize} bits`, true),
    vecSelect: call('select'),
    vecLookup: call('lookup'),
    vecShuffle: (a: unknown, b: unknown) => make(`shuffle(${whole(a)}, ${whole(b)})`),
    vecAny: call('any'),
    fp: (op: string, size: number, ...values: unknown[]) =>
      make(
        `${op}${size}(${values
          .filter(v => v !== undefined)
          .map(whole)
          .join(', ')})`,
      ),
    saturated: () => {},
    crypto: (op: string, ...values: unknown[]) =>
      make(
        `${op}(${values
          .filter(v => v !== undefined)
          .map(whole)
          .join(', ')})`,
      ),
    umulh: (a: unknown, b: unknown) => make(`high half of ${part(a)} × ${part(b)}`, true),
    smulh: (a: unknown, b: unknown) => make(`high half of ${part(a)} × (signed) ${part(b)}`, true),
  } as never
  try {
    row.meaning(known as unknown as Builder, fields)
  } catch {
    // A meaning that asks for more than words can follow.
    return []
  }
  // Vector meanings work lane by lane; beyond a few lines they say less than the name.
  const said = lines.filter(line => line.trim() !== '')
  return said.length > 6 || said.some(line => line.length > 160)
    ? []
    : said.length > 0
      ? said
      : ['nothing, but takes its time']
}

const SYSTEM = {
  tlbi: 'drop cached translations',
  ic: 'drop cached instructions',
  dc: 'data cache maintenance',
  at: 'translate an address; the result is in PAR_EL1',
} as const

const letter = (esize: number) => ({ 8: 'b', 16: 'h', 32: 's', 64: 'd' })[esize] ?? `${esize}`

const hex = (n: bigint) => `0x${BigInt.asUintN(64, n).toString(16)}`
const number = (n: number) => (Math.abs(n) < 4096 ? String(n) : `${n < 0 ? '-' : ''}0x${Math.abs(n).toString(16)}`)
