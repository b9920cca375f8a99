/** Scrolling the page of a lesson: within its column, or with the window where everything stands in one column. */

/** Whether motion is unwelcome. */
export function calm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches
}

/** What scrolls: the column, or null where the window does. */
function scrollerOf(element: Element): HTMLElement | null {
  const scroller = element.closest<HTMLElement>('.page-scroll')
  return scroller !== null && scrollsItself(scroller) ? scroller : null
}

/** False where the window scrolls it. */
export function scrollsItself(page: HTMLElement): boolean {
  return getComputedStyle(page).overflowY === 'auto'
}

/** @param step id; `''` for the beginning */
export function scrollToStep(step: string, smooth = true): void {
  const element = document.querySelector(`.page [data-step="${CSS.escape(step)}"]`)
  if (element === null) return
  const behavior = smooth && !calm() ? 'smooth' : 'auto'
  const scroller = scrollerOf(element)
  if (scroller === null) element.scrollIntoView({ block: 'start', behavior })
  else {
    const above = step === '' ? scroller.scrollTop : 20
    scroller.scrollTo({
      top: scroller.scrollTop + element.getBoundingClientRect().top - scroller.getBoundingClientRect().top - above,
      behavior,
    })
  }
}

/** Moves the page as little as is needed to see an element, with some air around it. */
export function showInPage(element: Element | null): void {
  if (element === null) return
  const behavior = calm() ? 'auto' : 'smooth'
  const scroller = scrollerOf(element)
  if (scroller === null) {
    element.scrollIntoView({ block: 'nearest', behavior })
    return
  }
  const [place, frame, air] = [element.getBoundingClientRect(), scroller.getBoundingClientRect(), 24]
  const under = place.bottom + air - frame.bottom
  const over = place.top - air - frame.top
  const by = over < 0 || place.height + 2 * air > frame.height ? over : Math.max(0, under)
  if (by !== 0) scroller.scrollBy({ top: by, behavior })
}
