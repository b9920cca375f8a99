import type { Row } from '../row.ts'
import { arithmeticRows } from './rows-arithmetic.ts'
import { compareRows } from './rows-compare.ts'
import { convertRows } from './rows-convert.ts'
import { moveRows } from './rows-move.ts'

/** Scalar floating-point instructions of Armv8.0 (Arm ARM C7.2); the SIMD encodings of scalars are in `isa/simd`. */
export const rows: readonly Row[] = [...arithmeticRows, ...compareRows, ...convertRows, ...moveRows]
