/** Bits of control registers by their architectural names, as masks on the low 32 bits of the register. */
export const HCR = {
  VM: 1 << 0,
  SWIO: 1 << 1,
  PTW: 1 << 2,
  FMO: 1 << 3,
  IMO: 1 << 4,
  AMO: 1 << 5,
  VF: 1 << 6,
  VI: 1 << 7,
  VSE: 1 << 8,
  FB: 1 << 9,
  DC: 1 << 12,
  TWI: 1 << 13,
  TWE: 1 << 14,
  TID0: 1 << 15,
  TID1: 1 << 16,
  TID2: 1 << 17,
  TID3: 1 << 18,
  TSC: 1 << 19,
  TIDCP: 1 << 20,
  TACR: 1 << 21,
  TSW: 1 << 22,
  TPC: 1 << 23,
  TPU: 1 << 24,
  TTLB: 1 << 25,
  TVM: 1 << 26,
  TGE: 1 << 27,
  TDZ: 1 << 28,
  HCD: 1 << 29,
  TRVM: 1 << 30,
} as const

export const SCTLR = {
  M: 1 << 0,
  A: 1 << 1,
  C: 1 << 2,
  SA: 1 << 3,
  SA0: 1 << 4,
  UMA: 1 << 9,
  I: 1 << 12,
  DZE: 1 << 14,
  UCT: 1 << 15,
  nTWI: 1 << 16,
  nTWE: 1 << 18,
  WXN: 1 << 19,
  UCI: 1 << 26,
} as const

export const CPTR = { TFP: 1 << 10, TTA: 1 << 20, TCPAC: 1 << 31 } as const
export const MDCR = { TDE: 1 << 8, TDA: 1 << 9, TDOSA: 1 << 10, TDRA: 1 << 11 } as const
export const MDSCR = { SS: 1 << 0, TDCC: 1 << 12, KDE: 1 << 13, MDE: 1 << 15 } as const
/** PSTATE.DAIF as in SPSR bits 9:6. */
export const DAIF = { D: 0x200, A: 0x100, I: 0x80, F: 0x40, all: 0x3c0 } as const
/** SPSR bits. */
export const SPSR = { SS: 1 << 21, IL: 1 << 20 } as const
/** Off.ssIl bits. */
export const SsIl = { SS: 1, IL: 2 } as const
/** Bits of Slot.LINES. */
export const Line = { irq: 1, fiq: 2, virq: 4, vfiq: 8 } as const
