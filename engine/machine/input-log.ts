import type { GateOption } from './v3-gate.ts'

/** Something from outside that entered the machine, after exactly `instructions` retired instructions. */
export type Input = { readonly instructions: number } & (
  | { readonly kind: 'serial'; readonly uart: 0 | 1; readonly bytes: Uint8Array }
  /** CONFIG_PROTECTED_VM_UAPI as machine/v3-gate.ts reproduces it. */
  | { readonly kind: 'gate'; readonly option: GateOption }
  /** A call to the hypervisor by hand (host-call.ts): X0 and up, and the address of the HVC that made it. */
  | { readonly kind: 'host-call'; readonly registers: readonly bigint[]; readonly site: bigint }
)

/** All inputs since reset, oldest first. The same machine given the same inputs at the same counts runs the same. */
export class InputLog {
  private readonly list: Input[] = []

  get inputs(): readonly Input[] {
    return this.list
  }

  /** Back to what an earlier `inputs` held. */
  restore(inputs: readonly Input[]): void {
    this.list.splice(0, this.list.length, ...inputs)
  }

  add(input: Input): void {
    this.list.push(input)
  }
}
