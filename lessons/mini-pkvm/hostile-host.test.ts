/**
 * Ten thousand sequences of hypercalls from a hostile host, with the lab's rules asked after every one of them. Nothing
 * may break a rule, hang the hypervisor or bring it down.
 */
import { describe, expect, it } from 'vitest'
import { EventLog } from '../../engine/inspect/events/event-log.ts'
import { InvariantChecker } from '../../engine/inspect/invariants/checker.ts'
import { checkEveryPage } from '../../engine/inspect/invariants/full-check.ts'
import { hostileHost, POOL, POOL_BYTES, random, sources } from './hostile-host.test-double.ts'
import { HypRig } from './hyp-host.test-double.ts'

/** Each machine takes so many sequences one after another: what one leaves behind the next one meets. */
const MACHINES = 20
const SEQUENCES = 500
/** Sequences between readings of every page; the pages that a call changed are asked after each call. */
const FULL_CHECK = 25

describe('a hostile host', () => {
  it('finds nothing in 10,000 sequences of hypercalls', () => {
    const succeeded = new Map<string, number>()
    let stays = 0
    for (let seed = 1; seed <= MACHINES; seed++) {
      const rig = new HypRig(sources)
      const { kernel } = rig.inspector
      const log = new EventLog(rig.machine, kernel)
      const checker = new InvariantChecker(rig.machine, kernel)
      log.checker = checker
      expect(rig.call('__pkvm_init', POOL, POOL_BYTES)).toBe(0)
      expect(rig.call('__pkvm_prot_finalize')).toBe(0)
      const next = random(seed)
      const steps = hostileHost(rig, next)
      for (let sequence = 0; sequence < SEQUENCES; sequence++) {
        for (let left = 3 + next(6); left > 0; left--) {
          const step = steps.next().value
          const { x0, x1 } = rig.step(step)
          if (!('call' in step) || x0 !== 0n || x1 >= 0x10000n) continue
          const name = rig.callName(step.call)
          succeeded.set(name, (succeeded.get(name) ?? 0) + 1)
        }
        if (sequence % FULL_CHECK === FULL_CHECK - 1) expect(checkEveryPage(kernel)).toEqual([])
      }
      expect(checker.violations).toEqual([])
      const map = rig.inspector.ownership()
      expect(map.known ? map.value.conflicts : map.why).toEqual([])
      stays += checker.stays
    }
    expect(stays).toBeGreaterThan(MACHINES * SEQUENCES)
    // Nothing is shown by calls that are all refused.
    expect(AT_LEAST.filter(([name, count]) => (succeeded.get(name) ?? 0) < count).map(([name]) => [name, succeeded.get(name)])).toEqual([])
  })
})

/** How often each call at least succeeds on the way. */
const AT_LEAST: readonly (readonly [string, number])[] = [
  ['__kvm_vcpu_run', 100],
  ['__pkvm_host_share_hyp', 100],
  ['__pkvm_host_unshare_hyp', 40],
  ['__pkvm_host_donate_guest', 20],
  ['__pkvm_host_share_guest', 20],
  ['__pkvm_host_unshare_guest', 10],
  ['__pkvm_init_vm', 30],
  ['__pkvm_init_vcpu', 30],
  ['__pkvm_force_reclaim_guest_page', 10],
  ['__pkvm_reclaim_dying_guest_page', 5],
  ['__pkvm_finalize_teardown_vm', 30],
]
