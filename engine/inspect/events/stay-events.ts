import { EC } from '../../cpu/syndrome.ts'
import { Slot } from '../../cpu/register-slots.ts'
import { descriptorKind, levelShift } from '../descriptor.ts'
import type { Guests } from './guests.ts'
import { type HostCall, hostResultText } from './hypercalls.ts'
import { type Draft, hex, type HostRequest, momentOf, type Stay, taskDetail } from './moment.ts'
import type { ProcessorView } from './processor-view.ts'
import { smcccResult } from './smccc.ts'
import type { LeafWrite } from './table-follower.ts'
import { accessWords, exitWords, faultWords, isAbort, VECTOR_NAMES } from './syndrome-words.ts'

const PAGE = 4096

/** How a stay at EL2 ended: the registers are those of where ERET went. */
export interface Ending {
  readonly processor: ProcessorView
  /** VMID of where it went, 0 for the host. */
  readonly world: number
  /** The last leaf of stage-2 tables that was written. */
  readonly leaf: LeafWrite | null
  readonly guests: Guests
  /** Physical address of a VM's page, where known. */
  physicalOfGfn(handle: number, gfn: number): number | undefined
}

/** Why the processor went to EL2, in words. */
export function reasonWords(stay: Stay): string {
  return stay.ec < 0 ? VECTOR_NAMES[stay.vector]! : exitWords(stay.ec, stay.iss)
}

/** The host went to EL2 otherwise than by a call. */
export function hostStay(stay: Stay, ending: Ending): Draft | null {
  if (stay.ec === EC.hvc64 || stay.ec === EC.smc64) return null
  if (isAbort(stay.ec)) return hostAbort(stay, ending)
  const text = `host trapped into the hypervisor: ${reasonWords(stay)}`
  return { ...momentOf(stay), kind: 'abort', text, details: { who: 'host', ...taskDetail(stay.task) } }
}

function hostAbort(stay: Stay, { processor, world, leaf }: Ending): Draft {
  let resolved = 'returned elsewhere'
  if (world !== 0) resolved = 'a guest was entered'
  else if (processor.state.pc === stay.returnAddress) resolved = mappingWords(leaf, null, stay.ipa) ?? 'tried again'
  else if (processor.atEl1Vector()) resolved = `injected into EL1 (ESR_EL1 ${hex(processor.sysreg(Slot.ESR_EL1))})`
  const what = `${accessWords(stay.ec, stay.iss)} of 0x${stay.ipa.toString(16)}, ${faultWords(stay.iss)}`
  return {
    ...momentOf(stay),
    kind: 'abort',
    text: `host: ${what}: ${resolved}`,
    details: abortDetails(stay, 'host', resolved),
    physical: stay.ipa - (stay.ipa % PAGE),
  }
}

/** A guest left: its call or its abort, and the exit itself. */
export function guestStay(stay: Stay, ending: Ending): Draft[] {
  const { processor, guests } = ending
  const moment = momentOf(stay)
  const drafts: Draft[] = []
  const vm = guests.handleOf(stay.world)
  const about = vm === undefined ? {} : { vm }
  const goesOn = ending.world === stay.world
  const who = guests.vcpuWords(stay.world)
  if (stay.guestCall !== null) {
    const result = smcccResult(processor.state.x[0]!)
    drafts.push({
      ...moment,
      kind: 'guest-hypercall',
      text: goesOn ? `${who}: ${stay.guestCall} = ${result}` : `${who}: ${stay.guestCall}, handed on to the host`,
      details: { from: who, ...(goesOn ? { result } : { 'answered by': 'host' }) },
      ...about,
    })
  }
  let resolved = goesOn ? 'dealt with by the hypervisor' : 'exit to the host'
  if (isAbort(stay.ec)) {
    if (goesOn && processor.state.pc === stay.returnAddress)
      resolved = mappingWords(ending.leaf, vm ?? null, stay.ipa) ?? 'tried again'
    else if (goesOn && processor.atEl1Vector()) resolved = "injected into the guest's EL1"
    const physical = vm === undefined ? undefined : ending.physicalOfGfn(vm, Math.floor(stay.ipa / PAGE))
    const what = `${accessWords(stay.ec, stay.iss)} of IPA 0x${stay.ipa.toString(16)}, ${faultWords(stay.iss)}`
    drafts.push({
      ...moment,
      kind: 'abort',
      text: `${who}: ${what}: ${resolved}`,
      details: abortDetails(stay, who, resolved),
      ...(physical === undefined ? {} : { physical }),
      ...about,
    })
  }
  const reason = reasonWords(stay)
  drafts.push({
    ...moment,
    kind: 'vcpu',
    text: `${who} leaves: ${reason}: ${resolved}`,
    details: { reason, resolved },
    ...about,
  })
  return drafts
}

function abortDetails(stay: Stay, who: string, resolved: string): Record<string, string> {
  return {
    who,
    va: hex(stay.far),
    ipa: `0x${stay.ipa.toString(16)}`,
    access: accessWords(stay.ec, stay.iss),
    fault: faultWords(stay.iss),
    resolved,
    ...taskDetail(stay.task),
  }
}

/** A call of the host has returned. @param instructions retired by now */
export function requestReturned(
  request: HostRequest,
  processor: ProcessorView,
  guests: Guests,
  instructions: number,
): Draft {
  const { call, kind, text, task } = request
  const [x0, x1] = [processor.state.x[0]!, processor.state.x[1]!]
  const result = call === null ? smcccResult(x0) : hostResultText(call, x0, x1)
  const physical = call === null ? undefined : pageOfCall(call)
  const vm = call === null ? undefined : vmOfCall(call, guests)
  return {
    ...momentOf(request),
    kind,
    text: result === '' ? text : `${text} = ${result}`,
    details: {
      from: 'host',
      ...Object.fromEntries((call?.args ?? []).map((a) => [a.name, hex(a.value)])),
      ...(result === '' ? {} : { result }),
      ...taskDetail(task),
      ...(kind === 'smc' ? { to: 'trapped by the hypervisor' } : {}),
      returned: String(instructions),
    },
    ...(physical === undefined ? {} : { physical }),
    ...(vm === undefined ? {} : { vm }),
  }
}

/** Physical address of the page that a call is about. */
function pageOfCall(call: HostCall): number | undefined {
  const pfn = call.args.find((a) => a.name === 'pfn')
  if (pfn !== undefined) return Number(pfn.value) * PAGE
  return call.name === '__pkvm_force_reclaim_guest_page' ? Number(call.args[0]!.value) : undefined
}

/** The VM that a call names, or means by the vCPU that is loaded. */
function vmOfCall(call: HostCall, guests: Guests): number | undefined {
  const handle = call.args.find((a) => a.name === 'handle')
  if (handle !== undefined) return Number(handle.value)
  return call.name.endsWith('_guest') ? guests.loadedHandle : undefined
}

/** What was written where stage 2 had faulted, when it was a mapping for that address. */
function mappingWords(leaf: LeafWrite | null, vm: number | null, ipa: number): string | null {
  if (leaf === null || leaf.vm !== vm || descriptorKind(leaf.low, leaf.level, false) === 'invalid') return null
  const bytes = 2 ** levelShift(leaf.level)
  if (ipa < leaf.input || ipa >= leaf.input + bytes) return null
  return `mapped (${bytes >= 2 ** 30 ? '1 GB block' : bytes >= 2 ** 21 ? '2 MB block' : '4 KB page'})`
}
