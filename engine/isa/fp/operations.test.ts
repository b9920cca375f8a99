import { describe, expect, it } from 'vitest'
import { encodeImmediate, expandImmediate, immediateValue } from './immediate.ts'
import { fpById, fpOperation, fpOperationId } from './operations.ts'

const RN = 0
const RP = 1 << 22
const RM = 2 << 22
const RZ = 3 << 22
const FZ = 1 << 24
const DN = 1 << 25
const AHP = 1 << 26
const IOC = 1
const DZC = 2
const OFC = 4
const UFC = 8
const IXC = 16
const IDC = 128

/** Result and flags of one operation that starts with clear flags. */
function run(op: string, size: number, fpcr: number, a: bigint, b = 0n, c = 0n): [string, number] {
  const fp = { fpcr, fpsr: 0 }
  const result = fpOperation(op, size, a, b, c, fp)
  return [`0x${result.toString(16)}`, fp.fpsr]
}

const one = 0x3f800000n
const two = 0x40000000n
const inf = 0x7f800000n
const snan = 0x7f800001n
const qnan = 0xffc12345n
const minNormal = 0x00800000n
const minDenormal = 1n
const max = 0x7f7fffffn

describe('NaNs', () => {
  it('takes a signalling NaN before a quiet one and quietens it', () => {
    expect(run('add', 32, RN, qnan, snan)).toEqual(['0x7fc00001', IOC])
    expect(run('add', 32, RN, qnan, 0x7fc00099n)).toEqual(['0xffc12345', 0])
    expect(run('sub', 32, RN, one, qnan)).toEqual(['0xffc12345', 0])
  })
  it('gives the default NaN under DN', () => {
    expect(run('mul', 32, DN, qnan, one)).toEqual(['0x7fc00000', 0])
    expect(run('mul', 32, DN, snan, one)).toEqual(['0x7fc00000', IOC])
  })
  it('orders fused operands addend, a, b', () => {
    expect(run('fma', 32, RN, 0x7fc00001n, 0x7fc00002n, 0x7fc00003n)).toEqual(['0x7fc00001', 0])
    expect(run('fma', 32, RN, 0x7fc00001n, 0x7fc00002n, snan)).toEqual(['0x7fc00001', IOC])
    expect(run('fma', 32, RN, 0x7fc00001n, inf, 0n)).toEqual(['0x7fc00000', IOC])
    expect(run('fma', 32, RN, snan, inf, 0n)).toEqual(['0x7fc00001', IOC])
  })
  it('turns the sign of a NaN in the first operand of the step operations', () => {
    expect(run('recps', 32, RN, qnan, one)).toEqual(['0x7fc12345', 0])
    expect(run('recps', 32, RN, one, qnan)).toEqual(['0xffc12345', 0])
  })
  it('lets a number win over a lone quiet NaN in maxnm and minnm only', () => {
    expect(run('maxnm', 32, RN, qnan, one)).toEqual(['0x3f800000', 0])
    expect(run('minnm', 32, RN, one, snan)).toEqual(['0x7fc00001', IOC])
    expect(run('max', 32, RN, qnan, one)).toEqual(['0xffc12345', 0])
  })
  it('keeps the top of the payload in conversions', () => {
    expect(run('toF64', 32, RN, snan)).toEqual(['0x7ff8000020000000', IOC])
    expect(run('toF16', 32, RN, 0xff8fffffn)).toEqual(['0xfe7f', IOC])
  })
})

