import { FitAddon } from '@xterm/addon-fit'
import { type ITheme, Terminal } from '@xterm/xterm'
import { useEffect, useRef } from 'react'
import { ALL_COMMANDS, COMMANDS } from '../commands.ts'
import { onConsole } from '../console-feed.ts'
import { megabytes } from '../format.ts'
import { consoleShown, typeBytes } from '../machine-control.ts'
import { LESSON } from '../lessons/lesson-commands.ts'
import { useLessons } from '../lessons/lesson-store.ts'
import { hasAgent } from '../script/script-runner.ts'
import { useLayout } from '../layout/layout-store.ts'
import { useLab } from '../store.ts'
import { SYSTEM } from '../system/system-commands.ts'
import { CommandButton } from './command-button.tsx'
import { PlayIcon } from './icons.tsx'

const encoder = new TextEncoder()

export function Console() {
  const place = useRef<HTMLDivElement>(null)
  const theme = useLab(state => state.theme)
  const terminal = useRef<Terminal | null>(null)
  const fit = useRef<FitAddon | null>(null)

  useEffect(() => {
    if (place.current === null) return
    const term = new Terminal({
      fontFamily: '"JetBrains Mono Variable", ui-monospace, "DejaVu Sans Mono", monospace',
      fontSize: 12.5,
      lineHeight: 1.2,
      scrollback: 20_000,
      // Linux's serial console ends lines with CR LF by itself; a bare-metal guest may not.
      convertEol: true,
      cursorBlink: false,
      cursorInactiveStyle: 'outline',
      overviewRuler: { width: 10 },
      theme: terminalTheme(),
    })
    const fitter = new FitAddon()
    term.loadAddon(fitter)
    term.open(place.current)
    term.attachCustomKeyEventHandler(event => !isPageKey(event))
    term.onData(text => typeBytes(encoder.encode(text)))
    const stop = onConsole(
      bytes => term.write(bytes, () => consoleShown(bytes.length)),
      () => term.reset(),
    )
    const refit = () => fitter.fit()
    const observer = new ResizeObserver(refit)
    observer.observe(place.current)
    // Widths change when the web font arrives.
    void document.fonts.load('12px "JetBrains Mono Variable"').then(() => {
      term.options.fontFamily = `${term.options.fontFamily} `
      requestAnimationFrame(refit)
    })
    terminal.current = term
    fit.current = fitter
    return () => {
      stop()
      observer.disconnect()
      term.dispose()
      terminal.current = null
    }
  }, [])

  useEffect(() => {
    if (terminal.current === null) return
    terminal.current.options.theme = terminalTheme()
    terminal.current.options.fontSize = theme === 'projector' ? 17 : 12.5
    fit.current?.fit()
  }, [theme])

  return (
    <section className="console" aria-labelledby="console-title">
      <header className="panel-head">
        <h2 id="console-title">Console</h2>
        <span className="aside">ttyAMA0 · a PL011 at 0x09000000 · what you type goes to the guest</span>
      </header>
      <div className="screen" ref={place} data-testid="terminal" />
    </section>
  )
}

/** What stands in the middle of the page until there is a machine. */
export function BeforeBoot() {
  const state = useLab(state => state.machine.state)
  const kernel = useLab(state => state.choice.kernel)
  const kernels = useLab(state => state.kernels)
  const download = useLab(state => state.download)
  const append = useLab(state => state.choice.append)
  if (!['empty', 'fetching', 'building'].includes(state)) return null
  if (kernels.state === 'asking') return <div className="before-boot" />
  if (kernel === null) {
    return (
      <div className="before-boot">
        <h3>The machine is here. It needs a kernel.</h3>
        <p>
          No kernel is served beside this page. On a Debian machine <code>npm start</code> fetches Debian’s newest arm64 cloud
          kernel and opens this page again; nothing of it is kept in the project itself.
        </p>
        <p>
          Or take any arm64 <code>Image</code> of your own: drop it anywhere on the page.
        </p>
        <CommandButton command={COMMANDS.chooseImage} primary />
      </div>
    )
  }
  if (state === 'empty' && kernel.from === 'system') return <SystemInvitation alone={kernels.entries.length === 0} />
  const entry = kernel.from === 'list' ? kernels.entries.find(known => known.version === kernel.version) : undefined
  const name = kernel.from === 'list' ? `Linux ${kernel.version}` : kernel.name
  if (state !== 'empty') {
    return (
      <div className="before-boot">
        <h3>{state === 'fetching' ? `Loading ${name}` : 'Building the machine'}</h3>
        <progress
          aria-label={`Loading ${name}`}
          max={1}
          value={state === 'building' ? 1 : download === null ? 0 : download.received / download.total}
        />
        <p className="quiet">
          {download === null
            ? state === 'building'
              ? 'Kernel in memory; placing it, its initial RAM disk and the device tree in RAM.'
              : 'Asking the server.'
            : `${megabytes(download.received)} of ${megabytes(download.total)}`}
        </p>
      </div>
    )
  }
  if (hasAgent(append)) return <AgentInvitation name={name} />
  return (
    <div className="before-boot">
      <h3>A whole Arm computer, switched off.</h3>
      <p>
        Boot starts {entry === undefined ? <b>{name}</b> : <b>Debian’s own {name}</b>} at EL2, the hypervisor’s level, on a
        processor that lives in this tab. Then a small program asks the kernel for two virtual machines, a normal one and a
        protected one, and tries to read the memory of both.
      </p>
      <p>Nothing is recorded or scripted. Every line and number comes out of the machine.</p>
      <div className="row">
        <CommandButton command={COMMANDS.boot} primary icon={<PlayIcon />} label="Boot the machine" />
        {entry !== undefined && <span className="quiet">{megabytes(entry.bytes)} to load</span>}
      </div>
      <LessonInvitation />
    </div>
  )
}

