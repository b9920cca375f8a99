/** The guest's console bytes on their way to whoever shows or reads them. Kept out of the store: it is a stream. */

type Listener = (bytes: Uint8Array) => void

const listeners = new Set<Listener>()
const clearers = new Set<() => void>()

export function feedConsole(bytes: Uint8Array): void {
  for (const listener of listeners) listener(bytes)
}

export function clearConsole(): void {
  for (const clear of clearers) clear()
}

/** @returns a function that ends the subscription */
export function onConsole(listener: Listener, clear: () => void): () => void {
  listeners.add(listener)
  clearers.add(clear)
  return () => {
    listeners.delete(listener)
    clearers.delete(clear)
  }
}

/** Cuts a byte stream into lines of text without terminal control sequences. */
export class LineReader {
  private readonly decoder = new TextDecoder()
  private rest = ''

  /** @returns the lines that these bytes complete */
  push(bytes: Uint8Array): string[] {
    const lines = (this.rest + this.decoder.decode(bytes, { stream: true })).split('\n')
    // A guest that never ends its line must not grow the page.
    this.rest = (lines.pop() ?? '').slice(-4096)
    return lines.map(plainText)
  }

  clear(): void {
    this.rest = ''
    this.decoder.decode()
  }
}

function plainText(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what is taken out
  return line.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|\r/g, '')
}
