import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configure, KconfigError, parseKconfig, readWishes } from './kconfig-menu.ts'

const MINI = readFileSync(new URL('../../lessons/mini-pkvm/Kconfig', import.meta.url), 'utf8')

function value(text: string, wishes: Record<string, 'y' | 'n' | 'm'>, name: string) {
  const it = configure(parseKconfig(text), wishes).get(name)!
  return { value: it.value, settable: it.settable, dependency: it.dependency }
}

describe("mini-pKVM's Kconfig", () => {
  it('has its options in their menus', () => {
    const menu = parseKconfig(MINI)
    expect([...menu.options.keys()]).toEqual(['EXPERT', 'KVM', 'PROTECTED_VM_UAPI', 'LOCK_CONTENTION'])
    expect(menu.items.map((i) => (i.kind === 'menu' ? i.title : i.kind))).toEqual(['General setup', 'Virtualization'])
    const option = menu.options.get('PROTECTED_VM_UAPI')!
    expect(option.prompt).toBe('Programs may create protected virtual machines')
    expect(option.help.split('\n\n')).toHaveLength(3)
    expect(option.help).not.toMatch(/ {2}/)
  })

  it('lets the option be set with EXPERT only', () => {
    const wish = { PROTECTED_VM_UAPI: 'y', EXPERT: 'y' } as const
    expect(value(MINI, wish, 'PROTECTED_VM_UAPI')).toMatchObject({ value: 'y', settable: true })
    const without = value(MINI, { ...wish, EXPERT: 'n' }, 'PROTECTED_VM_UAPI')
    expect(without).toEqual({ value: 'n', settable: false, dependency: 'KVM [=y] && EXPERT [=n]' })
    expect(value(MINI, { ...wish, KVM: 'n' }, 'PROTECTED_VM_UAPI').value).toBe('n')
    expect(value(MINI, { EXPERT: 'y' }, 'PROTECTED_VM_UAPI').value).toBe('n')
  })

  it('is set up by its defconfig so that protected VMs can be made', () => {
    const text = readFileSync(new URL('../../lessons/mini-pkvm/defconfig', import.meta.url), 'utf8')
    const options = configure(parseKconfig(MINI), readWishes(text))
    expect([...options.values()].map((o) => o.value)).toEqual(['y', 'y', 'y', 'n'])
  })
})

describe('the language', () => {
  it('takes the first default that holds, and a wish only where there is a prompt', () => {
    const text = 'config A\n\tbool "a"\nconfig B\n\tbool\n\tdefault y if A\n\tdefault n\nconfig C\n\tdef_bool !A\n'
    const values = (a: 'y' | 'n') => [...configure(parseKconfig(text), { A: a, B: 'y', C: 'n' }).values()].map((o) => o.value)
    expect(values('y')).toEqual(['y', 'y', 'n'])
    expect(values('n')).toEqual(['n', 'n', 'y'])
  })

  it('knows options that stand further down, tristates, conditional prompts, continued lines', () => {
    const text = 'config A\n\ttristate "a" if \\\n\t\tB # remark\n\tdefault m\n\tdepends on B\nconfig B\n\tbool "b # not a remark"\n\tdefault y\n'
    expect(value(text, { A: 'y' }, 'A').value).toBe('y')
    expect(value(text, {}, 'A').value).toBe('m')
    expect(value(text, { B: 'n', A: 'y' }, 'A')).toMatchObject({ value: 'n', settable: false })
    expect(parseKconfig(text).options.get('B')!.prompt).toBe('b # not a remark')
  })

  it('ends for options that depend on each other in a circle', () => {
    expect(value('config A\n\tdef_bool !B\nconfig B\n\tdef_bool A\n', {}, 'A').value).toMatch(/[yn]/)
  })

  it.each([
    ['config A\n\tbool "a\n', 2, /text in quotes/],
    ['config A\n\tbool "a"\nconfig A\n\tbool\n', 3, /already defined in line 1/],
    ['config A\n\thelp\n\t  x\n', 1, /no type/],
    ['config\n', 1, /name of an option/],
    ['menu "m"\nconfig A\n\tbool\n', 1, /no endmenu/],
    ['endif\n', 1, /endif without its if/],
    ['if A\nendmenu\n', 2, /the if of line 1 is open/],
    ['config A\n\tbool\n\tdepends on B &&\n', 3, /should be/],
    ['config A\n\tbool\n\tdepends B\n', 3, /goes on with 'on'/],
    ['config A\n\tbool\n\tselect B\n', 3, /'select' .* not known to this lab/],
    ['\tbool "x"\n', 1, /belongs to a config/],
    ['config A\n\tbool\n\tdefault\n', 3, /needs a value/],
    ['confg A\n', 1, /'confg' is not a statement/],
  ])('says in which line %j is wrong', (text, line, message) => {
    try {
      parseKconfig(text)
    } catch (e) {
      expect(e).toBeInstanceOf(KconfigError)
      expect((e as KconfigError).message).toMatch(message)
      expect((e as KconfigError).line).toBe(line)
      return
    }
    expect.unreachable()
  })
})
