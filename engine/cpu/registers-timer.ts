import { Slot } from './register-slots.ts'
import { register, type SystemRegister } from './system-registers.ts'
import * as trap from './traps.ts'

/** The generic timer: counters and timers live in the timer device, the two trap control registers here. */
export const TIMER_REGISTERS: readonly SystemRegister[] = [
  register('CNTFRQ_EL0', [3, 3, 14, 0, 0], { device: true, minElWrite: 2, check: trap.counterFrequency }),
  register('CNTPCT_EL0', [3, 3, 14, 0, 1], { device: true, access: 'RO', check: trap.physicalCounter }),
  register('CNTVCT_EL0', [3, 3, 14, 0, 2], { device: true, access: 'RO', check: trap.virtualCounter }),
  register('CNTP_TVAL_EL0', [3, 3, 14, 2, 0], { device: true, check: trap.physicalTimer }),
  register('CNTP_CTL_EL0', [3, 3, 14, 2, 1], { device: true, check: trap.physicalTimer }),
  register('CNTP_CVAL_EL0', [3, 3, 14, 2, 2], { device: true, check: trap.physicalTimer }),
  register('CNTV_TVAL_EL0', [3, 3, 14, 3, 0], { device: true, check: trap.virtualTimer }),
  register('CNTV_CTL_EL0', [3, 3, 14, 3, 1], { device: true, check: trap.virtualTimer }),
  register('CNTV_CVAL_EL0', [3, 3, 14, 3, 2], { device: true, check: trap.virtualTimer }),
  register('CNTVOFF_EL2', [3, 4, 14, 0, 3], { device: true }),
  register('CNTHP_TVAL_EL2', [3, 4, 14, 2, 0], { device: true }),
  register('CNTHP_CTL_EL2', [3, 4, 14, 2, 1], { device: true }),
  register('CNTHP_CVAL_EL2', [3, 4, 14, 2, 2], { device: true }),
  register('CNTKCTL_EL1', [3, 0, 14, 1, 0], { slot: Slot.CNTKCTL_EL1, mask: 0x3ffn }),
  register('CNTHCTL_EL2', [3, 4, 14, 1, 0], { slot: Slot.CNTHCTL_EL2, mask: 0xffn, reset: 3n }),
]
