import { StateCode, PAGE_STATES } from './hyp-page.ts'
import type { Inspector } from './inspector.ts'
import type { GuestPage } from './guest-leaves.ts'
import { OwnerCode, type OwnershipMap } from './ownership.ts'

/** The ownership map as plain data: what `-dump-ownership` writes. */
export interface OwnershipReport {
  readonly ramBase: number
  readonly pageSize: number
  /** Why nothing is known about pages and VMs; absent when it is. */
  readonly unknown?: string
  readonly mode: string
  readonly phase: string
  /** `tainted_mask`; null when it cannot be read. */
  readonly taint: number | null
  readonly taintFlags: readonly { readonly bit: number; readonly letter: string; readonly meaning: string }[]
  readonly vms: readonly VmReport[]
  readonly conflicts: readonly string[]
  /** In order from ramBase. */
  readonly pages: Iterable<PageReport>
}

export interface VmReport {
  readonly handle: number
  readonly protected: boolean | null
  readonly state: 'reserved' | 'live' | 'dying'
  readonly vmid: number | null
  readonly vcpus: readonly { readonly index: number; readonly loaded: boolean }[]
  /** Pages: its own alone, its own shared with the host, the host's that it maps, its own taken back by force. */
  readonly owned: number
  readonly shared: number
  readonly borrowed: number
  readonly poisoned: number
}

export interface PageReport {
  /** OWNED, SHARED_OWNED, SHARED_BORROWED, NOPAGE or UNKNOWN. */
  readonly host: string
  readonly hyp: string
  readonly owner: 'host' | 'hyp' | 'unknown' | GuestPage
  /** VMs that map a page of somebody else. */
  readonly borrowers?: readonly GuestPage[]
}

export function ownershipReport(inspector: Inspector): OwnershipReport {
  const { memory } = inspector.kernel
  const mode = inspector.mode()
  const taint = inspector.taint()
  const map = inspector.ownership()
  return {
    ramBase: memory.base,
    pageSize: 4096,
    ...(map.known ? {} : { unknown: map.why }),
    mode: mode.kvmMode.known ? mode.kvmMode.value : 'unknown',
    phase: mode.phase.known ? mode.phase.value : 'unknown',
    taint: taint.known ? taint.value.value : null,
    taintFlags: taint.known ? taint.value.flags : [],
    vms: map.known
      ? map.value.vms.map(({ vm, ...counts }) => ({
          handle: vm.handle,
          protected: vm.protected.known ? vm.protected.value : null,
          state: vm.state,
          vmid: vm.vmid.known ? vm.vmid.value : null,
          vcpus: vm.vcpus.map(({ index, loaded }) => ({ index, loaded })),
          ...counts,
        }))
      : [],
    conflicts: map.known ? map.value.conflicts : [],
    pages: map.known ? pagesOf(map.value) : unknownPages(memory.ram.length / 4096),
  }
}

function* pagesOf(map: OwnershipMap): Generator<PageReport> {
  for (let i = 0; i < map.pages; i++) {
    const code = map.owner[i]
    const owner =
      code === OwnerCode.host
        ? 'host'
        : code === OwnerCode.hyp
          ? 'hyp'
          : code === OwnerCode.vm
            ? map.guestPage.get(i)!
            : 'unknown'
    const borrowers = map.borrowers.get(i)
    yield {
      host: PAGE_STATES[map.host[i]!]!,
      hyp: PAGE_STATES[map.hyp[i]!]!,
      owner,
      ...(borrowers === undefined ? {} : { borrowers }),
    }
  }
}

function* unknownPages(count: number): Generator<PageReport> {
  const nothing = {
    host: PAGE_STATES[StateCode.unknown],
    hyp: PAGE_STATES[StateCode.unknown],
    owner: 'unknown',
  } as const
  for (let i = 0; i < count; i++) yield nothing
}

/** The report as JSON text in pieces: one page a line, so that two dumps can be compared with `diff`. */
export function* ownershipJson(report: OwnershipReport): Generator<string> {
  const { pages, ...rest } = report
  yield `${JSON.stringify(rest, null, 1).slice(0, -2)},\n "pages": [`
  let separator = '\n'
  let lines: string[] = []
  for (const page of pages) {
    lines.push(`${separator}  ${JSON.stringify(page)}`)
    separator = ',\n'
    if (lines.length === 4096) {
      yield lines.join('')
      lines = []
    }
  }
  yield `${lines.join('')}\n ]\n}\n`
}
