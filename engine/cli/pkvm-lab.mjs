#!/usr/bin/env node
/** Entry of the `pkvm-lab` command: bundles the TypeScript sources, then runs them. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const cache = join(root, 'node_modules', '.cache', 'pkvm-lab')

/** @type {import('./main.ts').Bundle} */
async function bundle(names, external) {
  const { outputFiles } = await build({
    entryPoints: names.map(name => join(root, 'engine', 'cli', `${name}.ts`)),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'error',
    external: [...external],
    outdir: cache,
    outExtension: { '.js': '.mjs' },
    write: false,
  })
  await mkdir(cache, { recursive: true })
  const paths = outputFiles.map(({ path }) => path)
  for (const { path, contents } of outputFiles) {
    // Another command may be reading this very file: it must find a whole one at every moment.
    const whole = `${path}.${process.pid}`
    await writeFile(whole, contents)
    await rename(whole, path)
  }
  return names.map(name => pathToFileURL(paths.find(path => basename(path) === `${name}.mjs`)).href)
}

const [command] = await bundle(['main'], [])
const { main } = await import(command)
process.exitCode = await main(process.argv.slice(2), root, bundle)
