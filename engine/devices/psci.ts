import type { FirmwarePort } from '../cpu/port.ts'
import type { CpuState } from '../cpu/state.ts'

/** Function identifiers (Arm DEN 0022, chapter 5). SMC64 forms have bit 30 set. */
const PSCI_VERSION = 0x84000000
const CPU_SUSPEND = 0x84000001
const CPU_SUSPEND_64 = 0xc4000001
const CPU_OFF = 0x84000002
const CPU_ON = 0x84000003
const CPU_ON_64 = 0xc4000003
const AFFINITY_INFO = 0x84000004
const AFFINITY_INFO_64 = 0xc4000004
const MIGRATE_INFO_TYPE = 0x84000006
const SYSTEM_OFF = 0x84000008
const SYSTEM_RESET = 0x84000009
const PSCI_FEATURES = 0x8400000a

const SMC64 = 0x40000000

const SUCCESS = 0n
const NOT_SUPPORTED = -1n
const INVALID_PARAMETERS = -2n
const ALREADY_ON = -4n

const VERSION_1_1 = 0x10001n
/** MIGRATE_INFO_TYPE: no Trusted OS that would need migration. */
const TOS_NOT_PRESENT = 2n
/** CPU_SUSPEND power_state bits that must be zero: reserved, affinity level and power-down. */
const POWER_STATE_UNSUPPORTED = 0xfffe0000n

/** MPIDR_EL1.Aff3-Aff0. */
const AFFINITY_MASK = 0xff00ffffffn

/** What the machine does for the firmware. Each is called while the SMC instruction is executed. */
export interface FirmwareActions {
  shutdown(): void
  reset(): void
  /** CPU_OFF: the one PE stops for good; only a reset brings it back. */
  cpuOff(): void
  /** CPU_SUSPEND to a standby state: as WFI. The call returns 0 after the wake-up. */
  standby(): void
}

/**
 * PSCI 1.1 behind SMC, for a machine of one PE. Answers as QEMU's built-in firmware does: no SMCCC_VERSION (so callers
 * assume SMCCC 1.0), no SYSTEM_SUSPEND, and NOT_SUPPORTED (-1 in X0) for every function it does not have.
 */
export class PsciFirmware implements FirmwarePort {
  readonly #actions: FirmwareActions

  constructor(actions: FirmwareActions) {
    this.#actions = actions
  }

  /** The function is in W0, arguments in X1-X3 (W1-W3 for SMC32); the result goes to X0, nothing else changes. */
  call(state: CpuState): void {
    const x = state.x
    const id = Number(x[0]! & 0xffffffffn)
    const argument = (n: number): bigint => (id & SMC64 ? x[n]! : x[n]! & 0xffffffffn)
    let result: bigint = SUCCESS
    switch (id) {
      case PSCI_VERSION:
        result = VERSION_1_1
        break
      case MIGRATE_INFO_TYPE:
        result = TOS_NOT_PRESENT
        break
      case PSCI_FEATURES:
        result = isImplemented(Number(x[1]! & 0xffffffffn)) ? SUCCESS : NOT_SUPPORTED
        break
      case AFFINITY_INFO:
      case AFFINITY_INFO_64:
        result = affinityInfo(argument(1), argument(2))
        break
      case CPU_ON:
      case CPU_ON_64:
        // The only target there is runs this very call.
        result = (argument(1) & AFFINITY_MASK) === 0n ? ALREADY_ON : INVALID_PARAMETERS
        break
      case CPU_SUSPEND:
      case CPU_SUSPEND_64:
        if (argument(1) & POWER_STATE_UNSUPPORTED) {
          result = INVALID_PARAMETERS
          break
        }
        x[0] = SUCCESS
        this.#actions.standby()
        return
      case CPU_OFF:
        this.#actions.cpuOff()
        return
      case SYSTEM_OFF:
        this.#actions.shutdown()
        return
      case SYSTEM_RESET:
        this.#actions.reset()
        return
      default:
        result = NOT_SUPPORTED
    }
    x[0] = BigInt.asUintN(64, result)
  }
}

/** ON (0) for the PE, and for every affinity level above it. */
function affinityInfo(target: bigint, level: bigint): bigint {
  if ((level & 0xffffffffn) !== 0n) return SUCCESS
  return (target & AFFINITY_MASK) === 0n ? SUCCESS : INVALID_PARAMETERS
}

function isImplemented(id: number): boolean {
  switch (id) {
    case PSCI_VERSION:
    case CPU_SUSPEND:
    case CPU_SUSPEND_64:
    case CPU_OFF:
    case CPU_ON:
    case CPU_ON_64:
    case AFFINITY_INFO:
    case AFFINITY_INFO_64:
    case MIGRATE_INFO_TYPE:
    case SYSTEM_OFF:
    case SYSTEM_RESET:
    case PSCI_FEATURES:
      return true
    default:
      return false
  }
}
