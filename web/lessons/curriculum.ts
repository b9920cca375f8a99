/**
 * The lessons' folders as the project has them: a chunk of its own, fetched when lessons are first shown. Texts are
 * taken whole, checks are modules.
 */
import { type LessonFolder, problemText, readLesson } from '../../lessons/format.ts'
import type { SystemFiles } from '../../lessons/mini-pkvm/system.ts'
import { SYSTEM_FILES } from '../system/system-sources.ts'
import type { ShelfLesson, Shelf } from './lesson-store.ts'

const ROOT = 'lessons/curriculum/'

const texts = import.meta.glob<string>(
  ['../../lessons/curriculum/*/**/*.{md,ts,s,S,inc,h,yaml,txt}', '../../lessons/curriculum/*/**/{Kconfig,defconfig}', '!../../lessons/curriculum/*/checks.ts'],
  { query: '?raw', import: 'default', eager: true },
)
const modules = import.meta.glob<unknown>('../../lessons/curriculum/*/checks.ts')

export async function loadCurriculum(): Promise<Shelf> {
  const folders = new Map<string, Record<string, string>>()
  for (const [path, text] of Object.entries(texts)) {
    const inside = path.slice(path.indexOf(ROOT) + ROOT.length)
    const cut = inside.indexOf('/')
    const folder = inside.slice(0, cut)
    const files = folders.get(folder) ?? {}
    files[inside.slice(cut + 1)] = text
    folders.set(folder, files)
  }
  const checks = new Map<string, unknown>()
  await Promise.all(
    Object.entries(modules).map(async ([path, load]) => {
      const folder = path.slice(path.indexOf(ROOT) + ROOT.length).split('/')[0] ?? ''
      checks.set(folder, await load().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))))
    }),
  )
  return readShelf([...folders].map(([name, files]) => ({ name, texts: files, checks: checks.get(name) })), SYSTEM_FILES)
}

/** Reads folders into lessons, in the order of the courses; what cannot be read whole is told apart. */
export function readShelf(folders: readonly LessonFolder[], system: SystemFiles): Shelf {
  const lessons: ShelfLesson[] = []
  const broken: string[] = []
  for (const folder of folders) {
    const { lesson, checks, problems } = readLesson(folder, system)
    const sentences = problems.map(problem => problemText(folder.name, problem))
    if (lesson === null || sentences.length > 0) broken.push(...sentences)
    if (lesson !== null && sentences.length === 0) lessons.push({ lesson, checks })
  }
  lessons.sort((a, b) => rank(a.lesson.number).localeCompare(rank(b.lesson.number)))
  return { lessons, broken }
}

/** Debian's kernel first, then building, then breaking. */
function rank(number: string): string {
  const [, letter = '', digits = ''] = /^([a-z]?)(\d+)$/.exec(number) ?? []
  return `${letter === '' ? 'a' : letter}${digits.padStart(4, '0')}`
}
