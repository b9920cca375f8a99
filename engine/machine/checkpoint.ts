import type { Cpu } from '../cpu/cpu.ts'
import { type CpuState, RAM_BASE, SYSREG_BASE, SYSREG_SLOTS } from '../cpu/state.ts'
import type { Board } from './board.ts'
import type { Input } from './input-log.ts'
import type { RunStop } from './machine.ts'
import type { GateOption } from './v3-gate.ts'

const PAGE = 4096
const PAGE_WORDS = PAGE / 4
/** Registers, flags and system registers; the TLB and the jump cache behind them are made anew. */
const STATE_BYTES = SYSREG_BASE + SYSREG_SLOTS * 8

/** Pages of RAM that are not all zeros, as runs of neighbours. */
export interface SavedRam {
  /** First page of each run and how many follow, in pairs, counted from the start of RAM. */
  readonly runs: Int32Array
  /** The runs' bytes, one behind the other. */
  readonly bytes: Uint8Array
}

/**
 * A moment of one machine, from which it can be run again: everything the guest could tell apart. Translated code and
 * other caches are no part of it. Belongs to the machine that made it.
 */
export interface Checkpoint {
  readonly cpu: SavedCpu
  readonly ram: SavedRam
  readonly board: ReturnType<Board['save']>
  readonly clock: { readonly instructions: number; readonly skipped: number }
  readonly inputs: readonly Input[]
  readonly gate: { readonly option: GateOption; readonly refused: number }
  /** Bytes of each UART that the console has not been given. */
  readonly uart: readonly [Uint8Array, Uint8Array]
  /** Instruction counts still to be hashed. */
  readonly hashAt: readonly number[]
  /** Names of the milestones reported by then. */
  readonly milestones: ReadonlySet<string>
  /** How the machine ended, if it had. */
  readonly ended: RunStop | undefined
}

export interface SavedCpu {
  /** The state area of the linear memory. */
  readonly area: Uint8Array
  /** In WFI with nothing pending. */
  readonly waiting: boolean
}

/** Copy what is not zero. A quarter of a gigabyte takes about a tenth of a second. */
export function saveRam(state: CpuState, ramBytes: number): SavedRam {
  const { u32, bytes } = state
  const first = RAM_BASE >> 2
  const pages = ramBytes / PAGE
  const runs: number[] = []
  let used = 0
  let open = false
  for (let page = 0; page < pages; page++) {
    if (isZero(u32, first + page * PAGE_WORDS)) open = false
    else {
      if (open) runs[runs.length - 1]!++
      else runs.push(page, 1)
      open = true
      used++
    }
  }
  const copy = new Uint8Array(used * PAGE)
  let at = 0
  for (let i = 0; i < runs.length; i += 2) {
    const from = RAM_BASE + runs[i]! * PAGE
    const length = runs[i + 1]! * PAGE
    copy.set(bytes.subarray(from, from + length), at)
    at += length
  }
  return { runs: Int32Array.from(runs), bytes: copy }
}

/** Make RAM what it was. */
export function restoreRam(state: CpuState, ramBytes: number, { runs, bytes }: SavedRam): void {
  const ram = state.bytes.subarray(RAM_BASE, RAM_BASE + ramBytes)
  let at = 0
  let end = 0
  for (let i = 0; i < runs.length; i += 2) {
    const start = runs[i]! * PAGE
    const length = runs[i + 1]! * PAGE
    ram.fill(0, end, start)
    ram.set(bytes.subarray(at, at + length), start)
    at += length
    end = start + length
  }
  ram.fill(0, end)
}

export function saveCpu(cpu: Cpu): SavedCpu {
  return { area: cpu.state.bytes.slice(0, STATE_BYTES), waiting: cpu.waiting }
}

/** The TLB is emptied, lookups of code are forgotten; translations stay and are compared with memory before use. */
export function restoreCpu(cpu: Cpu, { area, waiting }: SavedCpu): void {
  cpu.state.bytes.set(area)
  cpu.codeCache?.invalidateAll()
  cpu.restored(waiting)
}

function isZero(u32: Uint32Array, at: number): boolean {
  for (let i = at, end = at + PAGE_WORDS; i < end; i += 8) {
    const low = u32[i]! | u32[i + 1]! | u32[i + 2]! | u32[i + 3]!
    if ((low | u32[i + 4]! | u32[i + 5]! | u32[i + 6]! | u32[i + 7]!) !== 0) return false
  }
  return true
}
