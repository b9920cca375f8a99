import type { Cpu } from '../cpu/cpu.ts'
import { DAIF, HCR } from '../cpu/control-bits.ts'
import type { CpuObserver } from '../cpu/port.ts'
import { Slot } from '../cpu/register-slots.ts'
import { Off, RAM_BASE } from '../cpu/state.ts'
import { Permission } from '../mmu/walk.ts'
import type { Machine } from './machine.ts'
import { MemoryMap } from './memory-map.ts'

/**
 * One call to the hypervisor as the host kernel would make it, by hand: at a safe point the processor executes an
 * `hvc #0` of the kernel's own text with chosen registers, and is then put back to where it was. What EL2 does with the
 * call, it does with its own code, and what it changes in memory stays.
 */

/** `hvc #0`, the instruction. */
export const HVC_0 = 0xd400_0002

/** An `hvc #0` in the text of the host's kernel. */
export interface HostCallSite {
  readonly physical: number
  /** Where EL1 has it mapped. */
  readonly virtual: bigint
}

export interface HostCallRequest {
  /** The SMCCC function identifier, for W0. */
  readonly function: number
  /** X1 and up, at most 17; the rest are zero. */
  readonly args: readonly bigint[]
  readonly site: HostCallSite
  /** Where the host's code for a panic of the hypervisor begins, when it is known. */
  readonly panicHandler?: bigint | undefined
  /** `keep`: after a panic of the hypervisor go on in the host's panic, so that it tells. Else the call is undone. */
  readonly onPanic?: 'undo' | 'keep' | undefined
  /** Instructions that the call may take; default 20 million. */
  readonly limit?: number
  /** Keeps the present moment. @returns goes back to it. Default: a checkpoint of the machine alone. */
  readonly keep?: () => () => void
}

/** How the call ended. Registers are X0 to X17 at the return. */
export type HostCallEnd =
  | { readonly kind: 'returned' }
  /** EL2 answered with an exception at EL1. */
  | { readonly kind: 'exception'; readonly esr: bigint; readonly far: bigint; readonly offset: number }
  /** EL2 went to the host's handler for its own panic. */
  | { readonly kind: 'panic' }
  /** EL2 came back to another place of the host. */
  | { readonly kind: 'elsewhere'; readonly pc: bigint }
  /** EL2 had not come back within the limit. */
  | { readonly kind: 'lost'; readonly pc: bigint; readonly el: number }
  /** The machine was switched off by the call. */
  | { readonly kind: 'ended' }

export interface HostCallResult {
  readonly end: HostCallEnd
  readonly registers: readonly bigint[]
  /** Retired when the HVC was about to execute, and until EL2 came back. */
  readonly at: number
  readonly instructions: number
  /** Virtual nanoseconds that it took. */
  readonly elapsed: number
  /** The machine was put back to before the call: nothing of it remains. */
  readonly undone: boolean
}

/** The call could not be made; the machine is at a later instruction at most. The message is for the user. */
export class HostCallError extends Error {
  override name = 'HostCallError'
}

const MAX_ARGUMENTS = 17
const LIMIT = 20_000_000
/** Instructions between looks for a safe point, and looks: 128 million instructions, 30 timer ticks of a busy host. */
const STEP = 64
const MOST_STEPS = 2_000_000
/** Slices in which the machine was found idle while the call lasts. */
const MOST_IDLES = 1000
const VECTOR_TABLE_BYTES = 0x800n

/**
 * Make the call. Between slices only; the machine first runs on to where the host's kernel is at work at EL1.
 * @throws HostCallError when there is no such point, or the kernel is not fit for it.
 */
