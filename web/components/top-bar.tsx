import { COMMANDS, runCommand } from '../commands.ts'
import { count, seconds } from '../format.ts'
import { useLab } from '../store.ts'
import { SETTINGS } from '../layout/view-commands.ts'
import { TaintBadge } from '../switches/taint-badge.tsx'
import { CommandButton } from './command-button.tsx'
import { CommandsIcon, Mark, PauseIcon, PlayIcon, ResetIcon, SettingsIcon, ThemeIcon } from './icons.tsx'

export function TopBar() {
  const paused = useLab(state => state.machine.state === 'paused')
  const theme = useLab(state => state.theme)
  return (
    <header className="top-bar">
      <h1 className="wordmark">
        <Mark />
        <span>
          pKVM <b>Lab</b>
        </span>
      </h1>
      <div className="controls">
        <CommandButton command={COMMANDS.boot} primary icon={<PlayIcon />} />
        {paused ? (
          <CommandButton command={COMMANDS.resume} icon={<PlayIcon />} />
        ) : (
          <CommandButton command={COMMANDS.pause} icon={<PauseIcon />} />
        )}
        <CommandButton command={COMMANDS.reset} icon={<ResetIcon />} />
      </div>
      <KernelName />
      <TaintBadge />
      <Gauges />
      <div className="tools">
        <button
          type="button"
          className="tool"
          title={`Settings column  ${SETTINGS.keyLabel}`}
          aria-label="Settings column"
          onClick={() => runCommand(SETTINGS)}
        >
          <SettingsIcon />
        </button>
        <button
          type="button"
          className="tool"
          title={`Theme: ${theme}  ${COMMANDS.nextTheme.keyLabel}`}
          aria-label={`Theme: ${theme}. Change theme`}
          onClick={() => runCommand(COMMANDS.nextTheme)}
        >
          <ThemeIcon />
        </button>
        <button
          type="button"
          className="tool"
          title={`All commands  ${COMMANDS.palette.keyLabel}`}
          aria-label="All commands"
          onClick={() => runCommand(COMMANDS.palette)}
        >
          <CommandsIcon />
        </button>
      </div>
    </header>
  )
}

const STATE_WORDS = {
  empty: 'Off',
  fetching: 'Loading',
  building: 'Building',
  loaded: 'Starting',
  running: 'Running',
  idle: 'Waiting',
  paused: 'Paused',
  stopped: 'Stopped',
} as const

function KernelName() {
  const kernel = useLab(state => (state.booted ?? state.choice).kernel)
  const state = useLab(state => state.machine.state)
  const ending = useLab(state => state.machine.ending)
  const word =
    state === 'stopped' && ending === 'off' ? 'Powered off' : state === 'stopped' && ending === 'reset' ? 'Asked to reset' : STATE_WORDS[state]
  return (
    <div className="kernel-name">
      <span className="state" data-state={state} data-testid="state">
        {word}
      </span>
      <span className="kernel-version">
        {kernel === null ? 'no kernel' : kernel.from === 'list' ? `Linux ${kernel.version}` : kernel.name}
      </span>
    </div>
  )
}

function Gauges() {
  const machine = useLab(state => state.machine)
  const alive = !['empty', 'fetching', 'building'].includes(machine.state)
  return (
    <dl className="gauges">
      <div className="gauge wide">
        <dt>instructions retired</dt>
        <dd data-testid="instructions">{count(machine.instructions)}</dd>
      </div>
      <div className="gauge">
        <dt>MIPS</dt>
        <dd data-testid="mips">{machine.state === 'running' ? machine.mips.toFixed(0) : '–'}</dd>
      </div>
      <div className="gauge">
        <dt>virtual time, s</dt>
        <dd data-testid="virtual-time">{seconds(machine.virtualNanoseconds)}</dd>
      </div>
      <div className="gauge">
        <dt>exception level</dt>
        <dd className="levels-row" data-testid="el" data-el={alive ? machine.exceptionLevel : 'none'}>
          {[0, 1, 2].map(level => (
            <span key={level} className={alive && machine.exceptionLevel === level ? `level el${level} on` : 'level'}>
              EL{level}
            </span>
          ))}
        </dd>
      </div>
    </dl>
  )
}
