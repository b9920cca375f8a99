import * as addSubCarry from './add-sub-carry.ts'
import * as addSubExtended from './add-sub-extended.ts'
import * as addSubImmediate from './add-sub-immediate.ts'
import * as addSubShifted from './add-sub-shifted.ts'
import * as atomics from './atomics.ts'
import * as bitfield from './bitfield.ts'
import * as branches from './branches.ts'
import * as conditionalCompare from './conditional-compare.ts'
import * as conditionalSelect from './conditional-select.ts'
import { rows as cryptoRows } from './crypto/index.ts'
import * as dataProcessing1 from './data-processing-1.ts'
import * as dataProcessing2 from './data-processing-2.ts'
import * as dataProcessing3 from './data-processing-3.ts'
import * as exceptions from './exceptions.ts'
import * as extract from './extract.ts'
import { rows as fpRows } from './fp/index.ts'
import * as loadLiteral from './load-literal.ts'
import * as loadStoreExclusive from './load-store-exclusive.ts'
import * as loadStorePair from './load-store-pair.ts'
import * as loadStoreRegister from './load-store-register.ts'
import * as loadStoreSimdFp from './load-store-simd-fp.ts'
import * as logicalImmediate from './logical-immediate.ts'
import * as logicalShifted from './logical-shifted.ts'
import * as moveWide from './move-wide.ts'
import * as pcRelative from './pc-relative.ts'
import * as prefetch from './prefetch.ts'
import type { Row } from './row.ts'
import { rows as simdRows } from './simd/index.ts'
import * as system from './system.ts'

/**
 * The base instruction set with CRC32, LSE and the loads and stores of SIMD&FP registers. The order is the order in which
 * the assembler tries syntaxes (see SYNTAX.md): the usual encoding of an ambiguous text comes first.
 */
export const baseRows: readonly Row[] = [
  ...logicalShifted.rows,
  ...moveWide.rows,
  ...addSubImmediate.rows,
  ...addSubShifted.rows,
  ...addSubExtended.rows,
  ...addSubCarry.rows,
  ...logicalImmediate.rows,
  ...bitfield.rows,
  ...extract.rows,
  ...pcRelative.rows,
  ...conditionalCompare.rows,
  ...conditionalSelect.rows,
  ...dataProcessing1.rows,
  ...dataProcessing2.rows,
  ...dataProcessing3.rows,
  ...branches.rows,
  ...exceptions.rows,
  ...system.rows,
  ...loadStoreRegister.rows,
  ...loadLiteral.rows,
  ...prefetch.rows,
  ...loadStorePair.rows,
  ...loadStoreExclusive.rows,
  ...atomics.rows,
  ...loadStoreSimdFp.rows,
]

/** Every instruction the engine knows. */
export const allRows: readonly Row[] = [...baseRows, ...fpRows, ...simdRows, ...cryptoRows]
