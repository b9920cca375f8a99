import { describe, expect, it } from 'vitest'
import { readShelf } from './curriculum.ts'
import { hashOf, parseHash } from './address.ts'
import { highlight, Notes, renderProse } from './prose.ts'

describe('addresses', () => {
  it('are read and written', () => {
    expect(parseHash('#/lesson/who-runs-at-el2/guest')).toEqual({ to: 'lesson', id: 'who-runs-at-el2', step: 'guest' })
    expect(parseHash('#/lesson/who-runs-at-el2')).toEqual({ to: 'lesson', id: 'who-runs-at-el2', step: '' })
    expect(parseHash('#/lessons')).toEqual({ to: 'list' })
    expect(parseHash('#/lesson/')).toEqual({ to: 'list' })
    expect(hashOf('a', 'b')).toBe('#/lesson/a/b')
    expect(hashOf(null, '')).toBe('#/lessons')
  })

  it('leave other hashes alone, and survive bad ones', () => {
    expect(parseHash('')).toBeNull()
    expect(parseHash('#lesson')).toBeNull()
    expect(parseHash('#/map')).toBeNull()
    expect(parseHash('#/lesson/%E0%A4%A')).toMatchObject({ to: 'lesson' })
  })
})

describe('prose', () => {
  it('shows raw HTML as text, in every place', () => {
    for (const text of ['<img src=x onerror=alert(1)>', 'a <b onclick="x">b</b>', '<script>alert(1)</script>', '[x](javascript:alert(1))', '![x](data:text/html,y)', '```ts\n</code><script>\n```']) {
      const html = renderProse(text)
      expect(html).not.toMatch(/<(?:img|script|b onclick)|href="javascript|<[^>]* src=/)
    }
  })

  it('numbers citations, the same ones alike', () => {
    const notes = new Notes()
    const html = renderProse('A [kvm_arm_init, 7.2.13, 7.3.4]. B [init_el2, 7.3.4],\n[kvm_arm_init, 7.2.13, 7.3.4].', notes)
    expect(notes.all.map(note => note.symbol)).toEqual(['kvm_arm_init', 'init_el2'])
    expect([...html.matchAll(/<sup[^>]*>(\d)<\/sup>/g)].map(match => match[1])).toEqual(['1', '2', '1'])
    expect(html).toContain('title="kvm_arm_init, seen in 7.2.13, 7.3.4"')
    expect(html).not.toContain('[')
  })

  it('marks links that act, and those that cannot', () => {
    expect(renderProse('[run](lab:run)')).toContain('data-lab="lab:run"')
    expect(renderProse('[x](lab:nothing)')).toContain('dead-link')
  })

  it('sets comments and mnemonics apart without losing a character', () => {
    const html = highlight('1:      mrs x1, CurrentEL // <- "level"', 's')
    expect(html).toContain('<b>mrs</b>')
    expect(html.replace(/<[^>]*>/g, '').replaceAll('&lt;', '<').replaceAll('&quot;', '"')).toBe('1:      mrs x1, CurrentEL // <- "level"')
  })
})

it('a folder with problems is told of in sentences, and the others are read', () => {
  const { lessons, broken } = readShelf([{ name: '02-broken', texts: {}, checks: undefined }, { name: 'no name', texts: { 'lesson.md': 'text' }, checks: new Error('x') }], {})
  expect(lessons).toEqual([])
  expect(broken.join('\n')).toContain('02-broken/lesson.md: is missing.')
  expect(broken.join('\n')).toContain('no name/lesson.md')
})
