import { expect, it } from 'vitest'
import { systemEncoding, systemRegisterEncoding, systemRegisterName, systemRegisterNames } from './system-register-names.ts'

it('knows names in any case and general forms', () => {
  expect(systemRegisterEncoding('HCR_EL2')).toBe(systemEncoding(3, 4, 1, 1, 0))
  expect(systemRegisterEncoding('CurrentEL')).toBe(systemEncoding(3, 0, 4, 2, 2))
  expect(systemRegisterEncoding('s3_0_c15_c2_7')).toBe(systemEncoding(3, 0, 15, 2, 7))
  expect(systemRegisterEncoding('ich_lr9_el2')).toBe(systemEncoding(3, 4, 12, 13, 1))
  expect(systemRegisterEncoding('s4_0_c0_c0_0')).toBeUndefined()
  expect(systemRegisterEncoding('nothing')).toBeUndefined()
})

it('names every encoding so that the name means it', () => {
  for (const [name, encoding] of systemRegisterNames()) {
    expect(systemRegisterEncoding(systemRegisterName(encoding)), name).toBe(encoding)
  }
  expect(systemRegisterName(systemEncoding(3, 7, 11, 12, 5))).toBe('s3_7_c11_c12_5')
})
