import { type CpuState, Off } from '../cpu/state.ts'
import type { Clock } from '../devices/device.ts'

const BUDGET = Off.budget >> 2

/**
 * Retired instructions and virtual time. While a slice runs, Off.budget counts down from the slice's length, so the
 * count is exact at any instruction that looks (tier 0 retires an instruction after it has done its work).
 */
export class VirtualClock implements Clock {
  /** Instructions retired before the current slice. */
  private before = 0
  private slice = 0
  private skipped = 0
  private remaining: (() => number) | undefined

  constructor(private readonly state: CpuState) {}

  get instructions(): number {
    return this.before + this.slice - (this.slice === 0 ? 0 : this.state.i32[BUDGET]!)
  }

  now(): number {
    return this.instructions + this.skipped
  }

  /** @param length instructions, > 0. @param remaining recomputes how many are left when a deadline moved. */
  startSlice(length: number, remaining: () => number): void {
    this.slice = length
    this.state.i32[BUDGET] = length
    this.remaining = remaining
  }

  endSlice(): void {
    this.before = this.instructions
    this.slice = 0
    this.remaining = undefined
  }

  deadlineChanged(): void {
    if (this.remaining === undefined) return
    const left = this.remaining()
    this.before = this.instructions
    this.slice = left
    this.state.i32[BUDGET] = left
  }

  /** @throws Error while a slice runs: the count would be of its middle. */
  save(): { readonly instructions: number; readonly skipped: number } {
    if (this.slice !== 0) throw new Error('the clock can be saved and restored between slices only')
    return { instructions: this.before, skipped: this.skipped }
  }

  /** @throws Error like `save`. */
  restore(saved: { readonly instructions: number; readonly skipped: number }): void {
    this.save()
    this.before = saved.instructions
    this.skipped = saved.skipped
  }

  /** Let idle time pass until `nanoseconds` of virtual time; only forward, only between slices. */
  skipTo(nanoseconds: number): void {
    const now = this.now()
    if (nanoseconds > now) this.skipped += nanoseconds - now
  }
}
