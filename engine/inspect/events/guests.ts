import type { KernelData } from '../kernel-data.ts'
import { readVmTable, type VmView } from '../vm-table.ts'
import type { HostCall } from './hypercalls.ts'
import { type Draft, type Moment, taskDetail } from './moment.ts'
import { handleText } from './ownership-words.ts'
import type { SlotChange } from './ownership-watch.ts'

/** Who the VMIDs are, and which vCPU is loaded, from pKVM's table of VMs and the host's calls. */
export class Guests {
  /** By VMID. */
  private readonly live = new Map<number, { readonly handle: number; readonly slot: number }>()
  private readonly handleOfSlot = new Map<number, number>()
  private loaded: { readonly handle: number; readonly index: number } | null = null

  constructor(private readonly kernel: KernelData) {}

  save() {
    return { live: [...this.live], handleOfSlot: [...this.handleOfSlot], loaded: this.loaded }
  }

  restore(saved: ReturnType<Guests['save']>): void {
    this.clear()
    for (const [vmid, vm] of saved.live) this.live.set(vmid, vm)
    for (const [slot, handle] of saved.handleOfSlot) this.handleOfSlot.set(slot, handle)
    this.loaded = saved.loaded
  }

  clear(): void {
    this.live.clear()
    this.handleOfSlot.clear()
    this.loaded = null
  }

  /** Learn the table as it is. @throws UnknownError */
  readAll(): void {
    for (const vm of readVmTable(this.kernel)) this.learn(vm)
  }

  handleOf(vmid: number): number | undefined {
    return this.live.get(vmid)?.handle
  }

  get loadedHandle(): number | undefined {
    return this.loaded?.handle
  }

  /** `host`, `VM 0x1000`, `guest with VMID 3`. */
  worldWords(vmid: number): string {
    if (vmid === 0) return 'host'
    const handle = this.handleOf(vmid)
    return handle === undefined ? `guest with VMID ${vmid}` : handleText(handle)
  }

  /** `VM 0x1000 vCPU 0`. */
  vcpuWords(vmid: number): string {
    const words = this.worldWords(vmid)
    return this.loaded !== null && this.loaded.handle === this.handleOf(vmid)
      ? `${words} vCPU ${this.loaded.index}`
      : words
  }

  /** The host's calls that load and put vCPUs, when they return. */
  called(call: HostCall): void {
    if (call.name === '__pkvm_vcpu_load')
      this.loaded = { handle: Number(call.args[0]!.value), index: Number(call.args[1]!.value) }
    else if (call.name === '__pkvm_vcpu_put') this.loaded = null
  }

  /**
   * A slot of the table was written.
   * @param created called with a VM that has just come to life, before it is told
   */
  slotChanged(change: SlotChange<Moment>, cause: Record<string, string>, created: (vm: VmView) => void): Draft | null {
    const { slot, value, moment } = change
    if (value === 0n) {
      const handle = this.handleOfSlot.get(slot)
      this.handleOfSlot.delete(slot)
      const vmid = [...this.live].find(([, vm]) => vm.slot === slot)?.[0]
      if (vmid !== undefined) this.live.delete(vmid)
      const who = handle === undefined ? `the VM in slot ${slot}` : handleText(handle)
      const text = `${who} ${vmid === undefined ? 'unreserved' : 'destroyed'}`
      return {
        ...moment,
        kind: 'vm',
        text,
        details: { slot: String(slot), ...cause },
        ...(handle === undefined ? {} : { vm: handle }),
      }
    }
    const vm = readVmTable(this.kernel).find((v) => v.slot === slot)
    if (vm === undefined) return null
    this.learn(vm)
    const alive = vm.address === value
    if (alive) created(vm)
    const kind = alive && vm.protected.known ? (vm.protected.value ? 'protected ' : 'normal ') : ''
    const text = alive ? `${kind}${handleText(vm.handle)} created` : `${handleText(vm.handle)} reserved`
    const vmid: Record<string, string> = vm.vmid.known ? { vmid: String(vm.vmid.value) } : {}
    return { ...moment, kind: 'vm', text, details: { slot: String(slot), ...vmid, ...cause }, vm: vm.handle }
  }

  /** The host's call that begins a teardown has succeeded. */
  teardown(moment: Moment, handle: number, task: string | undefined): Draft {
    return {
      ...moment,
      kind: 'vm',
      text: `${handleText(handle)}: its teardown begins`,
      details: taskDetail(task),
      vm: handle,
    }
  }

  private learn(vm: VmView): void {
    this.handleOfSlot.set(vm.slot, vm.handle)
    if (vm.vmid.known) this.live.set(vm.vmid.value, { handle: vm.handle, slot: vm.slot })
  }
}
