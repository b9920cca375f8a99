import { Off } from '../cpu/state.ts'
import { Exit } from './runtime-module.ts'
import { ByteWriter, Op, ValType } from './wasm-encoder.ts'

/** Fixed locals of a translated function; 0 is the parameter, the entry's index. */
export const Local = { entry: 0, pageBase: 1, context: 2, budget: 3, info: 4, tlbEntry: 5 } as const
const FIXED_LOCALS = [ValType.i64, ValType.i64, ValType.i32, ValType.i32, ValType.i32]

/**
 * Body of one translated function: code, locals by type with reuse, and label bookkeeping.
 *
 *     pageBase = Off.pc & ~0xfff;  context = Off.context;  budget = Off.budget
 *     block $leave
 *       block $bail
 *         ... blocks of the region ...
 *       end
 *       Off.pc = pageBase + (info & 0x1fff);  Off.budget = budget + (info >>> 13 & 0xff);  return info >>> 24
 *     end
 *     Off.budget = budget;  return 0                      ; Off.pc was stored before the branch here
 */
export class FunctionWriter {
  readonly code = new ByteWriter(4096)
  locals: number[] = []
  private readonly free: Record<number, number[]> = { [ValType.i32]: [], [ValType.i64]: [], [ValType.v128]: [] }
  private depth = 0
  private leaveLabel = 0
  private bailLabel = 0

  begin(): void {
    this.code.clear()
    this.locals = [...FIXED_LOCALS]
    for (const type of [ValType.i32, ValType.i64, ValType.v128]) this.free[type]!.length = 0
    this.depth = 0
    const c = this.code
    c.i32Const(0)
    c.memory(Op.i64Load, Off.pc)
    c.i64Const(-4096n)
    c.u8(Op.i64And)
    c.local(Op.localSet, Local.pageBase)
    c.i32Const(0)
    c.memory(Op.i64Load32U, Off.context)
    c.local(Op.localSet, Local.context)
    c.i32Const(0)
    c.memory(Op.i32Load, Off.budget)
    c.local(Op.localSet, Local.budget)
    this.leaveLabel = this.open(Op.block)
    this.bailLabel = this.open(Op.block)
  }

  finish(): void {
    const c = this.code
    this.close()
    c.i32Const(0)
    c.local(Op.localGet, Local.pageBase)
    c.local(Op.localGet, Local.info)
    c.i32Const(0x1fff)
    c.u8(Op.i32And)
    c.u8(Op.i64ExtendI32U)
    c.u8(Op.i64Add)
    c.memory(Op.i64Store, Off.pc)
    c.i32Const(0)
    c.local(Op.localGet, Local.budget)
    c.local(Op.localGet, Local.info)
    c.i32Const(13)
    c.u8(Op.i32ShrU)
    c.i32Const(0xff)
    c.u8(Op.i32And)
    c.u8(Op.i32Add)
    c.memory(Op.i32Store, Off.budget)
    c.local(Op.localGet, Local.info)
    c.i32Const(24)
    c.u8(Op.i32ShrU)
    c.u8(Op.return)
    this.close()
    c.i32Const(0)
    c.local(Op.localGet, Local.budget)
    c.memory(Op.i32Store, Off.budget)
    c.i32Const(Exit.next)
  }

  // ---- locals -------------------------------------------------------------------------------------------------------
  allocate(type: number): number {
    const free = this.free[type]!
    return free.length > 0 ? free.pop()! : this.locals.push(type)
  }

  release(local: number): void {
    this.free[this.locals[local - 1]!]!.push(local)
  }

  /** Nothing lives across guest blocks: all locals are free again. */
  releaseAll(): void {
    for (const type of [ValType.i32, ValType.i64, ValType.v128]) this.free[type]!.length = 0
    for (let i = this.locals.length; i > FIXED_LOCALS.length; i--) this.release(i)
  }

  // ---- control ------------------------------------------------------------------------------------------------------
  /** Open a block, loop or if without result. @returns its label for `branch`. */
  open(op: number, type = 0x40): number {
    this.code.u8(op)
    this.code.u8(type)
    return this.depth++
  }
  close(): void {
    this.code.u8(Op.end)
    this.depth--
  }
  /** br, br_if or (in br_table) the relative index of a label. */
  branch(op: number, label: number): void {
    this.code.u8(op)
    this.code.u32(this.depth - 1 - label)
  }
  labelIndex(label: number): number {
    return this.depth - 1 - label
  }

  /** Where and why a function is left: the page offset of the next pc, instructions to give back to the budget, code. */
  static info(pageOffset: number, giveBack: number, exit: number): number {
    return pageOffset | (giveBack << 13) | (exit << 24)
  }
  setInfo(info: number): void {
    this.code.i32Const(info)
    this.code.local(Op.localSet, Local.info)
  }
  bail(info: number): void {
    this.setInfo(info)
    this.branch(Op.br, this.bailLabel)
  }
  bailIf(): void {
    this.branch(Op.brIf, this.bailLabel)
  }

  /** Leave for pageBase + offset. */
  leaveTo(offset: number): void {
    if (offset >= 0 && offset <= 4096) {
      this.bail(FunctionWriter.info(offset, 0, Exit.next))
      return
    }
    const c = this.code
    c.i32Const(0)
    c.local(Op.localGet, Local.pageBase)
    c.i64Const(BigInt(offset))
    c.u8(Op.i64Add)
    c.memory(Op.i64Store, Off.pc)
    this.leave()
  }
  /** Leave; Off.pc is stored. */
  leave(): void {
    this.branch(Op.br, this.leaveLabel)
  }
}
