/** Getting a lesson's machine to where runs begin. */
import type { Lesson } from '../../lessons/format.ts'
import { BootFailure, MOST_BOOT_INSTRUCTIONS, MOST_SYSTEM_BOOT_INSTRUCTIONS } from '../../lessons/run/bounds.ts'
import { withPauseOnViolation } from '../inspector/violations.ts'
import { boot } from '../machine-control.ts'
import { withAgent } from '../script/script-runner.ts'
import { useScript } from '../script/script-store.ts'
import { setChoice, useLab } from '../store.ts'
import { newEdition } from './lesson-kernels.ts'
import { backToStart, consoleSoFar, hasStart } from './lesson-machine.ts'
import { useLessons } from './lesson-store.ts'

/**
 * The machine stands where runs begin: gone back to, or booted to.
 * @param still throws when the run has been given up @throws BootFailure
 */
export async function toStart(lesson: Lesson, still: () => void): Promise<void> {
  const { append } = useLab.getState().choice
  if (withAgent(append).split(' ').sort().join(' ') !== append.split(/\s+/).sort().join(' '))
    setChoice({ append: withAgent(append), initrd: 'lab' })
  if (!hasStart(lesson)) {
    useLessons.setState({ phase: 'booting' })
    useScript.setState({ phase: 'booting' })
    // What falls while it boots is in its events; the lesson's own rule holds from the run on.
    await withPauseOnViolation(false, () => bootToAgent(lesson, still))
  }
  await backToStart()
}

/** Boots the lesson's machine as it is chosen, until its agent is ready. @throws BootFailure */
async function bootToAgent(lesson: Lesson, still: () => void): Promise<void> {
  newEdition()
  const before = useLab.getState().booted
  await boot()
  const mini = useLab.getState().choice.kernel?.from === 'lesson'
  const most = mini ? MOST_SYSTEM_BOOT_INSTRUCTIONS : MOST_BOOT_INSTRUCTIONS
  for (;;) {
    still()
    if (hasStart(lesson)) return
    const { machine, notice, booted } = useLab.getState()
    if (useLessons.getState().built !== null)
      throw new BootFailure(useLessons.getState().built?.detail ?? '', 'assembly')
    if (notice !== null && booted === before) throw new Error(`${notice.message} ${notice.hint}`.trim())
    if (booted === null && machine.state === 'empty' && before !== null)
      throw new Error('The machine was reset before the run began.')
    if (booted !== before && machine.state === 'paused')
      throw new BootFailure(
        `The machine was stopped before its agent was ready. The console says last: ${lastLine()}`,
        'boot',
      )
    if (machine.state === 'stopped')
      throw new BootFailure(
        `The machine ended before its agent was ready. The console says last: ${lastLine()}`,
        'boot',
      )
    if (booted !== before && machine.instructions > most)
      throw new BootFailure(
        `The agent was not ready after ${most / 1e6} million instructions. The console says last: ${lastLine()}`,
        'boot',
      )
    await new Promise(resolve => setTimeout(resolve, 60))
  }
}

function lastLine(): string {
  return consoleSoFar().trimEnd().split(/\r?\n/).at(-1)?.trim() || 'nothing'
}
