/**
 * The computer that a lesson wants and the page's choice of settings, one made from the other; and the moment to which
 * the machine goes back before each run.
 */
import { KconfigError } from '../../engine/inspect/kconfig-menu.ts'
import type { SystemSources } from '../../engine/worker/build-protocol.ts'
import type { Lesson, LessonSettings, SettingsChange } from '../../lessons/format.ts'
import { lessonSystem, machineSettings } from '../../lessons/run/machines.ts'
import { kvmModeOf, withKvmMode } from '../command-line.ts'
import { workspaceFiles } from '../editor/files-store.ts'
import { FileError } from '../files.ts'
import { inspection } from '../inspector/inspection-client.ts'
import { machineConnection } from '../machine-control.ts'
import { type Choice, isBuiltHere, type LabState, setChoice, useLab } from '../store.ts'
import { optionValue, useSwitches } from '../switches/switch-store.ts'
import { kconfigSentence, markDiagnostics } from '../system/system-build.ts'
import { chosenFitting, fittingKernels } from './lesson-kernels.ts'
import { lessonSystems } from './lesson-systems.ts'
import { progressOf, shelfLesson, useLessons, workspaceOf } from './lesson-store.ts'

/** Chooses a lesson's computer: the kernel that is chosen where the lesson holds for it, else the first that is at hand. */
export function applySettings(
  lesson: Lesson,
  settings: LessonSettings,
  kernel = chosenFitting(lesson) ?? fittingKernels(lesson)[0],
): boolean {
  const { append, ramMiB, crypto } = machineSettings(settings)
  setChoice({ append, ramMiB, crypto, initrd: 'lab', ...(kernel === undefined ? {} : { kernel: kernel.kernel }) })
  useSwitches.setState({ wish: settings.gate, withoutExpert: settings.options[EXPERT] === 'n' })
  return kernel !== undefined
}

/** The option that others depend on; the page has a switch for it. */
const EXPERT = 'EXPERT'

/** A lesson's settings with what a link changes of them. */
export function changed(lesson: Lesson, change: SettingsChange): LessonSettings {
  return { ...lesson.start, ...change }
}

/** Words that every lesson's command line has. */
const OWN_WORDS = new Set(['console=ttyAMA0', 'cryptomgr.notests', 'lab.init=agent'])

/** What the page's switches and settings say now, in a lesson's words. */
export function settingsNow(lesson: Lesson, { choice }: Pick<LabState, 'choice'> = useLab.getState()): LessonSettings {
  const rest = withKvmMode(choice.append, 'absent')
    .split(/\s+/)
    .filter(word => word !== '' && !OWN_WORDS.has(word))
  const switches = useSwitches.getState()
  // What is wished of a build is for the lesson's own Kconfig file to grant.
  const built = isBuiltHere(choice)
  return {
    mode: kvmModeOf(choice.append) ?? 'absent',
    append: rest.join(' '),
    gate: built ? switches.wish : optionValue(switches),
    ramMiB: choice.ramMiB,
    crypto: choice.crypto,
    options: built && switches.withoutExpert ? { ...lesson.start.options, [EXPERT]: 'n' } : lesson.start.options,
  }
}

/** `kvm-arm.mode=protected, 256 MiB`, with what is not as usual. */
export function settingsText({ mode, append, gate, ramMiB, crypto, options }: LessonSettings): string {
  return [
    mode === 'absent' ? 'no kvm-arm.mode' : `kvm-arm.mode=${mode}`,
    ...(append === '' ? [] : [append]),
    ...(gate === 'y' ? [] : ['PROTECTED_VM_UAPI=n']),
    ...Object.entries(options).map(([name, value]) => `${name}=${value}`),
    `${ramMiB} MiB`,
    ...(crypto ? [] : ['no cryptography instructions']),
  ].join(' · ')
}

// ------------------------------------------------------------------------------------------- mini-pKVM of the lesson

/** The lesson's sources as they stand in the editor, by path in mini-pKVM. */
export function overlayOf(lesson: Lesson): Record<string, string> {
  const texts = workspaceFiles(workspaceOf(lesson.id, progressOf(lesson.id).showing))
  const sources = lesson.files.filter(file => file.role === 'source')
  return Object.fromEntries(
    sources.flatMap(({ name }) => (texts[name] === undefined ? [] : [[name, texts[name]] as const])),
  )
}

