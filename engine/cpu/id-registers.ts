import type { Feature } from '../isa/row.ts'
import { sys } from './encoding.ts'

/**
 * CPU model `lab`: Armv8.0 with CRC32 and LSE, AArch64 only at every level, GICv3 system registers, 40-bit physical
 * addresses, 4 KB granule, 16-bit ASIDs, 8-bit VMIDs, no PAN, VHE, LOR, PMU, SVE or pointer authentication.
 */
export interface IdRegisters {
  /** Values of op0=3 op1=0 CRn=0 CRm=1..7 by encoding; every other encoding of that space reads as zero. */
  readonly feature: ReadonlyMap<number, bigint>
  readonly midr: bigint
}

/** MIDR_EL1: implementer 0 (reserved for software use), so no erratum workaround of anyone's matches. */
export const MIDR_LAB = 0x000f1ab0n
/** MPIDR_EL1: bit 31 RES1, uniprocessor bit clear, affinity 0.0.0.0. */
export const MPIDR_LAB = 0x80000000n
/** CTR_EL0: 64-byte lines, VIPT instruction cache, 64-byte ERG and CWG, IDC = DIC = 0. */
export const CTR_LAB = 0x84448004n
/** CLIDR_EL1: separate L1, unified L2; LoUIS = LoUU = 1, LoC = 2. */
export const CLIDR_LAB = 0x0a200023n
/** DCZID_EL0.BS: log2 of 16 words = 64 bytes. */
export const DCZID_BS = 4n
/** Breakpoints and watchpoints that ID_AA64DFR0_EL1 announces. */
export const BREAKPOINTS = 6
export const WATCHPOINTS = 4

/** CCSIDR_EL1 by CSSELR_EL1: L1 data 32 KB 4-way, L1 instruction 32 KB 2-way, L2 512 KB 16-way. */
export function ccsidr(csselr: number): bigint {
  if (csselr === 0) return 0x700fe01an
  if (csselr === 1) return 0x201fe00an
  if (csselr === 2) return 0x703fe07an
  return 0n
}

/** Instruction set features of the model `lab`. */
export function labFeatures(crypto: boolean): ReadonlySet<Feature> {
  const base: Feature[] = ['fp', 'crc32', 'lse']
  return new Set(crypto ? [...base, 'aes', 'pmull', 'sha1', 'sha256'] : base)
}

export function idRegisters(features: ReadonlySet<Feature>): IdRegisters {
  const pfr0 =
    (features.has('fp') ? (features.has('fp16') ? 0x110000n : 0n) : 0xff0000n) |
    0x0111n | // EL0, EL1, EL2: AArch64 only; no EL3
    (1n << 24n) | // GIC system register interface, version 3.0
    (1n << 56n) | // CSV2
    (1n << 60n) // CSV3
  const isar0 =
    (features.has('aes') ? (features.has('pmull') ? 0x20n : 0x10n) : 0n) |
    (features.has('sha1') ? 0x100n : 0n) |
    (features.has('sha256') ? 0x1000n : 0n) |
    (features.has('crc32') ? 0x10000n : 0n) |
    (features.has('lse') ? 0x200000n : 0n)
  // DebugVer = 6 (Armv8), BRPs, WRPs and one context-aware breakpoint pair.
  const dfr0 = 6n | (BigInt(BREAKPOINTS - 1) << 12n) | (BigInt(WATCHPOINTS - 1) << 20n) | (1n << 28n)
  // PARange = 40 bits, ASIDBits = 16, no mixed endianness, TGran64 not supported, TGran16 not supported, TGran4.
  const mmfr0 = 0x0f000022n
  return {
    midr: MIDR_LAB,
    feature: new Map([
      [sys(3, 0, 0, 4, 0), pfr0],
      [sys(3, 0, 0, 5, 0), dfr0],
      [sys(3, 0, 0, 6, 0), isar0],
      [sys(3, 0, 0, 7, 0), mmfr0],
    ]),
  }
}
