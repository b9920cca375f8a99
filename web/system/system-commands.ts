import type { Command } from '../commands.ts'
import { CODE } from '../editor/editor-commands.ts'
import { save, useFiles } from '../editor/files-store.ts'
import { boot } from '../machine-control.ts'
import { setChoice } from '../store.ts'
import { build, compare, openSystem, systemChoice } from './system-build.ts'
import { SYSTEM_WORKSPACE, useSystem } from './system-store.ts'

const always = () => true

/** What can be done with the system that is built in the page. */
export const SYSTEM = {
  choose: {
    id: 'kernel.mini',
    title: 'Use mini-pKVM as the kernel',
    enabled: always,
    run: () => setChoice({ kernel: systemChoice() }),
  },
  sources: {
    id: 'system.sources',
    title: 'Open the sources of mini-pKVM',
    enabled: always,
    run: () => void openSystem(true).then(() => CODE.show.run()),
  },
  build: {
    id: 'system.build',
    title: 'Build mini-pKVM',
    enabled: always,
    run: () => {
      if (useFiles.getState().current === SYSTEM_WORKSPACE) save()
      else void build()
    },
  },
  boot: {
    id: 'system.boot',
    title: 'Build mini-pKVM and boot it',
    key: 'Alt+Shift+KeyL',
    keyLabel: 'Alt ⇧ L',
    enabled: state => state.machine.state !== 'fetching' && state.machine.state !== 'building',
    run: () => {
      if (useFiles.getState().current === SYSTEM_WORKSPACE) save()
      setChoice({ kernel: systemChoice() })
      void boot()
    },
  },
  compare: {
    id: 'system.compare',
    title: 'What PROTECTED_VM_UAPI does to the code of mini-pKVM',
    enabled: always,
    run: () => void compare('PROTECTED_VM_UAPI'),
  },
  stopComparing: {
    id: 'system.stopComparing',
    title: 'Back from the comparison to the options',
    enabled: () => useSystem.getState().comparing !== null,
    run: () => useSystem.setState({ comparing: null, diff: null }),
  },
} satisfies Record<string, Command>

export const SYSTEM_COMMANDS: readonly Command[] = Object.values(SYSTEM)
