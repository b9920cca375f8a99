import type { Row } from '../row.ts'
import { rows as acrossLanes } from './across-lanes.ts'
import { rows as copy } from './copy.ts'
import { rows as fpThreeSame } from './fp-three-same.ts'
import { rows as fpTwoRegister } from './fp-two-register.ts'
import { rows as indexed } from './indexed.ts'
import { rows as modifiedImmediate } from './modified-immediate.ts'
import { rows as permute } from './permute.ts'
import { rows as shiftImmediate } from './shift-immediate.ts'
import { rows as structures } from './structures.ts'
import { rows as threeDifferent } from './three-different.ts'
import { rows as threeSame } from './three-same.ts'
import { rows as twoRegister } from './two-register.ts'

/** Advanced SIMD of Armv8.0, vector and scalar, without the half-precision arithmetic and later extensions. */
export const rows: readonly Row[] = [
  ...threeSame,
  ...fpThreeSame,
  ...threeDifferent,
  ...twoRegister,
  ...fpTwoRegister,
  ...acrossLanes,
  ...copy,
  ...modifiedImmediate,
  ...shiftImmediate,
  ...indexed,
  ...permute,
  ...structures,
]