export function hostCall(machine: Machine, request: HostCallRequest): HostCallResult {
  const { site, args } = request
  if (args.length > MAX_ARGUMENTS) throw new HostCallError(`a call has at most ${MAX_ARGUMENTS} arguments`)
  checkSite(machine, site)
  toSafePoint(machine, site.virtual)
  const { cpu } = machine
  const goBack = (request.keep ?? (() => checkpointOf(machine)))()
  const at = machine.instructions
  const began = machine.virtualNanoseconds
  const x = [BigInt(request.function >>> 0), ...args.map((v) => BigInt.asUintN(64, v))]
  machine.inputLog.add({ instructions: at, kind: 'host-call', registers: x, site: site.virtual })

  const saved = saveHost(cpu)
  for (let i = 0; i <= MAX_ARGUMENTS; i++) cpu.state.x[i] = x[i] ?? 0n
  cpu.state.pc = site.virtual
  cpu.state.daif = DAIF.all
  cpu.waiting = false
  const end = untilReturn(machine, request)
  const registers = Array.from(cpu.state.x.subarray(0, MAX_ARGUMENTS + 1))
  const told = { end, registers, at, instructions: machine.instructions - at, elapsed: machine.virtualNanoseconds - began }
  if (end.kind === 'returned' || end.kind === 'exception') {
    restoreHost(cpu, saved)
    return { ...told, undone: false }
  }
  if (end.kind === 'ended' || (end.kind === 'panic' && request.onPanic === 'keep')) return { ...told, undone: false }
  goBack()
  return { ...told, undone: true }
}

function checkpointOf(machine: Machine): () => void {
  const checkpoint = machine.checkpoint()
  return () => machine.restore(checkpoint)
}

function checkSite(machine: Machine, { physical }: HostCallSite): void {
  const ram = machine.ram()
  const at = physical - MemoryMap.ramBase
  const inRam = at >= 0 && at + 4 <= ram.length && at % 4 === 0
  if (!inRam || machine.cpu.state.u32[(RAM_BASE + at) >> 2] !== HVC_0) {
    throw new HostCallError('The place in the kernel that should hold “hvc #0” does not, or not yet.')
  }
}

// ---- the safe point -------------------------------------------------------------------------------------------------

/** Run on until the host's kernel is between two instructions at EL1, with its own tables. */
function toSafePoint(machine: Machine, virtual: bigint): void {
  for (let i = 0; i < MOST_STEPS; i++) {
    if (isSafe(machine.cpu, virtual)) return
    const stop = machine.run(STEP)
    if (stop.kind === 'off' || stop.kind === 'reset') throw new HostCallError('The machine has ended: there is no host to make a call.')
    if (stop.kind !== 'idle' || isSafe(machine.cpu, virtual)) continue
    if (!Number.isFinite(stop.wakeAt)) break
    machine.skipIdle()
  }
  throw new HostCallError('The host’s kernel did not come to a point at EL1 where it could make a call: it has not started, or is stuck.')
}

function isSafe(cpu: Cpu, virtual: bigint): boolean {
  if (cpu.state.el !== 1 || inGuest(cpu)) return false
  // The kernel has pages of its own text out of reach for the first instructions of an exception from EL0.
  const { walker } = cpu.mmu
  const low = Number(virtual & 0xffff_ffffn)
  const high = Number(virtual >> 32n)
  return walker.translate(low, high, Permission.fetch, false, false, false, true)
}

/** Do EL1 and EL0 belong to a guest: a stage 2 with a VMID that is not 0, the host's? */
function inGuest(cpu: Cpu): boolean {
  return (cpu.low(Slot.HCR_EL2) & HCR.VM) !== 0 && cpu.reg(Slot.VTTBR_EL2) >> 48n !== 0n
}

// ---- until EL2 comes back -------------------------------------------------------------------------------------------

function untilReturn(machine: Machine, request: HostCallRequest): HostCallEnd {
  const { cpu } = machine
  const { site, panicHandler } = request
  const watcher = new ReturnWatcher(cpu, machine.ram().length, () => {
    const { pc } = cpu.state
    // Stage 2 of the host is filled as it is used: the first fetch of the HVC itself may have gone to EL2.
    if (inGuest(cpu) || pc === site.virtual) return null
    const offset = pc - cpu.reg(Slot.VBAR_EL1)
    if (pc === site.virtual + 4n) return { kind: 'returned' }
    if (pc === panicHandler) return { kind: 'panic' }
    if (offset < 0n || offset >= VECTOR_TABLE_BYTES) return { kind: 'elsewhere', pc }
    return { kind: 'exception', esr: cpu.reg(Slot.ESR_EL1), far: cpu.reg(Slot.FAR_EL1), offset: Number(offset) }
  }, () => machine.stop())
  watcher.begin()
  try {
    const last = machine.instructions + (request.limit ?? LIMIT)
    for (let idles = 0; watcher.end === null && machine.instructions < last && idles < MOST_IDLES; ) {
      const stop = machine.run(last - machine.instructions)
      if (stop.kind === 'off' || stop.kind === 'reset') return { kind: 'ended' }
      if (stop.kind !== 'idle') continue
      if (!Number.isFinite(stop.wakeAt)) break
      machine.skipIdle()
      idles++
    }
  } finally {
    watcher.finish()
  }
  return watcher.end ?? { kind: 'lost', pc: cpu.state.pc, el: cpu.state.el }
}

