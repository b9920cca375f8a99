import { monaco } from './monaco.ts'
import { fileKey, type FilesState, type Problem, setText, useFiles } from './files-store.ts'

/*
 * One Monaco model for each file of each workspace that was shown, under `file:///<workspace>/<path>`, so that scripts
 * can import each other and undo survives changing files. The store is the truth: what is typed goes into it, what
 * changes in it (reset, another tab's file) comes back as an edit that can be undone.
 */

export function uriOf(workspace: string, path: string): monaco.Uri {
  return monaco.Uri.from({ scheme: 'file', path: `/${workspace}/${path}` })
}

/** Workspace and path of a model; null for others, such as the original side of a diff. */
export function fileOf(uri: monaco.Uri): { workspace: string; path: string } | null {
  const { workspaces } = useFiles.getState()
  for (const id of Object.keys(workspaces)) {
    if (uri.scheme === 'file' && uri.path.startsWith(`/${id}/`))
      return { workspace: id, path: uri.path.slice(id.length + 2) }
  }
  return null
}

export function languageOf(path: string): string {
  if (/\.(?:s|S|inc|h)$/.test(path)) return 'a64'
  if (path.endsWith('.ts')) return 'typescript'
  if (path.endsWith('.md')) return 'markdown'
  return 'plaintext'
}

/** True while the store's text is being put into a model. */
let following = false

export function modelOf(workspace: string, path: string): monaco.editor.ITextModel {
  const uri = uriOf(workspace, path)
  const there = monaco.editor.getModel(uri)
  if (there !== null) return there
  const file = useFiles.getState().workspaces[workspace]?.files[path]
  const model = monaco.editor.createModel(file?.text ?? '', languageOf(path), uri)
  model.setEOL(monaco.editor.EndOfLineSequence.LF)
  const wide = languageOf(path) === 'a64'
  model.updateOptions({ tabSize: wide ? 8 : 2, insertSpaces: true })
  model.onDidChangeContent(() => {
    if (!following) setText(workspace, path, model.getValue(monaco.editor.EndOfLinePreference.LF))
  })
  return model
}

/** The model with the store's text in it, as an edit that can be undone where they differ. */
export function currentModel(workspace: string, path: string): monaco.editor.ITextModel {
  const model = modelOf(workspace, path)
  const text = useFiles.getState().workspaces[workspace]?.files[path]?.text ?? ''
  if (model.getValue(monaco.editor.EndOfLinePreference.LF) !== text) {
    following = true
    model.pushStackElement()
    model.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null)
    model.pushStackElement()
    following = false
  }
  return model
}

/** The text a file began with, for the diff. */
export function originalModel(workspace: string, path: string): monaco.editor.ITextModel {
  const uri = monaco.Uri.from({ scheme: 'original', path: `/${workspace}/${path}` })
  const text = useFiles.getState().workspaces[workspace]?.files[path]?.original ?? ''
  const there = monaco.editor.getModel(uri)
  if (there !== null) {
    if (there.getValue() !== text) there.setValue(text)
    return there
  }
  return monaco.editor.createModel(text, languageOf(path) === 'typescript' ? 'plaintext' : languageOf(path), uri)
}

/** Every file of the shown workspace has a model, so that scripts and includes find each other; deleted ones have none. */
export function followStore(): void {
  const follow = (state: FilesState, before?: FilesState) => {
    const workspace = state.current === null ? undefined : state.workspaces[state.current]
    if (
      workspace !== undefined &&
      (before === undefined || before.workspaces !== state.workspaces || before.current !== state.current)
    ) {
      const earlier = before?.current === state.current ? before?.workspaces[workspace.id]?.files : undefined
      for (const [path, file] of Object.entries(workspace.files)) {
        if (earlier?.[path] === file) continue
        if (file.removed) {
          monaco.editor.getModel(uriOf(workspace.id, path))?.dispose()
          continue
        }
        currentModel(workspace.id, path)
      }
    }
    // A workspace that comes into view has models now for what was found before.
    const afresh = before === undefined || before.current !== state.current
    if (afresh || before.problems !== state.problems) {
      for (const [key, bySource] of Object.entries(state.problems)) {
        if (afresh || before.problems[key] !== bySource) mark(key, bySource)
      }
    }
  }
  follow(useFiles.getState())
  useFiles.subscribe(follow)
  monaco.editor.onDidChangeMarkers(changed => {
    const errors = { ...useFiles.getState().errors }
    for (const resource of changed) {
      const here = fileOf(resource)
      if (here === null) continue
      const found = monaco.editor.getModelMarkers({ resource })
      errors[fileKey(here.workspace, here.path)] = found.filter(
        marker => marker.severity === monaco.MarkerSeverity.Error,
      ).length
    }
    useFiles.setState({ errors })
  })
}

function mark(key: string, bySource: Readonly<Record<string, readonly Problem[]>>): void {
  const model = monaco.editor.getModel(monaco.Uri.from({ scheme: 'file', path: `/${key}` }))
  if (model === null) return
  for (const [source, problems] of Object.entries(bySource)) {
    monaco.editor.setModelMarkers(
      model,
      source,
      problems.map(problem => ({
        message: problem.message,
        severity: {
          error: monaco.MarkerSeverity.Error,
          warning: monaco.MarkerSeverity.Warning,
          hint: monaco.MarkerSeverity.Hint,
        }[problem.severity],
        startLineNumber: problem.line,
        startColumn: problem.column,
        endLineNumber: problem.line,
        endColumn: problem.endColumn ?? endOfWord(model, problem.line, problem.column),
      })),
    )
  }
}

function endOfWord(model: monaco.editor.ITextModel, line: number, column: number): number {
  if (line > model.getLineCount()) return column + 1
  const rest = model.getLineContent(line).slice(column - 1)
  return column + Math.max(1, /^(?:\w+|\S)/.exec(rest)?.[0].length ?? 1)
}
