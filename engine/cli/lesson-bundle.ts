import { join } from 'node:path'
import type { Bundle } from './main.ts'

/** Where bundles of the command and of the lessons' checks are kept. */
export function lessonCache(projectRoot: string): string {
  return join(projectRoot, 'node_modules', '.cache', 'pkvm-lab')
}

/**
 * `pkvm-lab lesson`: in a bundle of its own, because it needs the TypeScript compiler, and because its threads need a
 * file to start from.
 */
export async function lessonCommand(args: readonly string[], projectRoot: string, bundle: Bundle): Promise<number> {
  const [file, thread] = await bundle(['lesson-command', 'lesson-thread'], ['typescript', 'esbuild', 'yaml'])
  const command = (await import(file!)) as typeof import('./lesson-command.ts')
  return command.main(args, projectRoot, new URL(thread!))
}
