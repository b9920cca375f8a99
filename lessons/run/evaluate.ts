/** Asks a lesson's checks about a run. The page and the runner share it. */
import type { Check, LessonChecks, Verdict } from '../checks.ts'
import type { LessonRun } from './lesson-run.ts'

export interface CheckResult {
  readonly check: Check
  readonly verdict: Verdict
  /** Markdown of the explanation; empty when it passed. */
  readonly explanation: string
  /** The check itself went wrong: a mistake of the lesson, not of the learner. */
  readonly broken: boolean
}

/**
 * In the order of checks.ts. A check that throws is a broken one; the others are asked all the same.
 * @param before hears of each before it is asked
 */
export async function evaluate({ checks }: LessonChecks, run: LessonRun, before: (check: Check) => void = () => {}): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) {
    before(check)
    results.push(await ask(check, run))
  }
  return results
}

/** Those that can be asked about a system that did not come up; none where the lesson has nothing to say about it. */
export function unbootedChecks({ checks, outcomes }: LessonChecks): LessonChecks {
  return { checks: checks.filter(check => check.unbooted === true), outcomes }
}

async function ask(check: Check, run: LessonRun): Promise<CheckResult> {
  try {
    const verdict = await check.test(run)
    if (verdict === 'pass') return { check, verdict, explanation: '', broken: false }
    const explanation = check.explanations[verdict.fail]
    if (explanation !== undefined) return { check, verdict, explanation, broken: false }
    return broken(check, `it failed with "${verdict.fail}", which is none of its explanations: ${Object.keys(check.explanations).join(', ')}`)
  } catch (error) {
    return broken(check, `it threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`)
  }
}

function broken(check: Check, detail: string): CheckResult {
  return {
    check,
    verdict: { fail: '', detail },
    explanation: `This check is broken: ${detail}. That is a mistake of the lesson, not yours.`,
    broken: true,
  }
}

/**
 * The results over several runs of a lesson that collects: a check that passed once has passed; one that did not is
 * told as in the newest run.
 */
export function collected(earlier: readonly CheckResult[], newest: readonly CheckResult[]): CheckResult[] {
  return newest.map(result => {
    const before = earlier.find(candidate => candidate.check.id === result.check.id)
    return before?.verdict === 'pass' ? before : result
  })
}

/** Which choices the run has shown for the predictions, by id; null where it shows nothing. */
export async function outcomesOf({ outcomes }: LessonChecks, run: LessonRun): Promise<Record<string, string | null>> {
  const shown: Record<string, string | null> = {}
  for (const [id, outcome] of Object.entries(outcomes)) {
    try {
      shown[id] = await outcome(run)
    } catch {
      shown[id] = null
    }
  }
  return shown
}
