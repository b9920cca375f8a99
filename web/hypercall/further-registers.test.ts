import { describe, expect, it } from 'vitest'
import { withRegisters } from './hypercall-store.ts'

describe('further registers of a call by hand', () => {
  it('are set where they belong, with zeros between', () => {
    expect(withRegisters(['0x40268', '0x40010'], '')).toEqual(['0x40268', '0x40010'])
    expect(withRegisters(['0x1', '2'], 'x5=0x7, X4=9')).toEqual(['0x1', '2', '0', '9', '0x7'])
  })

  it('are refused with what was written', () => {
    for (const text of ['x0=1', 'x18=1', 'x9', 'w9=1', 'x9 = 1'])
      expect(withRegisters([], text)).toMatch(/is not a register with a value: write x1=…/)
  })
})
