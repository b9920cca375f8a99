import { AbortIss, EC, FaultStatus } from '../../cpu/syndrome.ts'

/** What made the processor go up to EL2, in words (ESR_ELx, Arm ARM D24.2.40). */
export const VECTOR_NAMES: Readonly<Record<number, string>> = {
  0: 'synchronous exception',
  0x80: 'IRQ',
  0x100: 'FIQ',
  0x180: 'SError',
}

export function isAbort(ec: number): boolean {
  return ec === EC.instructionAbort || ec === EC.dataAbort
}

/** `read`, `write`, `instruction fetch`, `cache maintenance`, with the stage-1 walk told apart. */
export function accessWords(ec: number, iss: number): string {
  const what =
    ec === EC.instructionAbort
      ? 'instruction fetch'
      : iss & AbortIss.cm
        ? 'cache maintenance'
        : iss & AbortIss.wnr
          ? 'write'
          : 'read'
  return iss & AbortIss.s1ptw ? `${what} (while walking stage 1)` : what
}

/** `translation fault, level 3`. */
export function faultWords(iss: number): string {
  const status = iss & 0x3f
  const level = status & 3
  switch (status & 0x3c) {
    case FaultStatus.addressSize:
      return `address size fault, level ${level}`
    case FaultStatus.translation:
      return `translation fault, level ${level}`
    case FaultStatus.accessFlag:
      return `access flag fault, level ${level}`
    case FaultStatus.permission:
      return `permission fault, level ${level}`
  }
  if (status === FaultStatus.externalAbort) return 'external abort'
  if (status === FaultStatus.alignment) return 'alignment fault'
  return `fault status 0x${status.toString(16)}`
}

/** Why a guest left. */
export function exitWords(ec: number, iss: number): string {
  switch (ec) {
    case EC.wfx:
      return iss & 1 ? 'WFE' : 'WFI'
    case EC.hvc64:
      return `HVC #${iss & 0xffff}`
    case EC.smc64:
      return `SMC #${iss & 0xffff}`
    case EC.systemAccess:
      return `system register ${iss & 1 ? 'read' : 'write'} ${registerWords(iss)}`
    case EC.instructionAbort:
    case EC.dataAbort:
      return `stage-2 abort: ${accessWords(ec, iss)}, ${faultWords(iss)}`
    case EC.fpAccess:
      return 'first use of floating point'
  }
  return `exception class 0x${ec.toString(16)}`
}

/** The register of an EC 0x18 syndrome: `S3_0_C12_C11_5`. */
function registerWords(iss: number): string {
  const op0 = (iss >>> 20) & 3
  const op2 = (iss >>> 17) & 7
  const op1 = (iss >>> 14) & 7
  const crn = (iss >>> 10) & 15
  const crm = (iss >>> 1) & 15
  return `S${op0}_${op1}_C${crn}_C${crm}_${op2}`
}
