import { lowWord, Slot } from '../cpu/register-slots.ts'
import { type CpuState, RAM_BASE } from '../cpu/state.ts'
import { FaultStatus } from '../cpu/syndrome.ts'

/** Permission bits of a translation. */
export const Permission = { read: 1, write: 2, fetch: 4 } as const

/** Implemented physical address size, ID_AA64MMFR0_EL1.PARange = 0b0010. */
export const PA_BITS = 40
const PA_LIMIT = 2 ** PA_BITS
const TWO32 = 2 ** 32
/** Powers of two by exponent: cheaper than Math.pow on the way of every TLB miss. */
const POWER = Float64Array.from({ length: 65 }, (_, n) => 2 ** n)

const HCR_EL2 = lowWord(Slot.HCR_EL2)
const SCTLR_EL1 = lowWord(Slot.SCTLR_EL1)
const SCTLR_EL2 = lowWord(Slot.SCTLR_EL2)
const TCR_EL1 = lowWord(Slot.TCR_EL1)
const TCR_EL2 = lowWord(Slot.TCR_EL2)
const TTBR0_EL1 = lowWord(Slot.TTBR0_EL1)
const TTBR1_EL1 = lowWord(Slot.TTBR1_EL1)
const TTBR0_EL2 = lowWord(Slot.TTBR0_EL2)
const MAIR_EL1 = lowWord(Slot.MAIR_EL1)
const MAIR_EL2 = lowWord(Slot.MAIR_EL2)
const VTTBR_EL2 = lowWord(Slot.VTTBR_EL2)
const VTCR_EL2 = lowWord(Slot.VTCR_EL2)

export const HCR_VM = 1 << 0
export const HCR_PTW = 1 << 2
export const HCR_DC = 1 << 12
export const HCR_TGE = 1 << 27
const SCTLR_WXN = 1 << 19

/** Is stage 2 on for EL1&0? */
export function stage2On(hcrLow: number): boolean {
  return (hcrLow & (HCR_VM | HCR_DC)) !== 0
}

/** Is stage 1 of EL1&0 on? HCR_EL2.TGE and DC switch it off whatever SCTLR_EL1.M says. */
export function stage1On(sctlrLow: number, hcrLow: number): boolean {
  return (sctlrLow & 1) !== 0 && (hcrLow & (HCR_DC | HCR_TGE)) === 0
}

/**
 * The translation table walker: AArch64.TranslateAddress for the EL1&0 and EL2 regimes with the 4 KB granule.
 *
 * Descriptors and addresses are pairs of 32-bit halves or plain numbers, never BigInt. Results and fault details are
 * left in fields so that a walk allocates nothing. A granule size that is not implemented is treated as 4 KB, which
 * the architecture lists among the allowed behaviours.
 */
export class Walker {
  /** Output of the last walk that returned true: physical address of the byte. */
  physical = 0
  /** Output of stage 1 for the byte: the intermediate physical address. */
  ipa = 0
  /** Permission bits, both stages combined. */
  permissions = 0
  /** Permission bits of stage 1 alone. */
  stage1Permissions = 0
  device = false
  /** MAIR attribute byte of stage 1 and shareability, for PAR_EL1. */
  attributes = 0
  shareability = 0
  /**
   * log2 of the size of the stage 1 translation: 12, 21, 30; 12 with stage 1 off. Stage 2's does not matter to the TLB:
   * nothing but whole VMIDs is invalidated after a change of stage 2, and IPAs are not cached.
   */
  blockShift = 12

  /** Fault of the last walk that returned false: DFSC/IFSC, and for stage 2 the IPA. */
  status = 0
  faultStage2 = false
  faultOnWalk = false
  faultIpa = 0

  private s2Permissions = 0
  private s2Device = false
  private stage1Level = 0
  private s2Level = 0
  private descriptorLow = 0
  private descriptorHigh = 0

  private readonly u32: Uint32Array
  private readonly ramBase: number
  private readonly ramEnd: number

  constructor(state: CpuState, ramBase: number, ramBytes: number) {
    this.u32 = state.u32
    this.ramBase = ramBase
    this.ramEnd = ramBase + ramBytes
  }

