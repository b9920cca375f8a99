import type { Cpu } from '../../cpu/cpu.ts'
import { StateCode } from '../hyp-page.ts'
import type { Moment } from '../events/moment.ts'
import type { OwnershipWatch, PageChange } from '../events/ownership-watch.ts'
import type { KernelData } from '../kernel-data.ts'
import { attempt, type Known } from '../known.ts'
import { type BrokenPage, checkEveryPage, settingOf } from './full-check.ts'
import { type PageFacts, PageFactsReader } from './page-facts.ts'
import { type Broken, judge, type Rule, type Setting } from './rules.ts'

/** After it the tables of hypervisor and host are complete, and the host is held by its own. */
const SETUP_ENDS = '__pkvm_prot_finalize'

const PAGE = 4096
const HANDLE_OF_VMID = 0xfff
/** More are not kept: one bug breaks a rule on many pages. */
const MOST_VIOLATIONS = 200

/** A rule that did not hold when the hypervisor handed the processor back. */
export interface Violation {
  readonly rule: Rule
  /** What is so, one sentence with the page's address. */
  readonly text: string
  readonly physical: number
  /** How many pages in a row it is so of; `physical` is the first. */
  readonly pages: number
  /** Where the first store was made that changed what is known of the page. */
  readonly moment: Moment
  /** The hypercall or exception on whose behalf the hypervisor worked. */
  readonly cause: string
}

/** What the event log tells when a stay at EL2 ends. */
export interface StayReport {
  readonly changes: readonly PageChange<Moment>[]
  readonly ownership: OwnershipWatch<Moment>
  readonly moment: Moment
  readonly cause: string
  /** Name of the host's call that returns with it; null when none does. */
  readonly call: string | null
}

/** What is looked at of the machine beside its memory: translations that the TLB still holds. */
export interface CheckedMachine {
  readonly cpu: Pick<Cpu, 'mmu' | 'contexts'>
}

/**
 * Asks the rules after each stay at EL2, of the pages that it changed; and of every page once, when pKVM has set itself
 * up, because what setup forgot it did not change. It belongs to the lab and only reads: a system that it watches runs
 * as it would without.
 */
export class InvariantChecker {
  /** In the order in which they were found. */
  readonly violations: Violation[] = []
  /** Stays that were looked at, and pages of them. */
  stays = 0
  pages = 0
  private reader: Known<PageFactsReader> | null = null
  private readonly told = new Set<string>()
  /** Whether every page was asked, at the end of pKVM's setup. */
  surveyed = false

  constructor(
    private readonly machine: CheckedMachine,
    private readonly kernel: KernelData,
  ) {}

  /** A stay at EL2 is over, and its stores are all done. @returns what is broken now and was not before */
  stayEnded(report: StayReport): Violation[] {
    this.stays++
    const surveyed = this.surveyed || report.call !== SETUP_ENDS ? [] : this.survey(report)
    return [...surveyed, ...this.changed(report)]
  }

  /** Forget what was found: the machine went back, or the learner has seen it. */
  clear(): void {
    this.violations.length = 0
    this.told.clear()
    this.surveyed = false
  }

  /** Every rule, every page: once, as soon as all can be read. */
  private survey({ ownership, moment, cause }: StayReport): Violation[] {
    const broken = attempt(() => checkEveryPage(this.kernel, ownership.states))
    if (!broken.known) return []
    this.surveyed = true
    const found: Violation[] = []
    for (const run of runs(broken.value)) this.add(found, run, run.physical, run.pages, moment, cause)
    return found
  }

