import { createReadStream, existsSync, statSync } from 'node:fs'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { build as bundle } from 'esbuild'
import type { Connect, Plugin } from 'vite'
import { defineConfig } from 'vite'
import { initSources } from './engine/cli/initrd-command.ts'
import { buildInitProgram } from './engine/machine/init-program.ts'

const root = dirname(fileURLToPath(import.meta.url))
/** Where the kernel supply keeps Images: `<version>/Image` and `index.json`. */
const cache = process.env.PKVM_LAB_CACHE ?? join(root, '.cache')
const kernelDirectory = join(cache, 'kernels')
/** The program behind `lab.init=shell`, when set-up has fetched it. */
const busybox = join(cache, 'busybox')

/**
 * Serves fetched kernels at `kernels/` beside the page, and copies them into the build so that `dist/` is complete on
 * any static host. `PKVM_LAB_KERNELS=omit` leaves them out of the build.
 */
function kernels(): Plugin {
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '')
    const file = normalize(join(cache, path))
    if (file !== busybox && !file.startsWith(kernelDirectory + sep)) return next()
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.statusCode = 404
      response.end()
      return
    }
    response.setHeader('Content-Type', file.endsWith('.json') ? 'application/json' : 'application/octet-stream')
    response.setHeader('Content-Length', statSync(file).size)
    response.setHeader('Cache-Control', 'no-cache')
    if (request.method === 'HEAD') response.end()
    else createReadStream(file).pipe(response)
  }
  let outDir = join(root, 'dist')
  let copies = false
  return {
    name: 'pkvm-lab-kernels',
    configResolved(config) {
      outDir = config.build.outDir
      copies = config.command === 'build' && process.env.PKVM_LAB_KERNELS !== 'omit'
    },
    configureServer(server) {
      server.middlewares.use(serve)
    },
    configurePreviewServer(server) {
      server.middlewares.use(serve)
    },
    async closeBundle() {
      if (!copies) return
      if (existsSync(busybox)) await copyFile(busybox, join(outDir, 'busybox'))
      const index = join(kernelDirectory, 'index.json')
      if (!existsSync(index)) return
      const entries: { version: string; config?: string }[] = JSON.parse(await readFile(index, 'utf8'))
      for (const { version, config } of entries) {
        await mkdir(join(outDir, 'kernels', version), { recursive: true })
        for (const file of ['Image', config].filter(name => name !== undefined)) {
          await copyFile(join(kernelDirectory, version, file), join(outDir, 'kernels', version, file))
        }
      }
      await copyFile(index, join(outDir, 'kernels', 'index.json'))
    },
  }
}

/**
 * `virtual:script-sandbox`: the Worker that learners' scripts run in, as one text. An iframe of an opaque origin can
 * fetch nothing, so it gets the code from the page.
 */
function scriptSandbox(): Plugin {
  const name = 'virtual:script-sandbox'
  const entry = join(root, 'web', 'script', 'sandbox-worker.ts')
  return {
    name: 'pkvm-lab-script-sandbox',
    resolveId: id => (id === name ? `\0${name}` : undefined),
    async load(id) {
      if (id !== `\0${name}`) return
      const result = await bundle({
        entryPoints: [entry],
        bundle: true,
        write: false,
        format: 'iife',
        target: 'es2022',
        minifySyntax: true,
        minifyWhitespace: true,
        legalComments: 'none',
        metafile: true,
        absWorkingDir: root,
      })
      for (const file of Object.keys(result.metafile.inputs)) this.addWatchFile(join(root, file))
      return `export default ${JSON.stringify(result.outputFiles[0]?.text ?? '')}`
    },
  }
}

/** `virtual:init-program`: the init program of `lessons/init`, assembled by the lab's own assembler. */
function initProgram(): Plugin {
  const name = 'virtual:init-program'
  return {
    name: 'pkvm-lab-init-program',
    resolveId: id => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return
      const sources = initSources(root)
      for (const file of Object.keys(sources)) this.addWatchFile(join(root, 'lessons', 'init', file))
      const base64 = Buffer.from(buildInitProgram(sources)).toString('base64')
      return `export default Uint8Array.from(atob('${base64}'), character => character.charCodeAt(0))`
    },
  }
}

export default defineConfig({
  root: join(root, 'web'),
  base: './',
  cacheDir: join(root, '.cache', 'vite'),
  plugins: [react(), kernels(), scriptSandbox(), initProgram()],
  server: { fs: { allow: [root] } },
  worker: { format: 'es' },
  build: {
    outDir: join(root, process.env.PKVM_LAB_OUT ?? 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    // Monaco is one chunk of 2.7 MB, fetched when code is first opened.
    chunkSizeWarningLimit: 3000,
    // How long plugins took is nothing that whoever starts the lab has to read.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
})
