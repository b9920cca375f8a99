import * as typescript from 'monaco-editor/languages/features/typescript/register'
import declarations from '../../lessons/kvm/lab.d.ts?raw'
import {
  IGNORED_DIAGNOSTICS,
  LAB_MODULE,
  SCRIPT_COMPILER_ENUMS,
  SCRIPT_COMPILER_OPTIONS,
  SCRIPT_LIBRARIES,
} from '../../lessons/kvm/compiler-options.ts'
import { useFiles } from './files-store.ts'
import { currentModel } from './models.ts'

/*
 * TypeScript for scripts: the module `lab` is what `lessons/kvm/lab.d.ts` declares, there is no DOM, and every file of
 * the workspace is seen by the others.
 */

const ENUMS = {
  target: { ES2022: 9 as typescript.ScriptTarget },
  module: { CommonJS: typescript.ModuleKind.CommonJS },
  moduleResolution: { Node10: typescript.ModuleResolutionKind.NodeJs },
  moduleDetection: { force: 3 },
} as const

/** How long Monaco may take to make TypeScript ready, ms. It has to be loaded for that. */
const MOST_PATIENCE = 20_000
const PAUSE = 25

/** Monaco begins with TypeScript when there is the first model of it, refuses its Worker until then, and tells nobody. */
async function scriptWorker(): ReturnType<typeof typescript.getTypeScriptWorker> {
  for (let waited = 0; ; waited += PAUSE) {
    try {
      return await typescript.getTypeScriptWorker()
    } catch (error) {
      if (waited >= MOST_PATIENCE) throw error
      await new Promise(resolve => setTimeout(resolve, PAUSE))
    }
  }
}

export function startScriptLanguage(): void {
  const defaults = typescript.typescriptDefaults
  const { target, module, moduleResolution, moduleDetection } = SCRIPT_COMPILER_ENUMS
  defaults.setCompilerOptions({
    ...SCRIPT_COMPILER_OPTIONS,
    target: ENUMS.target[target],
    module: ENUMS.module[module],
    moduleResolution: ENUMS.moduleResolution[moduleResolution],
    moduleDetection: ENUMS.moduleDetection[moduleDetection],
    lib: [...SCRIPT_LIBRARIES],
    // Monaco's files have no directory of their own.
    allowNonTsExtensions: true,
  })
  defaults.setDiagnosticsOptions({
    diagnosticCodesToIgnore: [...IGNORED_DIAGNOSTICS],
    noSuggestionDiagnostics: false,
    onlyVisible: false,
  })
  defaults.setEagerModelSync(true)
  defaults.addExtraLib(declarations, `file:///node_modules/${LAB_MODULE}/index.d.ts`)
  defaults.addExtraLib(
    JSON.stringify({ name: LAB_MODULE, types: 'index.d.ts' }),
    `file:///node_modules/${LAB_MODULE}/package.json`,
  )
}

export interface CompiledModules {
  /** CommonJS by the script's path in the workspace, with an inline source map; `main.ts` keeps its name. */
  readonly modules: Readonly<Record<string, string>>
}

export interface ScriptDiagnostic {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Compiles all scripts of a workspace; see `compile-scripts.ts`. */
export async function compileOpen(
  workspace: string,
): Promise<CompiledModules | { readonly diagnostics: readonly ScriptDiagnostic[] }> {
  const files = Object.entries(useFiles.getState().workspaces[workspace]?.files ?? {})
  const paths = files.filter(([path, file]) => path.endsWith('.ts') && !file.removed).map(([path]) => path)
  const models = paths.map(path => currentModel(workspace, path))
  if (models.length === 0) return { modules: {} }
  const open = await scriptWorker()
  const worker = await open(...models.map(model => model.uri))
  const diagnostics: ScriptDiagnostic[] = []
  const modules: Record<string, string> = {}
  for (const [index, model] of models.entries()) {
    const file = paths[index] as string
    const uri = model.uri.toString()
    for (const found of [
      ...(await worker.getSyntacticDiagnostics(uri)),
      ...(await worker.getSemanticDiagnostics(uri)),
    ]) {
      // 1 is an error; suggestions and messages do not keep a script from running.
      if (found.category !== 1 || IGNORED_DIAGNOSTICS.includes(found.code)) continue
      const at = model.getPositionAt(found.start ?? 0)
      diagnostics.push({ file, line: at.lineNumber, column: at.column, message: flat(found.messageText) })
    }
    const output = await worker.getEmitOutput(uri)
    modules[file] = output.outputFiles.find(out => out.name.endsWith('.js'))?.text ?? ''
  }
  return diagnostics.length > 0 ? { diagnostics } : { modules }
}

interface Chain {
  readonly messageText: string
  readonly next?: readonly Chain[]
}

/** TypeScript's chain of reasons in one sentence. */
function flat(message: string | Chain): string {
  if (typeof message === 'string') return message
  return [message.messageText, ...(message.next ?? []).map(flat)].join(' ')
}
