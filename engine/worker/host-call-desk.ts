import { callText, type HostCall, hostCallNames, HostCalls } from '../inspect/events/hypercalls.ts'
import { exitWords } from '../inspect/events/syndrome-words.ts'
import type { KernelData } from '../inspect/kernel-data.ts'
import { attempt, need } from '../inspect/known.ts'
import { HYP_PREFIX } from '../inspect/symboliser.ts'
import type { Checkpoint } from '../machine/checkpoint.ts'
import { hostCall, HostCallError, type HostCallResult } from '../machine/host-call.ts'
import type { Machine } from '../machine/machine.ts'
import type { CheckpointedLog } from './checkpoint-slot.ts'
import { findHostCallSite, type FoundSite, mappedSite } from './host-call-site.ts'
import { answerWords } from './host-call-words.ts'
import type { HostCallAnswer, HostCallName, HostCallRequest, InspectionMessage, LabEvent } from './inspection-protocol.ts'

/** SMCCC: fast call, 64-bit, vendor-specific hypervisor service; the number is in the low 16 bits. */
const HOST_CALL = 0xc600_0000
const NUMBER = 0xffff
/** Registers that carry arguments. */
const MAX_ARGUMENTS = 17
/** Where the host goes when its hypervisor has panicked (arch/arm64/kvm/handle_exit.c). */
const PANIC_HANDLER = 'nvhe_hyp_panic_handler'
/** ESR_ELx.EC of BRK, by which the kernel's BUG() works. */
const BRK = 0x3c
/** Events of one call that are told with its answer. */
const MOST_EVENTS = 500
const PREFIX = /^(__KVM_HOST_SMCCC_FUNC_)?(__pkvm_|__kvm_|__)?/

/** The event log as the desk needs it. */
export interface HostCallLog extends CheckpointedLog {
  after(sequence: number, limit: number): LabEvent[]
}

/** Makes calls to the hypervisor by hand, by the kernel's own names. */
export class HostCallDesk {
  private readonly calls: HostCalls
  private site: FoundSite | null = null

  constructor(
    private readonly machine: Machine,
    private readonly kernel: KernelData,
    private readonly log: HostCallLog,
  ) {
    this.calls = new HostCalls(kernel)
  }

  /** The calls that this kernel has, by number. Empty with a reason where it does not tell. */
  list(id: number): Extract<InspectionMessage, { type: 'hostCallNames' }> {
    const names = attempt(() => hostCallNames(this.kernel))
    if (!names.known) return { type: 'hostCallNames', id, calls: [], why: names.why }
    const calls = [...names.value].map(([number, name]): HostCallName => {
      const args = this.calls.decode([BigInt(HOST_CALL | number) & 0xffff_ffffn, ...ZEROS], false).args.map((a) => a.name)
      return { name, number, args }
    })
    return { type: 'hostCallNames', id, calls: calls.sort((a, b) => a.number - b.number), why: '' }
  }

  /** Make the call. Nothing is changed when the answer is not `ok`, but that the machine may have come to a safe point. */
  call(request: HostCallRequest): Extract<InspectionMessage, { type: 'hostCallDone' }> {
    const { id } = request
    try {
      return { type: 'hostCallDone', id, ok: true, answer: this.make(request) }
    } catch (error) {
      return { type: 'hostCallDone', id, ok: false, message: error instanceof Error ? sentence(error.message) : String(error) }
    }
  }

  private make(request: HostCallRequest): HostCallAnswer {
    const number = this.numberOf(request.call)
    const args = request.args.map(argumentOf)
    const function_ = ((HOST_CALL | number) & 0xffff_ffff) >>> 0
    const x = [BigInt(function_), ...args, ...ZEROS]
    const call = this.calls.decode(x, false)
    this.checkArguments(call, number, args.length)
    this.site ??= findHostCallSite(this.kernel)
    const first = this.log.total
    let events: LabEvent[] | null = null
    const result = hostCall(this.machine, {
      function: function_,
      args,
      site: mappedSite(this.kernel, this.site),
      panicHandler: need(this.kernel.symboliser).virtualOf(PANIC_HANDLER),
      onPanic: request.onPanic,
      keep: () => {
        const checkpoint: Checkpoint = this.machine.checkpoint()
        const log = this.log.save()
        return () => {
          // What was seen is told, although it has not happened any more.
          events = this.log.after(first, MOST_EVENTS)
          this.machine.restore(checkpoint)
          log()
        }
      },
    })
    events ??= this.log.after(first, MOST_EVENTS)
    return this.answer(call, number, result, events)
  }

  private answer(call: HostCall, number: number, it: HostCallResult, events: LabEvent[]): HostCallAnswer {
    const [x0, x1] = [it.registers[0]!, it.registers[1]!]
    const { kind } = it.end
    const words = kind === 'returned' ? answerWords(call, x0, x1) : { status: '', result: '', rule: this.failure(it) }
    return {
      text: callText(call),
      name: call.name,
      number,
      end: kind,
      ...words,
      registers: it.registers.map(hex),
      at: it.at,
      instructions: it.instructions,
      elapsed: it.elapsed,
      undone: it.undone,
      site: this.site?.symbol ?? '',
      events,
    }
  }

