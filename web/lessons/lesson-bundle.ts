/** What a run of a lesson brings: its script compiled, its guests assembled. */
import { type Lesson, scriptOf } from '../../lessons/format.ts'
import type { ScriptBundle } from '../../lessons/kvm/run-script.ts'
import { compileScripts } from '../editor/compile-scripts.ts'
import { clearDiagnostics, setDiagnostics, workspaceFiles } from '../editor/files-store.ts'
import { assembleGuests, isAssembly } from '../script/guests.ts'
import type { BuildFault } from './lesson-store.ts'

const SOURCE = 'assembler'

/** The script compiled and every guest assembled, or why not, with marks in the editor. */
export async function bundleOf(lesson: Lesson, workspace: string): Promise<ScriptBundle | BuildFault> {
  const files = workspaceFiles(workspace)
  const entry = scriptOf(lesson)?.name ?? ''
  let modules: Readonly<Record<string, string>> = {}
  if (entry !== '') {
    if (files[entry] === undefined)
      return { explanation: 'types', detail: `${entry} is missing: reset the files to have it back.`, places: [] }
    const compiled = await compileScripts(workspace)
    if ('diagnostics' in compiled) return faultOf('types', compiled.diagnostics)
    modules = compiled.modules
  }
  const lessonGuests = lesson.files.filter(file => file.role === 'assembly').map(file => file.name)
  const sources = new Set(lesson.files.filter(file => file.role === 'source').map(file => file.name))
  // The learner's own files are guests when a script names them.
  const added = Object.keys(files).filter(
    file =>
      isAssembly(file) &&
      !file.includes('/') &&
      !lessonGuests.includes(file) &&
      !sources.has(file) &&
      (files[entry] ?? '').includes(`'${file}'`),
  )
  const { guests, problems: places } = await assembleGuests(files, [...lessonGuests, ...added])
  clearDiagnostics(SOURCE, workspace)
  if (places.length === 0) return { entry, modules, guests }
  for (const file of new Set(places.map(place => place.file))) {
    const problems = places
      .filter(place => place.file === file)
      .map(({ message, line, column }) => ({ message, line, column, severity: 'error' as const }))
    setDiagnostics(file, problems, SOURCE, workspace)
  }
  return faultOf('assembly', places)
}

function faultOf(explanation: 'types' | 'assembly', places: BuildFault['places']): BuildFault {
  const [first] = places
  return {
    explanation,
    detail: first === undefined ? '' : `${first.file}:${first.line}:${first.column}: ${first.message}`,
    places,
  }
}
