import { Off, TLB_BASE, TLB_ENTRIES } from '../cpu/state.ts'
import { FunctionWriter, Local } from './function-writer.ts'
import { Effect, EFFECT_WORDS, FLAG_SLOT, type Ir, Kind, ProbeFlag } from './ir.ts'
import { Exit, RuntimeFunction } from './runtime-module.ts'
import { Op, Simd, ValType } from './wasm-encoder.ts'

/** How a lowered block reaches other guest code. Offsets are relative to the page and may lie outside it. */
export interface Jumps {
  /** Emit a jump to a page offset; nothing when it is what follows. */
  jump(offset: number): void
  /** Condition on the stack: jump to one offset or the other. */
  jumpIf(offset: number, otherwise: number): void
}

/** Turns the recorded block in `ir` into WebAssembly, appended to a function. */
export class Lowering {
  private readonly stateNodes: number[] = []

  constructor(private readonly ir: Ir, private readonly out: FunctionWriter) {}

  /**
   * @param pageOffset of the block's first instruction
   * @param count instructions the block retires when left at its end
   */
  block(pageOffset: number, count: number, jumps: Jumps): void {
    this.countUses()
    const { ir, out } = this
    const c = out.code
    const e = ir.effects
    /** Leaving before instruction i gives back i and what follows. */
    const before = (i: number, exit: number): number => FunctionWriter.info(pageOffset + 4 * i, count - i, exit)
    for (let k = 0; k < ir.effectCount; k++) {
      const at = k * EFFECT_WORDS
      const i = e[at + 1]!
      const x = e[at + 2]!
      const y = e[at + 3]!
      const z = e[at + 4]!
      const w = e[at + 5]!
      const extra = e[at + 6]!
      switch (e[at]) {
        case Effect.storeState: {
          const slot = out.slotAt(x, w)
          if (slot >= 0) {
            this.push(y)
            if (w >= 0) this.saveReaders(w, extra)
            out.setRegister(slot)
            break
          }
          c.i32Const(0)
          this.push(y)
          if (w >= 0) this.saveReaders(w, extra)
          c.memory(z, x)
          break
        }
        case Effect.loadState:
          if (ir.uses[y] === 0) break
          c.i32Const(0)
          c.memory(z, x)
          this.setResult(y)
          break
        case Effect.probe:
          this.probe(x, y, z, w, before(i, Exit.step))
          break
        case Effect.load:
          if (ir.uses[w] === 0) {
            this.drop(x)
            break
          }
          this.push(x)
          c.memory(z, y)
          this.setResult(w)
          break
        case Effect.store:
          this.push(x)
          this.push(w)
          c.memory(z, y)
          if (z >= Simd.store8Lane && z <= Simd.store64Lane) c.u8(0)
          break
        case Effect.align:
          out.setInfo(before(i, Exit.step))
          this.push(x)
          out.bailIf()
          break
        case Effect.ifBegin:
          this.materialise(y)
          this.push(x)
          out.open(Op.if)
          break
        case Effect.ifEnd:
          out.close()
          break
        case Effect.fp:
          this.helper(RuntimeFunction.fp, Op.i64Store, Op.i64Load, x, [y, z, extra], w)
          break
        case Effect.crypto:
          this.helper(RuntimeFunction.crypto, Simd.store, Simd.load, x, [y, z, extra], w)
          break
        case Effect.bail:
          out.bail(before(i, Exit.step))
          break
        case Effect.branch:
          jumps.jump(x)
          break
        case Effect.branchIf:
          this.push(x)
          jumps.jumpIf(y, z)
          break
        case Effect.branchReg:
          c.i32Const(0)
          this.push(x)
          c.memory(Op.i64Store, Off.pc)
          out.leave()
          break
        case Effect.testInterrupt:
          c.i32Const(0)
          c.memory(Op.i32Load, Off.irqPending)
          out.setInfo(FunctionWriter.info(x, 0, Exit.interrupt))
          out.bailIf()
          break
        case Effect.zero64:
          for (let n = 0; n < 4; n++) {
            if (n < 3) this.peek(x)
            else this.push(x)
            c.op(Simd.const)
            for (let b = 0; b < 16; b++) c.u8(0)
            c.memory(Simd.store, 16 * n)
          }
          break
        case Effect.saturated:
          c.i32Const(0)
          c.i32Const(0)
          c.memory(Op.i32Load, Off.fpsr)
          this.push(x)
          c.i32Const(27)
          c.u8(Op.i32Shl)
          c.u8(Op.i32Or)
          c.memory(Op.i32Store, Off.fpsr)
          break
      }
    }
    out.releaseAll()
  }

