/** `npm run build`: a static `dist/` that works from any file host, offline. */
import { ensureInstalled, run } from './ensure-installed.mjs'

ensureInstalled()
run('npx', ['vite', 'build'])
