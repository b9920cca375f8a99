import { useAssembly } from '../assembly-store.ts'
import { workspaceFiles } from '../files-store.ts'
import { fileOf, uriOf } from '../models.ts'
import { monaco } from '../monaco.ts'
import { type Offer, offersAt } from './completion.ts'
import { definition, hoverText, localLabel } from './hover.ts'
import { A64_CONFIGURATION, A64_TOKENS } from './language.ts'
import { definitionsOf, resolveInclude, spotAt } from './outline.ts'

/** Tells Monaco of A64 assembly. What it says comes from the modules beside this one, which know nothing of Monaco. */
export function startAssemblyLanguage(): void {
  const { languages } = monaco
  languages.register({ id: 'a64', extensions: ['.s', '.S', '.inc'], aliases: ['A64 assembly'] })
  languages.setLanguageConfiguration('a64', A64_CONFIGURATION)
  languages.setMonarchTokensProvider('a64', A64_TOKENS as unknown as monaco.languages.IMonarchLanguage)
  languages.registerHoverProvider('a64', { provideHover: hover })
  languages.registerCompletionItemProvider('a64', { triggerCharacters: ['.', '"'], provideCompletionItems: complete })
  languages.registerDefinitionProvider('a64', { provideDefinition: define })
  languages.registerDocumentSymbolProvider('a64', { provideDocumentSymbols: outline })
}

function hover(model: monaco.editor.ITextModel, position: monaco.Position): monaco.languages.Hover | null {
  const here = fileOf(model.uri)
  if (here === null) return null
  const spot = spotAt(model.getLineContent(position.lineNumber), position.column)
  const { assembly, workspace } = useAssembly.getState()
  const text = hoverText(spot, {
    file: here.path,
    line: position.lineNumber,
    assembly: workspace === here.workspace ? assembly : null,
    files: workspaceFiles(here.workspace),
  })
  if (text.length === 0) return null
  return {
    range: new monaco.Range(position.lineNumber, spot.start, position.lineNumber, spot.end),
    contents: [{ value: text.join('\n\n') }],
  }
}

function complete(model: monaco.editor.ITextModel, position: monaco.Position): monaco.languages.CompletionList {
  const here = fileOf(model.uri)
  const files = here === null ? { 'source.s': model.getValue() } : workspaceFiles(here.workspace)
  const line = model.getLineContent(position.lineNumber).slice(0, position.column - 1)
  const written = /(?:[A-Za-z_.$][\w.$]*|[\w./-]*)$/.exec(line)?.[0] ?? ''
  const range = new monaco.Range(
    position.lineNumber,
    position.column - written.length,
    position.lineNumber,
    position.column,
  )
  return {
    suggestions: offersAt(line, here?.path ?? 'source.s', files).map(offer => ({
      label: offer.label,
      kind: kindOf(offer),
      insertText: offer.label,
      detail: offer.detail,
      sortText: offer.order,
      range,
      ...(offer.documentation === undefined ? {} : { documentation: { value: offer.documentation } }),
    })),
  }
}

function kindOf(offer: Offer): monaco.languages.CompletionItemKind {
  const kinds = monaco.languages.CompletionItemKind
  return {
    mnemonic: kinds.Keyword,
    directive: kinds.Module,
    register: kinds.Variable,
    system: kinds.Property,
    label: kinds.Function,
    constant: kinds.Constant,
    macro: kinds.Snippet,
    option: kinds.EnumMember,
    file: kinds.File,
  }[offer.kind]
}

function define(model: monaco.editor.ITextModel, position: monaco.Position): monaco.languages.Location | null {
  const here = fileOf(model.uri)
  if (here === null) return null
  const files = workspaceFiles(here.workspace)
  const text = model.getLineContent(position.lineNumber)
  const at = (path: string, line: number, column: number) => ({
    uri: uriOf(here.workspace, path),
    range: new monaco.Range(line, column, line, column),
  })
  const include = /^\s*\.include\s+"([^"]+)"/i.exec(text)?.[1]
  if (include !== undefined) {
    const path = resolveInclude(include, here.path, files)
    return path === undefined ? null : at(path, 1, 1)
  }
  const { word } = spotAt(text, position.column)
  const local = /^(\d+)([bf])$/.exec(word)
  if (local !== null) {
    const line = localLabel(
      { file: here.path, files, line: position.lineNumber },
      Number(local[1]),
      local[2] as 'b' | 'f',
    )
    return line === undefined ? null : at(here.path, line, 1)
  }
  const found = definition(word, { file: here.path, files })
  return found === undefined ? null : at(found.file, found.line, found.column)
}

function outline(model: monaco.editor.ITextModel): monaco.languages.DocumentSymbol[] {
  const kinds = monaco.languages.SymbolKind
  return definitionsOf(model.getValue()).map(found => {
    const range = new monaco.Range(found.line, found.column, found.line, found.column + found.name.length)
    return {
      name: found.name,
      detail: found.comment,
      kind: { label: kinds.Function, constant: kinds.Constant, macro: kinds.Method }[found.kind],
      tags: [],
      range,
      selectionRange: range,
    }
  })
}
