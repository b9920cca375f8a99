import { useId } from 'react'
import type { ConfiguredOption, MenuItem } from '../../engine/inspect/kconfig-menu.ts'
import { annotateExpression, holds } from '../../engine/inspect/kconfig-menu.ts'
import { type Command, runCommand } from '../commands.ts'
import { count } from '../format.ts'
import { useLab } from '../store.ts'
import { SWITCH_COMMANDS } from '../switches/switch-commands.ts'
import { ListingDiff } from './listing-diff.tsx'
import { compare } from './system-build.ts'
import { type SystemConfig, useSystem } from './system-store.ts'

/** The Kconfig of a system that is built here, as a menu: another value is another build. */
export function SystemKconfig() {
  const ofLesson = useLab(state => state.choice.kernel?.from === 'lesson')
  const config = useSystem(state => (ofLesson ? state.ofLesson : state.config))
  const comparing = useSystem(state => (ofLesson ? null : state.comparing))
  return (
    <section className="kconfig" aria-labelledby="kconfig-title">
      <header className="panel-head">
        <h2 id="kconfig-title">{config.state === 'known' ? config.menu.title : 'mini-pKVM Configuration'}</h2>
        {ofLesson ? <span className="aside">of the lesson’s own Kconfig; built with the next run</span> : <BuildLine />}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section className="kconfig-scroll" tabIndex={0} aria-label="Options of mini-pKVM">
        {config.state === 'absent' && <p className="note">{config.why}</p>}
        {config.state === 'known' &&
          (comparing === null ? <Options config={{ ...config, ofLesson }} /> : <ListingDiff option={comparing} />)}
      </section>
    </section>
  )
}

/** How the last build went. */
function BuildLine() {
  const build = useSystem(state => state.build)
  const errors = build?.diagnostics.filter(d => d.severity === 'error').length ?? 0
  return (
    <span className="aside" role="status" data-testid="build-line" data-ok={build?.ok}>
      {build === null
        ? 'built in this page, from its Kconfig'
        : build.ok
          ? `${count(build.instructions)} instructions, built in ${Math.max(1, Math.round(build.milliseconds))} ms`
          : `does not assemble: ${errors === 1 ? 'one error' : `${errors} errors`}`}
    </span>
  )
}

/** In a lesson only the two switches are the learner's; the other options are as the lesson has them. */
type Known = Extract<SystemConfig, { state: 'known' }> & { readonly ofLesson: boolean }

function Options({ config }: { config: Known }) {
  return (
    <div className="kconfig-columns">
      {config.menu.items.map(item => (
        <Item key={item.line} item={item} config={config} />
      ))}
    </div>
  )
}

function Item({ item, config }: { item: MenuItem; config: Known }) {
  const id = useId()
  if (item.kind === 'menu') {
    if (!holds(item.dependsOn, config.options)) return null
    return (
      <div className="menu mono">
        <h3 id={id}>{item.title}</h3>
        <ul aria-labelledby={id}>
          {item.items.map(inner => (
            <Item key={inner.line} item={inner} config={config} />
          ))}
        </ul>
      </div>
    )
  }
  if (item.kind === 'comment') {
    if (!holds(item.dependsOn, config.options)) return null
    return <li className="option-row option-comment">*** {item.text} ***</li>
  }
  const it = config.options.get(item.name)
  return it === undefined || item.prompt === null ? null : <Option it={it} config={config} />
}

function Option({ it, config }: { it: ConfiguredOption; config: Known }) {
  const { option, value, settable, dependency } = it
  const fixed = config.ofLesson && SWITCHES[option.name] === undefined
  const id = useId()
  return (
    <li className="option-row" data-option={option.name} data-available={settable}>
      <label className="option-check">
        <input
          type="checkbox"
          className="unseen"
          checked={value !== 'n'}
          disabled={!settable || fixed}
          aria-label={option.name}
          aria-describedby={id}
          data-testid={`system-${option.name}`}
          onChange={() => toggle(it)}
        />
        <span className="glyph" aria-hidden="true">
          {!settable ? '---' : value === 'n' ? '[ ]' : '[*]'}
        </span>
        <span className="option-text">
          {option.prompt}
          <small id={id}>
            {option.name}
            {dependency !== '' && `, depends on ${dependency}`}
            {!settable && `: ${unmet(it, config)}`}
            {settable && fixed && ': as the lesson has it'}
          </small>
        </span>
      </label>
      <div className="option-more">
        <details>
          <summary>Help</summary>
          {option.help.split('\n\n').map(paragraph => (
            <p key={paragraph}>{paragraph}</p>
          ))}
        </details>
        {!config.ofLesson && (
          <button type="button" className="link" disabled={!settable} onClick={() => void compare(option.name)}>
            What it does to the code
          </button>
        )}
      </div>
    </li>
  )
}

/** Why it cannot be set, for somebody who wonders. */
function unmet({ option }: ConfiguredOption, config: Known): string {
  return option.dependsOn === null
    ? 'not shown by the menu, so n'
    : `${annotateExpression(option.dependsOn, config.options, true)} is off, so n`
}

/** Two options are the page's switches, which other kernels have too. */
const SWITCHES: Readonly<Record<string, Command>> = {
  PROTECTED_VM_UAPI: SWITCH_COMMANDS.toggleUapi,
  EXPERT: SWITCH_COMMANDS.toggleExpert,
}

function toggle({ option, value }: ConfiguredOption): void {
  const command = SWITCHES[option.name]
  if (command !== undefined) runCommand(command)
  else useSystem.setState(({ wishes }) => ({ wishes: { ...wishes, [option.name]: value === 'n' ? 'y' : 'n' } }))
}
