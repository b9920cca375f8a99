import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { buildDeviceTree, deviceTreeBlob } from './device-tree.ts'
import { FdtError, type FdtNode, fdtNode, readFdt, writeFdt } from './fdt.ts'

const MIB = 1024 * 1024
const OPTIONS = {
  ramBytes: 512 * MIB,
  bootargs: 'console=ttyAMA0 kvm-arm.mode=protected',
  initrd: { start: 0x48000000, end: 0x48012345 },
  rngSeed: new Uint8Array([1, 2, 3, 4, 5, 6, 7]),
}

function child(node: FdtNode, name: string): FdtNode {
  const found = node.children.find((c) => c.name === name)
  if (found === undefined) throw new Error(`no node ${name}`)
  return found
}

function text(node: FdtNode, property: string): string[] {
  return new TextDecoder().decode(node.properties.get(property)).split('\0').slice(0, -1)
}

function cells(node: FdtNode, property: string): number[] {
  const value = node.properties.get(property)!
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  return Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i))
}

describe('flattened device tree', () => {
  it('round trip', () => {
    const tree = buildDeviceTree(OPTIONS)
    expect(readFdt(writeFdt(tree))).toEqual(tree)
    const odd = fdtNode('', { a: true, bc: [], d: 'x', e: ['', 'yz'], f: new Uint8Array([1, 2, 3]) }, [
      fdtNode('n@0', {}, [fdtNode('deep', { a: [0xffffffff] })]),
    ])
    expect(readFdt(writeFdt(odd))).toEqual(odd)
  })

  it('describes the board', () => {
    const tree = readFdt(deviceTreeBlob(OPTIONS))
    const chosen = child(tree, 'chosen')
    expect(text(chosen, 'bootargs')).toEqual([OPTIONS.bootargs])
    expect(text(chosen, 'stdout-path')).toEqual(['/pl011@9000000'])
    expect(cells(chosen, 'linux,initrd-end')).toEqual([0, 0x48012345])
    expect(chosen.properties.has('kaslr-seed')).toBe(false)
    expect(cells(child(tree, 'memory@40000000'), 'reg')).toEqual([0, 0x40000000, 0, 0x20000000])
    expect(cells(child(tree, 'timer'), 'interrupts')).toEqual([1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4])
    const gic = child(tree, 'intc@8000000')
    expect(text(gic, 'compatible')).toEqual(['arm,gic-v3'])
    expect(cells(gic, 'interrupts')).toEqual([1, 9, 4])
    expect(gic.children).toEqual([]) // no ITS
    expect(text(child(tree, 'psci'), 'method')).toEqual(['smc'])
    expect(cells(child(tree, 'pl011@9040000'), 'interrupts')).toEqual([0, 8, 4])
    expect(cells(tree, 'interrupt-parent')).toEqual(cells(gic, 'phandle'))
  })

  const dtc = spawnSync('dtc', ['--version']).status === 0
  it.skipIf(!dtc)('dtc reads it without a complaint about its form (skipped without dtc)', () => {
    const out = execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts'], { input: deviceTreeBlob(OPTIONS) }).toString()
    expect(out).toContain('pl011@9000000')
    expect(out).toContain('bootargs = "console=ttyAMA0 kvm-arm.mode=protected"')
  })

  it('says what is wrong with a blob', () => {
    const good = deviceTreeBlob(OPTIONS)
    const damage = (change: (b: Uint8Array, v: DataView) => void): Uint8Array => {
      const copy = good.slice()
      change(copy, new DataView(copy.buffer))
      return copy
    }
    expect(() => readFdt(new Uint8Array(10))).toThrow(/shorter/)
    expect(() => readFdt(damage((b) => void (b[0] = 0)))).toThrow(/d00dfeed/)
    expect(() => readFdt(good.subarray(0, good.length - 100))).toThrow(/truncated/)
    expect(() => readFdt(damage((_, v) => v.setUint32(20, 1)))).toThrow(/version/)
    expect(() => readFdt(damage((_, v) => v.setUint32(8, 0x7ffffff0)))).toThrow(/outside/)
    expect(() => readFdt(damage((_, v) => v.setUint32(56, 9)))).toThrow(/does not begin with a node/)
  })

  it('a damaged blob gives a tree or an FdtError, never anything else', () => {
    const good = deviceTreeBlob(OPTIONS)
    let seed = 12345
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed % n
    }
    for (let i = 0; i < 3000; i++) {
      const copy = good.slice()
      for (let k = random(4); k >= 0; k--) copy[random(copy.length)] = random(256)
      try {
        readFdt(copy)
      } catch (e) {
        expect(e).toBeInstanceOf(FdtError)
      }
    }
  })
})
