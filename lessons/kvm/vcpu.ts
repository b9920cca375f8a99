import { needBigint, needInteger, needName, needNumber, needOptions, needValue } from './arguments.ts'
import { Descriptor } from './descriptor.ts'
import { errnoName } from './errno.ts'
import { explain } from './explain.ts'
import { exitName, HYPERCALL_EXIT_SMC, ioctlName, KVM, KVM_EXIT, STRUCT_BYTES, SYSTEM_EVENT, VCPU_FEATURE } from './kvm-numbers.ts'
import { type KvmRun, littleEndian, oneReg, readRun, RUN_BYTES, RUN_MMIO_DATA, wordOf, vcpuInit } from './kvm-structs.ts'
import type { CoreRegister, Exit, MmioReadExit, RegisterName, RunOptions, Vcpu, VcpuFeature } from './lab.d.ts'
import { unmapFrom } from './mapping.ts'
import type { VmmProcess } from './process.ts'
import { CORE_REGISTERS, REGISTER_ID, registerBytes, registerName } from './registers.ts'
import { showValue, type Span } from './trace.ts'

const EINTR = 4
const E2BIG = 7
const EFAULT = 14
const DEFAULT_LIMIT_MS = 1000
/** Two minutes of the machine's time. */
const MOST_LIMIT_MS = 120_000

/** What a vCPU needs of its VM. */
export interface VcpuOwner {
  readonly fd: number
}

export class VirtualCpu extends Descriptor implements Vcpu {
  constructor(
    process: VmmProcess,
    fd: number,
    private readonly vm: VcpuOwner,
    readonly id: number,
    readonly runAddress: bigint,
    private readonly runBytes: number,
  ) {
    super(process, fd, id === 0 ? 'vcpu' : `vcpu${id}`)
  }

  init(features: readonly VcpuFeature[] = ['psci-0.2']): Promise<void> {
    return this.traced('init', [features], span => this.initialise(span, features))
  }

  /** `KVM_ARM_PREFERRED_TARGET` and `KVM_ARM_VCPU_INIT` as part of another call. */
  async initialise(span: Span, features: readonly VcpuFeature[]): Promise<void> {
    const bits = featureBits('vcpu.init', features)
    const preferred = vcpuInit(0, [])
    await this.process.call(span, 'ioctl', [this.vm.fd, KVM.ARM_PREFERRED_TARGET, preferred])
    const target = new DataView(preferred.buffer).getUint32(0, true)
    await this.request(span, KVM.ARM_VCPU_INIT, vcpuInit(target, bits))
  }

  get(register: RegisterName | bigint): Promise<bigint> {
    return this.traced('get', [register], span => this.readRegister(span, registerId('vcpu.get', register)))
  }

  set(register: RegisterName | bigint, value: bigint | number): Promise<void> {
    return this.traced('set', [register, value], async span => {
      const id = registerId('vcpu.set', register)
      const bytes = registerBytes(id)
      const wide = needValue('vcpu.set', 'value', value, Math.min(64, 8 * bytes))
      await this.oneRegister(span, KVM.SET_ONE_REG, id, littleEndian(wide, 8), `${registerName(id)} = ${showValue(wide)}`)
    })
  }

  registers(): Promise<Record<CoreRegister, bigint>> {
    return this.traced('registers', [], async span => {
      const all = {} as Record<CoreRegister, bigint>
      for (const name of CORE_REGISTERS) all[name] = await this.readRegister(span, REGISTER_ID[name])
      return all
    })
  }

  registerIds(): Promise<bigint[]> {
    return this.traced('registerIds', [], async span => {
      // The kernel says E2BIG and how many there are when the array is too short.
      const count = new Uint8Array(STRUCT_BYTES.kvm_reg_list)
      await this.request(span, KVM.GET_REG_LIST, count, { expect: [E2BIG] })
      const list = new Uint8Array(STRUCT_BYTES.kvm_reg_list + 8 * Number(wordOf(count)))
      list.set(count)
      await this.request(span, KVM.GET_REG_LIST, list)
      const view = new DataView(list.buffer)
      return Array.from({ length: Number(wordOf(list)) }, (_, i) => view.getBigUint64(8 + 8 * i, true))
    })
  }

  run(options: RunOptions = {}): Promise<Exit> {
    return this.traced('run', [options], async span => {
      needOptions('vcpu.run', 'options', options, ['limitMs'])
      const limitMs = options.limitMs === undefined ? DEFAULT_LIMIT_MS : needNumber('vcpu.run', 'limitMs', options.limitMs, { least: 0.001, most: MOST_LIMIT_MS })
      const result = await this.request(span, KVM.RUN, 0, {
        limitMicroseconds: Math.max(1, Math.round(limitMs * 1000)),
        expect: [EINTR, EFAULT],
      })
      if (result === BigInt(-EINTR)) return { reason: 'interrupted', limitMs }
      const run = readRun(await this.process.load(span, this.runAddress, RUN_BYTES, 8))
      if (result === BigInt(-EFAULT)) return memoryFault(run)
      return this.exitOf(run)
    })
  }

