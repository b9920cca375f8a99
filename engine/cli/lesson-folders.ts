import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { LessonFolder } from '../../lessons/format.ts'
import { lessonCache } from './lesson-bundle.ts'

/** `lessons/curriculum`, or the folder that a test brings. */
export function curriculumOf(projectRoot: string): string {
  return process.env['PKVM_LAB_CURRICULUM'] ?? join(projectRoot, 'lessons', 'curriculum')
}

/** Names of the lessons' folders, sorted. */
export async function lessonNames(curriculum: string): Promise<string[]> {
  const entries = await readdir(curriculum, { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory()).map(entry => entry.name).sort()
}

/** A folder as it is on disk, its checks bundled and loaded. Never throws because of what the folder holds. */
export async function readLessonFolder(curriculum: string, name: string, projectRoot: string): Promise<LessonFolder> {
  const root = join(curriculum, name)
  const texts: Record<string, string> = {}
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue
    const path = join(entry.parentPath ?? entry.path, entry.name)
    texts[relative(root, path).replaceAll('\\', '/')] = await readFile(path, 'utf8')
  }
  return { name, texts, checks: await loadChecks(curriculum, name, projectRoot) }
}

/** File that the checks of a lesson are bundled to: threads load it too. */
export function checksBundle(name: string, projectRoot: string): string {
  return join(lessonCache(projectRoot), 'checks', `${name}-${process.pid}.mjs`)
}

async function loadChecks(curriculum: string, name: string, projectRoot: string): Promise<unknown> {
  const source = join(curriculum, name, 'checks.ts')
  if (!existsSync(source)) return undefined
  const outfile = checksBundle(name, projectRoot)
  try {
    await mkdir(join(lessonCache(projectRoot), 'checks'), { recursive: true })
    await build({ entryPoints: [source], bundle: true, platform: 'neutral', format: 'esm', target: 'es2022', logLevel: 'silent', outfile })
    return await import(pathToFileURL(outfile).href)
  } catch (error) {
    const first = (error as { errors?: { text: string; location: { line: number } | null }[] }).errors?.[0]
    if (first === undefined) return error instanceof Error ? error : new Error(String(error))
    return new Error(`${first.location === null ? '' : `line ${first.location.line}: `}${first.text}`)
  }
}
