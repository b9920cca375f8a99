import { UnknownError } from './known.ts'
import type { TranslationTables } from './page-table-walk.ts'

/** The registers that say which tables are in force and how they are read; 64-bit values. */
export interface RegimeRegisters {
  readonly HCR_EL2: bigint
  readonly SCTLR_EL1: bigint
  readonly SCTLR_EL2: bigint
  readonly TCR_EL1: bigint
  readonly TCR_EL2: bigint
  readonly TTBR0_EL1: bigint
  readonly TTBR1_EL1: bigint
  readonly TTBR0_EL2: bigint
  readonly MAIR_EL1: bigint
  readonly MAIR_EL2: bigint
  readonly VTCR_EL2: bigint
  readonly VTTBR_EL2: bigint
  readonly TPIDR_EL2: bigint
}

const bits = (value: bigint, top: number, bottom: number) =>
  Number(BigInt.asUintN(top - bottom + 1, value >> BigInt(bottom)))

const HCR_VM = 1n
const HCR_E2H = 1n << 34n

/** HCR_EL2.E2H: EL2 has two privilege levels and its registers look like EL1's. */
export function el2IsHost(r: RegimeRegisters): boolean {
  return (r.HCR_EL2 & HCR_E2H) !== 0n
}

/** HCR_EL2.VM. */
export function stage2Enabled(r: RegimeRegisters): boolean {
  return (r.HCR_EL2 & HCR_VM) !== 0n
}

/** The world in VTTBR_EL2: 0 is the host, others are guests. */
export function currentVmid(r: RegimeRegisters): number {
  return bits(r.VTTBR_EL2, 63, 48)
}

function stage1StartLevel(inputBits: number): number {
  return inputBits > 48 ? -1 : inputBits > 39 ? 0 : inputBits > 30 ? 1 : inputBits > 21 ? 2 : 3
}

/** TTBR.BADDR: the table's address; with LPA2 bits 5:2 hold address bits 51:48. */
function stage1Root(ttbr: bigint, inputBits: number, lpa2: boolean): number {
  const startShift = 39 - 9 * stage1StartLevel(inputBits)
  const align = 2 ** Math.max(inputBits - startShift + 3, lpa2 ? 6 : 1)
  const base = Number(ttbr & 0xffff_ffff_ffffn)
  return base - (base % align) + (lpa2 ? bits(ttbr, 5, 2) * 2 ** 48 : 0)
}

function inputWidth(txsz: number, lpa2: boolean): number {
  return 64 - Math.min(Math.max(txsz, lpa2 ? 12 : 16), 39)
}

/**
 * Stage 1 of the EL2 regime (EL2&0 with E2H: its lower range).
 * @returns null while it is off.
 */
export function el2Stage1(r: RegimeRegisters): TranslationTables | null {
  if ((r.SCTLR_EL2 & 1n) === 0n) return null
  const e2h = el2IsHost(r)
  const lpa2 = bits(r.TCR_EL2, e2h ? 59 : 32, e2h ? 59 : 32) === 1
  const inputBits = inputWidth(bits(r.TCR_EL2, 5, 0), lpa2)
  return {
    name: 'stage 1 of EL2 (TTBR0_EL2)',
    stage: 1,
    lpa2,
    onePrivilege: !e2h,
    mair: r.MAIR_EL2,
    root: stage1Root(r.TTBR0_EL2, inputBits, lpa2),
    inputBits,
    startLevel: stage1StartLevel(inputBits),
    ignoreTopByte: bits(r.TCR_EL2, e2h ? 37 : 20, e2h ? 37 : 20) === 1,
  }
}

/**
 * Stage 1 of EL1&0: the tables that translate this address, by its bit 55.
 * @returns null while it is off or the half of the address space is disabled (TCR_EL1.EPDn).
 */
export function el1Stage1(r: RegimeRegisters, va: bigint): TranslationTables | null {
  if ((r.SCTLR_EL1 & 1n) === 0n) return null
  const upper = bits(va, 55, 55) === 1
  if (bits(r.TCR_EL1, upper ? 23 : 7, upper ? 23 : 7) === 1) return null
  const lpa2 = bits(r.TCR_EL1, 59, 59) === 1
  const inputBits = inputWidth(upper ? bits(r.TCR_EL1, 21, 16) : bits(r.TCR_EL1, 5, 0), lpa2)
  return {
    name: upper ? 'stage 1 of EL1&0 (TTBR1_EL1)' : 'stage 1 of EL1&0 (TTBR0_EL1)',
    stage: 1,
    lpa2,
    onePrivilege: false,
    mair: r.MAIR_EL1,
    root: stage1Root(upper ? r.TTBR1_EL1 : r.TTBR0_EL1, inputBits, lpa2),
    inputBits,
    startLevel: stage1StartLevel(inputBits),
    upper,
    ignoreTopByte: bits(r.TCR_EL1, upper ? 38 : 37, upper ? 38 : 37) === 1,
  }
}

/**
 * Stage 2 tables from a VTCR_EL2 value and the address of their root.
 * @throws UnknownError when VTCR_EL2 names no possible walk.
 */
export function stage2Tables(name: string, vtcr: bigint, root: number): TranslationTables {
  const lpa2 = bits(vtcr, 32, 32) === 1
  const inputBits = inputWidth(bits(vtcr, 5, 0), lpa2)
  const sl0 = bits(vtcr, 7, 6)
  // SL2 (bit 33) with LPA2 makes the walk begin at level -1.
  const startLevel = lpa2 && bits(vtcr, 33, 33) === 1 ? -1 : 2 - sl0
  const rootBits = inputBits - (39 - 9 * startLevel)
  if (sl0 === 3 || rootBits < 1 || rootBits > 13)
    throw new UnknownError(`${name}: VTCR_EL2 0x${vtcr.toString(16)} describes no walk`)
  return { name, stage: 2, lpa2, onePrivilege: false, root, inputBits, startLevel }
}

/** The stage 2 in force now. @returns null while it is off. */
export function currentStage2(r: RegimeRegisters): TranslationTables | null {
  if (!stage2Enabled(r)) return null
  const vmid = currentVmid(r)
  return stage2Tables(
    vmid === 0 ? 'stage 2 of the host' : `stage 2 of VMID ${vmid}`,
    r.VTCR_EL2,
    Number(r.VTTBR_EL2 & 0xffff_ffff_fffen),
  )
}
