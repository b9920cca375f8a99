import { describe, expect, it } from 'vitest'
import { outputAddress } from '../descriptor.ts'
import { GuestMemory } from '../guest-memory.ts'
import type { AnnotationFormat, InvalidAnnotation } from '../invalid-annotation.ts'
import { forEachLeaf, type TranslationTables } from '../page-table-walk.ts'
import { TableFollower, type TableSink } from './table-follower.ts'

const PAGE = 4096
const BASE = 0x4000_0000
const PAGES = 1024
const ROOT = BASE
/** 39-bit addresses from level 1: one root page. */
const TABLES: TranslationTables = {
  name: 'test',
  stage: 2,
  lpa2: false,
  onePrivilege: false,
  root: ROOT,
  inputBits: 39,
  startLevel: 1,
}

/** Type 3 in bits 63:60 is poison here. */
const annotations = {
  decode: (low: number, high: number): InvalidAnnotation =>
    high >>> 28 === 3 ? { kind: 'poisoned' } : { kind: 'unknown', raw: (BigInt(high) << 32n) | BigInt(low) },
} as unknown as AnnotationFormat

class Recorder implements TableSink {
  readonly maps = new Set<string>()
  readonly poison: string[] = []
  mapped(page: number, handle: number, gfn: number): void {
    const map = `${page} ${handle}/${gfn}`
    if (this.maps.has(map)) throw new Error(`${map} is told twice`)
    this.maps.add(map)
  }
  unmapped(page: number, handle: number, gfn: number): void {
    const map = `${page} ${handle}/${gfn}`
    if (!this.maps.delete(map)) throw new Error(`${map} was not there`)
  }
  donated(): void {}
  poisoned(handle: number, gfn: number): void {
    this.poison.push(`${handle}/${gfn}`)
  }
}

function setUp(): {
  memory: GuestMemory
  sink: Recorder
  watched: Set<number>
  follower: TableFollower
  write(at: number, value: bigint): void
} {
  const memory = new GuestMemory(new Uint8Array(PAGES * PAGE), BASE)
  const view = new DataView(memory.ram.buffer)
  const sink = new Recorder()
  const watched = new Set<number>()
  const watcher = { watch: (p: number) => watched.add(p), unwatch: (p: number) => watched.delete(p) }
  const follower = new TableFollower(memory, annotations, watcher, sink)
  const write = (at: number, value: bigint) => {
    const old = memory.u64(at)
    view.setBigUint64(at - BASE, value, true)
    // As on the machine: stores to pages that nobody watches are not heard of.
    if (watched.has(Math.floor(at / PAGE))) follower.stored(at, old)
  }
  return { memory, sink, watched, follower, write }
}

/** What a walk from the root finds now. */
function walked(memory: GuestMemory): Set<string> {
  const maps = new Set<string>()
  forEachLeaf(memory, TABLES, (input, level, low, high) => {
    if ((low & 1) === 0) return
    const bytes = 2 ** (39 - 9 * level)
    const output = outputAddress(low, high, false)
    for (let at = 0; at < bytes; at += PAGE) {
      const physical = output - (output % bytes) + at
      if (memory.has(physical, PAGE)) maps.add(`${(physical - BASE) / PAGE} 7/${(input + at) / PAGE}`)
    }
  })
  return maps
}

describe('TableFollower', () => {
  it('knows after any sequence of stores what a walk of the tables finds', () => {
    const { memory, sink, watched, follower, write } = setUp()
    follower.follow(TABLES, 7)
    let seed = 2026
    const random = (n: number) => Math.floor(((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32) * n)
    const free = Array.from({ length: 60 }, (_, i) => ROOT + (i + 1) * PAGE)
    /** Linked tables by the place of the entry that links them. */
    const linked = new Map<number, { table: number; level: number; parent: number }>()
    const release = (at: number) => {
      const it = linked.get(at)
      if (it === undefined) return
      for (const [inner, child] of [...linked]) if (child.parent === it.table) release(inner)
      linked.delete(at)
      free.push(it.table)
    }
    for (let step = 0; step < 1500; step++) {
      const all = [{ table: ROOT, level: 1, parent: 0 }, ...linked.values()]
      const it = all[random(all.length)]!
      const at = it.table + random(8) * 8
      const what = random(10)
      release(at)
      if (what < 3 && it.level < 3 && free.length > 0) {
        const table = free.splice(random(free.length), 1)[0]!
        // A page that was a table before may hold anything until it is cleared; some tables are filled before they are linked.
        for (let i = 0; i < 512; i++) write(table + i * 8, 0n)
        if (it.level === 2) write(table + 8 * random(8), BigInt(BASE + (100 + random(800)) * PAGE) | 0x7ffn)
        write(at, BigInt(table) | 3n)
        linked.set(at, { table, level: it.level + 1, parent: it.table })
      } else if (what < 8 && it.level === 3) write(at, BigInt(BASE + (100 + random(800)) * PAGE) | 0x7ffn)
      else if (what < 8 && it.level === 2) write(at, BigInt(BASE + random(2) * 512 * PAGE) | 0x7fdn)
      else write(at, random(2) === 0 ? 0n : 0x1000_0000_0000_0000n)
      if (step % 50 === 49) {
        expect([...sink.maps].sort().join()).toBe([...walked(memory)].sort().join())
        expect(watched.size).toBe(1 + linked.size)
      }
    }
    follower.detach()
    expect(watched.size).toBe(0)
  })

  it('tells poison, and which leaf came last', () => {
    const { sink, follower, write } = setUp()
    follower.follow(TABLES, 7)
    write(ROOT, BigInt(ROOT + PAGE) | 3n)
    write(ROOT + PAGE, BigInt(ROOT + 2 * PAGE) | 3n)
    write(ROOT + 2 * PAGE + 5 * 8, BigInt(BASE + 100 * PAGE) | 0x7ffn)
    expect([...sink.maps]).toEqual(['100 7/5'])
    expect(follower.lastLeaf).toMatchObject({ vm: 7, level: 3, input: 5 * PAGE })
    write(ROOT + 2 * PAGE + 5 * 8, 0x1000_0000_0000_0000n)
    write(ROOT + 2 * PAGE + 5 * 8, 0x3000_0000_0000_0000n)
    expect(sink.poison).toEqual(['7/5'])
    expect(sink.maps.size).toBe(0)
  })

  it('survives tables that name themselves or nothing', () => {
    const { follower, write, watched } = setUp()
    follower.follow(TABLES, 7)
    write(ROOT, BigInt(ROOT) | 3n)
    write(ROOT + 8, 0xffff_ffff_f003n)
    write(ROOT + 16, 0x0000_8000_0000_07fdn)
    write(ROOT, 0n)
    expect([...watched]).toEqual([ROOT / PAGE])
  })
})
