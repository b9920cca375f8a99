/** The menu of the open lesson's own Kconfig file, for the switches and the configuration panel. */
import { KCONFIG } from '../../lessons/mini-pkvm/system.ts'
import { configuredLesson } from '../../lessons/run/machines.ts'
import { useFiles } from '../editor/files-store.ts'
import { useLab } from '../store.ts'
import { useSwitches } from '../switches/switch-store.ts'
import { readKconfig } from '../system/system-build.ts'
import { useSystem } from '../system/system-store.ts'
import { overlayOf, settingsNow } from './lesson-machine.ts'
import { progressOf, shelfLesson, useLessons, workspaceOf } from './lesson-store.ts'

/** All that the menu was made of; equal ones make equal menus. */
let madeOf = ''

/** Follows the lesson, its file as it stands in the editor, and the switches. Called once, when the page starts. */
export function startLessonKconfig(): void {
  const follow = () => void configure()
  useFiles.subscribe(follow)
  useLessons.subscribe(follow)
  useSwitches.subscribe((now, before) => {
    if (now.wish !== before.wish || now.withoutExpert !== before.withoutExpert) follow()
  })
  useLab.subscribe((now, before) => {
    if (now.choice.kernel !== before.choice.kernel) follow()
  })
}

async function configure(): Promise<void> {
  const open = shelfLesson(useLessons.getState().open)
  if (open === undefined || useLab.getState().choice.kernel?.from !== 'lesson') return
  const { lesson } = open
  const settings = settingsNow(lesson)
  const workspace = workspaceOf(lesson.id, progressOf(lesson.id).showing)
  const overlay = overlayOf(lesson)
  const now = JSON.stringify([workspace, settings.gate, settings.options, overlay[KCONFIG]])
  if (now === madeOf) return
  madeOf = now
  const { SYSTEM_FILES } = await import('../system/system-sources.ts')
  if (now !== madeOf) return
  useSystem.setState({ ofLesson: readKconfig(workspace, () => configuredLesson(SYSTEM_FILES, overlay, settings)) })
}
