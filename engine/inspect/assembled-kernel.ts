import type { BuiltSystem } from '../machine/assembled-system.ts'
import type { KernelDescription } from './kernel-data.ts'
import { known } from './known.ts'
import { SymbolTable } from './symbol-table.ts'
import { AssemblerTypes } from './type-table.ts'

/** An assembled system as `inspect/` sees it: symbols and layouts are the assembler's. */
export function describeSystem(system: Pick<BuiltSystem, 'symbols' | 'constants'>): KernelDescription {
  return { symbols: known(new SymbolTable(system.symbols)), types: known(new AssemblerTypes(system.constants)) }
}