  // ---- use counts ---------------------------------------------------------------------------------------------------
  private countUses(): void {
    const { ir } = this
    const e = ir.effects
    this.stateNodes.length = 0
    for (let k = 0; k < ir.effectCount; k++) {
      const at = k * EFFECT_WORDS
      switch (e[at]) {
        case Effect.storeState:
          this.use(e[at + 3]!)
          break
        case Effect.store:
          this.use(e[at + 2]!)
          this.use(e[at + 5]!)
          break
        case Effect.fp: case Effect.crypto:
          this.use(e[at + 3]!)
          this.use(e[at + 4]!)
          this.use(e[at + 6]!)
          break
        case Effect.probe: case Effect.load: case Effect.align: case Effect.ifBegin: case Effect.branchIf:
        case Effect.branchReg: case Effect.zero64: case Effect.saturated:
          this.use(e[at + 2]!)
          break
      }
    }
  }

  private use(n: number): void {
    if (n < 0) return
    const { ir } = this
    if (ir.uses[n]!++ > 0) return
    const kind = ir.kind[n]
    if (kind === Kind.state || (kind === Kind.call && ir.op[n] === FLAG_SLOT)) {
      this.stateNodes.push(n)
    } else if (kind === Kind.op || kind === Kind.call) {
      this.use(ir.a[n]!)
      this.use(ir.b[n]!)
      this.use(ir.c[n]!)
    }
  }

  // ---- values -------------------------------------------------------------------------------------------------------
  /** Push a node's value, using up one of its uses. */
  private push(n: number): void {
    const { ir, out } = this
    const local = ir.local[n]!
    if (local >= 0) {
      out.code.local(Op.localGet, local)
      this.used(n)
      return
    }
    this.compute(n)
    const left = --ir.uses[n]!
    if (left > 0 && !this.isCheap(n)) {
      const fresh = (ir.local[n] = out.allocate(ir.type[n]!))
      out.code.local(Op.localTee, fresh)
    }
  }

  private used(n: number): void {
    const { ir, out } = this
    if (--ir.uses[n]! === 0 && ir.local[n]! >= 0) {
      out.release(ir.local[n]!)
      ir.local[n] = -1
    }
  }

  /** Push a node that is in a local, without using it up. */
  private peek(n: number): void {
    this.out.code.local(Op.localGet, this.ir.local[n]!)
  }

  private drop(n: number): void {
    this.used(n)
  }

  /** Recomputed at each use rather than kept in a local. */
  private isCheap(n: number): boolean {
    return this.ir.kind[n]! <= Kind.pcRelative || this.inRegister(n)
  }

  /** A guest register that a local holds. */
  private inRegister(n: number): boolean {
    return this.out.keepRegisters && this.ir.kind[n] === Kind.state && this.ir.c[n]! >= 0
  }

  private compute(n: number): void {
    const { ir, out } = this
    const c = out.code
    switch (ir.kind[n]) {
      case Kind.const64:
        c.i64Const(ir.big[n]!)
        return
      case Kind.const32:
        c.i32Const(ir.imm[n]!)
        return
      case Kind.constV:
        c.op(Simd.const)
        for (const b of ir.vectors[ir.imm[n]!]!) c.u8(b)
        return
      case Kind.pcRelative:
        c.local(Op.localGet, Local.pageBase)
        if (ir.big[n] !== 0n) {
          c.i64Const(ir.big[n]!)
          c.u8(Op.i64Add)
        }
        return
      case Kind.state:
        if (this.inRegister(n)) {
          c.local(Op.localGet, out.register(ir.c[n]!))
          return
        }
        c.i32Const(0)
        c.memory(ir.op[n]!, ir.imm[n]!)
        return
      case Kind.call:
        if (ir.op[n] === FLAG_SLOT) {
          if (out.keepRegisters) out.storeFlags()
        } else {
          if (ir.a[n]! >= 0) this.push(ir.a[n]!)
          if (ir.b[n]! >= 0) this.push(ir.b[n]!)
          if (ir.c[n]! >= 0) this.push(ir.c[n]!)
        }
        c.u8(Op.call)
        c.u32(ir.imm[n]!)
        return
      case Kind.op: {
        const op = ir.op[n]!
        if (ir.a[n]! >= 0) this.push(ir.a[n]!)
        if (ir.b[n]! >= 0) this.push(ir.b[n]!)
        if (ir.c[n]! >= 0) this.push(ir.c[n]!)
        c.op(op)
        if (op >= Simd.extract8U && op <= Simd.replace64) c.u8(ir.imm[n]!)
        else if (op === Simd.shuffle) for (const b of ir.vectors[ir.imm[n]!]!) c.u8(b)
        return
      }
      default:
        throw new Error(`node ${n} is used before its effect`)
    }
  }

  /** Pop the stack into a result node's local. */
  private setResult(n: number): void {
    const { ir, out } = this
    const local = (ir.local[n] = out.allocate(ir.type[n]!))
    out.code.local(Op.localSet, local)
  }

  private save(n: number): void {
    const { ir, out } = this
    this.compute(n)
    const local = (ir.local[n] = out.allocate(ir.type[n]!))
    out.code.local(Op.localSet, local)
  }

