import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import type { OwnershipFrame, PageDetail } from '../../engine/worker/inspection-protocol.ts'
import { hexRow } from './page-contents.tsx'
import { ownerHue, PageView } from './page-view.tsx'
import { VmRows } from './vm-table.tsx'

/** A page given to a protected VM. */
const donated: PageDetail = {
  physical: 0x43ca3000,
  pfn: 0x43ca3,
  host: { known: true, value: { state: 3, words: 'the host has no access' } },
  hyp: { known: true, value: { state: 3, words: 'the hypervisor does not map it' } },
  owner: 'VM 0x1001, gfn 0x40000',
  record: {
    known: true,
    value: {
      raw: '0x0000000003000000',
      address: 0x5f61e518,
      fields: [
        { name: 'host_share_guest_count', bits: '63:32', value: '0' },
        { name: '__host_state', bits: '27:24', value: '3' },
      ],
    },
  },
  hostWalk: {
    known: true,
    value: {
      steps: [
        {
          regime: 'stage 2 of the host',
          level: 3,
          tableAddress: 0x5fa3d000,
          index: 163,
          entryAddress: 0x5fa3d518,
          entry: '0x2000004000010014',
          kind: 'invalid',
          fields: [{ name: 'handle', value: '0x1001', meaning: 'which VM' }],
        },
      ],
      result: 'donated to VM 0x1001 at gfn 0x40000',
    },
  },
  guests: [{ handle: 0x1001, gfn: 0x40000, walk: { known: false, why: 'the VM is gone' } }],
  symbol: null,
  region: 'VM 0x1001 RAM',
  contents: new Uint8Array(4096),
  code: [],
  history: [
    {
      sequence: 7,
      instructions: 1_041_870_112,
      kind: 'ownership',
      el: 2,
      pc: '0x43a1000',
      symbol: '__kvm_nvhe___pkvm_host_donate_guest',
      text: 'host gives the page to VM 0x1001',
      callChain: [
        'stage2_make_pte+0x44 (EL2)',
        '__pkvm_host_donate_guest+0x184 (EL2)',
        'handle_trap+0x15c (EL2)',
        'kvm_handle_guest_abort+0xa00',
        '__arm64_sys_ioctl+0xac',
        'el0t_64_sync+0x194',
        '0x400a7c (EL0)',
      ],
      details: { gfn: '0x40000', task: 'init[1]' },
    },
  ],
}

describe('PageView', () => {
  it('shows the pair, the annotation with handle and gfn, and who did it', () => {
    const markup = renderToStaticMarkup(createElement(PageView, { detail: donated }))
    for (const text of [
      'NOPAGE',
      'VM 0x1001, gfn 0x40000',
      '0x0000000003000000',
      '27:24',
      'L3[163]',
      '0x2000004000010014',
      '1,041,870,112',
      '__pkvm_host_donate_guest ← kvm_handle_guest_abort ← __arm64_sys_ioctl ← init[1]',
      'the VM is gone',
    ]) {
      expect(markup.replaceAll('<!-- -->', '')).toContain(text)
    }
    expect(markup).not.toContain('undefined')
  })

  it('says why something cannot be known, once', () => {
    const why = 'this kernel has no BTF'
    const detail: PageDetail = { ...donated, host: { known: false, why }, hyp: { known: false, why }, record: { known: false, why }, hostWalk: { known: false, why }, history: [], guests: [] }
    const markup = renderToStaticMarkup(createElement(PageView, { detail }))
    expect(markup.split(why).length - 1).toBe(1)
    expect(markup).toContain('No change of this page')
  })
})

describe('VmRows', () => {
  it('lists the hypervisor’s table', () => {
    const frame = {
      ramBase: 0x40000000,
      guest: [{ page: 5, handle: 0x1001, gfn: 0x40000, borrowed: false }],
      vms: [
        { handle: 0x1000, protected: false, state: 'live', vcpus: [], pagesOwned: 0, pagesShared: 0, pagesBorrowed: 4, pagesPoisoned: 0 },
        { handle: 0x1001, protected: true, state: 'live', vcpus: [{ index: 0, loaded: true, pc: '0x40000000' }], pagesOwned: 3, pagesShared: 1, pagesBorrowed: 0, pagesPoisoned: 0 },
      ],
    } as unknown as OwnershipFrame
    const markup = renderToStaticMarkup(createElement(VmRows, { frame })).replaceAll('<!-- -->', '')
    expect(markup).toContain('0x1000')
    expect(markup).toContain('0: loaded')
    expect(markup).toContain('none yet')
  })
})

describe('words', () => {
  it('dumps a row', () => {
    const bytes = new Uint8Array(4096)
    bytes.set([0x41, 0x7f, 0x20, 0xff], 0x1a0)
    expect(hexRow(bytes, 0x1a0, 8)).toEqual({ offset: '1a0', bytes: '41 7f 20 ff 00 00 00 00', text: 'A· ·····' })
    expect(hexRow(bytes, 0, 16).bytes).toBe('00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00')
  })

  it('takes the hue of the owner', () => {
    expect(['host', 'hypervisor', 'VM 0x1001', 'unknown'].map(ownerHue)).toEqual(['host', 'hyp', 'vm', 'none'])
  })
})
