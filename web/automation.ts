import { ALL_COMMANDS, runCommand } from './commands.ts'
import { onConsole } from './console-feed.ts'
import { type LessonReport, lessonReport } from './lessons/start-lessons.ts'
import { useLab } from './store.ts'

/** The page for programs: `window.pkvmLab`. The same commands and the same state that people see. */
export interface LabAutomation {
  /** Runs a command by its id, such as `machine.boot`. @returns whether it applied */
  run(id: string): boolean
  /** Everything the guest has written to its console since it was booted, control sequences included. */
  consoleText(): string
  /** Hashes asked for by `?hash-at=COUNT,COUNT...`: of registers and RAM at exactly these instruction counts. */
  hashes(): readonly { instructions: number; hash: string }[]
  /** The lesson that is read, and what its checks say; null when none is. */
  lesson(): LessonReport | null
}

declare global {
  interface Window {
    pkvmLab: LabAutomation
  }
}

/** Older text of a very talkative guest is dropped. */
const KEPT_CHARACTERS = 8 << 20

export function exposeAutomation(): void {
  let text = ''
  const decoder = new TextDecoder()
  onConsole(
    bytes => {
      text += decoder.decode(bytes, { stream: true })
      if (text.length > 2 * KEPT_CHARACTERS) text = text.slice(-KEPT_CHARACTERS)
    },
    () => {
      text = ''
    },
  )
  window.pkvmLab = {
    run(id) {
      const command = ALL_COMMANDS.find(known => known.id === id)
      if (command === undefined) throw new Error(`There is no command ${id}. There are: ${ALL_COMMANDS.map(known => known.id).join(', ')}.`)
      return runCommand(command)
    },
    consoleText: () => text,
    hashes: () => useLab.getState().hashes,
    lesson: lessonReport,
  }
}
