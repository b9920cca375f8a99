/** A named place in a kernel's Image. */
export interface KernelSymbol {
  readonly name: string
  /** The letter `nm` would print. */
  readonly type: string
  /** Offset from the start of the Image, which is VA - _text and PA - load address. */
  readonly offset: number
}

/** Names of a kernel, wherever they come from: its own kallsyms, or the assembler that made it. */
export class SymbolTable {
  private readonly byName = new Map<string, KernelSymbol>()

  /** @param symbols sorted by offset. */
  constructor(readonly symbols: readonly KernelSymbol[]) {
    for (const s of symbols) if (!this.byName.has(s.name)) this.byName.set(s.name, s)
  }

  /** The first symbol of this name. */
  find(name: string): KernelSymbol | undefined {
    return this.byName.get(name)
  }

  /** The last symbol at or before an Image offset. */
  at(offset: number): KernelSymbol | undefined {
    let low = 0
    let high = this.symbols.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.symbols[middle]!.offset <= offset) low = middle + 1
      else high = middle
    }
    return this.symbols[low - 1]
  }
}
