import { describe, expect, it } from 'vitest'
import { DEFAULT_COMMAND_LINE, explain, kvmModeOf, withKvmMode } from './command-line.ts'

describe('kernel command line', () => {
  it('reads the mode, with dash or underscore, the last one counting', () => {
    expect(kvmModeOf(DEFAULT_COMMAND_LINE)).toBe('protected')
    expect(kvmModeOf('kvm_arm.mode=nvhe')).toBe('nvhe')
    expect(kvmModeOf('kvm-arm.mode=nvhe kvm-arm.mode=none')).toBe('none')
    expect(kvmModeOf('console=ttyAMA0')).toBe('absent')
    expect(kvmModeOf('kvm-arm.mode=vhe')).toBeNull()
    expect(kvmModeOf('foo="kvm-arm.mode=nvhe bar"')).toBe('absent')
  })

  it('edits the mode and leaves the rest alone', () => {
    expect(withKvmMode(DEFAULT_COMMAND_LINE, 'nvhe')).toBe('console=ttyAMA0 kvm-arm.mode=nvhe cryptomgr.notests')
    expect(withKvmMode(DEFAULT_COMMAND_LINE, 'absent')).toBe('console=ttyAMA0 cryptomgr.notests')
    expect(withKvmMode('console=ttyAMA0 cryptomgr.notests', 'protected')).toBe(DEFAULT_COMMAND_LINE)
    expect(withKvmMode('a kvm_arm.mode=none  b kvm-arm.mode=nvhe', 'nested')).toBe('a b kvm-arm.mode=nested')
    expect(withKvmMode('', 'none')).toBe('kvm-arm.mode=none')
    expect(withKvmMode('kvm-arm.mode=none', 'absent')).toBe('')
  })

  it('round-trips through absent', () => {
    for (const mode of ['none', 'nvhe', 'protected', 'nested'] as const) {
      expect(kvmModeOf(withKvmMode(withKvmMode(DEFAULT_COMMAND_LINE, 'absent'), mode))).toBe(mode)
    }
  })

  it('explains the words it knows', () => {
    expect(explain('console=ttyAMA0,115200 x=1 cryptomgr.notests').map(entry => entry.word)).toEqual([
      'console=ttyAMA0,115200',
      'cryptomgr.notests',
    ])
  })
})
