import { describe, expect, it } from 'vitest'
import type { OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import { CELLS_WHEN_OPEN, foldKey, layOut, pageAt, partsOf, pieceOf, sizeLabel, step } from './folding.ts'
import { guestRuns, matches, regionCuts, runsOf } from './runs.ts'

const BASE = 0x4000_0000

function frame(pages: number, change: (f: OwnershipFrame) => void = () => {}): OwnershipFrame {
  const made: OwnershipFrame = {
    type: 'ownership',
    instructions: 1,
    ramBase: BASE,
    pages,
    why: null,
    host: new Uint8Array(pages),
    hyp: new Uint8Array(pages).fill(3),
    owner: new Uint8Array(pages),
    guest: [],
    vms: [],
    regions: [],
    conflicts: [],
  }
  change(made)
  return made
}

const donate = (f: OwnershipFrame, page: number, handle: number, gfn: number) => {
  f.host[page] = 3
  f.owner[page] = 2
  f.guest.push({ page, handle, gfn, borrowed: false })
}

describe('runs', () => {
  it('a plain machine is one run', () => {
    expect(runsOf(frame(1000)).map(run => [run.start, run.count])).toEqual([[0, 1000]])
  })

  it('covers every page once, in order, whatever the states', () => {
    const f = frame(5000, made => {
      for (let i = 0; i < 5000; i++) {
        const r = (i * 2654435761) >>> 0
        if (r % 7 === 0) {
          made.host[i] = 3
          made.hyp[i] = 0
          made.owner[i] = 1
        } else if (r % 31 === 0) donate(made, i, 0x1001, i)
      }
      made.regions.push({ name: 'initrd', physical: BASE + 100 * 4096, bytes: 9000 })
    })
    let next = 0
    for (const run of runsOf(f)) {
      expect(run.start).toBe(next)
      next += run.count
    }
    expect(next).toBe(5000)
  })

  it('cuts at states, guests and regions', () => {
    const f = frame(100, made => {
      donate(made, 10, 0x1000, 5)
      donate(made, 11, 0x1001, 5)
      made.guest.push({ page: 20, handle: 0x1000, gfn: 7, borrowed: true })
      made.regions.push({ name: 'outer', physical: BASE + 40 * 4096, bytes: 20 * 4096 })
      made.regions.push({ name: 'inner', physical: BASE + 50 * 4096, bytes: 4096 })
    })
    expect(runsOf(f).map(run => [run.start, run.count, run.region, run.guest?.handle ?? 0])).toEqual([
      [0, 10, '', 0],
      [10, 1, '', 0x1000],
      [11, 1, '', 0x1001],
      [12, 8, '', 0],
      [20, 1, '', 0x1000],
      [21, 19, '', 0],
      [40, 10, 'outer', 0],
      [50, 1, 'inner', 0],
      [51, 9, 'outer', 0],
      [60, 40, '', 0],
    ])
  })

  it('names each page by the smallest region, outside RAM ignored', () => {
    const cuts = regionCuts(
      [
        { name: 'a', physical: BASE - 4096, bytes: 3 * 4096 },
        { name: 'b', physical: BASE + 4096, bytes: 4096 },
        { name: 'c', physical: BASE + 100 * 4096, bytes: 4096 },
      ],
      BASE,
      10,
    )
    expect(cuts).toEqual({ at: [0, 1, 2], names: ['a', 'b', ''] })
  })

  it('shows a guest its own addresses, with holes', () => {
    const f = frame(100, made => {
      donate(made, 30, 0x1001, 0x40000)
      donate(made, 31, 0x1001, 0x40001)
      donate(made, 7, 0x1001, 0x40200)
      donate(made, 8, 0x1000, 0x40000)
    })
    expect(guestRuns(f, 0x1001).map(run => [run.start, run.count, run.page])).toEqual([
      [0x40000, 2, 30],
      [0x40002, 0x1fe, null],
      [0x40200, 1, 7],
    ])
  })

  it('filters', () => {
    const runs = runsOf(frame(50, made => donate(made, 10, 0x1001, 5)))
    expect(runs.map(run => matches(run, 'vm:0x1001'))).toEqual([false, true, false])
    expect(runs.map(run => matches(run, 'state:host'))).toEqual([true, false, true])
    expect(runs.every(run => matches(run, 'all'))).toBe(true)
  })
})

describe('folding', () => {
  const metrics = { width: 400, cell: 9, gap: 3, shortRun: 32 }
  const none: ReadonlySet<string> = new Set()

  it('folds long runs and shows short ones page by page', () => {
    expect(partsOf({ start: 0, count: 32 }, none, 32).map(part => part.kind)).toEqual(['cells'])
    expect(partsOf({ start: 0, count: 33 }, none, 32).map(part => part.kind)).toEqual(['fold'])
    expect(partsOf({ start: 5, count: 200 }, new Set([foldKey(5, 200)]), 32)).toEqual([{ kind: 'cells', start: 5, count: 200 }])
  })

  it('opens a huge fold into smaller ones that cover it, at round addresses', () => {
    const run = { start: 12_345, count: 112_928 }
    const parts = partsOf(run, new Set([foldKey(run.start, run.count)]), 32)
    expect(parts.length).toBeLessThan(20)
    expect(parts.reduce((sum, part) => sum + part.count, 0)).toBe(run.count)
    for (const part of parts.slice(1)) expect(part.start % CELLS_WHEN_OPEN).toBe(0)
  })

  it('lays pieces out in rows that hold every page, in width', () => {
    const f = frame(131_072, made => {
      for (const [start, count] of [[4829, 27], [8331, 8], [10_284, 3], [128_512, 2048]] as const) {
        made.host.fill(3, start, start + count)
        made.hyp.fill(0, start, start + count)
        made.owner.fill(1, start, start + count)
      }
    })
    const rows = layOut(runsOf(f), new Set([foldKey(128_512, 2048)]), metrics)
    let next = 0
    for (const row of rows) {
      expect(row.start).toBe(next)
      for (const piece of row.pieces) {
        expect(piece.start).toBe(next)
        expect(piece.x + piece.width).toBeLessThanOrEqual(metrics.width)
        next += piece.count
      }
    }
    expect(next).toBe(131_072)
  })

  it('finds pages under points and points under pages', () => {
    const rows = layOut(runsOf(frame(2000, made => donate(made, 100, 0x1001, 1))), none, metrics)
    const at = pieceOf(rows, 100)
    expect(at?.piece.count).toBe(1)
    const row = rows[at?.row ?? 0]
    expect(row && at && pageAt(row, at.piece.x + 1, metrics.cell)?.page).toBe(100)
    expect(pieceOf(rows, 2000)).toBeNull()
  })

  it('the cursor visits every stop to the right and back', () => {
    const f = frame(600, made => {
      donate(made, 100, 0x1001, 1)
      donate(made, 101, 0x1001, 2)
      made.regions.push({ name: 'r', physical: BASE + 300 * 4096, bytes: 10 * 4096 })
    })
    const rows = layOut(runsOf(f), none, { ...metrics, width: 120 })
    const stops = [0]
    for (let at = step(rows, 0, 'right', 9); at !== null; at = step(rows, at, 'right', 9)) stops.push(at)
    expect(stops).toEqual([0, 100, 101, 102, 300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310])
    const back = [310]
    for (let at = step(rows, 310, 'left', 9); at !== null; at = step(rows, at, 'left', 9)) back.push(at)
    expect(back).toEqual(stops.toReversed())
    expect(step(rows, 0, 'up', 9)).toBeNull()
    expect(step(rows, 0, 'down', 9)).not.toBeNull()
  })

  it('tells sizes', () => {
    expect([5, 999, 1024, 2048, 112_928].map(sizeLabel)).toEqual(['5', '999', '4.0 MB', '8.0 MB', '441 MB'])
  })
})