describe('rounding, overflow, underflow', () => {
  it('rounds in all four directions', () => {
    const ulp = 0x33800000n // 2^-24: half a unit of 1.0
    expect(run('add', 32, RN, one, ulp)).toEqual(['0x3f800000', IXC])
    expect(run('add', 32, RP, one, ulp)).toEqual(['0x3f800001', IXC])
    expect(run('add', 32, RM, 0xbf800000n, ulp | 0x80000000n)).toEqual(['0xbf800001', IXC])
    expect(run('add', 32, RZ, one, ulp)).toEqual(['0x3f800000', IXC])
  })
  it('gives an exact zero sum the sign of the rounding mode', () => {
    expect(run('sub', 32, RN, one, one)).toEqual(['0x0', 0])
    expect(run('sub', 32, RM, one, one)).toEqual(['0x80000000', 0])
  })
  it('overflows to infinity or to the largest number', () => {
    expect(run('mul', 32, RN, max, two)).toEqual(['0x7f800000', OFC | IXC])
    expect(run('mul', 32, RM, max, two)).toEqual(['0x7f7fffff', OFC | IXC])
    expect(run('mul', 64, RZ, 0x7fefffffffffffffn, 0x7fefffffffffffffn)).toEqual(['0x7fefffffffffffff', OFC | IXC])
  })
  it('detects tininess before rounding', () => {
    // (1 - 2^-24) * 2^-126 rounds up to the smallest normal number, and is tiny all the same.
    expect(run('mul', 32, RN, 0x3f7fffffn, minNormal)).toEqual(['0x800000', UFC | IXC])
    expect(run('mul', 32, RN, 0x3f000000n, minNormal)).toEqual(['0x400000', 0])
  })
  it('flushes denormals on input with IDC and on output with UFC alone', () => {
    expect(run('add', 32, FZ, minDenormal, 0n)).toEqual(['0x0', IDC])
    expect(run('mul', 32, FZ, 0x3f000000n, minNormal | 0x80000000n)).toEqual(['0x80000000', UFC])
    expect(run('cmp', 32, FZ, minDenormal, 0n)).toEqual(['0x6', IDC])
  })
  it('leaves half precision out of FZ', () => {
    expect(run('toF32', 16, FZ, 1n)).toEqual(['0x33800000', 0])
    expect(run('toF16', 32, FZ, 0x33800000n)).toEqual(['0x1', 0])
    expect(run('toF16', 32, FZ, minDenormal)).toEqual(['0x0', IDC])
  })
  it('has no infinities in the alternative half precision', () => {
    expect(run('toF32', 16, AHP, 0x7c00n)).toEqual(['0x47800000', 0])
    expect(run('toF16', 32, AHP, 0x47800000n)).toEqual(['0x7c00', 0])
    expect(run('toF16', 32, AHP, inf)).toEqual(['0x7fff', IOC])
    expect(run('toF16', 32, AHP, qnan)).toEqual(['0x8000', IOC])
    expect(run('toF16', 32, RN, 0x477ff000n)).toEqual(['0x7c00', OFC | IXC])
  })
  it('rounds a fused operation once', () => {
    // (1 + 2^-23)^2 - (1 + 2^-22) = 2^-46
    expect(run('fma', 32, RN, 0xbf800002n, 0x3f800001n, 0x3f800001n)).toEqual(['0x28800000', 0])
    const addend = 0xbff0000000000002n
    const factor = 0x3ff0000000000001n
    expect(run('fma', 64, RN, addend, factor, factor)).toEqual(['0x3970000000000000', 0])
  })
  it('rounds to odd for FCVTXN', () => {
    expect(run('toF32:odd', 64, RN, 0x3ff0000000000001n)).toEqual(['0x3f800001', IXC])
  })
})

describe('invalid operations and division by zero', () => {
  it.each([
    ['add', inf, inf | 0x80000000n],
    ['mul', inf, 0n],
    ['div', 0n, 0n],
    ['div', inf, inf],
    ['sqrt', 0xbf800000n, 0n],
    ['rsqrte', 0xbf800000n, 0n],
  ])('%s', (op, a, b) => {
    expect(run(op, 32, RN, a, b)).toEqual(['0x7fc00000', IOC])
  })
  it('divides by zero', () => {
    expect(run('div', 32, RN, 0xbf800000n, 0n)).toEqual(['0xff800000', DZC])
    expect(run('div', 32, RN, inf, 0n)).toEqual(['0x7f800000', 0])
    expect(run('recpe', 32, RN, 0x80000000n)).toEqual(['0xff800000', DZC])
  })
  it('has mulx make 2.0 of infinity times zero', () => {
    expect(run('mulx', 32, RN, inf, 0x80000000n)).toEqual(['0xc0000000', 0])
  })
  it('compares', () => {
    expect(run('cmp', 64, RN, 0n, 1n << 63n)).toEqual(['0x6', 0])
    expect(run('cmp', 32, RN, one, qnan)).toEqual(['0x3', 0])
    expect(run('cmpe', 32, RN, one, qnan)).toEqual(['0x3', IOC])
    expect(run('ge', 32, RN, two, one)).toEqual(['0xffffffff', 0])
    expect(run('gt', 32, RN, one, one)).toEqual(['0x0', 0])
  })
})

