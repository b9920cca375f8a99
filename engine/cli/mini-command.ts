import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { configureSystem, type ConfiguredSystem, DEFCONFIG, KCONFIG, MINI, type SystemFiles, type Wishes } from '../../lessons/mini-pkvm/system.ts'
import { describeSystem } from '../inspect/assembled-kernel.ts'
import { describeImage, type KernelDescription } from '../inspect/kernel-data.ts'
import { formatListing } from '../isa/assemble.ts'
import { formatDiagnostic } from '../isa/assemble-lexer.ts'
import { type BuiltSystem, buildSystem } from '../machine/assembled-system.ts'
import { readInput } from './files.ts'
import { initSources } from './initrd-command.ts'
import { UsageError } from './run-options.ts'

const USAGE =
  'usage: pkvm-lab mini build [-o FILE] [-option NAME=y|n]... [-listing] [-sources DIRECTORY] | pkvm-lab mini measure\n' +
  '  -o writes the Image, which the lab and qemu-system-aarch64 boot; -listing prints address, bytes and source.'

/** The system does not assemble; the message has the errors with their places. */
export class BuildFailure extends Error {
  override name = 'BuildFailure'
}

/** A kernel to boot, and what it says of itself. */
export interface BootableKernel {
  readonly image: Uint8Array
  /** Assembled here, with its options. */
  readonly built: boolean
  /** For a file this takes some hundred milliseconds. */
  describe(): KernelDescription
}

/**
 * What `-kernel` names: a file, or `mini` with options behind commas.
 * @throws InputFileError, UsageError, BuildFailure, KconfigError
 */
export async function readKernel(name: string, projectRoot: string): Promise<BootableKernel> {
  const [word, ...settings] = name.split(',')
  if (word !== MINI) {
    const image = await readInput(name, 'kernel')
    return { image, built: false, describe: () => describeImage(image) }
  }
  const built = build(configured(await miniFiles(miniDirectory(projectRoot)), wishesOf(settings)))
  return { image: built.image, built: true, describe: () => describeSystem(built) }
}

/** `pkvm-lab mini build`. */
export async function miniCommand(args: readonly string[], projectRoot: string): Promise<number> {
  if (args[0] === 'measure' && args.length === 1) {
    const { measureMini } = await import('./mini-measure.ts')
    process.stdout.write(measureMini(configured(await miniFiles(miniDirectory(projectRoot)), {}).system, await initSources(projectRoot)))
    return 0
  }
  if (args[0] !== 'build') throw new UsageError(USAGE)
  const options: string[] = []
  let output: string | undefined
  let listing = false
  let directory = miniDirectory(projectRoot)
  for (let i = 1; i < args.length; i++) {
    const name = args[i]!.replace(/^--/, '-')
    const value = (): string => {
      const text = args[++i]
      if (text === undefined) throw new UsageError(`${name} needs a value. ${USAGE}`)
      return text
    }
    if (name === '-o') output = value()
    else if (name === '-option') options.push(value())
    else if (name === '-sources') directory = value()
    else if (name === '-listing') listing = true
    else throw new UsageError(`pkvm-lab mini build has no option ${args[i]}. ${USAGE}`)
  }
  const started = performance.now()
  const built = build(configured(await miniFiles(directory), wishesOf(options)))
  for (const w of built.warnings) process.stderr.write(`warning: ${formatDiagnostic(w)}\n`)
  if (listing) process.stdout.write(`${formatListing(built.listing)}\n`)
  if (output !== undefined) await writeFile(output, built.image)
  if (!listing) {
    const milliseconds = Math.round(performance.now() - started)
    process.stdout.write(`${output ?? 'mini-pKVM'}: ${built.image.length} bytes, ${built.listing.length} lines of the listing, ${milliseconds} ms\n`)
  }
  return 0
}

/** Where the project has mini-pKVM's files. */
export function miniDirectory(projectRoot: string): string {
  return join(projectRoot, 'lessons', 'mini-pkvm')
}

/** Kconfig, defconfig and assembly of a folder, by path from it. @throws UsageError when it is not there. */
export async function miniFiles(directory: string): Promise<SystemFiles> {
  if (!existsSync(directory))
    throw new UsageError(`the sources of mini-pKVM are not in ${directory}: run the command from a clone of the project.`)
  const files: Record<string, string> = {}
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const path = relative(directory, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/')
    if (entry.isFile() && (path.endsWith('.s') || path === KCONFIG || path === DEFCONFIG)) {
      files[path] = await readFile(join(directory, path), 'utf8')
    }
  }
  return files
}

/** `PROTECTED_VM_UAPI=n`, with or without CONFIG_. @throws UsageError */
function wishesOf(settings: readonly string[]): Wishes {
  return Object.fromEntries(
    settings.map((text) => {
      const m = /^(?:CONFIG_)?(\w+)=([yn])$/.exec(text)
      if (m === null) throw new UsageError(`an option of mini-pKVM is NAME=y or NAME=n, not "${text}".`)
      return [m[1]!, m[2] as 'y' | 'n']
    }),
  )
}

/** @throws UsageError for a wish that cannot be fulfilled, KconfigError */
function configured(files: SystemFiles, wishes: Wishes): ConfiguredSystem {
  const system = configureSystem(files, wishes)
  for (const [name, value] of Object.entries(wishes)) {
    const option = system.options.get(name)
    if (option === undefined)
      throw new UsageError(`mini-pKVM has no option ${name}; it has ${[...system.options.keys()].join(', ')}.`)
    if (option.value !== value)
      throw new UsageError(`${name} cannot be ${value}: it depends on ${option.dependency}.`)
  }
  return system
}

/** @throws BuildFailure */
function build({ system }: ConfiguredSystem): BuiltSystem {
  const built = buildSystem(system)
  if (!built.ok) throw new BuildFailure(`mini-pKVM does not assemble:\n${built.diagnostics.map(formatDiagnostic).join('\n')}`)
  return built
}
