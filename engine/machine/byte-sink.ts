const BATCH = 4096

/** Gathers a UART's bytes and hands them over in batches, a new array each. */
export class ByteSink {
  private readonly pending = new Uint8Array(BATCH)
  private used = 0

  constructor(private readonly take: (bytes: Uint8Array) => void) {}

  put(byte: number): void {
    this.pending[this.used++] = byte
    if (this.used === BATCH) this.flush()
  }

  /** Bytes put and not yet handed over. */
  waiting(): Uint8Array {
    return this.pending.slice(0, this.used)
  }

  /** Have these bytes waiting instead, less than a batch. */
  restore(waiting: Uint8Array): void {
    this.pending.set(waiting)
    this.used = waiting.length
  }

  flush(): void {
    if (this.used === 0) return
    this.take(this.pending.slice(0, this.used))
    this.used = 0
  }
}
