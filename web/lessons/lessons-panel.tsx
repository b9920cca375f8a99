import { useEffect } from 'react'
import { useLayout } from '../layout/layout-store.ts'
import { LessonList } from './lesson-list.tsx'
import { shelfLesson, useLessons } from './lesson-store.ts'
import { loadShelf } from './open-lesson.ts'
import { ReadingView } from './reading-view.tsx'

/** The left column's second panel: all lessons, or the one that is read. */
export function LessonsPanel() {
  const shown = useLayout(state => state.side === 'lessons')
  const shelf = useLessons(state => state.shelf)
  const fault = useLessons(state => state.shelfFault)
  const open = useLessons(state => shelfLesson(state.open, state))
  useEffect(() => {
    if (shown) void loadShelf()
  }, [shown])
  if (fault !== null) {
    return (
      <section className="lessons" aria-label="Lessons">
        <div className="lesson-message" role="alert">
          <p>The lessons could not be loaded: {fault}.</p>
          <button type="button" className="button" onClick={() => void loadShelf()}>
            Try again
          </button>
        </div>
      </section>
    )
  }
  if (shelf === null) return <p className="lesson-message quiet">{shown ? 'Opening the lessons…' : ''}</p>
  return open === undefined ? <LessonList shelf={shelf} /> : <ReadingView key={open.lesson.id} {...open} />
}
