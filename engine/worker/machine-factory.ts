import { KernelData } from '../inspect/kernel-data.ts'
import type { Known } from '../inspect/known.ts'
import type { SymbolTable } from '../inspect/symbol-table.ts'
import { parseImage } from '../machine/image.ts'
import { buildInitrd } from '../machine/init-program.ts'
import { lockup } from '../machine/lockup.ts'
import { Machine, type MachineOptions } from '../machine/machine.ts'
import { CheckpointSlot } from './checkpoint-slot.ts'
import { HostCallDesk } from './host-call-desk.ts'
import { logEvents } from './event-source.ts'
import { gateSite, gateSwitch } from './gate-switch.ts'
import type { LoadMessage } from './protocol.ts'
import { openImage, type OpenedImage } from './system-image.ts'
import type { MachineEvents, MachineFactory, RunnableMachine, RunResult } from './session.ts'

/** Fits the engine's Machine to a session. */
export const machineFactory: MachineFactory = {
  create(load, events) {
    return adapt(load, openImage(load.image), events)
  },
  check(image) {
    parseImage(new Uint8Array(image))
  },
}

function adapt(load: LoadMessage, opened: OpenedImage, events: MachineEvents): RunnableMachine {
  const { image, description, buildOption } = opened
  const { append, ramMiB, crypto } = load.settings
  const { symbols } = description
  const machine: Machine = createWithin(ramMiB, {
    image,
    ...initrdOf(load),
    append,
    ramMiB,
    cpu: { crypto },
    console: events.console,
    console2: events.agent,
    milestones: locate(symbols, load.milestones),
    onMilestone: name => events.milestone(name, machine.instructions, machine.exceptionLevel),
    hashAt: load.hashAt,
    onHash: events.hash,
    gateSite: buildOption === null ? gateSite(symbols) : TRUE_OPTION,
    onGateRefusal: () => log.gateRefused(),
  })
  const kernel = new KernelData(machine, description)
  const log = logEvents(machine, kernel)
  const gate = gateSwitch(machine, buildOption)
  return {
    get instructions() {
      return machine.instructions
    },
    get virtualNanoseconds() {
      return machine.virtualNanoseconds
    },
    get exceptionLevel() {
      return machine.exceptionLevel
    },
    run(budget): RunResult {
      const stop = machine.run(budget)
      if (stop.kind !== 'idle') return { stop: stop.kind }
      return Number.isFinite(stop.wakeAt) ? { stop: 'idle', idleUntil: stop.wakeAt } : { stop: 'idle' }
    },
    skipIdle: () => machine.skipIdle(),
    receive: bytes => machine.receive(0, bytes),
    receiveAgent: bytes => machine.receive(1, bytes),
    stateHash: () => machine.hash(),
    lockup: () => lockup(machine.cpu),
    release: () => machine.release(),
    checkpoints: new CheckpointSlot(machine, log),
    inside: {
      machine,
      image,
      kernel,
      events: log,
      hostCalls: new HostCallDesk(machine, kernel, log),
      gate: {
        state: gate.state,
        set(option) {
          const before = gate.state().option
          gate.set(option)
          if (gate.state().option !== before) log.gateSet(gate.state())
        },
      },
    },
  }
}

/** Why nothing is reconstructed in a system that really has the option. */
const TRUE_OPTION = 'this system was built with the option: another value takes another build'

/** The host has not enough memory for the machine. */
export class HostMemoryError extends Error {
  override readonly name = 'HostMemoryError'
  readonly hint = 'Choose less RAM, or press Reset first so that the present machine gives its memory back.'
}

/** @throws HostMemoryError instead of the RangeError that WebAssembly.Memory throws. */
function createWithin(ramMiB: number, options: MachineOptions): Machine {
  try {
    return Machine.create(options)
  } catch (error) {
    if (!(error instanceof RangeError) || !/memory|pages/i.test(error.message)) throw error
    throw new HostMemoryError(`this browser cannot give the machine ${ramMiB} MiB of memory`)
  }
}

function initrdOf(load: LoadMessage): { initrd?: Uint8Array } {
  const initrd = load.initrd
  if (initrd === null) return {}
  if (initrd instanceof ArrayBuffer) return { initrd: new Uint8Array(initrd) }
  const { program, busybox } = initrd
  return { initrd: buildInitrd({ program, ...(busybox === null ? {} : { busybox: new Uint8Array(busybox) }) }) }
}

/** Where the symbols lie in the Image. One without a symbol table, or a bare-metal one, has no milestones. */
function locate(table: Known<SymbolTable>, names: readonly string[]): { name: string; offset: number }[] {
  if (!table.known) return []
  const { value } = table
  return names.flatMap(name => {
    const symbol = value.find(name)
    return symbol === undefined ? [] : [{ name, offset: symbol.offset }]
  })
}