  /** What became of a call that did not return. */
  private failure({ end, registers, undone, instructions }: HostCallResult): string {
    const after = undone ? ' The machine was put back to before the call.' : ''
    switch (end.kind) {
      case 'exception': {
        const esr = Number(end.esr & 0xffff_ffffn)
        // Classes of the same level have the lower level's number plus one.
        const what = exceptionWords(esr >>> 26, esr & 0x1ffffff)
        return `The hypervisor answered with an exception in the host: ${what}, address ${hex(end.far)}. The host’s registers were put back before its handler ran.`
      }
      case 'panic':
        return `The hypervisor panicked: ${this.panicWords(registers)}.${undone ? after : ' The host’s kernel goes on in its own panic: run the machine to read it.'}`
      case 'elsewhere':
        return `The hypervisor came back to another place, ${this.place(end.pc, 1)}.${after}`
      case 'lost':
        return `The call had not come back after ${instructions} instructions; the machine was at ${this.place(end.pc, end.el)}, EL${end.el}.${after}`
      case 'ended':
        return 'The machine was switched off by the call.'
      case 'returned':
        return ''
    }
  }

  /** The arguments of nvhe_hyp_panic_handler(esr, spsr, elr_virt, elr_phys, par, vcpu, far, hpfar). */
  private panicWords(registers: readonly bigint[]): string {
    const esr = Number(registers[0]! & 0xffff_ffffn)
    const ec = esr >>> 26
    const where = this.place(registers[2]!, 2)
    const address = ec === 0x21 || ec === 0x25 ? `, address ${hex(registers[6]!)}` : ''
    return `${ec === BRK ? 'BUG() or a failed check' : exceptionWords(ec, esr & 0x1ffffff)} at ${where}${address}`
  }

  private place(va: bigint, el: number): string {
    return this.kernel.symboliser.known ? this.kernel.symboliser.value.describe(va, el).replace(HYP_PREFIX, '') : hex(va)
  }

  /** A name with or without its prefix, a number, or the whole function identifier. */
  private numberOf(text: string): number {
    const wanted = text.trim()
    if (/^(0x[0-9a-f]+|\d+)$/i.test(wanted)) {
      const value = Number(wanted)
      if (value <= NUMBER || (value >= HOST_CALL && value <= HOST_CALL + NUMBER)) return value & NUMBER
      throw new HostCallError(`${wanted} is not the number of a host call: they are 0 to 0xffff, or 0xc6000000 and up`)
    }
    const names = attempt(() => hostCallNames(this.kernel))
    if (!names.known) throw new HostCallError(`Calls have numbers only, no names, on this kernel: ${names.why}`)
    const plain = wanted.replace(PREFIX, '')
    for (const [number, name] of names.value) if (name === wanted) return number
    const found = [...names.value].filter(([, name]) => name.replace(PREFIX, '') === plain)
    if (found.length > 1) throw new HostCallError(`“${wanted}” is ${found.map(([, name]) => name).join(' or ')}: write which`)
    if (found[0] !== undefined) return found[0][0]
    throw new HostCallError(`This kernel has no host call “${wanted}”`)
  }

  private checkArguments(call: HostCall, number: number, given: number): void {
    if (given > MAX_ARGUMENTS) throw new HostCallError(`A call has at most ${MAX_ARGUMENTS} arguments`)
    const names = attempt(() => hostCallNames(this.kernel))
    // One that this lab has no argument names for takes what it is given.
    if (!names.known || !names.value.has(number) || call.args[0]?.name === 'x1') return
    if (given >= call.args.length) return
    const wanted = call.args.map((a) => a.name).join(', ')
    throw new HostCallError(`${call.name} takes ${wanted}: ${given} of ${call.args.length} were given`)
  }
}

const ZEROS: readonly bigint[] = Array.from({ length: 8 }, () => 0n)

function argumentOf(text: string): bigint {
  const digits = text.trim().replace(/_/g, '')
  const m = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(digits)
  const value = m === null ? null : BigInt(m[2]!)
  if (m === null || value === null || value >= 1n << 64n || (m[1] === '-' && value > 1n << 63n)) {
    throw new HostCallError(`“${text}” is not a 64-bit number: write it in decimal or as 0x…`)
  }
  return BigInt.asUintN(64, m[1] === '-' ? -value : value)
}

function exceptionWords(ec: number, iss: number): string {
  if (ec === 0) return 'undefined instruction'
  const aborts = ec === 0x21 || ec === 0x25
  return exitWords(aborts ? ec - 1 : ec, iss).replace('stage-2 abort', ec === 0x21 ? 'instruction abort' : 'data abort')
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
