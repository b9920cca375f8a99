import type { KernelData } from '../kernel-data.ts'
import { attempt } from '../known.ts'
import { type TranslationTables, translate } from '../page-table-walk.ts'
import { HYP_PREFIX, type Symboliser } from '../symboliser.ts'
import { el1Stage1, el2Stage1, type RegimeRegisters } from '../translation-regimes.ts'
import type { RawChain, RawChainPart } from './log-event.ts'

/** Frames followed at one level. */
const MAX_FRAMES = 64
/** More than NVHE_STACK_SIZE of any configuration. */
const HYP_STACK_BYTES = 0x8000n
/** Jumps to a lower address than the frame before (from the interrupt stack to the task's) that are believed. */
const MAX_STACK_CHANGES = 3

/**
 * arch/arm64/include/asm/stacktrace/frame.h: where an exception was taken the chain of frame records has one with two
 * zeros, followed by its type, inside the saved registers.
 */
const FRAME_META_FINAL = 1n
const FRAME_META_PT_REGS = 2n

export const NO_RETURNS = new BigUint64Array(0)

/** Offsets in `struct pt_regs`; null on kernels that end their chains in another way. */
interface SavedRegisters {
  readonly frame: number
  readonly x29: number
  readonly x30: number
  readonly pc: number
  readonly pstate: number
}

/** Follows AAPCS64 frame records: X29 points to {caller's X29, return address}. */
export class CallChains {
  private readonly saved: SavedRegisters | null

  constructor(private readonly kernel: KernelData) {
    const saved = attempt(() => {
      const { btf } = kernel
      const at = (path: string) => btf.offsetOf('pt_regs', path)
      return { frame: at('stackframe'), x29: at('regs[29]'), x30: at('regs[30]'), pc: at('pc'), pstate: at('pstate') }
    })
    this.saved = saved.known ? saved.value : null
  }

  /**
   * Chain of code that runs at EL1 or EL2 with these registers now.
   * @param el of the code; at EL0 only the PC is kept, user code need not have frame records.
   */
  read(el: number, pc: bigint, lr: bigint, fp: bigint): RawChain {
    if (el === 0) return [{ el, pc, lr: null, returns: NO_RETURNS }]
    const registers = this.kernel.registers()
    const stack = new StackReader(this.kernel, el === 2 ? el2Stage1(registers) : el1Tables(registers, fp))
    let into: bigint[] = []
    const parts: (Omit<RawChainPart, 'returns'> & { readonly returns: bigint[] })[] = [{ el, pc, lr, returns: into }]
    let changes = 0
    for (let i = 0; i < MAX_FRAMES; i++) {
      const next = stack.word(fp)
      const address = stack.word(fp + 8n)
      if (next === undefined || address === undefined) break
      if (next === 0n && address === 0n) {
        const user = this.afterException(stack, fp)
        if (user === null) break
        into = []
        parts.push({ el: user.el, pc: user.pc, lr: user.el === 0 ? null : user.lr, returns: into })
        if (user.el === 0) break
        fp = user.fp
        continue
      }
      if (address === 0n) break
      into.push(address)
      if ((next & 7n) !== 0n) break
      // The hypervisor has one small stack: anything else in X29 there is not a frame.
      if (el === 2 && (next <= fp || next - fp > HYP_STACK_BYTES)) break
      if (next <= fp && ++changes > MAX_STACK_CHANGES) break
      fp = next
    }
    return parts.map((p) => ({ ...p, returns: BigUint64Array.from(p.returns) }))
  }

