import type { CpuState } from '../cpu/state.ts'
import { Off } from '../cpu/state.ts'
import { cryptoOperation } from '../isa/crypto/operations.ts'
import { fpOperation } from '../isa/fp/operations.ts'

/**
 * Numbers for the operations that translated code calls out for: floating point and cryptography. Arguments lie in
 * Off.scratch at 16-byte steps (a, b, c); the result replaces a.
 */
export class HelperIds {
  private readonly fpIds = new Map<string, number>()
  private readonly fpOperations: { op: string; size: 16 | 32 | 64 }[] = []
  private readonly cryptoIds = new Map<string, number>()
  private readonly cryptoOperations: string[] = []

  fp(op: string, size: 16 | 32 | 64): number {
    const key = `${op}/${size}`
    let id = this.fpIds.get(key)
    if (id === undefined) {
      id = this.fpOperations.push({ op, size }) - 1
      this.fpIds.set(key, id)
    }
    return id
  }

  crypto(op: string): number {
    let id = this.cryptoIds.get(op)
    if (id === undefined) {
      id = this.cryptoOperations.push(op) - 1
      this.cryptoIds.set(op, id)
    }
    return id
  }

  runFp(state: CpuState, id: number): void {
    const { op, size } = this.fpOperations[id]!
    const { u64, i32 } = state
    const at = Off.scratch >> 3
    const env = { fpcr: i32[Off.fpcr >> 2]!, fpsr: i32[Off.fpsr >> 2]! }
    u64[at] = fpOperation(op, size, u64[at]!, u64[at + 2]!, u64[at + 4]!, env)
    i32[Off.fpsr >> 2] = env.fpsr
  }

  runCrypto(state: CpuState, id: number): void {
    const at = Off.scratch
    const { bytes } = state
    const result = cryptoOperation(
      this.cryptoOperations[id]!, bytes.slice(at, at + 16), bytes.slice(at + 16, at + 32), bytes.slice(at + 32, at + 48),
    )
    bytes.set(result, at)
  }
}
