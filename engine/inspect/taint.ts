import { attempt, type Known } from './known.ts'
import type { KernelData } from './kernel-data.ts'

export interface TaintFlag {
  readonly bit: number
  readonly letter: string
  readonly meaning: string
}

export interface Taint {
  /** `tainted_mask`, as in /proc/sys/kernel/tainted. */
  readonly value: number
  readonly flags: readonly TaintFlag[]
}

/** Documentation/admin-guide/tainted-kernels.rst, for kernels whose own table cannot be read. */
const DOCUMENTED: readonly (readonly [letter: string, meaning: string])[] = [
  ['P', 'proprietary module was loaded'],
  ['F', 'module was force loaded'],
  ['S', 'kernel running on an out of specification system'],
  ['R', 'module was force unloaded'],
  ['M', 'processor reported a machine check exception'],
  ['B', 'bad page referenced or some unexpected page flags'],
  ['U', 'taint requested by userspace application'],
  ['D', 'kernel died recently'],
  ['A', 'ACPI table overridden by user'],
  ['W', 'kernel issued warning'],
  ['C', 'staging driver was loaded'],
  ['I', 'workaround for bug in platform firmware applied'],
  ['O', 'externally-built module was loaded'],
  ['E', 'unsigned module was loaded'],
  ['L', 'soft lockup occurred'],
  ['K', 'kernel has been live patched'],
  ['X', 'auxiliary taint'],
  ['T', 'kernel was built with the struct randomization plugin'],
  ['N', 'an in-kernel test has been run'],
  ['J', 'userspace used a mutating debug operation in fwctl'],
]

/** The taint mask with its letters, from the kernel's own `taint_flags` where that can be read. */
export function readTaint(kernel: KernelData): Known<Taint> {
  return attempt(() => {
    const mask = kernel.memory.u64(kernel.address('tainted_mask'))
    const flags: TaintFlag[] = []
    for (let bit = 0; bit < 64; bit++) if ((mask >> BigInt(bit)) & 1n) flags.push(flagOf(kernel, bit))
    return { value: Number(mask), flags }
  })
}

function flagOf(kernel: KernelData, bit: number): TaintFlag {
  const own = attempt(() => {
    const { btf, memory } = kernel
    const at = kernel.address('taint_flags') + bit * btf.sizeOfNamed('taint_flag')
    const letter = String.fromCharCode(Number(memory.field(at, btf.field('taint_flag', 'c_true'))))
    const text = kernel.kernelPhysical(memory.field(at, btf.field('taint_flag', 'desc')))
    return { letter, text: text === undefined ? '' : memory.text(text) }
  })
  const [letter, meaning] = DOCUMENTED[bit] ?? ['?', 'not known to this lab']
  if (!own.known || !/^[A-Z]$/.test(own.value.letter)) return { bit, letter, meaning }
  return {
    bit,
    letter: own.value.letter,
    meaning: own.value.text !== '' ? own.value.text.toLowerCase().replaceAll('_', ' ') : meaning,
  }
}
