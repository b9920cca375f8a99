/** Scripts to CommonJS, headless: checked against `lab.d.ts` by the TypeScript compiler, as the editor does it in the page. */
import ts from 'typescript'
import { IGNORED_DIAGNOSTICS, LAB_MODULE, SCRIPT_COMPILER_ENUMS, SCRIPT_COMPILER_OPTIONS, SCRIPT_LIBRARIES } from './compiler-options.ts'

export interface ScriptDiagnostic {
  file: string
  /** From 1. */
  line: number
  /** From 1. */
  column: number
  message: string
}

export type Transpiled =
  | { ok: true; /** CommonJS code by the module's file. */ modules: Record<string, string> }
  | { ok: false; diagnostics: ScriptDiagnostic[] }

const ROOT = '/workspace'
const DECLARATIONS = '/lab/lab.d.ts'

/** Parsed once: the standard library is most of the work. */
const parsed = new Map<string, ts.SourceFile>()

/**
 * @param sources every `.ts` file of the workspace by name
 * @param declarations text of `lab.d.ts`
 */
export function transpileScripts(sources: Readonly<Record<string, string>>, declarations: string): Transpiled {
  const { target, module, moduleResolution, moduleDetection } = SCRIPT_COMPILER_ENUMS
  const options: ts.CompilerOptions = {
    ...SCRIPT_COMPILER_OPTIONS,
    target: ts.ScriptTarget[target],
    module: ts.ModuleKind[module],
    moduleResolution: ts.ModuleResolutionKind[moduleResolution],
    moduleDetection: moduleDetection === 'force' ? ts.ModuleDetectionKind.Force : ts.ModuleDetectionKind.Auto,
    lib: SCRIPT_LIBRARIES,
    baseUrl: ROOT,
    paths: { [LAB_MODULE]: [DECLARATIONS] },
    rootDir: ROOT,
    outDir: '/out',
  }
  const disk = ts.createCompilerHost(options, true)
  const texts = new Map(Object.entries(sources).map(([file, text]) => [`${ROOT}/${file}`, text]))
  texts.set(DECLARATIONS, declarations)
  const modules: Record<string, string> = {}
  const library = disk.getDefaultLibLocation?.() ?? ''
  const host: ts.CompilerHost = {
    ...disk,
    getCurrentDirectory: () => ROOT,
    fileExists: path => texts.has(path),
    readFile: path => texts.get(path),
    directoryExists: path => path === ROOT || path === '/lab',
    getDirectories: () => [],
    getSourceFile(path, languageVersion) {
      const text = texts.get(path)
      if (text !== undefined) return ts.createSourceFile(path, text, languageVersion, true)
      if (!path.startsWith(library)) return undefined
      let file = parsed.get(path)
      if (file === undefined) {
        file = disk.getSourceFile(path, languageVersion)
        if (file !== undefined) parsed.set(path, file)
      }
      return file
    },
    writeFile(path, code) {
      if (path.startsWith('/out/')) modules[path.slice('/out/'.length).replace(/\.js$/, '.ts')] = code
    },
  }
  const roots = Object.keys(sources).filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  const program = ts.createProgram([...roots.map(file => `${ROOT}/${file}`), DECLARATIONS], options, host)
  const found = [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics(), ...program.getOptionsDiagnostics()].filter(
    ({ category, code }) => category === ts.DiagnosticCategory.Error && !(IGNORED_DIAGNOSTICS as readonly number[]).includes(code),
  )
  if (found.length > 0) return { ok: false, diagnostics: found.map(diagnosticOf) }
  program.emit()
  return { ok: true, modules }
}

function diagnosticOf({ file, start, messageText }: ts.Diagnostic): ScriptDiagnostic {
  const at = file?.getLineAndCharacterOfPosition(start ?? 0) ?? { line: 0, character: 0 }
  return {
    file: file?.fileName.replace(`${ROOT}/`, '') ?? '',
    line: at.line + 1,
    column: at.character + 1,
    message: ts.flattenDiagnosticMessageText(messageText, ' '),
  }
}