  /** What was interrupted, from the saved registers around a frame record of two zeros. */
  private afterException(stack: StackReader, fp: bigint): { el: number; pc: bigint; lr: bigint; fp: bigint } | null {
    if (this.saved === null) return null
    const type = stack.word(fp + 16n)
    if (type !== FRAME_META_FINAL && type !== FRAME_META_PT_REGS) return null
    const base = fp - BigInt(this.saved.frame)
    const get = (offset: number) => stack.word(base + BigInt(offset)) ?? 0n
    const pc = get(this.saved.pc)
    const el = Number((get(this.saved.pstate) >> 2n) & 3n)
    if (pc === 0n) return null
    if (type === FRAME_META_FINAL && el !== 0) return null
    return { el, pc, lr: get(this.saved.x30), fp: get(this.saved.x29) }
  }
}

function el1Tables(registers: RegimeRegisters, address: bigint): TranslationTables | null {
  return attemptTables(() => el1Stage1(registers, address))
}

function attemptTables(read: () => TranslationTables | null): TranslationTables | null {
  const tables = attempt(read)
  return tables.known ? tables.value : null
}

/** Reads 64-bit words of a stack; one translation a page. */
class StackReader {
  private page = -1n
  private base = 0

  constructor(
    private readonly kernel: KernelData,
    private readonly tables: TranslationTables | null,
  ) {}

  /** undefined for what is not mapped, not RAM or not aligned. */
  word(va: bigint): bigint | undefined {
    if ((va & 7n) !== 0n) return undefined
    const { memory } = this.kernel
    const page = va >> 12n
    if (page !== this.page) {
      const base =
        this.tables === null ? Number(BigInt.asUintN(52, page << 12n)) : translate(memory, this.tables, page << 12n)
      if (base === undefined || !memory.has(base, 4096)) return undefined
      this.page = page
      this.base = base
    }
    return memory.u64(this.base + Number(va & 0xfffn))
  }
}

/** Names kept at most; a boot needs a few hundred. */
const MOST_NAMES = 20_000

/** Code addresses in words. */
export class CodeNames {
  /** By address, for EL1 and EL2. */
  private readonly found: readonly Map<bigint, string>[] = [new Map(), new Map()]

  /** @param symboliser null for a kernel without symbols. */
  constructor(private readonly symboliser: Symboliser | null) {}

  /** `name+0x1c`, the hypervisor's names as in its source; else the address in hex. */
  name(va: bigint, el: number): string {
    if (this.symboliser === null || el === 0) return `0x${va.toString(16)}`
    const names = this.found[el - 1]!
    const known = names.get(va)
    if (known !== undefined) return known
    const text = this.symboliser.describe(va, el)
    // An address may get its name later, when the kernel has moved to where it runs.
    if (text.startsWith('0x')) return text
    const name = text.startsWith(HYP_PREFIX) ? text.slice(HYP_PREFIX.length) : text
    if (names.size >= MOST_NAMES) names.clear()
    names.set(va, name)
    return name
  }

  /** A chain, innermost first. Return addresses are shown as the call before them. */
  chain(chain: RawChain): string[] {
    const lines: string[] = []
    for (const { el, pc, lr, returns, guest } of chain) {
      if (guest) {
        lines.push(`0x${pc.toString(16)} (guest EL${el})`)
        continue
      }
      const mark = el === 1 ? '' : ` (EL${el})`
      lines.push(this.name(pc, el) + mark)
      if (lr !== null && lr !== returns[0] && this.isLeafCall(el, pc, lr)) lines.push(this.name(lr - 4n, el) + mark)
      for (const address of returns) lines.push(this.name(address - 4n, el) + mark)
    }
    return lines
  }

  /**
   * Is X30 a caller that has no frame record yet? So in functions that make no frame of their own. In others X30 is
   * either the newest record's return address or one into the function itself.
   */
  private isLeafCall(el: number, pc: bigint, lr: bigint): boolean {
    const here = this.name(pc, el)
    const there = this.name(lr - 4n, el)
    return !here.startsWith('0x') && !there.startsWith('0x') && functionOf(here) !== functionOf(there)
  }
}

function functionOf(name: string): string {
  const plus = name.lastIndexOf('+')
  return plus < 0 ? name : name.slice(0, plus)
}
