import { EC, AbortIss, FaultStatus } from '../cpu/syndrome.ts'
import { GuestException, Target } from '../cpu/exception.ts'
import { Permission, type Walker } from './walk.ts'

/** PAR_EL1 of an AT instruction. */
export const PAR_RES1 = 1n << 11n

/**
 * AT S1E0/S1E1/S1E2/S12E0/S12E1, R and W.
 * @param el the level the instruction executes at.
 * @returns the value for PAR_EL1.
 * @throws GuestException for a stage-2 fault on the walk of AT S1E0/S1E1 executed at EL1, and for external aborts.
 */
export function addressTranslate(
  walker: Walker,
  vaLow: number,
  vaHigh: number,
  write: boolean,
  regimeEl2: boolean,
  el0: boolean,
  both: boolean,
  el: number,
): bigint {
  const need = write ? Permission.write : Permission.read
  if (walker.translate(vaLow, vaHigh, need, regimeEl2, el0, both, false)) {
    const page = BigInt(Math.floor(walker.physical / 4096)) << 12n
    return page | (BigInt(walker.attributes) << 56n) | (BigInt(walker.shareability) << 7n) | PAR_RES1 | (1n << 9n)
  }
  const external = (walker.status & 0x3c) === FaultStatus.externalAbortOnWalk
  if ((walker.faultStage2 && el === 1) || external) {
    const far = (BigInt(vaHigh >>> 0) << 32n) | BigInt(vaLow >>> 0)
    const iss = walker.status | AbortIss.cm | AbortIss.wnr | (walker.faultOnWalk ? AbortIss.s1ptw : 0)
    const target = walker.faultStage2 ? Target.el2 : Target.usual
    throw new GuestException(EC.dataAbort, iss, target, far, walker.faultStage2 ? walker.faultIpa : -1)
  }
  const s = walker.faultStage2 ? 1n << 9n : 0n
  const ptw = walker.faultOnWalk ? 1n << 8n : 0n
  return 1n | (BigInt(walker.status) << 1n) | ptw | s | PAR_RES1
}
