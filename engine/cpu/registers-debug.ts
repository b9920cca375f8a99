import { BREAKPOINTS, WATCHPOINTS } from './id-registers.ts'
import { Slot } from './register-slots.ts'
import { register, type SystemRegister } from './system-registers.ts'
import * as trap from './traps.ts'

const U32 = 0xffffffffn
/** DBGBVR: VA[52:2] sign-extended by software. DBGBCR, DBGWCR: E, PAC, BAS/LSC, HMC, SSC, LBN, BT/WT, MASK. */
const BVR_MASK = 0xfffffffffffffffcn
const BCR_MASK = 0x00ffe1e7n
const WCR_MASK = 0x1f1fffffn

const breakpoints = Array.from({ length: BREAKPOINTS }, (_, n) => [
  register(`DBGBVR${n}_EL1`, [2, 0, 0, n, 4], {
    slot: Slot.DBGBVR0_EL1 + n, mask: BVR_MASK, check: trap.debugRegister, mode: true,
  }),
  register(`DBGBCR${n}_EL1`, [2, 0, 0, n, 5], {
    slot: Slot.DBGBCR0_EL1 + n, mask: BCR_MASK, check: trap.debugRegister, mode: true,
  }),
]).flat()

const watchpoints = Array.from({ length: WATCHPOINTS }, (_, n) => [
  register(`DBGWVR${n}_EL1`, [2, 0, 0, n, 6], {
    slot: Slot.DBGWVR0_EL1 + n, mask: BVR_MASK, check: trap.debugRegister, mode: true,
  }),
  register(`DBGWCR${n}_EL1`, [2, 0, 0, n, 7], {
    slot: Slot.DBGWCR0_EL1 + n, mask: WCR_MASK, check: trap.debugRegister, mode: true,
  }),
]).flat()

/** Self-hosted debug. There is no external debugger: the communication channel is always empty. */
export const DEBUG_REGISTERS: readonly SystemRegister[] = [
  ...breakpoints,
  ...watchpoints,
  register('OSDTRRX_EL1', [2, 0, 0, 0, 2], { slot: Slot.OSDTRRX_EL1, mask: U32, check: trap.debugRegister }),
  register('OSDTRTX_EL1', [2, 0, 0, 3, 2], { slot: Slot.OSDTRTX_EL1, mask: U32, check: trap.debugRegister }),
  register('OSECCR_EL1', [2, 0, 0, 6, 2], { slot: Slot.OSECCR_EL1, mask: U32, check: trap.debugRegister }),
  register('MDCCINT_EL1', [2, 0, 0, 2, 0], { slot: Slot.MDCCINT_EL1, mask: 0x60000000n, check: trap.debugRegister }),
  // SS, TDCC, KDE, HDE, MDE; the channel's status bits are writable only while the OS lock is set and stay 0 here.
  register('MDSCR_EL1', [2, 0, 0, 2, 2], {
    slot: Slot.MDSCR_EL1, mask: 0x0000f001n, check: trap.debugRegister, mode: true,
  }),
  register('MDRAR_EL1', [2, 0, 1, 0, 0], { access: 'RO', read: () => 0n, check: trap.debugRom }),
  register('OSLAR_EL1', [2, 0, 1, 0, 4], {
    access: 'WO',
    check: trap.osDebug,
    write: (cpu, v) => {
      cpu.setReg(Slot.OS_LOCK, v & 1n)
      cpu.updateMode()
    },
  }),
  // OSLM = 0b10: the lock is implemented.
  register('OSLSR_EL1', [2, 0, 1, 1, 4], {
    access: 'RO', read: (cpu) => 8n | (cpu.reg(Slot.OS_LOCK) << 1n), check: trap.osDebug,
  }),
  register('OSDLR_EL1', [2, 0, 1, 3, 4], { slot: Slot.OSDLR_EL1, mask: 1n, check: trap.osDebug, mode: true }),
  register('DBGPRCR_EL1', [2, 0, 1, 4, 4], { slot: Slot.DBGPRCR_EL1, mask: 1n, check: trap.osDebug }),
  register('DBGCLAIMSET_EL1', [2, 0, 7, 8, 6], {
    check: trap.debugRegister,
    read: () => 0xffn,
    write: (cpu, v) => cpu.setReg(Slot.DBGCLAIM_EL1, cpu.reg(Slot.DBGCLAIM_EL1) | (v & 0xffn)),
  }),
  register('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6], {
    check: trap.debugRegister,
    read: (cpu) => cpu.reg(Slot.DBGCLAIM_EL1),
    write: (cpu, v) => cpu.setReg(Slot.DBGCLAIM_EL1, cpu.reg(Slot.DBGCLAIM_EL1) & ~(v & 0xffn)),
  }),
  // Non-secure invasive and non-invasive debug implemented and disabled.
  register('DBGAUTHSTATUS_EL1', [2, 0, 7, 14, 6], { access: 'RO', read: () => 0xan, check: trap.debugRegister }),
  register('MDCCSR_EL0', [2, 3, 0, 1, 0], { access: 'RO', read: () => 0n, check: trap.debugChannel }),
  register('DBGDTR_EL0', [2, 3, 0, 4, 0], { read: () => 0n, write: () => {}, check: trap.debugChannel }),
  register('DBGDTRRX_EL0', [2, 3, 0, 5, 0], { read: () => 0n, write: () => {}, check: trap.debugChannel }),
]