/** For those who came to learn. Where a lesson is being read, it says itself what is next. */
function LessonInvitation() {
  const reading = useLayout(state => state.side === 'lessons')
  if (reading) return null
  return (
    <div className="invite">
      <p>Or be led: each lesson asks one question of this machine, and its state tells whether you have the answer.</p>
      <div className="row">
        <CommandButton command={LESSON.first} label="Begin with the lessons" />
        <CommandButton command={LESSON.list} label="See all" />
      </div>
    </div>
  )
}

/** Before a boot for scripts: a lesson's, or the learner's own. */
function AgentInvitation({ name }: { name: string }) {
  const reading = useLessons(state => state.open !== null)
  return (
    <div className="before-boot">
      <h3>A whole Arm computer, switched off.</h3>
      <p>
        {reading ? 'The lesson’s first run starts' : 'A script’s first run starts'} <b>{name}</b> at EL2, the hypervisor’s level, on a processor that
        lives in this tab. Here you will see its memory, page by page, and who may touch it.
      </p>
      <p>Nothing is recorded or scripted. Every line and number comes out of the machine.</p>
      {!reading && (
        <div className="row">
          <CommandButton command={COMMANDS.boot} primary icon={<PlayIcon />} label="Boot the machine" />
        </div>
      )}
      <LessonInvitation />
    </div>
  )
}

/** Before the first boot of the system that is built in the page. */
function SystemInvitation({ alone }: { alone: boolean }) {
  return (
    <div className="before-boot">
      <h3>A whole Arm computer, and a hypervisor to fit in one’s head.</h3>
      <p>
        mini-pKVM is pKVM in small: a hypervisor at EL2 and a kernel at EL1, in a few thousand lines of assembly that this page
        assembles in the blink of an eye. Its names, calls and rules are Linux’s. Read it, change it, build it, break it.
      </p>
      <div className="row">
        <CommandButton command={COMMANDS.boot} primary icon={<PlayIcon />} label="Boot the machine" />
        <CommandButton command={SYSTEM.sources} label="Read its sources" />
      </div>
      <LessonInvitation />
      {alone && (
        <p className="quiet" data-testid="no-kernel">
          Debian’s own kernel is not at hand. On a machine with apt, <code>npm start</code> fetches it and offers it here beside
          mini-pKVM; anywhere, an arm64 <code>Image</code> of yours can be dropped on the page.
        </p>
      )}
    </div>
  )
}

/** The page's own shortcuts must not reach the guest. */
function isPageKey(event: KeyboardEvent): boolean {
  if (!event.altKey || !event.shiftKey) return false
  return ALL_COMMANDS.some(command => 'key' in command && command.key === `Alt+Shift+${event.code}`)
}

function terminalTheme(): ITheme {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return {
    background: token('--ground'),
    foreground: token('--ink'),
    cursor: token('--ink'),
    cursorAccent: token('--ground'),
    selectionBackground: token('--selection'),
    scrollbarSliderBackground: token('--line'),
    scrollbarSliderHoverBackground: token('--control-line'),
    scrollbarSliderActiveBackground: token('--control-line'),
    overviewRulerBorder: token('--ground'),
    black: token('--ground'),
    brightBlack: token('--faint'),
    white: token('--dim'),
    brightWhite: token('--ink'),
    red: token('--bad'),
    brightRed: token('--bad'),
    green: token('--vm'),
    brightGreen: token('--vm'),
    yellow: token('--hyp'),
    brightYellow: token('--hyp'),
    blue: token('--host'),
    brightBlue: token('--host'),
    magenta: token('--nvm'),
    brightMagenta: token('--nvm'),
    cyan: token('--host'),
    brightCyan: token('--host'),
  }
}
