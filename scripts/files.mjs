import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Files below the folders whose names match, without node_modules. Paths are relative to the working directory. */
export function globSync(folders, pattern) {
  const out = []
  const visit = (dir) => {
    for (const e of readdirSync(dir, { withFileTypes: true })) {
      if (e.name === 'node_modules' || e.name === 'dist') continue
      const path = join(dir, e.name)
      if (e.isDirectory()) visit(path)
      else if (pattern.test(e.name)) out.push(path)
    }
  }
  folders.forEach(visit)
  return out.sort()
}