  /**
   * Translate one address.
   * @param need permission bits the access needs; 0 asks for no permission (cache maintenance at EL1).
   * @param regimeEl2 the EL2 regime, else EL1&0.
   * @param el0 with EL0's permissions.
   * @param both false stops after stage 1 (AT S1E1R and kin); stage 2 still applies to the walk itself.
   * @param fetch the access is an instruction fetch: matters only for the memory type with stage 1 off.
   */
  translate(
    vaLow: number,
    vaHigh: number,
    need: number,
    regimeEl2: boolean,
    el0: boolean,
    both: boolean,
    fetch: boolean,
  ): boolean {
    const u32 = this.u32
    this.faultStage2 = false
    this.faultOnWalk = false
    const hcr = u32[HCR_EL2]!
    const s2 = !regimeEl2 && stage2On(hcr)
    const s1 = regimeEl2 ? (u32[SCTLR_EL2]! & 1) !== 0 : stage1On(u32[SCTLR_EL1]!, hcr)
    if (!s1) {
      if (!this.flat(vaLow, vaHigh, !regimeEl2 && (hcr & HCR_DC) !== 0, fetch, regimeEl2)) return false
    } else if (!this.stage1(vaLow, vaHigh, regimeEl2, el0, s2)) return false
    if ((this.stage1Permissions & need) !== need) {
      this.status = FaultStatus.permission | this.stage1Level
      return false
    }
    this.permissions = this.stage1Permissions
    if (!s2 || !both) {
      this.physical = this.ipa
      return true
    }
    if (!this.stage2(this.ipa)) return this.stage2Fault(this.ipa, false)
    if ((this.s2Permissions & need) !== need) {
      this.status = FaultStatus.permission | this.s2Level
      return this.stage2Fault(this.ipa, false)
    }
    this.permissions &= this.s2Permissions
    this.device ||= this.s2Device
    return true
  }

  /** Stage 1 off: output = input, Device-nGnRnE for data unless HCR_EL2.DC asks for Normal. */
  private flat(vaLow: number, vaHigh: number, normal: boolean, fetch: boolean, regimeEl2: boolean): boolean {
    const u32 = this.u32
    // With TBI the top byte is not part of the address (Arm ARM D5.2.1, AArch64.TranslateAddressS1Off).
    const tbi = regimeEl2 ? (u32[TCR_EL2]! >>> 20) & 1 : (u32[TCR_EL1 + 1]! >>> (vaHigh & 0x00800000 ? 6 : 5)) & 1
    const high = tbi ? vaHigh & 0x00ffffff : vaHigh
    if (high >= 1 << (PA_BITS - 32)) {
      this.status = FaultStatus.addressSize
      return false
    }
    this.ipa = high * TWO32 + vaLow
    this.stage1Permissions = 7
    this.stage1Level = 0
    this.blockShift = 12
    this.device = !(normal || fetch)
    this.attributes = normal ? 0xff : 0
    this.shareability = normal ? 0 : 2
    return true
  }

  private stage1(vaLow: number, vaHigh: number, regimeEl2: boolean, el0: boolean, s2: boolean): boolean {
    const u32 = this.u32
    let txsz: number
    let table: number
    let tableHigh: number
    let outputBits: number
    let top: number
    let upper = false
    if (regimeEl2) {
      const tcr = u32[TCR_EL2]!
      txsz = tcr & 63
      top = tcr & (1 << 20) ? 56 : 64
      outputBits = addressBits((tcr >>> 16) & 7)
      table = u32[TTBR0_EL2]!
      tableHigh = u32[TTBR0_EL2 + 1]!
    } else {
      const tcr = u32[TCR_EL1]!
      const tcrHigh = u32[TCR_EL1 + 1]!
      upper = (vaHigh & 0x00800000) !== 0
      outputBits = addressBits(tcrHigh & 7)
      if (upper) {
        txsz = (tcr >>> 16) & 63
        top = tcrHigh & 0x40 ? 56 : 64
        table = u32[TTBR1_EL1]!
        tableHigh = u32[TTBR1_EL1 + 1]!
      } else {
        txsz = tcr & 63
        top = tcrHigh & 0x20 ? 56 : 64
        table = u32[TTBR0_EL1]!
        tableHigh = u32[TTBR0_EL1 + 1]!
      }
      // EPD0, EPD1
      if (tcr & (upper ? 1 << 23 : 1 << 7)) return this.fault(FaultStatus.translation, 0)
    }
    if (txsz < 16) txsz = 16
    else if (txsz > 39) txsz = 39
    const inputBits = 64 - txsz
    if (!canonical(vaLow, vaHigh, inputBits, top, upper)) return this.fault(FaultStatus.translation, 0)

    let level = inputBits > 39 ? 0 : inputBits > 30 ? 1 : 2
    let shift = 39 - 9 * level
    // The root table holds 2^(inputBits - shift) descriptors and is aligned to its size.
    let indexMask = POWER[inputBits - shift]! - 1
    let base = (tableHigh & 0xffff) * TWO32 + ((table & ~((indexMask + 1) * 8 - 1)) >>> 0)
    if (base >= POWER[outputBits]!) return this.fault(FaultStatus.addressSize, 0)

    let tableBits = 0
    for (;;) {
      const index = indexOf(vaLow, vaHigh, level) & indexMask
      if (!this.readStage1Descriptor(base + index * 8, level, s2)) return false
      const low = this.descriptorLow
      const high = this.descriptorHigh
      if ((low & 1) === 0 || (level === 3 && (low & 2) === 0)) return this.fault(FaultStatus.translation, level)
      const output = (high & 0xffff) * TWO32 + ((low & 0xfffff000) >>> 0)
      if (level !== 3 && (low & 2) !== 0) {
        if (output >= POWER[outputBits]!) return this.fault(FaultStatus.addressSize, level)
        tableBits |= high >>> 27 // NSTable, APTable[1:0], XNTable, PXNTable in bits 4..0
        base = output
        level++
        shift -= 9
        indexMask = 511
        continue
      }
      // A block or page. There are no level 0 blocks with the 4 KB granule.
      if (level === 0) return this.fault(FaultStatus.translation, 0)
      if (output >= POWER[outputBits]!) return this.fault(FaultStatus.addressSize, level)
      if ((low & 0x400) === 0) return this.fault(FaultStatus.accessFlag, level)
      const size = POWER[shift]!
      this.ipa = output - (output % size) + (vaLow & (size - 1))
      this.blockShift = shift
      this.stage1Level = level
      this.shareability = (low >>> 8) & 3
      this.readAttributes((low >>> 2) & 7, regimeEl2)
      this.stage1Permissions = regimeEl2
        ? el2Permissions(low, high, tableBits, (u32[SCTLR_EL2]! & SCTLR_WXN) !== 0)
        : el10Permissions(low, high, tableBits, el0, (u32[SCTLR_EL1]! & SCTLR_WXN) !== 0)
      return true
    }
  }