  /** A state word is about to change: whoever still needs its old value gets it now. */
  private saveReaders(slot: number, nodesBefore: number): void {
    const { ir } = this
    for (const n of this.stateNodes) {
      if (n >= nodesBefore || ir.uses[n]! <= 0 || ir.local[n]! >= 0) continue
      const reads = ir.kind[n] === Kind.state ? ir.c[n]! : FLAG_SLOT
      if (reads === slot) this.save(n)
    }
  }

  /** Before a conditional body: put into locals whatever both the body and what follows may need. */
  private materialise(nodesBefore: number): void {
    const { ir } = this
    for (let n = 0; n < nodesBefore; n++) {
      if (ir.uses[n]! <= 0 || ir.local[n]! >= 0 || ir.kind[n]! <= Kind.pcRelative || ir.kind[n] === Kind.result) continue
      const readsState = ir.kind[n] === Kind.state || (ir.kind[n] === Kind.call && ir.op[n] === FLAG_SLOT)
      if (readsState || ir.uses[n]! > 1) this.save(n)
    }
  }

  // ---- memory -------------------------------------------------------------------------------------------------------
  /**
   * The TLB probe of `bytes` bytes at va:
   *
   *     e = (va >>> 7) & ((TLB_ENTRIES - 1) << 5)
   *     if TLB[e].tag[access] == ((va + bytes - 1) & ~0xfff | context):  address = low32(va) + TLB[e].delta
   *     else:  address = slow(va, access | bytes << 4 | unprivileged << 12);  if address == 0: leave before this instruction
   *
   * Where registers are kept in locals, a miss always leaves: tier 0 fills the entry.
   */
  private probe(va: number, bytes: number, flags: number, address: number, info: number): void {
    const { ir, out } = this
    const c = out.code
    if (ir.local[va]! < 0 && !this.inRegister(va)) this.save(va)
    const v = ir.local[va]! >= 0 ? ir.local[va]! : out.register(ir.c[va]!)
    const write = (flags & ProbeFlag.write) !== 0
    const unprivileged = (flags & ProbeFlag.unprivileged) !== 0
    c.local(Op.localGet, v)
    c.u8(Op.i32WrapI64)
    c.i32Const(7)
    c.u8(Op.i32ShrU)
    c.i32Const((TLB_ENTRIES - 1) << 5)
    c.u8(Op.i32And)
    c.local(Op.localTee, Local.tlbEntry)
    c.memory(Op.i64Load, TLB_BASE + (write ? 8 : 0))
    c.local(Op.localGet, v)
    if (bytes > 1) {
      c.i64Const(BigInt(bytes - 1))
      c.u8(Op.i64Add)
    }
    c.i64Const(-4096n)
    c.u8(Op.i64And)
    if (unprivileged) {
      c.i32Const(0)
      c.memory(Op.i64Load32U, Off.contextUnprivileged)
    } else {
      c.local(Op.localGet, Local.context)
    }
    c.u8(Op.i64Or)
    c.u8(Op.i64Eq)
    out.open(Op.if, ValType.i32)
    c.local(Op.localGet, v)
    c.u8(Op.i32WrapI64)
    c.local(Op.localGet, Local.tlbEntry)
    c.memory(Op.i32Load, TLB_BASE + 24)
    c.u8(Op.i32Add)
    c.u8(Op.else)
    if (out.keepRegisters) {
      // A call on any path of a loop makes V8 keep every register that lives across it in memory.
      out.bail(info)
      out.close()
      this.used(va)
      if (ir.uses[address] === 0) c.u8(Op.drop)
      else this.setResult(address)
      return
    }
    out.setInfo(info)
    c.local(Op.localGet, v)
    c.i32Const((write ? 1 : 0) | (bytes << 4) | (unprivileged ? 1 << 12 : 0))
    c.u8(Op.call)
    c.u32(RuntimeFunction.slow)
    c.local(Op.localTee, Local.tlbEntry)
    c.u8(Op.i32Eqz)
    out.bailIf()
    c.local(Op.localGet, Local.tlbEntry)
    out.close()
    this.used(va)
    if (ir.uses[address] === 0) c.u8(Op.drop)
    else this.setResult(address)
  }

  private helper(fn: number, storeOp: number, loadOp: number, id: number, args: readonly number[], result: number): void {
    const { ir, out } = this
    const c = out.code
    args.forEach((arg, i) => {
      if (arg < 0) return
      c.i32Const(0)
      this.push(arg)
      c.memory(storeOp, Off.scratch + 16 * i)
    })
    c.i32Const(id)
    c.u8(Op.call)
    c.u32(fn)
    if (ir.uses[result] === 0) return
    c.i32Const(0)
    c.memory(loadOp, Off.scratch)
    this.setResult(result)
  }
}
