/**
 * How scripts are compiled, the same in the page's editor and headless. Modules become CommonJS, which `run-script.ts`
 * evaluates inside an async function, so that `await` may stand at the top level.
 */
export const SCRIPT_COMPILER_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: false,
  esModuleInterop: true,
  inlineSourceMap: true,
  inlineSources: false,
  removeComments: false,
  noEmitOnError: false,
  rewriteRelativeImportExtensions: true,
  types: [] as string[],
} as const

/** Options that are enumerations in TypeScript's API, by the names of its members. `await using` is lowered. */
export const SCRIPT_COMPILER_ENUMS = { target: 'ES2022', module: 'CommonJS', moduleResolution: 'Node10', moduleDetection: 'force' } as const

/** Standard libraries that scripts see: the language, nothing of a browser. */
export const SCRIPT_LIBRARIES = ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts']

/** Diagnostics about `await` and `using` at the top level of what TypeScript believes to be plain CommonJS. */
export const IGNORED_DIAGNOSTICS = [1375, 1378, 1431, 1432, 2852, 2853, 2854]

/** Specifier of the module that `lab.d.ts` declares. */
export const LAB_MODULE = 'lab'