/** Stands before whoever listens to the CPU, and stops the machine at the ERET that ends the call. */
class ReturnWatcher implements CpuObserver {
  end: HostCallEnd | null = null
  readonly watched: Uint8Array
  private readonly behind: CpuObserver | undefined

  /** @param judge at each ERET from EL2 to EL1: how the call has ended, or null while it goes on. */
  constructor(
    private readonly cpu: Cpu,
    ramBytes: number,
    private readonly judge: () => HostCallEnd | null,
    private readonly stop: () => void,
  ) {
    this.behind = cpu.observer
    this.watched = this.behind?.watched ?? new Uint8Array(ramBytes / 4096)
  }

  begin(): void {
    this.cpu.observer = this
  }

  finish(): void {
    this.cpu.observer = this.behind
  }

  watchedStore(linear: number, old: Uint8Array): void {
    this.behind?.watchedStore(linear, old)
  }

  exceptionTaken(source: number, target: number, vector: number, returnAddress: bigint): void {
    this.behind?.exceptionTaken(source, target, vector, returnAddress)
  }

  exceptionReturned(source: number, target: number): void {
    this.behind?.exceptionReturned(source, target)
    if (this.end !== null || source !== 2 || target !== 1) return
    this.end = this.judge()
    if (this.end !== null) this.stop()
  }

  firmwareCalled(): void {
    this.behind?.firmwareCalled()
  }

  firmwareReturned(): void {
    this.behind?.firmwareReturned()
  }
}

// ---- the host's registers -------------------------------------------------------------------------------------------

/** What an exception taken to EL1 changes, besides PSTATE. */
const EXCEPTION_SLOTS = [Slot.SP_EL0, Slot.ELR_EL1, Slot.SPSR_EL1, Slot.ESR_EL1, Slot.FAR_EL1] as const

interface SavedHost {
  readonly x: BigUint64Array
  readonly vectors: BigUint64Array
  readonly pc: bigint
  readonly nzcv: number
  readonly daif: number
  readonly spSel: number
  readonly ssIl: number
  readonly fpcr: number
  readonly fpsr: number
  readonly slots: readonly bigint[]
  readonly waiting: boolean
}

const VECTOR_WORDS = 64

function saveHost(cpu: Cpu): SavedHost {
  const { state } = cpu
  const { i32, u64 } = state
  return {
    x: state.x.slice(),
    vectors: u64.slice(Off.v >> 3, (Off.v >> 3) + VECTOR_WORDS),
    pc: state.pc,
    nzcv: state.nzcv(),
    daif: state.daif,
    spSel: i32[Off.spSel >> 2]!,
    ssIl: i32[Off.ssIl >> 2]!,
    fpcr: i32[Off.fpcr >> 2]!,
    fpsr: i32[Off.fpsr >> 2]!,
    slots: EXCEPTION_SLOTS.map((slot) => cpu.reg(slot)),
    waiting: cpu.waiting,
  }
}

/** The exclusive monitor stays closed, as after any exception. */
function restoreHost(cpu: Cpu, saved: SavedHost): void {
  const { state } = cpu
  const { i32, u64 } = state
  cpu.setSpSel(saved.spSel)
  state.x.set(saved.x)
  u64.set(saved.vectors, Off.v >> 3)
  state.pc = saved.pc
  state.setNzcv(saved.nzcv)
  state.daif = saved.daif
  i32[Off.ssIl >> 2] = saved.ssIl
  i32[Off.fpcr >> 2] = saved.fpcr
  i32[Off.fpsr >> 2] = saved.fpsr
  for (const [i, slot] of EXCEPTION_SLOTS.entries()) cpu.setReg(slot, saved.slots[i]!)
  cpu.waiting = saved.waiting
  cpu.updateMode()
}
