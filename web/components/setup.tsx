import { useId } from 'react'
import { COMMANDS, runCommand } from '../commands.ts'
import { DEFAULT_COMMAND_LINE, explain } from '../command-line.ts'
import { megabytes } from '../format.ts'
import { chooseImage, chooseInitrd } from '../machine-control.ts'
import { choiceDiffers, isAlive, setChoice, useLab } from '../store.ts'
import { Switches } from '../switches/switches.tsx'
import { SYSTEM } from '../system/system-commands.ts'
import { CommandButton } from './command-button.tsx'
import { Segments } from './segments.tsx'

/** What the next boot will be made of. */
export function Setup() {
  return (
    <section className="setup" aria-label="Machine settings">
      <div className="setup-scroll">
        <Switches />
        <KernelChoice />
        <CommandLine />
        <Hardware />
        <InitrdChoice />
      </div>
      <Restart />
    </section>
  )
}

function Restart() {
  const show = useLab(state => isAlive(state) && choiceDiffers(state))
  if (!show) return null
  return (
    <div className="restart">
      <p>The machine that runs was made from other settings.</p>
      <CommandButton command={COMMANDS.restart} />
    </div>
  )
}

function KernelChoice() {
  const kernels = useLab(state => state.kernels)
  const own = useLab(state => state.ownImage)
  const chosen = useLab(state => state.choice.kernel)
  const name = useId()
  return (
    <fieldset>
      <legend>Kernel</legend>
      <div className="options">
        {kernels.entries.map(entry => {
          const [release, ...rest] = entry.version.split('+')
          return (
            <label key={entry.version} className="option">
              <input
                type="radio"
                name={name}
                checked={chosen?.from === 'list' && chosen.version === entry.version}
                onChange={() => setChoice({ kernel: { from: 'list', version: entry.version } })}
              />
              <span className="option-name">
                Linux {release}
                <small>{[entry.source, ...rest].join(' · ')}</small>
              </span>
              <span className="option-size">{megabytes(entry.bytes)}</span>
            </label>
          )
        })}
        <label className="option">
          <input
            type="radio"
            name={name}
            checked={chosen?.from === 'system'}
            data-testid="kernel-mini"
            onChange={() => runCommand(SYSTEM.choose)}
          />
          <span className="option-name">
            mini-pKVM
            <small>small enough to read, built here; change it and boot it</small>
          </span>
        </label>
        {chosen?.from === 'lesson' && (
          <label className="option">
            <input type="radio" name={name} checked readOnly />
            <span className="option-name">
              {chosen.name} of the lesson
              <small>built from the lesson’s files</small>
            </span>
          </label>
        )}
        {own !== null && (
          <label className="option">
            <input
              type="radio"
              name={name}
              checked={chosen?.from === 'file'}
              onChange={() => setChoice({ kernel: { from: 'file', name: own.name } })}
            />
            <span className="option-name">
              {own.name}
              <small>your file</small>
            </span>
            <span className="option-size">{megabytes(own.bytes)}</span>
          </label>
        )}
        <button type="button" className="option add" onClick={() => runCommand(COMMANDS.chooseImage)}>
          Your own Image…
          <small>or drop it on the page</small>
        </button>
      </div>
      {chosen?.from === 'system' && (
        <p className="system-line">
          <CommandButton command={SYSTEM.sources} label="Its sources" />
          <CommandButton command={SYSTEM.boot} label="Build and boot" />
        </p>
      )}
      {kernels.state === 'known' && kernels.entries.length === 0 && (
        <p className="note" data-testid="get-debian">
          Debian’s own kernel: on a machine with apt, <code>npm start</code> fetches it (about 40 MB) and serves it
          here. Anywhere else, choose an arm64 Image of Linux 7.2 or later.
        </p>
      )}
      <input
        id="image-file"
        data-testid="image-file"
        type="file"
        hidden
        aria-label="Kernel Image"
        onChange={event => {
          const file = event.target.files?.[0]
          event.target.value = ''
          if (file !== undefined) void chooseImage(file)
        }}
      />
    </fieldset>
  )
}

function CommandLine() {
  const append = useLab(state => state.choice.append)
  const explained = explain(append)
  return (
    <fieldset>
      <legend>Command line</legend>
      <div className="label-row">
        <label className="label" htmlFor="append">
          Whole line
        </label>
        {append !== DEFAULT_COMMAND_LINE && (
          <button type="button" className="link" onClick={() => setChoice({ append: DEFAULT_COMMAND_LINE })}>
            Back to the default
          </button>
        )}
      </div>
      <textarea
        id="append"
        className="mono"
        rows={3}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        value={append}
        onChange={event => setChoice({ append: event.target.value.replace(/[\r\n]+/g, ' ') })}
      />
      {explained.length > 0 && (
        <dl className="words">
          {explained.map(entry => (
            <div key={entry.start}>
              <dt>{entry.word}</dt>
              <dd>{entry.meaning}</dd>
            </div>
          ))}
        </dl>
      )}
    </fieldset>
  )
}

const RAM_CHOICES = [
  { value: 128, label: '128' },
  { value: 256, label: '256' },
  { value: 512, label: '512' },
  { value: 1024, label: '1024' },
  { value: 2048, label: '2048' },
]

function Hardware() {
  const ramMiB = useLab(state => state.choice.ramMiB)
  const crypto = useLab(state => state.choice.crypto)
  return (
    <fieldset>
      <legend>Hardware</legend>
      <div className="label-row">
        <span className="label">RAM, MiB</span>
      </div>
      <Segments
        label="RAM in MiB"
        value={ramMiB}
        choices={RAM_CHOICES}
        onChoose={value => setChoice({ ramMiB: value })}
      />
      <label className="switch">
        <input type="checkbox" checked={crypto} onChange={event => setChoice({ crypto: event.target.checked })} />
        <span>
          Cryptography instructions
          <small>AES, SHA and PMULL show in the ID registers</small>
        </span>
      </label>
    </fieldset>
  )
}

function InitrdChoice() {
  const initrd = useLab(state => state.choice.initrd)
  const own = useLab(state => state.ownInitrd)
  const name = useId()
  return (
    <fieldset>
      <legend>Initial RAM disk</legend>
      <div className="options">
        <label className="option">
          <input type="radio" name={name} checked={initrd === 'lab'} onChange={() => setChoice({ initrd: 'lab' })} />
          <span className="option-name">
            The lab’s probe
            <small>makes two VMs, tries to read them, powers off</small>
          </span>
        </label>
        <label className="option">
          <input type="radio" name={name} checked={initrd === 'none'} onChange={() => setChoice({ initrd: 'none' })} />
          <span className="option-name">None</span>
        </label>
        {own !== null && (
          <label className="option">
            <input
              type="radio"
              name={name}
              checked={initrd === 'file'}
              onChange={() => setChoice({ initrd: 'file' })}
            />
            <span className="option-name">
              {own.name}
              <small>your file</small>
            </span>
            <span className="option-size">{megabytes(own.bytes)}</span>
          </label>
        )}
        <button type="button" className="option add" onClick={() => runCommand(COMMANDS.chooseInitrd)}>
          Your own initrd…
        </button>
      </div>
      <input
        id="initrd-file"
        type="file"
        hidden
        aria-label="Initial RAM disk"
        onChange={event => {
          const file = event.target.files?.[0]
          event.target.value = ''
          if (file !== undefined) void chooseInitrd(file)
        }}
      />
    </fieldset>
  )
}
