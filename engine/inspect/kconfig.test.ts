import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kernelOf, skipLoudly } from '../cli/oracle.ts'
import { annotate, evaluate, KconfigSyntaxError, parseExpression, symbolsIn } from './kconfig-expression.ts'
import { kvmMenu, PROTECTED_VM_UAPI } from './kconfig-kvm.ts'
import { evaluateOption, lookupIn, parseConfig } from './kconfig.ts'

const FILE = `#
# Automatically generated file; DO NOT EDIT.
# Linux/arm64 7.9.1 Kernel Configuration
#
CONFIG_CC_VERSION_TEXT="a \\"quoted\\" gcc"
CONFIG_GCC_VERSION=140200

#
# General setup
#
CONFIG_EXPERT=y
# CONFIG_UID16 is not set

#
# Timers subsystem
#
CONFIG_HZ=250
# end of Timers subsystem

CONFIG_IKCONFIG=m
#
# a remark that never ends
#
CONFIG_AFTER=y
# end of General setup

CONFIG_PHYS=0x40000000
CONFIG_KVM=y
`

describe('a configuration', () => {
  const config = parseConfig(FILE)
  const value = (name: string) => config.entries.get(name)?.value

  it('has its values, unset ones too', () => {
    expect(config.title).toBe('Linux/arm64 7.9.1')
    expect(config.strange).toBe(0)
    expect(config.entries.get('CC_VERSION_TEXT')).toMatchObject({ type: 'string', value: 'a "quoted" gcc', menus: [] })
    expect(config.entries.get('PHYS')).toMatchObject({ type: 'number', value: '0x40000000', menus: [] })
    expect([value('EXPERT'), value('UID16'), value('IKCONFIG'), value('NOT_THERE')]).toEqual(['y', 'n', 'm', undefined])
  })

  it('knows the menus', () => {
    expect(config.entries.get('HZ')?.menus).toEqual(['General setup', 'Timers subsystem'])
    expect(config.entries.get('AFTER')?.menus).toEqual(['General setup'])
    expect(config.entries.get('KVM')?.menus).toEqual([])
  })

  it('counts what it cannot read and goes on', () => {
    const bad = parseConfig('CONFIG_A=y\nCONFIG_B=maybe\nnonsense\r\n\0\0\nCONFIG_C="open\n# CONFIG_D is not set\n')
    expect([...bad.entries.keys()]).toEqual(['A', 'D'])
    expect(bad.strange).toBe(4)
    expect(parseConfig('').entries.size).toBe(0)
  })
})

describe('expressions', () => {
  const values: Record<string, string> = { Y: 'y', M: 'm', N: 'n', HZ: '250', ARCH: 'arm64', HEX: '0x10' }
  const of = (text: string) => evaluate(parseExpression(text), (name) => values[name])

  it.each([
    ['Y', 'y'], ['M', 'm'], ['N', 'n'], ['UNKNOWN', 'n'], ['HZ', 'n'], ['y', 'y'],
    ['!Y', 'n'], ['!M', 'm'], ['!N', 'y'], ['!!M', 'm'], ['!UNKNOWN', 'y'],
    ['Y && M', 'm'], ['M && N', 'n'], ['Y || M', 'y'], ['N || M', 'm'],
    // && binds more strongly than ||.
    ['Y || N && N', 'y'], ['(Y || N) && N', 'n'], ['!N && Y', 'y'], ['!(N && Y)', 'y'],
    ['M = m', 'y'], ['M != m', 'n'], ['Y = M', 'n'], ['UNKNOWN = n', 'y'], ['ARCH = "arm64"', 'y'], ["ARCH != 'x86'", 'y'],
    ['HZ = 250', 'y'], ['HZ < 300 && HZ >= 250', 'y'], ['HZ > 1000', 'n'], ['HEX = 16', 'y'], ['M<Y', 'y'], ['!M=m', 'n'],
  ])('%s is %s', (text, expected) => {
    expect(of(text)).toBe(expected)
  })

  it.each(['', '&&', 'A &&', 'A B', '(A', 'A)', 'A = ', '!', 'A ? B', '"open', `${'('.repeat(500)}A${')'.repeat(500)}`])('%s is none', (text) => {
    expect(() => parseExpression(text)).toThrow(KconfigSyntaxError)
  })

  it('reads texts of random characters without any other error', () => {
    let seed = 7
    const random = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % n
    }
    const pieces = ['A', 'y', 'HZ', '&&', '||', '!', '(', ')', '=', '!=', '<', '"x', '"', ' ', '250', '\\', 'ä']
    for (let i = 0; i < 3000; i++) {
      const text = Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join('')
      try {
        expect(['n', 'm', 'y']).toContain(of(text))
      } catch (e) {
        expect(e).toBeInstanceOf(KconfigSyntaxError)
      }
    }
  })

  it('print as menuconfig does, with values', () => {
    const e = parseExpression('KVM && EXPERT')
    expect(annotate(e, lookupIn(parseConfig(FILE)))).toBe('KVM [=y] && EXPERT [=y]')
    expect(annotate(parseExpression('(A || !B) && C = "x"'), () => undefined)).toBe('(A [=n] || !B [=n]) && C [=n] = "x"')
    expect(symbolsIn(parseExpression('A && (B || A) && C = y'))).toEqual(['A', 'B', 'C'])
  })
})

