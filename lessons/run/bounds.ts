/** How far a boot and a run of a lesson may go, in the page and headless. All by the machine's own clock. */

/** A Debian kernel's agent is ready after about 10^9 instructions, mini-pKVM's after 3 * 10^5. */
export const MOST_BOOT_INSTRUCTIONS = 6_000_000_000
export const MOST_SYSTEM_BOOT_INSTRUCTIONS = 2_000_000
/** Of the machine's time that a run may spend, also idle: a script that waits for nothing must end too. */
export const MOST_RUN_NANOSECONDS = 30e9

/** The machine did not come to the point where a run can begin; the message is one sentence. */
export class BootFailure extends Error {
  constructor(
    message: string,
    readonly explanation: 'assembly' | 'boot',
    /** There is a machine, and it stands where it came to. */
    readonly stands = false,
  ) {
    super(message)
  }
}
