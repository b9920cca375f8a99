import type { CompiledModules, ScriptDiagnostic } from './script-language.ts'

export type { CompiledModules, ScriptDiagnostic }

/**
 * Checks and compiles all scripts of an open workspace, in the editor's TypeScript Worker.
 * @param workspace its id, as given to `openWorkspace`
 * @returns CommonJS by path, or what is wrong, with places; nothing is returned of scripts that have errors
 */
export async function compileScripts(
  workspace: string,
): Promise<CompiledModules | { readonly diagnostics: readonly ScriptDiagnostic[] }> {
  // The editor's own chunk: also when the learner has not looked at the code yet.
  const { startEditor, compileOpen } = await import('./editor-chunk.ts')
  startEditor()
  return compileOpen(workspace)
}
