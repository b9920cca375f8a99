/**
 * The arrows of the architecture, checked: which room may import from which. A room not listed for another may not be
 * imported there. Tests may import anything of the engine.
 */
import { readFile } from 'node:fs/promises'
import { globSync } from './files.mjs'
import { dirname, join, normalize } from 'node:path'

const ROOMS = {
  'engine/isa': [],
  'engine/cpu': ['engine/isa', 'engine/mmu', 'engine/devices'],
  'engine/mmu': ['engine/cpu', 'engine/isa'],
  'engine/devices': ['engine/cpu', 'engine/isa'],
  'engine/translate': ['engine/isa', 'engine/cpu', 'engine/mmu'],
  'engine/machine': ['engine/isa', 'engine/cpu', 'engine/mmu', 'engine/devices', 'engine/translate'],
  'engine/inspect': ['engine/isa', 'engine/cpu', 'engine/mmu', 'engine/machine'],
  // What the lab and its agent in the guest say to each other: plain data, for every side.
  'engine/agent': [],
  'engine/worker': ['engine/machine', 'engine/inspect', 'engine/isa', 'engine/agent'],
  'engine/cli': ['engine/machine', 'engine/inspect', 'engine/isa', 'engine/agent', 'engine/worker', 'lessons'],
  lessons: ['engine/isa', 'engine/machine', 'engine/worker', 'engine/inspect', 'engine/agent'],
  web: ['engine/worker', 'engine/inspect', 'engine/isa', 'engine/agent', 'lessons'],
  e2e: ['engine/worker', 'engine/agent', 'lessons'],
}
/**
 * Within the page only the protocol's types cross, the worker's entry is named by URL, and of inspect/ only what reads
 * a configuration file, which needs no machine.
 */
const PROTOCOL_ONLY = { web: /^engine\/(worker\/(protocol|inspection-protocol|build-protocol|entry)|inspect\/kconfig|agent\/|isa\/)/ }

const room = (path) => Object.keys(ROOMS).filter((r) => path.startsWith(`${r}/`)).sort((a, b) => b.length - a.length)[0]

let bad = 0
for (const file of globSync(['engine', 'web', 'lessons', 'e2e'], /\.tsx?$/)) {
  if (/\.test\.tsx?$/.test(file)) continue
  const from = room(file)
  if (from === undefined) continue
  const text = await readFile(file, 'utf8')
  for (const m of text.matchAll(/(?:from|import\(|import)\s*'(\.[^']+)'/g)) {
    const target = normalize(join(dirname(file), m[1]))
    const to = room(target)
    if (to === undefined || to === from) continue
    if (!ROOMS[from].includes(to) || (PROTOCOL_ONLY[from] && to.startsWith('engine/') && !PROTOCOL_ONLY[from].test(target))) {
      console.error(`${file}: ${from} may not import ${target}`)
      bad++
    }
  }
}
if (bad > 0) process.exit(1)
console.log('layers: every import follows the architecture')
