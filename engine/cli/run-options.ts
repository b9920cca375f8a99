/** The command line of `pkvm-lab run`. Names are QEMU's where QEMU has one. */
export interface RunOptions {
  readonly kernel: string
  readonly initrd?: string
  readonly append: string
  /** RAM in MiB. */
  readonly ram: number
  readonly cpu: { readonly crypto: boolean }
  /** Stop with status 0 at the first console line that matches. */
  readonly until?: RegExp
  /** Stop with status 3 after so many instructions. */
  readonly maxInstructions?: number
  readonly stats?: string
  readonly dumpRam?: string
  readonly dumpOwnership?: string
  /** Keep the event log and write it here at the end. */
  readonly dumpEvents?: string
  /** Print a hash of registers and RAM at these instruction counts, on stderr. */
  readonly hashAt: readonly number[]
  readonly tier1: boolean
  /** Stop with status 1 where an invariant of pKVM falls (inspect/invariants). */
  readonly checkInvariants: boolean
  /** CONFIG_PROTECTED_VM_UAPI as the lab reproduces it (machine/v3-gate.ts). */
  readonly gate: 'y' | 'n'
}

/** Bad usage; the message is the one line the user sees. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export const RUN_USAGE =
  'usage: pkvm-lab run -kernel FILE|mini[,OPTION=y|n...] [-initrd FILE] [-append STRING] [-m MIB] [-cpu lab[,crypto=on|off]] [-until REGEX]\n' +
  '                    [-max-instructions N] [-stats FILE.json] [-dump-ram FILE] [-dump-ownership FILE.json]\n' +
  '                    [-dump-events FILE.json] [-hash-at N[,N...]] [-tier0] [-gate y|n] [-check-invariants]\n' +
  '-gate n refuses protected VMs as the dropped build option PROTECTED_VM_UAPI=n would have; y (default) is the kernel as it is.\n' +
  '-check-invariants asks the lab\'s rules of ownership after every stay at EL2, and stops with status 1 where one falls.\n' +
  '-kernel mini assembles and boots mini-pKVM; mini,PROTECTED_VM_UAPI=n builds it with that option.'

/** @throws UsageError */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const given = new Map<string, string>()
  const valued = new Set(['-kernel', '-initrd', '-append', '-m', '-cpu', '-until', '-max-instructions', '-stats', '-dump-ram', '-dump-ownership', '-dump-events', '-hash-at', '-gate'])
  for (let i = 0; i < args.length; i++) {
    const name = args[i]!.replace(/^--/, '-')
    if (name === '-tier0' || name === '-check-invariants') {
      given.set(name, '')
      continue
    }
    if (!valued.has(name)) throw new UsageError(`pkvm-lab run has no option ${args[i]}. ${RUN_USAGE}`)
    const value = args[++i]
    if (value === undefined) throw new UsageError(`${name} needs a value. ${RUN_USAGE}`)
    given.set(name, value)
  }
  const kernel = given.get('-kernel')
  if (kernel === undefined) throw new UsageError(`-kernel is missing: name an arm64 Image (npx pkvm-lab kernel list shows those at hand). ${RUN_USAGE}`)
  const text = <K extends string>(key: K, name: string) => (given.has(name) ? ({ [key]: given.get(name)! } as Record<K, string>) : {})
  const until = given.get('-until')
  return {
    kernel,
    ...text('initrd', '-initrd'),
    append: given.get('-append') ?? '',
    ram: parseRam(given.get('-m') ?? '512'),
    cpu: parseCpu(given.get('-cpu') ?? 'lab'),
    ...(until === undefined ? {} : { until: parseRegExp(until) }),
    ...(given.has('-max-instructions') ? { maxInstructions: parseCount('-max-instructions', given.get('-max-instructions')!) } : {}),
    ...text('stats', '-stats'),
    ...text('dumpRam', '-dump-ram'),
    ...text('dumpOwnership', '-dump-ownership'),
    ...text('dumpEvents', '-dump-events'),
    hashAt: (given.get('-hash-at') ?? '').split(',').filter(Boolean).map((n) => parseCount('-hash-at', n)),
    tier1: !given.has('-tier0'),
    checkInvariants: given.has('-check-invariants'),
    gate: parseGate(given.get('-gate') ?? 'y'),
  }
}

function parseGate(text: string): 'y' | 'n' {
  if (text === 'y' || text === 'n') return text
  throw new UsageError(`-gate is the value of CONFIG_PROTECTED_VM_UAPI, y or n, not "${text}".`)
}

function parseCount(name: string, text: string): number {
  const n = Number(text.replace(/_/g, ''))
  if (!Number.isSafeInteger(n) || n <= 0) throw new UsageError(`${name} needs a positive whole number, not "${text}".`)
  return n
}

/** MiB, with QEMU's optional M or G behind it. */
function parseRam(text: string): number {
  const m = /^(\d+)([MmGg]?)$/.exec(text)
  if (m === null) throw new UsageError(`-m needs a size in MiB such as 512, 512M or 1G, not "${text}".`)
  return Number(m[1]) * (/[Gg]/.test(m[2]!) ? 1024 : 1)
}

function parseCpu(text: string): { crypto: boolean } {
  const [name, ...features] = text.split(',')
  if (name !== 'lab') throw new UsageError(`-cpu knows one model, lab, not "${name}".`)
  let crypto = false
  for (const f of features) {
    const m = /^crypto=(on|off)$/.exec(f)
    if (m === null) throw new UsageError(`-cpu lab has the feature crypto=on|off, not "${f}".`)
    crypto = m[1] === 'on'
  }
  return { crypto }
}

function parseRegExp(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    throw new UsageError(`-until needs a regular expression; "${text}" is not one.`)
  }
}
