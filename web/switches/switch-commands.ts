import { type KvmMode, withKvmMode } from '../command-line.ts'
import type { Command } from '../commands.ts'
import { isBuiltHere, setChoice, useLab } from '../store.ts'
import { clearOutcomes, optionState, useSwitches } from './switch-store.ts'
import type { Uapi } from './truth.ts'

const OPTION = 'CONFIG_PROTECTED_VM_UAPI'

function setMode(mode: KvmMode): void {
  setChoice({ append: withKvmMode(useLab.getState().choice.append, mode) })
}

/** False while the option's dependency does not hold: menuconfig would not show it. */
function optionAvailable(): boolean {
  return optionState(useSwitches.getState())?.available !== false
}

function setWish(wish: Uapi): Command {
  return {
    id: `switch.uapi.${wish}`,
    title: `${OPTION}=${wish}`,
    enabled: optionAvailable,
    run: () => useSwitches.setState({ wish }),
  }
}

export const SWITCH_COMMANDS = {
  toggleUapi: {
    id: 'switch.uapi.toggle',
    title: `Switch ${OPTION} on or off`,
    key: 'Alt+Shift+KeyU',
    keyLabel: 'Alt ⇧ U',
    enabled: optionAvailable,
    run: () => useSwitches.setState(({ wish }) => ({ wish: wish === 'y' ? 'n' : 'y' })),
  },
  uapiYes: setWish('y'),
  uapiNo: setWish('n'),
  toggleExpert: {
    id: 'switch.expert.toggle',
    title: 'Suppose CONFIG_EXPERT were off, or as it is',
    key: 'Alt+Shift+KeyE',
    keyLabel: 'Alt ⇧ E',
    enabled: state => isBuiltHere(state.choice) || useSwitches.getState().config.state === 'known',
    run: () => useSwitches.setState(({ withoutExpert }) => ({ withoutExpert: !withoutExpert })),
  },
  clearTruth: {
    id: 'truth.clear',
    title: 'Empty the truth table',
    enabled: () => Object.keys(useSwitches.getState().outcomes).length > 0,
    run: clearOutcomes,
  },
} satisfies Record<string, Command>

function modeCommand(mode: KvmMode): Command {
  return {
    id: `switch.mode.${mode}`,
    title: mode === 'absent' ? 'No kvm-arm.mode on the command line' : `kvm-arm.mode=${mode}`,
    enabled: () => true,
    run: () => setMode(mode),
  }
}

/** One for each value of kvm-arm.mode. */
export const MODE_COMMANDS = {
  absent: modeCommand('absent'),
  none: modeCommand('none'),
  nvhe: modeCommand('nvhe'),
  protected: modeCommand('protected'),
  nested: modeCommand('nested'),
} satisfies Record<KvmMode, Command>

/** Sets both switches at once. */
export function combination(mode: KvmMode, option: Uapi): Command {
  return {
    id: `switch.both.${mode}.${option}`,
    title: `Both switches: kvm-arm.mode ${mode}, ${OPTION}=${option}`,
    enabled: optionAvailable,
    run: () => {
      setMode(mode)
      useSwitches.setState({ wish: option })
    },
  }
}

export const COMBINATION_COMMANDS: readonly Command[] = (['protected', 'absent'] as const).flatMap(mode =>
  (['y', 'n'] as const).map(option => combination(mode, option)),
)
