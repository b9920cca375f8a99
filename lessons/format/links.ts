/** Links of a lesson's text that do something in the lab. */
import { MODES, type Mode } from './lesson.ts'

/** Views that a lesson can bring to the front. */
export const VIEWS = ['console', 'code', 'map', 'timeline', 'events', 'vms', 'page', 'trace', 'hypercall', 'machine', 'lessons'] as const
export type View = (typeof VIEWS)[number]

/** Changes to the settings that a lesson starts with. */
export interface SettingsChange {
  readonly mode?: Mode
  readonly append?: string
  readonly gate?: 'y' | 'n'
  readonly ramMiB?: number
  readonly crypto?: boolean
}

export type LabLink =
  /** Changes settings, and boots with them or waits for the next boot. */
  | { readonly to: 'boot' | 'set'; readonly change: SettingsChange }
  | { readonly to: 'run' }
  | { readonly to: 'file'; readonly name: string }
  /** What the inspector's address field takes. */
  | { readonly to: 'show'; readonly text: string }
  | { readonly to: 'step'; readonly id: string }
  | { readonly to: 'lesson'; readonly id: string }
  | { readonly to: 'view'; readonly view: View }

/** @param href as it stands in the text, `lab:boot?mode=nvhe` @returns the link, or a sentence that says what is wrong */
export function parseLabLink(href: string): LabLink | string {
  const found = /^lab:([a-z]+)(?:\/([^?]+)|\?(.+))?$/.exec(href)
  const [, to, path, query] = found ?? []
  switch (to) {
    case 'boot':
    case 'set': {
      const change = path === undefined ? settingsChange(query ?? '') : 'has no path'
      return typeof change === 'string' ? `the link ${href} ${change}.` : { to, change }
    }
    case 'run':
      if (path === undefined && query === undefined) return { to }
      break
    case 'file':
      if (path !== undefined) return { to, name: path }
      break
    case 'show':
      if (path !== undefined) return { to, text: decodeURIComponent(path) }
      break
    case 'step':
    case 'lesson':
      if (path !== undefined) return { to, id: path }
      break
    case 'view': {
      const view = VIEWS.find(name => name === path)
      return view === undefined ? `the link ${href} names no view; there are ${VIEWS.join(', ')}.` : { to, view }
    }
  }
  return `the link ${href} is none that the lab knows: lab:boot?mode=nvhe, lab:set?gate=n, lab:run, lab:file/NAME, lab:show/PAGE, lab:step/ID, lab:lesson/ID, lab:view/NAME.`
}

function settingsChange(query: string): SettingsChange | string {
  const change: { -readonly [K in keyof SettingsChange]: SettingsChange[K] } = {}
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', text = ''] = part.split('=').map(decodeURIComponent)
    const mode = MODES.find(candidate => candidate === text)
    if (name === 'mode' && mode !== undefined) change.mode = mode
    else if (name === 'append') change.append = text
    else if (name === 'gate' && (text === 'y' || text === 'n')) change.gate = text
    else if (name === 'ramMiB' && /^\d+$/.test(text)) change.ramMiB = Number(text)
    else if (name === 'crypto' && (text === 'y' || text === 'n')) change.crypto = text === 'y'
    else return `has "${part}", which is none of mode=, append=, gate=y|n, ramMiB=, crypto=y|n`
  }
  return change
}
