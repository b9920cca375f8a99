import { describe, expect, it } from 'vitest'
import { cellKey, type Outcomes, outcomesFrom, type Trial, truthRows, verdict, withFact } from './truth.ts'

const run = (outcomes: Outcomes, trial: Trial, lines: readonly string[]) =>
  lines.reduce((all, line) => withFact(all, trial, { key: line.slice(0, line.indexOf('=')), value: line.slice(line.indexOf('=') + 1) }), outcomes)

const PROTECTED: Trial = { option: 'y', mode: 'protected', kernel: 'Linux 7.3.4' }

describe('the truth table', () => {
  it('fills in from what the probe prints', () => {
    let all = run({}, PROTECTED, ['taint=0', 'kvm.open=fd', 'vm.normal.create=fd', 'vm.normal.run=0', 'vm.protected.create=fd', 'vm.protected.taint=64'])
    all = run(all, { ...PROTECTED, option: 'n' }, ['kvm.open=fd', 'vm.normal.create=fd', 'vm.normal.taint=0', 'vm.protected.create=EINVAL', 'vm.protected.taint=0'])
    expect(all[cellKey('y', 'protected')]).toEqual({ normal: 'fd', protected: 'fd', taint: '64', kvm: 'fd', kernel: 'Linux 7.3.4' })
    expect(all[cellKey('n', 'protected')]).toMatchObject({ normal: 'fd', protected: 'EINVAL', taint: '0' })
    expect(verdict(all[cellKey('n', 'protected')]!, 'protected')).toEqual({ kind: 'refused', word: 'refused', because: 'EINVAL' })
    expect(verdict(all[cellKey('n', 'protected')]!, 'normal').kind).toBe('created')
  })

  it('says nothing of what nobody tried', () => {
    const before = run({}, PROTECTED, ['kvm.open=fd', 'vm.normal.create=fd'])
    expect(verdict(before[cellKey('y', 'protected')]!, 'protected').kind).toBe('unknown')
    expect(verdict(null, 'normal').kind).toBe('unknown')
    expect(withFact(before, PROTECTED, { key: 'probe', value: 'done' })).toBe(before)
  })

  it('knows a kernel without /dev/kvm', () => {
    const all = run({}, { ...PROTECTED, mode: 'none' }, ['taint=0', 'kvm.open=ENOENT'])
    for (const type of ['normal', 'protected'] as const) {
      expect(verdict(all[cellKey('y', 'none')]!, type)).toEqual({ kind: 'impossible', word: 'no /dev/kvm', because: 'ENOENT' })
    }
  })

  it('has the four combinations always, other modes once chosen or tried', () => {
    const keys = (outcomes: Outcomes, mode: Parameters<typeof truthRows>[1]) => truthRows(outcomes, mode).map(row => row.key)
    const four = ['protected y', 'protected n', 'absent y', 'absent n']
    expect(keys({}, 'protected')).toEqual(four)
    expect(keys({}, null)).toEqual(four)
    expect(keys({}, 'nvhe')).toEqual([...four, 'nvhe y', 'nvhe n'])
    expect(keys(run({}, { ...PROTECTED, mode: 'none' }, ['kvm.open=ENOENT']), 'absent')).toEqual([...four, 'none y', 'none n'])
  })

  it('survives a reload, and whatever else is in the storage', () => {
    const all = run({}, PROTECTED, ['kvm.open=fd', 'vm.normal.create=fd'])
    expect(outcomesFrom(JSON.stringify(all))).toEqual(all)
    for (const text of [null, '', '[]', '3', 'null', '{"protected y": 3, "x": {"kernel": 1}}']) expect(outcomesFrom(text)).toEqual({})
  })
})
