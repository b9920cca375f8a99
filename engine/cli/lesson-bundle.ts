import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Where bundles of the lesson commands and of the lessons' checks are kept. */
export function lessonCache(projectRoot: string): string {
  return join(projectRoot, 'node_modules', '.cache', 'pkvm-lab')
}

/**
 * `pkvm-lab lesson`: in a bundle of its own, because it needs the TypeScript compiler, and because its threads need a
 * file to start from. esbuild is imported by a name that the bundler does not follow.
 */
export async function lessonCommand(args: readonly string[], projectRoot: string): Promise<number> {
  const bundler: string = 'esbuild'
  const { build } = (await import(bundler)) as typeof import('esbuild')
  const outdir = lessonCache(projectRoot)
  await mkdir(outdir, { recursive: true })
  await build({
    entryPoints: ['lesson-command', 'lesson-thread'].map(name => join(projectRoot, 'engine', 'cli', `${name}.ts`)),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'error',
    external: ['typescript', 'esbuild', 'yaml'],
    outdir,
    outExtension: { '.js': '.mjs' },
  })
  const command = (await import(pathToFileURL(join(outdir, 'lesson-command.mjs')).href)) as typeof import('./lesson-command.ts')
  return command.main(args, projectRoot)
}
