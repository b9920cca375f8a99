/**
 * The initrd that ships with the lab: its init program, assembled from lessons/init, and what a Linux initramfs needs
 * around it.
 */
import { assemble } from '../isa/assemble.ts'
import { formatDiagnostic } from '../isa/assemble-lexer.ts'
import { allRows } from '../isa/table.ts'
import { type CpioEntry, Mode, writeCpio } from './cpio.ts'
import { writeElf } from './elf-writer.ts'

/** The source that includes all others. */
export const INIT_SOURCE = 'init.s'
/** Where the program is linked. Any address above mmap_min_addr would do; this is the customary one. */
const INIT_ORIGIN = 0x400000n

/** The sources have errors; each message has file, line and column. */
export class InitSourceError extends Error {
  readonly messages: readonly string[]
  constructor(messages: readonly string[]) {
    super(`the init program does not assemble:\n${messages.join('\n')}`)
    this.messages = messages
  }
}

/**
 * Assemble the init program.
 * @param sources text of every file by its name without directory: `init.s`, `print.s`, ...
 * @returns a static ELF executable.
 * @throws InitSourceError when a source is missing or wrong.
 */
export function buildInitProgram(sources: Readonly<Record<string, string>>): Uint8Array {
  const main = sources[INIT_SOURCE]
  if (main === undefined) throw new InitSourceError([`${INIT_SOURCE} is missing`])
  const result = assemble(main, {
    file: INIT_SOURCE,
    origin: INIT_ORIGIN,
    rows: allRows,
    sectionAlignment: 0x1000,
    include: (path) => sources[path],
  })
  const entry = result.symbols.get('_start')
  const messages = result.diagnostics.map(formatDiagnostic)
  if (entry === undefined) messages.push(`${INIT_SOURCE}: there is no _start`)
  if (messages.length > 0) throw new InitSourceError(messages)
  return writeElf(result.sections, entry!)
}

export type InitrdOptions = InitProgram & {
  /** A static arm64 busybox for `lab.init=shell`; without it that word on the command line gives a message. */
  readonly busybox?: Uint8Array
  /** More files, for lessons. Their directories must be among them or among the standard ones. */
  readonly files?: readonly CpioEntry[]
}

/** Texts of lessons/init by file name, or what `buildInitProgram` made of them. */
type InitProgram = { readonly sources: Readonly<Record<string, string>> } | { readonly program: Uint8Array }

const DIRECTORIES = ['bin', 'dev', 'etc', 'proc', 'root', 'sbin', 'sys', 'tmp', 'usr', 'usr/bin', 'usr/sbin']

/**
 * The initrd as an uncompressed cpio archive. Equal inputs give equal bytes.
 * @throws InitSourceError when the sources do not assemble.
 */
export function buildInitrd(options: InitrdOptions): Uint8Array {
  const entries: CpioEntry[] = DIRECTORIES.map((path) => ({ path, mode: Mode.directory | 0o755 }))
  // The kernel opens it as descriptors 0 to 2 before it starts /init.
  entries.push({ path: 'dev/console', mode: Mode.characterDevice | 0o600, device: [5, 1] })
  const program = 'program' in options ? options.program : buildInitProgram(options.sources)
  entries.push({ path: 'init', mode: Mode.regular | 0o755, data: program })
  if (options.busybox !== undefined)
    entries.push({ path: 'bin/busybox', mode: Mode.regular | 0o755, data: options.busybox })
  return writeCpio([...entries, ...(options.files ?? [])])
}
