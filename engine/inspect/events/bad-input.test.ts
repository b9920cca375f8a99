import { describe, expect, it } from 'vitest'
import { Slot } from '../../cpu/register-slots.ts'
import { CpuState, Off, RAM_BASE, SYSREG_BASE } from '../../cpu/state.ts'
import { MemoryMap } from '../../machine/memory-map.ts'
import { EventLog, type LoggedMachine } from './event-log.ts'
import { EventRing } from './event-ring.ts'
import type { PageOwnership, RawEvent } from './log-event.ts'
import { changeText, continues, ownershipText } from './ownership-words.ts'
import { smcccResult, smcccText } from './smccc.ts'
import { resultText } from './hypercalls.ts'

const RAM_BYTES = 1024 * 1024

/** As much of a machine as the log looks at. */
function machineWith(): { machine: LoggedMachine; state: CpuState; instructions(n: number): void } {
  const state = new CpuState(new ArrayBuffer(RAM_BASE + RAM_BYTES))
  let instructions = 0
  const watched = new Set<number>()
  const machine = {
    ram: () => state.bytes.subarray(RAM_BASE, RAM_BASE + RAM_BYTES),
    boot: { kernelStart: MemoryMap.ramBase },
    get instructions() {
      return instructions
    },
    cpu: {
      state,
      observer: undefined,
      low: (slot: number) => state.i32[(SYSREG_BASE >> 2) + slot * 2]!,
      mmu: { watch: (p: number) => watched.add(p), unwatch: (p: number) => watched.delete(p), watchedPages: watched },
    },
  } as unknown as LoggedMachine
  return { machine, state, instructions: (n) => (instructions = n) }
}

function hvc(state: CpuState, log: EventLog, x: readonly bigint[], result: bigint): void {
  state.x.set(x)
  state.i32[Off.el >> 2] = 2
  state.u64[(SYSREG_BASE >> 3) + Slot.ESR_EL2] = BigInt(0x16 << 26)
  log.exceptionTaken(1, 2, 0, 0x1004n)
  state.x[0] = 0n
  state.x[1] = result
  state.i32[Off.el >> 2] = 1
  state.pc = 0x1004n
  log.exceptionReturned(2, 1)
}

describe('a kernel that tells nothing', () => {
  it('is logged with numbers, and the log says what it cannot know', () => {
    const { machine, state, instructions } = machineWith()
    const log = new EventLog(machine, new Uint8Array(4096))
    expect(log.limits().join('\n')).toMatch(/addresses instead of names.*kallsyms/)
    expect(log.limits().join('\n')).toMatch(/Hypercalls have numbers/)
    expect(log.limits().join('\n')).toMatch(/ownership and VMs are not seen/)
    expect(log.limits().join('\n')).toMatch(/taint is not watched/)
    instructions(77)
    hvc(state, log, [0xc600_001fn, 5n, 6n], 0xffff_ffff_ffff_ffffn)
    const [event] = log.after(0)
    expect(event).toMatchObject({
      sequence: 1,
      instructions: 77,
      kind: 'hypercall',
      el: 1,
      pc: '0x1000',
      symbol: '0x1000',
    })
    expect(event!.text).toMatch(/^host call 31\(x1 0x5, x2 0x6.*\) = -EPERM$/)
    log.record('gate', 'flipped')
    expect(log.after(1).map((e) => e.text)).toEqual(['flipped'])
    expect(log.history(0x4000_0000)).toEqual([])
    expect(log.total).toBe(2)
  })

  it('cannot break it with registers full of nonsense', () => {
    const { machine, state } = machineWith()
    const log = new EventLog(machine, new Uint8Array(4096))
    let seed = 1
    const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0)
    for (let i = 0; i < 3000; i++) {
      for (let k = 0; k < 31; k++) state.x[k] = BigInt(random()) << BigInt(random() % 33)
      for (const slot of Object.values(Slot))
        state.u64[(SYSREG_BASE >> 3) + slot] = BigInt(random()) << BigInt(random() % 33)
      state.pc = BigInt(random())
      state.i32[Off.el >> 2] = 2
      log.exceptionTaken(random() % 3, 2, (random() % 4) * 0x80, BigInt(random()))
      log.watchedStore(RAM_BASE + (random() % RAM_BYTES), new Uint8Array(8))
      log.firmwareCalled()
      log.firmwareReturned()
      log.exceptionReturned(2, random() % 2)
    }
    expect(log.after(0).length).toBeGreaterThan(1000)
    expect(log.faults).toEqual([])
  })
})

