import { useInspection } from './inspection-store.ts'
import { eventLog } from './inspector/event-log.ts'
import { openEvent, revisit, setPauseOnVms, useInspector } from './inspector/inspector-store.ts'
import { setPauseOnViolation, useViolations } from './inspector/violations.ts'
import { CODE_COMMANDS } from './editor/editor-commands.ts'
import { HYPERCALL_COMMANDS } from './hypercall/hypercall-commands.ts'
import { VIEW_COMMANDS } from './layout/view-commands.ts'
import { showLow, useLayout } from './layout/layout-store.ts'
import { boot, notify, pause, reset, resume } from './machine-control.ts'
import { choiceDiffers, isAlive, type LabState, useLab } from './store.ts'
import { SYSTEM_COMMANDS } from './system/system-commands.ts'
import { LESSON_COMMANDS } from './lessons/lesson-commands.ts'
import { SCRIPT_COMMANDS } from './script/script-commands.ts'
import { COMBINATION_COMMANDS, MODE_COMMANDS, SWITCH_COMMANDS } from './switches/switch-commands.ts'
import { applyTheme, THEMES } from './theme.ts'

/** What a button, a key, the palette, a test or a lesson can ask the page to do. All of them come through here. */
export interface Command {
  id: string
  title: string
  /** In tinykeys' notation. Shift and Alt together leave the guest's own keys alone. */
  key?: string
  /** The same for people. */
  keyLabel?: string
  enabled(state: LabState): boolean
  run(): void
}

const always = () => true

export const COMMANDS = {
  boot: {
    id: 'machine.boot',
    title: 'Boot',
    key: 'Alt+Shift+KeyB',
    keyLabel: 'Alt ⇧ B',
    enabled: state => !isAlive(state) && state.machine.state !== 'fetching' && state.machine.state !== 'building',
    run: () => void boot(),
  },
  restart: {
    id: 'machine.restart',
    title: 'Restart with these settings',
    key: 'Alt+Shift+KeyN',
    keyLabel: 'Alt ⇧ N',
    enabled: state => isAlive(state) && choiceDiffers(state),
    run: () => void boot(),
  },
  pause: {
    id: 'machine.pause',
    title: 'Pause',
    key: 'Alt+Shift+KeyP',
    keyLabel: 'Alt ⇧ P',
    enabled: state => state.machine.state === 'running' || state.machine.state === 'idle',
    run: pause,
  },
  resume: {
    id: 'machine.resume',
    title: 'Resume',
    key: 'Alt+Shift+KeyG',
    keyLabel: 'Alt ⇧ G',
    enabled: state => state.machine.state === 'paused',
    run: resume,
  },
  reset: {
    id: 'machine.reset',
    title: 'Reset',
    key: 'Alt+Shift+KeyR',
    keyLabel: 'Alt ⇧ R',
    enabled: always,
    run: reset,
  },
  chooseImage: {
    id: 'kernel.chooseImage',
    title: 'Choose your own Image…',
    enabled: always,
    run: () => document.getElementById('image-file')?.click(),
  },
  chooseInitrd: {
    id: 'initrd.choose',
    title: 'Choose your own initrd…',
    enabled: always,
    run: () => document.getElementById('initrd-file')?.click(),
  },
  focusTerminal: {
    id: 'view.terminal',
    title: 'Go to the console',
    key: 'Alt+Shift+KeyC',
    keyLabel: 'Alt ⇧ C',
    enabled: always,
    run: () => {
      showLow('console')
      requestAnimationFrame(() => document.querySelector<HTMLElement>('.xterm-helper-textarea')?.focus())
    },
  },
  nextTheme: {
    id: 'view.theme',
    title: 'Change theme: dark, light, projector',
    key: 'Alt+Shift+KeyT',
    keyLabel: 'Alt ⇧ T',
    enabled: always,
    run: () => {
      const { theme } = useLab.getState()
      const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'dark'
      applyTheme(next)
      useLab.setState({ theme: next })
    },
  },
  inspectAddress: {
    id: 'inspect.address',
    title: 'Go to an address or symbol…',
    key: 'Alt+Shift+KeyA',
    keyLabel: 'Alt ⇧ A',
    enabled: always,
    run: () => document.getElementById('inspect-address')?.focus(),
  },
  inspectTaint: {
    id: 'inspect.taint',
    title: 'Which instruction set the taint?',
    key: 'Alt+Shift+KeyW',
    keyLabel: 'Alt ⇧ W',
    enabled: state => state.booted !== null,
    run: openTaint,
  },
  previousPage: {
    id: 'inspect.previousPage',
    title: 'Page before',
    key: 'Alt+Shift+ArrowLeft',
    keyLabel: 'Alt ⇧ ←',
    enabled: always,
    run: () => stepPage(-1),
  },
  nextPage: {
    id: 'inspect.nextPage',
    title: 'Page after',
    key: 'Alt+Shift+ArrowRight',
    keyLabel: 'Alt ⇧ →',
    enabled: always,
    run: () => stepPage(1),
  },
  revisit: {
    id: 'machine.revisit',
    title: 'Boot again and stop at this event',
    enabled: state => state.booted !== null && state.machine.state !== 'fetching' && state.machine.state !== 'building',
    run: bootToEvent,
  },
  pauseOnVms: {
    id: 'machine.pauseOnVms',
    title: 'Pause whenever a VM appears, changes or goes: on or off',
    enabled: always,
    run: () => setPauseOnVms(!useInspector.getState().pauseOnVms),
  },
  pauseOnViolation: {
    id: 'machine.pauseOnViolation',
    title: 'Pause where an invariant falls: on or off',
    enabled: always,
    run: () => setPauseOnViolation(!useViolations.getState().pause),
  },
  followEvents: {
    id: 'events.follow',
    title: 'Follow new events, or stop following',
    key: 'Alt+Shift+KeyF',
    keyLabel: 'Alt ⇧ F',
    enabled: always,
    run: () => useInspector.setState(({ follow }) => ({ follow: !follow })),
  },
  palette: {
    id: 'view.commands',
    title: 'All commands',
    key: 'Alt+Shift+KeyK',
    keyLabel: 'Alt ⇧ K',
    enabled: always,
    run: () => useLab.setState(state => ({ paletteOpen: !state.paletteOpen })),
  },
} satisfies Record<string, Command>