describe('integers', () => {
  it('rounds to integral values', () => {
    expect(run('frinta', 32, RN, 0x40200000n)).toEqual(['0x40400000', 0]) // 2.5
    expect(run('frintn', 32, RN, 0x40200000n)).toEqual(['0x40000000', 0])
    expect(run('frintx', 32, RP, 0x40200000n)).toEqual(['0x40400000', IXC])
    expect(run('frintm', 32, RN, 0xbdcccccdn)).toEqual(['0xbf800000', 0])
    expect(run('frintz', 32, RN, 0xbdcccccdn)).toEqual(['0x80000000', 0])
  })
  it('saturates', () => {
    expect(run('toS32:rz', 32, RN, 0x4f000000n)).toEqual(['0x7fffffff', IOC])
    expect(run('toS32:rz', 64, RN, 0xc1e0000000000000n)).toEqual(['0x80000000', 0])
    expect(run('toU64:rz', 64, RN, 0xbff0000000000000n)).toEqual(['0x0', IOC])
    expect(run('toU64:rz', 64, RN, 0xbfe0000000000000n)).toEqual(['0x0', IXC])
    expect(run('toS64:rn', 64, RN, 0x7ff8000000000000n)).toEqual(['0x0', IOC])
    expect(run('toS64:rz:4', 32, RN, 0x3fc00000n)).toEqual(['0x18', 0])
  })
  it('converts from integers under FPCR.RMode', () => {
    expect(run('fromS32', 64, RN, 0xffffffffn)).toEqual(['0xbff0000000000000', 0])
    expect(run('fromU64', 32, RP, (1n << 64n) - 1n)).toEqual(['0x5f800000', IXC])
    expect(run('fromU64', 32, RZ, (1n << 64n) - 1n)).toEqual(['0x5f7fffff', IXC])
    expect(run('fromU32:32', 32, RN, 0x80000000n)).toEqual(['0x3f000000', 0])
  })
})

describe('the interface', () => {
  it('numbers operations stably', () => {
    const id = fpOperationId('add', 64)
    expect(fpOperationId('add', 64)).toBe(id)
    expect(fpById[id]!(0x3ff0000000000000n, 0x3ff0000000000000n, 0n, { fpcr: 0, fpsr: 0 })).toBe(0x4000000000000000n)
  })
  it('refuses names it does not know', () => {
    for (const op of ['frob', 'toS8:rz', 'toS32', 'toS32:rq', 'frint', 'frintq', 'fromS32:33', 'toF8']) {
      expect(() => fpOperationId(op, 32), op).toThrow(RangeError)
    }
    expect(() => fpOperationId('add', 8)).toThrow(RangeError)
  })
  it('gives the same flags on the fast and the exact paths', () => {
    // With IXC set beforehand the fast paths skip telling inexactness; results must not depend on that.
    let state = 12345
    const random = (): bigint => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      return BigInt(state >>> 0)
    }
    for (let i = 0; i < 2000; i++) {
      const a = random()
      const b = random()
      for (const op of ['add', 'mul', 'div', 'sqrt']) {
        const clear = { fpcr: 0, fpsr: 0 }
        const set = { fpcr: 0, fpsr: IXC }
        expect(fpOperation(op, 32, a, b, 0n, clear)).toBe(fpOperation(op, 32, a, b, 0n, set))
        expect(clear.fpsr | IXC).toBe(set.fpsr)
      }
    }
  })
})

describe('8-bit immediates', () => {
  it('agree with the numbers they stand for', () => {
    const view = new DataView(new ArrayBuffer(8))
    for (let imm8 = 0; imm8 < 256; imm8++) {
      view.setFloat64(0, immediateValue(imm8))
      expect(expandImmediate(imm8, 64)).toBe(view.getBigUint64(0))
      view.setFloat32(0, immediateValue(imm8))
      expect(expandImmediate(imm8, 32)).toBe(BigInt(view.getUint32(0)))
      expect(encodeImmediate(immediateValue(imm8))).toBe(imm8)
    }
    expect(encodeImmediate(0)).toBe(-1)
  })
})
