/** ESR_ELx.EC, Arm ARM D17.2.37. Classes with a lower/same pair are listed in the lower form; same = lower + 1. */
export const EC = {
  unknown: 0x00,
  wfx: 0x01,
  fpAccess: 0x07,
  illegalState: 0x0e,
  svc64: 0x15,
  hvc64: 0x16,
  smc64: 0x17,
  systemAccess: 0x18,
  instructionAbort: 0x20,
  pcAlignment: 0x22,
  dataAbort: 0x24,
  spAlignment: 0x26,
  sError: 0x2f,
  breakpoint: 0x30,
  softwareStep: 0x32,
  watchpoint: 0x34,
  brk64: 0x3c,
} as const

/** True for classes whose code grows by one when the exception is taken from the level it is taken to. */
export function hasSameElForm(ec: number): boolean {
  return (
    ec === EC.instructionAbort ||
    ec === EC.dataAbort ||
    ec === EC.breakpoint ||
    ec === EC.softwareStep ||
    ec === EC.watchpoint
  )
}

/** DFSC and IFSC codes; those marked LL take the level in bits 1:0. */
export const FaultStatus = {
  addressSize: 0x00, // LL
  translation: 0x04, // LL
  accessFlag: 0x08, // LL
  permission: 0x0c, // LL
  externalAbort: 0x10,
  externalAbortOnWalk: 0x14, // LL
  alignment: 0x21,
  debug: 0x22,
} as const

/** ISS bits of data and instruction aborts. */
export const AbortIss = {
  wnr: 1 << 6,
  s1ptw: 1 << 7,
  cm: 1 << 8,
} as const

/** ISS.CV = 1 and ISS.COND = 0b1110, as every A64 instruction reports. */
export const ISS_COND_ALWAYS = 0x1e00000

/** ISS of EC 0x18: `encoding` as in builder.ts (op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2). */
export function systemAccessIss(encoding: number, rt: number, read: boolean): number {
  const op0 = (encoding >>> 14) & 3
  const op1 = (encoding >>> 11) & 7
  const crn = (encoding >>> 7) & 15
  const crm = (encoding >>> 3) & 15
  const op2 = encoding & 7
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (rt << 5) | (crm << 1) | (read ? 1 : 0)
}

/**
 * ISV, SAS, SSE, SRT, SF and AR (bits 24:14) of a stage-2 data abort by `word`: valid for loads and stores of one
 * general-purpose register without writeback and not exclusive; 0 (ISV clear) for everything else.
 */
export function loadStoreIss(word: number): number {
  const size = word >>> 30
  const rt = word & 31
  if ((word & 0x3f000000) === 0x39000000) return singleRegister(size, (word >>> 22) & 3, rt)
  if ((word & 0x3f000000) === 0x38000000) {
    const bit21 = (word >>> 21) & 1
    const form = (word >>> 10) & 3
    const plain = bit21 === 0 ? form === 0 || form === 2 : form === 2
    return plain ? singleRegister(size, (word >>> 22) & 3, rt) : 0
  }
  // LDAR, LDARB, LDARH, STLR, STLRB, STLRH
  if ((word & 0x3fa08000) === 0x08808000) return isv(size, 0, rt, size === 3 ? 1 : 0, 1)
  // LDR (literal), LDRSW (literal)
  if ((word & 0x3f000000) === 0x18000000) {
    if (size === 0) return isv(2, 0, rt, 0, 0)
    if (size === 1) return isv(3, 0, rt, 1, 0)
    if (size === 2) return isv(2, 1, rt, 1, 0)
  }
  return 0
}

function singleRegister(size: number, opc: number, rt: number): number {
  if (opc < 2) return isv(size, 0, rt, size === 3 ? 1 : 0, 0)
  if (size === 3 || (size === 2 && opc === 3)) return 0 // PRFM, unallocated
  return isv(size, 1, rt, opc === 2 ? 1 : 0, 0)
}

function isv(sas: number, sse: number, srt: number, sf: number, ar: number): number {
  return (1 << 24) | (sas << 22) | (sse << 21) | (srt << 16) | (sf << 15) | (ar << 14)
}