  /** The pages that this stay changed. */
  private changed(report: StayReport): Violation[] {
    if (report.changes.length === 0) return []
    this.reader ??= attempt(() => new PageFactsReader(this.kernel))
    if (!this.reader.known) return []
    const reader = this.reader.value
    const tables = attempt(() => reader.tables())
    if (!tables.known) return []
    const setting = settingOf(this.kernel)
    const found: Violation[] = []
    const facts = new Map<number, PageFacts>()
    const moments = new Map<number, Moment>()
    for (const change of report.changes) {
      const { page, moment } = change
      this.pages++
      const now = report.ownership.ownership(page)
      // The record of a page may leave the watch with the system that kept it.
      if (now.host === StateCode.unknown && now.hyp === StateCode.unknown) continue
      const it = reader.facts(page, now, now.mappedBy, tables.value)
      facts.set(it.physical / PAGE, it)
      moments.set(it.physical, moment)
      for (const broken of [...judge(it, setting), ...leftBehind(change, this.kernel)]) {
        this.add(found, broken, it.physical, 1, moment, report.cause)
      }
    }
    for (const { physical, ...broken } of this.staleTranslations(facts, setting)) {
      this.add(found, broken, physical, 1, moments.get(physical) ?? report.moment, report.cause)
    }
    return found
  }

  private add(found: Violation[], { rule, text }: Broken, physical: number, pages: number, moment: Moment, cause: string): void {
    const keys = Array.from({ length: pages }, (_, i) => `${rule} ${physical + i * PAGE} ${text}`)
    if (keys.every((key) => this.told.has(key)) || this.violations.length >= MOST_VIOLATIONS) return
    for (const key of keys) this.told.add(key)
    const where = `page 0x${physical.toString(16)}${pages === 1 ? '' : ` and ${pages - 1} behind it`}`
    const violation = { rule, text: `${where}: ${text}`, physical, pages, moment, cause }
    this.violations.push(violation)
    found.push(violation)
  }

  /** Translations of changed pages that the TLB still holds for somebody who may no longer use them. */
  private staleTranslations(facts: ReadonlyMap<number, PageFacts>, setting: Setting): BrokenPage[] {
    if (facts.size === 0) return []
    const broken: BrokenPage[] = []
    const vmids = this.machine.cpu.contexts.stage2Numbers()
    this.machine.cpu.mmu.tlb.forEachEntry((page, context, read, write) => {
      const it = facts.get(page)
      const vmid = vmids.get(context)
      if (it === undefined || vmid === undefined) return
      const { physical } = it
      if (vmid === 0) {
        if (it.host !== StateCode.noPage || (!write && setting.mayHostRead(physical))) return
        broken.push({ rule: 'host-kept-out', physical, text: `the TLB still holds a translation with which the host can ${write ? 'write' : read ? 'read' : 'execute'} it` })
      } else if (!it.guests.some((leaf) => leaf.handle === HANDLE_OF_VMID + vmid)) {
        const handle = (HANDLE_OF_VMID + vmid).toString(16)
        broken.push({ rule: 'tables-agree', physical, text: `the TLB still holds a translation with which VM 0x${handle} can reach it` })
      }
    })
    return broken
  }
}

/** Pages in a row of which the same is so. */
function runs(pages: readonly BrokenPage[]): (BrokenPage & { readonly pages: number })[] {
  const all: (BrokenPage & { pages: number })[] = []
  const open = new Map<string, BrokenPage & { pages: number }>()
  for (const page of pages) {
    const key = `${page.rule} ${page.text}`
    const run = open.get(key)
    if (run !== undefined && page.physical === run.physical + run.pages * PAGE) {
      run.pages++
      continue
    }
    const next = { ...page, pages: 1 }
    open.set(key, next)
    all.push(next)
  }
  return all
}

const owns = (state: number) => state === StateCode.owned || state === StateCode.sharedOwned

/** A page that was private until now must hold nothing when the host gets it. What a guest shared, the host has seen. */
function leftBehind(change: PageChange<Moment>, kernel: KernelData): Broken[] {
  const { before, after, page } = change
  if (before.host !== StateCode.noPage || !owns(after.host)) return []
  const ofGuest = before.mappedBy.find((leaf) => leaf.state === StateCode.owned) ?? before.donatedTo
  if (ofGuest === null || ofGuest === undefined) return []
  const words = kernel.memory.words(kernel.memory.base + page * PAGE, PAGE / 4)
  const at = words.findIndex((word) => word !== 0)
  if (at < 0) return []
  const handle = ofGuest.handle.toString(16)
  return [{ rule: 'freed-is-zero', text: `it was private to VM 0x${handle} and comes back to the host with what it held, at offset 0x${(at * 4).toString(16)}` }]
}
