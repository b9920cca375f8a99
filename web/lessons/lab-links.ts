/** What the links of a lesson's text do. */
import { parseLabLink, type View } from '../../lessons/format.ts'
import { CODE } from '../editor/editor-commands.ts'
import { goTo } from '../inspector/inspector-store.ts'
import { type DockTab, showLow, showSide, useLayout } from '../layout/layout-store.ts'
import { setView } from '../map/map-store.ts'
import { goToStep, openLesson, openLessonFile, setAsLinked, setOnly } from './open-lesson.ts'
import { bootLesson, runLesson } from './run-lesson.ts'

export function followLabLink(href: string): void {
  const link = parseLabLink(href)
  if (typeof link === 'string') return
  switch (link.to) {
    case 'boot':
      setAsLinked(link.change)
      void bootLesson()
      break
    case 'set':
      setOnly(link.change)
      break
    case 'run':
      void runLesson()
      break
    case 'file':
      void openLessonFile(link.name)
      break
    case 'show':
      void goTo(link.text)
      break
    case 'step':
      goToStep(link.id)
      break
    case 'lesson':
      void openLesson(link.id)
      break
    case 'view':
      show(link.view)
  }
}

const DOCK: Partial<Record<View, DockTab>> = {
  timeline: 'timeline',
  events: 'events',
  vms: 'vms',
  trace: 'trace',
  hypercall: 'hypercall',
}

function show(view: View): void {
  const dock = DOCK[view]
  if (dock !== undefined) useLayout.setState({ dock })
  else if (view === 'console') showLow('console')
  else if (view === 'code') CODE.show.run()
  else if (view === 'machine' || view === 'lessons') showSide(view)
  else if (view === 'map') setView('lanes')
  bring(view)
}

/** Where each view stands, for a page that is longer than its window, and for a look at what was meant. */
const PLACES: Readonly<Record<View, string>> = {
  console: '#console',
  code: '#console',
  map: '#centre',
  timeline: '.timeline',
  events: '#tabs',
  vms: '#tabs',
  page: '#detail',
  trace: '#tabs',
  hypercall: '#tabs',
  machine: '.side',
  lessons: '.side',
}

function bring(view: View): void {
  requestAnimationFrame(() => {
    const place = document.querySelector<HTMLElement>(PLACES[view])
    if (place === null) return
    place.scrollIntoView({ block: 'nearest' })
    place.classList.remove('meant')
    requestAnimationFrame(() => place.classList.add('meant'))
    setTimeout(() => place.classList.remove('meant'), 1400)
  })
}
