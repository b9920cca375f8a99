#!/usr/bin/env node
/**
 * Entry of the `pkvm-lab` command: bundles the TypeScript sources when they changed since the last time, then runs them.
 */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const outfile = join(root, 'node_modules', '.cache', 'pkvm-lab', 'cli.mjs')
await mkdir(dirname(outfile), { recursive: true })
await build({
  entryPoints: [join(root, 'engine', 'cli', 'main.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'error',
  outfile,
})
const { main } = await import(pathToFileURL(outfile).href)
process.exitCode = await main(process.argv.slice(2), root)
