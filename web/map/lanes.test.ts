import { describe, expect, it } from 'vitest'
import { laneFills, movesBetween } from './lanes.ts'
import type { Run } from './runs.ts'

const snapshot = (pages: number) => ({
  pages,
  why: null as string | null,
  host: new Uint8Array(pages),
  hyp: new Uint8Array(pages).fill(3),
  owner: new Uint8Array(pages),
  guest: [] as { page: number; borrowed: boolean }[],
})

const run = (change: Partial<Run>): Run => ({ start: 0, count: 1, host: 0, hyp: 3, owner: 0, guest: null, region: '', page: 0, ...change })

describe('lanes', () => {
  it('solid is owned, hatched is borrowed, a gap is no right', () => {
    const fills = (change: Partial<Run>) => laneFills(run(change), handle => handle === 0x1001).map(({ fill, hue }) => `${fill} ${hue}`)
    expect(fills({})).toEqual(['solid host', 'none hyp', 'none vm'])
    expect(fills({ host: 1, hyp: 2 })).toEqual(['solid host', 'hatch hyp', 'none vm'])
    expect(fills({ host: 3, owner: 2, guest: { handle: 0x1001, gfn: 1, borrowed: false } })).toEqual(['none host', 'none hyp', 'solid vm'])
    expect(fills({ host: 1, guest: { handle: 0x1000, gfn: 1, borrowed: true } })).toEqual(['solid host', 'none hyp', 'hatch nvm'])
    expect(fills({ host: 4, hyp: 4, owner: 3 })).toEqual(['unknown host', 'unknown hyp', 'none vm'])
  })
})

describe('moves', () => {
  it('a donation goes from the owner down, a reclaim back up', () => {
    const before = snapshot(10)
    const after = snapshot(10)
    after.host[4] = 3
    after.owner[4] = 2
    after.guest.push({ page: 4, borrowed: false })
    expect(movesBetween(before, after)).toEqual([{ page: 4, from: 0, to: 2 }])
    expect(movesBetween(after, before)).toEqual([{ page: 4, from: 2, to: 0 }])
  })

  it('a share leaves a twin in the borrower’s lane', () => {
    const before = snapshot(10)
    const after = snapshot(10)
    after.host[2] = 1
    after.hyp[2] = 2
    expect(movesBetween(before, after)).toEqual([{ page: 2, from: 0, to: 1 }])
  })

  it('a beginning is not a move', () => {
    expect(movesBetween(null, snapshot(10))).toEqual([])
    expect(movesBetween({ ...snapshot(10), why: 'off' }, snapshot(10))).toEqual([])
    const after = snapshot(9000)
    after.host.fill(3)
    after.hyp.fill(0)
    after.owner.fill(1)
    expect(movesBetween(snapshot(9000), after)).toEqual([])
  })
})