const event = (kind: RawEvent['kind']): RawEvent => ({
  sequence: 0,
  instructions: 0,
  kind,
  el: 1,
  pc: 0n,
  text: kind,
  chain: [],
  details: {},
})

describe('the ring', () => {
  it('keeps the newest, counts what it drops, and keeps changes apart from traffic', () => {
    const ring = new EventRing(4)
    ring.push(event('ownership'))
    for (let i = 0; i < 10; i++) ring.push(event('abort'))
    ring.push(event('vm'))
    expect(ring.dropped).toBe(6)
    expect(ring.after(0).map((e) => e.sequence)).toEqual([1, 8, 9, 10, 11, 12])
    expect(ring.after(9, 2).map((e) => e.sequence)).toEqual([10, 11])
    expect(ring.after(12)).toEqual([])
  })
})

describe('words', () => {
  const state = (host: number, hyp: number, more: Partial<PageOwnership> = {}): PageOwnership => ({
    host,
    hyp,
    donatedTo: null,
    mappedBy: [],
    ...more,
  })
  const page = { handle: 0x1001, gfn: 0x40000 }

  it.each([
    [state(0, 3), state(3, 0), 'donated by the host to the hypervisor'],
    [state(3, 0), state(0, 3), 'given back to the host by the hypervisor'],
    [state(0, 3), state(1, 2), 'shared by the host with the hypervisor'],
    [state(1, 2), state(0, 3), 'no longer shared with the hypervisor'],
    [
      state(0, 3),
      state(3, 3, { donatedTo: page, mappedBy: [{ ...page, state: 0 }] }),
      'donated by the host to VM 0x1001 gfn 0x40000',
    ],
    [state(3, 3, { donatedTo: page }), state(0, 3), 'taken back by the host from VM 0x1001 gfn 0x40000'],
    [state(0, 3), state(1, 3, { mappedBy: [{ ...page, state: 2 }] }), 'shared by the host with VM 0x1001 gfn 0x40000'],
  ] as const)('%#', (before, after, words) => {
    expect(changeText(before, after)).toBe(words)
    expect(ownershipText(after)).toMatch(/^host \w+, hyp \w+/)
  })

  it('joins pages that follow each other in RAM and in the VM', () => {
    const a = state(3, 3, { donatedTo: page })
    expect(continues(a, state(3, 3, { donatedTo: { ...page, gfn: 0x40002 } }), 2)).toBe(true)
    expect(continues(a, state(3, 3, { donatedTo: { ...page, gfn: 0x40002 } }), 1)).toBe(false)
    expect(continues(a, state(3, 3), 1)).toBe(false)
  })

  it('names calls of the SMC convention', () => {
    const x = (...v: number[]) => [...v, 0, 0, 0, 0, 0, 0].slice(0, 6).map(BigInt)
    expect(smcccText(x(0x84000000))).toBe('PSCI_VERSION()')
    expect(smcccText(x(0xc4000003, 1, 0x80000))).toBe('CPU_ON(target_cpu 0x1, entry_point 0x80000, context_id 0x0)')
    expect(smcccText(x(0xc6000003, 0x40002000))).toContain('MEM_SHARE(ipa 0x40002000')
    expect(smcccText(x(0x12345678))).toContain('function 0x12345678')
    expect(smcccResult(0xffff_ffffn)).toBe('NOT_SUPPORTED')
    expect(resultText(0xffff_ffff_ffff_fff4n)).toBe('-ENOMEM')
    expect(resultText(0x1000n)).toBe('0x1000')
  })
})
