import type { BuildAnswer, SystemSources } from '../engine/worker/build-protocol.ts'
import { factIn } from '../lessons/init/facts.ts'
import type { LabConnection } from '../lessons/run/questions.ts'
import type { StatusMessage, WorkerMessage } from '../engine/worker/protocol.ts'
import { clearConsole, feedConsole, LineReader, onConsole } from './console-feed.ts'
import { downloadKernel, FileError, listKernels, ownFiles, readOwnFile } from './files.ts'
import { inspection } from './inspector/inspection-client.ts'
import { labInitrd } from './lab-initrd.ts'
import { type BuildQuestion, MachineClient } from './machine-client.ts'
import { MILESTONE_SYMBOLS } from './milestones.ts'
import { lessonSystems } from './lessons/lesson-systems.ts'
import { buildFailed, systemChoice, systemToBoot } from './system/system-build.ts'
import { type Choice, isAlive, MACHINE_OFF, type MachineView, type Notice, setChoice, useLab } from './store.ts'

/** Long enough for the Worker to finish a slice; a Worker silent for longer is replaced. */
const RESET_PATIENCE_MS = 1500

const client = new MachineClient(receive, message => {
  pending = null
  clearTimeout(resetTimer)
  useLab.setState({ machine: MACHINE_OFF, booted: null, download: null })
  notify({ message: `The machine broke down: ${message}`, hint: 'Press Boot to start again, perhaps with less RAM.' })
})

/** The Worker's messages, for those who speak them themselves. */
export const machineConnection: LabConnection = client

/** What the page showed of the machine that is to be replaced: it stays when there is no new one. */
let replaced: MachineView = MACHINE_OFF
/** The choice whose machine is being made. */
let pending: Choice | null = null
let download: AbortController | null = null
let resetTimer: ReturnType<typeof setTimeout> | undefined
/** Hashes of registers and RAM asked for by the address, for comparing runs: `?hash-at=1000000,5000000`. */
const hashAt = readHashAt()

export function notify(notice: Notice | null): void {
  useLab.setState({ notice })
}

function notifyError(error: unknown): void {
  if (error instanceof FileError) notify({ message: error.message, hint: error.hint })
  else notify({ message: error instanceof Error ? error.message : String(error), hint: '' })
}

/** Asks the server for its kernels and chooses the first; without any, the system that is built here. */
export async function findKernels(): Promise<void> {
  const entries = await listKernels()
  useLab.setState({ kernels: { state: 'known', entries } })
  const first = entries[0]
  if (useLab.getState().choice.kernel !== null) return
  setChoice({ kernel: first === undefined ? systemChoice() : { from: 'list', version: first.version } })
}

/** Asks the Worker what sources assemble to; the machine there is not touched. */
export function askBuild(question: BuildQuestion): Promise<BuildAnswer | null> {
  return client.build(question)
}

/** Makes a machine from the present choice and starts it. A machine that runs is replaced once the new one exists. */
export async function boot(): Promise<void> {
  // Boot pressed while a chosen file is still being read means that file.
  const asked = await choosing
  if (asked === false || pending !== null) return
  const { choice, kernels, machine } = useLab.getState()
  notify(null)
  if (choice.kernel === null) {
    notify({
      message: 'There is no kernel to boot.',
      hint: 'Run “npm start”, which fetches one, or choose an arm64 Image of your own.',
    })
    return
  }
  pending = choice
  const abort = new AbortController()
  download = abort
  const before = machine.state
  replaced = machine
  const restore = () => {
    pending = null
    useLab.setState(state => ({
      download: null,
      machine:
        state.machine.state === 'fetching' || state.machine.state === 'building'
          ? { ...state.machine, state: before }
          : state.machine,
    }))
  }
  // A running machine goes on while its successor is prepared.
  const preparing = (state: 'fetching' | 'building') => {
    if (!isAlive(useLab.getState())) useLab.setState(now => ({ machine: { ...now.machine, state } }))
  }
  try {
    let image: ArrayBuffer | SystemSources | null
    if (choice.kernel.from === 'file') image = ownFiles.image
    else if (choice.kernel.from === 'system') {
      image = await systemToBoot()
      // Its options are known when its Kconfig has been read.
      if (pending === choice) pending = { ...choice, kernel: systemChoice() }
    } else if (choice.kernel.from === 'lesson') image = (await lessonSystems.build?.()) ?? null
    else {
      preparing('fetching')
      const version = choice.kernel.version
      const entry = kernels.entries.find(kernel => kernel.version === version)
      image =
        entry === undefined
          ? null
          : await downloadKernel(entry, progress => useLab.setState({ download: progress }), abort.signal)
    }
    if (abort.signal.aborted) return
    if (image === null) throw new FileError('The chosen kernel is no longer at hand.', 'Choose a kernel again.')
    useLab.setState({ download: null })
    preparing('building')
    const initrd =
      choice.initrd === 'lab' ? await labInitrd(choice.append) : choice.initrd === 'file' ? ownFiles.initrd : null
    if (abort.signal.aborted) return
    const { append, ramMiB, crypto } = choice
    client.load({ image, initrd, settings: { append, ramMiB, crypto }, milestones: MILESTONE_SYMBOLS, hashAt })
  } catch (error) {
    if (abort.signal.aborted) return
    restore()
    notifyError(error)
  }
}

export function pause(): void {
  client.send({ type: 'pause' })
}

export function resume(): void {
  client.send({ type: 'resume' })
}