  override async release(span: Span): Promise<void> {
    if (this.closed) return
    // struct kvm_run keeps the vCPU, and with it the VM, alive as long as it is mapped.
    await unmapFrom(this.process, span, this.runAddress, this.runBytes)
    await super.release(span)
  }

  private async readRegister(span: Span, id: bigint): Promise<bigint> {
    const value = await this.oneRegister(span, KVM.GET_ONE_REG, id, new Uint8Array(8), registerName(id))
    return wordOf(value.subarray(0, Math.min(8, registerBytes(id))))
  }

  /** The structure and the value it points to lie side by side in scratch memory. */
  private async oneRegister(span: Span, request: number, id: bigint, value: Uint8Array, shown: string): Promise<Uint8Array> {
    if (registerBytes(id) > 8) throw new TypeError(`vcpu: register ${showValue(id)} is ${registerBytes(id)} bytes; use vcpu.ioctl for it.`)
    const { scratchAddress } = await this.process.hello()
    const both = new Uint8Array(STRUCT_BYTES.kvm_one_reg + 8)
    both.set(oneReg(id, scratchAddress + BigInt(STRUCT_BYTES.kvm_one_reg)))
    both.set(value, STRUCT_BYTES.kvm_one_reg)
    await this.request(span, request, both, { text: `ioctl(${this.fd}, ${ioctlName(request)}, ${shown})` })
    return both.subarray(STRUCT_BYTES.kvm_one_reg)
  }

  private exitOf(run: KvmRun): Exit {
    const { exitReason } = run
    switch (exitReason) {
      case KVM_EXIT.MMIO: {
        const { address, data, length, isWrite } = run.mmio
        if (isWrite) return { reason: 'mmio', isWrite, address, length, data, value: wordOf(data) }
        return this.mmioRead(address, length)
      }
      case KVM_EXIT.HYPERCALL: {
        const { number, args, flags } = run.hypercall
        return { reason: 'hypercall', function: number, args, conduit: (flags & HYPERCALL_EXIT_SMC) !== 0n ? 'smc' : 'hvc' }
      }
      case KVM_EXIT.SYSTEM_EVENT: {
        const { type, data } = run.systemEvent
        return { reason: 'system-event', event: SYSTEM_EVENT[type as keyof typeof SYSTEM_EVENT] ?? 'unknown', number: type, data }
      }
      case KVM_EXIT.FAIL_ENTRY:
        return { reason: 'fail-entry', ...run.failEntry }
      case KVM_EXIT.INTERNAL_ERROR:
        return { reason: 'internal-error', ...run.internal }
      default:
        return { reason: 'unknown', number: exitReason, name: exitName(exitReason) }
    }
  }

  private mmioRead(address: bigint, length: number): MmioReadExit {
    return {
      reason: 'mmio',
      isWrite: false,
      address,
      length,
      answer: (value: bigint | number | Uint8Array) =>
        this.traced('answerMmio', [value], span => {
          const bytes = value instanceof Uint8Array ? value : littleEndian(needValue('exit.answer', 'value', value, 8 * length), length)
          if (bytes.length !== length) throw new TypeError(`exit.answer: the guest loads ${length} bytes, not ${bytes.length}.`)
          return this.process.store(span, this.runAddress + BigInt(RUN_MMIO_DATA), bytes)
        }),
    }
  }
}

function memoryFault(run: KvmRun): Exit {
  const told = run.exitReason === KVM_EXIT.MEMORY_FAULT
  return {
    reason: 'memory-fault',
    code: errnoName(EFAULT) as 'EFAULT',
    guestAddress: told ? run.memoryFault.guestAddress : null,
    bytes: told ? run.memoryFault.bytes : null,
    explanation: explain('KVM_RUN', EFAULT),
  }
}

export function featureBits(call: string, features: unknown): number[] {
  if (!Array.isArray(features)) throw new TypeError(`${call}: features must be an array such as ['psci-0.2'].`)
  return features.map(feature => VCPU_FEATURE[needName(call, 'feature', feature, VCPU_FEATURE)])
}

function registerId(call: string, register: unknown): bigint {
  if (typeof register === 'bigint') return needBigint(call, 'register', register)
  return REGISTER_ID[needName(call, 'register', register, REGISTER_ID)]
}

/** What `createVcpu` takes, checked. */
export function vcpuId(call: string, id: unknown): number {
  return needInteger(call, 'id', id, { most: 0xffff_ffff })
}
