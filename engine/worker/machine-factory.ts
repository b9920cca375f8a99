import type { MachineFactory } from './session.ts'

export const machineFactory: MachineFactory = {
  create() {
    throw new Error('The machine is not part of this build.')
  },
  check() {},
}
