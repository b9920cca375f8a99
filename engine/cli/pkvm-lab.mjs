#!/usr/bin/env node
/** Entry of the `pkvm-lab` command: bundles the TypeScript sources, then runs them. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const cache = join(root, 'node_modules', '.cache', 'pkvm-lab')
/** Bundles of sources that have changed since are of use only to commands that still run. */
const KEPT_MS = 3_600_000

/**
 * Named by what they hold, so that a command may load the parts of its bundle when it needs them, whatever others that
 * run at the same time make of newer sources.
 * @type {import('./main.ts').Bundle}
 */
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
    entryNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    write: false,
  })
  await mkdir(cache, { recursive: true })
  const paths = names.map(name => outputFiles.find(({ path }) => basename(path).startsWith(`${name}-`)).path)
  if (outputFiles.some(({ path }) => !existsSync(path))) await removeOld()
  for (const { path, contents } of outputFiles) {
    if (existsSync(path)) continue
    // Another command may look for this very file: it must find a whole one.
    const whole = `${path}.${process.pid}`
    await writeFile(whole, contents)
    await rename(whole, path)
  }
  return paths.map(path => pathToFileURL(path).href)
}

async function removeOld() {
  for (const { name, parentPath } of await readdir(cache, { withFileTypes: true, recursive: true })) {
    const path = join(parentPath, name)
    const state = await stat(path).catch(() => null)
    if (state?.isFile() && Date.now() - state.mtimeMs > KEPT_MS) await rm(path, { force: true })
  }
}

const [command] = await bundle(['main'], [])
const { main } = await import(command)
process.exitCode = await main(process.argv.slice(2), root, bundle)
