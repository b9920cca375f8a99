/** `#/lesson/<id>/<step>` and `#/lessons`: the address of what is read. Other hashes are left alone. */
import { showSide, useLayout } from '../layout/layout-store.ts'
import { hashOf, parseHash } from './address.ts'
import { useLessons } from './lesson-store.ts'
import { closeLesson, goToStep, loadShelf, openLesson } from './open-lesson.ts'

async function follow(): Promise<void> {
  const link = parseHash(location.hash)
  if (link === null) return
  if (link.to === 'list') {
    await loadShelf()
    closeLesson()
    return
  }
  await openLesson(link.id, link.step)
  const { step } = useLessons.getState()
  if (step !== '') requestAnimationFrame(() => goToStep(step))
}

/** The address follows what is read, and what is read follows the address. */
export function startDeepLinks(): void {
  window.addEventListener('hashchange', () => void follow())
  useLessons.subscribe((now, before) => {
    if (now.open === before.open && now.step === before.step) return
    // A link that leads nowhere stays in the address, beside the sentence about it.
    if (now.open === null && now.astray !== null) return
    const hash = hashOf(now.open, now.step)
    if (location.hash === hash) return
    // Another lesson is a place to come back to; another step is not.
    if (now.open !== before.open && parseHash(location.hash) !== null) history.pushState(null, '', hash)
    else history.replaceState(null, '', hash)
  })
  useLayout.subscribe((now, before) => {
    if (now.side === 'lessons' && before.side !== 'lessons') void loadShelf()
  })
  void follow().then(() => {
    if (parseHash(location.hash) !== null) showSide('lessons')
  })
}
