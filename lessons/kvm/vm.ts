import { needBigint, needBoolean, needInteger, needName, needOptions } from './arguments.ts'
import { Descriptor } from './descriptor.ts'
import { SlotMemory } from './guest-memory.ts'
import { CAPABILITY, KVM, KVM_MEM_READONLY, KVM_VM_TYPE_ARM_PROTECTED } from './kvm-numbers.ts'
import { memoryRegion } from './kvm-structs.ts'
import type { Capability, Kvm, KvmDevice, MemoryOptions, MemoryRegion, VcpuOptions, Vm, VmOptions } from './lab.d.ts'
import { mapInto, O_CLOEXEC, OwnMapping, unmapFrom } from './mapping.ts'
import type { VmmProcess } from './process.ts'
import { showValue, type Span } from './trace.ts'
import { featureBits, VirtualCpu, vcpuId } from './vcpu.ts'

const O_RDWR = 2
const MAP_SHARED = true

/** `/dev/kvm` of one process. */
export function kvmOf(process: VmmProcess): Kvm {
  return {
    open: () =>
      process.tracer.span(null, 'kvm.open()', async span => {
        const fd = await process.call(span, 'openat', [-100, '/dev/kvm', O_RDWR | O_CLOEXEC, 0])
        return new Device(process, Number(fd))
      }),
  }
}

class Device extends Descriptor implements KvmDevice {
  constructor(process: VmmProcess, fd: number) {
    super(process, fd, 'dev')
  }

  apiVersion(): Promise<number> {
    return this.traced('apiVersion', [], async span => Number(await this.request(span, KVM.GET_API_VERSION, 0)))
  }

  checkExtension(capability: Capability | number): Promise<number> {
    return this.traced('checkExtension', [capability], span => extension('dev.checkExtension', this.process, span, this.fd, capability))
  }

  vcpuMmapSize(): Promise<number> {
    return this.traced('vcpuMmapSize', [], async span => Number(await this.request(span, KVM.GET_VCPU_MMAP_SIZE, 0)))
  }

  createVm(options: VmOptions = {}): Promise<Vm> {
    return this.traced('createVm', [options], async span => {
      needOptions('dev.createVm', 'options', options, ['protected', 'ipaBits', 'type'])
      const type = vmType(options)
      const fd = await this.request(span, KVM.CREATE_VM, type, {
        text: `ioctl(${this.fd}, KVM_CREATE_VM, ${showValue(type)})`,
        circumstances: async () => ({ vmType: type, commandLine: await commandLine(this.process, span) }),
      })
      return new VirtualMachine(this.process, Number(fd), type, this.fd)
    })
  }
}

function vmType({ protected: isProtected = false, ipaBits = 0, type }: VmOptions): bigint {
  const call = 'dev.createVm'
  if (type !== undefined) return typeof type === 'number' ? BigInt(needInteger(call, 'type', type)) : needBigint(call, 'type', type)
  needBoolean(call, 'protected', isProtected)
  needInteger(call, 'ipaBits', ipaBits, { most: 255 })
  return (isProtected ? KVM_VM_TYPE_ARM_PROTECTED : 0n) | BigInt(ipaBits)
}

async function extension(call: string, process: VmmProcess, span: Span, fd: number, capability: unknown): Promise<number> {
  const number = typeof capability === 'number' ? needInteger(call, 'capability', capability) : CAPABILITY[needName(call, 'capability', capability, CAPABILITY)]
  return Number(await process.call(span, 'ioctl', [fd, KVM.CHECK_EXTENSION, number]))
}

/** For the explanation of an error: what the kernel was booted with. Empty when that cannot be read. */
async function commandLine(process: VmmProcess, span: Span): Promise<string> {
  try {
    const fd = await process.call(span, 'openat', [-100, '/proc/cmdline', O_CLOEXEC, 0])
    const text = new Uint8Array(2048)
    const bytes = await process.call(span, 'read', [fd, text, text.length])
    await process.call(span, 'close', [fd])
    return new TextDecoder().decode(text.subarray(0, Number(bytes))).trim()
  } catch {
    return ''
  }
}

class VirtualMachine extends Descriptor implements Vm {
  readonly protected: boolean
  private readonly slots = new Set<number>()
  private readonly vcpus: VirtualCpu[] = []

  constructor(
    process: VmmProcess,
    fd: number,
    readonly type: bigint,
    private readonly deviceFd: number,
  ) {
    super(process, fd, 'vm')
    this.protected = (type & KVM_VM_TYPE_ARM_PROTECTED) !== 0n
  }

