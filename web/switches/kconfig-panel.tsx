import { useId, useMemo, useState } from 'react'
import type { ConfigEntry, KernelConfig } from '../../engine/inspect/kconfig.ts'
import { kvmMenu, PROTECTED_VM_UAPI } from '../../engine/inspect/kconfig-kvm.ts'
import { runCommand } from '../commands.ts'
import { count } from '../format.ts'
import { isBuiltHere, useLab } from '../store.ts'
import { SystemKconfig } from '../system/system-kconfig.tsx'
import { SWITCH_COMMANDS } from './switch-commands.ts'
import { optionState, optionValue, useSwitches } from './switch-store.ts'

/** The chosen kernel's configuration, as a menu: the real values, and the one option that is no more. */
export function KconfigPanel() {
  const built = useLab(state => isBuiltHere(state.choice))
  return built ? <SystemKconfig /> : <LinuxKconfig />
}

function LinuxKconfig() {
  const config = useSwitches(state => state.config)
  return (
    <section className="kconfig" aria-labelledby="kconfig-title">
      <header className="panel-head">
        <h2 id="kconfig-title">Kernel configuration</h2>
        <span className="aside">
          {config.state === 'known'
            ? `${config.config.title ?? 'unnamed'}, ${count(config.config.entries.size)} options, from its package`
            : config.state === 'loading'
              ? 'loading'
              : ''}
        </span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section className="kconfig-scroll" tabIndex={0} aria-label="Options of the kernel">
        {config.state === 'absent' && (
          <p className="note">{config.why} What the option depends on cannot be evaluated.</p>
        )}
        <div className="kconfig-columns">
          {config.state === 'known' && <KvmMenu config={config.config} />}
          <div>
            {config.state === 'known' && <ExpertMenu config={config.config} />}
            <Story />
            {config.state === 'known' && <Search config={config.config} />}
          </div>
        </div>
      </section>
    </section>
  )
}

/** The menu of arch/arm64/kvm/Kconfig, the option at its end as in the patch. */
function KvmMenu({ config }: { config: KernelConfig }) {
  return (
    <Menu title="Virtualization">
      {kvmMenu(config)
        .filter(item => item.name !== 'VIRTUALIZATION')
        .map(item => (
          <li key={item.name} className="option-row">
            <Glyph value={item.entry.value} />
            <span className="option-text">
              {item.name}
              <small>{item.purpose}</small>
            </span>
          </li>
        ))}
      <UapiRow />
    </Menu>
  )
}

function ExpertMenu({ config }: { config: KernelConfig }) {
  const expert = config.entries.get('EXPERT')
  if (expert === undefined) return null
  return (
    <Menu title={expert.menus.join(' › ') || 'Top level'}>
      <ExpertRow entry={expert} />
    </Menu>
  )
}

function Menu(props: { title: string; children: React.ReactNode }) {
  const id = useId()
  return (
    <div className="menu mono">
      <h3 id={id}>{props.title}</h3>
      <ul aria-labelledby={id}>{props.children}</ul>
    </div>
  )
}

/** As menuconfig draws them: `[*]`, `<M>`, `[ ]`. */
function Glyph({ value }: { value: string }) {
  const drawn = value === 'y' ? '[*]' : value === 'm' ? '<M>' : value === 'n' ? '[ ]' : `(${value})`
  return (
    <span className="glyph">
      <span aria-hidden="true">{drawn}</span>
      <span className="unseen">={value}</span>
    </span>
  )
}

function ExpertRow({ entry }: { entry: ConfigEntry }) {
  const without = useSwitches(state => state.withoutExpert)
  const value = without ? 'n' : entry.value
  return (
    <li className="option-row">
      <label className="option-check">
        <input
          type="checkbox"
          className="unseen"
          checked={value === 'y'}
          disabled={entry.value !== 'y'}
          aria-label="EXPERT"
          data-testid="expert"
          onChange={() => runCommand(SWITCH_COMMANDS.toggleExpert)}
        />
        <span className="glyph" aria-hidden="true">
          {value === 'y' ? '[*]' : '[ ]'}
        </span>
        <span className="option-text">
          EXPERT
          <small>
            {without ? 'supposed to be off; in this kernel it is on' : 'shows more options than most need; try it off'}
          </small>
        </span>
      </label>
    </li>
  )
}