/** The first time a bit of `tainted_mask` was set, by whom and on whose behalf. */
function openTaint(): void {
  const event = eventLog.first('taint')
  if (event !== undefined) {
    useLayout.setState({ dock: 'events' })
    openEvent(event)
  } else {
    notify({
      message: 'No instruction has set a taint bit since reset.',
      hint: eventLog.dropped + eventLog.forgotten > 0 ? 'Or the event is among those that the log has lost.' : '',
    })
  }
}

/** Runs repeat exactly as long as nobody types: the same boot comes by the same event. */
function bootToEvent(): void {
  const { event } = useInspector.getState()
  const { booted } = useLab.getState()
  if (event === null || booted === null) {
    notify({ message: 'No event is chosen.', hint: 'Choose one in the event list or on the timeline first.' })
    return
  }
  useLab.setState({ choice: booted })
  revisit(event)
  void boot()
}

function stepPage(by: number): void {
  const { selectedPage, select } = useInspection.getState()
  if (selectedPage !== null) select(Math.max(0, selectedPage + by * 4096))
}

export const ALL_COMMANDS: readonly Command[] = [
  ...Object.values(COMMANDS),
  ...Object.values(SWITCH_COMMANDS),
  ...Object.values(MODE_COMMANDS),
  ...COMBINATION_COMMANDS,
  ...VIEW_COMMANDS,
  ...Object.values(HYPERCALL_COMMANDS),
  ...CODE_COMMANDS,
  ...SCRIPT_COMMANDS,
  ...SYSTEM_COMMANDS,
  ...LESSON_COMMANDS,
]

/** Runs a command if it applies now. @returns whether it did */
export function runCommand(command: Command): boolean {
  if (!command.enabled(useLab.getState())) return false
  command.run()
  return true
}

/** Key bindings for tinykeys. */
export function keyBindings(): Record<string, (event: KeyboardEvent) => void> {
  const bindings: Record<string, (event: KeyboardEvent) => void> = {}
  for (const command of ALL_COMMANDS) {
    if (command.key === undefined) continue
    bindings[command.key] = event => {
      event.preventDefault()
      runCommand(command)
    }
  }
  // What many pages have come to mean by it. Inside the terminal the key belongs to the guest.
  bindings['$mod+KeyK'] = event => {
    event.preventDefault()
    runCommand(COMMANDS.palette)
  }
  return bindings
}
