import { type KernelConfig, type OptionState, parseConfig } from '../../engine/inspect/kconfig.ts'
import { PROTECTED_VM_UAPI } from '../../engine/inspect/kconfig-kvm.ts'
import type { Choice } from '../store.ts'
import type { SystemConfig } from '../system/system-store.ts'

/** The configuration that came with the chosen kernel. */
export type ConfigView =
  | { state: 'loading' }
  | { state: 'known'; config: KernelConfig }
  /** A system that is built in the page, of one's own or a lesson's: the option is a true one. */
  | { state: 'system'; option: OptionState }
  /** `why` is a sentence for the learner. */
  | { state: 'absent'; why: string }

const held = new Map<string, Promise<ConfigView>>()

/** What the Kconfig of the system in the page makes of the option. */
export function systemConfig(config: SystemConfig): ConfigView {
  if (config.state !== 'known') return config
  const it = config.options.get(PROTECTED_VM_UAPI.name)
  if (it === undefined) return { state: 'absent', why: `Its Kconfig has no option ${PROTECTED_VM_UAPI.name}.` }
  return { state: 'system', option: { available: it.settable, value: it.value, dependency: it.dependency } }
}

/** Configurations of the supply are asked for once; a failed attempt is repeated with the next question. */
export function configOf(kernel: Exclude<Choice['kernel'], { from: 'system' | 'lesson' }>): Promise<ConfigView> {
  if (kernel === null) return Promise.resolve({ state: 'absent', why: 'No kernel is chosen.' })
  if (kernel.from === 'file')
    return Promise.resolve({ state: 'absent', why: 'Your own Image came without its configuration file.' })
  const { version } = kernel
  let view = held.get(version)
  if (view === undefined) {
    view = load(version)
    held.set(version, view)
    void view.then(result => {
      if (result.state !== 'known') held.delete(version)
    })
  }
  return view
}

async function load(version: string): Promise<ConfigView> {
  try {
    const response = await fetch(new URL(`kernels/${encodeURIComponent(version)}/config`, document.baseURI))
    if (!response.ok) return { state: 'absent', why: `The package of Linux ${version} brought no configuration file.` }
    const config = parseConfig(await response.text())
    // Some servers answer every address with a page of their own.
    if (config.entries.size === 0)
      return { state: 'absent', why: `What is served as the configuration of Linux ${version} is none.` }
    return { state: 'known', config }
  } catch {
    return {
      state: 'absent',
      why: `The configuration of Linux ${version} could not be loaded: the server did not answer.`,
    }
  }
}