  private readAttributes(index: number, regimeEl2: boolean): void {
    const mair = (regimeEl2 ? MAIR_EL2 : MAIR_EL1) + (index >>> 2)
    this.attributes = (this.u32[mair]! >>> ((index & 3) * 8)) & 0xff
    this.device = (this.attributes & 0xf0) === 0
    if (this.device) this.shareability = 2
  }

  /** Read a descriptor of stage 1 at `address`, an IPA when stage 2 is on. */
  private readStage1Descriptor(address: number, level: number, s2: boolean): boolean {
    let physical = address
    if (s2) {
      if (!this.stage2(address)) return this.stage2Fault(address, true)
      if ((this.s2Permissions & Permission.read) === 0 || (this.s2Device && this.u32[HCR_EL2]! & HCR_PTW)) {
        this.status = FaultStatus.permission | this.s2Level
        return this.stage2Fault(address, true)
      }
      physical = this.s2Physical
    }
    if (this.readDescriptor(physical)) return true
    return this.fault(FaultStatus.externalAbortOnWalk, level)
  }

  private s2Physical = 0

  /** Stage 2 of `ipa`: s2Physical, s2Permissions, s2Device, s2Level, s2Shift, or false with `status` set. */
  private stage2(ipa: number): boolean {
    const u32 = this.u32
    if ((u32[HCR_EL2]! & (HCR_VM | HCR_DC)) === 0) {
      this.s2Physical = ipa
      return true
    }
    const vtcr = u32[VTCR_EL2]!
    let t0sz = vtcr & 63
    if (t0sz < 16) t0sz = 16
    else if (t0sz > 39) t0sz = 39
    const inputBits = 64 - t0sz
    const sl0 = (vtcr >>> 6) & 3
    const outputBits = addressBits((vtcr >>> 16) & 7)
    let level = 2 - sl0
    if (sl0 === 3 || (level === 0 && PA_BITS < 43)) return this.fault(FaultStatus.translation, 0)
    let shift = 39 - 9 * level
    // Up to 16 concatenated root tables: the root indexes 1 to 13 bits (S2InconsistentSL).
    const rootBits = inputBits - shift
    if (rootBits < 1 || rootBits > 13) return this.fault(FaultStatus.translation, 0)
    if (ipa >= POWER[inputBits]!) return this.fault(FaultStatus.translation, 0)
    const rootEntries = POWER[rootBits]!
    let base = (u32[VTTBR_EL2 + 1]! & 0xffff) * TWO32 + ((u32[VTTBR_EL2]! & ~(rootEntries * 8 - 1)) >>> 0)
    if (base >= POWER[outputBits]!) return this.fault(FaultStatus.addressSize, 0)
    let indexMask = rootEntries - 1
    for (;;) {
      const index = Math.floor(ipa / POWER[shift]!) & indexMask
      if (!this.readDescriptor(base + index * 8)) return this.fault(FaultStatus.externalAbortOnWalk, level)
      const low = this.descriptorLow
      const high = this.descriptorHigh
      if ((low & 1) === 0 || (level === 3 && (low & 2) === 0)) return this.fault(FaultStatus.translation, level)
      const output = (high & 0xffff) * TWO32 + ((low & 0xfffff000) >>> 0)
      if (output >= POWER[outputBits]!) {
        if (level !== 0 || (low & 2) !== 0) return this.fault(FaultStatus.addressSize, level)
      }
      if (level !== 3 && (low & 2) !== 0) {
        base = output
        level++
        shift -= 9
        indexMask = 511
        continue
      }
      if (level === 0) return this.fault(FaultStatus.translation, 0)
      if ((low & 0x400) === 0) return this.fault(FaultStatus.accessFlag, level)
      const size = POWER[shift]!
      this.s2Physical = output - (output % size) + (ipa % size)
      this.s2Level = level
      // S2AP[0] bit 6 read, S2AP[1] bit 7 write, XN bit 54.
      this.s2Permissions =
        (low & 0x40 ? Permission.read : 0) |
        (low & 0x80 ? Permission.write : 0) |
        (high & (1 << 22) ? 0 : Permission.fetch)
      this.s2Device = (low & 0x30) === 0
      this.physical = this.s2Physical
      return true
    }
  }

