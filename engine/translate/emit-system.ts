import { CTR_LAB } from '../cpu/id-registers.ts'
import { Slot } from '../cpu/register-slots.ts'
import { ModeBit, Off, SYSREG_BASE } from '../cpu/state.ts'
import type { Emitter } from './emit.ts'
import { Op, ValType } from './wasm-encoder.ts'

/**
 * System instructions that translated code does itself, because they are frequent and cannot trap where they are
 * inlined: thread pointers, SP_EL0, DAIF, NZCV, and what the guards below make safe. All others leave to tier 0.
 */

function encoding(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2
}

const Register = {
  NZCV: encoding(3, 3, 4, 2, 0),
  DAIF: encoding(3, 3, 4, 2, 1),
  FPCR: encoding(3, 3, 4, 4, 0),
  FPSR: encoding(3, 3, 4, 4, 1),
  CurrentEL: encoding(3, 0, 4, 2, 2),
  CTR_EL0: encoding(3, 3, 0, 0, 1),
  DCZID_EL0: encoding(3, 3, 0, 0, 7),
  ZVA: encoding(1, 3, 7, 4, 1),
  DC_CVAC: encoding(1, 3, 7, 10, 1),
  DC_CVAU: encoding(1, 3, 7, 11, 1),
  DC_CIVAC: encoding(1, 3, 7, 14, 1),
} as const

interface Storage {
  readonly slot: number
  /** Lowest exception level that may read and write it untrapped; writes may need a higher one. */
  readonly read: number
  readonly write: number
  /** Reads at EL1 trap under HCR_EL2.TRVM. */
  readonly trvm?: boolean
}
const NEVER = 9

/** Registers that are plain storage and that nothing but the named condition traps (no FEAT_FGT, no FEAT_NV). */
const STORAGE = new Map<number, Storage>([
  [encoding(3, 3, 13, 0, 2), { slot: Slot.TPIDR_EL0, read: 0, write: 0 }],
  [encoding(3, 3, 13, 0, 3), { slot: Slot.TPIDRRO_EL0, read: 0, write: 1 }],
  [encoding(3, 0, 13, 0, 4), { slot: Slot.TPIDR_EL1, read: 1, write: 1 }],
  [encoding(3, 4, 13, 0, 2), { slot: Slot.TPIDR_EL2, read: 2, write: 2 }],
  [encoding(3, 0, 4, 0, 1), { slot: Slot.ELR_EL1, read: 1, write: 1 }],
  [encoding(3, 0, 4, 0, 0), { slot: Slot.SPSR_EL1, read: 1, write: NEVER }],
  [encoding(3, 0, 2, 0, 0), { slot: Slot.TTBR0_EL1, read: 1, write: NEVER, trvm: true }],
  [encoding(3, 0, 2, 0, 1), { slot: Slot.TTBR1_EL1, read: 1, write: NEVER, trvm: true }],
  [encoding(3, 0, 2, 0, 2), { slot: Slot.TCR_EL1, read: 1, write: NEVER, trvm: true }],
  [encoding(3, 0, 5, 2, 0), { slot: Slot.ESR_EL1, read: 1, write: NEVER, trvm: true }],
  [encoding(3, 0, 6, 0, 0), { slot: Slot.FAR_EL1, read: 1, write: NEVER, trvm: true }],
])
const SP_EL0 = encoding(3, 0, 4, 1, 0)

const HCR_LOW = SYSREG_BASE + 8 * Slot.HCR_EL2
const HCR_TRVM = 1 << 30
const HCR_TDZ = 1 << 28
const HCR_TPU = 1 << 24
const HCR_TPC = 1 << 23
const HCR_TID2 = 1 << 17
const SCTLR_EL1_LOW = SYSREG_BASE + 8 * Slot.SCTLR_EL1
const SCTLR_DZE = 1 << 14
const SCTLR_UCT = 1 << 15

function storageOf(t: Emitter, register: number): Storage | undefined {
  // SP_EL0 is a slot only while SP_ELx is the current stack pointer.
  if (register === SP_EL0) return t.mode & ModeBit.spSel ? { slot: Slot.SP_EL0, read: 1, write: 1 } : undefined
  return STORAGE.get(register)
}

