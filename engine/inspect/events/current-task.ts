import { type CpuState, SYSREG_BASE } from '../../cpu/state.ts'
import { Slot } from '../../cpu/register-slots.ts'
import type { KernelData } from '../kernel-data.ts'
import { attempt } from '../known.ts'

const TASK_COMM_LEN = 16

/** The host's running task, from the kernel's own per-CPU `__entry_task` and `struct task_struct`. */
export class CurrentTask {
  private readonly fields: { readonly entryTask: bigint; readonly comm: number; readonly pid: number } | null
  /** A kernel without per-CPU copies has the variable itself. */
  private readonly perCpu: boolean
  /** The linear map does not move: where pages of it are. */
  private readonly places = new Map<bigint, number>()

  constructor(
    private readonly kernel: KernelData,
    private readonly state: CpuState,
  ) {
    const found = attempt(() => ({
      comm: kernel.btf.offsetOf('task_struct', 'comm'),
      pid: kernel.btf.offsetOf('task_struct', 'pid'),
      physical: kernel.address('__entry_task'),
    }))
    this.perCpu = kernel.has('__per_cpu_start') || kernel.has('__per_cpu_offset')
    this.fields = found.known ? { ...found.value, entryTask: BigInt(found.value.physical) } : null
  }

  /** `init[1]`, or undefined before there are tasks. Ask only while the host's registers are in place. */
  name(): string | undefined {
    if (this.fields === null || !this.kernel.symboliser.known) return undefined
    const template = this.kernel.symboliser.value.virtualOf('__entry_task')
    const offset = this.perCpu ? this.state.u64[(SYSREG_BASE >> 3) + Slot.TPIDR_EL1]! : 0n
    if (template === undefined || (this.perCpu && offset === 0n)) return undefined
    const task = this.word(BigInt.asUintN(64, template + offset))
    // A task lies where the kernel's variables lie, in the upper half on Linux.
    if (task === undefined || task === 0n || task >> 48n !== template >> 48n) return undefined
    const { memory } = this.kernel
    const comm = this.place(task + BigInt(this.fields.comm))
    const pid = this.place(task + BigInt(this.fields.pid))
    if (comm === undefined || pid === undefined) return undefined
    return `${memory.text(comm, TASK_COMM_LEN)}[${memory.u32(pid)}]`
  }

  private word(va: bigint): bigint | undefined {
    const at = this.place(va)
    return at === undefined ? undefined : this.kernel.memory.u64(at)
  }

  private place(va: bigint): number | undefined {
    const page = va >> 12n
    let base = this.places.get(page)
    if (base === undefined) {
      base = this.kernel.kernelPhysical(page << 12n)
      if (base === undefined || !this.kernel.memory.has(base, 4096)) return undefined
      this.places.set(page, base)
    }
    return base + Number(va & 0xfffn)
  }
}
