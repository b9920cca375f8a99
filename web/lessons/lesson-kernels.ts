/** Which of the kernels at hand a lesson holds for, and which of them is chosen. */
import { type Lesson, seriesOf } from '../../lessons/format.ts'
import type { KernelChoice } from '../../lessons/run/task.ts'
import { type Choice, type LabState, setChoice, useLab } from '../store.ts'
import { SYSTEM_NAME } from '../system/system-store.ts'

/** A kernel that the lesson holds for, and what choosing it means. */
export interface Fitting extends KernelChoice {
  readonly name: string
  readonly kernel: NonNullable<Choice['kernel']>
}

let edition = 0

/** Kernels at hand that a lesson holds for: Debian's newest first. */
export function fittingKernels(
  lesson: Lesson,
  { kernels, ownImage }: Pick<LabState, 'kernels' | 'ownImage'> = useLab.getState(),
): Fitting[] {
  const found: Fitting[] = []
  for (const { version } of kernels.entries) {
    const series = seriesOf(version)
    if (series !== null && lesson.kernels.includes(series))
      found.push({
        series,
        release: version,
        name: `Linux ${version.split('+')[0]}`,
        kernel: { from: 'list', version },
      })
  }
  // Of a file only its name may tell the release.
  const release = /\d+\.\d+(?:\.\d+)?[\w.+-]*/.exec(ownImage?.name ?? '')?.[0] ?? ''
  const series = seriesOf(release)
  if (ownImage !== null && series !== null && lesson.kernels.includes(series))
    found.push({ series, release, name: ownImage.name, kernel: { from: 'file', name: ownImage.name } })
  if (lesson.kernels.includes('mini'))
    found.push({
      series: 'mini',
      release: 'mini',
      name: SYSTEM_NAME,
      kernel: { from: 'lesson', name: SYSTEM_NAME, lesson: lesson.id, edition },
    })
  return found
}

/** The one that is chosen now; undefined when the lesson does not hold for it. */
export function chosenFitting(
  lesson: Lesson,
  state: Pick<LabState, 'kernels' | 'ownImage' | 'choice'> = useLab.getState(),
): Fitting | undefined {
  const { kernel } = state.choice
  return fittingKernels(lesson, state).find(({ kernel: other }) => {
    if (kernel === null || kernel.from !== other.from) return false
    if (kernel.from === 'list') return kernel.version === (other as typeof kernel).version
    if (kernel.from === 'lesson') return kernel.lesson === (other as typeof kernel).lesson
    return true
  })
}

/** Why the lesson cannot run on what is chosen; empty when it can. */
export function kernelFault(lesson: Lesson): string {
  if (chosenFitting(lesson) !== undefined) return ''
  const names = kernelNames(lesson)
  const { kernel } = useLab.getState().choice
  const at = fittingKernels(lesson)[0]
  if (at === undefined) return `This lesson holds for ${names}, and no such kernel is at hand.`
  const chosen =
    kernel === null
      ? 'No kernel is chosen'
      : kernel.from === 'list'
        ? `Linux ${kernel.version} is chosen`
        : `${kernel.name} is chosen`
  return `${chosen}, and this lesson holds for ${names}. Take ${at.name} for it.`
}

/** `Linux 7.2 and 7.3`, `mini-pKVM` */
export function kernelNames(lesson: Lesson): string {
  const series = lesson.kernels.filter(name => name !== 'mini')
  const linux = series.length === 0 ? [] : [`Linux ${series.join(' and ')}`]
  return [...linux, ...(lesson.kernels.includes('mini') ? ['mini-pKVM'] : [])].join(' and ')
}

/** The next boot is another machine than the last even when only its sources differ. */
export function newEdition(): void {
  const { kernel } = useLab.getState().choice
  if (kernel?.from === 'lesson') setChoice({ kernel: { ...kernel, edition: ++edition } })
}
