import { describe, expect, it } from 'vitest'
import { Slot } from '../../cpu/register-slots.ts'
import { CpuState, RAM_BASE, SYSREG_BASE } from '../../cpu/state.ts'
import { AbortIss } from '../../cpu/syndrome.ts'
import { ProcessorView } from './processor-view.ts'

describe('the address that stage 2 did not translate', () => {
  const state = new CpuState(new ArrayBuffer(RAM_BASE))
  const processor = new ProcessorView(state)
  const set = (slot: number, value: bigint) => {
    state.u64[(SYSREG_BASE >> 3) + slot] = value
  }
  set(Slot.HPFAR_EL2, 0x40012n << 4n)
  set(Slot.FAR_EL2, 0xffff_8000_8123_4567n)

  it('has the offset of the access', () => {
    expect(processor.faultIpa(AbortIss.wnr)).toBe(0x40012567)
  })

  it('is the page alone of a stage-1 table, since the offset is of another address', () => {
    expect(processor.faultIpa(AbortIss.s1ptw)).toBe(0x40012000)
  })
})
