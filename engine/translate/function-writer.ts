import { Off } from '../cpu/state.ts'
import { FLAG_SLOT, SLOT_COUNT } from './ir.ts'
import { Exit } from './runtime-module.ts'
import { ByteWriter, Op, Simd, ValType } from './wasm-encoder.ts'

/** Fixed locals of a translated function; 0 is the parameter, the entry's index. */
export const Local = { entry: 0, pageBase: 1, context: 2, budget: 3, info: 4, tlbEntry: 5 } as const
const FIXED_LOCALS = [ValType.i64, ValType.i64, ValType.i32, ValType.i32, ValType.i32]

/** Guest registers that may live in locals: the hazard slots, and two more for the operands behind NZCV. */
const FLAG_A = SLOT_COUNT
const FLAG_B = SLOT_COUNT + 1
const REGISTERS = SLOT_COUNT + 2

/**
 * Body of one translated function: code, locals by type with reuse, and label bookkeeping.
 *
 *     pageBase = Off.pc & ~0xfff;  context = Off.context;  budget = Off.budget
 *     registers kept in locals = CPU state
 *     block $leave
 *       block $bail
 *         ... blocks of the region ...
 *       end
 *       Off.pc = pageBase + (info & 0x1fff);  budget += info >>> 13 & 0xff
 *     end                                                 ; who branches here has stored Off.pc
 *     CPU state = registers kept in locals and written
 *     Off.budget = budget;  return info >>> 24
 */
export class FunctionWriter {
  /** What comes first: it is known last. */
  private readonly prologue = new ByteWriter(512)
  readonly code = new ByteWriter(4096)
  /**
   * Keep guest registers in locals from entry to exit. A loop gains much; straight code does not, since each run of it
   * loads and stores what the whole region uses.
   */
  keepRegisters = false
  private readonly registerLocal = new Int32Array(REGISTERS)
  private readonly written = new Uint8Array(REGISTERS)
  private readonly pinned = new Set<number>()
  locals: number[] = []
  private readonly free: Record<number, number[]> = { [ValType.i32]: [], [ValType.i64]: [], [ValType.v128]: [] }
  private depth = 0
  private leaveLabel = 0
  private bailLabel = 0

  begin(keepRegisters: boolean): void {
    this.code.clear()
    this.keepRegisters = keepRegisters
    this.registerLocal.fill(-1)
    this.written.fill(0)
    this.pinned.clear()
    this.locals = [...FIXED_LOCALS]
    for (const type of [ValType.i32, ValType.i64, ValType.v128]) this.free[type]!.length = 0
    this.depth = 0
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
    c.local(Op.localGet, Local.budget)
    c.local(Op.localGet, Local.info)
    c.i32Const(13)
    c.u8(Op.i32ShrU)
    c.i32Const(0xff)
    c.u8(Op.i32And)
    c.u8(Op.i32Add)
    c.local(Op.localSet, Local.budget)
    this.close()
    for (let slot = 0; slot < REGISTERS; slot++) {
      if (this.written[slot] === 0) continue
      c.i32Const(0)
      c.local(Op.localGet, this.registerLocal[slot]!)
      c.memory(storeOf(slot), offsetOf(slot))
    }
    c.i32Const(0)
    c.local(Op.localGet, Local.budget)
    c.memory(Op.i32Store, Off.budget)
    c.local(Op.localGet, Local.info)
    c.i32Const(24)
    c.u8(Op.i32ShrU)
    this.begun()
  }

  private begun(): void {
    const c = this.prologue
    c.clear()
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
    for (let slot = 0; slot < REGISTERS; slot++) {
      const local = this.registerLocal[slot]!
      if (local < 0) continue
      c.i32Const(0)
      c.memory(loadOf(slot), offsetOf(slot))
      c.local(Op.localSet, local)
    }
  }

  /** Append the finished function. */
  appendTo(code: ByteWriter): void {
    code.append(this.prologue)
    code.append(this.code)
  }

  // ---- registers kept in locals -------------------------------------------------------------------------------------
  /** The local of a hazard slot, or of FLAG_A and FLAG_B. */
  register(slot: number): number {
    const known = this.registerLocal[slot]!
    if (known >= 0) return known
    const local = this.locals.push(typeOf(slot))
    this.pinned.add(local)
    this.registerLocal[slot] = local
    return local
  }

  /** The slot whose local holds the CPU state at this offset, or -1. */
  slotAt(offset: number, slot: number): number {
    if (!this.keepRegisters) return -1
    return offset === Off.flagA ? FLAG_A : offset === Off.flagB ? FLAG_B : slot
  }

  /** Pop a value into a register's local. */
  setRegister(slot: number): void {
    this.code.local(Op.localSet, this.register(slot))
    this.written[slot] = 1
  }

  /** Bring NZCV in CPU state up to date, for a function that reads it there. */
  storeFlags(): void {
    const c = this.code
    for (const slot of [FLAG_SLOT, FLAG_A, FLAG_B]) {
      c.i32Const(0)
      c.local(Op.localGet, this.register(slot))
      c.memory(storeOf(slot), offsetOf(slot))
    }
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
    for (let i = this.locals.length; i > FIXED_LOCALS.length; i--) if (!this.pinned.has(i)) this.release(i)
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
    this.setInfo(Exit.next)
    this.branch(Op.br, this.leaveLabel)
  }
}

function typeOf(slot: number): number {
  return slot === FLAG_SLOT ? ValType.i32 : slot >= 32 && slot < FLAG_SLOT ? ValType.v128 : ValType.i64
}
function loadOf(slot: number): number {
  return slot === FLAG_SLOT ? Op.i32Load : slot >= 32 && slot < FLAG_SLOT ? Simd.load : Op.i64Load
}
function storeOf(slot: number): number {
  return slot === FLAG_SLOT ? Op.i32Store : slot >= 32 && slot < FLAG_SLOT ? Simd.store : Op.i64Store
}
function offsetOf(slot: number): number {
  if (slot < 32) return Off.x + 8 * slot
  if (slot < FLAG_SLOT) return Off.v + 16 * (slot - 32)
  return slot === FLAG_SLOT ? Off.flagKind : slot === FLAG_A ? Off.flagA : Off.flagB
}
