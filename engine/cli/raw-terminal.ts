const CTRL_A = 1

/**
 * The user's side of the guest's serial line: stdin, raw when it is a terminal. Ctrl-A x leaves, Ctrl-A Ctrl-A (or
 * Ctrl-A a) sends Ctrl-A, as QEMU's -nographic has it.
 */
export class RawTerminal {
  left = false
  ended = false
  readonly interactive: boolean
  private escape = false
  private arrived = false
  private wake: (() => void) | undefined

  private constructor(private readonly receive: (bytes: Uint8Array) => void) {
    const { stdin } = process
    this.interactive = stdin.isTTY === true
    if (this.interactive) {
      stdin.setRawMode(true)
      process.stderr.write('pkvm-lab: Ctrl-A x leaves.\n')
    }
    stdin.on('data', this.onData)
    stdin.on('end', this.onEnd)
    stdin.on('error', this.onEnd)
    stdin.resume()
  }

  static open(receive: (bytes: Uint8Array) => void): RawTerminal {
    return new RawTerminal(receive)
  }

  private readonly onEnd = (): void => {
    this.ended = true
    this.wake?.()
  }

  private readonly onData = (chunk: Buffer): void => {
    const out: number[] = []
    for (const byte of chunk) {
      if (this.interactive && this.escape) {
        this.escape = false
        if (byte === 0x78 /* x */) this.left = true
        else if (byte === CTRL_A || byte === 0x61 /* a */) out.push(CTRL_A)
      } else if (this.interactive && byte === CTRL_A) this.escape = true
      else out.push(byte)
    }
    if (out.length > 0) this.receive(Uint8Array.from(out))
    this.arrived = true
    this.wake?.()
  }

  /** Resolves at the next input, at its end, or after so many milliseconds. */
  input(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(done, milliseconds)
      const self = this
      function done(): void {
        clearTimeout(timer)
        self.wake = undefined
        resolve()
      }
      this.wake = done
    })
  }

  /** Has input arrived since this was last asked? */
  takeArrived(): boolean {
    const was = this.arrived
    this.arrived = false
    return was || this.left
  }

  close(): void {
    const { stdin } = process
    stdin.off('data', this.onData)
    stdin.off('end', this.onEnd)
    stdin.off('error', this.onEnd)
    if (this.interactive) stdin.setRawMode(false)
    stdin.pause()
  }
}
