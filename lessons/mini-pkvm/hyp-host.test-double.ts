/**
 * A host of a few instructions in place of `host/`, for tests of the hypervisor alone. It does what it is told: calls with
 * any arguments, loads and stores. It is told by a test through memory (`mailbox`) or by a list in its data (`script`).
 */
import { assemble, flatImage } from '../../engine/isa/assemble.ts'
import { allRows } from '../../engine/isa/table.ts'
import { buildSystem, type BuiltSystem } from '../../engine/machine/assembled-system.ts'
import { Inspector } from '../../engine/inspect/inspector.ts'
import { describeSystem } from '../../engine/inspect/assembled-kernel.ts'
import { Machine } from '../../engine/machine/machine.ts'

export type Step =
  /** `other`: the call of another CPU, with CONFIG_LOCK_CONTENTION; function id and arguments. */
  | { readonly call: number; readonly args: readonly bigint[]; readonly other?: readonly bigint[] }
  | { readonly load: bigint }
  | { readonly store: bigint; readonly value: bigint }
  /** 32 bits: for devices. */
  | { readonly storeWord: bigint; readonly value: bigint }

export interface Outcome {
  /** Of a call: X0 and X1. Of a load: what was read. */
  readonly x0: bigint
  readonly x1: bigint
  /** Of the other CPU's call: its result. */
  readonly x10: bigint
  /** ESR_EL1 of the exception that the step ended with; 0 for none. */
  readonly esr: bigint
}

const RAM_BASE = 0x40000000
const PAGE = 4096
/** First guest page of the tests' VMs. */
export const GFN = 0x40000
const OPERATIONS = { call: 1n, load: 2n, store: 3n, storeWord: 4n }
/** Words of a step: operation, X0 or address, X1 or value, X2, X3, X4, X9 to X12. */
const STEP_WORDS = 10
const OTHER_WORD = 6
/** More than any call needs: finalising a teardown scans a VM's tables. */
const MOST_INSTRUCTIONS = 200_000

const words = (step: Step): bigint[] => {
  const list =
    'call' in step
      ? [OPERATIONS.call, 0xc6000000n + BigInt(step.call), ...step.args]
      : 'load' in step
        ? [OPERATIONS.load, step.load]
        : 'store' in step
          ? [OPERATIONS.store, step.store, step.value]
          : [OPERATIONS.storeWord, step.storeWord, step.value]
  const other = 'call' in step ? (step.other ?? []) : []
  const all = Array.from({ length: STEP_WORDS }, (_, i) => list[i] ?? other[i - OTHER_WORD] ?? 0n)
  return all.map((word) => BigInt.asUintN(64, word))
}

const HOST = `
        .text
host_entry:
        adr     x1, stack_end
        mov     sp, x1
        adr     x1, test_vectors
        msr     vbar_el1, x1
        mov     x1, #0xff
        msr     icc_pmr_el1, x1                 // interrupts may become pending; PSTATE masks them at EL1
        mov     x1, #1
        msr     icc_igrpen1_el1, x1
        adr     x1, hyp_memory
        mov     x2, #0x40000000
        ldr     x3, ram_bytes
        stp     x2, x3, [x1]
        mov     x2, #1
        str     x2, [x1, #16]
        adr     x20, mailbox
next:   ldr     x0, [x20]
        cbz     x0, nothing
        ldp     x1, x2, [x20, #8]
        ldp     x3, x4, [x20, #24]
        ldr     x5, [x20, #40]
        mov     x13, #0                         // ESR_EL1 of an exception
        cmp     x0, #2
        b.eq    1f
        b.hi    2f
        mov     x0, x1
        mov     x1, x2
        mov     x2, x3
        mov     x3, x4
        mov     x4, x5
        ldp     x9, x10, [x20, #48]
        ldp     x11, x12, [x20, #64]
        hvc     #0
        str     x10, [x20, #56]
        b       3f
1:      ldr     x0, [x1]
        mov     x1, #0
        b       3f
2:      mov     x10, x0
        mov     x0, #0
        cmp     x10, #3
        b.ne    4f
        str     x2, [x1]
        b       5f
4:      str     w2, [x1]
5:      mov     x1, #0
3:      stp     x0, x1, [x20, #8]
        str     x13, [x20, #24]
        b       done
put:    mov     x9, #UART_BASE          // x0 as 16 digits and w1
        mov     x10, #60
1:      lsr     x11, x0, x10
        and     w11, w11, #15
        cmp     w11, #10
        add     w12, w11, #'0'
        add     w11, w11, #'a' - 10
        csel    w11, w12, w11, lo
        str     w11, [x9]
        subs    x10, x10, #4
        b.pl    1b
        str     w1, [x9]
        ret
        .if     SCRIPTED
done:   ldr     x0, [x20, #8]
        mov     w1, #' '
        bl      put
        ldr     x0, [x20, #16]
        bl      put
        ldr     x0, [x20, #24]
        mov     w1, #10
        bl      put
        add     x20, x20, #80
        b       next
nothing:
        ldr     w0, =PSCI_SYSTEM_OFF
        smc     #0
        b       .
        .else
done:   str     xzr, [x20]
nothing:
        b       next
        .endif
        .balign 2048
test_vectors:
        .rept   16
        .balign 128
        mrs     x13, elr_el1
        add     x13, x13, #4
        msr     elr_el1, x13
        mrs     x13, esr_el1
        mov     x0, #0
        eret
        .endr
        .data
        .balign 8
kvm_mode:
        .quad   KVM_MODE_PROTECTED
ram_bytes:
        .quad   RAM_BYTES
        .balign 4096
        .if     SCRIPTED == 0
mailbox:
        .skip   4096
        .endif
        .bss
        .balign 16
        .skip   1024
stack_end:
`