export function sysRead(t: Emitter, register: number): number {
  const { ir, el } = t
  const storage = storageOf(t, register)
  if (storage !== undefined && el >= storage.read && !(el === 2 && storage.slot !== Slot.TPIDR_EL2 && storage.read === 1 && register !== SP_EL0)) {
    if (storage.trvm === true && el === 1) t.guardState(HCR_LOW, HCR_TRVM, 0)
    return t.readState(SYSREG_BASE + 8 * storage.slot, Op.i64Load, ValType.i64)
  }
  switch (register) {
    case Register.NZCV:
      return ir.i64(Op.i64Shl, t.nzcv(), ir.const64(28n))
    case Register.DAIF:
      if (el >= 1) return ir.extendU(t.readState(Off.daif, Op.i32Load, ValType.i32))
      break
    case Register.CurrentEL:
      if (el >= 1) return ir.const64(BigInt(el << 2))
      break
    case Register.FPCR: case Register.FPSR:
      if (!(t.mode & ModeBit.fpTrap)) {
        return ir.extendU(t.readState(register === Register.FPCR ? Off.fpcr : Off.fpsr, Op.i32Load, ValType.i32))
      }
      break
    case Register.CTR_EL0:
      if (el === 0) t.guardState(SCTLR_EL1_LOW, SCTLR_UCT, SCTLR_UCT)
      if (el <= 1) t.guardState(HCR_LOW, HCR_TID2, 0)
      return ir.const64(CTR_LAB)
    case Register.DCZID_EL0:
      // BS = 4 (64 bytes); DZP = 0 under the guards.
      guardZvaAllowed(t)
      return ir.const64(4n)
  }
  t.bail()
  return ir.const64(0n)
}

export function sysWrite(t: Emitter, register: number, v: number): void {
  const { ir, el } = t
  const storage = storageOf(t, register)
  if (storage !== undefined && el >= storage.write && !(el === 2 && storage.write === 1 && register !== SP_EL0)) {
    t.writeState(SYSREG_BASE + 8 * storage.slot, v, Op.i64Store)
    return
  }
  switch (register) {
    case Register.NZCV:
      t.setNzcv(ir.i64(Op.i64ShrU, ir.zeroUpper(v), ir.const64(28n)) as never)
      return
    case Register.DAIF:
      if (el >= 1) {
        t.writeState(Off.daif, ir.i32(Op.i32And, ir.wrap(v), ir.const32(0x3c0)), Op.i32Store)
        t.endTestingInterrupt()
        return
      }
      break
  }
  t.bail()
}

export function msrImm(t: Emitter, op1: number, op2: number, imm: number): void {
  const { ir } = t
  if (t.el >= 1 && op1 === 3 && (op2 === 6 || op2 === 7)) {
    const daif = t.readState(Off.daif, Op.i32Load, ValType.i32)
    if (op2 === 6) {
      t.writeState(Off.daif, ir.i32(Op.i32Or, daif, ir.const32(imm << 6)), Op.i32Store)
    } else {
      t.writeState(Off.daif, ir.i32(Op.i32And, daif, ir.const32(~(imm << 6))), Op.i32Store)
      t.endTestingInterrupt()
    }
    return
  }
  t.bail()
}

export function sysOp(t: Emitter, operation: number, v: number): void {
  switch (operation) {
    case Register.ZVA:
      t.zeroBlock(v as never)
      return
    case Register.DC_CVAC: case Register.DC_CVAU: case Register.DC_CIVAC:
      // Nothing but the translation of the address is left of them (and their traps; EL0 leaves them to tier 0).
      if (t.el === 0) break
      if (t.el === 1) t.guardState(HCR_LOW, operation === Register.DC_CVAU ? HCR_TPU : HCR_TPC, 0)
      t.probeByte(v)
      return
  }
  t.bail()
}

function guardZvaAllowed(t: Emitter): void {
  if (t.el <= 1) t.guardState(HCR_LOW, HCR_TDZ, 0)
  if (t.el === 0) t.guardState(SCTLR_EL1_LOW, SCTLR_DZE, SCTLR_DZE)
}

/** @returns false after leaving: DC ZVA faults on Device memory, which is what all memory is with stage 1 off. */
export function guardZva(t: Emitter): boolean {
  if (t.mode & ModeBit.alignCheck) {
    t.bail()
    return false
  }
  guardZvaAllowed(t)
  return true
}

