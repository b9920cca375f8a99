import { startAssemblyLanguage } from './a64/providers.ts'
import { followStore } from './models.ts'
import { compileOpen, startScriptLanguage } from './script-language.ts'

let started = false

/** Languages, and models that follow the store. Once for the page. */
export function startEditor(): void {
  if (started) return
  started = true
  startScriptLanguage()
  startAssemblyLanguage()
  followStore()
}

export { compileOpen }
