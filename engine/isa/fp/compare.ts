import { order } from './arithmetic.ts'
import { type Format, type FpEnvironment, Fpsr } from './format.ts'
import { Kind, unpack } from './unpack.ts'

/** NZCV of a comparison (Arm ARM, FPCompare), packed N=8 Z=4 C=2 V=1. */
export const Compared = { unordered: 3, equal: 6, less: 8, greater: 2 } as const

/** FPCompare. `signalling`: quiet NaNs, too, are an Invalid Operation. */
export function compare(f: Format, a: bigint, b: bigint, env: FpEnvironment, signalling: boolean): number {
  const x = unpack(f, a, env)
  const y = unpack(f, b, env)
  if (x.kind >= Kind.quiet || y.kind >= Kind.quiet) {
    if (signalling || x.kind === Kind.signalling || y.kind === Kind.signalling) env.fpsr |= Fpsr.IOC
    return Compared.unordered
  }
  const p = order(f, x)
  const q = order(f, y)
  return p === q ? Compared.equal : p < q ? Compared.less : Compared.greater
}
