/** mini-pKVM from its files to something that can be built: its Kconfig decides the options. */
import { configure, type ConfiguredOption, KconfigError, type KconfigMenu, parseKconfig, readWishes } from '../../engine/inspect/kconfig-menu.ts'
import type { Tristate } from '../../engine/inspect/kconfig-expression.ts'
import type { SystemSources } from '../../engine/machine/assembled-system.ts'

export { SYSTEM_ORIGIN, SYSTEM_SECTIONS, SYSTEM_SOURCE } from '../../engine/machine/system-layout.ts'

/** The word that means this system where a kernel's file is asked for. */
export const MINI = 'mini'
/** The folder's files that are no assembly. */
export const KCONFIG = 'Kconfig'
export const DEFCONFIG = 'defconfig'

/** Texts of the folder by path: `Kconfig`, `defconfig`, `mini-pkvm.s`, `hyp/vectors.s`. */
export type SystemFiles = Readonly<Record<string, string>>
/** Values that differ from the defconfig, by name without CONFIG_. */
export type Wishes = Readonly<Record<string, Tristate>>

export interface ConfiguredSystem {
  readonly system: SystemSources
  readonly menu: KconfigMenu
  readonly options: ReadonlyMap<string, ConfiguredOption>
}

/** @throws KconfigError when the Kconfig file is missing or cannot be read. */
export function configureSystem(files: SystemFiles, wishes: Wishes = {}): ConfiguredSystem {
  const kconfig = files[KCONFIG]
  if (kconfig === undefined) throw new KconfigError(`there is no file '${KCONFIG}': it was deleted or renamed; reset it`, 1)
  const menu = parseKconfig(kconfig)
  const options = configure(menu, { ...readWishes(files[DEFCONFIG] ?? ''), ...wishes })
  return {
    menu,
    options,
    system: {
      sources: Object.fromEntries(Object.entries(files).filter(([path]) => path.endsWith('.s'))),
      options: Object.fromEntries([...options.values()].map(({ option, value }) => [`CONFIG_${option.name}`, value !== 'n'])),
    },
  }
}