function UapiRow() {
  const switches = useSwitches()
  const option = optionState(switches)
  const value = optionValue(switches)
  const available = option?.available !== false && switches.facts?.gate.available !== false
  return (
    <li className="option-row uapi" data-available={available}>
      <label className="option-check">
        <input
          type="checkbox"
          className="unseen"
          checked={value === 'y'}
          disabled={!available}
          aria-label="PROTECTED_VM_UAPI"
          aria-describedby="kconfig-depends"
          data-testid="kconfig-uapi"
          onChange={() => runCommand(SWITCH_COMMANDS.toggleUapi)}
        />
        <span className="glyph" aria-hidden="true">
          {!available ? '---' : value === 'y' ? '[*]' : '[ ]'}
        </span>
        <span className="option-text">
          {PROTECTED_VM_UAPI.name} <b className="gone">not in this kernel</b>
          <small id="kconfig-depends" data-testid="kconfig-depends">
            bool, depends on {option?.dependency ?? PROTECTED_VM_UAPI.dependsOn}
            {option?.available === false && ': not available, so n'}
          </small>
        </span>
      </label>
    </li>
  )
}

function Story() {
  const symbol = useSwitches(state => state.facts?.gate.symbol ?? '')
  return (
    <details className="story">
      <summary>Why an option that no kernel has?</summary>
      <p>
        In March 2026 the third version of a series of 36 patches offered protected VMs to user space. Its patch 30 came
        with this option: off unless somebody turned it on, and only where KVM and EXPERT were on. So three things stood
        before a protected VM: the build, the command line, and a taint on first use.
      </p>
      <p>
        In review that was one too many. Protected mode already has to be asked for on the command line, and other
        unfinished features manage without an option of their own. The author agreed that all three together were
        overkill; the option went, command line and taint stayed. Every released kernel, this one too, behaves as if it
        were y.
      </p>
      <p>
        A page cannot rebuild a kernel, so n is a reconstruction. When the kernel is about to enter{' '}
        <code>{symbol || 'pkvm_init_host_vm'}</code> with bit 31 of the VM type set, the machine lets it return −EINVAL
        at once: before the hypervisor is asked to reserve anything, and without taint. Not a byte of the kernel is
        changed. It is found by symbol, can be flipped while the machine runs, and is logged like a key press. Where
        exactly the third version had its check is inferred from the size of its changes; what a program sees is the
        same either way.
      </p>
      <p>
        Turning EXPERT off here is a what-if too: it decides about this option alone, and the rest of the kernel stays
        as it was built.
      </p>
    </details>
  )
}

const SHOWN = 40

function Search({ config }: { config: KernelConfig }) {
  const [query, setQuery] = useState('')
  const id = useId()
  const found = useMemo(() => {
    const wanted = query
      .trim()
      .toUpperCase()
      .replace(/^CONFIG_/, '')
    return wanted === '' ? [] : [...config.entries.values()].filter(entry => entry.name.includes(wanted))
  }, [config, query])
  return (
    <div className="kconfig-search">
      <label htmlFor={id}>Find an option</label>
      <input
        id={id}
        type="search"
        className="mono"
        spellCheck={false}
        autoComplete="off"
        placeholder="BTF, KASAN, VA_BITS…"
        value={query}
        onChange={event => setQuery(event.target.value)}
      />
      {query.trim() !== '' && (
        <p className="quiet" role="status">
          {found.length === 0
            ? 'None of this name.'
            : found.length > SHOWN
              ? `${count(found.length)} options; the first ${SHOWN}:`
              : `${found.length} of them:`}
        </p>
      )}
      <ul className="mono">
        {found.slice(0, SHOWN).map(entry => (
          <li key={entry.name} className="option-row">
            <Glyph value={entry.value} />
            <span className="option-text">
              {entry.name}
              <small>{entry.menus.join(' › ')}</small>
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
