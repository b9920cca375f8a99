import { SupplyError, defaultCache } from './kernel-supply.ts'
import { kernelCommand } from './kernel-command.ts'
import { UsageError, parseRunOptions } from './run-options.ts'
import { runCommand } from './run.ts'
import { BootError } from '../machine/boot-error.ts'
import { GateError } from '../machine/v3-gate.ts'
import { KconfigError } from '../inspect/kconfig-menu.ts'
import { InputFileError } from './files.ts'
import { BuildFailure } from './mini-command.ts'

const USAGE = 'usage: pkvm-lab run ... | pkvm-lab kernel list|fetch [VERSION] | pkvm-lab initrd FILE | pkvm-lab mini build | pkvm-lab lesson list|test|events   (see README.md)'

/** Bundles files of this folder, named without `.ts`. @returns their URLs, in the same order */
export type Bundle = (names: readonly string[], external: readonly string[]) => Promise<string[]>

/**
 * The `pkvm-lab` command.
 * @returns its exit status: 0 power-off or -until matched, 2 bad usage or input, 3 a limit ran out.
 */
export async function main(args: readonly string[], projectRoot: string, bundle: Bundle): Promise<number> {
  try {
    switch (args[0]) {
      case 'run':
        return await runCommand(parseRunOptions(args.slice(1)), projectRoot)
      case 'kernel':
        return await kernelCommand(args.slice(1), defaultCache(projectRoot))
      case 'initrd':
        return await (await import('./initrd-command.ts')).initrdCommand(args.slice(1), projectRoot)
      case 'mini':
        return await (await import('./mini-command.ts')).miniCommand(args.slice(1), projectRoot)
      case 'lesson':
        return await (await import('./lesson-bundle.ts')).lessonCommand(args.slice(1), projectRoot, bundle)
      default:
        throw new UsageError(USAGE)
    }
  } catch (e) {
    if (e instanceof UsageError || e instanceof SupplyError || e instanceof InputFileError || e instanceof BootError || e instanceof GateError || e instanceof BuildFailure || e instanceof KconfigError) {
      console.error(`pkvm-lab: ${e.message}`)
      return 2
    }
    throw e
  }
}