/** The hypervisor with the test's host. @param sources of mini-pKVM, by path; @param script to run, none for `HypRig`. */
export function buildWithTestHost(
  sources: Readonly<Record<string, string>>,
  ramMiB: number,
  script: readonly Step[] = [],
  options: Readonly<Record<string, boolean>> = {},
): BuiltSystem {
  const list = script.flatMap(words).map((w) => `        .quad   0x${w.toString(16)}`)
  const data = script.length === 0 ? [] : ['        .data', 'mailbox:', ...list, '        .quad   0']
  return buildSystem({
    sources: {
      ...sources,
      'host/host.s': [`        .equ    SCRIPTED, ${script.length === 0 ? 0 : 1}`, `        .equ    RAM_BYTES, ${ramMiB} << 20`, HOST, ...data].join('\n'),
    },
    options: { CONFIG_KVM: true, CONFIG_EXPERT: true, CONFIG_PROTECTED_VM_UAPI: true, ...options },
  })
}

/** A machine with the hypervisor and the test's host, one step at a time. */
export class HypRig {
  readonly machine: Machine
  readonly inspector: Inspector
  readonly system: BuiltSystem
  /** What came out of the UART. */
  console = ''
  private readonly view: DataView
  private readonly mailbox: number

  constructor(sources: Readonly<Record<string, string>>, ramMiB = 128, options: Readonly<Record<string, boolean>> = {}) {
    this.system = buildWithTestHost(sources, ramMiB, [], options)
    if (!this.system.ok) throw new Error(this.system.diagnostics.map((d) => `${d.position.file}:${d.position.line}: ${d.message}`).join('\n'))
    this.machine = Machine.create({
      image: this.system.image,
      append: '',
      ramMiB,
      console: (bytes) => {
        this.console += String.fromCharCode(...bytes)
      },
    })
    this.inspector = new Inspector(this.machine, describeSystem(this.system))
    const ram = this.machine.ram()
    this.view = new DataView(ram.buffer, ram.byteOffset, ram.length)
    this.mailbox = this.symbol('mailbox') - RAM_BASE
  }

  /** Physical address of a symbol of the system. */
  symbol(name: string): number {
    const found = this.system.symbols.find((s) => s.name === name || s.name === `__kvm_nvhe_${name}`)
    if (found === undefined) throw new Error(`no symbol ${name}`)
    return RAM_BASE + 0x200000 + found.offset
  }

  /** Value of a constant of the sources. */
  constant(name: string): number {
    const value = this.system.constants.get(name)
    if (value === undefined) throw new Error(`no constant ${name}`)
    return Number(value)
  }

  /** Name of a call by its number, or the number. */
  callName(number: number): string {
    for (const [name, value] of this.system.constants) {
      const m = /^__KVM_HOST_SMCCC_FUNC_(.*)$/.exec(name)
      if (m !== null && Number(value) === number) return m[1]!
    }
    return String(number)
  }

  /** @throws Error when the machine goes off or the step does not end. */
  step(step: Step): Outcome {
    for (const [i, word] of words(step).entries()) this.view.setBigUint64(this.mailbox + 8 * i, word, true)
    const limit = this.machine.instructions + MOST_INSTRUCTIONS
    while (this.machine.instructions < limit) {
      const stop = this.machine.run(100)
      if (stop.kind !== 'budget') throw new Error(`the machine stopped (${stop.kind}): ${this.console}`)
      if (this.view.getBigUint64(this.mailbox, true) !== 0n) continue
      const at = (i: number) => this.view.getBigUint64(this.mailbox + 8 * i, true)
      return { x0: at(1), x1: at(2), x10: at(7), esr: at(3) }
    }
    throw new Error('the step does not end')
  }

  /** A call by name; its result, negative for an errno. @throws Error when there is no such call, as above too. */
  call(name: string, ...args: readonly (number | bigint)[]): number {
    const { x0, x1 } = this.step({ call: this.constant(`__KVM_HOST_SMCCC_FUNC_${name}`), args: args.map(BigInt) })
    if (x0 !== 0n) throw new Error(`${name} is not supported`)
    return Number(BigInt.asIntN(64, x1))
  }

