import { findGateSite } from '../inspect/gate-site.ts'
import type { Known } from '../inspect/known.ts'
import type { SymbolTable } from '../inspect/symbol-table.ts'
import type { GateSite, GateView } from '../machine/v3-gate.ts'
import type { GateState } from './inspection-protocol.ts'

/** What of a Machine the switch needs. */
export interface GatedMachine {
  readonly gate: GateView
  setGate(option: 'y' | 'n'): void
}

/** @returns what MachineOptions.gateSite takes: the place, or why there is none. */
export function gateSite(symbols: Known<SymbolTable>): GateSite | string {
  if (!symbols.known) return symbols.why
  const { value } = symbols
  const site = findGateSite(() => value)
  return site.known ? site.value : site.why
}

/**
 * The machine's gate as the page sees it. A wish that this kernel cannot fulfil changes nothing; `state` says why.
 * @param built the option's value where the system really has it, and was built with that.
 */
export function gateSwitch(machine: GatedMachine, built: 'y' | 'n' | null = null): { state(): GateState; set(option: 'y' | 'n'): void } {
  return {
    state: () => ({ ...machine.gate, ...(built === null ? {} : { option: built }) }),
    set(option) {
      if (machine.gate.available) machine.setGate(option)
    },
  }
}
