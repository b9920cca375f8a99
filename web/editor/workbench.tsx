import { useEffect, useRef, useState } from 'react'
import { ALL_COMMANDS, runCommand } from '../commands.ts'
import { useLab } from '../store.ts'
import { followSources, useAssembly } from './assembly-store.ts'
import { CodeDialog } from './code-dialog.tsx'
import { CODE, editorHandle } from './editor-commands.ts'
import { startEditor } from './editor-chunk.ts'
import { FileList } from './file-list.tsx'
import { fileKey, openFile, useFiles, type Workspace } from './files-store.ts'
import { openFreeWorkspace } from './free-workspace.ts'
import { Listing } from './listing.tsx'
import { fileOf, languageOf, modelOf, originalModel } from './models.ts'
import { monaco } from './monaco.ts'
import { applyEditorTheme, FONT_FAMILY, fontSize } from './monaco-theme.ts'

/** More files than this stand in a column, as do files in folders. */
const MOST_IN_A_ROW = 5

/** The editor with its files, in the chunk of Monaco. */
export default function Workbench() {
  const workspace = useFiles(state => (state.current === null ? undefined : state.workspaces[state.current]))
  const keeping = useFiles(state => state.keeping)
  useEffect(() => {
    startEditor()
    followSources()
    void openFreeWorkspace()
  }, [])
  if (workspace === undefined) return <p className="code-loading quiet">Reading your files…</p>
  const paths = Object.keys(workspace.files)
  const column = paths.length > MOST_IN_A_ROW || paths.some(path => path.includes('/'))
  return (
    // Beside the editor too, Ctrl+S means the code and not the page.
    <section
      className={column ? 'workbench by-column' : 'workbench'}
      aria-label="Code"
      onKeyDown={event => {
        if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 's' || event.defaultPrevented) return
        event.preventDefault()
        runCommand(CODE.save)
      }}
    >
      <FileList workspace={workspace} column={column} />
      <div className="bench-main">
        {keeping === 'off' && (
          <p className="code-notice" role="status">
            This browser keeps nothing for this page: your files last until it is closed. Copy what you want to keep.
          </p>
        )}
        <Editors workspace={workspace} />
        <Status workspace={workspace} />
      </div>
      <CodeDialog />
    </section>
  )
}

function Editors(props: { workspace: Workspace }) {
  const { workspace } = props
  const view = useFiles(state => state.view)
  const wantsListing = useFiles(state => state.listing)
  const file = workspace.files[workspace.open]
  const diff = view === 'diff' && typeof file?.original === 'string'
  const listing = wantsListing && !diff && languageOf(workspace.open) === 'a64'
  return (
    <div
      className={listing ? 'editors with-listing' : 'editors'}
      id="code-editor"
      role="tabpanel"
      aria-label={workspace.open}
    >
      {diff ? <Diff workspace={workspace} /> : <Source workspace={workspace} />}
      {listing && <Listing />}
    </div>
  )
}

const OPTIONS: monaco.editor.IStandaloneEditorConstructionOptions = {
  automaticLayout: true,
  fontFamily: FONT_FAMILY,
  fontLigatures: false,
  lineHeight: 1.5,
  minimap: { enabled: false },
  scrollBeyondLastLine: false,
  renderLineHighlight: 'line',
  lineNumbersMinChars: 3,
  folding: true,
  glyphMargin: false,
  fixedOverflowWidgets: true,
  contextmenu: true,
  wordBasedSuggestions: 'off',
  quickSuggestions: { other: true, comments: false, strings: false },
  stickyScroll: { enabled: false },
  bracketPairColorization: { enabled: false },
  guides: { indentation: false },
  padding: { top: 6, bottom: 6 },
  overviewRulerLanes: 1,
  scrollbar: { verticalScrollbarSize: 10, horizontalScrollbarSize: 10, useShadows: false },
  hover: { delay: 250, sticky: true },
  // With a screen reader's Ctrl+M, or F1 and "Toggle Tab", Tab leaves the editor.
  tabFocusMode: false,
  accessibilitySupport: 'auto',
}