  /** A call while another CPU makes another, which gets the lock first. @returns both results */
  callBeside(name: string, args: readonly number[], other: string, otherArgs: readonly number[]): [number, number] {
    const number = (n: string) => this.constant(`__KVM_HOST_SMCCC_FUNC_${n}`)
    const { x1, x10 } = this.step({
      call: number(name),
      args: args.map(BigInt),
      other: [0xc6000000n + BigInt(number(other)), ...otherArgs.map(BigInt)],
    })
    return [Number(BigInt.asIntN(64, x1)), Number(BigInt.asIntN(64, x10))]
  }

  /** What the host reads at a physical address, or the syndrome of the fault. */
  load(address: number): { value: bigint } | { esr: number } {
    const { x0, esr } = this.step({ load: BigInt(address) })
    return esr === 0n ? { value: x0 } : { esr: Number(esr) }
  }

  store(address: number, value: number | bigint): void {
    const { esr } = this.step({ store: BigInt(address), value: BigInt(value) })
    if (esr !== 0n) throw new Error(`a store of the host to 0x${address.toString(16)} faults, ESR_EL1 0x${esr.toString(16)}`)
  }

  storeWord(address: number, value: number): void {
    this.step({ storeWord: BigInt(address), value: BigInt(value) })
  }

  /** RAM as it is, whoever may see it. */
  peek(address: number): bigint {
    return this.view.getBigUint64(address - RAM_BASE, true)
  }

  poke(address: number, value: bigint): void {
    this.view.setBigUint64(address - RAM_BASE, value, true)
  }
}

/** What a host needs to be able to make a VM. `HypRig` is one that throws when something fails. */
export type VmMaker = Pick<HypRig, 'call' | 'store' | 'constant'>

/** Pages of the host for one VM with one vCPU. */
export interface VmPages {
  readonly kvm: number
  readonly vcpu: number
  readonly hypVm: number
  readonly hypVcpu: number
  readonly pgd: number
  /** Two pages for the guest's tables. */
  readonly memcache: number
  /** Where its code is to be written. */
  readonly code: number
}

/** The code of a guest that starts at `GFN`. @throws Error when it does not assemble */
export function guestCode(source: string): Uint8Array {
  const result = assemble(source, { rows: allRows, origin: BigInt(GFN * PAGE) })
  if (result.diagnostics.length > 0) throw new Error(result.diagnostics.map((d) => d.message).join('\n'))
  return flatImage(result).bytes
}

/** Put pages aside for a vCPU's tables. */
export function fillMemcache(host: VmMaker, vcpu: number, first: number, pages: number): void {
  for (let i = 0; i < pages; i++) host.store(first + i * PAGE, i + 1 < pages ? first + (i + 1) * PAGE : 0)
  host.store(vcpu + host.constant('kvm_vcpu.arch.pkvm_memcache.head'), first)
  host.store(vcpu + host.constant('kvm_vcpu.arch.pkvm_memcache.nr_pages'), pages)
}

/** A VM with one vCPU, loaded, that is to start at `GFN`. @returns its handle */
export function makeVm(host: VmMaker, pages: VmPages, isProtected: boolean, code: Uint8Array): number {
  host.call('__pkvm_host_share_hyp', pages.kvm / PAGE)
  host.call('__pkvm_host_share_hyp', pages.vcpu / PAGE)
  const handle = host.call('__pkvm_reserve_vm')
  host.store(pages.kvm + host.constant('kvm.created_vcpus'), 1)
  host.store(pages.kvm + host.constant('kvm.arch.pkvm.handle'), handle)
  host.store(pages.kvm + host.constant('kvm.arch.pkvm.is_protected'), isProtected ? 1 : 0)
  host.call('__pkvm_init_vm', pages.kvm, pages.hypVm, pages.pgd)
  host.call('__pkvm_init_vcpu', handle, pages.vcpu, pages.hypVcpu)
  host.call('__pkvm_vcpu_load', handle, 0, 0)
  fillMemcache(host, pages.vcpu, pages.memcache, 2)
  host.store(pages.vcpu + host.constant('kvm_vcpu.arch.ctxt.regs.pc'), GFN * PAGE)
  host.store(pages.vcpu + host.constant('kvm_vcpu.arch.ctxt.regs.pstate'), 0x3c5)
  host.store(pages.vcpu + host.constant('kvm_vcpu.arch.ctxt') + host.constant('kvm_cpu_context.sctlr_el1'), 0x30d00800)
  const padded = new Uint8Array(Math.ceil(code.length / 8) * 8)
  padded.set(code)
  const view = new DataView(padded.buffer)
  for (let at = 0; at < padded.length; at += 8) host.store(pages.code + at, view.getBigUint64(at, true))
  return handle
}