  private readDescriptor(physical: number): boolean {
    if (physical < this.ramBase || physical >= this.ramEnd) return false
    const w = (physical - this.ramBase + RAM_BASE) / 4
    this.descriptorLow = this.u32[w]!
    this.descriptorHigh = this.u32[w + 1]!
    return true
  }

  private fault(code: number, level: number): false {
    this.status = code | level
    return false
  }

  private stage2Fault(ipa: number, onWalk: boolean): false {
    this.faultStage2 = true
    this.faultOnWalk = onWalk
    this.faultIpa = ipa
    return false
  }
}

/** TCR.IPS/PS and VTCR.PS: output address size in bits, at most what is implemented. */
function addressBits(ps: number): number {
  return ps === 0 ? 32 : ps === 1 ? 36 : PA_BITS
}

/** Are the bits from inputBits up to top all zeros (or all ones for the upper range)? */
function canonical(vaLow: number, vaHigh: number, inputBits: number, top: number, upper: boolean): boolean {
  let high = upper ? ~vaHigh : vaHigh
  if (top === 56) high &= 0x00ffffff
  if (inputBits >= 32) return high >>> (inputBits - 32) === 0
  return high === 0 && (upper ? ~vaLow : vaLow) >>> inputBits === 0
}

function indexOf(vaLow: number, vaHigh: number, level: number): number {
  if (level === 3) return (vaLow >>> 12) & 511
  if (level === 2) return (vaLow >>> 21) & 511
  if (level === 1) return ((vaHigh & 127) << 2) | (vaLow >>> 30)
  return (vaHigh >>> 7) & 511
}

/** EL1&0: AP[2:1] in bits 7:6, PXN bit 53, UXN bit 54; `table` = attributes inherited from table descriptors. */
function el10Permissions(low: number, high: number, table: number, el0: boolean, wxn: boolean): number {
  const userAccess = (low & 0x40) !== 0 && (table & 4) === 0
  const writable = (low & 0x80) === 0 && (table & 8) === 0
  if (el0) {
    const write = userAccess && writable
    const noFetch = (high & (1 << 22)) !== 0 || (table & 2) !== 0 || (wxn && write)
    return (userAccess ? Permission.read : 0) | (write ? Permission.write : 0) | (noFetch ? 0 : Permission.fetch)
  }
  const noFetch =
    (high & (1 << 21)) !== 0 || (table & 1) !== 0 || (userAccess && writable) || (wxn && writable)
  return Permission.read | (writable ? Permission.write : 0) | (noFetch ? 0 : Permission.fetch)
}

/** EL2: AP[2] in bit 7, XN bit 54. */
function el2Permissions(low: number, high: number, table: number, wxn: boolean): number {
  const writable = (low & 0x80) === 0 && (table & 8) === 0
  const noFetch = (high & (1 << 22)) !== 0 || (table & 2) !== 0 || (wxn && writable)
  return Permission.read | (writable ? Permission.write : 0) | (noFetch ? 0 : Permission.fetch)
}

/** Does a physical address exceed what is implemented? */
export function beyondPhysical(physical: number): boolean {
  return physical >= PA_LIMIT
}
