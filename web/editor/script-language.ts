import * as typescript from 'monaco-editor/languages/features/typescript/register'
import declarations from '../../lessons/kvm/lab.d.ts?raw'
import { useFiles } from './files-store.ts'
import { modelOf } from './models.ts'

/*
 * TypeScript for scripts: the module `lab` is what `lessons/kvm/lab.d.ts` declares, there is no DOM, and every file of
 * the workspace is seen by the others.
 */

/** Top-level await is fine here: the runner wraps each module in an async function. */
const AWAIT_AT_TOP = [1375, 1378, 1431, 1432, 2854]

export function startScriptLanguage(): void {
  const defaults = typescript.typescriptDefaults
  defaults.setCompilerOptions({
    target: typescript.ScriptTarget.ESNext,
    module: typescript.ModuleKind.CommonJS,
    moduleResolution: typescript.ModuleResolutionKind.NodeJs,
    // 3: every file is a module, also one without imports.
    moduleDetection: 3,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: [],
    strict: true,
    noEmitOnError: false,
    allowNonTsExtensions: true,
    allowImportingTsExtensions: true,
    esModuleInterop: true,
    removeComments: false,
    inlineSourceMap: true,
    inlineSources: false,
  })
  defaults.setDiagnosticsOptions({ diagnosticCodesToIgnore: AWAIT_AT_TOP, noSuggestionDiagnostics: false, onlyVisible: false })
  defaults.setEagerModelSync(true)
  defaults.addExtraLib(declarations, 'file:///node_modules/lab/index.d.ts')
  defaults.addExtraLib('{"name":"lab","types":"index.d.ts"}', 'file:///node_modules/lab/package.json')
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
export async function compileOpen(workspace: string): Promise<CompiledModules | { readonly diagnostics: readonly ScriptDiagnostic[] }> {
  const files = Object.entries(useFiles.getState().workspaces[workspace]?.files ?? {})
  const paths = files.filter(([path, file]) => path.endsWith('.ts') && !file.removed).map(([path]) => path)
  const models = paths.map(path => modelOf(workspace, path))
  const open = await typescript.getTypeScriptWorker()
  const worker = await open(...models.map(model => model.uri))
  const diagnostics: ScriptDiagnostic[] = []
  const modules: Record<string, string> = {}
  for (const [index, model] of models.entries()) {
    const file = paths[index] as string
    const uri = model.uri.toString()
    for (const found of [...(await worker.getSyntacticDiagnostics(uri)), ...(await worker.getSemanticDiagnostics(uri))]) {
      // 1 is an error; suggestions and messages do not keep a script from running.
      if (found.category !== 1 || AWAIT_AT_TOP.includes(found.code)) continue
      const at = model.getPositionAt(found.start ?? 0)
      diagnostics.push({ file, line: at.lineNumber, column: at.column, message: flat(found.messageText) })
    }
    const output = await worker.getEmitOutput(uri)
    modules[file] = output.outputFiles.find(out => out.name.endsWith('.js'))?.text ?? ''
  }
  return diagnostics.length > 0 ? { diagnostics } : { modules }
}

function flat(message: string | { messageText: string; next?: unknown }): string {
  return typeof message === 'string' ? message : message.messageText
}