  addMemory(options: MemoryOptions): Promise<SlotMemory> {
    return this.traced('addMemory', [options], async span => {
      const call = 'vm.addMemory'
      needOptions(call, 'options', options, ['slot', 'guestAddress', 'bytes', 'readOnly', 'from'])
      const guestAddress = needBigint(call, 'guestAddress', options.guestAddress)
      const bytes = needInteger(call, 'bytes', options.bytes, { least: 1, most: 2 ** 40 })
      const slot = options.slot === undefined ? this.freeSlot() : needInteger(call, 'slot', options.slot, { most: 0xffff_ffff })
      const readOnly = needBoolean(call, 'readOnly', options.readOnly ?? false)
      const { from } = options
      if (from !== undefined) {
        // A mapping of this module, another slot's memory too; or anything with an address and a size.
        if (!(from instanceof OwnMapping)) needOptions(call, 'from', from, ['address', 'bytes', 'unmap'])
        needBigint(call, 'from.address', from.address)
        if (from.bytes < bytes) throw new TypeError(`${call}: from has ${from.bytes} bytes, the slot is to have ${bytes}.`)
      }
      const address = from?.address ?? (await mapInto(this.process, span, bytes))
      try {
        await this.region(span, { slot, flags: readOnly ? KVM_MEM_READONLY : 0, guestAddress, bytes, userAddress: address })
      } catch (error) {
        // What was mapped for nothing goes; the error that matters is the slot's.
        if (from === undefined) await unmapFrom(this.process, span, address, bytes).catch(() => {})
        throw error
      }
      return new SlotMemory(this.process, this, slot, guestAddress, address, bytes)
    })
  }

  setMemoryRegion(region: MemoryRegion): Promise<void> {
    return this.traced('setMemoryRegion', [region], span => {
      const call = 'vm.setMemoryRegion'
      needOptions(call, 'region', region, ['slot', 'flags', 'guestAddress', 'bytes', 'userAddress'])
      return this.region(span, {
        slot: needInteger(call, 'slot', region.slot, { most: 0xffff_ffff }),
        flags: needInteger(call, 'flags', region.flags ?? 0, { most: 0xffff_ffff }),
        guestAddress: needBigint(call, 'guestAddress', region.guestAddress),
        bytes: needInteger(call, 'bytes', region.bytes),
        userAddress: needBigint(call, 'userAddress', region.userAddress),
      })
    })
  }

  async deleteSlot(span: Span, slot: number): Promise<void> {
    await this.region(span, { slot, flags: 0, guestAddress: 0n, bytes: 0, userAddress: 0n })
  }

  createVcpu(options: VcpuOptions = {}): Promise<VirtualCpu> {
    return this.traced('createVcpu', [options], async span => {
      const call = 'vm.createVcpu'
      needOptions(call, 'options', options, ['id', 'features', 'init'])
      const id = options.id === undefined ? this.freeVcpuId() : vcpuId(call, options.id)
      const features = options.features ?? ['psci-0.2']
      featureBits(call, features)
      needBoolean(call, 'init', options.init ?? true)
      const fd = Number(await this.request(span, KVM.CREATE_VCPU, id))
      const close = () => this.process.call(span, 'close', [fd]).catch(() => {})
      let vcpu: VirtualCpu
      try {
        const runBytes = Number(await this.process.call(span, 'ioctl', [this.deviceFd, KVM.GET_VCPU_MMAP_SIZE, 0]))
        const runAddress = await mapInto(this.process, span, runBytes, { shared: MAP_SHARED }, fd)
        vcpu = new VirtualCpu(this.process, fd, this, id, runAddress, runBytes)
      } catch (error) {
        await close()
        throw error
      }
      this.vcpus.push(vcpu)
      if (options.init !== false) {
        try {
          await vcpu.initialise(span, features)
        } catch (error) {
          await vcpu.release(span).catch(() => {})
          throw error
        }
      }
      return vcpu
    })
  }

  checkExtension(capability: Capability | number): Promise<number> {
    return this.traced('checkExtension', [capability], span => extension('vm.checkExtension', this.process, span, this.fd, capability))
  }

  override async release(span: Span): Promise<void> {
    if (this.closed) return
    for (const vcpu of this.vcpus) await vcpu.release(span).catch(ignoreClosedUnderUs)
    await super.release(span)
  }

  private async region(span: Span, region: Parameters<typeof memoryRegion>[0]): Promise<void> {
    const { slot, guestAddress, bytes } = region
    await this.request(span, KVM.SET_USER_MEMORY_REGION, memoryRegion(region), {
      text: `ioctl(${this.fd}, KVM_SET_USER_MEMORY_REGION, { slot: ${slot}, guest_phys_addr: ${showValue(guestAddress)}, memory_size: 0x${bytes.toString(16)}, userspace_addr: ${showValue(region.userAddress)} })`,
    })
    if (bytes === 0) this.slots.delete(slot)
    else this.slots.add(slot)
  }

  private freeSlot(): number {
    let slot = 0
    while (this.slots.has(slot)) slot++
    return slot
  }

  private freeVcpuId(): number {
    let id = 0
    while (this.vcpus.some(vcpu => vcpu.id === id)) id++
    return id
  }
}

/** A script may have closed a vCPU's descriptor behind its object's back (EBADF); closing the VM goes on. */
function ignoreClosedUnderUs(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'KernelError') throw error
}

