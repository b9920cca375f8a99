import type { Command } from '../commands.ts'
import { useFiles } from '../editor/files-store.ts'
import { runOpenWorkspace, stopScript } from './script-runner.ts'
import { isRunning, useScript } from './script-store.ts'

export const SCRIPT = {
  run: {
    id: 'script.run',
    title: 'Run the script',
    key: 'Alt+Shift+KeyX',
    keyLabel: 'Alt ⇧ X',
    enabled: () => !isRunning(useScript.getState()) && useFiles.getState().current !== null,
    run: () => void runOpenWorkspace(),
  },
  stop: {
    id: 'script.stop',
    title: 'Stop the script',
    key: 'Alt+Shift+Period',
    keyLabel: 'Alt ⇧ .',
    enabled: () => isRunning(useScript.getState()),
    run: () => stopScript(),
  },
} satisfies Record<string, Command>

export const SCRIPT_COMMANDS: readonly Command[] = Object.values(SCRIPT)
