import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildInitrd } from '../machine/init-program.ts'
import { progressBar } from './kernel-command.ts'
import { KernelSupply, defaultCache } from './kernel-supply.ts'
import { readInput } from './files.ts'
import { UsageError } from './run-options.ts'

const USAGE = 'usage: pkvm-lab initrd FILE [-busybox FILE | -shell]   (-shell fetches busybox from Debian)'

/** `pkvm-lab initrd FILE`: write the lab's initrd, with busybox when asked for or already fetched. */
export async function initrdCommand(args: readonly string[], projectRoot: string): Promise<number> {
  const [output, option, value, ...rest] = args
  const known = option === undefined || (option === '-shell' && value === undefined) || (option === '-busybox' && value !== undefined)
  if (output === undefined || output.startsWith('-') || rest.length > 0 || !known) throw new UsageError(USAGE)
  const busybox = await busyboxBytes(option, value, defaultCache(projectRoot))
  const initrd = buildInitrd({ sources: initSources(projectRoot), ...(busybox === undefined ? {} : { busybox }) })
  await writeFile(output, initrd)
  return 0
}

async function busyboxBytes(option: string | undefined, path: string | undefined, cache: string): Promise<Uint8Array | undefined> {
  if (path !== undefined) return readInput(path, 'busybox')
  if (option === '-shell') {
    const bar = progressBar()
    const fetched = await new KernelSupply(cache).fetchBusybox(bar.update)
    bar.end()
    return readInput(fetched, 'busybox')
  }
  return undefined
}

/** The init program's sources by file name. @throws UsageError when they are not there */
export function initSources(projectRoot: string): Record<string, string> {
  const directory = join(projectRoot, 'lessons', 'init')
  if (!existsSync(directory)) throw new UsageError(`the init program's sources are not in ${directory}: run the command from a clone of the project.`)
  const names = readdirSync(directory).filter((n) => n.endsWith('.s'))
  return Object.fromEntries(names.map((n) => [n, readFileSync(join(directory, n), 'utf8')]))
}
