import { useSyncExternalStore } from 'react'
import { useLab } from '../store.ts'
import { useLayout } from './layout-store.ts'

/** What fits beside what, in a window of this size with type of this theme's size. */
export interface Room {
  /** The timeline stands under the map; else it is one of the lists below. */
  timelineUnderMap: boolean
  settings: boolean
  /** Narrower columns at the sides. */
  tight: boolean
}

/** @param wished what the learner asked for; null follows the room */
export function roomFor(width: number, height: number, projector: boolean, wished: boolean | null): Room {
  const scale = projector ? 1.25 : 1
  return {
    timelineUnderMap: width < 1024 || height / scale >= 840,
    settings: wished ?? (!projector || width / scale >= 1100 || width < 1024),
    tight: width / scale < 1400,
  }
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('resize', changed)
  return () => window.removeEventListener('resize', changed)
}

export function useRoom(): Room {
  const projector = useLab(state => state.theme === 'projector')
  const wished = useLayout(state => state.settings)
  const width = useSyncExternalStore(subscribe, () => window.innerWidth)
  const height = useSyncExternalStore(subscribe, () => window.innerHeight)
  return roomFor(width, height, projector, wished)
}
