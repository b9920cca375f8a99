import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Kallsyms, KallsymsError } from './kallsyms.ts'
import { kallsymsTables, random, type SyntheticSymbol } from './synthetic-image.test-double.ts'

const PREFIX = 0x4000

const symbols: SyntheticSymbol[] = Array.from({ length: 700 }, (_, i) => ({
  name:
    i === 0
      ? '_text'
      : i === 699
        ? '_end'
        : i === 300
          ? `long_${'x'.repeat(150)}`
          : i % 5 === 0
            ? `__kvm_nvhe_hyp_${i}`
            : `function_${i}`,
  type: i % 3 === 0 ? 'T' : 'd',
  offset: i * 64,
}))

function imageWith(tables: Uint8Array): Uint8Array {
  const image = new Uint8Array(PREFIX + tables.length + 0x1000)
  const next = random(42)
  for (let i = 0; i < PREFIX; i++) image[i] = next()
  // A number before the tables that is not a count of symbols.
  image.fill(0, PREFIX - 64, PREFIX)
  image.set(tables, PREFIX)
  return image
}

describe('kallsyms', () => {
  const sound = imageWith(kallsymsTables(symbols, PREFIX))

  it('finds every symbol where it is, without being told where to look', () => {
    const k = Kallsyms.parse(sound)
    expect(k.symbols.length).toBe(symbols.length)
    expect(k.symbols.map((s) => s.name)).toEqual(symbols.map((s) => s.name))
    expect(k.find('__kvm_nvhe_hyp_15')).toEqual({ name: '__kvm_nvhe_hyp_15', type: 'T', offset: 15 * 64 })
    expect(k.find(`long_${'x'.repeat(150)}`)?.offset).toBe(300 * 64)
    expect(k.at(63)?.name).toBe('_text')
    expect(k.at(64)?.name).toBe('function_1')
    expect(k.at(-1)).toBeUndefined()
    expect(k.find('nothing')).toBeUndefined()
  })

  it('says when there is no table', () => {
    expect(() => Kallsyms.parse(new Uint8Array(0))).toThrow(KallsymsError)
    expect(() => Kallsyms.parse(sound.slice(0, PREFIX))).toThrow(KallsymsError)
  })

  it('answers damage with a KallsymsError or with symbols, never otherwise', () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const next = random(seed * 104729)
      let bytes = sound.slice()
      for (let n = next() % 6; n >= 0; n--) bytes[PREFIX + (next() % (bytes.length - PREFIX))] = next()
      if (next() % 4 === 0) bytes = bytes.slice(0, next() % bytes.length)
      try {
        const k = Kallsyms.parse(bytes)
        k.at(next())
      } catch (e) {
        expect(e).toBeInstanceOf(KallsymsError)
      }
    }
  })
})

const kernels = fileURLToPath(new URL('../../.cache/kernels', import.meta.url))
const versions = existsSync(kernels) ? readdirSync(kernels).filter((v) => existsSync(join(kernels, v, 'Image'))) : []
if (versions.length === 0) console.warn('SKIPPED: no kernels in .cache/kernels (npx pkvm-lab kernel fetch)')

describe.each(versions)('the Image of %s', (version) => {
  const image = new Uint8Array(readFileSync(join(kernels, version, 'Image')))

  it('has its symbols', () => {
    const k = Kallsyms.parse(image)
    expect(k.symbols.length).toBeGreaterThan(100_000)
    expect(k.find('_text')?.offset).toBe(0)
    for (const name of [
      '__kvm_nvhe___hyp_vmemmap',
      '__kvm_nvhe_hyp_physvirt_offset',
      '__kvm_nvhe_vm_table',
      'tainted_mask',
    ]) {
      expect(k.find(name), name).toBeDefined()
    }
  })

  it('with damage in its tables says so or still reads', () => {
    const k = Kallsyms.parse(image)
    const next = random(7)
    // The tables end with the last symbol's offset word; damage falls anywhere in the megabytes before it.
    const text = k.find('__start_rodata')?.offset ?? 0
    for (let i = 0; i < 6; i++) {
      const bytes = image.slice()
      for (let n = 0; n < 4000; n++) bytes[text + (next() % (bytes.length - text))] = next()
      try {
        Kallsyms.parse(bytes)
      } catch (e) {
        expect(e).toBeInstanceOf(KallsymsError)
      }
    }
  })
})
