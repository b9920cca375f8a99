/** Which machine a run needs, and the message that makes it. */
import type { LabInitrd, LoadMessage, MachineSettings } from '../../engine/worker/protocol.ts'
import type { SystemSources } from '../../engine/worker/build-protocol.ts'
import type { Tristate } from '../../engine/inspect/kconfig-expression.ts'
import { type ConfiguredSystem, configureSystem, type SystemFiles } from '../mini-pkvm/system.ts'
import type { LessonSettings } from '../format/lesson.ts'
import type { RunTask } from './task.ts'

/** What stands on every lesson's command line. The kernel's own tests of its ciphers would only cost time. */
const ALWAYS = 'console=ttyAMA0 cryptomgr.notests lab.init=agent'

/** The command line and the computer for a lesson's settings. The gate is not among it: it is flipped, or built in. */
export function machineSettings({ mode, append, ramMiB, crypto }: LessonSettings): MachineSettings {
  const words = [ALWAYS, mode === 'absent' ? '' : `kvm-arm.mode=${mode}`, append].filter(word => word !== '')
  return { append: words.join(' '), ramMiB, crypto }
}

/**
 * mini-pKVM for a lesson: its own files with those of the attempt laid over them, configured as the settings say.
 * @throws KconfigError when an attempt's Kconfig cannot be read
 */
export function lessonSystem(files: SystemFiles, overlay: SystemFiles, settings: LessonSettings): SystemSources {
  return configuredLesson(files, overlay, settings).system
}

/** The same with its menu and what became of each option. @throws KconfigError as above */
export function configuredLesson(files: SystemFiles, overlay: SystemFiles, settings: LessonSettings): ConfiguredSystem {
  const wishes: Record<string, Tristate> = settings.gate === 'n' ? { PROTECTED_VM_UAPI: 'n' } : {}
  for (const [name, value] of Object.entries(settings.options)) wishes[name.replace(/^CONFIG_/, '')] = value === 'y' || value === 'true' ? 'y' : 'n'
  return configureSystem({ ...files, ...overlay }, wishes)
}

export function loadMessage(image: ArrayBuffer | SystemSources, initrd: LabInitrd, settings: LessonSettings): LoadMessage {
  return { type: 'load', image, initrd, settings: machineSettings(settings), milestones: [], hashAt: [] }
}

/** Runs with the same key can use one machine, one after the other. */
export function machineKey(task: RunTask): string {
  const { settings } = task.plan
  const built = task.kernel.series === 'mini' ? { gate: settings.gate, options: settings.options, overlay: task.overlay } : {}
  return JSON.stringify([task.kernel.series, task.kernel.release, machineSettings(settings), built])
}

/** A machine's runs. */
export interface Group {
  readonly key: string
  readonly tasks: readonly RunTask[]
}

/** Largest first, so that the last to be taken are short; groups of more than `most` are split: each part boots once. */
export function groupsOf(tasks: readonly RunTask[], most: number): Group[] {
  const byKey = new Map<string, RunTask[]>()
  for (const task of tasks) {
    const key = machineKey(task)
    const group = byKey.get(key)
    if (group === undefined) byKey.set(key, [task])
    else group.push(task)
  }
  const groups: Group[] = []
  for (const [key, all] of byKey) for (let at = 0; at < all.length; at += most) groups.push({ key, tasks: all.slice(at, at + most) })
  return groups.sort((a, b) => b.tasks.length - a.tasks.length)
}
