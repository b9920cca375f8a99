import { keepProgress, type LessonProgress, readProgress } from './progress.ts'
import { progressOf, useLessons } from './lesson-store.ts'

/** Changes what is known of a lesson, and keeps it in the browser. */
export function keepLesson(id: string, change: (now: LessonProgress) => LessonProgress): void {
  const before = progressOf(id)
  const after = change(before)
  if (after === before) return
  const keeps = keepProgress(id, after)
  useLessons.setState(state => ({ progress: { ...state.progress, [id]: after }, keeps }))
}

/** Takes up what earlier visits left. */
export function recallProgress(): void {
  const { progress, works } = readProgress()
  useLessons.setState({ progress, keeps: works })
}
