import { readFile } from 'node:fs/promises'
import { citationsIn, type Lesson } from '../../lessons/format.ts'
import type { KernelChoice } from '../../lessons/run/task.ts'
import { Kallsyms } from '../inspect/kallsyms.ts'

const HYP_PREFIX = '__kvm_nvhe_'

/** Functions that lessons cite for a kernel at hand and that its table of symbols does not have: misspelt, or inlined. */
export async function citationNotes(lessons: readonly Lesson[], kernel: KernelChoice, imagePath: string | undefined): Promise<string[]> {
  if (imagePath === undefined) return []
  const symbols = Kallsyms.parse(new Uint8Array(await readFile(imagePath)))
  // What the compiler makes of a function may have a suffix: name.isra.0, name.constprop.0.
  const has = (name: string) => symbols.find(name) !== undefined || symbols.find(`${HYP_PREFIX}${name}`) !== undefined
  const notes: string[] = []
  for (const lesson of lessons.filter(candidate => candidate.kernels.includes(kernel.series))) {
    const seen = new Set<string>()
    for (const { symbol, versions } of textsOf(lesson).flatMap(citationsIn)) {
      const name = symbol.replace('()', '')
      const concerns = versions.some(version => kernel.release === version || kernel.release.startsWith(`${version}.`) || kernel.release.startsWith(`${version}+`))
      if (!concerns || seen.has(name)) continue
      seen.add(name)
      if (!has(name)) notes.push(`note: ${lesson.folder} cites ${symbol} for ${kernel.release.replace(/\+.*$/, '')}, which has no symbol of that name: misspelt, or inlined.`)
    }
  }
  return notes
}

function textsOf(lesson: Lesson): string[] {
  const blocks = [...lesson.intro, ...lesson.steps.flatMap(step => step.blocks)]
  return [...blocks.map(block => (block.kind === 'markdown' ? block.text : block.kind === 'predict' ? block.compare : '')), ...lesson.steps.flatMap(step => step.hints)]
}
