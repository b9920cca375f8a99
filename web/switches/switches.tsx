import { KVM_MODES, kvmModeOf } from '../command-line.ts'
import { runCommand } from '../commands.ts'
import { Segments } from '../components/segments.tsx'
import { choiceDiffers, isAlive, isBuiltHere, type LabState, useLab } from '../store.ts'
import { MODE_COMMANDS, SWITCH_COMMANDS } from './switch-commands.ts'
import { optionState, optionValue, useSwitches } from './switch-store.ts'

/** The two gates in front of a protected VM, past and present: the command line and the build option. */
export function Switches() {
  return (
    <section className="switches" aria-labelledby="switches-title">
      <h2 id="switches-title">The two switches</h2>
      <ModeSwitch />
      <OptionSwitch />
    </section>
  )
}

function ModeSwitch() {
  const append = useLab(state => state.choice.append)
  const alive = useLab(isAlive)
  const differs = useLab(
    state => state.booted !== null && kvmModeOf(state.booted.append) !== kvmModeOf(state.choice.append),
  )
  const mode = kvmModeOf(append)
  const meaning = KVM_MODES.find(choice => choice.mode === mode)?.meaning
  return (
    <div className="switch-block">
      <div className="label-row">
        <span className="label mono">kvm-arm.mode</span>
        <span className="when">{alive && differs ? 'from the next boot on' : 'command line'}</span>
      </div>
      <Segments
        label="kvm-arm.mode"
        value={mode}
        choices={KVM_MODES.map(choice => ({ value: choice.mode, label: choice.label }))}
        onChoose={next => runCommand(MODE_COMMANDS[next])}
      />
      <p className="note" data-testid="mode-meaning">
        {meaning ?? 'The kernel does not know this mode, ignores the option and behaves as if it were absent.'}
      </p>
    </div>
  )
}

/** Of a system that is built here. */
const BUILT = {
  y: 'Built in: a protected VM can be made in protected mode, and the first one taints the kernel.',
  n: 'Left out of the build: whoever asks for a protected VM gets EINVAL, and nothing is tainted.',
}

const MEANINGS = {
  y: 'As every released kernel behaves: the command line alone decides whether there are protected VMs.',
  n: 'As a kernel of the third version of the series without the option: whoever asks for a protected VM gets EINVAL.',
}

/** When another value of the option counts. */
function takesEffect(state: LabState): string {
  const { kernel } = state.choice
  if (kernel?.from === 'lesson') return 'with the next run'
  if (kernel?.from !== 'system') return 'at once'
  return isAlive(state) && choiceDiffers(state) ? 'from the next boot on' : 'built in the page'
}

function OptionSwitch() {
  const switches = useSwitches()
  const option = optionState(switches)
  const value = optionValue(switches)
  const gate = switches.facts?.gate
  const unavailable = option?.available === false
  const real = useLab(state => isBuiltHere(state.choice))
  const when = useLab(takesEffect)
  const none = real && switches.config.state === 'absent' ? switches.config.why : ''
  return (
    <div className="switch-block">
      <div className="label-row">
        <span className="label" id="uapi-kind">
          {real ? 'Build option' : 'Build option, reconstructed'}
        </span>
        <span className="when">{when}</span>
      </div>
      <label className="switch">
        <input
          type="checkbox"
          checked={value === 'y' && none === ''}
          disabled={unavailable || none !== '' || (!real && gate?.available === false)}
          aria-describedby="uapi-kind uapi-depends uapi-meaning"
          onChange={() => runCommand(SWITCH_COMMANDS.toggleUapi)}
        />
        <span>
          <span className="mono" data-testid="uapi-value">
            CONFIG_PROTECTED_VM_UAPI{none === '' && `=${value}`}
          </span>
          <small id="uapi-depends" className={unavailable ? 'mono unmet' : 'mono'}>
            {option === null ? 'depends on KVM && EXPERT' : `depends on ${option.dependency}`}
          </small>
        </span>
      </label>
      <p className="note" id="uapi-meaning" data-testid="uapi-meaning">
        {none !== ''
          ? none
          : !real && gate?.available === false
            ? `Not with this kernel: ${gate.why}.`
            : unavailable
              ? 'What it depends on is off, so menuconfig would not even show it, and it is n.'
              : (real ? BUILT : MEANINGS)[value]}
        {!real && gate?.available === true && gate.option === 'n' && (
          <>
            {' '}
            Sits at the entry of <code>{gate.symbol}</code>
            {gate.refused === 0
              ? '; has refused nothing yet.'
              : `; has refused ${gate.refused === 1 ? 'once' : `${gate.refused} times`} since reset.`}
          </>
        )}
      </p>
    </div>
  )
}