function Source(props: { workspace: Workspace }) {
  const { id, open, files } = props.workspace
  const theme = useLab(state => state.theme)
  const place = useRef<HTMLDivElement>(null)
  const [editor, setEditor] = useState<monaco.editor.IStandaloneCodeEditor | null>(null)
  const readOnly = files[open]?.readOnly === true

  useEffect(() => {
    if (place.current === null) return
    applyEditorTheme(useLab.getState().theme)
    const made = monaco.editor.create(place.current, {
      ...OPTIONS,
      theme: 'pkvm-lab',
      fontSize: fontSize(useLab.getState().theme),
      ariaLabel: 'Code',
    })
    made.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS, () => void runCommand(CODE.save))
    made.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, () => void runCommand(CODE.run))
    const caret = made.onDidChangeCursorPosition(({ position }) => {
      const uri = made.getModel()?.uri
      const here = uri === undefined ? null : fileOf(uri)
      if (here !== null) useAssembly.setState({ caret: { file: here.path, line: position.lineNumber } })
    })
    const reveal = (line: number, column: number) => {
      made.setPosition({ lineNumber: line, column })
      made.revealLineInCenterIfOutsideViewport(line)
      made.focus()
    }
    editorHandle.current = {
      focus: () => made.focus(),
      reveal(file, line, column) {
        const { current } = useFiles.getState()
        if (current === null) return
        openFile(current, file)
        requestAnimationFrame(() => reveal(line, column))
      },
      nextProblem: () => void made.getAction('editor.action.marker.nextInFiles')?.run(),
    }
    // Go to definition in another file.
    const opener = monaco.editor.registerEditorOpener({
      openCodeEditor(source, resource, where) {
        const target = fileOf(resource)
        // Declarations of the lab module and of the language are looked at in place.
        if (target === null) {
          source.trigger('definition', 'editor.action.peekDefinition', null)
          return true
        }
        openFile(target.workspace, target.path)
        const position =
          where === undefined
            ? { lineNumber: 1, column: 1 }
            : 'startLineNumber' in where
              ? { lineNumber: where.startLineNumber, column: where.startColumn }
              : where
        requestAnimationFrame(() => reveal(position.lineNumber, position.column))
        return true
      },
    })
    setEditor(made)
    return () => {
      caret.dispose()
      opener.dispose()
      editorHandle.current = null
      made.dispose()
      setEditor(null)
    }
  }, [])

  useEffect(() => {
    editor?.updateOptions({ fontSize: fontSize(theme) })
    applyEditorTheme(theme)
  }, [editor, theme])

  useEffect(() => {
    if (editor === null) return
    if (open === '') {
      editor.setModel(null)
      return
    }
    const key = `${id}/${open}`
    editor.setModel(modelOf(id, open))
    const seen = VIEWS.get(key)
    if (seen !== undefined) editor.restoreViewState(seen)
    useAssembly.setState({ caret: { file: open, line: editor.getPosition()?.lineNumber ?? 1 } })
    return () => {
      const state = editor.saveViewState()
      if (state !== null) VIEWS.set(key, state)
    }
  }, [editor, id, open])

  useEffect(() => {
    editor?.updateOptions({
      readOnly,
      readOnlyMessage: { value: 'This file belongs to the lesson and cannot be changed.' },
      ariaLabel: `${open}. Control M: Tab leaves the editor.`,
    })
  }, [editor, readOnly, open])

  return <div className="source" ref={place} data-testid="code" />
}

/** Where each file was scrolled to. */
const VIEWS = new Map<string, monaco.editor.ICodeEditorViewState>()

function Diff(props: { workspace: Workspace }) {
  const { id, open, files } = props.workspace
  const theme = useLab(state => state.theme)
  const place = useRef<HTMLDivElement>(null)
  const readOnly = files[open]?.readOnly === true
  useEffect(() => {
    if (place.current === null) return
    applyEditorTheme(theme)
    const made = monaco.editor.createDiffEditor(place.current, {
      ...OPTIONS,
      theme: 'pkvm-lab',
      fontSize: fontSize(theme),
      readOnly,
      originalEditable: false,
      renderSideBySide: true,
      useInlineViewWhenSpaceIsLimited: true,
      renderSideBySideInlineBreakpoint: 900,
      hideUnchangedRegions: { enabled: true },
      originalAriaLabel: 'Original',
      modifiedAriaLabel: 'Yours',
    })
    made.setModel({ original: originalModel(id, open), modified: modelOf(id, open) })
    editorHandle.current = {
      focus: () => made.focus(),
      reveal: (file, line, column) => {
        useFiles.setState({ view: 'edit' })
        setTimeout(() => editorHandle.current?.reveal(file, line, column), 50)
      },
      nextProblem: () => made.goToDiff('next'),
    }
    return () => {
      editorHandle.current = null
      made.dispose()
    }
  }, [id, open, theme, readOnly])
  return <div className="source diff" ref={place} data-testid="code-diff" />
}

function Status(props: { workspace: Workspace }) {
  const { workspace } = props
  const unsaved = useFiles(state => state.unsaved)
  const keeping = useFiles(state => state.keeping)
  const errors = useFiles(state =>
    Object.entries(workspace.files).reduce(
      (sum, [path, file]) => sum + (file.removed ? 0 : (state.errors[fileKey(workspace.id, path)] ?? 0)),
      0,
    ),
  )
  const assembly = useAssembly(state => (state.workspace === workspace.id ? state.assembly : null))
  const isAssembly = languageOf(workspace.open) === 'a64'
  return (
    <footer className="code-status">
      <button type="button" className="link" onClick={() => runCommand(CODE.nextProblem)} disabled={errors === 0}>
        {errors === 0 ? 'no problems' : errors === 1 ? '1 problem' : `${errors} problems`}
      </button>
      {isAssembly && assembly !== null && (
        <span>{assembly.ok ? `${assembly.bytes.length.toLocaleString('en')} bytes` : 'does not assemble'}</span>
      )}
      <span data-testid="code-kept">
        {keeping === 'off' ? 'not kept' : unsaved > 0 ? 'keeping…' : 'kept in this browser'}
      </span>
      <span className="tab-hint">
        <kbd>Ctrl M</kbd>: Tab leaves the editor
      </span>
    </footer>
  )
}

/** The page's own keys are the page's, also while the editor has the focus. */
monaco.editor.addKeybindingRules(
  ALL_COMMANDS.flatMap(command => {
    const found = /^Alt\+Shift\+(?:(Key[A-Z]|Period)|Arrow(Left|Right|Up|Down))$/.exec(command.key ?? '')
    if (found === null) return []
    const key = monaco.KeyCode[(found[1] ?? `${found[2]}Arrow`) as keyof typeof monaco.KeyCode]
    return [{ keybinding: monaco.KeyMod.Alt | monaco.KeyMod.Shift | key, command: null }]
  }),
)
