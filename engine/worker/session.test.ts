import { describe, expect, it } from 'vitest'
import type { LoadMessage, WorkerMessage } from './protocol.ts'
import { type MachineEvents, type RunnableMachine, type RunResult, Session } from './session.ts'

/** A thread whose clock only the test moves. */
class TestHost {
  readonly posted: WorkerMessage[] = []
  time = 0
  private queue: (() => void)[] = []
  timers: { at: number; callback: () => void }[] = []

  post(message: WorkerMessage): void {
    this.posted.push(message)
  }
  now(): number {
    return this.time
  }
  soon(callback: () => void): void {
    this.queue.push(callback)
  }
  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.time + milliseconds, callback }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter(other => other !== timer)
    }
  }
  turns(n: number): void {
    for (let i = 0; i < n; i++) this.queue.shift()?.()
  }
  get waiting(): number {
    return this.queue.length
  }
  of<T extends WorkerMessage['type']>(type: T): Extract<WorkerMessage, { type: T }>[] {
    return this.posted.filter((message): message is Extract<WorkerMessage, { type: T }> => message.type === type)
  }
}

/** Retires whatever it is asked to, at `speed` instructions a millisecond of the host's clock. */
class Counter implements RunnableMachine {
  instructions = 0
  virtualNanoseconds = 0
  exceptionLevel = 1
  budgets: number[] = []
  typed: number[] = []
  results: RunResult[] = []
  skips = 0
  constructor(
    private readonly host: TestHost,
    readonly events: MachineEvents,
    private readonly speed = 100_000,
  ) {}
  run(budget: number): RunResult {
    this.budgets.push(budget)
    this.instructions += budget
    this.virtualNanoseconds += budget
    this.host.time += budget / this.speed
    return this.results.shift() ?? { stop: 'budget' }
  }
  skipIdle(): void {
    this.skips++
  }
  receive(bytes: Uint8Array): void {
    this.typed.push(...bytes)
  }
  stateHash(): string {
    return `h${this.instructions}`
  }
}

function start() {
  const host = new TestHost()
  const machines: Counter[] = []
  const session = new Session(host, {
    create(load, events) {
      if (load.image instanceof ArrayBuffer && load.image.byteLength === 0) throw Object.assign(new Error('no Image'), { hint: 'bring one' })
      const machine = new Counter(host, events)
      machines.push(machine)
      return machine
    },
    check(image) {
      if (image.byteLength === 0) throw new Error('no Image')
    },
  })
  const load = (bytes: number): LoadMessage => ({
    type: 'load',
    image: new ArrayBuffer(bytes),
    initrd: null,
    settings: { append: '', ramMiB: 128, crypto: false },
    milestones: [],
    hashAt: [],
  })
  session.receive(load(8))
  session.receive({ type: 'boot' })
  const machine = machines[0]
  if (machine === undefined) throw new Error('no machine')
  return { host, session, machines, machine, load }
}

describe('session', () => {
  it('settles on slices of about eight milliseconds', () => {
    const { host, machine } = start()
    host.turns(20)
    expect(machine.budgets.at(-1)).toBe(800_000)
    expect(host.of('status').at(-1)?.mips).toBeCloseTo(100, 0)
  })

  it('pauses at once, resumes where it was, and runs one chain of slices only', () => {
    const { host, session, machine } = start()
    host.turns(3)
    session.receive({ type: 'pause' })
    const at = machine.instructions
    host.turns(5)
    expect(machine.instructions).toBe(at)
    expect(host.of('status').at(-1)).toMatchObject({ state: 'paused', instructions: at })
    session.receive({ type: 'resume' })
    session.receive({ type: 'pause' })
    session.receive({ type: 'resume' })
    const before = machine.budgets.length
    host.turns(3)
    expect(machine.budgets.length).toBeLessThanOrEqual(before + 2)
    expect(host.waiting).toBe(1)
  })

  it('pauses at an instruction, or once EL2 has finished there', () => {
    const { host, session, machine } = start()
    session.receive({ type: 'pauseAt', instructions: 1_234_567 })
    machine.exceptionLevel = 2
    while (machine.instructions < 1_234_567) host.turns(1)
    expect(machine.instructions).toBe(1_234_567)
    host.turns(2)
    expect(machine.instructions).toBeLessThan(1_234_567 + 100)
    machine.exceptionLevel = 1
    host.turns(5)
    expect(host.of('status').at(-1)).toMatchObject({ state: 'paused', instructions: machine.instructions })
    expect(machine.instructions).toBeLessThan(1_234_567 + 100)
    session.receive({ type: 'resume' })
    host.turns(5)
    expect(machine.instructions).toBeGreaterThan(1_300_000)
  })

  it('keeps the machine that runs when the next one cannot be made', () => {
    const { host, session, machines, machine, load } = start()
    host.turns(2)
    const at = machine.instructions
    session.receive(load(0))
    expect(host.of('error')).toEqual([{ type: 'error', message: 'no Image', hint: 'bring one' }])
    host.turns(1)
    expect(machine.instructions).toBeGreaterThan(at)
    expect(machines.length).toBe(1)
    session.receive({ type: 'check', id: 4, image: new ArrayBuffer(0) })
    expect(host.of('checked')).toEqual([{ type: 'checked', id: 4, ok: false, message: 'no Image', hint: '' }])
  })

  it('passes hashes on, and makes one when asked', () => {
    const { host, session, machine } = start()
    machine.events.hash(5, 'five')
    host.turns(1)
    session.receive({ type: 'stateHash' })
    expect(host.of('hash')).toEqual([
      { type: 'hash', instructions: 5, hash: 'five' },
      { type: 'hash', instructions: 25_000, hash: 'h25000' },
    ])
  })

  it('holds a guest that floods its UART until the page has shown the bytes', () => {
    const { host, session, machine } = start()
    machine.events.console(new Uint8Array(600 * 1024))
    host.turns(1)
    expect(host.of('console')[0]?.bytes.length).toBe(600 * 1024)
    expect(host.waiting).toBe(0)
    session.receive({ type: 'consoleShown', bytes: 600 * 1024 })
    expect(host.waiting).toBe(1)
  })

  it('lets an idle guest wait for the wall clock, and wakes it for input', () => {
    const { host, session, machine } = start()
    machine.results = [{ stop: 'idle', idleUntil: 500e6 }]
    host.turns(1)
    expect(host.timers.length).toBe(1)
    expect(host.timers[0]?.at).toBeCloseTo(500, -1)
    expect(machine.skips).toBe(0)
    const runs = machine.budgets.length
    session.receive({ type: 'input', bytes: Uint8Array.of(65) })
    expect(host.timers.length).toBe(0)
    host.turns(1)
    expect(machine.typed).toEqual([65])
    expect(machine.budgets.length).toBe(runs + 1)
  })

  it('waits for input alone when no timer is armed, and reset works from there', () => {
    const { host, session, machine } = start()
    machine.results = [{ stop: 'idle' }]
    host.turns(1)
    expect(host.of('status').at(-1)?.state).toBe('idle')
    expect(host.waiting).toBe(0)
    session.receive({ type: 'reset' })
    expect(host.of('status').at(-1)).toMatchObject({ state: 'empty', instructions: 0 })
  })

  it('tells how the guest ended', () => {
    const { host, machine } = start()
    machine.results = [{ stop: 'off' }]
    host.turns(1)
    expect(host.of('stopped')).toMatchObject([{ reason: 'off' }])
    expect(host.of('status').at(-1)?.state).toBe('stopped')
    host.turns(2)
    expect(machine.budgets.length).toBe(1)
  })
})