export function startLessonSystems(): void {
  lessonSystems.build = async (): Promise<SystemSources> => {
    const open = shelfLesson(useLessons.getState().open)
    if (open === undefined)
      throw new FileError(
        'The chosen system is that of a lesson that is no longer open.',
        'Open it, or choose another kernel.',
      )
    const { SYSTEM_FILES } = await import('../system/system-sources.ts')
    try {
      return lessonSystem(SYSTEM_FILES, overlayOf(open.lesson), settingsNow(open.lesson))
    } catch (error) {
      if (error instanceof KconfigError)
        throw new FileError(kconfigSentence(error), 'Mend or reset the file, then run again.')
      throw error
    }
  }
  lessonSystems.failed = (message, diagnostics) => {
    const open = shelfLesson(useLessons.getState().open)
    if (open === undefined) return
    markDiagnostics(diagnostics, workspaceOf(open.lesson.id, progressOf(open.lesson.id).showing))
    const places = diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(({ file, line, column, message: what }) => ({ file, line, column, message: what }))
    useLessons.setState({ built: { explanation: 'assembly', detail: message, places } })
  }
}

// ------------------------------------------------------------------------------------------------ where runs begin

/** The moment that the machine can go back to: its agent is ready and no script has run. */
interface StartMoment {
  /** The machine's, as the store has it: another object is another machine. */
  readonly booted: Choice
  readonly key: string
  readonly console: string
}

let moment: StartMoment | null = null
let asked: { booted: Choice; key: string; console: string } | null = null
let restoring = false
let text = ''
let keyOfBoot = ''

/** Console of the machine since reset. */
export function consoleSoFar(): string {
  return text
}

/** All that makes a machine what it is for a lesson; equal keys make equal machines. */
export function machineKey(lesson: Lesson): string {
  const { choice } = useLab.getState()
  const { kernel } = choice
  const { gate, options } = settingsNow(lesson)
  const built = kernel?.from === 'lesson' ? { overlay: overlayOf(lesson), gate, options, lesson: lesson.id } : {}
  return JSON.stringify([{ ...choice, kernel: kernel?.from === 'lesson' ? { ...kernel, edition: 0 } : kernel }, built])
}

export function hasStart(lesson: Lesson): boolean {
  return moment !== null && moment.booted === useLab.getState().booted && moment.key === machineKey(lesson)
}

/** Back to where runs begin, paused. Only after `hasStart`. */
export async function backToStart(): Promise<void> {
  restoring = true
  await new Promise<void>(resolve => {
    const unsubscribe = machineConnection.subscribe(message => {
      if (message.type !== 'restored' && message.type !== 'error') return
      unsubscribe()
      restoring = false
      resolve()
    })
    machineConnection.post({ type: 'restore', run: false })
  })
  text = moment?.console ?? text
}

/** Watches machines: the console, and the moment at which an agent says hello, which is kept. */
export function watchMachines(): void {
  let decoder = new TextDecoder()
  inspection.watchStart(() => {
    text = ''
    decoder = new TextDecoder()
    asked = null
    moment = null
    const open = shelfLesson(useLessons.getState().open)
    const { booted, choice } = useLab.getState()
    // Settings that were changed while it was made are not this machine's.
    keyOfBoot = open === undefined || JSON.stringify(booted) !== JSON.stringify(choice) ? '' : machineKey(open.lesson)
    useLessons.setState({ startsAt: null, standing: false })
  })
  inspection.watchEnd(() => {
    asked = null
    moment = null
    useLessons.setState({ startsAt: null, standing: false })
  })
  machineConnection.subscribe(message => {
    if (message.type === 'console') text += decoder.decode(message.bytes, { stream: true })
    else if (message.type === 'agentState' && message.ready && !restoring) {
      const { booted } = useLab.getState()
      if (booted === null || useLessons.getState().open === null) return
      asked = { booted, key: keyOfBoot, console: '' }
      machineConnection.post({ type: 'checkpoint' })
    } else if (message.type === 'checkpointTaken' && asked !== null && asked.booted === useLab.getState().booted) {
      moment = { ...asked, console: text }
      asked = null
      useLessons.setState({ startsAt: message.instructions })
    }
  })
}
