import { KernelSupply, type Progress } from './kernel-supply.ts'
import { UsageError } from './run-options.ts'

const USAGE = 'usage: pkvm-lab kernel list | pkvm-lab kernel fetch [VERSION]'

/** `pkvm-lab kernel list|fetch [version]`. */
export async function kernelCommand(args: readonly string[], cache: string): Promise<number> {
  const supply = new KernelSupply(cache)
  const [verb, version, ...rest] = args
  if (rest.length > 0) throw new UsageError(USAGE)
  if (verb === 'list' && version === undefined) {
    const kernels = await supply.list()
    for (const k of kernels) console.log(`${k.version}\t${(k.bytes / 1048576).toFixed(1)} MiB\t${supply.imagePath(k.version)}`)
    if (kernels.length === 0) console.log('No kernel yet. `npx pkvm-lab kernel fetch` gets the newest from Debian.')
    return 0
  }
  if (verb === 'fetch') {
    const bar = progressBar()
    const k = await supply.fetch(version, bar.update)
    bar.end()
    console.log(supply.imagePath(k.version))
    return 0
  }
  throw new UsageError(USAGE)
}

/** A progress bar on a terminal; a line per step elsewhere. */
export function progressBar(): { update: Progress; end: () => void } {
  let last = ''
  const wide = process.stderr.isTTY === true
  return {
    update(what, fraction) {
      const filled = Math.round(fraction * 30)
      if (wide) process.stderr.write(`\r\x1b[K${'█'.repeat(filled)}${'░'.repeat(30 - filled)} ${Math.round(fraction * 100)}% ${what}`)
      else if (what !== last) process.stderr.write(`fetching ${what}\n`)
      last = what
    },
    end() {
      if (wide && last !== '') process.stderr.write('\r\x1b[K')
    },
  }
}