describe('an option', () => {
  const config = parseConfig(FILE)

  it('is what one wishes while its dependency holds', () => {
    expect(evaluateOption(PROTECTED_VM_UAPI, 'y', lookupIn(config))).toEqual({ available: true, value: 'y', dependency: 'KVM [=y] && EXPERT [=y]' })
    expect(evaluateOption(PROTECTED_VM_UAPI, 'n', lookupIn(config))).toMatchObject({ available: true, value: 'n' })
  })

  it('is not there and n without EXPERT, without KVM, without anything', () => {
    for (const suppose of [{ EXPERT: 'n' }, { KVM: 'n' }]) {
      expect(evaluateOption(PROTECTED_VM_UAPI, 'y', lookupIn(config, suppose))).toMatchObject({ available: false, value: 'n' })
    }
    expect(evaluateOption(PROTECTED_VM_UAPI, 'y', lookupIn(parseConfig('')))).toMatchObject({ available: false, value: 'n' })
  })

  it('goes no further than a dependency of m, a bool excepted', () => {
    const lookup = lookupIn(config, { KVM: 'm' })
    expect(evaluateOption(PROTECTED_VM_UAPI, 'y', lookup)).toMatchObject({ available: true, value: 'y' })
    expect(evaluateOption({ name: 'X', type: 'tristate', dependsOn: 'KVM' }, 'y', lookup)).toMatchObject({ available: true, value: 'm' })
  })
})

for (const series of ['7.2', '7.3']) {
  const kernel = kernelOf(series)
  const path = kernel === undefined ? '' : join(dirname(kernel), 'config')
  describe.skipIf(skipLoudly(!existsSync(path), `no ${series} kernel with its configuration in .cache/kernels`))(`the configuration of Linux ${series}`, () => {
    const config = existsSync(path) ? parseConfig(readFileSync(path, 'utf8')) : parseConfig('')

    it('is read whole', () => {
      expect(config.strange).toBe(0)
      expect(config.title).toMatch(new RegExp(`^Linux/arm64 ${series.replace('.', '\\.')}`))
      expect(config.entries.size).toBeGreaterThan(2000)
      expect(config.entries.get('EXPERT')).toMatchObject({ value: 'y', menus: ['General setup'] })
    })

    it('has KVM and EXPERT, neighbours of the option, and not the option itself', () => {
      expect(config.entries.has('PROTECTED_VM_UAPI')).toBe(false)
      const names = kvmMenu(config).map((m) => m.name)
      expect(names.slice(0, 2)).toEqual(['VIRTUALIZATION', 'KVM'])
      expect(names).toContain('PTDUMP_STAGE2_DEBUGFS')
      expect(evaluateOption(PROTECTED_VM_UAPI, 'y', lookupIn(config))).toEqual({ available: true, value: 'y', dependency: 'KVM [=y] && EXPERT [=y]' })
    })
  })
}