/** Throws the machine away, whatever it does, and clears the screen. */
export function reset(): void {
  download?.abort()
  download = null
  pending = null
  inspection.machineGone()
  client.send({ type: 'reset' })
  clearTimeout(resetTimer)
  resetTimer = setTimeout(() => client.abandon(), RESET_PATIENCE_MS)
  clearRun()
  useLab.setState({ machine: MACHINE_OFF, booted: null, download: null, notice: null })
}

function clearRun(): void {
  clearConsole()
  lines.clear()
  useLab.setState({ milestones: {}, facts: [], hashes: [] })
}

/** Bytes for the guest's serial port. */
export function typeBytes(bytes: Uint8Array): void {
  if (isAlive(useLab.getState())) client.send({ type: 'input', bytes })
}

/** The terminal has shown so many bytes; the Worker slows a guest that writes faster. */
export function consoleShown(bytes: number): void {
  client.send({ type: 'consoleShown', bytes })
}

/** A file being taken: whether it could be. */
let choosing: Promise<boolean> | null = null

function choose(file: File, take: (bytes: ArrayBuffer) => Promise<void> | void): Promise<boolean> {
  notify(null)
  const attempt = (async () => {
    try {
      await take(await readOwnFile(file))
      return true
    } catch (error) {
      notifyError(error)
      return false
    }
  })()
  choosing = attempt
  return attempt.finally(() => {
    if (choosing === attempt) choosing = null
  })
}

/**
 * Takes the learner's own kernel when the engine can start it; a bad one changes nothing but the notice.
 * @returns whether it was taken
 */
export function chooseImage(file: File): Promise<boolean> {
  return choose(file, async image => {
    const answer = await client.check(image)
    if (!answer.ok) {
      throw new FileError(
        `${file.name}: ${answer.message}.`.replace(/\.\.$/, '.'),
        answer.hint || 'The kernel chosen before stays chosen.',
      )
    }
    ownFiles.image = image
    useLab.setState({ ownImage: { name: file.name, bytes: file.size } })
    setChoice({ kernel: { from: 'file', name: file.name } })
  })
}

export function chooseInitrd(file: File): Promise<boolean> {
  return choose(file, initrd => {
    ownFiles.initrd = initrd
    useLab.setState({ ownInitrd: { name: file.name, bytes: file.size } })
    setChoice({ initrd: 'file' })
  })
}

/** The engine's messages are written to follow a program's name; here they stand alone. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1)
  return /[.!?)]$/.test(text) ? text : `${text}.`
}

function receive(message: WorkerMessage): void {
  switch (message.type) {
    case 'status':
      receiveStatus(message)
      break
    case 'console':
      feedConsole(message.bytes)
      break
    case 'milestones': {
      const reached = Object.fromEntries(message.reached.map(({ symbol, instructions, exceptionLevel }) => [symbol, { instructions, exceptionLevel }]))
      useLab.setState(state => ({ milestones: { ...reached, ...state.milestones } }))
      break
    }
    case 'stopped':
      useLab.setState(state => ({ machine: { ...state.machine, state: 'stopped', ending: message.reason } }))
      if (message.reason === 'fault') {
        notify({
          message: `The machine stopped: ${message.message.replace(/\.$/, '')}.`,
          hint: 'Press Reset, then Boot.',
        })
      }
      break
    case 'error':
      pending = null
      useLab.setState(state => ({
        machine: state.machine.state === 'building' || state.machine.state === 'fetching' ? MACHINE_OFF : state.machine,
      }))
      notify({ message: sentence(message.message), hint: message.hint })
      break
    case 'buildFailed': {
      const ofLesson = pending?.kernel?.from === 'lesson'
      pending = null
      useLab.setState(state => ({
        machine: state.machine.state === 'building' || state.machine.state === 'fetching' ? replaced : state.machine,
      }))
      if (ofLesson) lessonSystems.failed?.(message.message, message.diagnostics)
      else buildFailed(message.message, message.hint, message.diagnostics)
      break
    }
    case 'restored':
      inspection.machineRestored(message.events)
      break
    case 'hash':
      useLab.setState(state => ({
        hashes: [...state.hashes, { instructions: message.instructions, hash: message.hash }],
      }))
      break
  }
}

function receiveStatus(message: StatusMessage): void {
  if (message.state === 'empty') {
    clearTimeout(resetTimer)
    return
  }
  if (message.state === 'loaded' && pending !== null) {
    clearRun()
    useLab.setState({ booted: pending })
    pending = null
    inspection.machineMade(request => client.sendInspection(request))
    client.send({ type: 'boot' })
  }
  const { state, instructions, mips, virtualNanoseconds, exceptionLevel } = message
  // A late report of a machine that Reset has thrown away.
  if (useLab.getState().booted === null) return
  useLab.setState(now => ({
    machine: {
      state,
      instructions,
      mips,
      virtualNanoseconds,
      exceptionLevel,
      ending: state === 'stopped' ? now.machine.ending : null,
    },
  }))
}

const lines = new LineReader()

onConsole(
  bytes => {
    const facts = lines.push(bytes).flatMap(line => factIn(line) ?? [])
    if (facts.length > 0) useLab.setState(state => ({ facts: [...state.facts, ...facts].slice(-500) }))
  },
  () => {},
)

function readHashAt(): number[] {
  if (typeof location === 'undefined') return []
  const text = new URLSearchParams(location.search).get('hash-at') ?? ''
  return text
    .split(',')
    .map(Number)
    .filter(count => Number.isSafeInteger(count) && count > 0)
}
