import type { TrialResult } from '../../lessons/run/prove.ts'

/** A lesson's results as lines: one for each kernel, and below it what is not as it should be. */
export function resultLines(results: readonly TrialResult[]): string[] {
  const lines: string[] = []
  for (const release of new Set(results.map(result => result.trial.kernel.release))) {
    const ofKernel = results.filter(result => result.trial.kernel.release === release)
    const { lesson } = ofKernel[0]!.trial
    const good = ofKernel.every(result => result.ok)
    const version = release.replace(/\+.*$/, '')
    lines.push(`${good ? 'ok    ' : 'NOT OK'} ${lesson.folder.padEnd(36)} ${version.padEnd(7)} ${good ? words(ofKernel) : ''}`.trimEnd())
    for (const { trial, faults } of ofKernel) {
      const name = trial.role === 'wrong' ? `wrong/${trial.attempt.name}` : trial.role
      for (const fault of faults) lines.push(`         ${name}: ${fault}`)
    }
  }
  return lines
}

function words(results: readonly TrialResult[]): string {
  const solution = results.find(result => result.trial.role === 'solution')
  const wrong = results.filter(result => result.trial.role === 'wrong').length
  const instructions = results.reduce((sum, result) => sum + result.instructions, 0)
  const parts = [
    ...(results.some(result => result.trial.role === 'start') ? ['start fails'] : []),
    ...(solution === undefined ? [] : [`solution passes ${solution.checks}`]),
    ...(wrong === 0 ? [] : [`${wrong} wrong explained`]),
  ]
  return `${parts.join(', ')}  (${(instructions / 1e6).toFixed(0)} M instructions)`
}

export function summaryLine(results: readonly TrialResult[], malformed: number, milliseconds: number): string {
  const lessons = new Set(results.map(({ trial }) => `${trial.lesson.folder} ${trial.kernel.release}`))
  const bad = new Set(results.filter(result => !result.ok).map(({ trial }) => `${trial.lesson.folder} ${trial.kernel.release}`))
  const runs = results.reduce((sum, { trial }) => sum + trial.attempt.runs.length, 0)
  const broken = malformed === 0 ? '' : `, ${malformed} malformed`
  return `${lessons.size - bad.size} proven, ${bad.size} not${broken}: ${results.length} attempts, ${runs} runs, ${(milliseconds / 1000).toFixed(0)} s`
}
