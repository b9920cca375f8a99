import { GATE_SYMBOLS, type GateSite } from '../machine/v3-gate.ts'
import type { SymbolTable } from './symbol-table.ts'
import { attempt, type Known, UnknownError } from './known.ts'

/** Where in this kernel the reconstructed build option can sit, by symbol. @param symbols reads the Image's symbol table. */
export function findGateSite(symbols: () => SymbolTable): Known<GateSite> {
  return attempt(() => {
    const table = symbols()
    for (const name of GATE_SYMBOLS) {
      const symbol = table.find(name)
      if (symbol !== undefined && symbol.type.toLowerCase() === 't') return { symbol: name, offset: symbol.offset }
    }
    throw new UnknownError(`this kernel has no function ${GATE_SYMBOLS.join(' and no ')}`)
  })
}
