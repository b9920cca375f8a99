/** Reading and editing a kernel command line as text, without disturbing what the learner typed around it. */

export const DEFAULT_COMMAND_LINE = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'

/** `absent` means that the command line has no `kvm-arm.mode=` at all. */
export type KvmMode = 'absent' | 'none' | 'nvhe' | 'protected' | 'nested'

export interface KvmModeChoice {
  mode: KvmMode
  label: string
  /** What the kernel does with it on the lab's CPU, which has no VHE. */
  meaning: string
}

export const KVM_MODES: readonly KvmModeChoice[] = [
  {
    mode: 'absent',
    label: 'absent',
    meaning:
      'No option. This CPU has no VHE, so the kernel stays at EL1 and leaves a small hypervisor at EL2. It makes normal VMs only.',
  },
  { mode: 'none', label: 'none', meaning: 'KVM stays switched off. There is no /dev/kvm.' },
  {
    mode: 'nvhe',
    label: 'nvhe',
    meaning: 'Asks by name for what this CPU does anyway: kernel at EL1, hypervisor at EL2. A protected VM is refused with EINVAL.',
  },
  {
    mode: 'protected',
    label: 'protected',
    meaning:
      'pKVM. Once booted, the hypervisor guards memory against the kernel itself. A protected VM can be made, and making one taints the kernel.',
  },
  {
    mode: 'nested',
    label: 'nested',
    meaning: 'Wants nested virtualisation, which this CPU lacks: the kernel warns, taints itself with 512 and falls back to nvhe.',
  },
]

interface Word {
  text: string
  start: number
  end: number
}

/** Splits as the kernel's next_arg() does: at blanks, except inside double quotes. */
function words(line: string): Word[] {
  const found: Word[] = []
  let start = -1
  let quoted = false
  for (let i = 0; i <= line.length; i++) {
    const c = line[i]
    if (c === '"') quoted = !quoted
    const blank = c === undefined || (!quoted && /\s/.test(c))
    if (!blank && start < 0) start = i
    if (blank && start >= 0) {
      found.push({ text: line.slice(start, i), start, end: i })
      start = -1
    }
  }
  return found
}

/** The kernel takes dashes and underscores in parameter names as the same. */
function nameOf(word: string): string {
  return (word.split('=')[0] ?? '').replaceAll('-', '_')
}

const MODE_NAME = 'kvm_arm.mode'

function modeWords(line: string): Word[] {
  return words(line).filter(word => nameOf(word.text) === MODE_NAME && word.text.includes('='))
}

/**
 * The mode this command line asks for; the last one counts, as each occurrence is parsed in turn.
 * @returns null when the value is one the kernel does not know
 */
export function kvmModeOf(line: string): KvmMode | null {
  const last = modeWords(line).at(-1)
  if (last === undefined) return 'absent'
  const value = last.text.slice(last.text.indexOf('=') + 1)
  return KVM_MODES.find(choice => choice.mode !== 'absent' && choice.mode === value)?.mode ?? null
}

/** The same command line asking for `mode`: the last occurrence is edited in place, others are removed. */
export function withKvmMode(line: string, mode: KvmMode): string {
  const found = modeWords(line)
  const keep = mode === 'absent' ? undefined : found.at(-1)
  let result = line
  for (const word of found.toReversed()) {
    if (word === keep) {
      const name = word.text.slice(0, word.text.indexOf('='))
      result = `${result.slice(0, word.start)}${name}=${mode}${result.slice(word.end)}`
    } else {
      const before = result.slice(0, word.start).trimEnd()
      const after = result.slice(word.end).trimStart()
      result = before === '' || after === '' ? before + after : `${before} ${after}`
    }
  }
  if (mode !== 'absent' && keep === undefined) {
    const option = `kvm-arm.mode=${mode}`
    const first = words(result)[0]
    // After the console, where a reader of the default line looks for it.
    if (first?.text.startsWith('console=')) {
      return `${result.slice(0, first.end)} ${option}${result.slice(first.end)}`
    }
    result = result.trim() === '' ? option : `${result.trimEnd()} ${option}`
  }
  return result
}

export interface ExplainedWord {
  /** Where in the line it stands. */
  start: number
  word: string
  meaning: string
}

const MEANINGS: readonly { name: string; value?: string; meaning: string }[] = [
  { name: 'console', value: 'ttyAMA0', meaning: 'kernel messages go to the first serial port: the terminal on this page' },
  { name: 'cryptomgr.notests', meaning: 'skips the self-tests of the crypto code, which would make the boot about four times longer' },
  { name: 'earlycon', meaning: 'messages from the first moments too, before the serial driver exists' },
  { name: 'nokaslr', meaning: 'the kernel stays at its link address' },
  { name: 'quiet', meaning: 'only warnings reach the console' },
  { name: 'loglevel', meaning: 'how much reaches the console, 0 to 7' },
  { name: 'ignore_loglevel', meaning: 'everything reaches the console' },
  { name: 'lab.init', value: 'agent', meaning: 'the lab agent in place of the probe: it carries out what scripts ask' },
  { name: 'lab.init', value: 'shell', meaning: 'a busybox shell instead of the probe' },
  { name: 'arm64_sw.hvhe', meaning: 'whether the hypervisor uses VHE registers; this CPU has none' },
  { name: 'id_aa64mmfr1.vh', meaning: 'overrides the VHE field of the ID register' },
]

/** What the known words of a command line do. Words the lab has nothing to say about are left out. */
export function explain(line: string): ExplainedWord[] {
  const explained: ExplainedWord[] = []
  for (const { text, start } of words(line)) {
    const name = nameOf(text)
    const value = text.includes('=') ? text.slice(text.indexOf('=') + 1) : undefined
    const known = MEANINGS.find(
      entry =>
        nameOf(entry.name) === name && (entry.value === undefined || value === entry.value || value?.startsWith(`${entry.value},`)),
    )
    if (known !== undefined) explained.push({ start, word: text, meaning: known.meaning })
  }
  return explained
}
